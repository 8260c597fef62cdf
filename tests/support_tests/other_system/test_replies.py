"""Our message types, and the validators of OpenActive, read the replies of the other Booking System."""

from typing import Any
from uuid import uuid4

import httpx2
import msgspec
import pytest

from openbooking.openactive.messages import (
    OpenBookingError,
    Order,
    OrderFeedData,
    OrderItem,
    OrderProposal,
    OrderProposalFeedData,
    OrderQuote,
)
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.other_system.caller import OURS, Caller, calling, decoded, feeds, harvested
from support.validators import Validator

MODES = {"Order": "OrdersFeed", "OrderProposal": "OrderProposalsFeed"}


def lifecycle(caller: Caller) -> None:
    """Quote, propose, book, cancel and read everything, decoding each reply with our types."""
    other = caller.system
    assert decoded(caller.quote("yoga", "climbing", "badminton", "walk"), OrderQuote).ordered_item
    for keys in (("yoga", "climbing"), ("walk",), ("badminton", "tennis")):
        uuid, response = caller.book(*keys)
        assert response.status_code == 201, response.text
        assert {item.position for item in decoded(response, Order).ordered_item} == set(range(len(keys)))
        other.cancel(uuid, 0, message="Fermé")
    full = caller.quote("tennis", "yoga")
    assert full.status_code == 409
    assert [len(item.error) for item in sorted(decoded(full, OrderQuote).ordered_item, key=_position)] == [1, 0]
    uuid = str(uuid4())
    proposed = caller.call("PUT", f"order-proposals/{uuid}", caller.body("OrderProposal", "coaching"))
    version = decoded(proposed, OrderProposal).order_proposal_version
    other.accept(uuid)
    types = {"Order": OrderFeedData, "OrderProposal": OrderProposalFeedData}
    news = caller.news()
    assert [item["kind"] for item in news] == ["Order", "Order", "Order", "OrderProposal"]
    for item in news:
        msgspec.convert(item["data"], types[item["kind"]])
    booked = caller.call("PUT", f"orders/{uuid}", {"@type": "Order", "orderProposalVersion": version})
    assert decoded(booked, Order).ordered_item[0].position is None
    assert [item["state"] for item in caller.news()] == ["deleted"]


def unexpected_type(caller: Caller) -> httpx2.Response:
    """Return the error that refuses an OrderQuote in place of an Order."""
    return caller.call("PUT", f"orders/{uuid4()}", caller.body("OrderQuote", "yoga"))


def _position(item: OrderItem) -> int:
    assert item.position is not None
    return item.position


@pytest.mark.parametrize(
    "changes",
    [
        {},
        OURS,
        {"feed_opportunities": "reference", "feed_unchanged_items": "brief", "errors": "full"},
        {"feed_opportunities": "reference", "references": "text", "prices": "text", "proposal_items": "suite"},
    ],
)
def test_replies_are_read_by_our_types(changes: dict[str, Any]) -> None:
    with calling(**changes) as caller:
        lifecycle(caller)


def test_without_differences_all_messages_pass_the_validators(validator: Validator) -> None:
    with calling(**OURS, endpoint_slash=False, prepayment="openBookingPrepayment") as caller:
        system, uuid = caller.system, str(uuid4())
        system.differ(proposal_items="suite", feed_opportunities="reference", order_status=200)
        judged = [("C2Response", caller.quote("yoga", "climbing", "badminton", "tennis", "walk").json())]
        booked, response = caller.book("yoga", "badminton")
        judged.append(("BResponse", response.json()))
        proposed = caller.call("PUT", f"order-proposals/{uuid}", caller.body("OrderProposal", "coaching"))
        judged.append(("PResponse", proposed.json()))
        system.cancel(booked, 0, message="Fermé")
        system.accept(uuid)
        judged += [(MODES[item["kind"]], item["data"]) for item in caller.news()]
        judged.append(("OrderStatus", caller.call("GET", f"orders/{booked}").json()))
        # The trampoline has a flow requirement that the validator does not know.
        items = [item for url in feeds(system) for item in harvested(url) if item["state"] == "updated"]
        judged += [("BookableRPDEFeed", item["data"]) for item in items if item["id"] != "trampoline"]
    faults = [fault for mode, document in judged for fault in validator.failures(mode, document)]
    assert faults == []
    assert {mode for mode, _ in judged} > set(MODES.values())


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"full_type_addresses": "questions"}, "orderItemIntakeForm.*@type"),
        ({"full_type_addresses": "all"}, "@type"),
        ({"flag_texts": True}, "valueRequired"),
        ({"access_code_names": False}, "accessCode"),
        ({"proposal_status_list": True}, "orderProposalStatus"),
        ({"lists_of_one": "member"}, "orderedItem"),
    ],
)
def test_our_types_alone_do_not_read_some_lawful_replies(changes: dict[str, Any], place: str) -> None:
    with calling(**changes) as caller, pytest.raises(msgspec.ValidationError, match=place):
        lifecycle(caller)


@pytest.mark.parametrize("errors", ["full", "type"])
def test_errors_are_read_by_our_types(caller: Caller, errors: str) -> None:
    caller.system.differ(errors=errors, context="text")
    error = decoded(unexpected_type(caller), OpenBookingError)
    assert error.type == "UnexpectedOrderTypeError"
    assert error.status_code == (500 if errors == "full" else None)


def test_our_type_alone_does_not_read_an_error_with_a_list_of_contexts(caller: Caller) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(unexpected_type(caller), OpenBookingError)


def test_replies_differ_from_ours_in_their_form(caller: Caller) -> None:
    response = caller.quote("yoga", "badminton")
    assert response.headers["Content-Type"] == f"{BOOKING_MEDIA_TYPE}; charset=utf-8"
    assert response.content.isascii()
    assert b"\\u00e9" in response.content
    document = response.json()
    assert [item["position"] for item in document["orderedItem"]] == [1, 0]
    assert "lease" not in document
    assert document["totalPaymentDue"]["price"] == "18.50"
    assert isinstance(document["@context"], list)
    assert b'"identifier"' not in response.content
    person = caller.quote("pilates").json()["seller"]
    assert person["@type"] == "Person"
