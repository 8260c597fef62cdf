"""The effects of a change on the spaces, the holdings and the touched feed items of a Situation."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.delete import DeleteQuote
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import (
    Holdings,
    OpportunityRemoved,
    OpportunitySet,
    RecordSet,
    Situation,
    evolve,
)
from openbooking.booking.model.spaces import Spaces
from support.builders import (
    NOW,
    UUID,
    after,
    book,
    event,
    headline_event,
    item,
    propose,
    quote,
    request,
    session,
    situation,
    slot,
)
from support.parties import ALICE, CENTRE, STUDIO
from support.proposals import KEY, TRIP, places

YOGA, COURT, OTHER_COURT = session("yoga"), slot("court"), slot("other")
FESTIVAL = headline_event("festival")
PATH, TRIP_PATH = YOGA[-1].path, TRIP[-1].path
HELD = {(PATH, "alice"): 3, (TRIP_PATH, "alice"): 4, (PATH, "bob"): 2}
OF_STUDIO = Holdings(quotes=2, proposals=2, size=200)
BEFORE = replace(
    situation(YOGA, TRIP, spaces={PATH: Spaces(booked=1, leased=5), TRIP_PATH: Spaces(booked=2, leased=4)}),
    held=HELD,
    holdings={"alice": {CENTRE.key: Holdings(quotes=6, proposals=4, size=900), STUDIO.key: OF_STUDIO}, "bob": {}},
)


def renamed(member: Opportunity) -> OpportunitySet:
    return OpportunitySet(replace(member, properties={"name": "Other"}))


@pytest.mark.parametrize(
    ("member", "touched"),
    [
        (COURT[0], {COURT[0].path, COURT[1].path}),
        (COURT[1], {COURT[1].path}),
        (COURT[2], {COURT[2].path}),
        (YOGA[0], {YOGA[0].path}),
        (FESTIVAL[0], {FESTIVAL[0].path, event(parent=FESTIVAL)[1].path}),
    ],
    ids=["facility", "court", "slot", "series", "headline event"],
)
def test_a_change_touches_the_feed_items_that_show_the_opportunity(member: Opportunity, touched: set[str]) -> None:
    where = situation(YOGA, COURT, OTHER_COURT, event(parent=FESTIVAL), event("alone"))
    assert evolve(where, renamed(member)).touched == touched


def record_of(command: Command[Any]) -> Record:
    """The record that the command stores."""
    record = after(situation(YOGA, TRIP), command).records[KEY]
    assert record is not None
    return record


QUOTED = record_of(quote(request(item(YOGA), item(YOGA, 1), total_payment_due=24)))
PROPOSED = record_of(propose(places(TRIP)))
BOOKED = record_of(book(request(item(YOGA))))
ENDED = replace(QUOTED, lease_expires=NOW)


@pytest.mark.parametrize(
    ("known", "record", "yoga", "trip", "holdings"),
    [
        (None, None, Spaces(1, 5), Spaces(2, 4), Holdings(6, 4, 900)),
        (None, QUOTED, Spaces(1, 7), Spaces(2, 4), Holdings(7, 4, 900)),
        (QUOTED, None, Spaces(1, 3), Spaces(2, 4), Holdings(5, 4, 900)),
        (None, PROPOSED, Spaces(1, 5), Spaces(2, 5), Holdings(6, 5, 900)),
        (PROPOSED, None, Spaces(1, 5), Spaces(2, 3), Holdings(6, 3, 900)),
        (QUOTED, PROPOSED, Spaces(1, 3), Spaces(2, 5), Holdings(5, 5, 900)),
        (QUOTED, BOOKED, Spaces(2, 3), Spaces(2, 4), Holdings(5, 4, 900)),
        (BOOKED, None, Spaces(0, 5), Spaces(2, 4), Holdings(6, 4, 900)),
        (ENDED, None, Spaces(1, 5), Spaces(2, 4), Holdings(6, 4, 900)),
        (None, ENDED, Spaces(1, 5), Spaces(2, 4), Holdings(6, 4, 900)),
    ],
)
def test_spaces_and_holdings_follow_from_the_claims_of_records(
    known: Record | None, record: Record | None, yoga: Spaces, trip: Spaces, holdings: Holdings
) -> None:
    before = replace(BEFORE, records={KEY: known} if known else {})
    where = evolve(before, RecordSet(KEY, record))
    assert where.records == ({KEY: record} if record else {})
    assert where.spaces == {**BEFORE.spaces, PATH: yoga, TRIP_PATH: trip}
    assert where.holdings == {"alice": {CENTRE.key: holdings, STUDIO.key: OF_STUDIO}, "bob": {}}
    leased = {(PATH, "alice"): yoga.leased - 2, (TRIP_PATH, "alice"): trip.leased}
    assert where.held == {**HELD, **leased}


def test_the_first_hold_of_a_partner_is_counted_from_zero() -> None:
    where = evolve(situation(YOGA), RecordSet(KEY, QUOTED))
    assert where.held == {(PATH, "alice"): 2}
    assert where.holdings == {"alice": {CENTRE.key: Holdings(quotes=1)}, "bob": {}}
    unknown = evolve(replace(situation(), holdings={}), RecordSet(KEY, QUOTED))
    assert (unknown.held, unknown.holdings, unknown.spaces) == ({}, {}, {PATH: Spaces(leased=2)})


def test_a_removed_opportunity_is_touched_and_other_opportunities_stay() -> None:
    where = evolve(situation(YOGA), OpportunityRemoved(PATH))
    assert where.opportunities == {YOGA[0].path: YOGA[0]}
    assert where.touched == {PATH}


def test_a_new_opportunity_has_no_spaces_taken_and_a_stored_opportunity_keeps_them() -> None:
    where = evolve(Situation(now=NOW, policy=BEFORE.policy), OpportunitySet(YOGA[1]))
    assert where.spaces == {PATH: Spaces()}
    assert evolve(BEFORE, renamed(YOGA[1])).spaces == BEFORE.spaces


def test_an_opportunity_without_claims_has_no_spaces_taken() -> None:
    assert BEFORE.spaces_of("scheduled-sessions/unknown") == Spaces()


def test_a_quote_that_is_deleted_touches_its_opportunity() -> None:
    where = replace(after(situation(YOGA), quote(request(item(YOGA)))), touched=frozenset())
    assert after(where, DeleteQuote(caller=ALICE, uuid=UUID)).touched == {PATH}
    assert after(where, quote(request(item(YOGA)))).touched == set()


@pytest.mark.parametrize(
    ("record", "spaces"),
    [(QUOTED, {PATH: 2}), (PROPOSED, {TRIP_PATH: 1}), (BOOKED, {}), (ENDED, {}), (None, {})],
)
def test_a_record_holds_its_spaces_until_its_hold_ends(record: Record | None, spaces: dict[str, int]) -> None:
    assert BEFORE.spaces_held(record) == spaces
    assert BEFORE.holds_spaces(record) is bool(spaces)


def test_records_have_expired_once_their_hold_or_lifetime_has_ended() -> None:
    assert QUOTED.ends is not None
    where = replace(BEFORE, records={KEY: QUOTED})
    assert where.expired() == []
    assert replace(where, now=QUOTED.ends - timedelta(microseconds=1)).expired() == []
    assert replace(where, now=QUOTED.ends).expired() == [QUOTED]
    assert replace(BEFORE, records={KEY: BOOKED}, now=NOW + timedelta(days=99)).expired() == []
