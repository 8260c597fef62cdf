"""Disk space that is kept for when the disk is full, so that deletions and cancellations go on.

SQLite has to write before anything is deleted: to its log, and to new pages. So the file `<database>-reserve` holds
some space from the first write on. When the disk is full the file is emptied, and from then on, in every process, only
commands that store nothing more are carried out, until there is room to fill it again.
"""

import os
import shutil
from pathlib import Path

import structlog

from openbooking.store.sqlite.disk import open_sibling, sibling

# SQLite brings its log into the file every 4 MiB, if nobody reads for longer: that much for each, and as much to spare.
RESERVED_BYTES = 16 * 2**20
_ZEROS = bytes(2**20)
_log = structlog.get_logger()


class Reserve:
    """The reserve of the database at `path`, as all its processes share it."""

    def __init__(self, path: Path) -> None:
        self._database = path
        # Looked at before each commit; to follow links takes longer than to look.
        self._file = sibling(path, "reserve")

    @property
    def spent(self) -> bool:
        """Whether it has been given up, and could not be filled since."""
        try:
            return self._file.stat().st_size < RESERVED_BYTES
        except FileNotFoundError:
            return False  # there was no room for it from the start

    def fill(self) -> bool:
        """Fill it, where there is room for twice as much; return whether it is full."""
        filled = False
        try:
            if self._file.exists() and not self.spent:
                return True
            if shutil.disk_usage(self._file.parent).free < 2 * RESERVED_BYTES:
                return False
            number = open_sibling(self._database, "reserve")
            try:
                _allocate(number)
                filled = True
            finally:
                if not filled:
                    os.ftruncate(number, 0)
                os.close(number)
        except OSError as fault:
            _log.warning("disk.no_reserve", database=str(self._database), reason=str(fault))
        return filled

    def release(self) -> None:
        """Let others have the space."""
        try:
            number = open_sibling(self._database, "reserve")
            try:
                os.ftruncate(number, 0)
            finally:
                os.close(number)
        except OSError as fault:
            _log.error("disk.no_reserve", database=str(self._database), reason=str(fault))


def _allocate(number: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(number, 0, RESERVED_BYTES)
        return
    for offset in range(0, RESERVED_BYTES, len(_ZEROS)):
        os.lseek(number, offset, os.SEEK_SET)
        os.write(number, _ZEROS)
    os.fsync(number)
