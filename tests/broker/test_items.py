"""OrderItems as people read them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from openbooking.broker.errors import ItemFault
from openbooking.broker.items import describe, describe_quote
from openbooking.openactive.messages import OrderItem, OrderQuote
from openbooking.openactive.messages.items import AccessCode

START = datetime(2027, 3, 1, 18, tzinfo=UTC)
CONFIRMED = "https://openactive.io/OrderItemConfirmed"
SESSION = {
    "@id": "https://x.example/s/1",
    "startDate": "2027-03-01T18:00:00Z",
    "superEvent": {"name": "Yoga", "location": {"name": "Hall"}},
}
OFFER = {"price": 5.5, "priceCurrency": "GBP", "allowCustomerCancellationFullRefund": True}


def item(**changes: Any) -> OrderItem:
    made: dict[str, Any] = {"ordered_item": SESSION, "accepted_offer": OFFER, "order_item_status": CONFIRMED}
    return OrderItem(**(made | changes))


def test_item_is_described_with_what_it_inherits() -> None:
    found = describe("1", item(), now=START)
    assert found[:6] == ("1", "Yoga", START, "Hall", Decimal("5.5"), "GBP")
    assert (found.status, found.is_cancelled, found.can_cancel) == ("booked", False, True)


@pytest.mark.parametrize(
    ("changes", "hours", "can_cancel"),
    [
        ({}, 1, True),
        ({"latestCancellationBeforeStartDate": "PT2H"}, 3, True),
        ({"latestCancellationBeforeStartDate": "PT2H"}, 1, False),
        ({"latestCancellationBeforeStartDate": "soon"}, 100, False),
        ({"latestCancellationBeforeStartDate": "P9999Y"}, 100, False),
        ({"allowCustomerCancellationFullRefund": "yes"}, 1, False),
    ],
)
def test_offer_decides_whether_the_customer_can_cancel(changes: dict[str, Any], hours: int, can_cancel: bool) -> None:
    now = START - timedelta(hours=hours)
    assert describe("1", item(accepted_offer={**OFFER, **changes}), now=now).can_cancel is can_cancel


def test_cancelled_item_says_who_cancelled_and_why() -> None:
    status = "https://openactive.io/SellerCancelled"
    code = AccessCode(name="PIN", description="1234")
    changes = {"order_item_status": status, "cancellation_message": "Ill.", "access_code": (code,)}
    found = describe("1", item(**changes), now=START)
    assert (found.status, found.is_cancelled, found.can_cancel) == ("cancelled by the organiser", True, False)
    assert found.remarks == ("Ill.", "PIN: 1234")


@pytest.mark.parametrize("price", ["", "x", "NaN", None, float("inf")])
def test_unreadable_item_is_described_without_what_cannot_be_read(price: Any) -> None:
    strange = item(
        ordered_item={"startDate": "soon", "location": "Hall", "superEvent": 7}, accepted_offer={"price": price}
    )
    found = describe("1", strange)
    assert (found.name, found.start, found.place, found.price) == ("", None, "", None)
    assert describe("1", item(ordered_item="https://x.example/s/1", accepted_offer=None)).name == ""


def test_items_of_a_quote_have_their_errors() -> None:
    items = (item(position=1), item(position=0))
    reply = OrderQuote(context="https://openactive.io/", type="OrderQuote", ordered_item=items)
    first, second = describe_quote(reply, [ItemFault(1, "OpportunityIsFullError", None, None)])
    assert (first.key, first.faults, first.status) == ("0", (), "")
    assert (second.key, second.faults) == ("1", ("No space is left.",))
