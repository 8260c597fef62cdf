"""Comparisons of the pages and CSV files about money with a ledger."""

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from support.browsers.form_browser import Visitor
from support.csv_files import read_csv
from support.histories.money_ledger import Ledger, Movement, Sums

NAMES = {"alice": "Alice", "bob": "Bob", "@desk": "front desk"}
SHOWN = ("Items sold", "Sold", "VAT in sold", "Items cancelled", "Cancelled", "VAT in cancelled")


class Books:
    """The CSV files of one period."""

    def __init__(self, visitor: Visitor, first: str, last: str) -> None:
        self._visitor = visitor
        self._period = {"from": first, "to": last, "format": "csv"}

    async def table(self, **fields: str) -> list[dict[str, str]]:
        """Return the rows of a table."""
        page = await self._visitor.open(f"/console/money?{urlencode({**self._period, **fields})}")
        return read_csv(page.response)

    async def sums(self, name: str, columns: Sequence[str], **fields: str) -> Sums:
        """Return the amounts of a table, by the name of the group and the currency."""
        return {
            f"{row[name]} {row['Currency']}": tuple(Decimal(row[column]) for column in columns)
            for row in await self.table(**fields)
        }


GROUPS: dict[str, tuple[str, Callable[[Movement], str]]] = {
    "day": ("Day", lambda moved: moved.day),
    "month": ("Month", lambda moved: moved.day[:7]),
    "partner": ("Partner", lambda moved: NAMES[moved.partner]),
    "activity": ("Activity", lambda moved: moved.sale.activity),
    "venue": ("Venue", lambda moved: moved.sale.venue),
}


async def check_books(books: Books, ledger: Ledger, by: str) -> None:
    """Compare the CSV files with the ledger; of sales those of one grouping."""
    name, group = GROUPS[by]
    assert await books.sums(name, (*SHOWN, "Items to refund", "Refund due"), by=by) == ledger.sales(group)
    vat = {key: amounts[:6] for key, amounts in ledger.sales(lambda moved: moved.sale.vat).items()}
    assert await books.sums("VAT", SHOWN, table="vat") == vat
    lines = await books.table(table="lines")
    signed = [(1 if moved.is_sale else -1, moved) for moved in ledger.movements()]
    assert sum(Decimal(row["Total"]) for row in lines) == sum(sign * moved.sale.price for sign, moved in signed)
    assert sum(Decimal(row["VAT in total"]) for row in lines) == sum(sign * moved.sale.tax for sign, moved in signed)
    assert sum(Decimal(row["Refund due"]) for row in lines) == sum(moved.refund for _, moved in signed)
    assert sum(Decimal(row["Items"]) for row in lines) == sum(sign for sign, _ in signed)
    paid = {uuid: account for (_, uuid), account in ledger.accounts.items() if account.is_paid}
    assert {
        row["Order"]: (Decimal(row["Total booked"]), Decimal(row["Total now due"]), Decimal(row["Refund due"]))
        for row in await books.table(table="payments")
    } == {
        uuid: (
            sum((item.booked.price for item in account.items), Decimal(0)),
            account.due(),
            sum((moved.refund for moved in account.movements()), Decimal(0)),
        )
        for uuid, account in paid.items()
    }


async def check_months(visitor: Visitor, ledger: Ledger, first: date, last: date) -> None:
    """Compare the sales of each month by itself with the ledger."""
    sums = ledger.sales(GROUPS["month"][1])
    begin = first
    while begin <= last:
        following = (begin.replace(day=1) + timedelta(days=31)).replace(day=1)
        books = Books(visitor, str(begin), str(min(following - timedelta(days=1), last)))
        found = await books.sums("Month", (*SHOWN, "Items to refund", "Refund due"), by="month")
        assert found == {key: amounts for key, amounts in sums.items() if key.startswith(f"{begin:%Y-%m}")}
        begin = following


async def check_takings(visitor: Visitor, ledger: Ledger) -> None:
    """Compare the takings of each day on which money was moved at the front desk with the ledger."""
    expected = ledger.takings()
    for day in {day for day, _ in expected}:
        text = (await visitor.open(f"/console/desk/takings?day={day}")).text
        rows = re.findall(r"(Cash|Card|Another way|Closing total) \d+ £([\d,.]+) \d+ £([\d,.]+) -?£[\d,.]+", text)
        found = {means: (Decimal(taken), Decimal(back)) for means, taken, back in rows}
        moved = {means: amounts for (moved_on, means), amounts in expected.items() if moved_on == day}
        total = (sum(taken for taken, _ in moved.values()), sum(back for _, back in moved.values()))
        assert found == {**moved, "Closing total": total}
