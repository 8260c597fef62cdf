"""A notice to all who have booked one occurrence."""

from openbooking.booking.commands.orders.seller_decisions import Notify
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.order import OrderKey
from openbooking.booking.rules.orders.lifecycle import STATUSES_WITH_NOTICE
from openbooking.booking.views import SellerViews

_ROWS = 500


async def notified_orders(views: SellerViews, path: str) -> dict[OrderKey, frozenset[int]]:
    """Return the Orders with items of an Opportunity that can have a notice, and the numbers of these items."""
    found: dict[OrderKey, frozenset[int]] = {}
    cursor: str | None = ""
    while cursor is not None:
        page = await views.bookings(path, cursor, _ROWS)
        for record in page.rows:
            numbers = frozenset(
                item.number
                for item, state in record.items()
                if item.opportunity.path == path and state.status in STATUSES_WITH_NOTICE
            )
            if numbers:
                found[record.key] = numbers
        cursor = page.next
    return found


def notice_commands(orders: dict[OrderKey, frozenset[int]], notice: str, actor: Actor) -> list[Notify]:
    """Return the commands that send the notice to the Customer of each Order."""
    return [Notify(order=key, numbers=numbers, notice=notice, actor=actor) for key, numbers in orders.items()]
