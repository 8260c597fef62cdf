"""The differences between the SQL of databases: parameters that are lists, rows to write, and row locks.

Each database has a `Dialect`. All statements are built with it, so each statement is written once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeVar

from sqlalchemy import Column, ColumnElement, FromClause, Select, Table
from sqlalchemy import Dialect as SqlDialect
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.expression import ClauseElement

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"
StatementsOf = TypeVar("StatementsOf")


class Statement(NamedTuple):
    """A compiled SQL statement.

    Attributes:
        text: The SQL that the driver sends.
        names: The names of the parameters, in the order in which the driver passes their values.
        writes: Whether the statement changes the database.
    """

    text: str
    names: tuple[str, ...]
    writes: bool


class RowWrite(NamedTuple):
    """The statement that writes rows of one kind, and the names of their columns, in order."""

    columns: tuple[str, ...]
    statement: UpdateBase


class SaveStatement(NamedTuple):
    """Statements that together write rows of several kinds.

    Attributes:
        statements: The statements, in the order in which they are executed.
        positions: For the name of each parameter, the kind of row and the index of the column that hold its values.
    """

    statements: tuple[Statement, ...]
    positions: Mapping[str, tuple[str, int]]


class Dialect(Protocol):
    """The SQL of one kind of database. Each method returns a part of a statement.

    Attributes:
        one_writer: Whether the database runs write transactions one after the other. If so, no rows are locked, and a
            transaction gives change numbers to the feed items that it writes. If not, feed items get their numbers
            after the commit (see `openbooking.store.numbering`).
        overwrites: Whether the database overwrites deleted and replaced data in its files at once.
    """

    one_writer: bool
    overwrites: bool

    def compile(self, statement: ClauseElement) -> Statement:
        """Compile a statement to text for the driver."""
        ...

    def values(self, name: str) -> Select[Any]:
        """Return a query that yields the elements of a list of strings, which is passed as the parameter `name`."""
        ...

    def keys(self) -> FromClause:
        """Return the record keys of the parameters as a table with the columns `partner` and `uuid`.

        A dialect takes them from the parameter `keys`, a list of pairs, or from the lists `partners` and `uuids`:
        `record_keys` makes all three.
        """
        ...

    def positions(self) -> FromClause:
        """Return the feed positions of the parameters as a table with the columns `feed`, `partner` and `after`.

        `after` is a change number. A dialect takes the positions from the parameter `positions`, a list of triples, or
        from the lists `feeds`, `partners` and `afters`.
        """
        ...

    def court_times(self) -> FromClause:
        """Return times of courts as a table with the columns `court`, `court_from` and `court_until`.

        A dialect takes them from the parameter `court_times`, a list of triples, or from the lists `courts`,
        `courts_from` and `courts_until`: `court_time_lists` makes all four.
        """
        ...

    def among(self, value: ColumnElement[Any], rows: Select[Any]) -> ColumnElement[bool]:
        """Return the condition that a value is among the results of a query, which the database runs first."""
        ...

    def input_columns(self, kind: str, columns: Sequence[Column[Any]]) -> Mapping[str, ColumnElement[Any]]:
        """Return expressions, by column name, for the values of the rows to write.

        Args:
            kind: The kind of the rows, a key of `openbooking.store.rows.ROW_TYPES`.
            columns: The columns that the rows have.
        """
        ...

    def row_address(self, table: Table) -> ColumnElement[Any]:
        """Return an expression for the address of a row, by which the transaction that has locked the row finds it."""
        ...

    def lock_holder(self, table: Table) -> ColumnElement[str]:
        """Return an expression for the id of the transaction, or group of transactions, that has locked a row."""
        ...

    def insert(self, table: Table, given: Mapping[str, ColumnElement[Any]]) -> Insert:
        """Return the statement that inserts rows.

        Args:
            table: The table.
            given: The result of `input_columns` for the rows.
        """
        ...

    def save_statement(self, writes: Mapping[str, RowWrite]) -> SaveStatement:
        """Compile the statements that write rows of several kinds; the keys of `writes` are the kinds."""
        ...


_shared: dict[tuple[Dialect, Callable[[Dialect], Any]], Any] = {}


def statements_for(dialect: Dialect, kind: Callable[[Dialect], StatementsOf]) -> StatementsOf:
    """Return the statements of a kind, such as `Statements`, in a dialect.

    All stores of a process share them, so each statement is compiled once in a process.
    """
    if (dialect, kind) not in _shared:
        _shared[dialect, kind] = kind(dialect)
    statements: StatementsOf = _shared[dialect, kind]
    return statements


def compile_for(statement: ClauseElement, dialect: SqlDialect) -> Statement:
    """Compile a statement to text with SQLAlchemy's dialect of the driver."""
    compiled = statement.compile(dialect=dialect)
    return Statement(str(compiled), tuple(compiled.positiontup or ()), isinstance(statement, UpdateBase))  # type: ignore[attr-defined]


def parameter_name(kind: str, column_name: str) -> str:
    """Return the name of the parameter that passes a column of the rows of a kind."""
    return f"{kind}_{column_name}"


def parameter_positions(writes: Mapping[str, RowWrite]) -> dict[str, tuple[str, int]]:
    """Return `SaveStatement.positions` for rows of these kinds."""
    return {
        parameter_name(kind, name): (kind, index)
        for kind, write in writes.items()
        for index, name in enumerate(write.columns)
    }
