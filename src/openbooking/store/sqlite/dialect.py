"""Statements for SQLite: lists are JSON arrays; rows are written one by one."""

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
    """The dialect of SQLite."""

    one_writer = True
    overwrites = True

    def __init__(self) -> None:
        self._dialect = sqlite.dialect(paramstyle="qmark")

    def compile(self, statement: ClauseElement) -> Statement:
        """Compile with `?` for parameters."""
        return compile_for(statement, self._dialect)

    def values(self, name: str) -> Select[Any]:
        """Read a JSON array."""
        return select(func.json_each(bindparam(name)).table_valued("value").c.value)

    def keys(self) -> FromClause:
        """Read a JSON array of pairs."""
        return _rows("keys", "partner", "uuid").subquery("wanted_record")

    def positions(self) -> FromClause:
        """Read a JSON array of triples."""
        return _rows("positions", "feed", "partner", "after").subquery("position")

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """Use IN."""
        return value.in_(rows)

    def given(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """Return one parameter for each column."""
        return {c.name: bindparam(parameter_name(kind, c.name), type_=c.type) for c in columns}

    def row_address(self, table: Table) -> ColumnElement[Any]:
        """Return `rowid`."""
        return literal_column(f"{table.name}.rowid")

    def lock_holder(self, table: Table) -> ColumnElement[str]:
        """Return an empty string: SQLite locks no rows."""
        del table
        return literal_column("''", String)

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Insert one row."""
        return sqlite.insert(table).values(dict(given))

    def saving(self, writes: Mapping[str, RowWrite]) -> SaveStatement:
        """Return one statement for each kind."""
        return SaveStatement(
            tuple(self.compile(write.statement) for write in writes.values()), parameter_positions(writes)
        )


def _rows(name: str, *columns: str) -> Select[Any]:
    """Select rows from the JSON array of arrays that is passed as the parameter of this name."""
    value = func.json_each(bindparam(name)).table_valued("value").c.value
    indexed = enumerate(columns)
    return select(
        *(func.json_extract(value, literal_column(f"'$[{index}]'")).label(column) for index, column in indexed)
    )
