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
    """Make an empty database, which only its owner can read; raise FileExistsError if there is a file.

    SQLite lets those read the files beside it who can read the file itself.
    """
    # Only a file that is not there yet may be closed here: closing one lets go of all locks this process has on it.
    os.close(os.open(path.resolve(), os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))


def connect(path: Path, *, wait: bool = True) -> sqlite3.Connection:
    """Open the file so that a commit is on disk, what is deleted is overwritten, and readers have room.

    It may `wait` for others, or give up at once. The file is not mapped into memory: after each commit of another
    connection it would be mapped anew. If the disk is too full to open it, its reserve is given up.
    """
    return with_room_to_open(path, lambda: _connect(path, wait=wait))


def with_room_to_open(path: Path, read: Callable[[], T]) -> T:
    """Return what `read` returns; where the disk is too full to open the file, give up its reserve and read again."""
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
    """Whether somebody else has the file just now."""
    # What the driver itself finds, as that the connection is closed, has no code.
    return getattr(fault, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_BUSY


def is_full(fault: sqlite3.DatabaseError) -> bool:
    """Whether the disk, or what one user may have of it, is full."""
    code = getattr(fault, "sqlite_errorcode", 0)
    return code & _PRIMARY_CODE == sqlite3.SQLITE_FULL or code in _CANNOT_GROW
