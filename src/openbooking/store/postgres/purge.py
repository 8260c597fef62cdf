"""Wipes erased personal data from the disk of a PostgreSQL server, within ERASED_WITHIN.

PostgreSQL leaves erased data in two places. VACUUM frees the space of a deleted row without overwriting it. And the
files of the write-ahead log (below: the log) hold everything that was ever written. So the transaction that erases
personal data adds a row to the table `erasure`. Every hour `purge_deleted` advances these rows through four stages:

0.  The partition of `personal_data` still holds the data. One day after the oldest erasure of this stage, the partition
    is rewritten without the data (`VACUUM FULL`, with indexes and TOAST). So each partition is rewritten at most once a
    day.
1.  The partition has been rewritten. `position` was the end of the log at that time. The log files before `position`
    may hold the data, and a checkpoint, a replication slot, archiving or `wal_keep_size` may still need these files.
2.  Nothing needs those log files any more. `position` was the end of the log when that was noticed. The next checkpoint
    removes the files, or renames them: PostgreSQL reuses old log files, with their old content, as future log files.
3.  That checkpoint has been made. The renamed files are at most `max_wal_size` ahead of the checkpoint, and `position`
    is the end of that range. Once the log is beyond `position`, all renamed files have been overwritten. The erasure is
    complete, and its row is deleted.

If bookings do not advance the log enough, meaningless messages are written to it every hour, so that each erasure is
complete in time. Copies outside the server, such as backups, keep the data.
"""

import re
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
import structlog

from openbooking.store.documents import instant, microseconds
from openbooking.store.schema import PERSONAL_DATA_PARTITIONS

# How long erased data may stay in the files of the server.
ERASED_WITHIN = timedelta(days=7)
_REWRITTEN_AFTER = timedelta(days=1)
# Times after the oldest erasure: when messages begin to advance the log, and when it must have advanced far enough.
_ADVANCED_AFTER, _ADVANCED_WITHIN = timedelta(days=2), timedelta(days=6)
_EVERY = timedelta(hours=1)
# Bookings wait while a rewrite of a partition waits for its lock, and while the rewrite runs. So both are limited.
_LOCK_MILLISECONDS = 200
_REWRITE_SECONDS = 20
_MESSAGE_BYTES = 2**20
# The key of the advisory lock of purging; any number that all processes share.
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
# `kept` is the first byte of the log that a checkpoint, a replication slot, `wal_keep_size` or the archive still needs.
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
# Resets positions beyond the end of the log. A failover may have lost the end of the log, and a restore on another
# server brings positions of another log.
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
# Writes a message to the log that belongs to no transaction and no table.
_MESSAGE = "SELECT pg_logical_emit_message(false, 'openbooking', repeat('-', $1))"


async def purge_deleted(connection: Connection, now: datetime) -> None:
    """Advance all erasures as far as possible now. If another process is doing so, do nothing.

    Args:
        connection: A connection for this call only. The caller closes it, because the lock and the changed settings of
            the connection stay.
        now: The current time.
    """
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        return
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM erasure)"):
        return
    await connection.execute(f"SET lock_timeout = {_LOCK_MILLISECONDS}")
    await connection.execute(f"SET statement_timeout = '{_REWRITE_SECONDS}s'")
    await _rewrite_partitions(connection, now)
    log = await _advance_stages(connection)
    await _advance_log(connection, now, log)
    await _warn_of_overdue(connection, now)


async def _rewrite_partitions(connection: Connection, now: datetime) -> None:
    before = microseconds(now - _REWRITTEN_AFTER)
    for (number,) in await connection.fetch(_WAITING_PARTITIONS, PERSONAL_DATA_PARTITIONS, before):
        waiting = await connection.fetch(_WAITING_IN_PARTITION, PERSONAL_DATA_PARTITIONS, number)
        obstacle = await _rewrite(connection, partition_name(number))
        if obstacle:
            _log.warning("erasure.partition_not_rewritten", partition=partition_name(number), reason=obstacle)
            return  # the obstacle affects the other partitions too, and each try would hold up bookings
        await connection.execute(_REWRITTEN, *map(list, zip(*waiting, strict=True)))


async def _rewrite(connection: Connection, table: str) -> str | None:
    """Rewrite a table without its deleted rows; return None, or the reason why it may still hold deleted rows.

    VACUUM keeps deleted rows that a transaction may still read. VACUUM VERBOSE reports how many, as the first number in
    a detail of its messages, in every language of the server.
    """
    details: list[str] = []

    def listen(_: object, message: Any) -> None:
        details.append(message.detail or "")

    connection.add_log_listener(listen)
    try:
        await connection.execute(f"VACUUM (FULL, VERBOSE) {table}")
    except asyncpg.LockNotAvailableError:
        return "other transactions are using it"
    except asyncpg.QueryCanceledError:
        return f"it takes more than {_REWRITE_SECONDS} seconds"
    finally:
        connection.remove_log_listener(listen)
    numbers = [int(found[0]) for detail in details if (found := re.search(r"\d+", detail))]
    if not numbers:
        return "the role does not own it"
    return "a transaction, a replica or a replication slot may still read what was deleted" if any(numbers) else None


async def _advance_stages(connection: Connection) -> asyncpg.Record:
    """Advance the erasures of stages 1 to 3 by the state of the log; return that state, the row of `_LOG`."""
    log = await connection.fetchrow(_LOG)
    assert log is not None  # noqa: S101 - it has one row
    await connection.execute(_SET_BACK, log["position"], log["ahead"])
    await connection.execute(_COMPLETE, log["position"] - log["segment"])
    await connection.execute(_RECYCLED, log["checkpoint"], log["checkpoint"] + log["ahead"])
    await connection.execute(_RELEASED, log["kept"] - log["segment"], log["position"])
    return log


async def _advance_log(connection: Connection, now: datetime, log: asyncpg.Record) -> None:
    """Write messages that advance the log, so that every erasure is complete in time.

    The bytes that are still missing are divided among the hours that are left. The server makes a checkpoint by itself
    if anything has been written since the last checkpoint.
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


async def _warn_of_overdue(connection: Connection, now: datetime) -> None:
    overdue = await connection.fetchval(_OVERDUE, microseconds(now - ERASED_WITHIN))
    if overdue:
        _log.warning("erasure.overdue", erasures=overdue, within_days=ERASED_WITHIN.days)


def partition_name(number: int) -> str:
    """Return the name of a partition of `personal_data`."""
    return f"personal_data_{number:02}"
