"""Timetables are published in batches, and follow each change of their rules."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from types import NoneType
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.find_opportunities import FindBySource
from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.commands.opportunities.publish_occurrences import PublishOccurrences
from openbooking.booking.commands.opportunities.timetable import GetTimetable, RemoveTimetableEntry, SaveTimetableEntry
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.timetable import (
    NO_END,
    Closure,
    Court,
    EntryKey,
    Event,
    OpeningHours,
    PriceBand,
    TimetableEntry,
    TimetableRule,
    WeeklyTime,
)
from openbooking.booking.store import Feed, StoreUnavailableError
from openbooking.openactive.terms import OrderItemStatus
from openbooking.store.memory import MemoryStore
from openbooking.testing.samples import Clock, fresh, read_feed
from openbooking.testing.store_case import feed_writer
from openbooking.timetable.publication import MOST_IN_A_PART, SOFTWARE_FAULT, publish_due
from support.builders import item, request
from support.parties import ALICE, CENTRE, MANAGER
from support.timetables import ADULT, EVERY_DAY, MONDAY, SPIN, SQUASH, VENUE, WEDNESDAY

pytestmark = pytest.mark.anyio

POLICY = Policy(leasing=Leasing.OFF)
SESSIONS, SLOTS, EVENTS = (Feed(name) for name in ("scheduled-sessions", "slots", "events"))
# A Monday, at noon.
FIRST = datetime(2027, 3, 1, 12, tzinfo=UTC)
EVENING = replace(SPIN, times=(WeeklyTime((MONDAY, WEDNESDAY), time(18, 15), 45),), first=date(2027, 1, 1))
COURTS = replace(SQUASH, first=date(2027, 1, 1))
FETE = Event(
    name="Fete", url="https://example.com/fete", venue="riverside", start=datetime(2027, 3, 6, 14), minutes=120,  # noqa: DTZ001
    capacity=50, prices=(ADULT,),
)  # fmt: skip


class Centre:
    """A store with the timetable of one Seller."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.time = FIRST
        self.store = MemoryStore(policy=POLICY, writer=feed_writer(), clock=self.clock)

    async def save(self, key: str, rule: TimetableRule, message: str | None = None) -> None:
        """Store an entry of the timetable."""
        known = (await self.timetable()).get(EntryKey(CENTRE.key, key))
        command = SaveTimetableEntry(
            key=EntryKey(CENTRE.key, key),
            rule=rule,
            seen=known.revision if known else None,
            message=message,
            actor=MANAGER,
        )
        await self.store.execute(command)

    async def timetable(self) -> dict[EntryKey, TimetableEntry]:
        """Return the stored timetable."""
        return {**await self.store.execute(GetTimetable(seller=CENTRE.key, actor=MANAGER))}

    async def publish(self, policy: Policy = POLICY) -> int:
        """Publish what is due; return the number of batches."""
        return len([entry async for entry in publish_due(self.store, policy, self.clock)])

    def publish_ahead(self, days: int) -> Policy:
        """Give the store another value of `publish_ahead`, and return the policy."""
        self.store._policy = replace(POLICY, publish_ahead=timedelta(days=days))
        return self.store._policy

    async def stored(self, key: str) -> list[Opportunity]:
        """Return the stored occurrences of an entry, in the order of their starts."""
        source = f"timetable:{CENTRE.key}/{key}"
        found = await self.store.execute(FindBySource(frozenset({source}), actor=MANAGER))
        return sorted((member for member in found.values() if member.start), key=lambda member: str(member.start))

    async def book(self, member: Opportunity) -> str:
        """Book a space of an occurrence; return the UUID of the Order."""
        parents = await self.store.execute(FindBySource(frozenset({member.source}), actor=MANAGER))
        family = [parents[member.parent], member] if member.parent else [member]
        priced = next(offer for each in reversed(family) for offer in each.offers)
        asked: OrderRequest = request(item(family), total_payment_due=priced.price)
        uuid = fresh()
        reply = await self.store.execute(Book(caller=ALICE, uuid=uuid, request=asked, nonce="n"))
        assert not reply.has_errors, [made.errors for made in reply.items]
        return uuid

    async def order(self, uuid: str) -> OrderRecord:
        """Return the record of an Order."""
        record: Any = await self.store.execute(GetOrder(caller=ALICE, uuid=uuid))
        assert isinstance(record, OrderRecord)
        return record


