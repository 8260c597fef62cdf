"""How much room one thing may take that others store here: Opportunities and Sellers, and the Orders of Brokers.

A bound meets what is new. What is stored already stays, and is served, whatever its size.
"""

import msgspec

from openbooking.booking.opportunity import Opportunity, Seller
from openbooking.booking.order import Order
from openbooking.booking.policy import Policy
from openbooking.spec.errors import RequestTooLargeError

_encode = msgspec.json.Encoder().encode


def check_published(thing: Opportunity | Seller, policy: Policy) -> None:
    """Raise RequestTooLargeError if what is published takes more bytes as JSON than one thing may."""
    name = thing.path if isinstance(thing, Opportunity) else f"Seller {thing.name}"
    _check(name, len(_encode(thing)), policy.max_published_bytes, "max_published_bytes")


def check_order(order: Order, policy: Policy) -> None:
    """Raise RequestTooLargeError if an Order takes more bytes than one may, with what it says of its Opportunities."""
    _check("The Order", len(_encode(order)), policy.max_order_bytes, "max_order_bytes")


def _check(name: str, size: int, most: int, setting: str) -> None:
    if size > most:
        raise RequestTooLargeError(f"{name} takes {size:,} bytes; {setting} allows {most:,}.")
