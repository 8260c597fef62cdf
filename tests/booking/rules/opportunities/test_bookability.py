"""The conditions of booking, and the least and largest number of spaces of an Offer in one Order."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.order import Order, Payment
from openbooking.booking.model.order_request import ItemRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.bookability import Pair, why_not_bookable, why_wrong_quantity
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import Availability, EventStatus, FlowRequirement
from support.builders import (
    NOW,
    PRICE,
    UUID,
    after,
    book,
    item,
    offer,
    on_demand_event,
    propose,
    quote,
    request,
    session,
    situation,
)
from support.parties import AGREED_ALICE, ALICE, CENTRE
from support.proposals import ACCEPT, LATER_VERSION, NEGOTIATED, amend, b, having, order_of, proposed

FOR_SOME = session("some", offered={"min_quantity": 3, "max_quantity": 4})
OTHER = session("other")
REFUSED = ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE


def items_for(number: int, family: list[Opportunity] = FOR_SOME, **changes: Any) -> list[ItemRequest]:
    return [item(family, position, **changes) for position in range(number)]


def errors(reply: Any) -> list[ItemErrorType | None]:
    assert isinstance(reply, Order)
    return [found.errors[0].type if found.errors else None for found in reply.items]


def asked_at(checkpoint: Checkpoint, *items: ItemRequest) -> Any:
    asked = request(*items, total_payment_due=PRICE * len(items))
    if checkpoint is Checkpoint.P:
        return propose(asked)
    return book(asked) if checkpoint is Checkpoint.B else quote(asked, checkpoint)


@pytest.mark.spec("OB-VAL-18")
@pytest.mark.parametrize("checkpoint", Checkpoint)
@pytest.mark.parametrize(
    ("number", "why"), [(2, "for 3 spaces or more"), (3, None), (4, None), (5, "for 4 spaces or fewer")]
)
def test_an_offer_has_a_least_and_a_largest_number_of_spaces(
    checkpoint: Checkpoint, number: int, why: str | None
) -> None:
    flow = (FlowRequirement.APPROVAL,) if checkpoint is Checkpoint.P else ()
    family = session("some", offered={"min_quantity": 3, "max_quantity": 4, "flow": flow})
    reply = asked_at(checkpoint, *items_for(number, family)).decide(situation(family)).reply
    assert errors(reply) == [REFUSED if why else None] * number
    assert all(why in (found.errors[0].description or "") for found in reply.items if why)


def test_each_opportunity_is_counted_by_itself() -> None:
    reply = quote(request(*items_for(2), item(OTHER, 2))).decide(situation(FOR_SOME, OTHER)).reply
    assert errors(reply) == [REFUSED, REFUSED, None]


def test_each_offer_is_counted_by_itself() -> None:
    path = FOR_SOME[0].path
    family = session("some", offers=(offer(path, "group", min_quantity=3), offer(path, "adult")))
    single = replace(item(family, 2), offer=offer(path, "adult").ref)
    reply = quote(request(*items_for(2, family), single)).decide(situation(family)).reply
    assert errors(reply) == [REFUSED, REFUSED, None]


def test_leased_spaces_still_need_the_number_of_their_offer() -> None:
    policy = Policy(leasing=Leasing.ANONYMOUS)
    held = after(situation(FOR_SOME, policy=policy), quote(request(*items_for(3))))
    later = replace(held, now=NOW + timedelta(minutes=1))
    assert errors(book(request(*items_for(1))).decide(later).reply) == [REFUSED]
    assert (
        errors(book(request(*items_for(3), total_payment_due=3 * PRICE), uuid=UUID).decide(later).reply) == [None] * 3
    )


def test_a_cancellation_may_leave_fewer_spaces_than_the_offer_requires() -> None:
    booked = after(situation(FOR_SOME), book(request(*items_for(3), total_payment_due=3 * PRICE)))
    cancelled = after(booked, Cancel(caller=ALICE, uuid=UUID, numbers=(1, 2)))
    assert cancelled.spaces[FOR_SOME[-1].path] == Spaces(booked=1)


def test_an_amendment_may_leave_fewer_spaces_than_the_offer_requires() -> None:
    family = session("trip", offered={"flow": NEGOTIATED, "min_quantity": 2})
    amended = having(proposed(family, family), amend(without=frozenset({2})), ACCEPT)
    assert len(order_of(b(LATER_VERSION).decide(amended)).items) == 1


@pytest.mark.spec("OB-DYN-03")
@pytest.mark.parametrize(("number", "key"), [(1, "adult"), (3, "group")])
def test_a_dynamic_item_has_the_first_offer_for_its_number_of_spaces(number: int, key: str) -> None:
    path = FOR_SOME[0].path
    family = session("some", offers=(offer(path, "group", min_quantity=3), offer(path, "adult")))
    payment = Payment(dynamic=True, identifier="d-1", name="Membership", account_id="MOVE")
    asked = request(*items_for(number, family, offer=None, offer_id=None), payment=payment, total_payment_due=None)
    policy = Policy(leasing=Leasing.NAMED, dynamic_accounts=frozenset({"MOVE"}))
    reply = quote(asked, caller=AGREED_ALICE).decide(situation(family, policy=policy)).reply
    assert isinstance(reply, Order)
    assert {found.offer.key for found in reply.items if found.offer} == {key}


SERIES, MADE = session("yoga")
SOLD = SERIES.offers[0]
HOUR = timedelta(hours=1)
TWO_DAYS = timedelta(days=2)


def reason_against(
    opportunity: dict[str, Any] | None = None,
    sold: dict[str, Any] | None = None,
    seller: dict[str, Any] | None = None,
    now: datetime = NOW,
) -> str | None:
    """Why a session cannot be booked after these changes of the session, its Offer and its Seller."""
    pair = Pair(
        replace(MADE, **(opportunity or {})),
        replace(SOLD, **(sold or {})),
        replace(CENTRE, **(seller or {})),
        (SERIES,),
    )
    return why_not_bookable(pair, now)


def test_a_session_that_meets_all_conditions_can_be_booked() -> None:
    assert reason_against() is None


@pytest.mark.spec("OB-BKBL-03", "OB-BKBL-06", "OB-BKBL-10", "OB-BKBL-11", "OB-BKBL-12", "OB-BKBL-40")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"opportunity": {"type": OpportunityType.SESSION_SERIES}}, "A SessionSeries cannot be booked itself."),
        ({"opportunity": {"sale": SaleState.UNPUBLISHED}}, "The Opportunity is not on sale."),
        ({"opportunity": {"start": None, "end": None}}, "The Opportunity has no date."),
        ({"now": NOW + TWO_DAYS + HOUR}, "The Opportunity has ended."),
        ({"opportunity": {"status": EventStatus.POSTPONED}}, "The Opportunity is cancelled or postponed."),
        ({"opportunity": {"capacity": None}}, "The Opportunity's capacity is not known."),
        ({"opportunity": {"offers_unknown": True}}, "The Opportunity's Offers are not known."),
        ({"seller": {"open_booking_allowed": False}}, "The Seller does not offer booking through this API."),
        ({"sold": {"in_advance": Availability.UNAVAILABLE}}, "The Offer cannot be booked in advance."),
        ({"sold": {"valid_from_before_start": HOUR}}, "The booking window has not opened yet."),
        ({"sold": {"valid_through_before_start": TWO_DAYS}}, "The booking window has closed."),
        ({"sold": {"valid_from": NOW + HOUR}}, "The Offer is not valid yet."),
        ({"sold": {"valid_through": NOW}}, "The Offer is not valid any more."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_broker_learns_why_an_opportunity_cannot_be_booked(changes: dict[str, Any], reason: str) -> None:
    assert reason_against(**changes) == reason


@pytest.mark.spec("OB-BKBL-07", "OB-BKBL-10", "OB-BKBL-41")
@pytest.mark.parametrize(
    "changes",
    [
        {"now": NOW + TWO_DAYS + HOUR - timedelta(seconds=1)},
        {"sold": {"in_advance": Availability.REQUIRED}},
        {"sold": {"valid_from_before_start": TWO_DAYS}},
        {"sold": {"valid_through_before_start": TWO_DAYS - HOUR}},
        {"sold": {"valid_from": NOW}},
        {"sold": {"valid_through": NOW + HOUR}},
    ],
    ids=["before its end", "in advance", "window opens now", "window still open", "valid from now", "still valid"],
)
def test_a_session_can_be_booked_within_its_times(changes: dict[str, Any]) -> None:
    assert reason_against(**changes) is None


@pytest.mark.spec("OB-BKBL-12")
def test_an_opportunity_at_any_time_needs_neither_date_nor_capacity() -> None:
    video = on_demand_event()[-1]
    early = replace(
        video.offers[0], valid_from_before_start=timedelta(days=9), valid_through_before_start=timedelta(days=9)
    )
    assert why_not_bookable(Pair(video, early, CENTRE, ()), NOW) is None


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (2, "The Offer is for 3 spaces or more of one Opportunity in one Order, not 2."),
        (3, None),
        (4, None),
        (5, "The Offer is for 4 spaces or fewer of one Opportunity in one Order, not 5."),
    ],
)
def test_the_broker_learns_for_how_many_spaces_an_offer_is(items: int, reason: str | None) -> None:
    assert why_wrong_quantity(replace(SOLD, min_quantity=3, max_quantity=4), items) == reason
