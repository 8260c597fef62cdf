"""Makes SQLite files, opens connections to them, and recognises the errors of a locked file and a full disk."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from openbooking.store.sqlite.disk import OWNER_ONLY
from openbooking.store.sqlite.reserve import Reserve

# How long a connection waits for a file that another process has locked.
BUSY_TIMEOUT_SECONDS = 10
_CACHED_KIB = 16 * 2**10
_PRIMARY_CODE = 0xFF
_CANNOT_GROW = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)

T = TypeVar("T")


def create(path: Path) -> None:
    """Make an empty file that only its owner can read; raise FileExistsError if the file exists.

    SQLite gives the files that it makes beside the database the same permissions.
    """
    # Closing a file would release all locks that this process has on it. A new file has no locks.
    os.close(os.open(path.resolve(), os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))


def connect(path: Path, *, wait: bool = True) -> sqlite3.Connection:
    """Open a connection that writes commits to disk before they end, and overwrites deleted data (`secure_delete`).

    The file is not mapped into memory, because it would be mapped again after each commit of another connection. If
    the disk is too full to open the file, the reserve is released.

    Args:
        path: The file.
        wait: Whether statements wait for other processes. Otherwise they fail at once.
    """
    return with_space_to_open(path, lambda: _connect(path, wait=wait))


def with_space_to_open(path: Path, read: Callable[[], T]) -> T:
    """Return the result of `read`. If the disk is too full to open the file, release the reserve and read again."""
    try:
        return read()
    except sqlite3.DatabaseError as fault:
        if not is_full(fault):
            raise
        Reserve(path).release()
        return read()


def _connect(path: Path, *, wait: bool) -> sqlite3.Connection:
    timeout = BUSY_TIMEOUT_SECONDS if wait else 0
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=timeout, check_same_thread=False, cached_statements=256
    )
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(f"PRAGMA cache_size=-{_CACHED_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection


def is_busy(fault: sqlite3.DatabaseError) -> bool:
    """Return whether the error means that another process has locked the file."""
    # Errors of the driver, for example for a closed connection, have no code.
    return getattr(fault, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_BUSY


def is_full(fault: sqlite3.DatabaseError) -> bool:
    """Return whether the error means that the disk, or the user's quota, is full."""
    code = getattr(fault, "sqlite_errorcode", 0)
    return code & _PRIMARY_CODE == sqlite3.SQLITE_FULL or code in _CANNOT_GROW
