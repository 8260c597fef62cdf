"""One thing takes no more room than a setting allows: Opportunities and Sellers, and the Orders of Brokers."""

import pytest
from msgspec.structs import replace

from builders import PRICE, book, item, propose, request, session, situation
from openbooking.booking.command import Command
from openbooking.booking.policy import Policy
from openbooking.booking.publish import Publish, PublishSeller
from openbooking.spec.errors import RequestTooLargeError
from openbooking.spec.terms import FlowRequirement
from people import CENTRE, MANAGER

SERIES, MADE = session()
LONG = replace(SERIES, properties={**SERIES.properties, "description": "x" * 200_000})
ITEMS = tuple(item([LONG, MADE], position) for position in range(60))
ASKED = request(*ITEMS, total_payment_due=PRICE * len(ITEMS))


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (Publish((LONG, MADE), actor=MANAGER), LONG.path),
        (
            PublishSeller(replace(CENTRE, properties={"description": "x" * 200_000}), actor=MANAGER),
            f"Seller {CENTRE.name}",
        ),
    ],
)
def test_what_is_published_is_refused_over_the_bound_and_the_refusal_names_it(command: Command, name: str) -> None:
    with pytest.raises(RequestTooLargeError, match=f"{name} takes 200,.* bytes; max_published_bytes allows 200,000"):
        command.decide(situation())
    assert command.decide(situation(policy=Policy(max_published_bytes=250_000))).changes


@pytest.mark.parametrize("approval", [False, True])
def test_an_order_is_refused_over_the_bound(approval: bool) -> None:
    flow = (FlowRequirement.APPROVAL,) if approval else ()
    series = replace(LONG, offers=tuple(replace(offer, flow=flow) for offer in LONG.offers))
    family = [series, replace(MADE, capacity=100)]
    command = (propose if approval else book)(ASKED)
    with pytest.raises(RequestTooLargeError, match=r"The Order takes 12,.* bytes; max_order_bytes allows 10,000,000"):
        command.decide(situation(family))
    assert command.decide(situation(family, policy=Policy(max_order_bytes=20_000_000))).changes


def test_what_is_stored_already_is_booked_whatever_its_size() -> None:
    one = request(ITEMS[0], total_payment_due=PRICE)
    assert book(one).decide(situation([LONG, MADE])).changes
