"""Reads the Orders feed and the OrderProposals feed of a Broker, page by page (OB 8.4).

The application handles the changes of a page in the transaction that moves the cursor. An error of the application
leaves the cursor where it was, and the page comes again.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NamedTuple

from openbooking.broker.api.access import Access
from openbooking.broker.flow import Flow, NoAnswerError, Request, pause, send, work
from openbooking.broker.orders.changes import Change
from openbooking.broker.orders.compare import total_of
from openbooking.broker.orders.versions import cursor_of, keep_versions, move_cursor
from openbooking.broker.store.database import Database, Transaction
from openbooking.harvest.reader import End, Get, Reader, Received, Wait
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OrderType

# A Broker polls at least every 60 seconds (OB-BRK-07).
LONGEST_PAUSE = 60

Handler = Callable[[Any, Sequence[Change]], None]
NoteTotal = Callable[[Transaction, uuid.UUID, Decimal], None]
# The body of an answer is complete and decompressed.
_OF_THE_TRANSFER = ("content-encoding", "content-length", "transfer-encoding")


class FeedError(Exception):
    """A feed cannot be read to its end; the message says why. What was read before is kept."""


class OrderFeed(NamedTuple):
    """A feed of Orders or of OrderProposals.

    Attributes:
        url: The URL of its first page.
        type: The type of its items.
    """

    url: str
    type: OrderType


def read_changes(
    database: Database, feed: OrderFeed, access: Access, handle: Handler, note_total: NoteTotal
) -> Flow[int]:
    """Read a feed from its cursor to its end, and return the number of changes.

    Args:
        database: The database with the cursor and the latest versions.
        feed: The feed.
        access: The credentials of the Broker.
        handle: Handles the changes of a page. It gets the connection of the database, in the transaction that moves the
            cursor, and runs where the database is used: in an asynchronous client, that is a thread of its own.
        note_total: Notes the total of an Order in the same transaction, so that what is paid too much is refunded.

    Raises:
        FeedError: The feed cannot be read to its end.
    """
    reading = _Reading(database, feed, handle, note_total)
    cursor = yield from work(reading.cursor)
    headers = {**(yield from access.headers()), "Accept": BOOKING_MEDIA_TYPE}
    end = yield from _read(Reader(feed.url, cursor=cursor, headers=headers), reading)
    if reading.status == HTTPStatus.UNAUTHORIZED and (yield from access.renew()):
        headers = {**(yield from access.headers()), "Accept": BOOKING_MEDIA_TYPE}
        end = yield from _read(Reader(feed.url, cursor=reading.position, headers=headers), reading)
    if end.fault:
        raise FeedError(f"{end.url} does not lead to the end of the feed: {end.fault}.")
    return reading.count


class _Reading:
    """One reading of a feed into the database."""

    def __init__(self, database: Database, feed: OrderFeed, handle: Handler, note_total: NoteTotal) -> None:
        self.count = 0
        self.position = ""
        self.status = 0
        self._database = database
        self._feed = feed
        self._handle = handle
        self._note_total = note_total

    def cursor(self) -> str:
        """Return the URL at which to resume; empty for the first page."""
        with self._database.transaction() as transaction:
            self.position = cursor_of(transaction, self._feed.url)
        return self.position

    def keep(self, received: Received) -> None:
        """Keep a page and its cursor, and have the application handle its changes, in one transaction.

        Nothing happens if another process has handled the page.
        """
        with self._database.transaction() as transaction:
            if not move_cursor(transaction, self._feed.url, self.position, received.cursor):
                return
            orders = list(keep_versions(transaction, self._feed.type, received.page.items))
            for changed in orders:
                if changed.version is not None and self._feed.type is OrderType.ORDER:
                    self._note_total(transaction, changed.order, total_of(changed.version))
            changes = [change for order in orders for change in order.changes]
            if changes:
                self._handle(transaction.connection, changes)
        self.count += len(changes)
        self.position = received.cursor


def _read(reader: Reader, reading: _Reading) -> Flow[End]:
    """Read pages until the end of the feed."""
    while True:
        step = reader.next_step()
        match step:
            case Get():
                reading.status = yield from _get(step, reader)
            case Wait(seconds):
                yield from pause(seconds)
            case Received():
                yield from work(lambda received=step: reading.keep(received))  # type: ignore[misc]
            case End():
                return step


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
