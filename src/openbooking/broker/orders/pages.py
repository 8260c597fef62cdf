"""Pages of changes, whichever feed they come from."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from openbooking.broker.flow import Flow
from openbooking.broker.orders.changes import Change
from openbooking.broker.store.database import Transaction

# Handles changes with the connection of the database, in the transaction that moves the cursor.
Handler = Callable[[Any, Sequence[Change]], None]
# Handles changes in that transaction. It comes before anything else is written, in case a handler commits.
Handling = Callable[[Transaction, Sequence[Change]], None]


class ChangePage(NamedTuple):
    """A page of changes.

    Attributes:
        commit: Has the changes handled, moves the cursor behind the page in the same transaction, and returns the
            number of changes. An error of the handling leaves everything as it was, and the page comes again. In an
            asynchronous client the handling runs in the thread that uses the database. If another process has handled
            the page, nothing happens.
    """

    commit: Callable[[Handling], Flow[int]]


def by_application(handle: Handler) -> Handling:
    """Return the handling of changes by the application, which gets the connection of the database.

    The handling raises DatabaseError if the application has committed, or tried to. The page must come again.
    """

    def lend(transaction: Transaction, changes: Sequence[Change]) -> None:
        with transaction.lend() as connection:
            handle(connection, changes)

    return lend


class ChangeReading(Protocol):
    """A reading of changes from the cursor to the end."""

    def next_page(self) -> Flow[ChangePage | None]:
        """Return the next page; None at the end. Commit each page before the next."""
        ...
