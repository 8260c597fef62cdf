"""The demo data: the timetables of its files, and the events."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity, applicable_offers
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.model.timetable import TimetableEntry, TimetableRule, WeeklyClass
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import TaxMode
from openbooking.sandbox.bookings import PAST_DAYS
from openbooking.sandbox.events import events
from openbooking.sandbox.sellers import SELLERS, STUDIO, TRUST
from openbooking.sandbox.timetable import DAYS, TIME_ZONE, series_path, timetable, venues
from openbooking.timetable.occurrences import opportunities
from openbooking.timetable.surroundings import site_of, surroundings_of
from openbooking.timetable.wall_clock import DateRange
from support.parties import MANAGER
from support.validators import Validator

LONDON = ZoneInfo(TIME_ZONE)
SUMMER = date(2026, 7, 1)
CLOCKS_GO_FORWARD = date(2027, 3, 15)
WEEK = [SUMMER + timedelta(days=number) for number in range(7)]


def made(today: date) -> list[Opportunity]:
    """Return the Opportunities of the demo on a day, each parent before its children."""
    dates = DateRange(today - timedelta(days=PAST_DAYS), today + timedelta(days=DAYS + 1))
    found: list[Opportunity] = []
    for seller in SELLERS:
        rules = timetable(seller, today)
        entries = [
            TimetableEntry(seller=seller.key, key=key, rule=rule, changed_by=MANAGER) for key, rule in rules.items()
        ]
        around = surroundings_of(entries, Policy(time_zone=LONDON), site_of(seller))
        found += [item for entry in entries for item in opportunities(entry, around, dates)]
    return [*found, *events(today, LONDON, venues(timetable(TRUST, today)))]


@pytest.fixture(scope="module")
def items() -> list[Opportunity]:
    return made(SUMMER)


def below(items: Sequence[Opportunity], parent: str) -> list[Opportunity]:
    return [item for item in items if item.parent == parent]


def without_dates(rules: Mapping[str, TimetableRule]) -> dict[str, TimetableRule]:
    """Return the classes with the same first date."""
    return {key: replace(rule, first=SUMMER) for key, rule in rules.items() if isinstance(rule, WeeklyClass)}


@pytest.mark.parametrize("today", WEEK)
def test_there_are_past_and_coming_classes_on_each_day_of_the_week(today: date) -> None:
    starts = [item.start.astimezone(LONDON).date() for item in made(today) if item.start]
    assert min(starts) == today - timedelta(days=PAST_DAYS)
    assert max(starts) == today + timedelta(days=DAYS)


@pytest.mark.parametrize("today", [*WEEK, date(2030, 2, 28)])
def test_dates_are_moved_by_whole_weeks(today: date) -> None:
    monday = today - timedelta(days=today.weekday())
    centre = timetable(TRUST, today)
    assert centre["open-day-walk"].start == datetime.combine(monday, datetime.min.time()) + timedelta(days=12, hours=10)  # type: ignore[union-attr]
    assert centre["first-strokes"].first == monday + timedelta(days=9)  # type: ignore[union-attr]
    assert centre["spin"].first == monday - timedelta(days=14)  # type: ignore[union-attr]
    assert without_dates(centre) == without_dates(timetable(TRUST, SUMMER))


def test_one_seller_is_gross_and_one_is_net(items: list[Opportunity]) -> None:
    assert {seller.key: seller.tax_mode for seller in SELLERS} == {TRUST.key: TaxMode.GROSS, STUDIO.key: TaxMode.NET}
    sessions = [item for item in items if item.type is OpportunityType.SCHEDULED_SESSION]
    assert {item.seller for item in sessions} == {TRUST.key, STUDIO.key}


def test_paths_are_unique_and_parents_come_before_their_children(items: list[Opportunity]) -> None:
    seen: set[str] = set()
    for item in items:
        assert item.path not in seen
        assert item.parent is None or item.parent in seen
        seen.add(item.path)


def test_the_demo_has_every_kind_of_opportunity_and_offer(items: list[Opportunity]) -> None:
    by_path = {item.path: item for item in items}
    assert {item.type for item in items} == set(OpportunityType)
    bookable = [item for item in items if item.type.bookable]
    found = {
        item.path: applicable_offers(item, (by_path[item.parent],) if item.parent else ()) for item in bookable
    }  # fmt: skip
    assert all(found.values())
    offers = [offer for each in found.values() for offer in each]
    assert {offer.vat for offer in offers} == {VatTreatment.STANDARD, VatTreatment.EXEMPT}
    assert any(offer.price == 0 for offer in offers)
    assert any(offer.valid_from_before_start == timedelta(days=8) for offer in offers)
    assert {offer.full_refund_on_cancellation for offer in offers} == {True, False}
    assert {offer.name for offer in offers if offer.restricted} == {"Member"}
    assert {item.capacity for item in below(items, series_path("baby-swim"))} == {0}
    assert {item.capacity for item in below(items, series_path("walking-football"))} == {2}
    assert {item.capacity for item in below(items, f"facility-uses/{TRUST.key}.sports-hall") if item.start} == {4}


def test_slots_of_two_lengths_share_the_tennis_court(items: list[Opportunity]) -> None:
    court = f"individual-facility-uses/{TRUST.key}.tennis.1"
    slots = below(items, court)
    assert {slot.court for slot in slots} == {court}
    assert {(slot.end - slot.start, slot.offers[0].name) for slot in slots if slot.start and slot.end} == {
        (timedelta(hours=1), "Hour"),
        (timedelta(hours=1.5), "Hour and a half"),
    }


def test_the_floor_of_one_court_is_repaired_for_a_day(items: list[Opportunity]) -> None:
    tuesday = SUMMER + timedelta(days=6)
    courts = [below(items, f"individual-facility-uses/{TRUST.key}.badminton.{key}") for key in "12"]
    open_at = [
        {slot.start.astimezone(LONDON).hour for slot in slots if slot.start and slot.start.date() == tuesday}
        for slots in courts
    ]
    assert open_at == [set(range(7, 22)), {7, 8, *range(17, 22)}]


def test_every_parent_and_one_child_of_each_is_a_valid_feed_item(validator: Validator) -> None:
    items = made(CLOCKS_GO_FORWARD)
    by_path = {item.path: item for item in items}
    sellers = {seller.key: seller for seller in SELLERS}
    writer = JsonLdFeedWriter(Writer(Identifiers("https://booking.example.org/api")))
    now = datetime.combine(CLOCKS_GO_FORWARD, datetime.min.time(), UTC)
    seen: set[str | None] = set()
    for item in items:
        is_over = item.start is not None and item.start < now
        if is_over or (item.parent and item.type.bookable and item.parent in seen):
            continue
        seen.add(item.parent)
        parents = [by_path[item.parent]] if item.parent else []
        parents += [by_path[parent.parent] for parent in parents if parent.parent]
        written = writer.opportunity(item, Spaces(), parents, sellers[item.seller])
        assert validator.failures("BookableRPDEFeed", msgspec.json.decode(written)) == [], item.path
