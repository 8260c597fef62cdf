"""The store over an SQL database, whichever it is."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from openbooking.booking.command import Command, Decision, Refusal
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
from openbooking.openactive.rpde import PAGE_BYTES, Item
from openbooking.store.aside import Aside, Name
from openbooking.store.batches import ALONE, AMONG_OTHERS, Batches
from openbooking.store.documents import decode_seller, instant, microseconds
from openbooking.store.effects import effects
from openbooking.store.exchange import COMMAND_SECONDS, Database, Exchange, Save, ask
from openbooking.store.feed_pages import FeedPageStatements, feed_page
from openbooking.store.figures import FigureStatements, check, figures
from openbooking.store.integrity_check import Finding, check_integrity
from openbooking.store.integrity_statements import IntegrityStatements
from openbooking.store.loading import load, load_to_write
from openbooking.store.locks import LockStatements, locked
from openbooking.store.numbering import FeedItemKey, numbers, renumber, set_at_least
from openbooking.store.rows import booking_rows, catalogue_rows, erasure_rows
from openbooking.store.statements import Statements
from openbooking.store.waiting import Batch

# How long a look at what is locked waits for a table that is.
_LOOK_SECONDS = 0.05


class SqlStore:
    """Keeps everything in a database whose schema must be up to date; `sql` are statements in its dialect."""

    def __init__(  # noqa: PLR0913 - what it is made of, once
        self,
        database: Database,
        sql: Statements,
        *,
        policy: Policy,
        writer: FeedWriter,
        clock: Clock,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        self._database = database
        self._sql = sql
        self._pages = FeedPageStatements(sql.dialect)
        self._figures = FigureStatements(sql.dialect)
        self._locks = LockStatements(sql.dialect)
        self._policy = policy
        self._feed_writer = writer
        self._clock = clock
        self._command_seconds = command_seconds
        most = ALONE if sql.one_writer else AMONG_OTHERS
        aside = None if sql.one_writer else Aside(self._write, self._locked, self._names, most)
        self._batches = Batches(self._write, most, aside)

    async def execute(self, command: Command[Reply]) -> Reply:
        """Carry out one command, in the batch that is next to be written, or at once if it has nothing to change.

        StoreUnavailableError if that cannot be done before its deadline.
        """
        until = asyncio.get_running_loop().time() + self._command_seconds
        needs = command.needs()
        if needs.likely_read_only:
            decision, rests_on_record = await self._database.read(
                partial(self._look, command, needs), brief=True, until=until
            )
            if not decision.changes:
                if rests_on_record:
                    await self._confirm(until)
                if isinstance(decision, Refusal):
                    raise decision.reply
                return decision.reply
        return await self._batches.execute(command, until)

    async def feed_items(self, feed: Feed, after: int, limit: int, most_bytes: int = PAGE_BYTES) -> Sequence[Item]:
        """The first items of the feed after that change number."""
        return await self._database.read(self._page(feed, after, limit, most_bytes), brief=True)

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
        return {Partnership(partner, seller): count for partner, seller, count in rows}

    async def forget_deleted(self, before: datetime) -> None:
        """Forget what was deleted from the feeds before that time, and go on with wiping erased data from the disk."""
        await self._database.write(partial(ask, self._sql.forget_deleted, before=microseconds(before)))
        await self._database.wipe(self._clock())

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
        sql = IntegrityStatements(self._sql.dialect)
        recount = await self._database.snapshot(lambda: check_integrity(sql, self._feed_writer, self._clock()))
        return [*await self.server_findings(), *recount]

    async def server_findings(self) -> list[Finding]:
        """Settings of the database server that make replies less durable than promised; SQLite has no server."""
        return []

    async def renumber(self, above: int) -> int:
        """Give every feed item a new number above this one and all there were, so that all are read again.

        Tells how many items there are. It may be done while others read and write.
        """
        await self._database.write(lambda: set_at_least(self._sql, above, self._clock()))
        count, last = 0, FeedItemKey()
        while done := await self._database.write(partial(self._renumber, last)):
            count, last = count + len(done), max(done)
        return count

    async def close(self) -> None:
        """Finish what was accepted and let go of the database."""
        await self._batches.finish()
        await self._database.close()

    async def _write(self, batch: Batch, lock_seconds: float) -> Sequence[Outcome]:
        outcomes, durable = await self._database.write(
            partial(self._decide, batch), brief=True, until=batch.until, lock_seconds=lock_seconds
        )
        if not durable:
            await self._confirm(batch.until)
        return outcomes

    def _decide(self, batch: Batch) -> Exchange[tuple[list[Outcome], bool]]:
        """The outcomes, and whether they are durable once the transaction has ended.

        A reply without changes rests on what was read, for example the record of an earlier booking. A sweep answers no
        Broker.
        """
        commands = batch.begin()
        if not commands:
            return [], True
        before = yield from self._load_to_write(join_needs([command.needs() for command in commands]))
        if self._database.disk_is_full:
            commands = [_Sparing(command) for command in commands]
        after, outcomes = fold(before, commands)
        written = effects(before, after, self._feed_writer)
        if written.opportunities or written.sellers:
            yield Save(self._sql.save_catalogue, catalogue_rows(before, written))
        if written.records or written.publications or written.booked:
            given = yield from self._numbers(len(written.publications), before.now)
            yield Save(self._sql.save_bookings, booking_rows(before, written, given))
            yield Save(self._sql.save_erasures, erasure_rows(before, written))
        return outcomes, bool(written) or all(command.needs().expired for command in commands)

    async def _locked(self, names: Iterable[Name]) -> Mapping[Name, str]:
        """The holders of what is locked of these; to look does not wait."""
        return await self._database.write(lambda: locked(self._locks, names), brief=True, lock_seconds=_LOOK_SECONDS)

    def _names(self, command: Command[Any]) -> frozenset[Name]:
        """What the command locks, as far as it names it."""
        needs = command.needs()
        return frozenset[Name](needs.records) | needs.opportunities

    async def _confirm(self, until: float) -> None:
        """Return once all that was read before is as durable as what is written: in an SQLite file it always is.

        Raises StoreUnavailableError if it is not until then.
        """

    def _page(self, feed: Feed, after: int, limit: int, most_bytes: int) -> Callable[[], Exchange[Sequence[Item]]]:
        return partial(feed_page, self._pages, feed, after, limit, most_bytes)

    def _renumber(self, after: FeedItemKey) -> Exchange[list[FeedItemKey]]:
        return renumber(self._sql, after, self._clock())

    def _load_to_write(self, needs: Needs) -> Exchange[Situation]:
        return load_to_write(self._sql, self._locks, needs, self._policy, self._clock())

    def _numbers(self, count: int, now: datetime) -> Exchange[Iterable[int | None]]:
        return numbers(self._sql, count, now)

    def _look(self, command: Command[Reply], needs: Needs) -> Exchange[tuple[Decision[Reply] | Refusal, bool]]:
        """The decision, a refusal among its replies, and whether there is a record that it may tell something of."""
        situation = yield from load(self._sql, needs, self._policy, self._clock())
        try:
            return command.decide(situation), bool(situation.records)
        except OpenBookingError as refusal:
            return Refusal(refusal), bool(situation.records)


class _Sparing(NamedTuple):
    """A command while the disk is full: it may be answered from what there is, but store nothing more."""

    command: Command[Any]

    @property
    def actor(self) -> Actor:
        """That of the command."""
        return self.command.actor

    @property
    def stores_more(self) -> bool:
        """That of the command."""
        return self.command.stores_more

    def needs(self) -> Needs:
        """Those of the command."""
        return self.command.needs()

    def decide(self, situation: Situation) -> Decision[Any] | Refusal:
        """Decide as the command does, or raise StoreUnavailableError."""
        decision = self.command.decide(situation)
        if decision.changes and self.command.stores_more:
            raise StoreUnavailableError("The disk is full.")
        return decision
