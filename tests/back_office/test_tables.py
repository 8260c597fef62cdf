"""Rows of tables for people and for scripts."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from openbooking.back_office.rows.tables import TableContext, TableRow
from openbooking.booking.rules.orders.order_lines import OrderStatus

LONDON = ZoneInfo("Europe/London")


class Row(TableRow, frozen=True, kw_only=True):
    only_for_scripts = frozenset({"key"})

    key: str
    sold_on: datetime | None
    total: Decimal
    currency: str | None
    rate: float
    status: OrderStatus
    items: tuple[int, ...]


ROW = Row(
    key="k",
    sold_on=datetime(2026, 7, 5, 19, 15, tzinfo=LONDON),
    total=Decimal("-5.00"),
    currency="EUR",
    rate=0.05,
    status=OrderStatus.PARTLY_CANCELLED,
    items=(1, 2),
)


def test_people_see_words_and_money_without_the_currency_column() -> None:
    assert Row.headings() == ["Sold on", "Total", "Rate", "Status", "Items"]
    assert ROW.cells_for_people() == ["Sun 5 Jul 2026 19:15", "-€5.00", "5%", "partly cancelled", "1, 2"]


def test_scripts_get_values() -> None:
    assert Row.columns() == ("key", "sold_on", "total", "currency", "rate", "status", "items")
    assert ROW.cells() == ["k", ROW.sold_on, Decimal("-5.00"), "EUR", 0.05, OrderStatus.PARTLY_CANCELLED, "1 2"]
    assert json.loads(ROW.json()) == {
        "key": "k",
        "sold_on": "2026-07-05T19:15:00+01:00",
        "total": -5.0,
        "currency": "EUR",
        "rate": 0.05,
        "status": "partly-cancelled",
        "items": [1, 2],
    }


def test_context_converts_times_and_names_partners() -> None:
    now = datetime(2026, 7, 5, 18, 15, 30, 99, tzinfo=UTC)
    context = TableContext({"acme": "Acme"}, LONDON, now)
    assert context.local(now) == datetime(2026, 7, 5, 19, 15, 30, tzinfo=LONDON)
    assert context.local(None) is None
    assert (context.partner_name("acme"), context.partner_name("fir")) == ("Acme", "fir")
