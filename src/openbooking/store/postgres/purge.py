"""How erased personal data leaves the disk of a PostgreSQL server.

VACUUM frees the space of a deleted row and overwrites nothing, and the write-ahead log holds what was written for as
long as its files are there. So each erasure is noted in the table `erasure`, in the transaction that erases, and passes
through the stages below. They are looked at every hour, and nothing is done where nothing waits.

0.  The partition of `personal_data` is to be rewritten without it (`VACUUM FULL`, with indexes and TOAST). That is done
    one day after the oldest erasure in it that waits: at most once a day, and only where something was erased or
    replaced.
1.  The log up to `position`, where it was when the partition had been rewritten, may hold it. The next checkpoint,
    replication slots, archiving or `wal_keep_size` may still keep those files.
2.  Nothing kept them when the log was at `position`. The first checkpoint after that removes them, or gives them the
    names of files to be written later, with their old content.
3.  Those names were at most `max_wal_size` ahead of that checkpoint, which is `position`. Once the log has come beyond
    it, all of them have been overwritten. The erasure is complete and forgotten.

Where ordinary traffic does not advance the log enough, messages without meaning are written to it, some every hour, so
that all is complete within ERASED_WITHIN. What the server does not know of, such as backups, is not reached.
"""

import re
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
import structlog

from openbooking.store.documents import instant, microseconds
from openbooking.store.schema import PERSONAL_DATA_PARTITIONS

# How long erased data may be found in the files of the server.
ERASED_WITHIN = timedelta(days=7)
_REWRITTEN_AFTER = timedelta(days=1)
# From when the log is advanced, and by when it has come far enough.
_ADVANCED_AFTER, _ADVANCED_WITHIN = timedelta(days=2), timedelta(days=6)
_EVERY = timedelta(hours=1)
# While a partition waits for those who use it, and while it is rewritten, bookings wait for it.
_LOCK_MILLISECONDS = 200
_REWRITE_SECONDS = 20
_MESSAGE_BYTES = 2**20
# Any number will do, as long as all processes take the same.
_LOCK = 5_278_137_614_120_002

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
_log = structlog.get_logger()


_WAITING_PARTITIONS = """
SELECT DISTINCT remainder FROM erasure, generate_series(0, $1 - 1) AS remainder
WHERE stage = 0 AND erased_at <= $2
AND satisfies_hash_partition('personal_data'::regclass, $1, remainder, partner, uuid)
ORDER BY remainder
"""
_WAITING_IN_PARTITION = """
SELECT partner, uuid, erased_at FROM erasure
WHERE stage = 0 AND satisfies_hash_partition('personal_data'::regclass, $1, $2, partner, uuid)
"""
_REWRITTEN = """
UPDATE erasure SET stage = 1, position = pg_current_wal_insert_lsn() - '0/0'
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS waited (partner, uuid, erased_at)
WHERE (erasure.partner, erasure.uuid, erasure.erased_at) = (waited.partner, waited.uuid, waited.erased_at)
"""
# The first byte of the log that something keeps: a checkpoint, a replication slot, `wal_keep_size`, or the archive.
_LOG = """
SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint AS position,
    (redo_lsn - '0/0')::bigint AS checkpoint,
    least(
        redo_lsn - '0/0',
        (SELECT min(restart_lsn) - '0/0' FROM pg_replication_slots),
        pg_current_wal_insert_lsn() - '0/0' - pg_size_bytes(current_setting('wal_keep_size')),
        CASE WHEN current_setting('archive_mode') <> 'off' THEN coalesce(
            (SELECT ('x' || substr(last_archived_wal, 9, 8))::bit(32)::bigint * (2^32)::bigint
                + ('x' || substr(last_archived_wal, 17, 8))::bit(32)::bigint * segment
             FROM pg_stat_archiver WHERE length(last_archived_wal) = 24), 0) END
    )::bigint AS kept,
    CASE WHEN current_setting('wal_recycle')::boolean
        THEN pg_size_bytes(current_setting('max_wal_size')) ELSE 0 END AS ahead,
    pg_size_bytes(current_setting('wal_keep_size')) AS keep,
    segment
FROM pg_control_checkpoint(), CAST(pg_size_bytes(current_setting('wal_segment_size')) AS bigint) AS segment
"""
# After a failover that lost what came last, or a restore on another server, the log is not yet where it was before.
_SET_BACK = """
UPDATE erasure SET stage = 1, position = $1
WHERE stage > 0 AND position > $1 + CASE stage WHEN 3 THEN $2 ELSE 0 END
"""
_RELEASED = "UPDATE erasure SET stage = 2, position = $2 WHERE stage = 1 AND position < $1"
_RECYCLED = "UPDATE erasure SET stage = 3, position = $2 WHERE stage = 2 AND position < $1"
_COMPLETE = "DELETE FROM erasure WHERE stage = 3 AND position < $1"
_OLDEST = """
SELECT min(erased_at) AS since, max(position + CASE stage WHEN 1 THEN $2 WHEN 2 THEN $3 ELSE 0 END)::bigint AS beyond
FROM erasure WHERE stage > 0 AND erased_at <= $1
"""
_OVERDUE = "SELECT count(*) FROM erasure WHERE erased_at < $1"
# It does not belong to a transaction, and goes to no table.
_MESSAGE = "SELECT pg_logical_emit_message(false, 'openbooking', repeat('-', $1))"


