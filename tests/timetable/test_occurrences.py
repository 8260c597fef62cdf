"""The Opportunities of each kind of entry, and that OpenActive's validators accept them."""

from datetime import date

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.model.timetable import (
    ChangeFrom,
    PriceAudience,
    Terms,
    TimetableRule,
)
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.timetable.occurrences import opportunities
from support.parties import CENTRE
from support.timetables import (
    BEGINNERS,
    FILM,
    HALL,
    JUNIOR,
    MEMBER,
    OPEN_DAY,
    SPIN,
    SQUASH,
    VENUE,
    around,
    days,
    entry,
)
from support.validators import Validator

ACROSS_A_CHANGE = days(date(2026, 10, 19), 14)
EVERY_KIND: dict[str, TimetableRule] = {
    "class": SPIN,
    "changed class": replace(SPIN, changes=(ChangeFrom(date(2026, 10, 26), Terms(prices=(JUNIOR, MEMBER))),)),
    "facility": SQUASH,
    "hall": HALL,
    "event": OPEN_DAY,
    "course": BEGINNERS,
    "on-demand": FILM,
}


def made(rule: TimetableRule) -> list[Opportunity]:
    return list(opportunities(entry(rule, seller=CENTRE.key), around(), ACROSS_A_CHANGE))


@pytest.mark.parametrize("rule", EVERY_KIND.values(), ids=EVERY_KIND)
def test_every_opportunity_is_a_valid_feed_item(rule: TimetableRule, validator: Validator) -> None:
    items = made(rule)
    by_path = {item.path: item for item in items}
    writer = JsonLdFeedWriter(Writer(Identifiers("https://booking.example.org/api")))
    assert items
    for item in items:
        parents = [by_path[item.parent]] if item.parent else []
        parents += [by_path[parent.parent] for parent in parents if parent.parent]
        written = writer.opportunity(item, Spaces(), parents, CENTRE)
        assert validator.failures("BookableRPDEFeed", msgspec.json.decode(written)) == [], item.path


@pytest.mark.parametrize("rule", EVERY_KIND.values(), ids=EVERY_KIND)
def test_an_ended_entry_makes_nothing(rule: TimetableRule) -> None:
    ended = replace(entry(rule), ended=True)
    assert not list(opportunities(ended, around(), ACROSS_A_CHANGE))


def test_a_venue_makes_nothing() -> None:
    assert not made(VENUE)


@pytest.mark.parametrize("rule", EVERY_KIND.values(), ids=EVERY_KIND)
def test_opportunities_have_unique_paths_and_the_source_of_their_entry(rule: TimetableRule) -> None:
    seen: set[str] = set()
    for item in made(rule):
        assert item.path not in seen
        assert item.parent is None or item.parent in seen
        assert item.source == f"timetable:{CENTRE.key}/spin"
        seen.add(item.path)


def test_a_price_for_everyone_is_open_and_one_that_must_be_proved_is_restricted() -> None:
    [adult, member] = made(SPIN)[0].offers
    assert (adult.restricted, adult.in_advance) == (False, "https://openactive.io/Optional")
    assert (member.restricted, member.in_advance) == (True, "https://openactive.io/Unavailable")
    assert (member.prepayment, MEMBER.audience) == (None, PriceAudience.PROVEN)
