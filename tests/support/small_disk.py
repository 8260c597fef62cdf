"""A disk of its own for a test, small enough to be filled."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

MIB = 2**20


class SmallDisk(NamedTuple):
    """The folder in which it is found."""

    folder: Path

    @property
    def free(self) -> int:
        """How many bytes are left."""
        return shutil.disk_usage(self.folder).free

    def fill(self, but: int = 0) -> None:
        """Let somebody else take all its space but so many bytes."""
        with (self.folder / "of-somebody-else").open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), self.free - but)

    def clear(self) -> None:
        """Give the space back."""
        (self.folder / "of-somebody-else").unlink()


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    """A disk of so many bytes, mounted at that folder."""
    folder.mkdir()
    owner = f"uid={os.getuid()},gid={os.getgid()}"
    _as_root("mount", "-t", "tmpfs", "-o", f"size={size},{owner},mode=700", "tmpfs", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        _as_root("umount", "--lazy", str(folder))


def _as_root(*command: str) -> None:
    subprocess.run(command if os.geteuid() == 0 else ("sudo", "-n", *command), check=True)
