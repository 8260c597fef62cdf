"""Opens files beside an SQLite database, and flushes files to the disk."""

import os
import sys
from contextlib import suppress
from pathlib import Path

OWNER_ONLY, _READ_AND_WRITE = 0o600, 0o666
_ROOT = 0


def sibling(database: Path, suffix: str) -> Path:
    """Return the path of a file beside the database: its path without links, then `-` and the suffix."""
    written = database.resolve()
    return written.with_name(f"{written.name}-{suffix}")


def open_sibling(database: Path, suffix: str) -> int:
    """Open a file beside the database, and make it if it is missing; return its file descriptor.

    The file gets the owner of the database and its permissions to read and write.

    Raises:
        OSError: The file cannot be opened.
    """
    of_database = database.resolve().stat()
    number = os.open(sibling(database, suffix), os.O_CREAT | os.O_RDWR, OWNER_ONLY)
    if sys.platform != "win32":
        # A PermissionError means that another owner made the file. That owner has set the permissions.
        with suppress(PermissionError):
            os.fchmod(number, of_database.st_mode & _READ_AND_WRITE)
        if os.geteuid() == _ROOT:
            os.fchown(number, of_database.st_uid, of_database.st_gid)
    return number


def flush(path: Path) -> None:
    """Write the contents of a file, or the names in a folder, to disk; raise OSError if that fails."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders, and writes their changes to disk itself
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
