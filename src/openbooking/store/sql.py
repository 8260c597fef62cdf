"""The store over an SQL database, whichever it is."""

import asyncio
import contextvars
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple

from openbooking.booking.command import Command, Decision, Reply
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.order import Partnership
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.store import (
    Feed,
    FeedWriter,
    Figures,
    Outcome,
    StoreUnavailableError,
    fold,
    join_needs,
)
from openbooking.clock import Clock
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.rpde import PAGE_BYTES, Item, is_full
from openbooking.store.change_set import changes_between
from openbooking.store.command_queue.blocked import BlockedCommands, Name
from openbooking.store.command_queue.pending import LOCK_SECONDS_AGAIN, Batch
from openbooking.store.command_queue.queue import BATCH_SIZE_ALONE, BATCH_SIZE_SHARED, CommandQueue
from openbooking.store.database import COMMAND_SECONDS, Database, Procedure, SaveRows, ask
from openbooking.store.dialect import Dialect
from openbooking.store.documents import decode_seller, instant, microseconds
from openbooking.store.feed_pages import FeedPageStatements, feed_page
from openbooking.store.figures import FigureStatements, check, figures
from openbooking.store.integrity.check import check_integrity
from openbooking.store.integrity.finding import Finding
from openbooking.store.integrity.statements import IntegrityStatements
from openbooking.store.loading import load, load_to_write
from openbooking.store.locks import LockStatements, find_locked
from openbooking.store.numbering import (
    DeferredNumbering,
    FeedItemKey,
    NumberingStatements,
    raise_last_number,
    renumber,
    take_numbers,
)
from openbooking.store.rows import booking_rows, catalogue_rows, erasure_rows
from openbooking.store.save_statements import SaveStatements
from openbooking.store.statements import OrderCount, Statements

_TICK_SECONDS = 1.0


