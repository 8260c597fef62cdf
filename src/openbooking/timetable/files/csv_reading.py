"""CSV files of venues, classes or courts as documents.

An entry has a row, or several rows with the same key: those of a class add times, and those of a facility add courts
and opening hours.
"""

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any, NamedTuple

from openbooking.timetable.files.csv_columns import (
    COURTS,
    LAYOUTS,
    LIST_COLUMNS,
    PRICE_OPTIONS,
    VENUES,
    Layout,
    prices_of,
    split_list,
)
from openbooking.timetable.files.documents import Document, FileFault, PartPath, TimetableFileError, decode


class _Row(NamedTuple):
    """The number of the line of a row, and the texts of its cells that are not empty, by column."""

    line: int
    cells: Mapping[str, str]


class _Line(NamedTuple):
    """A line of a file: its number, and its cells."""

    number: int
    cells: list[str]


def read_csv(name: str, content: bytes) -> Document:
    """Return a CSV file as a document.

    Raises:
        TimetableFileError: The file is no CSV, or has other columns, or rows contradict each other.
    """
    lines = list(_lines(name, decode(name, content)))
    if not lines:
        raise TimetableFileError([FileFault(name, "", "The file is empty. Give the names of the columns first.")])
    layout, columns = _header(name, lines[0])
    table = _Table(name, layout)
    for number, cells in lines[1:]:
        if any(map(str.strip, cells[len(columns) :])):
            table.report(number, "", f"This line has {len(cells)} cells, and there are {len(columns)} columns.")
        row = _Row(
            number, {column: text for column, cell in zip(columns, cells, strict=False) if (text := cell.strip())}
        )
        if row.cells:
            table.add(row)
    if table.faults:
        raise TimetableFileError(table.faults)
    return Document(name, {layout.kind: table.entries}, table.places)


def _lines(name: str, text: str) -> Iterator[_Line]:
    reader, number = csv.reader(StringIO(text, newline=""), strict=True), 0
    try:
        for cells in reader:
            yield _Line(number + 1, cells)
            number = reader.line_num
    except csv.Error as fault:
        told = f"The file is no CSV: {fault}."
        raise TimetableFileError([FileFault(name, f"line {reader.line_num}", told)]) from fault


def _header(name: str, line: _Line) -> tuple[Layout, list[str]]:
    """Return the layout, and the names of the columns."""
    columns = [cell.strip().lower() for cell in line.cells]
    place = f"line {line.number}"
    layout = next((each for each in LAYOUTS if each.mark in columns), None)
    if layout is None:
        marks = ", ".join(f"{each.mark} for {each.name}" for each in LAYOUTS)
        raise TimetableFileError([FileFault(name, place, f"Name the columns in the first line, such as {marks}.")])
    faults = []
    for column in dict.fromkeys(columns):
        if column and column not in layout.columns:
            told = f"A file of {layout.name} has no column {column}. The columns are: {', '.join(layout.columns)}."
            faults.append(FileFault(name, f"{place}, column {column}", told))
        elif column and columns.count(column) > 1:
            faults.append(FileFault(name, f"{place}, column {column}", "Two columns have this name."))
    if "key" not in columns:
        faults.append(FileFault(name, place, "Give a column key. Its cells name the entries."))
    if faults:
        raise TimetableFileError(faults)
    return layout, columns


