"""Bodies of requests: mistakes with an error class are refused, and other mistakes are ignored."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from openbooking.booking.commands.orders.cancel import ItemPatch
from openbooking.booking.commands.orders.update_proposal import ProposalPatch
from openbooking.booking.model.order import Payment
from openbooking.booking.model.order_request import IntakeAnswer, ItemRequest, OfferOverride, OrderRequest
from openbooking.jsonld.read_order import OrderReader, ProposalBooking
from openbooking.openactive import errors
from openbooking.openactive.ids import FormFieldRef, Identifiers, OfferRef, OrderItemRef
from openbooking.openactive.terms import OPENACTIVE, BrokerRole, OrderType
from support.builders import UUID, VERSION
from support.parties import BROKER, CUSTOMER

Json = dict[str, Any]
IDS = Identifiers("https://booking.example.com/api")
OFFER = OfferRef("session-series/yoga", "adult")
FIELD = FormFieldRef(OFFER, "age")
ITEM: Json = {
    "@type": "OrderItem",
    "position": 0,
    "orderedItem": IDS.opportunity("scheduled-sessions/yoga"),
    "acceptedOffer": IDS.offer(OFFER),
}
ORDER: Json = {
    "@context": OPENACTIVE,
    "@type": "Order",
    "brokerRole": BrokerRole.AGENT,
    "broker": BROKER,
    "seller": IDS.seller("centre"),
    "customer": CUSTOMER,
    "orderedItem": [ITEM],
    "totalPaymentDue": {"@type": "PriceSpecification", "price": 12, "priceCurrency": "GBP"},
    "payment": {"@type": "Payment", "identifier": "payment-1"},
}
OVERRIDE = {"@type": "OfferOverride", "@id": "urn:acme:1", "price": 5, "priceCurrency": "GBP"}


def reader() -> OrderReader:
    return OrderReader(IDS, max_items=2)


def read(**changes: Any) -> OrderRequest:
    """Return an Order read from a body with these changes. None leaves a property out."""
    sent = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
    found = reader().booking(json.dumps(sent).encode(), UUID)
    assert isinstance(found, OrderRequest)
    return found


def read_item(**changes: Any) -> ItemRequest:
    return read(orderedItem=[{**ITEM, **changes}]).items[0]


def test_order_is_read() -> None:
    assert read(orderCustomerNote="Is there a lift?") == OrderRequest(
        seller_id=IDS.seller("centre"),
        seller="centre",
        broker_role=BrokerRole.AGENT,
        broker=BROKER,
        customer=CUSTOMER,
        customer_note="Is there a lift?",
        items=(
            ItemRequest(
                position=0,
                opportunity_id=ITEM["orderedItem"],
                opportunity="scheduled-sessions/yoga",
                offer_id=ITEM["acceptedOffer"],
                offer=OFFER,
            ),
        ),
        total_payment_due=Decimal(12),
        total_currency="GBP",
        payment=Payment(identifier="payment-1"),
    )


@pytest.mark.spec("OB-MT-16")
def test_references_are_read_as_objects_too() -> None:
    as_objects = {name: {"@type": "Thing", "@id": ITEM[name]} for name in ("orderedItem", "acceptedOffer")}
    assert read_item(**as_objects) == read_item()
    assert read(seller={"@type": "Organization", "@id": ORDER["seller"]}) == read()


@pytest.mark.spec("OB-MT-10")
@pytest.mark.parametrize(
    ("changes", "same_as"),
    [
        ({"@context": 5, "acme:x": [None]}, {}),
        ({"orderCustomerNote": 5}, {}),
        ({"payment": "card"}, {"payment": None}),
        ({"payment": {"@type": 5, "identifier": "payment-1", "name": []}}, {}),
        ({"totalPaymentDue": "12 GBP"}, {"totalPaymentDue": None}),
        ({"totalPaymentDue": {"price": 12, "priceCurrency": "GBP", "openBookingPrepayment": "Maybe"}}, {}),
        ({"totalPaymentDue": {"@type": 5, "price": "12.00", "priceCurrency": "GBP"}}, {}),
        ({"totalPaymentDue": {"price": True}}, {"totalPaymentDue": None}),
        ({"totalPaymentDue": {"price": 10**15}}, {"totalPaymentDue": None}),
        ({"totalPaymentDue": {"price": -(10**15)}}, {"totalPaymentDue": None}),
        ({"orderedItem": [{**ITEM, "@type": "Item", "attendee": "Ann", "orderedItemx": 1}]}, {}),
        ({"orderedItem": [{**ITEM, "accessPass": None, "orderItemIntakeFormResponse": None}]}, {}),
    ],
)
def test_mistake_without_an_error_class_is_ignored(changes: Json, same_as: Json) -> None:
    assert read(**changes) == read(**same_as)


SEVEN = [{**ITEM, "position": position} for position in range(7)]


@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"@type": "OrderQuote"}, errors.UnexpectedOrderTypeError, "The @type must be Order."),
        ({"seller": None}, errors.SellerNotFoundError, "The seller is missing."),
        ({"seller": {"@id": ""}, "brokerRole": 5}, errors.SellerNotFoundError, "The seller is missing."),
        ({"brokerRole": None}, errors.IncompleteBrokerDetailsError, "The brokerRole is missing"),
        ({"brokerRole": ["x"], "customer": 5}, errors.IncompleteBrokerDetailsError, "The brokerRole is missing"),
        ({"broker": "Acme"}, errors.IncompleteBrokerDetailsError, "The broker is not an object."),
        ({"customer": [], "orderedItem": 5}, errors.IncompleteCustomerDetailsError, "The customer is not an object."),
        ({"orderedItem": None}, errors.OpenBookingError, "The Order has no orderedItem."),
        ({"orderedItem": []}, errors.OpenBookingError, "The Order has no orderedItem."),
        ({"orderedItem": ITEM}, errors.OpenBookingError, "orderedItem must be an array of objects."),
        ({"orderedItem": [ITEM, "x"]}, errors.OpenBookingError, "orderedItem must be an array of objects."),
        ({"orderedItem": SEVEN}, errors.RequestTooLargeError, "An Order may have 2 OrderItems at most."),
        ({"orderedItem": [{}] * 7}, errors.RequestTooLargeError, "An Order may have 2 OrderItems at most."),
        ({"orderedItem": [ITEM, ITEM]}, errors.OpenBookingError, "Two OrderItems have the same position."),
    ],
)
def test_mistake_is_refused_with_its_error_class(
    changes: Json, error: type[errors.OpenBookingError], description: str
) -> None:
    with pytest.raises(errors.OpenBookingError) as fault:
        read(**changes)
    assert type(fault.value) is error
    assert str(fault.value.description).startswith(description)


@pytest.mark.parametrize("position", [None, "0", 0.5, True, -1, 2**31])
def test_item_without_a_position_is_refused(position: Any) -> None:
    with pytest.raises(errors.OpenBookingError, match="Every OrderItem needs a position"):
        read_item(position=position)


@pytest.mark.parametrize("name", ["accessPass", "orderItemIntakeFormResponse"])
@pytest.mark.parametrize("value", [{}, "x", [5]])
def test_array_of_other_values_than_objects_is_refused(name: str, value: Any) -> None:
    with pytest.raises(errors.OpenBookingError, match=f"{name} must be an array of objects"):
        read_item(**{name: value})


@pytest.mark.spec("OB-ACC-11", "OB-CUST-17")
def test_details_of_an_item_are_kept_as_they_were_sent() -> None:
    answer = {"@type": "PropertyValue", "propertyID": IDS.form_field(FIELD), "value": "30", "acme:x": 1}
    foreign = {"propertyID": 5}
    attendee = {"@type": "Person", "givenName": "Ann", "acme:x": [1]}
    barcode = {"@type": "Barcode", "text": "1", "acme:x": 1}
    found = read_item(
        attendee=attendee,
        orderItemIntakeFormResponse=[answer, foreign],
        accessPass=[barcode, {"@type": "ImageObject", "url": "https://example.com/x"}],
    )
    assert found.attendee == attendee
    assert found.intake_answers == (IntakeAnswer(field=FIELD, sent=answer), IntakeAnswer(sent=foreign))
    assert found.access_passes == (barcode,)


@pytest.mark.spec("OB-OVR-11")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, OfferOverride(price=Decimal(5), currency="GBP", properties={"@id": "urn:acme:1"})),
        (
            {"@id": None, "price": 0, "priceCurrency": None, "name": "Free", "description": "For staff"},
            OfferOverride(price=Decimal(0), name="Free", properties={"description": "For staff"}),
        ),
        (
            {"name": 5, "description": [], "ageRestriction": 5},
            OfferOverride(price=Decimal(5), currency="GBP", properties={"@id": "urn:acme:1"}),
        ),
        ({"price": None}, None),
        ({"price": True}, None),
        ({"price": -5}, None),
        ({"price": "five"}, None),
        ({"priceCurrency": None}, None),
        ({"priceCurrency": "pounds"}, None),
        ({"price": 0, "priceCurrency": 5}, None),
        ({"@id": 5}, None),
        ({"@id": "javascript:alert(1)"}, None),
        ({"@id": ""}, None),
    ],
)
def test_override_that_is_not_valid_is_left_out(changes: Json, expected: OfferOverride | None) -> None:
    sent = {name: value for name, value in {**OVERRIDE, **changes}.items() if value is not None}
    found = read_item(acceptedOffer=sent)
    assert (found.override, found.offer_id) == (expected, None)


@pytest.mark.spec("OB-APP-29")
@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (IDS.proposal_version(UUID, VERSION), VERSION),
        ({"@id": IDS.proposal_version(UUID, VERSION)}, VERSION),
        (5, None),
    ],
)
def test_booking_of_a_proposal_is_read(version: Any, expected: str | None) -> None:
    sent = {"@type": "Order", "orderProposalVersion": version, "payment": {"@type": "DynamicPayment", "name": 5}}
    found = reader().booking(json.dumps(sent).encode(), UUID)
    assert found == ProposalBooking(expected, Payment(dynamic=True))


@pytest.mark.spec("OB-CAN-11")
def test_cancellations_are_read() -> None:
    item_id = IDS.order_item(OrderItemRef(UUID, 1))
    items = [{"@id": item_id, "orderItemStatus": "x", "acme:reason": 1}, {"@id": 5, "orderItemStatus": ["x"]}]
    found = reader().item_patches(json.dumps({"@type": "Order", "orderedItem": items}).encode())
    assert found == (
        ItemPatch(item_id=item_id, ref=OrderItemRef(UUID, 1), status="x"),
        ItemPatch(item_id=None, ref=None, status=["x"]),
    )


@pytest.mark.spec("OB-OPU-03")
def test_change_of_a_proposal_is_read_as_it_was_sent() -> None:
    sent = {"@type": "OrderProposal", "orderProposalStatus": 5, "orderCustomerNote": "Hello"}
    assert reader().proposal_patch(json.dumps(sent).encode()) == ProposalPatch(5, "Hello")


@pytest.mark.spec("OB-CAN-11")
@pytest.mark.parametrize(
    ("read_patch", "type_", "sent"),
    [
        (OrderReader.item_patches, OrderType.ORDER, {"orderedItem": [{}], "customer": {}}),
        (OrderReader.item_patches, OrderType.ORDER, {"orderedItem": [{"position": 0}]}),
        (OrderReader.proposal_patch, OrderType.PROPOSAL, {"orderedItem": []}),
    ],
)
def test_patch_with_more_than_may_be_changed_is_refused(
    read_patch: Callable[[OrderReader, bytes], object], type_: OrderType, sent: Json
) -> None:
    with pytest.raises(errors.PatchContainsExcessivePropertiesError, match="Not permitted here"):
        read_patch(reader(), json.dumps({"@type": type_, **sent}).encode())
