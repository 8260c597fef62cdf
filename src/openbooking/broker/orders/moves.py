"""Changes of booked Opportunities in the open feeds, such as another time or place (OB 8.4.9).

The Orders feed does not show them: it names the Opportunity, and the open feed of the Opportunity shows its new
properties (OB-NOTIF-04, OB-NOTIF-05). The open feeds are those that the Broker has harvested.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec

from openbooking.broker.catalogue.lookup import changed_since, find_opportunity, last_change
from openbooking.broker.flow import Flow, work
from openbooking.broker.orders.changes import Change, ItemReplaced, Moved
from openbooking.broker.orders.compare import id_of
from openbooking.broker.orders.pages import ChangePage, Handling
from openbooking.broker.orders.versions import latest
from openbooking.broker.store.database import Database, Transaction
from openbooking.openactive.published.values import UnreadableError, read_instant
from openbooking.openactive.terms import OrderItemStatus, OrderType

TABLES = (
    # The properties are those that the Customer was last told; empty if the catalogue did not have the Opportunity.
    # over: the Opportunity has begun, so that its changes are not told any more.
    """
    CREATE TABLE IF NOT EXISTS broker_booked_opportunities (
        order_uuid TEXT, item TEXT, system TEXT NOT NULL, opportunity TEXT NOT NULL, properties BLOB NOT NULL,
        over INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (order_uuid, item)
    )
    """,
    "CREATE TABLE IF NOT EXISTS broker_moves (system TEXT PRIMARY KEY, position BIGINT NOT NULL)",
)
_NOT_WATCHED = """
    SELECT purchase.order_uuid FROM broker_purchases purchase
    WHERE purchase.site = ? AND purchase.state = 'booked' AND NOT EXISTS (
        SELECT 1 FROM broker_booked_opportunities watched WHERE watched.order_uuid = purchase.order_uuid
    )
