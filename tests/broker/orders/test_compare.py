"""Tests of the changes between two versions of an Order or OrderProposal."""

import uuid
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openbooking.broker.orders.changes import (
    AccessChanged,
    AttendanceRecorded,
    Change,
    ItemCancelled,
    ItemReplaced,
    Noticed,
    ProposalAccepted,
    ProposalAmended,
    ProposalRejected,
    SellerNoteChanged,
    TotalChanged,
)
from openbooking.broker.orders.compare import changes_between, untouched
from openbooking.openactive.messages import OrderFeedData, OrderProposalFeedData

ORDER = uuid.UUID("e5d1a4f5-6b5c-4f5a-9f7e-0a8d2a4a8f10")
ITEM = "https://booking.example/orders/1#/orderedItem/1"
CONFIRMED = "https://openactive.io/OrderItemConfirmed"
AWAITING = "https://openactive.io/AwaitingSellerConfirmation"
ACCEPTED = "https://openactive.io/SellerAccepted"


def item(**properties: Any) -> dict[str, Any]:
    """Return an OrderItem of a feed, with further properties."""
    return {
        "@type": "OrderItem",
        "@id": ITEM,
        "orderItemStatus": CONFIRMED,
        "orderedItem": {"@type": "Slot", "@id": "https://booking.example/slots/1"},
        "acceptedOffer": {"@type": "Offer", "@id": "https://booking.example/offers/1", "price": 10},
        **properties,
    }


def order(price: object = 10, **properties: Any) -> OrderFeedData:
    """Return a version of an Order with one OrderItem."""
    return msgspec.convert(
        {
            "@context": "https://openactive.io/",
            "@type": "Order",
            "@id": "https://booking.example/orders/1",
            "totalPaymentDue": {"@type": "PriceSpecification", "price": price, "priceCurrency": "GBP"},
            "orderedItem": [item(**properties)],
        },
        OrderFeedData,
    )


def proposal(version: str, status: str = AWAITING, **properties: Any) -> OrderProposalFeedData:
    """Return a version of an OrderProposal with one OrderItem."""
    return msgspec.convert(
        {
            "@context": "https://openactive.io/",
            "@type": "OrderProposal",
            "@id": "https://booking.example/order-proposals/1",
            "orderProposalVersion": f"https://booking.example/order-proposals/1/versions/{version}",
            "orderProposalStatus": status,
            "orderedItem": [item()],
            **properties,
        },
        OrderProposalFeedData,
    )


def changes(
    before: OrderFeedData | OrderProposalFeedData, after: OrderFeedData | OrderProposalFeedData
) -> list[Change]:
    """Return the changes between two versions."""
    return list(changes_between(ORDER, before, after))


@pytest.mark.spec("OB-BRK-12")
def test_a_removed_access_code_is_a_change() -> None:
    code = {"@type": "PropertyValue", "name": "PIN Code", "description": "1234"}
    assert changes(order(accessCode=[code]), order()) == [AccessChanged(order=ORDER, item=ITEM)]


def test_equal_versions_have_no_changes() -> None:
    assert changes(order(), order()) == []


@pytest.mark.parametrize(("status", "by_seller"), [("SellerCancelled", True), ("CustomerCancelled", False)])
def test_a_cancellation_tells_who_cancelled_and_the_new_total(status: str, by_seller: bool) -> None:
    after = order(0, orderItemStatus=f"https://openactive.io/{status}", cancellationMessage="The hall is flooded.")
    assert changes(order("10.00"), after) == [
        ItemCancelled(order=ORDER, item=ITEM, by_seller=by_seller, message="The hall is flooded.", is_last=True),
        TotalChanged(order=ORDER, previous=Decimal("10.00"), total=Decimal(0), currency="GBP"),
    ]


def test_a_replacement_names_both_opportunities() -> None:
    after = order(orderedItem="https://booking.example/slots/2")
    assert changes(order(), after) == [
        ItemReplaced(
            order=ORDER,
            item=ITEM,
            previous_opportunity="https://booking.example/slots/1",
            opportunity="https://booking.example/slots/2",
            previous_offer="https://booking.example/offers/1",
            offer="https://booking.example/offers/1",
        )
    ]


@pytest.mark.spec("OB-SEL-14")
def test_a_feed_without_opportunities_replaces_nothing() -> None:
    after = order()
    bare = msgspec.structs.replace(after.ordered_item[0], ordered_item=None, accepted_offer=None)
    assert changes(order(), msgspec.structs.replace(after, ordered_item=(bare,))) == []


@pytest.mark.parametrize("status", ["AttendeeAttended", "CustomerAttended"])
def test_attendance_is_told_and_undone(status: str) -> None:
    attended = order(orderItemStatus=f"https://openactive.io/{status}")
    assert changes(order(), attended) == [AttendanceRecorded(order=ORDER, item=ITEM, attended=True)]
    assert changes(attended, order()) == [AttendanceRecorded(order=ORDER, item=ITEM, attended=None)]


def test_a_notice_is_told_once() -> None:
    noticed = order(customerNotice="Bring indoor shoes.")
    assert changes(order(), noticed) == [Noticed(order=ORDER, item=ITEM, notice="Bring indoor shoes.")]
    assert changes(noticed, noticed) == []


def test_an_accepted_proposal_names_its_version() -> None:
    version = "https://booking.example/order-proposals/1/versions/1"
    assert changes(proposal("1"), proposal("1", ACCEPTED)) == [ProposalAccepted(order=ORDER, version=version)]


def test_an_amended_and_accepted_proposal_is_told_as_both() -> None:
    version = "https://booking.example/order-proposals/1/versions/2"
    assert changes(proposal("1", ACCEPTED), proposal("2", ACCEPTED)) == [
        ProposalAmended(order=ORDER, version=version),
        ProposalAccepted(order=ORDER, version=version),
    ]


def test_a_rejected_proposal_tells_who_rejected_and_the_note() -> None:
    after = proposal("1", "https://openactive.io/SellerRejected", orderSellerNote="The court is closed.")
    assert changes(proposal("1"), after) == [
        ProposalRejected(order=ORDER, by_seller=True),
        SellerNoteChanged(order=ORDER, note="The court is closed."),
    ]


def test_a_version_without_a_reply_before_it_tells_its_cancellation() -> None:
    after = order(orderItemStatus="https://openactive.io/SellerCancelled")
    assert changes(untouched(after), after) == [ItemCancelled(order=ORDER, item=ITEM, by_seller=True, is_last=True)]