class _Table:
    """Collects the entries of a file.

    Attributes:
        entries: The data of the entries, by key.
        places: The places of their parts.
        faults: The faults.
    """

    def __init__(self, name: str, layout: Layout) -> None:
        self._name = name
        self._layout = layout
        # The lines and texts of the cells that concern a whole entry, by key and column.
        self._cells: dict[tuple[str, str], tuple[int, str]] = {}
        self.entries: dict[str, dict[str, Any]] = {}
        self.places: dict[PartPath, str] = {}
        self.faults: list[FileFault] = []

    def report(self, line: int, column: str, text: str) -> None:
        """Add a fault."""
        self.faults.append(FileFault(self._name, _place(line, column), text))

    def add(self, row: _Row) -> None:
        """Add a row."""
        key = row.cells.get("key")
        if key is None:
            self.report(row.line, "key", "Give the key of the entry.")
            return
        path = (self._layout.kind, key)
        entry = self.entries.setdefault(key, {})
        self.places.setdefault(path, _place(row.line, "key"))
        for column in self._layout.fields[1:]:
            if self._is_new(row, column):
                self._set(entry, path, row, column)
        if self._layout is COURTS:
            self._add_court(entry, path, row)
        elif self._layout is not VENUES:
            self._add_time(entry, path, row)
            if self._is_new(row, "prices"):
                entry["prices"] = self._prices((*path, "prices"), row, "prices")

    def _is_new(self, row: _Row, column: str) -> bool:
        """Return whether a row is the first one of its entry with a cell; report a cell that differs from the first."""
        if column not in row.cells:
            return False
        key, text = row.cells["key"], row.cells[column]
        first, first_text = self._cells.setdefault((key, column), (row.line, text))
        if text != first_text:
            self.report(row.line, column, f"Line {first} has another {column} for {key}.")
        return first == row.line

    def _set(self, part: dict[str, Any], path: PartPath, row: _Row, column: str, name: str = "") -> None:
        """Set a key of a part of an entry to the value of a cell.

        Args:
            part: The data of the part.
            path: The path of the part.
            row: The row.
            column: The column of the cell.
            name: The key, if it is not the name of the column.
        """
        text = row.cells[column]
        part[name or column] = split_list(text) if column in LIST_COLUMNS else text
        self.places[*path, name or column] = _place(row.line, column)

    def _add_time(self, entry: dict[str, Any], path: PartPath, row: _Row) -> None:
        """Add a time of a class, or opening hours, if the row has any."""
        name, columns = self._layout.times
        found = [column for column in columns if column in row.cells]
        if found:
            times = entry.setdefault(name, [])
            at, time = (*path, name, len(times)), dict[str, Any]()
            self.places.setdefault(at[:-1], _place(row.line, columns[0]))
            self.places[at] = _place(row.line, columns[0])
            for column in found:
                self._set(time, at, row, column)
            times.append(time)

    def _add_court(self, entry: dict[str, Any], path: PartPath, row: _Row) -> None:
        """Add a court, opening hours of it or of the facility, and prices."""
        if "court" in row.cells:
            self._add_time(*self._court(entry, path, row), row)
        else:
            self._add_time(entry, path, row)
        bands = entry.setdefault("prices", [])
        for column in ("peak_prices", "prices"):
            if column in row.cells:
                self._add_band(bands, path, row, column)

    def _court(self, entry: dict[str, Any], path: PartPath, row: _Row) -> tuple[dict[str, Any], PartPath]:
        """Return the court of a row, which can be a new one, and its path."""
        courts: list[dict[str, Any]] = entry.setdefault("courts", [])
        keys = [court["key"] for court in courts]
        number = keys.index(row.cells["court"]) if row.cells["court"] in keys else len(courts)
        at = (*path, "courts", number)
        if number == len(courts):
            courts.append({})
            self.places.setdefault(at[:-1], _place(row.line, "court"))
            self.places[at] = _place(row.line, "court")
            self._set(courts[number], at, row, "court", "key")
        if "court_name" in row.cells:
            self._set(courts[number], at, row, "court_name", "name")
        return courts[number], at

    def _add_band(self, bands: list[dict[str, Any]], path: PartPath, row: _Row, column: str) -> None:
        """Add the prices of a cell with the days and times for which they are, unless another row has added them."""
        band, at = dict[str, Any](), (*path, "prices", len(bands))
        self.places[at] = _place(row.line, column)
        sources = {"days": "days", "price_minutes": "minutes"}
        if column == "peak_prices":
            sources["peak_from"] = "begins"
        for source, name in sources.items():
            if source in row.cells:
                self._set(band, at, row, source, name)
        band["prices"] = self._prices((*at, "prices"), row, column)
        if band not in bands:
            bands.append(band)

    def _prices(self, path: PartPath, row: _Row, column: str) -> list[dict[str, Any]]:
        self.places[path] = _place(row.line, column)
        options = {option: row.cells[option] for option in PRICE_OPTIONS if option in row.cells}
        try:
            prices = prices_of(row.cells[column], options)
        except ValueError as fault:
            self.report(row.line, column, str(fault))
            return []
        for number in range(len(prices)):
            for option in options:
                self.places[*path, number, option] = _place(row.line, option)
        return prices


def _place(line: int, column: str) -> str:
    return f"line {line}, column {column}" if column else f"line {line}"
