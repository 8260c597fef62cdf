"""Connections to an SQLite file: how it is made and opened, and what its errors mean."""

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
    """Make an empty file that only its owner can read; raise FileExistsError if there is a file.

    SQLite gives the files beside the database the same permissions.
    """
    # Closing a file releases all locks that this process has on it, so only a new file may be closed here.
    os.close(os.open(path.resolve(), os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))


def connect(path: Path, *, wait: bool = True) -> sqlite3.Connection:
    """Open a connection whose commits are on disk, and whose deletions overwrite the deleted data.

    The file is not mapped into memory, because it would be mapped again after each commit of another connection. If
    the disk is too full to open the file, the reserve is released.

    Args:
        path: The file.
        wait: Statements wait for other processes, instead of failing at once.
    """
    return with_space_to_open(path, lambda: _connect(path, wait=wait))


def with_space_to_open(path: Path, read: Callable[[], T]) -> T:
    """Return what `read` returns; if the disk is too full to open the file, release the reserve and read again."""
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
    """Return whether another process has the file locked."""
    # Errors of the driver itself, for example that the connection is closed, have no code.
    return getattr(fault, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_BUSY


def is_full(fault: sqlite3.DatabaseError) -> bool:
    """Return whether the disk, or the quota of the user, is full."""
    code = getattr(fault, "sqlite_errorcode", 0)
    return code & _PRIMARY_CODE == sqlite3.SQLITE_FULL or code in _CANNOT_GROW
