"""What SQLite and PostgreSQL disagree on: how lists and rows are passed to a statement, and whether rows are locked."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    ARRAY,
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
from sqlalchemy import Dialect as SqlDialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.expression import ClauseElement

Insert = sqlite.Insert | postgresql.Insert


class Statement(NamedTuple):
    """The text of a statement, the names of its parameters by their places, and whether it changes anything."""

    text: str
    names: tuple[str, ...]
    writes: bool


class Step(NamedTuple):
    """A kind of row to write: its columns, and the statement that writes it."""

    columns: tuple[str, ...]
    statement: UpdateBase


class Saving(NamedTuple):
    """Statements that write rows of several kinds; `places` tells of which kind and column each parameter is."""

    statements: tuple[Statement, ...]
    places: Mapping[str, tuple[str, int]]


class Dialect(Protocol):
    """The one database or the other.

    Where `one_writer`, a transaction that writes is alone from its start to its end, so nothing has to be locked.
    """

    one_writer: bool

    def compile(self, statement: ClauseElement) -> Statement:
        """The statement as text for the driver."""
        ...

    def values(self, name: str) -> Select[Any]:
        """The values in the list that is passed under this name."""
        ...

    def keys(self) -> FromClause:
        """The `partner` and `uuid` of the records that are passed as `keys`, or `partners` and `uuids`."""
        ...

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """Whether the value is in those rows, which are found first."""
        ...

    def given(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """The columns of the rows of a kind that are passed to be written."""
        ...

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Insert the rows given."""
        ...

    def saving(self, steps: Mapping[str, Step]) -> Saving:
        """The statements that take all these steps."""
        ...


class Sqlite:
    """Lists are JSON arrays; rows are written one by one."""

    one_writer = True

    def __init__(self) -> None:
        self._dialect = sqlite.dialect(paramstyle="qmark")

    def compile(self, statement: ClauseElement) -> Statement:
        """With `?` for parameters."""
        return _compile(statement, self._dialect)

    def values(self, name: str) -> Select[Any]:
        """From a JSON array."""
        return select(func.json_each(bindparam(name)).table_valued("value").c.value)

    def keys(self) -> FromClause:
        """From a JSON array of pairs."""
        value = func.json_each(bindparam("keys")).table_valued("value").c.value
        pair = [func.json_extract(value, literal_column(f"'$[{index}]'")) for index in (0, 1)]
        return select(pair[0].label("partner"), pair[1].label("uuid")).subquery("wanted_record")

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """IN."""
        return value.in_(rows)

    def given(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """One parameter a column."""
        return {c.name: bindparam(_place(kind, c.name), type_=c.type) for c in columns}

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Of one row."""
        return sqlite.insert(table).values(dict(given))

    def saving(self, steps: Mapping[str, Step]) -> Saving:
        """One statement a step."""
        return Saving(tuple(self.compile(step.statement) for step in steps.values()), _places(steps))


class Postgres:
    """Lists are arrays; rows are arrays of their columns, so that one statement writes all of every kind.

    The planner knows how few rows there are in an array that is made first, and looks them up by their key.
    """

    one_writer = False

    def __init__(self) -> None:
        self._dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

    def compile(self, statement: ClauseElement) -> Statement:
        """With `$1` and so on for parameters."""
        return _compile(statement, self._dialect)

    def values(self, name: str) -> Select[Any]:
        """From an array."""
        return select(func.unnest(bindparam(name, type_=ARRAY(String))).column_valued("value"))

    def keys(self) -> FromClause:
        """From an array of partners and one of UUIDs."""
        arrays = [bindparam(name, type_=ARRAY(String)) for name in ("partners", "uuids")]
        pair = [column("partner", String), column("uuid", String)]
        return func.unnest(*arrays).table_valued(*pair).render_derived(name="wanted_record")

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """= ANY (ARRAY (…))."""
        return value == any_(func.array(rows.scalar_subquery()))

    def given(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """One array a column."""
        arrays = [bindparam(_place(kind, c.name), type_=ARRAY(c.type)) for c in columns]
        rows = func.unnest(*arrays).table_valued(*(column(c.name, c.type) for c in columns))
        return dict(rows.render_derived(name=f"given_{kind}").c)

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Of all rows, in their order."""
        return postgresql.insert(table).from_select(list(given), select(*given.values()))

    def saving(self, steps: Mapping[str, Step]) -> Saving:
        """One statement for all steps, which therefore must not write the same row twice."""
        ctes = [step.statement.cte(kind) for kind, step in steps.items()]
        together = self.compile(select(literal_column("1")).add_cte(*ctes))
        return Saving((together._replace(writes=True),), _places(steps))


def _compile(statement: ClauseElement, dialect: SqlDialect) -> Statement:
    compiled = statement.compile(dialect=dialect)
    return Statement(str(compiled), tuple(compiled.positiontup or ()), isinstance(statement, UpdateBase))  # type: ignore[attr-defined]


def _place(kind: str, column_name: str) -> str:
    return f"{kind}_{column_name}"


def _places(steps: Mapping[str, Step]) -> dict[str, tuple[str, int]]:
    return {
        _place(kind, name): (kind, index) for kind, step in steps.items() for index, name in enumerate(step.columns)
    }
