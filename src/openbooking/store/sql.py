"""The store in an SQL database: executes commands in batches, reads feeds, and checks the integrity.

A batch of commands is decided and written in one transaction (`SqlStore._decide`, called by `CommandQueue`).
"""

import asyncio
import contextvars
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from openbooking.booking.command import Command, Decision, Refusal
from openbooking.booking.model.activity import Action
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
    Reply,
    StoreUnavailableError,
    fold,
    join_needs,
)
from openbooking.clock import Clock
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.opportunity_types import OPEN_FEEDS
from openbooking.openactive.rpde import PAGE_BYTES, Item, is_full
from openbooking.store.change_set import changes_between
from openbooking.store.command_queue.blocked import BlockedCommands, Name
from openbooking.store.command_queue.pending import LOCK_SECONDS_AGAIN, Batch
from openbooking.store.command_queue.queue import BATCH_SIZE_ALONE, BATCH_SIZE_SHARED, CommandQueue
from openbooking.store.database import COMMAND_SECONDS, Database, Procedure, SaveRows, ask
from openbooking.store.dialect import Dialect, statements_for
from openbooking.store.documents import decode_seller, instant, microseconds
from openbooking.store.feed_pages import ChangeNumber, FeedPageStatements, feed_page
from openbooking.store.figures import FigureStatements, check_schema, read_figures
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
from openbooking.store.order_events.sql import SqlEventQueue
from openbooking.store.rows import activity_rows, booking_rows, catalogue_rows, erasure_rows, outdated_rows
from openbooking.store.save_statements import SaveStatements
from openbooking.store.statements import OrderCount, Statements
from openbooking.store.views.sql import SqlViews

_TICK_SECONDS = 1.0
# How many deleted feed items one transaction removes. After a long stop there are many, and bookings wait for it.
_FORGOTTEN_AT_ONCE = 500


