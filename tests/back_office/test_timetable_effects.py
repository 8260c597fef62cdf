"""The effect of a change of several entries is known before it is applied, and is what its publication does."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from openbooking.back_office.plans.timetable_effects import TimetableEffect, timetable_effect
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.timetable import TimetableEntry, TimetableRule
from openbooking.store.memory import MemoryStore
from openbooking.testing.samples import Clock, fresh
from openbooking.testing.store_case import feed_writer
from openbooking.timetable.edits import TimetableEdit
from openbooking.timetable.occurrences import opportunities
from openbooking.timetable.surroundings import surroundings_of
from openbooking.timetable.wall_clock import DateRange
from support.builders import item, request
from support.parties import ALICE, CENTRE, MANAGER
from support.timetable_entries import COURSE
from support.timetables import ADULT, HALL, JUNIOR, SPIN, SQUASH, VENUE, closed, entry

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 10, 18, 12, tzinfo=UTC)
POLICY = Policy(leasing=Leasing.OFF, publish_ahead=timedelta(days=6))
# The days that are published: seven, from today on.
DATES = DateRange(date(2026, 10, 18), date(2026, 10, 25))
RULES: dict[str, TimetableRule] = {"riverside": VENUE, "spin": SPIN, "squash": SQUASH}
SPIN_SESSIONS, SQUASH_SLOTS = 2, 6 * 7 - 6


def edit(
    stored: Mapping[str, TimetableRule], rules: Mapping[str, TimetableRule] | None = None, removed: Iterable[str] = ()
) -> TimetableEdit:
    entries = {key: entry(rule, key) for key, rule in stored.items()}
    return TimetableEdit("centre", entries, rules or {}, frozenset(removed), MANAGER, "")


def published(entries: Iterable[TimetableEntry], dates: DateRange = DATES) -> list[Opportunity]:
    """Return the Opportunities of entries."""
    listed = list(entries)
    around = surroundings_of(listed, POLICY, "")
    return [item for each in listed for item in opportunities(each, around, dates)]


async def effect(
    change: TimetableEdit, booked: Mapping[str, int] | None = None, stored: Iterable[Opportunity] | None = None
) -> TimetableEffect:
    """Return the effect on a timetable that is published.

    Args:
        change: The change.
        booked: How many Orders of one space there are, by path.
        stored: What is stored; the Opportunities of the published days if it is not given.
    """
    clock = Clock()
    clock.time = NOW
    store = MemoryStore(policy=POLICY, writer=feed_writer(), clock=clock)
    await store.execute(PublishSeller(CENTRE, actor=MANAGER))
    known = {each.path: each for each in stored or published(change.stored.values())}
    await store.execute(Publish(tuple(known.values()), actor=MANAGER))
    for path, number in (booked or {}).items():
        family = [known[known[path].parent or ""], known[path]]
        for _ in range(number):
            order = request(item(family), total_payment_due=ADULT.amount)
            reply = await store.execute(Book(caller=ALICE, uuid=fresh(), request=order, nonce="n"))
            assert not reply.has_errors
    return await timetable_effect(store, change, POLICY, NOW)


def counts(found: TimetableEffect) -> dict[str, tuple[int, int, int]]:
    """Return how many bookable Opportunities are added, changed and removed, by key."""
    return {
        each.entry.key: (
            sum(item.type.bookable for item in each.changes.added),
            sum(change.after.type.bookable for change in each.changes.changed),
            sum(item.type.bookable for item in each.changes.removed),
        )
        for each in found.entries
    }


async def test_new_entries_add_their_occurrences_of_the_published_days() -> None:
    # Today's Slots are over at noon.
    found = await effect(edit({}, RULES), stored=published([]))
    assert counts(found) == {"spin": (SPIN_SESSIONS, 0, 0), "squash": (SQUASH_SLOTS, 0, 0)}


async def test_the_same_rules_have_no_effect() -> None:
    assert await effect(edit(RULES, RULES)) == TimetableEffect((), frozenset())


async def test_changed_and_removed_entries_are_compared() -> None:
    change = edit(RULES, {"spin": replace(SPIN, capacity=5)}, ["squash"])
    assert counts(await effect(change)) == {"spin": (0, SPIN_SESSIONS, 0), "squash": (0, 0, SQUASH_SLOTS)}


async def test_a_changed_price_changes_the_series_and_no_session() -> None:
    found = await effect(edit(RULES, {"spin": replace(SPIN, prices=(JUNIOR,))}))
    assert [change.fields for each in found.entries for change in each.changes.changed] == [("offers",)]
    assert counts(found) == {"spin": (0, 0, 0)}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, {"spin": (0, 0, 1), "squash": (0, 0, 6)}),
        ({"entry": "squash", "court": "2"}, {"squash": (0, 0, 3)}),
        ({"venue": "riverside", "entry": "spin"}, {"spin": (0, 0, 1)}),
    ],
)
async def test_a_closure_has_other_entries_follow(
    where: dict[str, str], expected: dict[str, tuple[int, int, int]]
) -> None:
    closure = closed("2026-10-19T00:00", "2026-10-20T00:00", **where)
    assert counts(await effect(edit(RULES, {"repair": closure}))) == expected
    reopened = {**RULES, "repair": closure}
    again = {key: (removed, changed, added) for key, (added, changed, removed) in expected.items()}
    assert counts(await effect(edit(reopened, removed=["repair"]))) == again


async def test_a_changed_venue_changes_what_is_there() -> None:
    change = edit({**RULES, "hall": replace(HALL, venue="")}, {"riverside": replace(VENUE, town="Bath")})
    found = await effect(change)
    assert {each.entry.key: [change.after.path for change in each.changes.changed] for each in found.entries} == {
        "spin": ["session-series/centre.spin"],
        "squash": ["facility-uses/centre.squash"],
    }


async def test_booked_occurrences_and_their_orders_are_told() -> None:
    change = edit(RULES, {"squash": replace(SQUASH, courts=SQUASH.courts[:1])})
    path = "slots/centre.squash.2.20261019T0800Z.60"
    other = "slots/centre.squash.1.20261019T0800Z.60"
    found = await effect(change, {path: 1, other: 1})
    assert [item.path for item in found.cancelled] == [path]
    assert (found.booked, len(found.bookings)) == ({path: 1}, 1)
    assert found.entries[0].parents[found.cancelled[0].parent or ""].properties["name"] == "Court 2"


async def test_the_orders_of_cancelled_occurrences_are_counted() -> None:
    change = edit(RULES, removed=["spin"])
    sessions = [item.path for item in published(change.stored.values()) if item.path.startswith("scheduled-sessions/")]
    found = await effect(change, {sessions[0]: 3, sessions[1]: 2})
    assert (found.booked, len(found.bookings)) == ({sessions[0]: 3, sessions[1]: 2}, 5)


async def test_other_bookings_have_another_digest() -> None:
    change = edit(RULES, removed=["spin"])
    path = "scheduled-sessions/centre.spin.20261019T1715Z.45"
    effects = [await effect(change, {path: number} if number else {}) for number in (0, 1, 2)]
    assert len({each.seen for each in effects}) == 3


async def test_occurrences_after_the_published_days_do_not_count() -> None:
    change = edit(RULES, {"spin": replace(SPIN, capacity=5)})
    later = published(change.stored.values(), DateRange(DATES.first, DATES.until + timedelta(days=30)))
    assert counts(await effect(change, stored=later)) == {"spin": (0, SPIN_SESSIONS, 0)}


async def test_occurrences_of_a_time_when_more_was_published_ahead_count() -> None:
    change, until = edit(RULES, removed=["spin"]), DATES.until + timedelta(days=7)
    later = published(change.stored.values(), DateRange(DATES.first, until))
    change = change._replace(stored={key: replace(each, published_until=until) for key, each in change.stored.items()})
    assert counts(await effect(change, stored=later)) == {"spin": (0, 0, 2 * SPIN_SESSIONS)}


async def test_occurrences_that_come_anyway_are_not_added() -> None:
    change = edit(RULES, {"riverside": replace(VENUE, town="Bath")})
    until = date(2026, 10, 20)
    change = change._replace(stored={key: replace(each, published_until=until) for key, each in change.stored.items()})
    stored = published(change.stored.values(), DateRange(DATES.first, until))
    assert counts(await effect(change, stored=stored)) == {"spin": (0, 0, 0), "squash": (0, 0, 0)}


async def test_what_an_earlier_change_has_not_removed_yet_is_removed() -> None:
    change = edit(RULES, removed=["spin"])
    change = change._replace(
        stored={key: replace(each, published_until=DATES.first) for key, each in change.stored.items()}
    )
    path = "scheduled-sessions/centre.spin.20261021T1715Z.45"
    found = await effect(change, {path: 1})
    assert [item.path for item in found.cancelled] == [path]


async def test_a_course_after_the_published_days_counts() -> None:
    course = replace(COURSE, first=date(2027, 5, 3))
    assert counts(await effect(edit(RULES, {"beginners": course}))) == {"beginners": (1, 0, 0)}
    stored = {**RULES, "beginners": course}
    assert counts(await effect(edit(stored, {"beginners": replace(course, capacity=3)}))) == {"beginners": (0, 1, 0)}


async def test_the_effect_makes_the_stored_opportunities_those_of_the_changed_timetable() -> None:
    rules: dict[str, TimetableRule] = {"spin": replace(SPIN, first=date(2026, 10, 21)), "hall": HALL}
    change = edit(RULES, rules, ["squash"])
    stored = {item.path: item for item in published(change.stored.values())}
    for each in (await effect(change)).entries:
        for gone in each.changes.removed:
            del stored[gone.path]
        stored.update({made.path: made for made in each.changes.published})
    after = {item.path: item for item in published(change.after.values())}
    is_over = {path for path, item in (stored | after).items() if item.start and item.start <= NOW}
    assert {path: item for path, item in stored.items() if path not in is_over} == {
        path: item for path, item in after.items() if path not in is_over
    }
