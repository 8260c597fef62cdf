"""The flows of a Broker, driven by hand: OrderProposals that the Customer rejects."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from openbooking.broker import ApiKey, Choice, NotApprovedError, Organization, WrongStateError
from openbooking.broker.core import BrokerFlows
from openbooking.broker.money.news import note_proposal
from openbooking.openactive import errors
from openbooking.openactive.terms import OrderProposalStatus
from support.broker.scripts import answer, play, result_of

SELLER = "https://x.example/seller"
PAGE = answer(
    200,
    {"@type": "Dataset", "name": "D", "accessService": {"endpointUrl": "https://x.example/api"}},
    {"content-type": "application/ld+json"},
)
VERSION = "https://x.example/versions/1"


def reply(type_: str, **more: Any) -> Any:
    items = [{"@type": "OrderItem", "position": 0}]
    body = {"@context": "https://openactive.io/", "@type": type_, "orderedItem": items, "orderRequiresApproval": True}
    return answer(200, {**body, **more})


@pytest.fixture
def broker() -> Iterator[BrokerFlows]:
    flows = BrokerFlows("https://data.example.com/", ApiKey("k"), ":memory:", Organization(name="App"), None, None)
    with closing(flows):
        yield flows


def proposed(broker: BrokerFlows) -> Any:
    """Return a basket that was proposed and that the Seller has accepted."""
    choices = [Choice("https://x.example/s/1", "https://x.example/o/1", SELLER)]
    basket = result_of(broker.begin_basket(choices, customer_key="sam", customer=None, payment=None))
    result_of(basket.quote(), [PAGE, reply("OrderQuote")])
    result_of(basket.propose(), [reply("OrderProposal", orderProposalVersion=VERSION)])
    with broker.database.transaction() as transaction:
        note_proposal(transaction, basket.owned.order, OrderProposalStatus.ACCEPTED, VERSION, None)
    return basket


@pytest.mark.spec("OB-APP-23", "OB-BRK-01")
def test_rejected_proposal_is_not_booked_and_its_basket_begins_again(broker: BrokerFlows) -> None:
    basket = proposed(broker)
    order: uuid.UUID = basket.owned.order
    assert isinstance(play(basket.quote()).error, WrongStateError)
    result_of(broker.reject_proposal(order, "sam", "We found another one."), [answer(204)])
    assert isinstance(play(broker.book_proposal(order, "sam")).error, NotApprovedError)
    played = play(basket.quote(), [reply("OrderQuote")])
    assert played.requests[0].url == f"https://x.example/api/order-quote-templates/{basket.owned.order}"
    assert basket.owned.order != order
    assert result_of(broker.open_basket(order, "sam")).owned.order == basket.owned.order


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "PatchNotAllowedOnPropertyError"),
        (400, "PatchContainsExcessivePropertiesError"),
        (401, "InvalidAPITokenError"),
        (403, "UnauthenticatedError"),
        (404, "UnknownOrderError"),
        (405, "MethodNotAllowedError"),
    ],
)
def test_refused_rejection_raises_its_error_and_leaves_the_proposal(
    broker: BrokerFlows, status: int, name: str
) -> None:
    basket = proposed(broker)
    played = play(broker.reject_proposal(basket.owned.order, "sam"), [answer(status, {"@type": name})])
    assert type(played.error) is getattr(errors, name)
    booked = play(broker.book_proposal(basket.owned.order, "sam"), [reply("Order")])
    assert booked.error is None
