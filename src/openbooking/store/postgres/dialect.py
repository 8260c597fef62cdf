"""Statements for PostgreSQL: lists are arrays; rows are arrays of their columns, and one statement writes all kinds.

An array that is built before the lookup shows the planner how few keys it has, so the planner uses the index.
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

from openbooking.store.dialect import (
    Insert,
    RowWrite,
    SaveStatement,
    Statement,
    compile_for,
    parameter_name,
    parameter_positions,
)


class Postgres:
    """The dialect of PostgreSQL."""

    one_writer = False
    overwrites = False

    def __init__(self) -> None:
        self._dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

    def compile(self, statement: ClauseElement) -> Statement:
        """Compile with `$1` and so on for parameters."""
        return compile_for(statement, self._dialect)

    def values(self, name: str) -> Select[Any]:
        """Unnest an array."""
        return select(func.unnest(bindparam(name, type_=ARRAY(String))).column_valued("value"))

    def keys(self) -> FromClause:
        """Unnest an array of partners and one of UUIDs."""
        arrays = [bindparam(name, type_=ARRAY(String)) for name in ("partners", "uuids")]
        pair = [column("partner", String), column("uuid", String)]
        return func.unnest(*arrays).table_valued(*pair).render_derived(name="wanted_record")

    def positions(self) -> FromClause:
        """Unnest an array of feeds, one of partners and one of change numbers."""
        arrays = [
            bindparam("feeds", type_=ARRAY(String)),
            bindparam("partners", type_=ARRAY(String)),
            bindparam("afters", type_=ARRAY(BigInteger)),
        ]
        feed, partner, after = column("feed", String), column("partner", String), column("after", BigInteger)
        return func.unnest(*arrays).table_valued(feed, partner, after).render_derived(name="position")

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """Use = ANY (ARRAY (…))."""
        return value == any_(func.array(rows.scalar_subquery()))

    def given(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """Return one array for each column."""
        arrays = [bindparam(parameter_name(kind, c.name), type_=ARRAY(c.type)) for c in columns]
        rows = func.unnest(*arrays).table_valued(*(column(c.name, c.type) for c in columns))
        return dict(rows.render_derived(name=f"given_{kind}").c)

    def row_address(self, table: Table) -> ColumnElement[Any]:
        """Return the physical position of the row version."""
        return literal_column(f"{table.name}.ctid")

    def lock_holder(self, table: Table) -> ColumnElement[str]:
        """Return the transaction id, or the id of a group of them, in the header of the row."""
        return literal_column(f"{table.name}.xmax::text", String)

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Insert all rows, in their order."""
        return postgresql.insert(table).from_select(list(given), select(*given.values()))

    def saving(self, writes: Mapping[str, RowWrite]) -> SaveStatement:
        """Return one statement for all kinds, which therefore must not write the same row twice."""
        ctes = [write.statement.cte(kind) for kind, write in writes.items()]
        together = self.compile(select(literal_column("1")).add_cte(*ctes))
        return SaveStatement((together._replace(writes=True),), parameter_positions(writes))
