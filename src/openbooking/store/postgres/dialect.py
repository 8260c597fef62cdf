"""The SQL of PostgreSQL: a parameter that is a list is passed as an array, and one statement writes all kinds of rows.

The rows of a kind are passed as one array for each of their columns.
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
    """The dialect of PostgreSQL. See `openbooking.store.dialect.Dialect`."""

    one_writer = False
    overwrites = False

    def __init__(self) -> None:
        self._dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

    def compile(self, statement: ClauseElement) -> Statement:
        """Compile a statement to text with `$1`, `$2`, … for the parameters."""
        return compile_for(statement, self._dialect)

    def values(self, name: str) -> Select[Any]:
        """Return a query that yields the elements of an array of strings."""
        return select(func.unnest(bindparam(name, type_=ARRAY(String))).column_valued("value"))

    def keys(self) -> FromClause:
        """Return the record keys, an array of partners and an array of UUIDs, as a table."""
        arrays = [bindparam(name, type_=ARRAY(String)) for name in ("partners", "uuids")]
        pair = [column("partner", String), column("uuid", String)]
        return func.unnest(*arrays).table_valued(*pair).render_derived(name="wanted_record")

    def positions(self) -> FromClause:
        """Return the feed positions, arrays of feeds, of partners and of change numbers, as a table."""
        arrays = [
            bindparam("feeds", type_=ARRAY(String)),
            bindparam("partners", type_=ARRAY(String)),
            bindparam("afters", type_=ARRAY(BigInteger)),
        ]
        feed, partner, after = column("feed", String), column("partner", String), column("after", BigInteger)
        return func.unnest(*arrays).table_valued(feed, partner, after).render_derived(name="position")

    def court_times(self) -> FromClause:
        """Return times of courts, an array of courts and two arrays of instants, as a table."""
        arrays = [
            bindparam("courts", type_=ARRAY(String)),
            bindparam("courts_from", type_=ARRAY(BigInteger)),
            bindparam("courts_until", type_=ARRAY(BigInteger)),
        ]
        instants = [column(name, BigInteger) for name in ("court_from", "court_until")]
        return func.unnest(*arrays).table_valued(column("court", String), *instants).render_derived(name="court_time")

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """Return a condition with `= ANY (ARRAY (…))`.

        The server builds the array before it looks rows up. So it knows that the array is short, and uses the index.
        """
        return value == any_(func.array(rows.scalar_subquery()))

    def input_columns(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """Return the columns of a table that is made of one array for each column."""
        arrays = [bindparam(parameter_name(kind, c.name), type_=ARRAY(c.type)) for c in columns]
        rows = func.unnest(*arrays).table_valued(*(column(c.name, c.type) for c in columns))
        return dict(rows.render_derived(name=f"given_{kind}").c)

    def row_address(self, table: Table) -> ColumnElement[Any]:
        """Return the column `ctid`, the physical position of the row."""
        return literal_column(f"{table.name}.ctid")

    def lock_holder(self, table: Table) -> ColumnElement[str]:
        """Return the column `xmax`, the id of a transaction or of a group of transactions, as text."""
        return literal_column(f"{table.name}.xmax::text", String)

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Return the statement that inserts all rows, in the order of the arrays."""
        return postgresql.insert(table).from_select(list(given), select(*given.values()))

    def save_statement(self, writes: Mapping[str, RowWrite]) -> SaveStatement:
        """Compile one statement for all kinds of rows; it must not write the same row twice."""
        ctes = [write.statement.cte(kind) for kind, write in writes.items()]
        together = self.compile(select(literal_column("1")).add_cte(*ctes))
        return SaveStatement((together._replace(writes=True),), parameter_positions(writes))


POSTGRES = Postgres()