@pytest.fixture
async def centre() -> Centre:
    made = Centre()
    await made.store.execute(PublishSeller(CENTRE, actor=MANAGER))
    await made.save("riverside", VENUE)
    return made


async def in_feed(centre: Centre, feed: Feed) -> set[str]:
    return {key for key, data in (await read_feed(centre.store, feed)).items() if data}


async def test_a_class_is_published_for_the_coming_eight_weeks(centre: Centre) -> None:
    await centre.save("spin", EVENING)
    assert await centre.publish() == 1
    starts = [member.start for member in await centre.stored("spin")]
    assert len(starts) == 17
    assert (starts[0], starts[-1]) == (
        datetime(2027, 3, 1, 18, 15, tzinfo=UTC),
        datetime(2027, 4, 26, 17, 15, tzinfo=UTC),
    )
    assert len(await in_feed(centre, SESSIONS)) == 17
    assert await centre.publish() == 0


async def test_each_day_brings_one_further_day_into_the_horizon(centre: Centre) -> None:
    await centre.save("spin", EVENING)
    await centre.publish()
    batches = []
    for _ in range(7):
        centre.clock.move(timedelta(days=1))
        batches.append(await centre.publish())
    assert batches == [1] * 7
    assert (await centre.stored("spin"))[-1].start == datetime(2027, 5, 3, 17, 15, tzinfo=UTC)


@pytest.mark.parametrize("courts", [2, 7])
async def test_many_slots_are_published_in_bounded_parts(centre: Centre, courts: int) -> None:
    several = tuple(Court(key=str(number), name=f"Court {number}") for number in range(courts))
    await centre.save("squash", replace(COURTS, courts=several))
    sizes = []
    known: set[str] = set()
    async for _ in publish_due(centre.store, POLICY, centre.clock):
        now = {member.path for member in await centre.stored("squash")}
        sizes.append(len(now - known))
        known = now
    # Each court has three Slots a day; those of the first day are over.
    assert sum(sizes) == len(await in_feed(centre, SLOTS)) == courts * 3 * 56
    assert max(sizes) <= MOST_IN_A_PART


async def test_a_changed_rule_removes_slots_in_parts_and_leaves_none(centre: Centre) -> None:
    rule = replace(COURTS, lengths=(10,), last=date(2027, 3, 3))
    await centre.save("squash", rule)
    assert await centre.publish() > 2
    every = await centre.stored("squash")
    hourly = {member.path for member in every if member.start and not member.start.minute}
    await centre.save("squash", replace(rule, step=60))
    await centre.publish()
    assert len(every) == 2 * 2 * 18
    assert {member.path for member in await centre.stored("squash")} == hourly
    assert len(await in_feed(centre, SLOTS)) == len(hourly)


@pytest.mark.parametrize("is_closure", [False, True])
async def test_slots_are_removed_in_bounded_parts(centre: Centre, *, is_closure: bool) -> None:
    await centre.save("squash", replace(COURTS, lengths=(10,), last=date(2027, 3, 4)))
    await centre.publish()
    left = [len(await centre.stored("squash"))]
    if is_closure:
        start = datetime.combine(date(2027, 3, 1), time())
        await centre.save("floor", Closure(name="Floor", start=start, end=start + timedelta(days=30)))
    else:
        await centre.store.execute(RemoveTimetableEntry(key=EntryKey(CENTRE.key, "squash"), seen=1, actor=MANAGER))
    left += [len(await centre.stored("squash")) async for _ in publish_due(centre.store, POLICY, centre.clock)]
    sizes = [before - after for before, after in pairwise(left)]
    assert (sum(sizes), left[-1]) == (2 * 18 * 3, 0)
    assert max(sizes) <= MOST_IN_A_PART


async def test_after_a_stop_of_a_month_the_timetable_continues_with_today(centre: Centre) -> None:
    await centre.save("spin", EVENING)
    await centre.publish()
    before = {member.path for member in await centre.stored("spin")}
    centre.clock.move(timedelta(days=90))
    assert await centre.publish() == 1
    new = [member for member in await centre.stored("spin") if member.path not in before]
    assert new[0].start == datetime(2027, 5, 31, 17, 15, tzinfo=UTC)
    assert new[-1].start == datetime(2027, 7, 21, 17, 15, tzinfo=UTC)


