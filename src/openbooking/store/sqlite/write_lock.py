"""A fair write lock for several processes on one SQLite file.

SQLite's own lock is not fair: after a commit the process that has just written usually gets it again, and other
processes starve. So a process first locks the file `<database>-turn`. Only the process that holds this lock starts a
write transaction.
"""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from openbooking.store.sqlite.disk import open_sibling

if sys.platform != "win32":
    import fcntl

_log = structlog.get_logger()


class WriteLock:
    """The right to start the next write transaction.

    A process holds the lock from `try_acquire` until it leaves the `with` block. The operating system releases the lock
    when the process dies. Without file locks (Windows, some network file systems) `try_acquire` always succeeds. Then
    writing is not fair, but SQLite's own lock still keeps the data intact.

    Args:
        path: The path of the database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._has_locks = sys.platform != "win32"
        self._is_held = False

    def __enter__(self) -> Self:
        """Return this object. The lock is not held before `try_acquire` returns True."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Release the lock if this process holds it."""
        if sys.platform != "win32" and self._is_held and self._has_locks:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._is_held = False

    def try_acquire(self) -> bool:
        """Try to take the lock without waiting; return whether this process holds it."""
        if not self._is_held:
            try:
                self._is_held = not self._has_locks or self._lock()
            except OSError as fault:
                self._has_locks, self._is_held = False, True
                _log.warning("sqlite.no_turns", reason=str(fault))
        return self._is_held

    def close(self) -> None:
        """Close the lock file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _lock(self) -> bool:
        if sys.platform != "win32":
            if self._file < 0:
                self._file = open_sibling(self._path, "turn")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True
