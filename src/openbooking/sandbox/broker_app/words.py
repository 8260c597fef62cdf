"""Errors and changes in words for Customers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from openbooking.broker import (
    AccessChanged,
    AttendanceRecorded,
    AuthorizationError,
    Change,
    Deleted,
    DiscoveryError,
    ItemCancelled,
    ItemErrorType,
    ItemFault,
    ItemReplaced,
    Moved,
    NoAnswerError,
    Noticed,
    OpenBookingError,
    OrderAccessError,
    PaymentError,
    PriceChangedError,
    ProposalAccepted,
    ProposalAmended,
    ProposalRejected,
    PurchaseError,
    Retry,
    SellerNoteChanged,
    TotalChanged,
)

_AGAIN = "Please try again in a minute."
_FAULTS = {
    ItemErrorType.OPPORTUNITY_IS_FULL: "No space is left.",
    ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY: "Fewer spaces are left than you want.",
    ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE: (
        "Somebody else is booking the last space. It may become free again in some minutes."
    ),
}


_REJECTED = {
    True: "The organiser has rejected your request. Nothing was paid.",
    False: "You have withdrawn your request. Nothing was paid.",
}
_LOST = "The organiser's system has lost your booking. We are looking into it."
# What the Customer is asked next, so that it is no reason to refuse the item.
_ASKED = {
    ItemErrorType.INCOMPLETE_ORDER_ITEM,
    ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS,
    ItemErrorType.INCOMPLETE_INTAKE_FORM,
    ItemErrorType.INVALID_INTAKE_FORM,
}


class Problem(NamedTuple):
    """What went wrong, in words for the Customer.

    Attributes:
        text: What happened, and what the Customer can do.
        status: The HTTP status of the page.
        request_id: The id under which the Booking System knows the request; empty if there is none.
    """

    text: str
    status: int
    request_id: str = ""


PRICE_CHANGED = Problem("The price has changed. Nothing is booked or paid. Please look at the new price.", 409)


def problem_of(fault: Exception) -> Problem:
    """Return what to tell a Customer about an error of the client."""
    match fault:
        case OrderAccessError():
            return Problem("There is no such booking.", 404)
        case PriceChangedError():
            return PRICE_CHANGED
        case PaymentError():
            return Problem(f"{fault} Nothing is booked or paid. Please choose another card, or try again.", 402)
        case PurchaseError():
            return Problem(str(fault), 409)
        case _:
            return _problem_of_system(fault)


def _problem_of_system(fault: Exception) -> Problem:
    request_id = str(getattr(fault, "request_id", None) or "")
    match fault:
        case NoAnswerError() | DiscoveryError() | AuthorizationError():
            return Problem(f"The booking system of the organiser cannot be reached. {_AGAIN}", 503)
        case OpenBookingError():
            advice = "" if fault.retry is Retry.NEVER else f" {_AGAIN}"
            return Problem(f"The booking system of the organiser answered: {fault}{advice}", 502, request_id)
        case _:
            text = "The booking system of the organiser gave an answer that cannot be used."
            return Problem(f"{text} {_AGAIN}", 502, request_id)


def refusals(faults: Iterable[ItemFault]) -> list[ItemFault]:
    """Return the errors that answers to questions do not mend."""
    return [fault for fault in faults if fault.type not in _ASKED]


def fault_text(fault: ItemFault) -> str:
    """Return the error of an item in words."""
    known = {type_.value: text for type_, text in _FAULTS.items()}
    return known.get(fault.type) or fault.description or "This cannot be booked."


def _cancelled(change: ItemCancelled) -> str:
    if not change.by_seller:
        return "Your cancellation has arrived."
    return f"The organiser has cancelled a part of your booking. {change.message}".strip()


def _new_total(change: TotalChanged) -> str:
    before, now = (f"{amount:.2f} {change.currency}" for amount in (change.previous, change.total))
    return f"The total is now {now} instead of {before}."


_MOVED = {
    "name": "the name",
    "startDate": "the time",
    "endDate": "the time",
    "duration": "the length",
    "location": "the place",
    "meetingPoint": "the meeting point",
}


def _moved(change: Moved) -> str:
    changed = {words: None for name, words in _MOVED.items() if name in {*change.before, *change.after}}
    return f"The organiser has changed {' and '.join(changed)} of your booking."


_NEWS: Mapping[type[Change], Callable[[Any], str]] = {
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


def news_of(change: Change) -> str:
    """Return what a Customer is told about a change; empty if nothing."""
    words = _NEWS.get(type(change))
    return words(change) if words else ""
