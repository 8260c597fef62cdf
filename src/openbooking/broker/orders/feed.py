"""Reads the Orders feed and the OrderProposals feed of a Broker, page by page (OB 8.4).

A page of changes is committed together with the cursor, in the transaction in which the application handles the
changes, or in which they are kept for it (`untold.py`). If the application fails, the changes come again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from openbooking.broker.api.access import Access
from openbooking.broker.flow import Flow, NoAnswerError, Request, pause, send, work
from openbooking.broker.money.news import note_deletion, note_order, note_proposal
from openbooking.broker.orders.changes import ItemReplaced
from openbooking.broker.orders.moves import watch_replacement
from openbooking.broker.orders.pages import ChangePage, Handling
from openbooking.broker.orders.versions import NewVersion, cursor_of, keep, lock_cursor, move_cursor, new_versions
from openbooking.broker.store.database import Database, Transaction
from openbooking.harvest.reader import End, Get, Reader, Received, Wait
from openbooking.openactive.errors import BrokerError, Retry
from openbooking.openactive.messages import OrderProposalFeedData
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OrderType

# The seconds between two readings of the feeds.
DEFAULT_PAUSE, LONGEST_PAUSE = 20.0, 60.0
# The body of an answer is complete and decompressed.
_OF_THE_TRANSFER = ("content-encoding", "content-length", "transfer-encoding")


class FeedError(BrokerError):
    """A feed cannot be read to its end; the message says why. What was read before is kept."""

    retry = Retry.SAME_UUID


class OrderFeed(NamedTuple):
    """A feed of Orders or of OrderProposals.

    Attributes:
        url: The URL of its first page.
        type: The type of its items.
    """

    url: str
    type: OrderType


class OrderFeedReading:
    """One reading of a feed, from its cursor to its end.

    Args:
        database: The database with the cursor and the latest versions.
        feed: The feed.
        access: The credentials of the Broker.
    """

    def __init__(self, database: Database, feed: OrderFeed, access: Access) -> None:
        self._database = database
        self._feed = feed
        self._access = access
        self._cursor = ""
        self._status = 0
        self._reader: Reader | None = None
        self._is_renewed = False

    def next_page(self) -> Flow[ChangePage | None]:
        """Return the next page; None at the end of the feed. Commit each page before the next.

        Raises:
            FeedError: The feed cannot be read to its end.
        """
        if self._reader is None:
            self._cursor = yield from work(self._stored_cursor)
            self._reader = yield from self._new_reader()
        step = yield from self._next_step(self._reader)
        if isinstance(step, End) and self._status == HTTPStatus.UNAUTHORIZED and not self._is_renewed:
            self._is_renewed = True
            if (yield from self._access.renew()):
                self._reader = yield from self._new_reader()
                step = yield from self._next_step(self._reader)
        if isinstance(step, Received):
            return ChangePage(partial(self._commit, step))
        if step.fault and not self._is_absent():
            raise FeedError(f"{step.url} does not lead to the end of the feed: {step.fault}.{self._advice()}")
        return None

    def _advice(self) -> str:
        is_refused = self._status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        return " The Booking System does not accept the credentials of this Broker." if is_refused else ""

    def _commit(self, page: Received, handle: Handling) -> Flow[int]:
        """Keep the versions of a page, note what they mean for money, and move the cursor."""

        def write() -> int:
            with self._database.transaction() as transaction:
                if not lock_cursor(transaction, self._feed.url, self._cursor):
                    return 0
                versions = list(new_versions(transaction, self._feed.type, page.page.items))
                changes = [change for version in versions for change in version.changes]
                if changes:
                    handle(transaction, changes)
                for version in versions:
                    keep(transaction, version)
                    _note(transaction, version)
                for change in changes:
                    if isinstance(change, ItemReplaced):
                        watch_replacement(transaction, change)
                move_cursor(transaction, self._feed.url, self._cursor, page.cursor)
            return len(changes)

        count = yield from work(write)
        self._cursor = page.cursor
        return count

    def _is_absent(self) -> bool:
        """Return whether the Booking System has no feed of OrderProposals; they may be in the Orders feed (AMB-23)."""
        is_missing = self._status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
        return is_missing and self._feed.type is OrderType.PROPOSAL and not self._cursor

    def _stored_cursor(self) -> str:
        with self._database.transaction() as transaction:
            return cursor_of(transaction, self._feed.url)

    def _new_reader(self) -> Flow[Reader]:
        headers = {**(yield from self._access.headers()), "Accept": BOOKING_MEDIA_TYPE}
        return Reader(self._feed.url, cursor=self._cursor, headers=headers)

    def _next_step(self, reader: Reader) -> Flow[Received | End]:
        while True:
            step = reader.next_step()
            if isinstance(step, Get):
                self._status = yield from _get(step, reader)
            elif isinstance(step, Wait):
                yield from pause(step.seconds, f"{step.url}: {step.reason}.")
            else:
                return step


def check_pause(seconds: float) -> None:
    """Raise ValueError if a pause between two readings is longer than the specification allows (OB-BRK-07)."""
    if not 0 <= seconds <= LONGEST_PAUSE:
        raise ValueError(f"The Orders feed is read at least every {LONGEST_PAUSE:g} seconds, not every {seconds:g}.")


def _note(transaction: Transaction, version: NewVersion) -> None:
    """Tell the journal what a version says about money."""
    found = version.version
    if isinstance(found, OrderProposalFeedData):
        status, total = found.order_proposal_status, found.total_payment_due
        note_proposal(transaction, version.order, status, found.order_proposal_version, total)
    elif found is not None:
        note_order(transaction, version.order, found.total_payment_due)
    elif version.is_deleted and version.type is OrderType.PROPOSAL:
        note_proposal(transaction, version.order, None, "", None)
    elif version.is_deleted:
        note_deletion(transaction, version.order)


def _get(get: Get, reader: Reader) -> Flow[int]:
    """Request a page for a reader, and return the status of the answer; 0 if none came."""
    try:
        answer = yield from send(Request("GET", get.url, get.headers))
    except NoAnswerError as fault:
        reader.receive_failure(str(fault))
        return 0
    headers: Mapping[str, str] = {name: text for name, text in answer.headers.items() if name not in _OF_THE_TRANSFER}
    if reader.receive_head(answer.status, headers.items(), datetime.now(UTC)):
        reader.receive_data(answer.content)
    reader.receive_end()
    return answer.status
