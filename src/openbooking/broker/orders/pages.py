"""Pages of changes, whichever feed they come from."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from openbooking.broker.flow import Flow
from openbooking.broker.orders.changes import Change
from openbooking.broker.store.database import Transaction

# Handles changes with the connection of the database, in the transaction that moves the cursor.
Handler = Callable[[Any, Sequence[Change]], None]


class ChangePage(NamedTuple):
    """A page of changes.

    Attributes:
        changes: Returns the changes. Nothing is written.
        commit: Moves the cursor behind the page, and returns the number of changes. A handler that is passed handles
            the changes in the same transaction; an error of it leaves everything as it was, and the page comes again.
            In an asynchronous client it runs in the thread that uses the database. If another process has handled the
            page, nothing happens.
    """

    changes: Callable[[], Flow[tuple[Change, ...]]]
    commit: Callable[[Handler | None], Flow[int]]


def have_handled(transaction: Transaction, handle: Handler | None, changes: Sequence[Change]) -> None:
    """Have a handler handle changes. Call it before anything else is written, in case the handler commits.

    Raises:
        DatabaseError: The handler has committed, or tried to. The page must come again.
    """
    if handle and changes:
        with transaction.lend() as connection:
            handle(connection, changes)


class ChangeReading(Protocol):
    """A reading of changes from the cursor to the end."""

    def next_page(self) -> Flow[ChangePage | None]:
        """Return the next page; None at the end. Commit each page before the next."""
        ...
