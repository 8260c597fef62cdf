"""Words for Customers: errors, changes, amounts and times."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from openbooking.broker import (
    AttendanceRecorded,
    Change,
    DatabaseError,
    DeclinedError,
    Deleted,
    DiscoveryError,
    ItemCancelled,
    ItemFault,
    Moved,
    NoAnswerError,
    NoQuoteError,
    OrderAccessError,
    PriceChangedError,
    TotalChanged,
    Unreadable,
    change_text,
    clock_time,
    day_and_time,
    explain,
    fault_text,
    money_text,
)
from openbooking.openactive.errors import OrderCreationFailedError, TooManyRequestsError

ORDER = uuid.UUID(int=1)


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (OrderAccessError("x"), 404, "There is no such booking."),
        (PriceChangedError(Decimal(1), Decimal(2)), 409, "The price has changed. Nothing is booked or paid."),
        (DeclinedError("The card was declined."), 402, "The card was declined. Nothing is booked or paid."),
        (NoQuoteError(ORDER), 409, "has no quote"),
        (NoAnswerError("cut"), 503, "cannot be reached. Please try again in a minute."),
        (DiscoveryError("x"), 503, "cannot be reached"),
        (TooManyRequestsError("Slow down."), 502, "answered: Slow down. Please try again in a minute."),
        (OrderCreationFailedError("No."), 502, "answered: No."),
        (DatabaseError("x"), 502, "an answer that cannot be used"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_are_explained(fault: Exception, status: int, words: str) -> None:
    explained = explain(fault)
    assert (explained.status, words in explained.text) == (status, True), explained


def test_explanation_names_the_request() -> None:
    fault = OrderCreationFailedError("No.")
    fault.request_id = "r-1"
    assert explain(fault).request_id == "r-1"
    assert explain(NoAnswerError("cut")).request_id == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (ItemCancelled(order=ORDER, item="1", by_seller=True, message="Ill."), "a part of your booking. Ill."),
        (ItemCancelled(order=ORDER, item="1", by_seller=True, is_last=True), "has cancelled your booking."),
        (ItemCancelled(order=ORDER, item="1", by_seller=False), "Your cancellation has arrived."),
        (TotalChanged(order=ORDER, previous=Decimal(6), total=Decimal("4.5"), currency="GBP"), "now 4.50 GBP instead"),
        (AttendanceRecorded(order=ORDER, item="1", attended=True), "You have been checked in."),
        (AttendanceRecorded(order=ORDER, item="1", attended=False), ""),
        (Deleted(order=ORDER, expected=False), "has lost your booking"),
        (Deleted(order=ORDER, expected=True), ""),
        (Unreadable(order=ORDER, reason="x"), ""),
    ],
)
def test_changes_are_told(change: Change, words: str) -> None:
    assert words in change_text(change)
    assert bool(words) is bool(change_text(change))


def test_a_move_names_what_has_changed_once() -> None:
    times = {"startDate": "2027-03-01T18:00Z", "endDate": "2027-03-01T19:00Z"}
    later = {"startDate": "2027-03-01T19:00Z", "endDate": "2027-03-01T20:00Z", "location": {"name": "Pool"}}
    move = Moved(order=ORDER, item="1", opportunity="2", before=times, after=later)
    assert change_text(move) == "The organiser has changed the time and the place of your booking."


def test_amounts_and_times_are_written_for_people() -> None:
    assert [money_text(Decimal("5.4"), currency) for currency in ("GBP", "CHF", "")] == ["£5.40", "5.40 CHF", "5.40"]
    assert money_text(Decimal(0), "GBP") == "free"
    summer = datetime(2027, 7, 1, 17, 5, tzinfo=UTC)
    assert (clock_time(summer), day_and_time(summer)) == ("18:05", "Thursday 1 July, 18:05")


def test_errors_of_items_are_told() -> None:
    assert fault_text(ItemFault(0, "OpportunityIsFullError", "x", None)) == "No space is left."
    assert fault_text(ItemFault(0, "NewError", "Closed on Mondays.", None)) == "Closed on Mondays."
    assert fault_text(ItemFault(0, "NewError", None, None)) == "This cannot be booked."
