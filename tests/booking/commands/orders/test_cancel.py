"""Cancellation by the Customer (OB 8.3.2, 9.2.8)."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.cancel import Cancel, ItemPatch, cancellation
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller, OrderKey
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.situation import OpportunityRemoved, OpportunitySet, Situation, evolve
from openbooking.booking.model.spaces import Spaces
from openbooking.openactive.errors import (
    CancellationNotPermittedError,
    GoneError,
    InvalidAuthorizationDetailsError,
    OpenBookingError,
    OrderItemIdInvalidError,
    OrderItemNotWithinOrderError,
    PatchNotAllowedOnPropertyError,
    UnknownOrderError,
)
from openbooking.openactive.ids import OrderItemRef
from openbooking.openactive.terms import OrderItemStatus
from support.builders import NOW, PRICE, UUID, after, item, offer, quote, request, session, situation
from support.parties import ALICE, BOB, MANAGER

YOGA = session("yoga")
PATH = YOGA[-1].path
KEY = OrderKey("alice", UUID)


def booked(family: list[Opportunity] = YOGA, count: int = 2) -> Situation:
    items = [item(family, position) for position in range(count)]
    total = PRICE * count
    return after(situation(family), Book(caller=ALICE, uuid=UUID, request=request(*items, total_payment_due=total)))


def cancel(*numbers: int, caller: Caller = ALICE) -> Cancel:
    return Cancel(caller=caller, uuid=UUID, numbers=numbers)


def statuses(where: Situation) -> list[OrderItemStatus]:
    return [state.status for state in where.records[KEY].states]


@pytest.mark.spec("OB-CAN-01", "OB-CAN-02", "OB-CAN-16", "OB-CAN-19", "OB-OF-08")
def test_the_chosen_items_are_cancelled_and_their_spaces_are_free_again() -> None:
    where = after(booked(), cancel(2))
    assert statuses(where) == [OrderItemStatus.CONFIRMED, OrderItemStatus.CUSTOMER_CANCELLED]
    assert where.spaces[PATH] == Spaces(booked=1)
    assert where.records[KEY].updated
    assert PATH in where.touched


@pytest.mark.spec("OB-CAN-10", "OB-CAN-13", "OB-CAN-14")
@pytest.mark.parametrize(
    ("status", "ref", "refusal"),
    [
        (OrderItemStatus.CUSTOMER_CANCELLED, OrderItemRef(UUID, 2), None),
        (OrderItemStatus.SELLER_CANCELLED, OrderItemRef(UUID, 2), PatchNotAllowedOnPropertyError),
        (OrderItemStatus.ATTENDED, None, PatchNotAllowedOnPropertyError),
        (None, OrderItemRef(UUID, 2), PatchNotAllowedOnPropertyError),
        (["cancelled"], OrderItemRef(UUID, 2), PatchNotAllowedOnPropertyError),
        (OrderItemStatus.CUSTOMER_CANCELLED, OrderItemRef(UUID[::-1], 2), OrderItemNotWithinOrderError),
        (OrderItemStatus.CUSTOMER_CANCELLED, None, OrderItemIdInvalidError),
    ],
)
def test_a_patch_of_an_order_can_only_cancel_its_own_items(
    status: Any, ref: OrderItemRef | None, refusal: type[OpenBookingError] | None
) -> None:
    sound = ItemPatch(item_id="x", ref=OrderItemRef(UUID, 1), status=OrderItemStatus.CUSTOMER_CANCELLED)
    asked = (ItemPatch(item_id="x", ref=ref, status=status), sound, sound)
    if refusal is None:
        assert cancellation(ALICE, UUID, asked) == cancel(1, 2)
    else:
        with pytest.raises(refusal):
            cancellation(ALICE, UUID, asked)


@pytest.mark.spec("OB-CAN-04", "OB-CAN-17", "OB-CAN-18")
def test_cancelling_again_succeeds_and_changes_nothing() -> None:
    where = after(booked(), cancel(1, 2))
    assert where.spaces[PATH] == Spaces()
    assert cancel(1, 2).decide(where).changes == ()
    assert after(where, SellerCancel(order=KEY, actor=MANAGER)) == where


@pytest.mark.spec("E-17")
@pytest.mark.spec("OB-CAN-03", "OB-CAN-07", "OB-CAN-09", "OB-CAN-06")
@pytest.mark.parametrize(
    "changes",
    [
        {"full_refund_on_cancellation": False},
        {"full_refund_on_cancellation": None},
        {"latest_cancellation_before_start": timedelta(days=2)},
    ],
)
def test_a_cancellation_that_the_offer_does_not_permit_is_refused_with_a_message_for_the_customer(
    changes: dict[str, Any],
) -> None:
    strict = session("strict", offers=(offer("session-series/series-strict", **changes),))
    with pytest.raises(CancellationNotPermittedError) as refused:
        cancel(1).decide(booked(strict))
    assert refused.value.description


@pytest.mark.spec("OB-CAN-05")
def test_cancellation_is_permitted_until_the_window_closes() -> None:
    lenient = session(
        "l", offers=(offer("session-series/series-l", latest_cancellation_before_start=timedelta(days=1)),)
    )
    where = booked(lenient)
    assert after(where, cancel(1)).spaces[lenient[-1].path] == Spaces(booked=1)
    with pytest.raises(CancellationNotPermittedError):
        cancel(1).decide(replace(where, now=NOW + timedelta(days=1)))


@pytest.mark.spec("OB-CAN-05", "OB-CAN-06")
@pytest.mark.parametrize(
    ("starts", "zone", "told"),
    [
        (datetime(2027, 3, 20, 10, tzinfo=UTC), "Europe/London", "19 March 2027, 10:00 GMT"),
        (datetime(2027, 7, 20, 10, tzinfo=UTC), "Europe/London", "19 July 2027, 11:00 BST"),
        (datetime(2027, 7, 20, 10, tzinfo=timezone(timedelta(hours=5))), "Europe/London", "19 July 2027, 06:00 BST"),
        (datetime(2027, 7, 19, 23, tzinfo=UTC), "Europe/Berlin", "19 July 2027, 01:00 CEST"),
    ],
)
def test_the_message_to_the_customer_has_the_latest_time_of_cancellation_in_local_time(
    starts: datetime, zone: str, told: str
) -> None:
    offered = {"latest_cancellation_before_start": timedelta(days=1)}
    summer = session("summer", offered=offered, start=starts, end=starts + timedelta(hours=1))
    where = replace(booked(summer), now=starts - timedelta(hours=1), policy=Policy(time_zone=ZoneInfo(zone)))
    with pytest.raises(CancellationNotPermittedError) as refused:
        cancel(1).decide(where)
    assert refused.value.description == f"This booking could be cancelled until {told}."


@pytest.mark.spec("OB-CAN-09")
def test_an_item_cannot_be_cancelled_after_its_start() -> None:
    with pytest.raises(CancellationNotPermittedError):
        cancel(1).decide(replace(booked(), now=NOW + timedelta(days=2)))


@pytest.mark.spec("OB-CAN-14")
@pytest.mark.parametrize("number", [0, 3, 999])
def test_the_number_of_an_unknown_item_is_invalid(number: int) -> None:
    with pytest.raises(OrderItemIdInvalidError):
        cancel(1, number).decide(booked())


@pytest.mark.spec("OB-CAN-21", "OB-AUTH-09", "OB-DEL-09")
def test_unknown_foreign_quoted_and_deleted_orders_cannot_be_cancelled() -> None:
    with pytest.raises(UnknownOrderError):
        cancel(1).decide(situation(YOGA))
    with pytest.raises(UnknownOrderError):
        cancel(1, caller=BOB).decide(booked())
    with pytest.raises(UnknownOrderError):
        cancel(1).decide(after(situation(YOGA), quote(request(item(YOGA)))))
    with pytest.raises(GoneError):
        cancel(1).decide(after(booked(), DeleteOrder(caller=ALICE, uuid=UUID)))


@pytest.mark.spec("OB-AUTH-10")
def test_a_partner_whose_authorisation_ended_cannot_cancel_its_orders() -> None:
    with pytest.raises(InvalidAuthorizationDetailsError):
        cancel(1, caller=Caller("alice", frozenset())).decide(booked())


@pytest.mark.spec("OB-CAN-05")
@pytest.mark.parametrize("start", [NOW - timedelta(hours=1), NOW])
def test_a_booking_cannot_be_cancelled_from_the_current_start_on(start: datetime) -> None:
    earlier = evolve(booked(), OpportunitySet(replace(YOGA[1], start=start)))
    with pytest.raises(CancellationNotPermittedError, match="because it has started"):
        cancel(1).decide(earlier)


@pytest.mark.spec("OB-CAN-05")
def test_the_start_that_was_booked_counts_once_the_opportunity_is_withdrawn() -> None:
    gone = evolve(booked(), OpportunityRemoved(PATH))
    assert statuses(after(gone, cancel(1)))[0] is OrderItemStatus.CUSTOMER_CANCELLED
    assert YOGA[1].start is not None
    with pytest.raises(CancellationNotPermittedError, match="because it has started"):
        cancel(1).decide(replace(gone, now=YOGA[1].start))
