"""The takings of the front desk: what was paid and paid back on one day, by means of payment.

A payment counts on the day of the booking, and a refund on the day of the cancellation, by the means of the payment.
A payment that a former system took does not count; its refund does, because the desk pays it back.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.descriptions import PAYMENTS
from openbooking.back_office.formats import day_bounds
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import FORMER_SYSTEM, OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.order_lines import currency_of, order_lines, value_of
from openbooking.booking.views import OrderQuery, SalesGroup
from openbooking.openactive.money import ZERO
from openbooking.web.console.console import Console, ConsoleVisit

_ROWS = 500


class Movement(NamedTuple):
    """Money that was taken for an Order, or paid back for it.

    Attributes:
        order: The key of the Order.
        means: The means of payment.
        currency: The currency.
        taken: What was taken.
        refunded: What was paid back.
    """

    order: OrderKey
    means: str
    currency: str | None
    taken: Decimal = ZERO
    refunded: Decimal = ZERO


class Takings(NamedTuple):
    """The takings by one means of payment, or by all of them; `payments` and `refunds` are numbers of Orders."""

    currency: str | None
    payments: int
    taken: Decimal
    refunds: int
    refunded: Decimal

    @property
    def balance(self) -> Decimal:
        """What remains of the payments after the refunds."""
        return self.taken - self.refunded


class TakingsPages:
    """The takings of a day, with which the desk is closed."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._console.route("/desk/takings", self._takings)]

    async def _takings(self, visit: ConsoleVisit) -> Response:
        day = visit.day()
        since, until = day_bounds(day, self._console.zone)
        booked = [record async for record in _booked(visit, since, until)]
        moved = [movement for record in booked if (movement := _payment(record))]
        moved += [refund async for refund in _refunds(visit, since, until)]
        unpaid = [movement for record in booked if (movement := _unpaid(record))]
        rows = [
            (text, takings)
            for means, text in PAYMENTS.items()
            for takings in _totals(movement for movement in moved if movement.means == means)
        ]
        return visit.page(
            "desk/takings.html",
            day=day,
            day_before=day - timedelta(days=1),
            day_after=day + timedelta(days=1),
            rows=rows,
            totals=_totals(moved),
            unpaid=_totals(unpaid),
        )


def _totals(movements: Iterable[Movement]) -> list[Takings]:
    """Return the sums of the movements by currency."""
    by_currency: dict[str, list[Movement]] = {}
    for movement in movements:
        by_currency.setdefault(movement.currency or "", []).append(movement)
    return [
        Takings(
            currency=moved[0].currency,
            payments=len({movement.order for movement in moved if movement.taken}),
            taken=sum((movement.taken for movement in moved), ZERO),
            refunds=len({movement.order for movement in moved if movement.refunded}),
            refunded=sum((movement.refunded for movement in moved), ZERO),
        )
        for _, moved in sorted(by_currency.items())
    ]


def _payment(record: OrderRecord) -> Movement | None:
    if record.payment is None or record.payment.name == FORMER_SYSTEM:
        return None
    totals = record.order.totals
    return Movement(record.key, record.payment.name or "", totals.currency, taken=totals.price)


def _unpaid(record: OrderRecord) -> Movement | None:
    """Return what is still to be paid for an Order that was not paid when it was booked."""
    lines = order_lines(record)
    due = ZERO if record.payment else value_of(lines)
    return Movement(record.key, "", currency_of(lines), taken=due) if due else None


async def _booked(visit: ConsoleVisit, since: datetime, until: datetime) -> AsyncIterator[OrderRecord]:
    """Yield the Orders that the front desk booked in the period."""
    query = OrderQuery(partner=DESK, booked_from=since, booked_before=until)
    cursor: str | None = ""
    while cursor is not None:
        found = await visit.views.orders(query, cursor, _ROWS)
        for record in found.rows:
            yield record
        cursor = found.next


async def _refunds(visit: ConsoleVisit, since: datetime, until: datetime) -> AsyncIterator[Movement]:
    """Yield the refunds that were due in the period, also those of Orders that were booked before."""
    sales = await visit.views.sales(since, until, SalesGroup.PARTNER, visit.console.zone)
    # Most days have no refund, and then the lines of all partners need not be read.
    cursor: str | None = "" if any(row.group == DESK and row.refund_due.count for row in sales.rows) else None
    while cursor is not None:
        found = await visit.views.sales_lines(since, until, cursor, _ROWS)
        for moved in found.rows:
            if moved.order.partner == DESK and not moved.is_sale and moved.line.refund:
                record = await visit.views.order(moved.order)
                payment = record.payment if record else None
                refund = moved.line.refund * moved.line.quantity
                means = payment.name if payment else None
                yield Movement(moved.order, means or "", moved.line.currency, refunded=refund)
        cursor = found.next
