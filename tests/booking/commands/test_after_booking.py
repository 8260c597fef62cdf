"""Commands about a booked Order: cancellation by Customer and Seller, deletion, Order Status."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.book import Book
from openbooking.booking.commands.cancel import Cancel, ItemPatch, cancellation
from openbooking.booking.commands.delete import DeleteOrder
from openbooking.booking.commands.get_order import GetOrder
from openbooking.booking.commands.seller_decisions import SellerCancel
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller, OrderKey
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import DeletedRecord, Record
from openbooking.booking.model.situation import OpportunityRemoved, OpportunitySet, Situation, Spaces, evolve
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
from openbooking.openactive.terms import OrderItemStatus, OrderType
from support.builders import BY_ALICE, NOW, PRICE, UUID, after, item, offer, quote, request, session, situation
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
def test_a_partner_whose_authorisation_ended_cannot_touch_its_orders() -> None:
    no_more = Caller("alice", frozenset())
    for command in (
        cancel(1, caller=no_more),
        DeleteOrder(caller=no_more, uuid=UUID),
        GetOrder(caller=no_more, uuid=UUID),
    ):
        with pytest.raises(InvalidAuthorizationDetailsError):
            command.decide(booked())


@pytest.mark.spec("OB-SEL-01", "OB-SEL-02")
def test_the_seller_cancels_the_items_that_are_not_cancelled_with_a_message() -> None:
    where = after(after(booked(), cancel(1)), SellerCancel(order=KEY, message="Flood", actor=MANAGER))
    assert statuses(where) == [OrderItemStatus.CUSTOMER_CANCELLED, OrderItemStatus.SELLER_CANCELLED]
    assert [state.cancellation_message for state in where.records[KEY].states] == [None, "Flood"]
    assert where.spaces[PATH] == Spaces()


@pytest.mark.spec("OB-DEL-01", "OB-DEL-03", "OB-DEL-07", "OB-DEL-11")
@pytest.mark.parametrize("cancelled_before", [False, True])
def test_deletion_leaves_a_stub_without_data(cancelled_before: bool) -> None:
    where = after(booked(), cancel(1)) if cancelled_before else booked()
    deleted = after(where, DeleteOrder(caller=ALICE, uuid=UUID))
    assert deleted.records[KEY] == DeletedRecord(
        partner="alice",
        uuid=UUID,
        seller="centre",
        updated=cancelled_before,
        booked=BY_ALICE,
        changed=BY_ALICE,
        deleted=BY_ALICE,
    )
    assert deleted.spaces[PATH] == Spaces()
    assert DeleteOrder(caller=ALICE, uuid=UUID).decide(deleted).changes == ()


@pytest.mark.spec("OB-DEL-06", "OB-AUTH-09")
def test_a_partner_can_delete_only_its_own_orders() -> None:
    for where, caller in ((situation(YOGA), ALICE), (booked(), BOB)):
        with pytest.raises(UnknownOrderError):
            DeleteOrder(caller=caller, uuid=UUID).decide(where)


@pytest.mark.spec("OB-OST-01", "OB-OST-02", "OB-OST-06", "OB-OST-07")
def test_order_status_returns_the_stored_record() -> None:
    where = booked()
    assert GetOrder(caller=ALICE, uuid=UUID).decide(where).reply == where.records[KEY]
    with pytest.raises(UnknownOrderError):
        GetOrder(caller=BOB, uuid=UUID).decide(where)
    with pytest.raises(GoneError):
        GetOrder(caller=ALICE, uuid=UUID).decide(after(where, DeleteOrder(caller=ALICE, uuid=UUID)))


@pytest.mark.spec("OB-OST-02", "OB-LEASE-20")
def test_order_status_returns_a_leased_quote_until_the_lease_ends() -> None:
    leased = after(situation(YOGA), quote(request(item(YOGA))))
    shown = GetOrder(caller=ALICE, uuid=UUID).decide(leased).reply
    assert isinstance(shown, Record)
    assert shown.order is not None
    assert (shown.order.type, shown.order.totals.price) == (OrderType.QUOTE, Decimal("12.00"))
    assert [found.opportunity for found, _ in shown.items()] == [YOGA[-1]]
    with pytest.raises(UnknownOrderError):
        GetOrder(caller=ALICE, uuid=UUID).decide(replace(leased, now=NOW + timedelta(minutes=15)))


@pytest.mark.spec("OB-CAN-05")
@pytest.mark.parametrize("start", [NOW - timedelta(hours=1), NOW])
def test_a_booking_cannot_be_cancelled_from_the_present_start_on(start: datetime) -> None:
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
