"""The demo data: the weekly timetable and the events."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest

from openbooking.booking.model.opportunity import Opportunity, applicable_offers
from openbooking.booking.model.spaces import Spaces
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import TaxMode
from openbooking.sandbox.events import events
from openbooking.sandbox.sellers import SELLERS, STUDIO, TRUST
from openbooking.sandbox.timetable import DAYS, TIME_ZONE, timetable
from support.validators import Validator

LONDON = ZoneInfo(TIME_ZONE)
SUMMER = date(2026, 7, 1)
CLOCKS_GO_BACK = date(2026, 10, 12)
CLOCKS_GO_FORWARD = date(2027, 3, 15)
TODAYS = (SUMMER, CLOCKS_GO_BACK, CLOCKS_GO_FORWARD)


def of_type(items: Sequence[Opportunity], type_: OpportunityType) -> list[Opportunity]:
    return [item for item in items if item.type is type_]


def sessions_of(items: Sequence[Opportunity], series: str) -> list[Opportunity]:
    return [item for item in items if item.parent == f"session-series/{series}"]


def starts(items: Sequence[Opportunity]) -> list[datetime]:
    return [item.start for item in items if item.start]


def test_the_timetable_depends_only_on_the_date() -> None:
    assert timetable(SUMMER, LONDON) == timetable(SUMMER, LONDON)


@pytest.mark.parametrize("today", TODAYS)
def test_the_timetable_begins_tomorrow_and_ends_after_four_weeks(today: date) -> None:
    days = {start.astimezone(LONDON).date() for start in starts(timetable(today, LONDON))}
    assert min(days) == today + timedelta(days=1)
    assert max(days) == today + timedelta(days=DAYS)


@pytest.mark.parametrize("today", TODAYS)
def test_paths_are_unique_and_parents_come_before_their_children(today: date) -> None:
    seen: set[str] = set()
    for item in timetable(today, LONDON):
        assert item.path not in seen
        assert item.parent is None or item.parent in seen
        seen.add(item.path)


@pytest.mark.parametrize(
    ("today", "change"), [(CLOCKS_GO_BACK, date(2026, 10, 25)), (CLOCKS_GO_FORWARD, date(2027, 3, 28))]
)
def test_classes_keep_their_local_time_when_clocks_change(today: date, change: date) -> None:
    hatha = starts(sessions_of(timetable(today, LONDON), "hatha"))
    assert {start.astimezone(LONDON).strftime("%H:%M") for start in hatha} == {"18:30"}
    assert len({start.astimezone(UTC).hour for start in hatha if start.astimezone(LONDON).date() < change}) == 1
    assert len({start.astimezone(UTC).hour for start in hatha}) == 2


@pytest.mark.parametrize("today", TODAYS)
def test_durations_are_right_when_clocks_change(today: date) -> None:
    items = timetable(today, LONDON)
    slots = of_type(items, OpportunityType.SLOT)
    assert {item.end - item.start for item in slots if item.start and item.end} == {timedelta(hours=1)}
    hatha = sessions_of(items, "hatha")
    assert {item.end - item.start for item in hatha if item.start and item.end} == {timedelta(minutes=75)}


def test_slots_fill_the_opening_hours_without_gap_or_overlap() -> None:
    court = [item for item in timetable(SUMMER, LONDON) if item.parent == "individual-facility-uses/squash-1"]
    by_day: dict[date, list[Opportunity]] = {}
    for item in court:
        assert item.start
        by_day.setdefault(item.start.astimezone(LONDON).date(), []).append(item)
    assert len(by_day) == DAYS
    for day, slots in by_day.items():
        assert all(before.end == after.start for before, after in pairwise(slots))
        first = slots[0].start
        assert first
        assert first.astimezone(LONDON).hour == (9 if day.weekday() >= 5 else 7)


def test_one_seller_is_gross_and_one_is_net() -> None:
    assert {seller.key: seller.tax_mode for seller in SELLERS} == {TRUST.key: TaxMode.GROSS, STUDIO.key: TaxMode.NET}
    items = timetable(SUMMER, LONDON)
    assert {item.seller for item in of_type(items, OpportunityType.SCHEDULED_SESSION)} == {TRUST.key, STUDIO.key}


def test_the_timetable_has_every_kind_of_offer() -> None:
    items = timetable(SUMMER, LONDON)
    by_path = {item.path: item for item in items}
    assert {item.type for item in (*items, *events(SUMMER, LONDON))} == set(OpportunityType)
    bookable = [item for item in items if item.type.bookable]
    offers = [
        offer
        for item in bookable
        for offer in applicable_offers(item, (by_path[item.parent],) if item.parent else ())
    ]  # fmt: skip
    assert all(applicable_offers(item, (by_path[item.parent or ""],)) for item in bookable)
    assert {offer.vat for offer in offers} == {VatTreatment.STANDARD, VatTreatment.EXEMPT}
    assert any(offer.price == 0 for offer in offers)
    assert any(offer.valid_from_before_start == timedelta(days=8) for offer in offers)
    assert {offer.full_refund_on_cancellation for offer in offers} == {True, False}
    assert {item.capacity for item in sessions_of(items, "baby-swim")} == {0}
    assert {item.capacity for item in sessions_of(items, "walking-football")} == {2}
    courts = [item for item in bookable if (item.parent or "").startswith("individual-facility-uses/")]
    assert {item.capacity for item in courts} == {1}
    hall = [item for item in bookable if item.parent == "facility-uses/sports-hall"]
    assert {item.capacity for item in hall} == {4}


def test_every_parent_event_and_one_child_of_each_is_a_valid_feed_item(validator: Validator) -> None:
    items = [*events(CLOCKS_GO_FORWARD, LONDON), *timetable(CLOCKS_GO_FORWARD, LONDON)]
    by_path = {item.path: item for item in items}
    sellers = {seller.key: seller for seller in SELLERS}
    writer = JsonLdFeedWriter(Writer(Identifiers("https://booking.example.org/api")))
    seen: set[str | None] = set()
    for item in items:
        if item.parent and item.type.bookable and item.parent in seen:
            continue
        seen.add(item.parent)
        parents = [by_path[item.parent]] if item.parent else []
        parents += [by_path[parent.parent] for parent in parents if parent.parent]
        written = writer.opportunity(item, Spaces(), parents, sellers[item.seller])
        assert validator.failures("BookableRPDEFeed", msgspec.json.decode(written)) == [], item.path
