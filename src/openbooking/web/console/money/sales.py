"""The money page: what was sold, cancelled and is to be refunded, VAT, and all of it as CSV files."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.back_office.names import published_names
from openbooking.booking.views import SalesGroup, SalesRow
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError
from openbooking.web.console.csv_replies import Rows, csv_reply, stream_csv
from openbooking.web.console.money import tables
from openbooking.web.console.money.charts import HEIGHT, WIDTH, Bar, ColumnChart, column_chart
from openbooking.web.console.money.group_names import group_names
from openbooking.web.console.periods import Period, PeriodError, month_before, month_of_day, read_period
from openbooking.web.pages import Form, Problem

MONEY_PATH = f"{CONSOLE_PATH}/money"

# Files are read in pages of this size. Bookings wait for each page, so it is small.
_PAGE = 100
# The longest periods whose charts show days and months without sales, too.
_MOST_DAYS = {SalesGroup.DAY: 100, SalesGroup.MONTH: 3_660}


class Table(StrEnum):
    """The tables that can be saved as CSV files."""

    SALES = "sales"
    VAT = "vat"
    LINES = "lines"
    PAYMENTS = "payments"


class Question(NamedTuple):
    """What the form asks for: the sales of a period, by a group."""

    period: Period
    by: SalesGroup

    def file_name(self, table: Table) -> str:
        """Return the name of a CSV file, without `.csv`."""
        grouped = f"-by-{self.by}" if table is Table.SALES else ""
        return f"{table}-{self.period.first}-to-{self.period.last}{grouped}"


class MoneyPages:
    """The money page, for managers."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page and its CSV files."""
        return [self._console.route("/money", self._money, menu="Money", managers_only=True)]

    async def _money(self, visit: ConsoleVisit) -> Response:
        fields = visit.query
        try:
            question = read_question(fields, visit)
        except PeriodError as fault:
            return self._page(visit, fields, problem=fault.problem)
        if fields.get("format") == "csv":
            return await self._csv(visit, question, fields.get("table") or Table.SALES)
        period, by = question
        sales = await visit.views.sales(period.since, period.until, by, self._console.zone)
        rows = tables.join_sales(sales.rows)
        names = await group_names(visit, by, [row.group for row in rows], period)
        shown = {"from": str(period.first), "to": str(period.last), "by": by}
        return self._page(
            visit,
            shown,
            period=period,
            rows=rows,
            names=names,
            totals=tables.total_rows(rows),
            vat=tables.vat_totals(tables.join_vat(sales.vat)),
            charts=sales_charts(rows, by, names, period),
            csv={table: urlencode({**shown, "table": table, "format": "csv"}) for table in Table},
        )

    def _page(self, visit: ConsoleVisit, fields: Form, problem: Problem | None = None, **values: Any) -> Response:
        by = fields.get("by", "")
        return visit.page(
            "money/money.html",
            problem=problem,
            fields=defaultdict(str, fields),
            groups=tables.GROUPS,
            by=SalesGroup(by) if by in set(SalesGroup) else SalesGroup.DAY,
            width=WIDTH,
            height=HEIGHT,
            months=[
                ("This month", *month_of_day(visit.today)),
                ("Last month", *month_before(visit.today)),
            ],
            **values,
        )

    async def _csv(self, visit: ConsoleVisit, question: Question, table: str) -> Response:
        period, by = question
        match table:
            case Table.SALES:
                sales = await visit.views.sales(period.since, period.until, by, self._console.zone)
                names = await group_names(visit, by, [row.group for row in sales.rows], period)
                rows = [tables.sales_cells(row, by, names) for row in sales.rows]
                return csv_reply(question.file_name(Table.SALES), tables.sales_columns(by), rows)
            case Table.VAT:
                sales = await visit.views.sales(period.since, period.until, by, self._console.zone)
                rows = [tables.vat_cells(row) for row in sales.vat]
                return csv_reply(question.file_name(Table.VAT), tables.VAT_COLUMNS, rows)
            case Table.LINES:
                pages = self._lines(visit, period)
                return await stream_csv(question.file_name(Table.LINES), tables.LINE_COLUMNS, pages)
            case Table.PAYMENTS:
                pages = self._payments(visit, period)
                return await stream_csv(question.file_name(Table.PAYMENTS), tables.PAYMENT_COLUMNS, pages)
        raise NotFoundOnConsoleError

    async def _lines(self, visit: ConsoleVisit, period: Period) -> AsyncIterator[Rows]:
        partners, names = await visit.partner_names(), dict[str, str]()
        after: str | None = ""
        while after is not None:
            page = await visit.views.sales_lines(period.since, period.until, after, _PAGE)
            keys = {key for moved in page.rows for key in (moved.line.activity, moved.line.venue) if key}
            if keys - names.keys():
                names |= await published_names(visit.views, keys, period.since, period.until)
            yield [tables.line_cells(moved, partners, names, self._console.zone) for moved in page.rows]
            after = page.next

    async def _payments(self, visit: ConsoleVisit, period: Period) -> AsyncIterator[Rows]:
        partners = await visit.partner_names()
        after: str | None = ""
        while after is not None:
            page = await visit.views.payments(period.since, period.until, after, _PAGE)
            yield [tables.payment_cells(row, partners, self._console.zone) for row in page.rows]
            after = page.next


def read_question(fields: Form, visit: ConsoleVisit) -> Question:
    """Return what the fields of the form ask for; sales of this month by day, if they are empty.

    Raises:
        PeriodError: A field has no valid value.
    """
    period = read_period(fields, month_of_day(visit.today), visit.console.zone)
    by = fields.get("by") or SalesGroup.DAY
    if by not in set(SalesGroup):
        raise PeriodError("Choose what to group by from the list.", "by")
    return Question(period, SalesGroup(by))


def sales_charts(
    rows: Sequence[SalesRow], by: SalesGroup, names: Mapping[str, str], period: Period
) -> list[ColumnChart]:
    """Return a chart for each currency in which something was sold or cancelled.

    A chart by day has all days of the period, unless these are very many, and a chart by month has all months.
    """
    charts = []
    for currency in sorted({row.currency for row in rows if row.currency}):
        found = {row.group: row for row in rows if row.currency == currency}
        groups = _groups_of(period, by) or list(found)
        none = SalesRow(group="", currency=currency)
        bars = [
            Bar(names.get(group, group), _axis_label(group, by, names), row.sold.price, row.cancelled.price)
            for group, row in ((group, found.get(group, none)) for group in groups)
        ]
        charts.append(column_chart(currency, bars))
    return charts


def _groups_of(period: Period, by: SalesGroup) -> list[str]:
    """Return all days or months of a period; none for other groups, and for a period that is too long for a chart."""
    days = (period.last - period.first).days + 1
    if by not in {SalesGroup.DAY, SalesGroup.MONTH} or days > _MOST_DAYS[by]:
        return []
    every = [str(period.first + timedelta(days=number)) for number in range(days)]
    return every if by is SalesGroup.DAY else list(dict.fromkeys(day[: len("2027-03")] for day in every))


def _axis_label(group: str, by: SalesGroup, names: Mapping[str, str]) -> str:
    match by:
        case SalesGroup.DAY:
            day = date.fromisoformat(group)
            return f"{day.day} {day:%b}"
        case SalesGroup.MONTH:
            return f"{date.fromisoformat(f'{group}-01'):%b %Y}"
        case _:
            return names[group]
