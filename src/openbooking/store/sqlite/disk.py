"""Files sibling an SQLite database, and writing to the disk what the operating system keeps in memory."""

import os
import sys
from contextlib import suppress
from pathlib import Path

OWNER_ONLY, _READ_AND_WRITE = 0o600, 0o666
_ROOT = 0


def sibling(database: Path, suffix: str) -> Path:
    """The path of the file whose name is that of the database, wherever a link leads, with this suffix."""
    written = database.resolve()
    return written.with_name(f"{written.name}-{suffix}")


def open_sibling(database: Path, suffix: str) -> int:
    """Open that file, made if it is missing, for all who may open the database; return its file descriptor.

    Raise OSError if it cannot be opened.
    """
    of_database = database.resolve().stat()
    number = os.open(sibling(database, suffix), os.O_CREAT | os.O_RDWR, OWNER_ONLY)
    if sys.platform != "win32":
        # Whoever made it has seen to that.
        with suppress(PermissionError):
            os.fchmod(number, of_database.st_mode & _READ_AND_WRITE)
        if os.geteuid() == _ROOT:
            os.fchown(number, of_database.st_uid, of_database.st_gid)
    return number


def flush(path: Path) -> None:
    """Return once the contents of a file, or the names in a folder, are on disk; raise OSError if they cannot be."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders, and writes their changes itself
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
