"""Bookings of Customers, driven by hand: states, items, amounts, and what is under way."""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openbooking.broker import ApiKey, BookingState, Choice, DeclinedError, OrderAccessError, UnfinishedError
from openbooking.broker.catalogue.feeds import FeedKeeper
from openbooking.broker.catalogue.index import Index
from openbooking.broker.core import BrokerFlows, BrokerOptions
from openbooking.broker.flow import NoAnswerError
from openbooking.broker.orders.feed import _note
from openbooking.broker.orders.versions import keep, new_versions
from openbooking.harvest.documents import Page
from openbooking.openactive.terms import OrderType
from support.broker.scripts import answer, play, result_of
from support.broker.systems import Till
from support.catalogue.shelf import NOW

SITE = "https://data.example.com/"
SESSION = "https://x.example/s/1"
OFFER = f"{SESSION}#adult"
PAGE = answer(
    200,
    {"@type": "Dataset", "name": "D", "accessService": {"endpointUrl": "https://x.example/api"}},
    {"content-type": "application/ld+json"},
)
CHOICE = Choice(SESSION, OFFER, "https://x.example/seller")
WHOLE = {"@type": "ScheduledSession", "@id": SESSION, "name": "Yoga", "startDate": "2027-03-02T18:00:00Z"}
PRICED = {
    "@type": "Offer", "@id": OFFER, "price": 12, "priceCurrency": "GBP", "allowCustomerCancellationFullRefund": True,
}  # fmt: skip


def message(type_: str, *, status: str = "OrderItemConfirmed", whole: bool = True, price: int = 12, **more: Any) -> Any:
    """Return an Order or a quote with one item, which is whole or named by `@id`s."""
    item = {
        "@type": "OrderItem",
        "@id": f"{SESSION}/booked",
        "orderItemStatus": f"https://openactive.io/{status}",
        "orderedItem": WHOLE if whole else SESSION,
        "acceptedOffer": PRICED if whole else OFFER,
    }
    due = {"@type": "PriceSpecification", "price": price} | ({"priceCurrency": "GBP"} if price else {})
    return {
        "@context": "https://openactive.io/", "@type": type_, "@id": "https://x.example/1", "orderedItem": [item],
        "totalPaymentDue": due, **more,
    }  # fmt: skip


class Sam:
    """A Customer of a Broker."""

    def __init__(self, flows: BrokerFlows, till: Till) -> None:
        self.flows = flows
        self.till = till

    def basket(self) -> Any:
        """Return a basket that was quoted."""
        flow = self.flows.begin_basket([CHOICE], customer_key="sam", customer=None, payment=None)
        basket = result_of(flow)
        result_of(basket.quote(), [PAGE, answer(200, message("OrderQuote"))])
        return basket

    def booked(self) -> uuid.UUID:
        """Return a booked Order."""
        order: uuid.UUID = result_of(self.basket().book(), [answer(201, message("Order"))]).order
        return order

    def booking(self, order: uuid.UUID) -> Any:
        """Return a booking."""
        return result_of(self.flows.booking(order, "sam"))

    def read_feed(self, order: uuid.UUID, data: Any, modified: int = 1, kind: str = "Order") -> None:
        """Read an item of the Orders feed; None for a deletion."""
        item = {"state": "updated" if data else "deleted", "kind": kind, "id": str(order), "modified": modified}
        raw = msgspec.Raw(json.dumps(item | ({"data": data} if data else {})).encode())
        type_ = OrderType.PROPOSAL if kind == "OrderProposal" else OrderType.ORDER
        with self.flows.database.transaction() as transaction:
            for version in list(new_versions(transaction, type_, [raw])):
                keep(transaction, version)
                _note(transaction, version)


@pytest.fixture
def sam() -> Iterator[Sam]:
    till = Till()
    flows = BrokerFlows(SITE, ApiKey("k"), ":memory:", None, till, BrokerOptions(clock=lambda: NOW))
    with closing(flows):
        yield Sam(flows, till)


def test_basket_is_shown_with_its_items(sam: Sam) -> None:
    basket = sam.basket()
    (booking,) = result_of(sam.flows.bookings("sam"))
    assert (booking.state, booking.order, booking.items[0].name) == (BookingState.BASKET, basket.owned.order, "Yoga")
    result_of(basket.delete(), [answer(204)])
    assert sam.booking(basket.owned.order) is None
    assert result_of(sam.flows.bookings("sam")) == ()