async def test_occurrences_that_a_change_leaves_keep_their_ids_and_bookings(centre: Centre) -> None:
    await centre.save("spin", EVENING)
    await centre.publish()
    before = await centre.stored("spin")
    uuid = await centre.book(before[2])
    changed = replace(EVENING, name="Spin and stretch", capacity=25, leader="Ann", first=date(2027, 2, 1))
    await centre.save("spin", changed)
    await centre.publish()
    after = await centre.stored("spin")
    assert [member.path for member in after] == [member.path for member in before]
    assert {member.capacity for member in after} == {25}
    assert (await centre.order(uuid)).items()[0][1].status is OrderItemStatus.CONFIRMED
    feed = await read_feed(centre.store, SESSIONS)
    assert feed[before[2].path.partition("/")[2]]["remainingAttendeeCapacity"] == 24


async def test_a_booked_occurrence_that_a_change_removes_is_cancelled_with_the_message(centre: Centre) -> None:
    await centre.save("spin", EVENING)
    await centre.publish()
    before = await centre.stored("spin")
    monday, wednesday = before[2], before[3]
    kept, lost = await centre.book(monday), await centre.book(wednesday)
    await centre.save("spin", replace(EVENING, times=(WeeklyTime((MONDAY,), time(18, 15), 45),)), "Mondays only.")
    await centre.publish()
    ((_, state),) = (await centre.order(lost)).items()
    assert (state.status, state.cancellation_message) == (OrderItemStatus.SELLER_CANCELLED, "Mondays only.")
    assert state.cancelled is not None
    assert state.cancelled.actor == MANAGER
    assert (await centre.order(kept)).items()[0][1].status is OrderItemStatus.CONFIRMED
    left = {member.path for member in await centre.stored("spin")}
    assert left == {member.path for member in before if member.start and member.start.weekday() == MONDAY} | {
        wednesday.path
    }
    feed = await read_feed(centre.store, SESSIONS)
    assert feed[wednesday.path.partition("/")[2]]["eventStatus"] == "https://schema.org/EventCancelled"


async def test_a_closure_removes_the_slots_of_its_court_and_its_end_brings_them_back(centre: Centre) -> None:
    await centre.save("squash", COURTS)
    await centre.publish()
    before = {member.path for member in await centre.stored("squash")}
    start = datetime(2027, 3, 3)  # noqa: DTZ001 - on the wall clock
    await centre.save(
        "floor", Closure(name="Floor", start=start, end=start + timedelta(days=1), entry="squash", court="1")
    )
    await centre.publish()
    closed = before - {member.path for member in await centre.stored("squash")}
    assert len(closed) == 3
    assert all(".1.20270303T" in path for path in closed)
    await centre.store.execute(RemoveTimetableEntry(key=EntryKey(CENTRE.key, "floor"), seen=1, actor=MANAGER))
    await centre.publish()
    assert {member.path for member in await centre.stored("squash")} == before


async def test_a_court_that_is_removed_leaves_the_feeds_with_its_slots(centre: Centre) -> None:
    await centre.save("squash", COURTS)
    await centre.publish()
    await centre.save("squash", replace(COURTS, courts=(Court(key="1", name="Court 1"),)))
    await centre.publish()
    assert await in_feed(centre, Feed("individual-facility-uses")) == {f"{CENTRE.key}.squash.1"}
    assert all(".squash.1." in key for key in await in_feed(centre, SLOTS))
    await centre.save("squash", COURTS)
    await centre.publish()
    assert len(await in_feed(centre, Feed("individual-facility-uses"))) == 2
    assert len(await in_feed(centre, SLOTS)) == 2 * 3 * 56


