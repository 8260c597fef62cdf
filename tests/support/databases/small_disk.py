"""A small separate disk for a test, which the test can fill."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

MIB = 2**20


class SmallDisk(NamedTuple):
    """The folder at which the disk is mounted."""

    folder: Path

    @property
    def free(self) -> int:
        """Return the number of free bytes."""
        return shutil.disk_usage(self.folder).free

    def fill(self, but: int = 0) -> None:
        """Fill the disk so that this number of bytes is left."""
        with (self.folder / "of-somebody-else").open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), self.free - but)

    def clear(self) -> None:
        """Free the filled space."""
        (self.folder / "of-somebody-else").unlink()


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    """Mount a disk of this number of bytes at the folder."""
    folder.mkdir()
    owner = f"uid={os.getuid()},gid={os.getgid()}"
    _as_root("mount", "-t", "tmpfs", "-o", f"size={size},{owner},mode=700", "tmpfs", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        _as_root("umount", "--lazy", str(folder))


def _as_root(*command: str) -> None:
    subprocess.run(command if os.geteuid() == 0 else ("sudo", "-n", *command), check=True)