async def purge_deleted(connection: Connection, now: datetime) -> None:
    """Bring all erasures as far as they can be by now; one process does it at a time."""
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        return
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM erasure)"):
        return
    await connection.execute(f"SET lock_timeout = {_LOCK_MILLISECONDS}")
    await connection.execute(f"SET statement_timeout = '{_REWRITE_SECONDS}s'")
    await _rewrite_partitions(connection, now)
    log = await _follow(connection)
    await _advance(connection, now, log)
    await _warn(connection, now)


async def _rewrite_partitions(connection: Connection, now: datetime) -> None:
    before = microseconds(now - _REWRITTEN_AFTER)
    for (number,) in await connection.fetch(_WAITING_PARTITIONS, PERSONAL_DATA_PARTITIONS, before):
        waiting = await connection.fetch(_WAITING_IN_PARTITION, PERSONAL_DATA_PARTITIONS, number)
        obstacle = await _rewrite(connection, partition_name(number))
        if obstacle:
            _log.warning("erasure.partition_not_rewritten", partition=partition_name(number), reason=obstacle)
            return  # it is in the way of the others too, and bookings should not wait for each
        await connection.execute(_REWRITTEN, *map(list, zip(*waiting, strict=True)))


async def _rewrite(connection: Connection, table: str) -> str | None:
    """Rewrite the table; return why rows that were deleted may still be in it, if they may.

    The server copies deleted rows for those who may still read them. How many it tells with the details of VACUUM
    VERBOSE, as their first number, in whatever language.
    """
    told: list[str] = []

    def listen(_: object, message: Any) -> None:
        told.append(message.detail or "")

    connection.add_log_listener(listen)
    try:
        await connection.execute(f"VACUUM (FULL, VERBOSE) {table}")
    except asyncpg.LockNotAvailableError:
        return "somebody else is using it"
    except asyncpg.QueryCanceledError:
        return f"it takes more than {_REWRITE_SECONDS} seconds"
    finally:
        connection.remove_log_listener(listen)
    numbers = [int(found[0]) for detail in told if (found := re.search(r"\d+", detail))]
    if not numbers:
        return "the role does not own it"
    return "a transaction, a replica or a replication slot may still read what was deleted" if any(numbers) else None


async def _follow(connection: Connection) -> asyncpg.Record:
    """Note which files of the log have been released, recycled and overwritten; return how the log stands."""
    log = await connection.fetchrow(_LOG)
    assert log is not None  # noqa: S101 - it has one row
    await connection.execute(_SET_BACK, log["position"], log["ahead"])
    await connection.execute(_COMPLETE, log["position"] - log["segment"])
    await connection.execute(_RECYCLED, log["checkpoint"], log["checkpoint"] + log["ahead"])
    await connection.execute(_RELEASED, log["kept"] - log["segment"], log["position"])
    return log


async def _advance(connection: Connection, now: datetime, log: asyncpg.Record) -> None:
    """Write as much to the log as leaves the same to be written every hour until it has come far enough.

    A checkpoint follows by itself, for the server makes one where something has been written since the last.
    """
    recycled = log["ahead"] + log["segment"]
    kept = log["keep"] + 2 * log["segment"] + recycled
    row = await connection.fetchrow(_OLDEST, microseconds(now - _ADVANCED_AFTER), kept, recycled)
    assert row is not None  # noqa: S101 - an aggregate has one row
    if row["since"] is None:
        return
    hours = max((instant(row["since"]) + _ADVANCED_WITHIN - now) // _EVERY, 1)
    missing = max(row["beyond"] + log["segment"] - log["position"], 0)
    for _ in range(missing // hours // _MESSAGE_BYTES + 1):
        await connection.execute(_MESSAGE, _MESSAGE_BYTES)


async def _warn(connection: Connection, now: datetime) -> None:
    overdue = await connection.fetchval(_OVERDUE, microseconds(now - ERASED_WITHIN))
    if overdue:
        _log.warning("erasure.overdue", erasures=overdue, within_days=ERASED_WITHIN.days)


def partition_name(number: int) -> str:
    """The name of a partition of `personal_data`."""
    return f"personal_data_{number:02}"
