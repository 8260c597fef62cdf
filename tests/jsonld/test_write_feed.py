"""Items of the open feeds and of the Orders feeds."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import FormField
from openbooking.booking.model.order import Access, BookedItem, BookedOrder, Payment, PersonalData, Proposal, Totals
from openbooking.booking.model.record import ItemState, OrderRecord, ProposalRecord
from openbooking.booking.model.spaces import Spaces
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive import messages
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import OPENACTIVE, BrokerRole, FormFieldType, OrderItemStatus, OrderType
from support.builders import NOW, PRICE, UUID, VERSION, offer, session, slot
from support.parties import BROKER, CENTRE, CUSTOMER

Json = dict[str, Any]
API = "https://booking.example.com/api"
WRITER = JsonLdFeedWriter(Writer(Identifiers(API)))
YOGA, COURT = session("yoga"), slot("court")
QUESTION = FormField(key="age", type=FormFieldType.SHORT_ANSWER, name="Age", description="How old are you?")
ASKING = offer("session-series/series-yoga", intake_form=(QUESTION,))
ITEM = BookedItem(number=1, position=0, opportunity=YOGA[1], parents=(YOGA[0],), offer=ASKING)
ORDER = BookedOrder(
    type=OrderType.ORDER,
    uuid=UUID,
    seller=CENTRE,
    broker_role=BrokerRole.AGENT,
    broker=BROKER,
    items=(ITEM,),
    totals=Totals(price=PRICE, currency="GBP"),
    payment=Payment(identifier="payment-1"),
    personal=PersonalData(customer=CUSTOMER, attendees={1: {"@type": "Person"}}, intake_answers={1: ({"value": 1},)}),
)
STATE = ItemState(customer_notice="Bring a mat", access=Access(code="123"))
RECORD = OrderRecord(partner="alice", uuid=UUID, seller="centre", order=ORDER, states=(STATE,))
PROPOSAL = ProposalRecord(
    partner="alice",
    uuid=UUID,
    seller="centre",
    order=replace(
        ORDER, type=OrderType.PROPOSAL, items=(replace(ITEM, access=Access(own_passes=({"@type": "Barcode"},))),)
    ),
    proposal=Proposal(made=NOW, version=VERSION, seller_note="Welcome"),
)


def order_item(record: OrderRecord) -> Json:
    ((item),) = msgspec.json.decode(WRITER.order(record))["orderedItem"]
    found: Json = item
    return found


@pytest.mark.spec("OB-OF-21", "OB-OF-22")
def test_order_in_the_feed_has_its_state_and_no_personal_data() -> None:
    found = msgspec.json.decode(WRITER.order(RECORD))
    (item,) = found.pop("orderedItem")
    assert found == {
        "@context": [OPENACTIVE, f"{OPENACTIVE}ns-beta"],
        "@type": "Order",
        "@id": f"{API}/orders/{UUID}",
        "identifier": UUID,
        "totalPaymentDue": {"@type": "PriceSpecification", "price": 12, "priceCurrency": "GBP"},
    }
    assert item.pop("acceptedOffer")["@type"] == "Offer"
    assert item == {
        "@type": "OrderItem",
        "@id": f"{API}/orders/{UUID}#/orderedItem/1",
        "orderedItem": f"{API}/identifiers/scheduled-sessions/yoga",
        "orderItemStatus": OrderItemStatus.CONFIRMED,
        "customerNotice": "Bring a mat",
        "accessCode": [{"@type": "PropertyValue", "name": "Access code", "description": "123"}],
    }


def test_order_in_the_feed_holds_its_opportunities_once_their_logistics_have_changed() -> None:
    moved = replace(RECORD, states=(replace(STATE, logistics_changed=True),))
    assert order_item(moved)["orderedItem"]["superEvent"]["name"] == "Yoga"


@pytest.mark.parametrize("family", [slot("court"), slot("hall", individual=False)], ids=["court", "hall"])
def test_facility_in_the_orders_feed_has_its_provider(family: list[Any]) -> None:
    *parents, bookable = family
    item = replace(ITEM, opportunity=bookable, parents=tuple(reversed(parents)), offer=bookable.offers[0])
    moved = replace(RECORD, order=replace(ORDER, items=(item,)), states=(replace(STATE, logistics_changed=True),))
    facility = order_item(moved)["orderedItem"]["facilityUse"]
    while facility:
        assert facility["provider"]["name"] == "Riverside Centre"
        facility = facility.get("aggregateFacilityUse")


@pytest.mark.spec("OB-DYN-10")
def test_order_with_a_dynamic_payment_has_no_prices_in_the_feed() -> None:
    dynamic = replace(RECORD, order=replace(ORDER, payment=Payment(dynamic=True)))
    assert "totalPaymentDue" not in msgspec.json.decode(WRITER.order(dynamic))
    assert "acceptedOffer" not in order_item(dynamic)


@pytest.mark.spec("OB-OPF-02", "OB-OPF-04")
def test_proposal_in_the_feed_has_its_questions_and_no_answers() -> None:
    found = msgspec.json.decode(WRITER.proposal(PROPOSAL))
    assert found["orderProposalVersion"] == f"{API}/order-proposals/{UUID}/versions/{VERSION}"
    assert found["orderProposalStatus"] == f"{OPENACTIVE}AwaitingSellerConfirmation"
    assert found["orderSellerNote"] == "Welcome"
    (item,) = found["orderedItem"]
    assert [question["name"] for question in item["orderItemIntakeForm"]] == ["Age"]
    assert not {"orderItemStatus", "orderItemIntakeFormResponse", "attendee", "accessPass"} & item.keys()


def test_feed_data_is_decoded_by_its_type() -> None:
    for encoded, type_ in (
        (WRITER.order(RECORD), messages.OrderFeedData),
        (WRITER.proposal(PROPOSAL), messages.OrderProposalFeedData),
    ):
        decoded = msgspec.json.decode(encoded, type=type_)
        assert msgspec.json.encode(decoded) == encoded
    with pytest.raises(msgspec.ValidationError, match="@type"):
        msgspec.json.decode(WRITER.order(RECORD), type=messages.OrderProposalFeedData)


def test_opportunity_in_its_feed_has_offers_and_refers_to_its_parent() -> None:
    series, made = YOGA
    found = msgspec.json.decode(WRITER.opportunity(made, Spaces(booked=3), [series], CENTRE))
    assert found["superEvent"] == f"{API}/identifiers/session-series/series-yoga"
    assert found["remainingAttendeeCapacity"] == 7
    parent = msgspec.json.decode(WRITER.opportunity(series, Spaces(), [], CENTRE))
    assert (parent["organizer"]["name"], parent["offers"][0]["name"]) == ("Riverside Centre", "Adult")


def test_facility_in_its_feed_has_a_provider_and_holds_its_parent() -> None:
    facility, court, bookable = COURT
    found = msgspec.json.decode(WRITER.opportunity(court, Spaces(), [facility], CENTRE))
    assert found["provider"]["isOpenBookingAllowed"] is True
    assert found["aggregateFacilityUse"]["name"] == "Squash"
    shown = msgspec.json.decode(WRITER.opportunity(bookable, Spaces(leased=1), [court, facility], CENTRE))
    assert (shown["maximumUses"], shown["remainingUses"]) == (1, 0)
