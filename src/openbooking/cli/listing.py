"""The options --json, --csv and --limit of the commands that list something, and the output of lists."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated

import typer

from openbooking.back_office.rows.tables import TableRow
from openbooking.booking.views import PAGE_ROWS
from openbooking.cli.faults import CommandError
from openbooking.cli.output import is_terminal, show, show_aside, show_columns, show_csv, show_json

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, for scripts.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets and scripts.")]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="The largest number of rows.", show_default=f"{PAGE_ROWS}; all with --json or --csv"),
]


class Output:
    """The output of a list, in the format that the options choose.

    Args:
        type_: The type of the rows.
        json: The value of --json.
        csv: The value of --csv.
        limit: The value of --limit.
    """

    def __init__(self, type_: type[TableRow], json: bool, csv: bool, limit: int | None = None) -> None:
        if json and csv:
            raise CommandError("Give either --json or --csv.")
        self._type = type_
        self._json = json
        self._csv = csv
        self._limit = limit or (None if json or csv else PAGE_ROWS)
        self._table: list[list[str]] = []

    async def show_list(self, rows: AsyncIterator[TableRow]) -> None:
        """Print rows up to the limit, and report on standard error whether there are more."""
        count, has_more = 0, False
        self._begin()
        async for row in rows:
            has_more = count == self._limit
            if has_more:
                break
            self._add(row)
            count += 1
        self._end()
        if has_more:
            show_aside("More rows follow; --limit shows them.")

    def show(self, rows: Iterable[TableRow]) -> None:
        """Print rows."""
        self._begin()
        for row in rows:
            self._add(row)
        self._end()

    def _begin(self) -> None:
        if self._csv:
            show_csv(self._type.columns())
        elif not self._json and not is_terminal():
            show(*self._type.headings())

    def _add(self, row: TableRow) -> None:
        if self._json:
            show_json(row.json())
        elif self._csv:
            show_csv(row.cells())
        elif is_terminal():
            self._table.append(row.cells_for_people())
        else:
            show(*row.cells_for_people())

    def _end(self) -> None:
        """Print the columns of a terminal, which are as wide as the rows need."""
        if self._table:
            show_columns(self._type.headings(), self._table)
