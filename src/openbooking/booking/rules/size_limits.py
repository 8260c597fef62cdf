"""Limits on the bytes of one stored Opportunity, Seller or Order.

The limits apply to new documents and to documents that grow. A stored document above the limit is still served.
"""

import msgspec

from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import Order
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Record
from openbooking.openactive.errors import RequestTooLargeError

_encode = msgspec.json.Encoder().encode


def check_published(known: Opportunity | Seller | None, thing: Opportunity | Seller, policy: Policy) -> None:
    """Raise RequestTooLargeError if an Opportunity or Seller is above the limit and larger than its stored version."""
    name = thing.path if isinstance(thing, Opportunity) else f"Seller {thing.name}"
    _check(name, known, thing, policy.max_published_bytes, "max_published_bytes")


def check_order(order: Order, policy: Policy) -> None:
    """Raise RequestTooLargeError if a new Order, including its Opportunities, is above the limit."""
    _check("The Order", None, order, policy.max_order_bytes, "max_order_bytes")


def check_record(known: Record, record: Record, policy: Policy) -> None:
    """Raise RequestTooLargeError if a changed Order is above the limit and larger than before."""
    _check(f"Order {record.uuid}", known, record, policy.max_order_bytes, "max_order_bytes")


def _check(name: str, known: msgspec.Struct | None, thing: msgspec.Struct, most: int, setting: str) -> None:
    size = len(_encode(thing))
    if size > most and (known is None or size > len(_encode(known))):
        raise RequestTooLargeError(f"{name} takes {size:,} bytes; {setting} allows {most:,}.")
