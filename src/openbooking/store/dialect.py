"""What SQLite and PostgreSQL disagree on: how lists and rows are passed to a statement, and whether rows are locked."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from sqlalchemy import Column, ColumnElement, FromClause, Select, Table
from sqlalchemy import Dialect as SqlDialect
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.expression import ClauseElement

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"


class Statement(NamedTuple):
    """The text of a statement, the names of its parameters by their positions, and whether it changes anything."""

    text: str
    names: tuple[str, ...]
    writes: bool


class RowWrite(NamedTuple):
    """A kind of row to write: its columns, and the statement that writes it."""

    columns: tuple[str, ...]
    statement: UpdateBase


class SaveStatement(NamedTuple):
    """Statements that write rows of several kinds; `positions` tells of which kind and column each parameter is."""

    statements: tuple[Statement, ...]
    positions: Mapping[str, tuple[str, int]]


class Dialect(Protocol):
    """What the statements for a kind of database depend on.

    Attributes:
        one_writer: A transaction that writes is alone from its start to its end. So no rows are locked, and feed items
            get their numbers in the transaction that writes them. Otherwise they get them after it was committed.
        overwrites: The database overwrites deleted and replaced data in its files at once.
    """

    one_writer: bool
    overwrites: bool

    def compile(self, statement: ClauseElement) -> Statement:
        """The statement as text for the driver."""
        ...

    def values(self, name: str) -> Select[Any]:
        """The values in the list that is passed under this name."""
        ...

    def keys(self) -> FromClause:
        """The `partner` and `uuid` of the records that are passed as `keys`, or `partners` and `uuids`."""
        ...

    def positions(self) -> FromClause:
        """The `feed`, `partner` and `after` that are passed as `positions`, or `feeds`, `partners` and `afters`."""
        ...

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """Whether the value is in those rows, which are found first."""
        ...

    def given(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """The columns of the rows of a kind that are passed to be written."""
        ...

    def row_address(self, table: Table) -> ColumnElement[Any]:
        """What identifies a row of the table until the transaction ends, if the row is locked."""
        ...

    def lock_holder(self, table: Table) -> ColumnElement[str]:
        """What identifies the transaction that has locked a row of the table, or the group of them."""
        ...

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Insert the rows given."""
        ...

    def saving(self, steps: Mapping[str, RowWrite]) -> SaveStatement:
        """The statements that take all these steps."""
        ...


def compile_for(statement: ClauseElement, dialect: SqlDialect) -> Statement:
    """The text of a statement, with its parameters by their positions."""
    compiled = statement.compile(dialect=dialect)
    return Statement(str(compiled), tuple(compiled.positiontup or ()), isinstance(statement, UpdateBase))  # type: ignore[attr-defined]


def place_of(kind: str, column_name: str) -> str:
    """The name of the parameter for a column of the rows of a kind."""
    return f"{kind}_{column_name}"


def places_of(steps: Mapping[str, RowWrite]) -> dict[str, tuple[str, int]]:
    """Which kind and column each parameter of these steps is for."""
    return {
        place_of(kind, name): (kind, index) for kind, step in steps.items() for index, name in enumerate(step.columns)
    }
