"""The store in one SQLite file: one writer, which decides and commits all waiting commands as one batch.

While a batch commits, the next commands gather; nobody waits for a batch to fill. Readers have connections of their
own and, the file being in WAL mode, never wait for the writer. Change numbers of feeds are taken inside the writer's
transaction: there is only one at a time, so no number is committed after a later one was read.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from openbooking.booking.command import Command, Reply
from openbooking.booking.opportunity import Opportunity, Seller
from openbooking.booking.order import OrderKey, Record
from openbooking.booking.policy import Policy
from openbooking.booking.situation import Needs, Places, Situation
from openbooking.booking.store import Feed, FeedWriter, Outcome, Partner, StoreUnavailableError, fold, join_needs
from openbooking.spec.rpde import Item
from openbooking.store.documents import (
    decode_opportunity,
    decode_partner,
    decode_record,
    decode_seller,
    encode,
    encode_record,
    microseconds,
)
from openbooking.store.effects import Effects, effects
from openbooking.store.statements import Statements

BATCH = 64
EXPIRED_AT_ONCE = 500
_BUSY_TIMEOUT_SECONDS = 10
_READERS = 4

Result = TypeVar("Result")


class SqliteStore:
    """Keeps everything in the file at `path`, whose schema must be up to date."""

    def __init__(self, path: Path, *, policy: Policy, writer: FeedWriter, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._policy = policy
        self._feed_writer = writer
        self._clock = clock
        self._statements = Statements()
        self._waiting: list[tuple[Command, asyncio.Future[Reply]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writer_thread = ThreadPoolExecutor(1, "openbooking-writer")
        self._reader_threads = ThreadPoolExecutor(_READERS, "openbooking-reader")

    async def execute(self, command: Command) -> Reply:
        """Carry out one command, in the batch that is next to be written, or at once if it changes nothing."""
        needs = command.needs(self._policy)
        if needs.changes_nothing:
            answer: Reply = await self._in(self._reader_threads, partial(self._answer, command, needs))
            return answer
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting())
        return await future

    async def feed_items(self, feed: Feed, after: int, limit: int) -> Sequence[Item]:
        """The first items of the feed after that change number."""
        values = {"feed": feed.name, "partner": feed.partner, "after": after, "most": limit}
        rows = await self._read(self._statements.feed_items, values)
        return [Item(*row) for row in rows]

    async def sellers(self) -> Sequence[Seller]:
        """All Sellers, by key."""
        return [decode_seller(document) for (document,) in await self._read(self._statements.all_sellers, {})]

    async def partners(self) -> Sequence[Partner]:
        """All Booking Partners, by key."""
        return [decode_partner(document) for (document,) in await self._read(self._statements.all_partners, {})]

    async def partner_by_key_digest(self, digest: str) -> Partner | None:
        """The Booking Partner whose API key has this SHA-256."""
        rows = await self._read(self._statements.partner_by_key_digest, {"key_digest": digest})
        return decode_partner(rows[0][0]) if rows else None

    async def save_partner(self, partner: Partner) -> None:
        """Add a Booking Partner, or replace what it was."""
        values = {"key": partner.key, "key_digest": partner.key_digest, "document": encode(partner)}
        await self._in(self._writer_thread, lambda db: db.execute(self._statements.save_partner, values))

    async def forget_deleted(self, before: datetime) -> None:
        """Forget what was deleted from the feeds before that time, and what the write-ahead log remembers."""
        values = {"before": microseconds(before)}

        def forget(db: sqlite3.Connection) -> None:
            db.execute(self._statements.forget_deleted, values)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        await self._in(self._writer_thread, forget)

    async def close(self) -> None:
        """Finish what was accepted and close the file."""
        if self._writing:
            await self._writing
        for threads in (self._writer_thread, self._reader_threads):
            await asyncio.to_thread(threads.shutdown)
        for connection in self._connections:
            connection.close()

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            commands = [command for command, _ in batch]
            outcomes: Sequence[Outcome]
            try:
                outcomes = await self._in(self._writer_thread, partial(self._write, commands))
            except Exception as fault:  # noqa: BLE001 - whatever went wrong, every caller of the batch is told
                outcomes = [fault] * len(batch)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)

    def _write(self, commands: Sequence[Command], db: sqlite3.Connection) -> list[Outcome]:
        db.execute("BEGIN IMMEDIATE")
        try:
            before = self._load(db, join_needs([command.needs(self._policy) for command in commands]))
            after, outcomes = fold(before, commands)
            written = effects(before, after, self._feed_writer)
            if written:
                self._apply(db, written, before.now)
            db.execute("COMMIT" if written else "ROLLBACK")
        except BaseException:
            db.rollback()
            raise
        return outcomes

    def _answer(self, command: Command, needs: Needs, db: sqlite3.Connection) -> Reply:
        db.execute("BEGIN")
        try:
            situation = self._load(db, needs)
        finally:
            db.execute("ROLLBACK")
        decision = command.decide(situation)
        if decision.changes:
            message = f"{type(command).__name__} promised to change nothing"
            raise RuntimeError(message)
        if isinstance(decision.reply, Exception):
            raise decision.reply
        return decision.reply

    def _load(self, db: sqlite3.Connection, needs: Needs) -> Situation:
        sql, now = self._statements, self._clock()
        keys, paths = set(needs.records), set(needs.opportunities)
        if needs.expired:
            values = {"now": microseconds(now), "most": EXPIRED_AT_ONCE}
            keys |= {OrderKey(*row) for row in db.execute(sql.expired_records, values)}
        claimed = set(needs.claims_on)
        if needs.sources:
            rows = db.execute(sql.paths_of_sources, {"sources": _array(needs.sources)})
            claimed |= self._with_what_is_below(db, {path for (path,) in rows})
        if needs.families:
            claimed |= self._family(db, set(needs.families))
        if claimed:
            keys |= {OrderKey(*row) for row in db.execute(sql.records_claiming, {"paths": _array(claimed)})}
        paths |= claimed
        if needs.children:
            paths |= {path for (path,) in db.execute(sql.paths_of_children, {"parents": _array(needs.children)})}
        records = self._load_records(db, keys)
        paths |= {claim.opportunity for record in records.values() for claim in record.claims()}
        opportunities, booked = self._load_opportunities(db, paths)
        withdrawn = paths - opportunities.keys()
        if withdrawn:
            booked |= dict.fromkeys(withdrawn, 0) | dict(db.execute(sql.sold, {"paths": _array(withdrawn)}))
        leased = dict(db.execute(sql.leased, {"paths": _array(booked), "now": microseconds(now)}))
        sellers = {opportunity.seller for opportunity in opportunities.values()} | needs.sellers
        rows = db.execute(sql.sellers, {"keys": _array(sellers)})
        return Situation(
            now=now,
            policy=self._policy,
            records=records,
            opportunities=opportunities,
            places={path: Places(count, leased.get(path, 0)) for path, count in booked.items()},
            sellers={seller.key: seller for seller in (decode_seller(document) for (document,) in rows)},
        )

    def _family(self, db: sqlite3.Connection, paths: set[str]) -> set[str]:
        """The paths of all that shares a root with these."""
        upwards, _ = self._load_opportunities(db, paths)
        return self._with_what_is_below(
            db, {path for path, opportunity in upwards.items() if opportunity.parent is None}
        )

    def _with_what_is_below(self, db: sqlite3.Connection, paths: set[str]) -> set[str]:
        found = set(paths)
        below = found
        while below:
            rows = db.execute(self._statements.paths_of_children, {"parents": _array(below)})
            below = {path for (path,) in rows} - found
            found |= below
        return found

    def _load_records(self, db: sqlite3.Connection, keys: Iterable[OrderKey]) -> dict[OrderKey, Record]:
        records = {}
        for key in sorted(keys):
            row = db.execute(self._statements.record, key._asdict()).fetchone()
            if row:
                records[key] = decode_record(*row)
        return records

    def _load_opportunities(
        self, db: sqlite3.Connection, paths: set[str]
    ) -> tuple[dict[str, Opportunity], dict[str, int]]:
        opportunities: dict[str, Opportunity] = {}
        booked: dict[str, int] = {}
        wanted = set(paths)
        while wanted:
            rows = db.execute(self._statements.opportunities, {"paths": _array(wanted)}).fetchall()
            found = {path: decode_opportunity(document) for path, _, document in rows}
            booked |= {path: count for path, count, _ in rows}
            opportunities |= found
            wanted = {item.parent for item in found.values() if item.parent} - opportunities.keys()
        return opportunities, booked

    def _apply(self, db: sqlite3.Connection, written: Effects, now: datetime) -> None:
        sql = self._statements
        for key, record in written.records.items():
            self._save_record(db, key, record)
        for path, opportunity in written.opportunities.items():
            if opportunity is None:
                db.execute(sql.remove_opportunity, {"path": path})
            else:
                db.execute(sql.save_opportunity, _opportunity_row(opportunity))
        booked = [{"path_": path, "booked": count} for path, count in written.booked.items()]
        db.executemany(sql.set_booked, booked)
        sellers = [{"key": seller.key, "document": encode(seller)} for seller in written.sellers.values()]
        db.executemany(sql.save_seller, sellers)
        self._publish(db, written, now)

    def _save_record(self, db: sqlite3.Connection, key: OrderKey, record: Record | None) -> None:
        sql, identity = self._statements, key._asdict()
        db.execute(sql.release_claims, identity)
        document, personal = encode_record(record) if record else (None, None)
        if record is None:
            db.execute(sql.remove_record, identity)
        else:
            db.execute(
                sql.save_record, identity | {"kind": record.kind, "updated": record.updated, "document": document}
            )
            for claim in record.claims():
                expires = microseconds(claim.expires) if claim.expires else None
                values = identity | {"opportunity": claim.opportunity, "places": claim.places, "expires": expires}
                db.execute(sql.save_claim, values)
        if personal is None:
            db.execute(sql.erase_personal_data, identity)
        else:
            db.execute(sql.save_personal_data, identity | {"document": personal})

    def _publish(self, db: sqlite3.Connection, written: Effects, now: datetime) -> None:
        (modified,) = db.execute(self._statements.last_modified).fetchone()
        rows = [
            {
                "feed": publication.feed.name,
                "partner": publication.feed.partner,
                "id": publication.id,
                "kind": publication.kind,
                "modified": number,
                "data": publication.data,
                "changed_at": microseconds(now),
            }
            for number, publication in enumerate(written.publications, modified + 1)
        ]
        db.executemany(self._statements.publish, rows)
        db.execute(self._statements.set_last_modified, {"value_": modified + len(rows)})

    async def _read(self, statement: str, values: dict[str, Any]) -> list[Any]:
        return await self._in(self._reader_threads, lambda db: db.execute(statement, values).fetchall())

    async def _in(self, threads: ThreadPoolExecutor, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do the work in one of these threads, on the connection of that thread."""

        def on_connection() -> Result:
            try:
                return work(self._connection())
            except sqlite3.DatabaseError as fault:
                raise StoreUnavailableError(str(fault)) from fault

        return await asyncio.get_running_loop().run_in_executor(threads, on_connection)

    def _connection(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if known is None:
            known = self._local.connection = connect(self._path)
            self._connections.append(known)
        return known


def connect(path: Path) -> sqlite3.Connection:
    """Open the file so that a commit is on disk, what is deleted is overwritten, and readers do not wait."""
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=_BUSY_TIMEOUT_SECONDS, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    return connection


def _opportunity_row(opportunity: Opportunity) -> dict[str, Any]:
    return {
        "path": opportunity.path,
        "parent": opportunity.parent,
        "source": opportunity.source,
        "booked": 0,
        "document": encode(opportunity),
    }


def _array(values: Iterable[str]) -> str:
    return msgspec.json.encode(sorted(values)).decode()
