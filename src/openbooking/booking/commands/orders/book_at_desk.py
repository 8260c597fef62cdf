"""The booking of a person at the counter or on the phone, by the Seller's staff at the front desk."""

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.order import Order
from openbooking.booking.rules.orders.payment import check_desk_payment, check_total


class BookAtDesk(Book, frozen=True, kw_only=True):
    """Book all items of a request, or none of them, for a Customer of the Seller itself.

    Capacity, Offers, prices, tax and repeats are those of `Book`. The Seller's staff approves an Order by booking it.

    Attributes:
        caller: The front desk of the Seller (`desk_caller`).
        actor: The account that books.
    """

    actor: Actor

    @property
    def kept_note(self) -> str | None:
        """The note of the staff about the booking."""
        return self.request.customer_note

    def check(self, order: Order) -> None:
        """Raise an error if the payment or the total is wrong."""
        check_desk_payment(self.request.payment, order)
        check_total(self.request, order)
