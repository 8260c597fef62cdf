"""The takings of the front desk: what was paid and paid back on one day, by means of payment.

A payment counts on the day when it was taken, and a refund on the day of the cancellation, by the means of the payment.
A payment that a former system took does not count; its refund does, because the desk pays it back.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.descriptions import PAYMENTS
from openbooking.back_office.formats import day_bounds
from openbooking.booking.model.activity import Action
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import FORMER_SYSTEM, OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.orders.desk_account import desk_account, due_at_desk
from openbooking.booking.views import OrderQuery
from openbooking.openactive.money import ZERO
from openbooking.web.console.console import Console, ConsoleVisit
from openbooking.web.console.csv_replies import csv_reply

_ROWS = 500
_COLUMNS = ("Means of payment", "Currency", "Payments", "Taken", "Refunds", "Refunded", "Balance")
_CLOSING_TOTAL, _UNPAID = "Closing total", "Not paid yet"


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
        booked = {record.key: record async for record in _booked(visit, since, until)}
        others = {key async for key in _paid_or_refunded(visit, since, until)} - booked.keys()
        found = [*booked.values(), *[await visit.views.order(key) for key in sorted(others)]]
        moved = [each for record in found if isinstance(record, OrderRecord) for each in _moved(record, since, until)]
        unpaid = _totals(movement for record in booked.values() if (movement := _unpaid(record)))
        rows = [
            (text, takings)
            for means, text in PAYMENTS.items()
            for takings in _totals(movement for movement in moved if movement.means == means)
        ]
        totals = _totals(moved)
        if visit.query.get("format") == "csv":
            return csv_reply(f"takings-{day}", _COLUMNS, _csv_rows(rows, totals, unpaid))
        return visit.page(
            "desk/takings.html",
            day=day,
            day_before=day - timedelta(days=1),
            day_after=day + timedelta(days=1),
            rows=rows,
            totals=totals,
            unpaid=unpaid,
            csv=urlencode({"day": day, "format": "csv"}),
        )


def _csv_rows(
    rows: Iterable[tuple[str, Takings]], totals: Iterable[Takings], unpaid: Iterable[Takings]
) -> list[tuple[object, ...]]:
    """Return the rows of the CSV file: those of the page, the closing totals, and what is not paid yet."""
    cells: list[tuple[object, ...]] = [(text, *_cells(takings)) for text, takings in rows]
    cells += [(_CLOSING_TOTAL, *_cells(takings)) for takings in totals]
    return cells + [(_UNPAID, due.currency, due.payments, due.taken, None, None, None) for due in unpaid]


def _cells(takings: Takings) -> tuple[object, ...]:
    return (
        takings.currency,
        takings.payments,
        takings.taken,
        takings.refunds,
        takings.refunded,
        takings.balance,
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


def _moved(record: OrderRecord, since: datetime, until: datetime) -> list[Movement]:
    """Return what the desk took and gave back for an Order in the period."""
    currency = record.order.totals.currency
    return [
        Movement(record.key, moved.means, currency, taken=moved.paid, refunded=moved.given_back)
        for moved in desk_account(record)
        if moved.at and since <= moved.at < until and (moved.given_back or moved.means != FORMER_SYSTEM)
    ]


def _unpaid(record: OrderRecord) -> Movement | None:
    """Return what is still to be paid for an Order."""
    due = due_at_desk(record)
    return Movement(record.key, "", record.order.totals.currency, taken=due) if due else None


async def _booked(visit: ConsoleVisit, since: datetime, until: datetime) -> AsyncIterator[OrderRecord]:
    """Yield the Orders that the front desk booked in the period."""
    query = OrderQuery(partner=DESK, booked_from=since, booked_before=until)
    cursor: str | None = ""
    while cursor is not None:
        found = await visit.views.orders(query, cursor, _ROWS)
        for record in found.rows:
            yield record
        cursor = found.next


async def _paid_or_refunded(visit: ConsoleVisit, since: datetime, until: datetime) -> AsyncIterator[OrderKey]:
    """Yield the Orders of the desk that were paid after their booking in the period, or had a refund in it."""
    cursor: str | None = ""
    while cursor is not None:
        found = await visit.views.cancellations(DESK, since, until, cursor, _ROWS)
        for moved in found.rows:
            if moved.line.refund:
                yield moved.order
        cursor = found.next
    cursor = ""
    while cursor is not None:
        log = await visit.views.activity(cursor, _ROWS, until)
        in_period = [entry for entry in log.rows if entry.at >= since]
        for entry in in_period:
            if entry.action is Action.PAYMENT_RECORDED and entry.order:
                yield entry.order
        cursor = log.next if len(in_period) == len(log.rows) else None
