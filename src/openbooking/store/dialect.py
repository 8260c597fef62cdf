"""What databases disagree on: how lists and rows are passed to a statement, and whether rows are locked."""

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
    """The text of a statement, the names of its parameters in their order, and whether it changes anything."""

    text: str
    names: tuple[str, ...]
    writes: bool


class RowWrite(NamedTuple):
    """How rows of one kind are written: their columns, and the statement."""

    columns: tuple[str, ...]
    statement: UpdateBase


class SaveStatement(NamedTuple):
    """Statements that write rows of several kinds.

    Attributes:
        statements: The statements, in the order in which they are executed.
        positions: The kind of row, and the index of the column in it, that each parameter takes its values from.
    """

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
        """Return the statement as text for the driver."""
        ...

    def values(self, name: str) -> Select[Any]:
        """Select the values of the list that is passed as the parameter of this name."""
        ...

    def keys(self) -> FromClause:
        """Return a table of the record keys that are passed as `keys`, or as `partners` and `uuids`.

        Its columns are `partner` and `uuid`.
        """
        ...

    def positions(self) -> FromClause:
        """Return a table of the feed positions that are passed as `positions`, or as `feeds`, `partners` and `afters`.

        Its columns are `feed`, `partner` and `after`.
        """
        ...

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """Return the condition that the value is in those rows; the database finds the rows first."""
        ...

    def given(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """Return the columns, by name, of the rows of a kind that are passed to be written."""
        ...

    def row_address(self, table: Table) -> ColumnElement[Any]:
        """Return an expression that identifies a locked row of the table until the transaction ends."""
        ...

    def lock_holder(self, table: Table) -> ColumnElement[str]:
        """Return an expression that identifies the transactions which have locked a row of the table."""
        ...

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Return the statement that inserts the given rows."""
        ...

    def saving(self, writes: Mapping[str, RowWrite]) -> SaveStatement:
        """Return the statements that write rows of all these kinds."""
        ...


def compile_for(statement: ClauseElement, dialect: SqlDialect) -> Statement:
    """Compile a statement to text, with its parameters in their order."""
    compiled = statement.compile(dialect=dialect)
    return Statement(str(compiled), tuple(compiled.positiontup or ()), isinstance(statement, UpdateBase))  # type: ignore[attr-defined]


def parameter_name(kind: str, column_name: str) -> str:
    """Return the name of the parameter for a column of the rows of a kind."""
    return f"{kind}_{column_name}"


def parameter_positions(writes: Mapping[str, RowWrite]) -> dict[str, tuple[str, int]]:
    """Return the kind of row and the index of the column for each parameter."""
    return {
        parameter_name(kind, name): (kind, index)
        for kind, write in writes.items()
        for index, name in enumerate(write.columns)
    }
