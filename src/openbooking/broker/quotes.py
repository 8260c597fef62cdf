"""Quotes: what a Booking System replies to a basket."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from openbooking.broker.api.replies import item_faults
from openbooking.broker.errors import ItemFault
from openbooking.broker.forms import Answers, Question, questions_of, unanswered
from openbooking.broker.items import DescribedItem, describe_quote
from openbooking.broker.money.amounts import amount_of
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.messages import OrderQuote
from openbooking.openactive.published.values import UnreadableError, read_instant
from openbooking.openactive.terms import Availability

# Errors that end when the Customer answers questions.
_MENDED_BY_ANSWERS = frozenset(
    {
        ItemErrorType.INCOMPLETE_ORDER_ITEM.value,
        ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS.value,
        ItemErrorType.INCOMPLETE_INTAKE_FORM.value,
        ItemErrorType.INVALID_INTAKE_FORM.value,
    }
)


class Quote(NamedTuple):
    """A quote: the reply of the Booking System to a basket.

    Attributes:
        reply: The whole reply.
        faults: The errors of items; empty if the basket can be booked.
        questions: All questions about attendees and of intake forms.
        unanswered: The required questions that have no answer yet.
    """

    reply: OrderQuote
    faults: tuple[ItemFault, ...]
    questions: tuple[Question, ...]
    unanswered: tuple[Question, ...]

    @property
    def is_bookable(self) -> bool:
        """Whether the basket can be booked as it is."""
        return not self.faults and not self.unanswered

    @property
    def refusals(self) -> tuple[ItemFault, ...]:
        """The errors of items that answers to questions do not mend."""
        return tuple(fault for fault in self.faults if fault.type not in _MENDED_BY_ANSWERS)

    @property
    def items(self) -> tuple[DescribedItem, ...]:
        """The items as people read them, in the order of their positions."""
        return describe_quote(self.reply, self.refusals)

    @property
    def total(self) -> Decimal | None:
        """The total to pay; None if the price is set by a DynamicPayment."""
        due = self.reply.total_payment_due
        return None if due is None else amount_of(due)

    @property
    def currency(self) -> str:
        """The ISO 4217 code of the total; empty if nothing is to be paid."""
        due = self.reply.total_payment_due
        return (due and due.price_currency) or ""

    @property
    def needs_payment(self) -> bool:
        """Whether the Broker must take a payment before it books (OB 7.6)."""
        due = self.reply.total_payment_due
        return bool(self.total) and due is not None and due.open_booking_prepayment in (None, Availability.REQUIRED)

    @property
    def lease_expires(self) -> datetime | None:
        """The time until which the spaces are held; None if they are not held."""
        lease = self.reply.lease
        try:
            return read_instant(lease.lease_expires).at if lease else None
        except UnreadableError:
            return None

    @property
    def requires_approval(self) -> bool:
        """Whether the Seller must approve the Order, so that it is proposed first (OB 5.5)."""
        return bool(self.reply.order_requires_approval)


def quote_of(reply: OrderQuote, answers: Answers) -> Quote:
    """Return the quote of a reply, with the questions that these answers leave open."""
    questions = questions_of(reply)
    return Quote(reply, item_faults(reply.ordered_item), questions, unanswered(questions, answers))
