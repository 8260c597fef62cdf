"""What the client sends is valid by OpenActive's data models (OB 9.2, AMB-07)."""

import uuid
from contextlib import closing
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.broker import ApiKey, Choice, Organization, Person
from openbooking.broker.api.endpoints import BookingApi
from openbooking.broker.core import BrokerFlows
from openbooking.openactive.messages import OrderProposalPatch, Payment, ProposalBookingRequest
from openbooking.openactive.terms import OPENACTIVE, OrderProposalStatus
from support.broker.scripts import answer, play, result_of
from support.validators import Validator

SELLER = "https://x.example/api/identifiers/seller"
CHOICE = Choice(
    "https://x.example/api/identifiers/slots/1", "https://x.example/api/identifiers/slots/1#/offers/1", SELLER
)
PAGE = answer(
    200,
    {"@type": "Dataset", "name": "D", "accessService": {"endpointUrl": "https://x.example/api"}},
    {"content-type": "application/json"},
)
FORM = {"@type": "BooleanFormFieldSpecification", "@id": "https://x.example/photo", "name": "Photos"}
QUOTE: dict[str, Any] = {
    "@context": OPENACTIVE,
    "@type": "OrderQuote",
    "orderedItem": [
        {
            "@type": "OrderItem",
            "position": 0,
            "attendeeDetailsRequired": ["https://schema.org/givenName"],
            "orderItemIntakeForm": [FORM],
        }
    ],
    "totalPaymentDue": {
        "@type": "PriceSpecification",
        "price": 12.5,
        "priceCurrency": "GBP",
        "openBookingPrepayment": f"{OPENACTIVE}Required",
    },
}


@pytest.mark.spec("OB-MT-16", "OB-BRK-15")
def test_every_body_is_valid(validator: Validator) -> None:
    with closing(
        BrokerFlows("https://x.example/", ApiKey("k"), ":memory:", Organization(name="App"), None, None)
    ) as broker:
        basket = result_of(broker.begin_basket([CHOICE], customer_key="sam", customer=None, payment=None))
        c1 = play(basket.quote(), [PAGE, answer(200, QUOTE)]).bodies[1]
        result_of(basket.set_customer(Person(email="sam@example.com", given_name="Sam")), [answer(200, QUOTE)])
        answers = {0: {"https://schema.org/givenName": "Ann", "https://x.example/photo": False}}
        (c2,) = play(basket.answer(answers), [answer(200, QUOTE)]).bodies
        booking = replace(basket.booking_request(), payment=Payment(type="Payment", identifier="p-1"))
        result_of(basket.quote(), [answer(200, {**QUOTE, "orderRequiresApproval": True})])
        proposal = replace(basket.booking_request(), payment=Payment(type="Payment", identifier="p-1"))
    api, order = BookingApi("https://x.example/api", ApiKey("k")), uuid.uuid4()
    version = "https://x.example/api/order-proposals/1/versions/1"
    booked, rejected = {**QUOTE, "@type": "Order"}, OrderProposalStatus.CUSTOMER_REJECTED.value
    sent = {
        "C1Request": c1,
        "C2Request": c2,
        "BRequest": play(api.book(order, booking), [answer(201, booked)]).bodies[0],
        "PRequest": play(api.propose(order, proposal), [answer(201, {**QUOTE, "@type": "OrderProposal"})]).bodies[0],
        "BOrderProposalRequest": play(
            api.book(order, ProposalBookingRequest(context=OPENACTIVE, order_proposal_version=version)),
            [answer(201, booked)],
        ).bodies[0],
        "OrderPatch": play(api.cancel(order, ["https://x.example/api/orders/1#/orderedItem/1"]), [answer(204)]).bodies[
            0
        ],
        "OrderProposalPatch": play(
            api.update_proposal(order, OrderProposalPatch(context=OPENACTIVE, order_proposal_status=rejected)),
            [answer(204)],
        ).bodies[0],
    }
    assert [(mode, fault) for mode, body in sent.items() for fault in validator.failures(mode, body)] == []
    assert validator.failures("C1Request", {**c1, "seller": None}) != []