async def test_a_removed_entry_leaves_the_feeds_and_its_bookings_are_cancelled(centre: Centre) -> None:
    await centre.save("spin", EVENING)
    await centre.publish()
    uuid = await centre.book((await centre.stored("spin"))[5])
    await centre.store.execute(
        RemoveTimetableEntry(key=EntryKey(CENTRE.key, "spin"), seen=1, message="The end.", actor=MANAGER)
    )
    await centre.publish()
    assert await in_feed(centre, Feed("session-series")) == set()
    assert await in_feed(centre, SESSIONS) == set()
    assert (await centre.order(uuid)).items()[0][1].cancellation_message == "The end."
    assert (await centre.timetable()).keys() == {EntryKey(CENTRE.key, "riverside")}


async def test_a_session_that_staff_has_moved_stays_where_it_is(centre: Centre) -> None:
    await centre.save("spin", EVENING)
    await centre.publish()
    session = (await centre.stored("spin"))[4]
    uuid = await centre.book(session)
    assert session.start is not None
    assert session.end is not None
    later = timedelta(hours=1)
    await centre.store.execute(
        ChangeLogistics(opportunity=session.path, start=session.start + later, end=session.end + later, actor=MANAGER)
    )
    await centre.save("spin", replace(EVENING, capacity=25, without=(session.start.date(),)))
    await centre.publish()
    stored = {member.path: member for member in await centre.stored("spin")}
    assert stored[session.path].start == session.start + later
    assert (await centre.order(uuid)).items()[0][1].status is OrderItemStatus.CONFIRMED
    await centre.store.execute(RemoveTimetableEntry(key=EntryKey(CENTRE.key, "spin"), seen=2, actor=MANAGER))
    await centre.publish()
    assert (await centre.order(uuid)).items()[0][1].status is OrderItemStatus.SELLER_CANCELLED


async def test_an_event_that_moves_keeps_its_id_and_one_that_ends_is_removed(centre: Centre) -> None:
    await centre.save("fete", FETE)
    await centre.publish()
    uuid = await centre.book((await centre.stored("fete"))[0])
    await centre.save("fete", replace(FETE, start=FETE.start + timedelta(days=1)))
    await centre.publish()
    (moved,) = await centre.stored("fete")
    assert moved.start == datetime(2027, 3, 7, 14, tzinfo=UTC)
    assert (await centre.order(uuid)).items()[0][0].opportunity.start == moved.start
    await centre.store.execute(RemoveTimetableEntry(key=EntryKey(CENTRE.key, "fete"), seen=2, actor=MANAGER))
    await centre.publish()
    assert (await centre.timetable()).keys() == {EntryKey(CENTRE.key, "riverside")}
    assert (await centre.order(uuid)).items()[0][1].status is OrderItemStatus.SELLER_CANCELLED


async def test_a_rule_that_ends_is_published_no_further(centre: Centre) -> None:
    await centre.save("spin", replace(EVENING, last=date(2027, 3, 10)))
    await centre.publish()
    assert len(await centre.stored("spin")) == 4
    assert (await centre.timetable())[EntryKey(CENTRE.key, "spin")].published_until == NO_END
    await centre.save("spin", EVENING)
    await centre.publish()
    assert len(await centre.stored("spin")) == 17


async def test_an_entry_that_cannot_be_published_does_not_keep_back_the_others(centre: Centre) -> None:
    dear = replace(ADULT, amount=Decimal("1e20"))
    await centre.save("court", replace(COURTS, prices=(PriceBand((dear,), EVERY_DAY),)))
    await centre.save("spin", EVENING)
    await centre.publish()
    assert len(await centre.stored("spin")) == 17
    stored = (await centre.timetable())[EntryKey(CENTRE.key, "court")]
    assert stored.fault is not None
    assert "cannot be paid" in stored.fault
    await centre.save("court", COURTS)
    await centre.publish()
    assert (await centre.timetable())[EntryKey(CENTRE.key, "court")].fault is None
    assert len(await centre.stored("court")) == 2 * 3 * 56


async def test_sessions_on_sale_stay_when_less_is_published_ahead(centre: Centre) -> None:
    await centre.save("spin", EVENING)
    await centre.publish()
    before = await centre.stored("spin")
    policy = centre.publish_ahead(14)
    for _ in range(43):
        assert await centre.publish(policy) == 0
        centre.clock.move(timedelta(days=1))
    assert await centre.publish(policy) == 1
    assert await centre.stored("spin") == before


