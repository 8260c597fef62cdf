"""Whose turn it is to write to an SQLite file, among processes.

SQLite lets whoever tries first after a commit write next. That is nearly always the one who has just written; others,
who look again after a while, would wait for as long as it has something to write.
"""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from openbooking.store.disk import open_beside

if sys.platform != "win32":
    import fcntl

_log = structlog.get_logger()


class Turn:
    """The next to write is whoever has locked the file `…-turn` beside the one at `path`, and has it until he writes.

    Then one of those who wait is next, and whoever has just written has to wait too. The system lets go of the lock
    when a process dies. Where there are no such locks nobody waits for a turn: that what is written is whole does not
    hang on it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._has_locks = sys.platform != "win32"
        self._is_ours = False

    def __enter__(self) -> Self:
        """Want it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Want it no more."""
        if sys.platform != "win32" and self._is_ours and self._has_locks:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._is_ours = False

    def try_(self) -> bool:
        """Whether it is ours now."""
        if not self._is_ours:
            try:
                self._is_ours = not self._has_locks or self._lock()
            except OSError as fault:
                self._has_locks, self._is_ours = False, True
                _log.warning("sqlite.no_turns", reason=str(fault))
        return self._is_ours

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _lock(self) -> bool:
        if sys.platform != "win32":
            if self._file < 0:
                self._file = open_beside(self._path, "turn")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True
