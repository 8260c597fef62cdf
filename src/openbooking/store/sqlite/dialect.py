"""The SQL of SQLite: a parameter that is a list is passed as a JSON array, and rows are written one by one."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Select, String, Table, bindparam, func, literal_column, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ClauseElement

from openbooking.store.dialect import (
    Insert,
    RowWrite,
    SaveStatement,
    Statement,
    compile_for,
    parameter_name,
    parameter_positions,
)


class Sqlite:
    """The dialect of SQLite. See `openbooking.store.dialect.Dialect`."""

    one_writer = True
    overwrites = True

    def __init__(self) -> None:
        self._dialect = sqlite.dialect(paramstyle="qmark")

    def compile(self, statement: ClauseElement) -> Statement:
        """Compile a statement to text with `?` for each parameter."""
        return compile_for(statement, self._dialect)

    def values(self, name: str) -> Select[Any]:
        """Return a query that yields the elements of a JSON array of strings."""
        return select(func.json_each(bindparam(name)).table_valued("value").c.value)

    def keys(self) -> FromClause:
        """Return the record keys, a JSON array of pairs, as a table."""
        return _rows("keys", "partner", "uuid").subquery("wanted_record")

    def positions(self) -> FromClause:
        """Return the feed positions, a JSON array of triples, as a table."""
        return _rows("positions", "feed", "partner", "after").subquery("position")

    def court_times(self) -> FromClause:
        """Return times of courts, a JSON array of triples, as a table."""
        return _rows("court_times", "court", "court_from", "court_until").subquery("court_time")

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """Return a condition with IN."""
        return value.in_(rows)

    def input_columns(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """Return a parameter for each column; the driver repeats the statement for each row."""
        return {c.name: bindparam(parameter_name(kind, c.name), type_=c.type) for c in columns}

    def row_address(self, table: Table) -> ColumnElement[Any]:
        """Return the column `rowid`."""
        return literal_column(f"{table.name}.rowid")

    def lock_holder(self, table: Table) -> ColumnElement[str]:
        """Return an empty string: SQLite locks no rows."""
        del table
        return literal_column("''", String)

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Return the statement that inserts one row."""
        return sqlite.insert(table).values(dict(given))

    def save_statement(self, writes: Mapping[str, RowWrite]) -> SaveStatement:
        """Compile one statement for each kind of row."""
        return SaveStatement(
            tuple(self.compile(write.statement) for write in writes.values()), parameter_positions(writes)
        )


SQLITE = Sqlite()


def _rows(name: str, *columns: str) -> Select[Any]:
    """Return a query of the rows in a JSON array of arrays, which is passed as the parameter `name`."""
    value = func.json_each(bindparam(name)).table_valued("value").c.value
    indexed = enumerate(columns)
    return select(
        *(func.json_extract(value, literal_column(f"'$[{index}]'")).label(column) for index, column in indexed)
    )