def test_order_is_shown_with_its_payment(sam: Sam) -> None:
    booking = sam.booking(sam.booked())
    assert (booking.state, booking.total, booking.currency) == (BookingState.BOOKED, Decimal(12), "GBP")
    assert (booking.paid, booking.refunded, booking.under_way) == (Decimal(12), Decimal(0), "")
    assert (booking.items[0].status, booking.items[0].can_cancel) == ("booked", True)


def test_items_that_a_feed_names_by_id_keep_their_names_and_prices(sam: Sam) -> None:
    order = sam.booked()
    sam.read_feed(order, message("Order", status="SellerCancelled", whole=False, price=0))
    result_of(sam.flows.settle())
    booking = sam.booking(order)
    assert (booking.state, booking.refunded) == (BookingState.CANCELLED, Decimal(12))
    assert (booking.total, booking.currency) == (Decimal(0), "GBP")
    (item,) = booking.items
    assert (item.name, item.price, item.status) == ("Yoga", Decimal(12), "cancelled by the organiser")


def test_moved_opportunity_is_shown_at_its_new_time(sam: Sam) -> None:
    order = sam.booked()
    moved = {"state": "updated", "kind": "ScheduledSession", "id": "1", "modified": 1}
    raw = msgspec.Raw(json.dumps({**moved, "data": {**WHOLE, "startDate": "2027-03-02T19:00:00Z"}}).encode())
    keeper = FeedKeeper(sam.flows.database, SITE, "ScheduledSession")
    keeper.start(SESSION, NOW)
    keeper.add(SESSION, Page([raw], is_rpde=True), SESSION)
    Index(sam.flows.database).update()
    (item,) = sam.booking(order).items
    assert (item.start.hour, item.name, item.price) == (19, "Yoga", Decimal(12))


def test_order_that_its_seller_lost_is_not_booked(sam: Sam) -> None:
    order = sam.booked()
    sam.read_feed(order, None)
    assert sam.booking(order).state is BookingState.LOST


def test_purchase_under_way_is_told(sam: Sam) -> None:
    basket = sam.basket()
    with pytest.raises(UnfinishedError):
        result_of(basket.book(), [NoAnswerError("cut")] * 20)
    booking = sam.booking(basket.owned.order)
    assert booking.state is BookingState.UNDER_WAY
    assert "the Order is being booked" in booking.under_way


def test_reversed_basket_is_a_basket_again(sam: Sam, monkeypatch: pytest.MonkeyPatch) -> None:
    basket = sam.basket()

    def decline(_: object) -> None:
        raise DeclinedError("The card has expired.")

    monkeypatch.setattr(sam.till, "capture", decline)
    with pytest.raises(DeclinedError):
        result_of(basket.book(), [answer(201, message("Order")), answer(204)])
    booking = sam.booking(basket.owned.order)
    assert (booking.state, booking.paid) == (BookingState.BASKET, Decimal(0))


def test_proposal_is_shown_with_its_state(sam: Sam) -> None:
    basket = sam.basket()
    version: dict[str, Any] = {"orderProposalVersion": "https://x.example/versions/1", "orderRequiresApproval": True}
    proposal = message("OrderProposal", **version)
    result_of(basket.quote(), [answer(200, message("OrderQuote", orderRequiresApproval=True))])
    result_of(basket.propose(), [answer(201, proposal)])
    order = basket.owned.order
    states = []
    for modified, status in enumerate(("AwaitingSellerConfirmation", "SellerAccepted"), 1):
        data = {**proposal, "orderProposalStatus": f"https://openactive.io/{status}"}
        sam.read_feed(order, data, modified, "OrderProposal")
        booking = sam.booking(order)
        states.append(booking.state)
        assert (booking.version, booking.can_be_withdrawn) == (version["orderProposalVersion"], True)
    result_of(sam.flows.reject_proposal(order, "sam"), [answer(204)])
    assert [*states, sam.booking(order).state] == [
        BookingState.AWAITING,
        BookingState.ACCEPTED,
        BookingState.CUSTOMER_REJECTED,
    ]


@pytest.mark.spec("OB-BRK-14")
def test_booking_of_another_customer_is_not_shown(sam: Sam) -> None:
    order = sam.booked()
    assert isinstance(play(sam.flows.booking(order, "eve")).error, OrderAccessError)
    assert result_of(sam.flows.bookings("eve")) == ()


def test_forgotten_customer_keeps_the_state_of_bookings(sam: Sam) -> None:
    order = sam.booked()
    assert result_of(sam.flows.forget_customer("sam")) == 0
    assert sam.booking(order).state is BookingState.BOOKED