class SqlStore:
    """A store in a database whose schema is up to date.

    For the change numbers of feed items see `openbooking.store.numbering`. If items are numbered after the commit, that
    happens before the last page of a feed is returned, and also every second, because readers of a replica cannot
    number items.

    Args:
        database: The driver of the database.
        dialect: The dialect of the database.
        replica: The driver of a replica, from which feeds are read. None to read feeds from `database`.
        policy: The settings that decisions depend on.
        writer: Writes feed items.
        clock: Returns the current time.
        command_seconds: How long a command may wait for the database.
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
        self._sql = statements_for(dialect, Statements)
        self._saves = statements_for(dialect, SaveStatements)
        self._numbering = statements_for(dialect, NumberingStatements)
        self._pages = statements_for(dialect, FeedPageStatements)
        self._figures = statements_for(dialect, FigureStatements)
        self._locks = statements_for(dialect, LockStatements)
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
        self.events = SqlEventQueue(database, dialect)
        self.views = SqlViews(database, dialect, clock, policy.time_zone)

    async def execute(self, command: Command[Reply]) -> Reply:
        """Carry out a command and return its reply.

        A command that is `likely_read_only` is first decided without locks. If it changes nothing, that decision is its
        reply. All other commands are carried out in the next batch.

        Raises:
            StoreUnavailableError: The command was not carried out before its deadline.
            OpenBookingError: The command was refused.
        """
        if self._deferred_numbering and self._ticker is None:
            self._ticker = asyncio.create_task(self._tick(self._deferred_numbering), context=contextvars.Context())
        until = asyncio.get_running_loop().time() + self._command_seconds
        needs = command.needs()
        if needs.likely_read_only:
            decision, read_a_record = await self._database.read(
                partial(self._decide_unlocked, command, needs), brief=True, until=until
            )
            if not decision.changes:
                if read_a_record:
                    await self._database.confirm(until)
                if isinstance(decision, Refusal):
                    raise decision.reply
                return decision.reply
        return await self._queue.execute(command, until)

    async def feed_items(self, feed: Feed, after: int, limit: int, most_bytes: int = PAGE_BYTES) -> Sequence[Item]:
        """Return the first items of a feed after a change number.

        If items cannot be numbered now, for example because the disk is full, the page does not have them yet.
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

    async def change_numbers(self, feed: Feed, ids: Collection[str]) -> Mapping[str, int]:
        """Return the change numbers of items of a feed."""
        asked = {"feed": feed.name, "partner": feed.partner, "ids": sorted(ids)}
        rows = await self._database.read(partial(ask, self._pages.change_numbers, **asked))
        return {number.id: number.modified for number in map(ChangeNumber._make, rows)}

    async def sellers(self) -> Sequence[Seller]:
        """Return all Sellers, ordered by key."""
        rows = await self._database.read(partial(ask, self._sql.all_sellers))
        return [decode_seller(document) for (document,) in rows]

    async def paths_of_seller(self, seller: str, after: str, limit: int) -> Sequence[str]:
        """Return the first paths above `after` of the Seller's Opportunities."""
        asked = partial(ask, self._sql.paths_of_seller, seller=seller, after=after, most=limit)
        return [path for (path,) in await self._database.read(asked)]

    async def paths_shown_wrong(self, limit: int) -> Sequence[str]:
        """Return paths of Opportunities whose feed item lacks a change of the spaces that are sold elsewhere."""
        asked = partial(ask, self._sql.paths_shown_wrong, feeds=list(OPEN_FEEDS), most=limit)
        return [path for (path,) in await self._database.read(asked, brief=True)]

    async def order_counts(self) -> Mapping[Partnership, int]:
        """Return how many Orders each Booking Partner has with each Seller."""
        rows = await self._database.read(partial(ask, self._sql.order_counts, kind=RecordKind.ORDER))
        counts = map(OrderCount._make, rows)
        return {Partnership(each.partner, each.seller): each.orders for each in counts}

    async def forget_deleted(self, before: datetime) -> None:
        """Remove feed items that were deleted before that time, and wipe deleted and erased data from the disk."""
        asked = partial(ask, self._sql.forget_deleted, before=microseconds(before), most=_FORGOTTEN_AT_ONCE)
        while len(await self._database.write(asked)) == _FORGOTTEN_AT_ONCE:
            pass
        await self.events.forget(self._clock())
        await self._database.purge_deleted(self._clock())

    async def note_time(self, at: datetime) -> None:
        """Store a time as the last time at which the database was in use."""
        await self._database.write(partial(ask, self._sql.note_time, at=microseconds(at)), brief=True)

    async def noted_time(self) -> datetime | None:
        """Return the time that `note_time` stored last."""
        ((noted,),) = await self._database.read(partial(ask, self._sql.noted_time))
        return instant(noted)

    async def check(self) -> None:
        """Raise StoreUnavailableError unless the database answers and has the schema of this version."""
        await self._database.read(lambda: check_schema(self._figures))

    async def figures(self, read: Mapping[Feed, int]) -> Figures:
        """Return the number of Leases, and when the oldest unread item of each feed changed."""
        return await self._database.read(lambda: read_figures(self._figures, read, self._clock()))

    async def check_integrity(self) -> list[Finding]:
        """Compare counts, claims and feeds with the records, all at one moment; return what does not agree.

        The findings about the settings of the database server come first.
        """
        sql = statements_for(self._dialect, IntegrityStatements)
        contradictions = await self._database.snapshot(lambda: check_integrity(sql, self._feed_writer, self._clock()))
        return [*await self.server_findings(), *contradictions]

    async def server_findings(self) -> Sequence[Finding]:
        """Return the settings of the database server that make replies less durable than promised."""
        return await self._database.durability_findings()

    async def renumber(self, above: int) -> int:
        """Give every feed item a new change number, so that harvesters read all items again. Bookings go on meanwhile.

        Args:
            above: A number. All new numbers are higher than this number, and higher than all earlier numbers.

        Returns:
            The number of items.
        """
        await self._database.write(lambda: raise_last_number(self._numbering, above, self._clock()))
        count, last = 0, FeedItemKey()
        while done := await self._database.write(partial(self._renumber, last)):
            count, last = count + len(done), max(done)
        return count

    async def close(self) -> None:
        """Finish the accepted commands and close the database."""
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
                await self._database.run_upkeep()

    async def _write(self, batch: Batch, lock_seconds: float) -> Sequence[Outcome]:
        outcomes, durable = await self._database.write(
            partial(self._decide, batch), brief=True, until=batch.until, lock_seconds=lock_seconds
        )
        if not durable:
            await self._database.confirm(batch.until)
        return outcomes

    def _decide(self, batch: Batch) -> Procedure[tuple[list[Outcome], bool]]:
        """Decide a batch of commands and write its changes, in one transaction.

        Returns:
            The outcomes of the commands, and whether they are durable once the transaction is committed. A batch
            without changes may have read rows that are not durable yet, for example the record of an earlier booking.
            So its outcomes are not durable, unless all are of sweeps, whose replies no Broker receives.
        """
        commands = batch.begin()
        if not commands:
            return [], True
        before = yield from self._load_to_write(join_needs([command.needs() for command in commands]))
        if self._database.disk_is_full:
            commands = [_CommandOnFullDisk(command) for command in commands]
        after, outcomes = fold(before, commands)
        changes = changes_between(before, after, self._feed_writer)
        if changes.opportunities or changes.sellers or changes.timetable:
            yield SaveRows(self._saves.save_catalogue, catalogue_rows(before, changes))
        if changes.records or changes.publications or changes.booked:
            given = yield from self._take_numbers(len(changes.publications), before.now)
            yield SaveRows(self._saves.save_bookings, booking_rows(before, changes, given))
            yield SaveRows(self._saves.save_erasures, erasure_rows(before, changes))
            yield SaveRows(self._saves.save_outdated, outdated_rows(before, changes))
        if changes.activity:
            yield SaveRows(self._saves.save_activity, activity_rows(changes.activity))
        return outcomes, bool(changes) or all(command.needs().expired for command in commands)

    async def _find_locked(self, names: Iterable[Name]) -> Mapping[Name, str]:
        """Return the names that are locked with the holders of the locks; do not wait for the locks."""
        return await self._database.write(
            lambda: find_locked(self._locks, names), brief=True, lock_seconds=LOCK_SECONDS_AGAIN
        )

    def _lockable_names(self, command: Command[Any]) -> frozenset[Name]:
        """Return the records and Opportunities that the command names and therefore locks."""
        needs = command.needs()
        return frozenset[Name](needs.records) | needs.opportunities

    def _page(self, feed: Feed, after: int, limit: int, most_bytes: int) -> Callable[[], Procedure[Sequence[Item]]]:
        return partial(feed_page, self._pages, feed, after, limit, most_bytes)

    def _renumber(self, after: FeedItemKey) -> Procedure[list[FeedItemKey]]:
        return renumber(self._numbering, after, self._clock())

    def _load_to_write(self, needs: Needs) -> Procedure[Situation]:
        return load_to_write(self._sql, self._locks, needs, self._policy, self._clock())

    def _take_numbers(self, count: int, now: datetime) -> Procedure[Iterable[int | None]]:
        return take_numbers(self._numbering, count, now)

    def _decide_unlocked(
        self, command: Command[Reply], needs: Needs
    ) -> Procedure[tuple[Decision[Reply] | Refusal, bool]]:
        """Decide a command without locks.

        Returns:
            The decision or the refusal, and whether it may depend on a stored record.
        """
        situation = yield from load(self._sql, needs, self._policy, self._clock())
        try:
            return command.decide(situation), bool(situation.records)
        except OpenBookingError as refusal:
            return Refusal(refusal), bool(situation.records)


class _CommandOnFullDisk(NamedTuple):
    """A command while the disk is full: a decision that stores more data is refused, all others are carried out."""

    command: Command[Any]

    @property
    def actor(self) -> Actor:
        """The actor of the command."""
        return self.command.actor

    @property
    def action(self) -> Action | None:
        """Return the attribute of the command."""
        return self.command.action

    @property
    def stores_more(self) -> bool:
        """Whether the command may store more data than it removes."""
        return self.command.stores_more

    def needs(self) -> Needs:
        """Return the needs of the command."""
        return self.command.needs()

    def decide(self, situation: Situation) -> Decision[Any] | Refusal:
        """Return the decision of the command; raise StoreUnavailableError if it changes something and stores more."""
        decision = self.command.decide(situation)
        if decision.changes and self.command.stores_more:
            raise StoreUnavailableError("The disk is full.")
        return decision
