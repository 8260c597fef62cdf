"""Tests of timetables, for store authors to inherit."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.commands.opportunities.publish_occurrences import (
    BatchOutcome,
    DueTimetable,
    GetDueTimetable,
    OccurrenceBatch,
    PublishOccurrences,
)
from openbooking.booking.commands.opportunities.timetable import (
    ApplyTimetable,
    GetTimetable,
    RemoveTimetableEntry,
    SaveTimetableEntry,
)
from openbooking.booking.model.errors import TimetableChangedError
from openbooking.booking.model.situation import DatedChildren
from openbooking.booking.model.timetable import NO_END, Closure, EntryKey, TimetableEntry, WeeklyClass, WeeklyTime
from openbooking.booking.store import Store
from openbooking.testing.rules import rule
from openbooking.testing.samples import MANAGER, SELLER, SESSIONS, START, Clock, book, fresh, quote, read_feed, session
from openbooking.testing.store_case import POLICY, StoreTestCase

KEY = EntryKey(SELLER.key, "yoga")
YOGA = WeeklyClass(name="Yoga", times=(WeeklyTime((0,), time(19), 60),), first=date(2027, 3, 1), capacity=5, prices=())


def save(seen: int | None = None, key: EntryKey = KEY, **changes: object) -> SaveTimetableEntry:
    """Return the command that stores the class, with these changes."""
    return SaveTimetableEntry(key=key, seen=seen, rule=replace(YOGA, **changes), actor=MANAGER)


def apply(seen: Mapping[str, int], removed: frozenset[str] = frozenset()) -> ApplyTimetable:
    """Return the command that stores two further classes, and removes the entries with these keys."""
    rules = {"early": YOGA, "late": YOGA}
    return ApplyTimetable(seller=SELLER.key, seen=seen, rules=rules, removed=removed, actor=MANAGER)


def batch(entry: TimetableEntry, keys: Sequence[str], until: date = date(2027, 5, 1)) -> OccurrenceBatch:
    """Return a batch of the sessions with these keys, each with its series, in the year after START."""
    made = tuple(replace(member, source=entry.source) for key in keys for member in session(key, 5))
    parents = [session(key, 5)[0].path for key in ("a", "b", "c")]
    periods = frozenset(DatedChildren(parent, START, START + timedelta(days=365)) for parent in parents)
    return OccurrenceBatch(entry=entry, opportunities=made, periods=periods, until=until)


def offered(entry: TimetableEntry, *keys: str) -> PublishOccurrences:
    """Return the command that publishes the sessions with these keys, and removes no others."""
    return PublishOccurrences(batch=batch(entry, keys))


async def feed_keys(store: Store) -> set[str]:
    """Return the keys of the sessions in the open feed."""
    return {key for key, data in (await read_feed(store, SESSIONS)).items() if data}


@rule("Timetables")
class TimetableTests(StoreTestCase):
    """Part of `StoreTests`: entries of timetables, and the publication of their occurrences."""

    def test_an_entry_is_changed_only_as_it_was_seen(self, tmp_path: Path) -> None:
        """Of two people who change the same revision, the second is refused. A Closure revises all other entries."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                first = await store.execute(save())
                changed = await store.execute(save(seen=first.revision, capacity=6))
                for late in (
                    save(seen=first.revision, capacity=7),
                    save(),
                    RemoveTimetableEntry(key=KEY, actor=MANAGER),
                    apply({KEY.key: first.revision}),
                ):
                    assert isinstance(await _refusal(store, late), TimetableChangedError)
                closure = EntryKey(SELLER.key, "floor")
                rule = Closure(name="New floor", start=datetime(2027, 4, 1, 9), end=datetime(2027, 4, 2, 9))  # noqa: DTZ001
                await store.execute(SaveTimetableEntry(key=closure, rule=rule, actor=MANAGER))
                timetable = await store.execute(GetTimetable(seller=SELLER.key, actor=MANAGER))
                assert timetable.keys() == {KEY, closure}
                assert timetable[KEY] == replace(changed, revision=changed.revision + 1)
                assert await store.execute(GetTimetable(seller="other", actor=MANAGER)) == {}
                seen = {key.key: entry.revision for key, entry in timetable.items()}
                await store.execute(apply(seen, removed=frozenset({closure.key})))
                timetable = await store.execute(GetTimetable(seller=SELLER.key, actor=MANAGER))
                assert timetable.keys() == {KEY, EntryKey(SELLER.key, "early"), EntryKey(SELLER.key, "late")}

        asyncio.run(run())

    def test_an_entry_is_due_until_its_dates_are_published(self, tmp_path: Path) -> None:
        """It is due again when the next date comes within `publish_ahead`."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock) as store:
                assert await store.execute(GetDueTimetable()) is None
                entry = await store.execute(save())
                due = await store.execute(GetDueTimetable())
                assert due is not None
                assert due == DueTimetable(SELLER, entry, {KEY: entry})
                await store.execute(offered(entry, "a", "b"))
                assert await store.execute(GetDueTimetable()) is None
                assert await feed_keys(store) == {"a", "b"}
                clock.move(datetime(2027, 5, 1, tzinfo=UTC) - timedelta(weeks=8) - START)
                again = await store.execute(GetDueTimetable())
                assert again is not None
                assert again.entry == replace(entry, published_until=date(2027, 5, 1))

        asyncio.run(run())

    def test_an_entry_that_a_setting_makes_due_later_keeps_back_no_other_seller(self, tmp_path: Path) -> None:
        """An entry is due by the policy of the store that reads it, not by that of the store that wrote it."""

        async def run() -> None:
            clock = Clock()
            other = replace(SELLER, key="other")
            async with self.stocked(tmp_path, clock) as store:
                await store.execute(offered(await store.execute(save()), "a"))
            async with self.opened(tmp_path, clock, replace(POLICY, publish_ahead=timedelta(days=2))) as store:
                await store.execute(PublishSeller(other, actor=MANAGER))
                near = await store.execute(save(key=EntryKey(other.key, "near")))
                await store.execute(PublishOccurrences(batch=OccurrenceBatch(entry=near, until=date(2027, 4, 1))))
                clock.time = datetime(2027, 3, 30, 12, tzinfo=UTC)
                due = await store.execute(GetDueTimetable())
                assert due is not None
                assert due.entry == replace(near, published_until=date(2027, 4, 1))

        asyncio.run(run())

    def test_of_two_processes_one_publishes_a_batch(self, tmp_path: Path) -> None:
        """A batch of an earlier revision does nothing."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                entry = await store.execute(save())
                outcomes = await asyncio.gather(*(store.execute(offered(entry, "a")) for _ in range(4)))
                assert sorted(outcome.is_done for outcome in outcomes) == [False, False, False, True]
                await store.execute(save(seen=entry.revision, capacity=6))
                assert await store.execute(offered(entry, "a", "b")) == BatchOutcome(is_done=False)
                assert await feed_keys(store) == {"a"}

        asyncio.run(run())

    def test_an_occurrence_that_follows_the_entry_no_more_is_removed(self, tmp_path: Path) -> None:
        """It must be named. If it is booked it must be cancelled first, and stays in the feed as cancelled."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                await store.execute(offered(await store.execute(save()), "a", "b", "c"))
                await store.execute(book(fresh(), "b"))
                await store.execute(quote(fresh(), "c"))
                entry = await store.execute(save(seen=1, capacity=6))
                gone, booked = {_path("b"), _path("c")}, frozenset({_path("b")})
                found = await store.execute(offered(entry, "a"))
                assert found == BatchOutcome(is_done=False, to_remove=frozenset(gone), booked=booked)
                named = PublishOccurrences(batch=batch(entry, ["a"]), remove=frozenset(gone))
                assert (await store.execute(named)).booked == booked
                await store.execute(CancelOpportunity(opportunity=_path("b"), message="No more.", actor=MANAGER))
                assert (await store.execute(named)).is_done
                feed = await read_feed(store, SESSIONS)
                assert feed["c"] is None
                assert feed["b"]["eventStatus"] == "https://schema.org/EventCancelled"
                assert await feed_keys(store) == {"a", "b"}

        asyncio.run(run())

    def test_an_entry_that_has_ended_goes_with_its_last_batch(self, tmp_path: Path) -> None:
        """Its parents leave the open feeds."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                await store.execute(offered(await store.execute(save()), "a"))
                await store.execute(RemoveTimetableEntry(key=KEY, seen=1, actor=MANAGER))
                due = await store.execute(GetDueTimetable())
                assert due is not None
                assert due.entry.ended
                last = replace(batch(due.entry, [], NO_END), retired=frozenset({session("a", 5)[0].path}))
                await store.execute(PublishOccurrences(batch=last, remove=frozenset({_path("a")})))
                assert await store.execute(GetTimetable(seller=SELLER.key, actor=MANAGER)) == {}
                assert await feed_keys(store) == set()

        asyncio.run(run())


def _path(key: str) -> str:
    return session(key, 1)[1].path


async def _refusal(store: Store, command: Command[object]) -> Exception | None:
    try:
        await store.execute(command)
    except Exception as refusal:  # noqa: BLE001 - the caller compares the class
        return refusal
    return None
