"""The reserve for a full disk with an SQLite file, with which deletions and cancellations go on.

SQLite needs space for deletions too: it writes to its log and to new pages. So the file `<database>-reserve` holds 16
MiB from the first write on. When the disk is full, the file is emptied. From then on all processes carry out only
commands that store nothing more, until there is space to fill the file again.
"""

import os
import shutil
from pathlib import Path

import structlog

from openbooking.store.sqlite.disk import open_sibling, sibling

# SQLite copies its log to the file every 4 MiB, unless a reader delays that: 4 MiB for the log, 4 MiB for the file, and
# 8 MiB to spare.
RESERVED_BYTES = 16 * 2**20
_ZEROS = bytes(2**20)
_log = structlog.get_logger()


class Reserve:
    """The reserve of the database at `path`, which all processes of the database share."""

    def __init__(self, path: Path) -> None:
        self._database = path
        # Links are resolved only once, because that takes longer than `spent`, which is called before each commit.
        self._file = sibling(path, "reserve")

    @property
    def spent(self) -> bool:
        """Whether the reserve was released and has not been filled since."""
        try:
            return self._file.stat().st_size < RESERVED_BYTES
        except FileNotFoundError:
            return False  # the disk never had space for the reserve

    def fill(self) -> bool:
        """Fill the reserve if the disk has twice as much free space; return whether the reserve is full now."""
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
        """Release the space of the reserve by emptying its file."""
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
