"""The reserve for a full disk of a PostgreSQL server, with which deletions and cancellations go on.

PostgreSQL needs space for deletions too: it writes a new version of every changed row, and a deleted row takes space
until it is vacuumed. So the unlogged table `disk_reserve` holds 16 MiB of meaningless rows. When the disk is full, the
table is dropped, which takes no space. From then on all processes carry out only commands that store nothing more,
until the table can be made again. If the write-ahead log is on the same disk, the server may stop nevertheless.
"""

from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]

# 22 rows fill a tenth of a page, and the fillfactor keeps the rest of the page free. So 2048 pages take 16 MiB.
_MAKE = """CREATE UNLOGGED TABLE disk_reserve WITH (fillfactor = 10, autovacuum_enabled = off)
 AS SELECT filler::bigint FROM generate_series(1, 22 * 2048) AS filler"""
_DROP = "DROP TABLE IF EXISTS disk_reserve"
# The table is unlogged, so after a crash or a failover it exists but is empty.
_IS_HELD = "SELECT coalesce(pg_relation_size(to_regclass('disk_reserve')), 0) > 0"
_SECONDS_BETWEEN_TRIES = 60.0
_log = structlog.get_logger()


class PostgresReserve:
    """The reserve, as far as this process knows.

    Attributes:
        spent: True from the release of the reserve until it is made again.
    """

    def __init__(self) -> None:
        self.spent = False
        self._held = False
        self._next_try = 0.0

    async def keep(self, connection: "Connection") -> None:
        """Check whether the table exists; make it if it is missing and there may be space. Called every second."""
        if await connection.fetchval(_IS_HELD):
            self._note_held()
        elif self._held:
            self._note_spent()
        elif monotonic() >= self._next_try:
            await self._make(connection)

    async def release(self, connection: "Connection") -> None:
        """Release the space of the reserve by dropping its table."""
        self._note_spent()
        await connection.execute(_DROP)

    async def _make(self, connection: "Connection") -> None:
        self._next_try = monotonic() + _SECONDS_BETWEEN_TRIES
        try:
            async with connection.transaction():
                await connection.execute(_DROP)
                await connection.execute(_MAKE)
        except asyncpg.DiskFullError:
            self._note_spent()
        except asyncpg.InsufficientPrivilegeError as fault:
            self.spent, self._next_try = False, float("inf")
            _log.warning("disk.no_reserve", reason=str(fault))
        else:
            self._note_held()

    def _note_held(self) -> None:
        if self.spent:
            _log.info("disk.has_room")
        self._held, self.spent = True, False

    def _note_spent(self) -> None:
        self._held, self.spent = False, True
        self._next_try = monotonic() + _SECONDS_BETWEEN_TRIES
