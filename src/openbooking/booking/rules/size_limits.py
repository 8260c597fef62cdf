"""How much room one thing may take that others store here: Opportunities and Sellers, and the Orders of Brokers.

A bound meets what is new or grows. What is stored already stays, and is served, whatever its size.
"""

import msgspec

from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import Order
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Record
from openbooking.openactive.errors import RequestTooLargeError

_encode = msgspec.json.Encoder().encode


def check_published(known: Opportunity | Seller | None, thing: Opportunity | Seller, policy: Policy) -> None:
    """Raise RequestTooLargeError if what is published takes more bytes than one thing may, and than it took before."""
    name = thing.path if isinstance(thing, Opportunity) else f"Seller {thing.name}"
    _check(name, known, thing, policy.max_published_bytes, "max_published_bytes")


def check_order(order: Order, policy: Policy) -> None:
    """Raise RequestTooLargeError if an Order takes more bytes than one may, with what it says of its Opportunities."""
    _check("The Order", None, order, policy.max_order_bytes, "max_order_bytes")


def check_record(known: Record, record: Record, policy: Policy) -> None:
    """Raise RequestTooLargeError if an Order takes more bytes than one may, and than it took before."""
    _check(f"Order {record.uuid}", known, record, policy.max_order_bytes, "max_order_bytes")


def _check(name: str, known: msgspec.Struct | None, thing: msgspec.Struct, most: int, setting: str) -> None:
    size = len(_encode(thing))
    if size > most and (known is None or size > len(_encode(known))):
        raise RequestTooLargeError(f"{name} takes {size:,} bytes; {setting} allows {most:,}.")
