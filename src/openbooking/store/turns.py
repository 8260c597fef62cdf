"""The queue of those who want to write to an SQLite file, whatever processes they are in.

SQLite lets whoever tries first after a commit write next. That is nearly always the one who has just written; others,
who look again after a while, would wait for as long as it has something to write. On Windows they do.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

if sys.platform != "win32":
    import fcntl

_OWNER_ONLY, _READ_AND_WRITE = 0o600, 0o666


class Queue:
    """The head of the queue is whoever has locked the file beside the one at `path`; he leaves it when he may write.

    Only he tries to write, so that nobody overtakes him. The system lets go of the lock when a process dies.
    Whoever may open that file may open this one.
    """

    def __init__(self, path: Path) -> None:
        written = path.resolve()
        beside = written.with_name(f"{written.name}-queue")
        self._file = os.open(beside, os.O_CREAT | os.O_RDONLY, _OWNER_ONLY)
        with suppress(PermissionError):  # it is somebody else's, who has done so
            beside.chmod(written.stat().st_mode & _READ_AND_WRITE)
        self._is_head = False

    def __enter__(self) -> Callable[[], bool]:
        """Queue up; whether one has come to the head of it is for the caller to ask now and then."""
        return self._try

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave it."""
        if sys.platform != "win32" and self._is_head:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._is_head = False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _try(self) -> bool:
        if sys.platform != "win32" and not self._is_head:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._is_head = True
        return True