class SqlStore:
    """Keeps everything in a database whose schema must be up to date; feeds are read from `replica`, if there is one.

    If only one transaction writes at a time, feed items get their numbers in it. Otherwise they get them after they are
    committed: before a page without a successor is answered, and every second besides, for readers of a replica.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, once
        self,
        database: Database,
        dialect: Dialect,
        *,
        replica: Database | None = None,
        policy: Policy,
        writer: FeedWriter,
        clock: Clock,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        self._database = database
        self._replica = replica
        self._dialect = dialect
        self._sql = Statements(dialect)
        self._saves = SaveStatements(dialect)
        self._numbering = NumberingStatements(dialect)
        self._pages = FeedPageStatements(dialect)
        self._figures = FigureStatements(dialect)
        self._locks = LockStatements(dialect)
        self._policy = policy
        self._feed_writer = writer
        self._clock = clock
        self._command_seconds = command_seconds
        self._deferred_numbering = None if dialect.one_writer else DeferredNumbering(database, self._numbering, clock)
        self._ticker: asyncio.Task[None] | None = None
        most = BATCH_SIZE_ALONE if dialect.one_writer else BATCH_SIZE_SHARED
        blocked = (
            None if dialect.one_writer else BlockedCommands(self._write, self._find_locked, self._lockable_names, most)
        )
        self._queue = CommandQueue(self._write, most, blocked)

    async def execute(self, command: Command) -> Reply:
        """Carry out one command, in the batch that is next to be written, or at once if it has nothing to change.

        StoreUnavailableError if that cannot be done before its deadline.
        """
        if self._deferred_numbering and self._ticker is None:
            self._ticker = asyncio.create_task(self._tick(self._deferred_numbering), context=contextvars.Context())
        until = asyncio.get_running_loop().time() + self._command_seconds
        needs = command.needs(self._policy)
        if needs.likely_read_only:
            decision, rests_on_record = await self._database.read(
                partial(self._decide_unlocked, command, needs), brief=True, until=until
            )
            if not decision.changes:
                if rests_on_record:
                    await self._database.confirm(until)
                if isinstance(decision.reply, Exception):
                    raise decision.reply
                return decision.reply
        return await self._queue.execute(command, until)

    async def feed_items(self, feed: Feed, after: int, limit: int, most_bytes: int = PAGE_BYTES) -> Sequence[Item]:
        """The first items of the feed after that change number.

        Those that cannot be numbered now, as on a full disk, will be later.
        """
        page = self._page(feed, after, limit, most_bytes)
        if self._replica:
            return await self._replica.read(page, brief=True)
        items = await self._database.read(page, brief=True)
        if self._deferred_numbering and not is_full(items, limit, most_bytes):
            with suppress(StoreUnavailableError):
                if await self._deferred_numbering.number_pending():
                    items = await self._database.read(page, brief=True)
        return items

    async def sellers(self) -> Sequence[Seller]:
        """All Sellers, by key."""
        rows = await self._database.read(partial(ask, self._sql.all_sellers))
        return [decode_seller(document) for (document,) in rows]

    async def paths_of_seller(self, seller: str, after: str, limit: int) -> Sequence[str]:
        """The first paths after that one of what the Seller has published."""
        asked = partial(ask, self._sql.paths_of_seller, seller=seller, after=after, most=limit)
        return [path for (path,) in await self._database.read(asked)]

    async def order_counts(self) -> Mapping[Partnership, int]:
        """How many Orders each Booking Partner has made with each Seller."""
        rows = await self._database.read(partial(ask, self._sql.order_counts, kind=RecordKind.ORDER))
        counts = map(OrderCount._make, rows)
        return {Partnership(each.partner, each.seller): each.orders for each in counts}

    async def forget_deleted(self, before: datetime) -> None:
        """Forget what was deleted from the feeds before that time, and go on with wiping erased data from the disk."""
        await self._database.write(partial(ask, self._sql.forget_deleted, before=microseconds(before)))
        await self._database.purge_deleted(self._clock())

    async def note_time(self, at: datetime) -> None:
        """Keep that it was this time when the database was in use."""
        await self._database.write(partial(ask, self._sql.note_time, at=microseconds(at)), brief=True)

    async def noted_time(self) -> datetime | None:
        """The time that was noted last."""
        ((noted,),) = await self._database.read(partial(ask, self._sql.noted_time))
        return instant(noted)

    async def check(self) -> None:
        """Raise StoreUnavailableError unless the database answers, and has the schema of this version."""
        await self._database.read(lambda: check(self._figures))

    async def figures(self, read: Mapping[Feed, int]) -> Figures:
        """The figures."""
        return await self._database.read(lambda: figures(self._figures, read, self._clock()))

    async def check_integrity(self) -> list[Finding]:
        """Recount everything, as it is at one moment; return what does not agree, and `server_findings`."""
        sql = IntegrityStatements(self._dialect)
        recount = await self._database.snapshot(lambda: check_integrity(sql, self._feed_writer, self._clock()))
        return [*await self.server_findings(), *recount]

    async def server_findings(self) -> Sequence[Finding]:
        """Settings of the database server that make replies less durable than promised."""
        return await self._database.durability_findings()

    async def renumber(self, above: int) -> int:
        """Give every feed item a new number above this one and all there were, so that all are read again.

        Tells how many items there are. It may be done while others read and write.
        """
        await self._database.write(lambda: raise_last_number(self._numbering, above, self._clock()))
        count, last = 0, FeedItemKey()
        while done := await self._database.write(partial(self._renumber, last)):
            count, last = count + len(done), max(done)
        return count

    async def close(self) -> None:
        """Finish what was accepted and let go of the database."""
        if self._ticker:
            self._ticker.cancel()
        await self._queue.finish()
        if self._deferred_numbering:
            with suppress(StoreUnavailableError):
                await self._deferred_numbering.number_pending()
        await self._database.close()
        if self._replica:
            await self._replica.close()

    async def _tick(self, numbering: DeferredNumbering) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            with suppress(StoreUnavailableError):
                await numbering.number_pending()
            with suppress(StoreUnavailableError):
                await self._database.keep_up()

    async def _write(self, batch: Batch, lock_seconds: float) -> Sequence[Outcome]:
        outcomes, durable = await self._database.write(
            partial(self._decide, batch), brief=True, until=batch.until, lock_seconds=lock_seconds
        )
        if not durable:
            await self._database.confirm(batch.until)
        return outcomes

    def _decide(self, batch: Batch) -> Procedure[tuple[list[Outcome], bool]]:
        """The outcomes, and whether they are durable once the transaction has ended.

        A reply without changes rests on what was read, for example the record of an earlier booking. A sweep answers no
        Broker.
        """
        commands = batch.begin()
        if not commands:
            return [], True
        before = yield from self._load_to_write(join_needs([command.needs(self._policy) for command in commands]))
        if self._database.disk_is_full:
            commands = [_OnFullDisk(command) for command in commands]
        after, outcomes = fold(before, commands)
        written = changes_between(before, after, self._feed_writer)
        if written.opportunities or written.sellers:
            yield SaveRows(self._saves.save_catalogue, catalogue_rows(before, written))
        if written.records or written.publications or written.booked:
            given = yield from self._numbers(len(written.publications), before.now)
            yield SaveRows(self._saves.save_bookings, booking_rows(before, written, given))
            yield SaveRows(self._saves.save_erasures, erasure_rows(before, written))
        return outcomes, bool(written) or all(command.needs(self._policy).expired for command in commands)

    async def _find_locked(self, names: Iterable[Name]) -> Mapping[Name, str]:
        """The holders of what is locked of these; to look does not wait."""
        return await self._database.write(
            lambda: find_locked(self._locks, names), brief=True, lock_seconds=LOCK_SECONDS_AGAIN
        )

    def _lockable_names(self, command: Command) -> frozenset[Name]:
        """What the command locks, as far as it names it."""
        needs = command.needs(self._policy)
        return frozenset[Name](needs.records) | needs.opportunities

    def _page(self, feed: Feed, after: int, limit: int, most_bytes: int) -> Callable[[], Procedure[Sequence[Item]]]:
        return partial(feed_page, self._pages, feed, after, limit, most_bytes)

    def _renumber(self, after: FeedItemKey) -> Procedure[list[FeedItemKey]]:
        return renumber(self._numbering, after, self._clock())

    def _load_to_write(self, needs: Needs) -> Procedure[Situation]:
        return load_to_write(self._sql, self._locks, needs, self._policy, self._clock())

    def _numbers(self, count: int, now: datetime) -> Procedure[Iterable[int | None]]:
        return take_numbers(self._numbering, count, now)

    def _decide_unlocked(self, command: Command, needs: Needs) -> Procedure[tuple[Decision, bool]]:
        """The decision, a refusal among its replies, and whether there is a record that it may tell something of."""
        situation = yield from load(self._sql, needs, self._policy, self._clock())
        try:
            decision = command.decide(situation)
        except OpenBookingError as refusal:
            decision = Decision(reply=refusal)
        return decision, bool(situation.records)


class _OnFullDisk(NamedTuple):
    """A command while the disk is full: it may be answered from what there is, but store nothing more."""

    command: Command

    @property
    def actor(self) -> Actor:
        """That of the command."""
        return self.command.actor

    @property
    def stores_more(self) -> bool:
        """That of the command."""
        return self.command.stores_more

    def needs(self, policy: Policy) -> Needs:
        """Those of the command."""
        return self.command.needs(policy)

    def decide(self, situation: Situation) -> Decision:
        """Decide as the command does, or raise StoreUnavailableError."""
        decision = self.command.decide(situation)
        if decision.changes and self.command.stores_more:
            raise StoreUnavailableError("The disk is full.")
        return decision
