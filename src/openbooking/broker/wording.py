"""Errors, changes, amounts and times in words for Customers, as pages and e-mails of a Broker show them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from openbooking.broker.errors import AuthorizationError, DiscoveryError, ItemFault, OrderAccessError
from openbooking.broker.flow import NoAnswerError
from openbooking.broker.money.errors import PriceChangedError, PurchaseError
from openbooking.broker.money.payments import PaymentError
from openbooking.broker.orders.changes import (
    AccessChanged,
    AttendanceRecorded,
    Change,
    Deleted,
    ItemCancelled,
    ItemReplaced,
    Moved,
    Noticed,
    ProposalAccepted,
    ProposalAmended,
    ProposalRejected,
    SellerNoteChanged,
    TotalChanged,
)
from openbooking.openactive.errors import OpenBookingError, Retry
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.published.values import LOCAL_ZONE

_AGAIN = "Please try again in a minute."
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}
_FAULTS = {
    ItemErrorType.OPPORTUNITY_IS_FULL.value: "No space is left.",
    ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY.value: "Fewer spaces are left than you want.",
    ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE.value: (
        "Somebody else is booking the last space. It may become free again in some minutes."
    ),
}


class Explanation(NamedTuple):
    """What went wrong, in words for a Customer.

    Attributes:
        text: What happened, and what the Customer can do.
        status: The HTTP status of a page that shows the text.
        request_id: The id under which the Booking System knows the request; empty if there is none.
    """

    text: str
    status: int
    request_id: str = ""


# For a page that finds out by itself that the Customer has seen another price.
PRICE_CHANGED = Explanation("The price has changed. Nothing is booked or paid. Please look at the new price.", 409)


def explain(fault: Exception) -> Explanation:
    """Return what to tell a Customer about an error of the client or of its hooks."""
    return _explain_purchase(fault) or _explain_system(fault)


def _explain_purchase(fault: Exception) -> Explanation | None:
    """Return what to tell about an error that has no answer of the Booking System; None for other errors."""
    match fault:
        case OrderAccessError():
            return Explanation("There is no such booking.", 404)
        case PriceChangedError():
            return PRICE_CHANGED
        case PaymentError():
            return Explanation(f"{fault} Nothing is booked or paid. Please choose another card, or try again.", 402)
        case PurchaseError():
            return Explanation(str(fault), 409)
    return None


def _explain_system(fault: Exception) -> Explanation:
    if isinstance(fault, NoAnswerError | DiscoveryError | AuthorizationError):
        return Explanation(f"The booking system of the organiser cannot be reached. {_AGAIN}", 503)
    request_id = str(getattr(fault, "request_id", None) or "")
    if isinstance(fault, OpenBookingError):
        advice = "" if fault.retry is Retry.NEVER else f" {_AGAIN}"
        return Explanation(f"The booking system of the organiser answered: {fault}{advice}", 502, request_id)
    text = f"The booking system of the organiser gave an answer that cannot be used. {_AGAIN}"
    return Explanation(text, 502, request_id)


def fault_text(fault: ItemFault) -> str:
    """Return the error of an item in words for a Customer."""
    return _FAULTS.get(fault.type) or fault.description or "This cannot be booked."


def change_text(change: Change) -> str:
    """Return what a Customer is told about a change; empty if nothing."""
    words = _CHANGES.get(type(change))
    return words(change) if words else ""


def money_text(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency, such as £5.40; a price of 0 is free."""
    if not amount:
        return "free"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{amount:.2f}" if symbol else f"{amount:.2f} {currency}".strip()


def clock_time(at: datetime) -> str:
    """Return the local time of the day, such as 18:05."""
    return f"{at.astimezone(LOCAL_ZONE):%H:%M}"


def day_and_time(at: datetime) -> str:
    """Return the local day and time, such as `Thursday 3 December, 18:05`."""
    local = at.astimezone(LOCAL_ZONE)
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M}"


_REJECTED = {
    True: "The organiser has rejected your request. Nothing was paid.",
    False: "You have withdrawn your request. Nothing was paid.",
}
_LOST = "The organiser's system has lost your booking. We are looking into it."
_MOVED = {
    "name": "the name",
    "startDate": "the time",
    "endDate": "the time",
    "duration": "the length",
    "location": "the place",
    "meetingPoint": "the meeting point",
}


def _cancelled(change: ItemCancelled) -> str:
    if not change.by_seller:
        return "Your cancellation has arrived."
    cancelled = "your booking" if change.is_last else "a part of your booking"
    return f"The organiser has cancelled {cancelled}. {change.message}".strip()


def _new_total(change: TotalChanged) -> str:
    before, now = (f"{amount:.2f} {change.currency}".strip() for amount in (change.previous, change.total))
    return f"The total is now {now} instead of {before}."


def _moved(change: Moved) -> str:
    changed = {words: None for name, words in _MOVED.items() if name in {*change.before, *change.after}}
    return f"The organiser has changed {' and '.join(changed)} of your booking."


_CHANGES: Mapping[type[Change], Callable[[Any], str]] = {
    ItemCancelled: _cancelled,
    ItemReplaced: lambda _: "The organiser has moved you to another place or time.",
    Moved: _moved,
    Noticed: lambda change: f"The organiser writes: {change.notice}",
    AccessChanged: lambda _: "There is a new code or a new link for your entry.",
    TotalChanged: _new_total,
    ProposalAccepted: lambda _: "The organiser has approved your request. You can book it now.",
    ProposalAmended: lambda _: "The organiser has changed your request. Please look at it.",
    ProposalRejected: lambda change: _REJECTED[change.by_seller],
    SellerNoteChanged: lambda change: change.note and f"The organiser writes: {change.note}",
    AttendanceRecorded: lambda change: "You have been checked in." if change.attended else "",
    Deleted: lambda change: "" if change.expected else _LOST,
}
