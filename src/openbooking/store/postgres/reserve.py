"""Disk space that PostgreSQL keeps for when its disk is full, so that deletions and cancellations go on.

PostgreSQL writes a new version of every row that changes, and a deleted row takes space until it is vacuumed. So an
unlogged table of nothing holds some space. When the disk is full the table is dropped, which takes no space; from then
on, in every process, only commands that store nothing more are carried out, until it can be made again. If the
write-ahead log is on the same disk, the server may stop all the same.
"""

from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]

# A page for every 22 rows, the rest of which is left free: 16 MiB. No column whose values could be kept elsewhere.
_MAKE = """CREATE UNLOGGED TABLE disk_reserve WITH (fillfactor = 10, autovacuum_enabled = off)
 AS SELECT filler::bigint FROM generate_series(1, 22 * 2048) AS filler"""
_DROP = "DROP TABLE IF EXISTS disk_reserve"
# It is there and empty after a crash or a failover: what is not logged is not kept.
_IS_HELD = "SELECT coalesce(pg_relation_size(to_regclass('disk_reserve')), 0) > 0"
_SECONDS_BETWEEN_TRIES = 60.0
_log = structlog.get_logger()


class PostgresReserve:
    """What one process knows of the reserve: `spent` tells whether it has been given up and not made again."""

    def __init__(self) -> None:
        self.spent = False
        self._held = False
        self._next_try = 0.0

    async def keep(self, connection: "Connection") -> None:
        """Look whether it is still there; make it if there may be room. To be called every second."""
        if await connection.fetchval(_IS_HELD):
            self._is_held()
        elif self._held:
            self._is_spent()
        elif monotonic() >= self._next_try:
            await self._make(connection)

    async def release(self, connection: "Connection") -> None:
        """Let others have the space."""
        self._is_spent()
        await connection.execute(_DROP)

    async def _make(self, connection: "Connection") -> None:
        self._next_try = monotonic() + _SECONDS_BETWEEN_TRIES
        try:
            async with connection.transaction():
                await connection.execute(_DROP)
                await connection.execute(_MAKE)
        except asyncpg.DiskFullError:
            self._is_spent()
        except asyncpg.InsufficientPrivilegeError as fault:
            self.spent, self._next_try = False, float("inf")
            _log.warning("disk.no_reserve", reason=str(fault))
        else:
            self._is_held()

    def _is_held(self) -> None:
        if self.spent:
            _log.info("disk.has_room")
        self._held, self.spent = True, False

    def _is_spent(self) -> None:
        self._held, self.spent = False, True
        self._next_try = monotonic() + _SECONDS_BETWEEN_TRIES
