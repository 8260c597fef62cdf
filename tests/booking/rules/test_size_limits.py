"""The number of bytes that one Opportunity, Seller or Order may take."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import Policy
from openbooking.booking.rules.size_limits import check_published, check_record
from openbooking.openactive.errors import RequestTooLargeError
from openbooking.openactive.terms import FlowRequirement
from support.builders import PRICE, UUID, after, book, item, order_record, propose, quote, request, session, situation
from support.parties import CENTRE, MANAGER

SERIES, MADE = session()
LONG = replace(SERIES, properties={**SERIES.properties, "description": "x" * 250_000})
ITEMS = tuple(item([LONG, MADE], position) for position in range(50))
ASKED = request(*ITEMS, total_payment_due=PRICE * len(ITEMS))


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (Publish((LONG, MADE), actor=MANAGER), LONG.path),
        (
            PublishSeller(replace(CENTRE, properties={"description": "x" * 250_000}), actor=MANAGER),
            f"Seller {CENTRE.name}",
        ),
    ],
)
def test_a_publication_over_the_bound_is_refused_with_its_path(command: Command[Any], name: str) -> None:
    with pytest.raises(RequestTooLargeError, match=f"{name} takes 25.,.* bytes; max_published_bytes allows 250,000"):
        command.decide(situation())
    assert command.decide(situation(policy=Policy(max_published_bytes=300_000))).changes


@pytest.mark.parametrize("ask", [quote, book, propose])
def test_an_order_is_refused_over_the_bound_from_its_first_quote_on(
    ask: Callable[[OrderRequest], Command[Any]],
) -> None:
    flow = (FlowRequirement.APPROVAL,) if ask is propose else ()
    series = replace(LONG, offers=tuple(replace(offer, flow=flow) for offer in LONG.offers))
    family = [series, replace(MADE, capacity=100)]
    command = ask(ASKED)
    with pytest.raises(RequestTooLargeError, match=r"The Order takes 12,.* bytes; max_order_bytes allows 10,000,000"):
        command.decide(situation(family))
    assert command.decide(situation(family, policy=Policy(max_order_bytes=20_000_000))).changes


def test_changes_of_opportunities_do_not_make_an_order_grow_over_the_bound() -> None:
    """The error names the Order. An Order that is larger already may keep its size."""
    family = [SERIES, replace(MADE, capacity=100)]
    booked = after(situation(family), book(ASKED))
    renamed = Publish(
        (replace(LONG, properties={**LONG.properties, "name": "Yoga Flow", "description": "x" * 240_000}),),
        actor=MANAGER,
    )
    with pytest.raises(RequestTooLargeError, match=f"Order {UUID} takes .* max_order_bytes allows 10,000,000"):
        renamed.decide(booked)
    told = after(replace(booked, policy=Policy(max_order_bytes=20_000_000)), renamed)
    again = Publish((replace(renamed.opportunities[0], properties=SERIES.properties),), actor=MANAGER)
    assert again.decide(replace(told, policy=Policy())).changes


def test_stored_opportunities_above_the_size_limit_are_booked_and_published_again() -> None:
    one = request(ITEMS[0], total_payment_due=PRICE)
    large = situation([LONG, MADE])
    assert book(one).decide(large).changes
    assert Publish((LONG,), actor=MANAGER).decide(large).changes


def test_a_large_order_may_change_as_long_as_it_does_not_grow() -> None:
    record = order_record(after(situation([SERIES, MADE]), book(request(ITEMS[0], total_payment_due=PRICE))))
    check_record(record, replace(record, updated=False), Policy(max_order_bytes=10))
    with pytest.raises(RequestTooLargeError):
        check_record(record, replace(record, updated=True), Policy(max_order_bytes=10))


def test_a_publication_may_take_as_many_bytes_as_the_limit() -> None:
    size = len(msgspec.json.encode(MADE))
    check_published(None, MADE, Policy(max_published_bytes=size))
    with pytest.raises(RequestTooLargeError):
        check_published(None, MADE, Policy(max_published_bytes=size - 1))
