"""Replies to C1, C2, P, B and Order Status, and errors."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.model.order import (
    Access,
    BookedItem,
    BookedOrder,
    Order,
    OrderItem,
    Payment,
    PersonalData,
    Proposal,
    TaxCharge,
    Totals,
)
from openbooking.booking.model.record import ItemState, OrderRecord
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_order import OrderWriter, write_error
from openbooking.openactive.errors import OpenBookingError, RequestTooLargeError, UnknownOrderError
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.terms import OPENACTIVE, BrokerRole, OrderItemStatus, OrderType, TaxTreatment
from support.builders import NOW, PRICE, UUID, VERSION, offer, session
from support.parties import BROKER, CENTRE, CUSTOMER

Json = dict[str, Any]
API = "https://booking.example.com/api"
SERVICE = {"@type": "BookingService", "name": "Test", "url": "https://booking.example.com"}
WRITER = OrderWriter(Writer(Identifiers(API)), SERVICE)
YOGA = session("yoga")
TAX = (TaxCharge(name="VAT at 20%", rate=Decimal("0.2"), price=Decimal(2), currency="GBP"),)
ITEM = OrderItem(
    number=1,
    position=0,
    opportunity_id="id:yoga",
    offer_id="id:adult",
    opportunity=YOGA[1],
    parents=(YOGA[0],),
    offer=offer("session-series/series-yoga"),
    remaining=9,
    tax=TAX,
)
ORDER = Order(
    type=OrderType.ORDER,
    uuid=UUID,
    seller=CENTRE,
    broker_role=BrokerRole.AGENT,
    broker=BROKER,
    items=(ITEM,),
    totals=Totals(price=PRICE, currency="GBP", tax=TAX),
    payment=Payment(identifier="payment-1"),
    personal=PersonalData(customer=CUSTOMER, attendees={1: {"@type": "Person", "acme:x": 1}}),
)
FULL = ItemError(type=ItemErrorType.OPPORTUNITY_IS_FULL, description="Sold out.", instance="https://schema.org/x")


BOOKED_ITEM = BookedItem(
    number=1, position=0, opportunity=YOGA[1], parents=(YOGA[0],), offer=offer("session-series/series-yoga"), tax=TAX
)
BOOKED = BookedOrder(
    type=OrderType.ORDER,
    uuid=UUID,
    seller=CENTRE,
    broker_role=BrokerRole.AGENT,
    items=(BOOKED_ITEM,),
    totals=Totals(price=PRICE, currency="GBP", tax=TAX),
)


def reply(**changes: Any) -> Json:
    found: Json = msgspec.json.decode(WRITER.reply(replace(ORDER, **changes)))
    return found


def reply_item(order: Json | None = None, **changes: Any) -> Json:
    (item,) = reply(items=(replace(ITEM, **changes),), **(order or {}))["orderedItem"]
    found: Json = item
    return found


def test_order_is_shown_with_its_parties_and_totals() -> None:
    found = reply()
    del found["orderedItem"], found["seller"]
    assert found == {
        "@context": [OPENACTIVE, f"{OPENACTIVE}ns-beta"],
        "@type": "Order",
        "@id": f"{API}/orders/{UUID}",
        "brokerRole": BrokerRole.AGENT,
        "broker": BROKER,
        "customer": CUSTOMER,
        "bookingService": SERVICE,
        "totalPaymentDue": {"@type": "PriceSpecification", "price": 12, "priceCurrency": "GBP"},
        "totalPaymentTax": reply_item()["unitTaxSpecification"],
        "payment": {"@type": "Payment", "identifier": "payment-1"},
    }


@pytest.mark.spec("OB-CUST-17")
def test_item_of_an_order_has_id_status_and_access() -> None:
    found = reply_item(access=Access(code="123"))
    assert found["@id"] == f"{API}/orders/{UUID}#/orderedItem/1"
    assert (found["position"], found["orderItemStatus"]) == (0, OrderItemStatus.CONFIRMED)
    assert found["accessCode"][0]["description"] == "123"
    assert found["attendee"] == {"@type": "Person", "acme:x": 1}
    assert found["orderedItem"]["superEvent"]["@type"] == "SessionSeries"


@pytest.mark.spec("OB-C1-10", "OB-C1-11")
def test_item_of_a_quote_has_no_properties_of_bookings() -> None:
    quoted = {"type": OrderType.QUOTE, "lease_expires": NOW, "requires_approval": True}
    found = reply(**quoted)
    assert found["lease"] == {"@type": "Lease", "leaseExpires": "2027-03-01T12:00:00Z"}
    assert found["orderRequiresApproval"] is True
    item = reply_item(quoted, access=Access(code="123"))
    assert not {"@id", "orderItemStatus", "accessCode"} & item.keys()


def test_quote_says_that_no_approval_is_required() -> None:
    assert reply(type=OrderType.QUOTE)["orderRequiresApproval"] is False


def test_item_of_a_proposal_has_an_id_and_no_status() -> None:
    proposed = {"type": OrderType.PROPOSAL, "proposal": Proposal(made=NOW, version=VERSION, seller_note="Welcome")}
    found = reply(**proposed)
    assert found["orderProposalVersion"] == f"{API}/order-proposals/{UUID}/versions/{VERSION}"
    assert found["orderProposalStatus"] == f"{OPENACTIVE}AwaitingSellerConfirmation"
    assert found["orderSellerNote"] == "Welcome"
    item = reply_item(proposed, access=Access(code="123"))
    assert "@id" in item
    assert not {"orderItemStatus", "accessCode"} & item.keys()


def test_item_with_an_error_shows_the_requested_ids() -> None:
    found = reply_item(opportunity=None, parents=(), offer=None, tax=(), errors=(FULL,))
    assert found == {
        "@type": "OrderItem",
        "position": 0,
        "orderedItem": "id:yoga",
        "acceptedOffer": "id:adult",
        "attendee": {"@type": "Person", "acme:x": 1},
        "error": [
            {
                "@type": "OpportunityIsFullError",
                "name": "The Opportunity has no spaces left.",
                "statusCode": 409,
                "description": "Sold out.",
                "instance": "http://schema.org/x",
            }
        ],
    }


@pytest.mark.spec("OB-DYN-10")
def test_order_with_a_dynamic_payment_has_no_prices() -> None:
    found = reply(payment=Payment(dynamic=True, account_id="MOVE"))
    assert found["payment"] == {"@type": "DynamicPayment", "accountId": "MOVE"}
    assert not {"totalPaymentDue", "totalPaymentTax"} & found.keys()
    assert "acceptedOffer" not in found["orderedItem"][0]


@pytest.mark.spec("OB-TAX-08")
def test_order_without_tax_says_that_tax_is_excluded() -> None:
    found = reply(tax=TaxTreatment.EXCLUDED)
    assert found["taxCalculationExcluded"] is True
    assert found["orderedItem"][0]["acceptedOffer"]["price"] == 10
    assert "taxCalculationExcluded" not in reply()


def test_status_shows_the_order_with_its_changes() -> None:
    state = ItemState(status=OrderItemStatus.SELLER_CANCELLED, cancellation_message="Ill", customer_notice="Bring it")
    record = OrderRecord(partner="alice", uuid=UUID, seller="centre", order=BOOKED, states=(state,))
    found = msgspec.json.decode(WRITER.status(record))
    (item,) = found["orderedItem"]
    assert (item["orderItemStatus"], item["cancellationMessage"]) == (state.status, "Ill")
    assert item["customerNotice"] == "Bring it"
    assert "position" not in item
    assert found["totalPaymentDue"]["price"] == 0


@pytest.mark.spec("OB-B-10")
def test_members_keep_the_order_in_which_earlier_versions_sent_them() -> None:
    expected = "@context @type @id brokerRole seller orderedItem totalPaymentDue totalPaymentTax broker bookingService"
    assert list(reply()) == [*expected.split(), "customer", "payment"]
    item = "@type acceptedOffer orderedItem unitTaxSpecification attendee position @id orderItemStatus accessCode"
    assert list(reply_item(access=Access(code="123"))) == item.split()


def test_repeated_reply_has_the_same_bytes() -> None:
    assert WRITER.reply(ORDER) == WRITER.reply(msgspec.json.decode(msgspec.json.encode(ORDER), type=Order))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UnknownOrderError(), {"@type": "UnknownOrderError", "name": "The Order is not known.", "statusCode": 404}),
        (
            RequestTooLargeError("Too many."),
            {
                "@type": "OpenBookingError",
                "name": "The request is larger than this Booking System accepts.",
                "statusCode": 413,
                "description": "Too many.",
            },
        ),
        (
            OpenBookingError("No.", instance="https://example.com/x"),
            {
                "@type": "OpenBookingError",
                "name": OpenBookingError.name,
                "statusCode": 400,
                "description": "No.",
                "instance": "https://example.com/x",
            },
        ),
    ],
)
def test_error_is_shown_under_a_class_of_the_specification(error: OpenBookingError, expected: Json) -> None:
    common = {"@context": OPENACTIVE, "requestId": "r1"}
    assert msgspec.json.decode(write_error(error, "r1")) == {**common, **expected}
