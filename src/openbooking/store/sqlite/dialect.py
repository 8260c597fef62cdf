"""Statements for SQLite: lists are JSON arrays; rows are written one by one."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Select, String, Table, bindparam, func, literal_column, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ClauseElement

from openbooking.store.dialect import Insert, RowWrite, SaveStatement, Statement, compile_for, place_of, places_of


class Sqlite:
    """The dialect of SQLite."""

    one_writer = True
    overwrites = True

    def __init__(self) -> None:
        self._dialect = sqlite.dialect(paramstyle="qmark")

    def compile(self, statement: ClauseElement) -> Statement:
        """With `?` for parameters."""
        return compile_for(statement, self._dialect)

    def values(self, name: str) -> Select[Any]:
        """From a JSON array."""
        return select(func.json_each(bindparam(name)).table_valued("value").c.value)

    def keys(self) -> FromClause:
        """From a JSON array of pairs."""
        return _rows("keys", "partner", "uuid").subquery("wanted_record")

    def positions(self) -> FromClause:
        """From a JSON array of triples."""
        return _rows("positions", "feed", "partner", "after").subquery("position")

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """IN."""
        return value.in_(rows)

    def given(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """One parameter a column."""
        return {c.name: bindparam(place_of(kind, c.name), type_=c.type) for c in columns}

    def row_address(self, table: Table) -> ColumnElement[Any]:
        """`rowid`."""
        return literal_column(f"{table.name}.rowid")

    def lock_holder(self, table: Table) -> ColumnElement[str]:
        """Nobody: no row is ever locked."""
        del table
        return literal_column("''", String)

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Of one row."""
        return sqlite.insert(table).values(dict(given))

    def saving(self, steps: Mapping[str, RowWrite]) -> SaveStatement:
        """One statement a step."""
        return SaveStatement(tuple(self.compile(step.statement) for step in steps.values()), places_of(steps))


def _rows(name: str, *columns: str) -> Select[Any]:
    """Rows from the JSON array of arrays that is passed under this name."""
    value = func.json_each(bindparam(name)).table_valued("value").c.value
    indexed = enumerate(columns)
    return select(
        *(func.json_extract(value, literal_column(f"'$[{index}]'")).label(column) for index, column in indexed)
    )