async def test_a_change_reaches_sessions_that_are_later_than_what_is_published_ahead(centre: Centre) -> None:
    await centre.save("spin", EVENING)
    await centre.publish()
    before = await centre.stored("spin")
    uuid = await centre.book(before[-1])
    policy = centre.publish_ahead(14)
    start = datetime.combine(date(2027, 4, 19), time())
    closure = Closure(name="Floor", start=start, end=start + timedelta(days=1))
    await centre.save("spin", replace(EVENING, capacity=25))
    await centre.save("floor", closure)
    await centre.publish(policy)
    after = await centre.stored("spin")
    assert [item.path for item in after] == [item.path for item in before if item.path != before[-3].path]
    assert {item.capacity for item in after} == {25}
    assert await centre.publish(policy) == 0
    await centre.store.execute(RemoveTimetableEntry(key=EntryKey(CENTRE.key, "spin"), seen=3, actor=MANAGER))
    await centre.publish(policy)
    assert await in_feed(centre, SESSIONS) == set()
    assert (await centre.order(uuid)).items()[0][1].status is OrderItemStatus.SELLER_CANCELLED
    assert EntryKey(CENTRE.key, "spin") not in await centre.timetable()


async def test_the_end_of_a_rule_leaves_no_session_when_less_is_published_ahead(centre: Centre) -> None:
    await centre.save("spin", replace(EVENING, last=date(2027, 4, 20)))
    await centre.publish()
    policy = centre.publish_ahead(14)
    await centre.save("spin", replace(EVENING, last=date(2027, 3, 10)))
    await centre.publish(policy)
    assert len(await centre.stored("spin")) == 4
    assert (await centre.timetable())[EntryKey(CENTRE.key, "spin")].published_until == NO_END


async def test_slots_after_midnight_of_the_last_date_are_published(centre: Centre) -> None:
    late = replace(COURTS, hours=(OpeningHours(EVERY_DAY, time(22), time(2)),))
    await centre.save("squash", replace(late, last=date(2027, 4, 26)))
    await centre.publish()
    centre.clock.move(timedelta(days=3))
    await centre.publish()
    assert (await centre.stored("squash"))[-1].start == datetime(2027, 4, 27, 0, tzinfo=UTC)


async def test_a_fault_of_the_software_does_not_keep_back_the_other_entries(centre: Centre) -> None:
    # No calendar has the day on which these sessions end.
    endless = replace(EVENING, times=(WeeklyTime((MONDAY,), time(18, 15), 10**12),))
    await centre.save("endless", endless)
    await centre.save("spin", EVENING)
    parts = [part async for part in publish_due(centre.store, POLICY, centre.clock)]
    assert len(await centre.stored("spin")) == 17
    assert [(part.entry.key, type(part.fault)) for part in parts] == [("endless", OverflowError), ("spin", NoneType)]
    assert (await centre.timetable())[EntryKey(CENTRE.key, "endless")].fault == SOFTWARE_FAULT
    await centre.save("endless", EVENING)
    await centre.publish()
    assert len(await centre.stored("endless")) == 17


class BrokenStore(MemoryStore):
    """A store whose database cannot be reached once a batch is to be published."""

    async def execute(self, command: Command[Any]) -> Any:
        if isinstance(command, PublishOccurrences):
            raise StoreUnavailableError
        return await super().execute(command)


async def test_a_fault_of_the_store_is_not_one_of_the_entry() -> None:
    centre = Centre()
    centre.store = BrokenStore(policy=POLICY, writer=feed_writer(), clock=centre.clock)
    await centre.store.execute(PublishSeller(CENTRE, actor=MANAGER))
    await centre.save("riverside", VENUE)
    await centre.save("spin", EVENING)
    with pytest.raises(StoreUnavailableError):
        await centre.publish()
    assert (await centre.timetable())[EntryKey(CENTRE.key, "spin")].fault is None


async def test_two_processes_publish_each_batch_once(centre: Centre) -> None:
    await centre.save("squash", COURTS)
    await centre.save("spin", EVENING)
    await asyncio.gather(centre.publish(), centre.publish())
    feed = await centre.store.feed_items(SLOTS, 0, 10_000)
    assert len(feed) == len({entry.id for entry in feed}) == 2 * 3 * 56
    assert len(await in_feed(centre, SESSIONS)) == 17
