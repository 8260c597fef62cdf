"""Statements for PostgreSQL: lists are arrays; rows are arrays of their columns, and one statement writes all kinds.

The planner knows how few rows there are in an array that is made first, and looks them up by their key.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    Select,
    String,
    Table,
    any_,
    bindparam,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.expression import ClauseElement

from openbooking.store.dialect import Insert, RowWrite, SaveStatement, Statement, compile_for, place_of, places_of


class Postgres:
    """The dialect of PostgreSQL."""

    one_writer = False
    overwrites = False

    def __init__(self) -> None:
        self._dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

    def compile(self, statement: ClauseElement) -> Statement:
        """With `$1` and so on for parameters."""
        return compile_for(statement, self._dialect)

    def values(self, name: str) -> Select[Any]:
        """From an array."""
        return select(func.unnest(bindparam(name, type_=ARRAY(String))).column_valued("value"))

    def keys(self) -> FromClause:
        """From an array of partners and one of UUIDs."""
        arrays = [bindparam(name, type_=ARRAY(String)) for name in ("partners", "uuids")]
        pair = [column("partner", String), column("uuid", String)]
        return func.unnest(*arrays).table_valued(*pair).render_derived(name="wanted_record")

    def positions(self) -> FromClause:
        """From an array of feeds, one of partners and one of change numbers."""
        arrays = [
            bindparam("feeds", type_=ARRAY(String)),
            bindparam("partners", type_=ARRAY(String)),
            bindparam("afters", type_=ARRAY(BigInteger)),
        ]
        feed, partner, after = column("feed", String), column("partner", String), column("after", BigInteger)
        return func.unnest(*arrays).table_valued(feed, partner, after).render_derived(name="position")

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """= ANY (ARRAY (…))."""
        return value == any_(func.array(rows.scalar_subquery()))

    def given(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """One array a column."""
        arrays = [bindparam(place_of(kind, c.name), type_=ARRAY(c.type)) for c in columns]
        rows = func.unnest(*arrays).table_valued(*(column(c.name, c.type) for c in columns))
        return dict(rows.render_derived(name=f"given_{kind}").c)

    def row_address(self, table: Table) -> ColumnElement[Any]:
        """The physical position of the row version."""
        return literal_column(f"{table.name}.ctid")

    def lock_holder(self, table: Table) -> ColumnElement[str]:
        """The transaction, or the group of them, in the header of the row."""
        return literal_column(f"{table.name}.xmax::text", String)

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Of all rows, in their order."""
        return postgresql.insert(table).from_select(list(given), select(*given.values()))

    def saving(self, steps: Mapping[str, RowWrite]) -> SaveStatement:
        """One statement for all steps, which therefore must not write the same row twice."""
        ctes = [step.statement.cte(kind) for kind, step in steps.items()]
        together = self.compile(select(literal_column("1")).add_cte(*ctes))
        return SaveStatement((together._replace(writes=True),), places_of(steps))