"""
# What a Customer needs to know (OB-BKBL-38).
_TOLD = ("name", "startDate", "endDate", "duration", "meetingPoint")
_TOLD_OF_PLACE = ("name", "address", "geo")


class BookedItem(NamedTuple):
    """A booked OrderItem: its Order UUID, its `@id` and the `@id` of its Opportunity."""

    order: uuid.UUID
    item: str
    opportunity: str


class _Watched(NamedTuple):
    item: BookedItem
    properties: bytes
    over: bool = False


class _Page(NamedTuple):
    """The moves since the last reading.

    Attributes:
        before: The position of the catalogue at which the last reading ended.
        position: The position of the catalogue up to which they were looked for.
        watched: The OrderItems whose Opportunities changed, with the properties that they have now.
        changes: The moves that Customers are told.
    """

    before: int
    position: int
    watched: tuple[_Watched, ...]
    changes: tuple[Change, ...]


def watch_booked(transaction: Transaction, system: str) -> None:
    """Begin to watch the Opportunities of the Orders that were booked since the last call.

    Args:
        transaction: A transaction.
        system: The URL of the Booking System.
    """
    found = transaction.execute(_NOT_WATCHED, (system,)).fetchall()
    for order, item, opportunity in (booked for (text,) in found for booked in _items(transaction, uuid.UUID(text))):
        transaction.execute(
            "INSERT INTO broker_booked_opportunities (order_uuid, item, system, opportunity, properties)"
            " VALUES (?, ?, ?, ?, ?)",
            (str(order), item, system, opportunity, _properties(transaction, system, opportunity)),
        )
    transaction.execute(
        "INSERT INTO broker_moves (system, position) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (system, last_change(transaction)),
    )


def watch_replacement(transaction: Transaction, replaced: ItemReplaced) -> None:
    """Watch the Opportunity that replaces another one."""
    key = (str(replaced.order), replaced.item)
    where = "WHERE order_uuid = ? AND item = ?"
    row = transaction.execute(f"SELECT system FROM broker_booked_opportunities {where}", key).fetchone()  # noqa: S608 - our own text
    if row:
        properties = _properties(transaction, row[0], replaced.opportunity)
        transaction.execute(
            f"UPDATE broker_booked_opportunities SET opportunity = ?, properties = ? {where}",  # noqa: S608 - as above
            (replaced.opportunity, properties, *key),
        )


class MovesReading:
    """One reading of what changed in the catalogue.

    Args:
        database: The database.
        system: The URL of the Booking System.
        clock: Returns the time, with a zone.
    """

    def __init__(self, database: Database, system: str, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._system = system
        self._clock = clock
        self._is_read = False

    def next_page(self) -> Flow[ChangePage | None]:
        """Return the moves since the last reading; None if nothing changed or they were returned before."""
        if self._is_read:
            return None
        self._is_read = True
        page = yield from work(self._read)
        if page is None:
            return None
        return ChangePage(partial(self._commit, page))

    def _commit(self, page: _Page, handle: Handling) -> Flow[int]:
        """Keep what Customers are told."""

        def write() -> int:
            with self._database.transaction() as transaction:
                if not self._move(transaction, page.before, page.before):
                    # Another process has told these moves.
                    return 0
                if page.changes:
                    handle(transaction, page.changes)
                self._move(transaction, page.before, page.position)
                for item, properties, over in page.watched:
                    transaction.execute(
                        "UPDATE broker_booked_opportunities SET properties = ?, over = ?"
                        " WHERE order_uuid = ? AND item = ? AND opportunity = ?",
                        (properties, int(over), str(item.order), item.item, item.opportunity),
                    )
            return len(page.changes)

        return (yield from work(write))

    def _read(self) -> _Page | None:
        with self._database.transaction() as transaction:
            position, before = last_change(transaction), self._position(transaction)
            if position == before:
                return None
            watched = _watched(transaction, self._system)
            opportunities = sorted({found.item.opportunity for found in watched})
            changed = changed_since(transaction, self._system, opportunities, before)
            found = [self._compare(transaction, row) for row in watched if row.item.opportunity in changed]
            return _Page(before, position, tuple(row for row, _ in found), tuple(move for _, move in found if move))

    def _compare(self, transaction: Transaction, row: _Watched) -> tuple[_Watched, Moved | None]:
        """Return an OrderItem with the properties that its Opportunity has now, and the move to tell its Customer."""
        after = _properties(transaction, self._system, row.item.opportunity) or row.properties
        old, new = _decode(row.properties), _decode(after)
        # A move into the past is told, and ends the watch.
        kept = _Watched(row.item, after, over=not _is_to_come(new, self._clock()))
        names = {name for name in (*old, *new) if old.get(name) != new.get(name)}
        if not old or not names or not _is_confirmed(transaction, row.item):
            return kept, None
        return kept, Moved(
            order=row.item.order,
            item=row.item.item,
            opportunity=row.item.opportunity,
            before={name: value for name, value in old.items() if name in names},
            after={name: value for name, value in new.items() if name in names},
        )

    def _move(self, transaction: Transaction, before: int, after: int) -> bool:
        """Move the position of the last reading, and return False if another process has moved it."""
        moved = transaction.execute(
            "UPDATE broker_moves SET position = ? WHERE system = ? AND position = ?", (after, self._system, before)
        )
        return moved.rowcount == 1

    def _position(self, transaction: Transaction) -> int:
        row = transaction.execute("SELECT position FROM broker_moves WHERE system = ?", (self._system,)).fetchone()
        return int(row[0]) if row else last_change(transaction)


def _items(transaction: Transaction, order: uuid.UUID) -> Iterator[BookedItem]:
    """Yield the OrderItems of an Order that name their Opportunities."""
    version = latest(transaction, order, OrderType.ORDER)
    for item in version.ordered_item if version else ():
        opportunity = id_of(item.ordered_item)
        if item.id and opportunity:
            yield BookedItem(order, item.id, opportunity)


def _is_confirmed(transaction: Transaction, booked: BookedItem) -> bool:
    """Return whether an OrderItem is neither cancelled nor attended."""
    version = latest(transaction, booked.order, OrderType.ORDER)
    statuses = {item.id: item.order_item_status for item in version.ordered_item} if version else {}
    return statuses.get(booked.item, "") in {OrderItemStatus.CONFIRMED, None}


def _watched(transaction: Transaction, system: str) -> list[_Watched]:
    rows = transaction.execute(
        "SELECT order_uuid, item, opportunity, properties FROM broker_booked_opportunities"
        " WHERE system = ? AND over = 0",
        (system,),
    ).fetchall()
    return [
        _Watched(BookedItem(uuid.UUID(order), item, opportunity), bytes(properties))
        for order, item, opportunity, properties in rows
    ]


def _properties(transaction: Transaction, system: str, opportunity: str) -> bytes:
    """Return the properties that a Customer needs to know, as JSON; empty if the catalogue has no such Opportunity."""
    found = find_opportunity(transaction, system, opportunity)
    if found is None:
        return b""
    told = {name: found[name] for name in _TOLD if name in found}
    place = found.get("location")
    if isinstance(place, Mapping):
        told["location"] = {name: place[name] for name in _TOLD_OF_PLACE if name in place}
    return msgspec.json.encode(told, order="sorted")


def _decode(properties: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(properties) if properties else {}
    return decoded


def _is_to_come(properties: Mapping[str, Any], now: datetime) -> bool:
    """Return whether an Opportunity starts later, or has no start that can be read."""
    try:
        return read_instant(properties.get("startDate")).at > now
    except UnreadableError:
        return True
