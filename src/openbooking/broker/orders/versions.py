"""The latest version of each Order and OrderProposal, and the cursors of their feeds, in the Broker's database.

An Order is known from before B or P is sent. Feeds show it after its first change only, so the reply to B or P is its
first version.
"""

import uuid
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from openbooking.broker.orders.changes import Change, Deleted, UnknownOrder, Unreadable
from openbooking.broker.orders.compare import Version, changes_between, untouched
from openbooking.broker.store.database import Transaction
from openbooking.harvest.documents import is_later, read_envelope
from openbooking.openactive.messages import OrderFeedData, OrderProposalFeedData
from openbooking.openactive.terms import OrderType

TABLES = (
    "CREATE TABLE IF NOT EXISTS order_feed (url TEXT PRIMARY KEY, cursor_url TEXT NOT NULL)",
    # deletion_expected: the Broker asked for the deletion, or B ended the OrderProposal.
    """
    CREATE TABLE IF NOT EXISTS order_version (
        order_uuid TEXT, type TEXT, content BLOB NOT NULL, modified BLOB, deleted INTEGER NOT NULL DEFAULT 0,
        deletion_expected INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (order_uuid, type)
    )
    """,
)
_TYPES: dict[OrderType, type[Version]] = {
    OrderType.ORDER: OrderFeedData,
    OrderType.PROPOSAL: OrderProposalFeedData,
}


class ChangedOrder(NamedTuple):
    """An Order or OrderProposal of a page of its feed.

    Attributes:
        order: The Order UUID.
        version: The new version; None if it was deleted or cannot be read.
        changes: What changed.
    """

    order: uuid.UUID
    version: Version | None
    changes: tuple[Change, ...]


class _Stored(NamedTuple):
    content: bytes
    modified: bytes | None
    deleted: bool
    deletion_expected: bool


def begin(transaction: Transaction, order: uuid.UUID, type_: OrderType) -> None:
    """Note that B or P is about to be sent, so that its Order is known even if no reply arrives."""
    transaction.execute(
        "INSERT INTO order_version (order_uuid, type, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (str(order), type_.value, b""),
    )


def register(transaction: Transaction, order: uuid.UUID, type_: OrderType, reply: bytes) -> None:
    """Keep the reply to B or P as the first version of an Order or OrderProposal.

    The version of a feed that came before the reply is kept instead: it is later.

    Args:
        transaction: The transaction in which the outcome of B or P is noted.
        order: The Order UUID.
        type_: Whether the reply is an Order or an OrderProposal.
        reply: The body of the reply.
    """
    transaction.execute(
        "INSERT INTO order_version (order_uuid, type, content) VALUES (?, ?, ?)"
        " ON CONFLICT (order_uuid, type) DO UPDATE SET content = excluded.content WHERE order_version.modified IS NULL",
        (str(order), type_.value, reply),
    )


def expect_deletion(transaction: Transaction, order: uuid.UUID, type_: OrderType) -> None:
    """Note that the Broker deletes an Order, or ends its OrderProposal by B, so that its deletion is no surprise."""
    transaction.execute(
        "INSERT INTO order_version (order_uuid, type, content, deletion_expected) VALUES (?, ?, ?, 1)"
        " ON CONFLICT (order_uuid, type) DO UPDATE SET deletion_expected = 1",
        (str(order), type_.value, b""),
    )


def latest(transaction: Transaction, order: uuid.UUID, type_: OrderType) -> Version | None:
    """Return the latest version of an Order or OrderProposal; None if it is not known or was deleted."""
    stored = _stored(transaction, order, type_)
    return None if stored is None or stored.deleted else _read(stored.content, type_)


def cursor_of(transaction: Transaction, feed: str) -> str:
    """Return the URL at which the reading of a feed resumes; empty for its first page."""
    row = transaction.execute("SELECT cursor_url FROM order_feed WHERE url = ?", (feed,)).fetchone()
    return str(row[0]) if row else ""


def move_cursor(transaction: Transaction, feed: str, before: str, after: str) -> bool:
    """Move the cursor of a feed, and return False if another process has moved it since it was read."""
    if not before:
        inserted = transaction.execute(
            "INSERT INTO order_feed (url, cursor_url) VALUES (?, ?) ON CONFLICT DO NOTHING", (feed, after)
        )
        return inserted.rowcount == 1
    moved = transaction.execute(
        "UPDATE order_feed SET cursor_url = ? WHERE url = ? AND cursor_url = ?", (after, feed, before)
    )
    return moved.rowcount == 1


def keep_versions(transaction: Transaction, type_: OrderType, items: Iterable[msgspec.Raw]) -> Iterator[ChangedOrder]:
    """Keep the items of a page as the latest versions, and yield each Order that changed.

    A version that is not later than the one that is kept changes nothing, because feeds may repeat pages.

    Args:
        transaction: The transaction in which the cursor moves.
        type_: Whether the feed is that of Orders or of OrderProposals.
        items: The items of the page, with their envelopes.
    """
    for item in items:
        envelope = read_envelope(item)
        order = _uuid(envelope.id) if envelope else None
        if envelope is None or order is None:
            # Without an Order UUID, nobody can be told about the item.
            continue
        stored = _stored(transaction, order, type_)
        if stored and stored.modified is not None and not _is_news(envelope.modified, stored.modified):
            continue
        if envelope.deleted:
            yield _delete(transaction, order, type_, stored, envelope.modified)
        else:
            yield _update(transaction, order, type_, stored, _Received(item, envelope.modified))


class _Received(NamedTuple):
    item: msgspec.Raw
    modified: bytes


class _Data(msgspec.Struct):
    data: msgspec.Raw


def _delete(
    transaction: Transaction, order: uuid.UUID, type_: OrderType, stored: _Stored | None, modified: bytes
) -> ChangedOrder:
    _put(transaction, order, type_, (stored.content if stored else b"", modified, 1))
    if stored is None:
        return ChangedOrder(order, None, (UnknownOrder(order=order),))
    if stored.deleted:
        return ChangedOrder(order, None, ())
    return ChangedOrder(order, None, (Deleted(order=order, expected=stored.deletion_expected),))


def _update(
    transaction: Transaction, order: uuid.UUID, type_: OrderType, stored: _Stored | None, received: _Received
) -> ChangedOrder:
    try:
        content = bytes(msgspec.json.decode(received.item, type=_Data).data)
        version = msgspec.json.decode(content, type=_TYPES[type_])
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        return ChangedOrder(order, None, (Unreadable(order=order, reason=str(fault)),))
    _put(transaction, order, type_, (content, received.modified, 0))
    if stored is None:
        return ChangedOrder(order, version, (UnknownOrder(order=order),))
    before = _read(stored.content, type_) or untouched(version)
    return ChangedOrder(order, version, tuple(changes_between(order, before, version)))


def _read(content: bytes, type_: OrderType) -> Version | None:
    """Return a version that was kept; None if there is none, or a reply that lacks what the feeds have."""
    try:
        return msgspec.json.decode(content, type=_TYPES[type_])
    except msgspec.MsgspecError:
        return None


def _stored(transaction: Transaction, order: uuid.UUID, type_: OrderType) -> _Stored | None:
    row = transaction.execute(
        "SELECT content, modified, deleted, deletion_expected FROM order_version WHERE order_uuid = ? AND type = ?",
        (str(order), type_.value),
    ).fetchone()
    if row is None:
        return None
    content, modified, deleted, expected = row
    return _Stored(bytes(content), None if modified is None else bytes(modified), bool(deleted), bool(expected))


def _put(transaction: Transaction, order: uuid.UUID, type_: OrderType, values: tuple[bytes, bytes, int]) -> None:
    transaction.execute(
        "INSERT INTO order_version (order_uuid, type, content, modified, deleted) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (order_uuid, type) DO UPDATE"
        " SET content = excluded.content, modified = excluded.modified, deleted = excluded.deleted",
        (str(order), type_.value, *values),
    )


def _is_news(modified: bytes, known: bytes) -> bool:
    """Return whether a version is later than the known one. One with the same `modified` is the known one again."""
    return modified != known and is_later(_decoded(modified), _decoded(known))


def _decoded(modified: bytes) -> object:
    try:
        return msgspec.json.decode(modified)
    except (msgspec.MsgspecError, ValueError):
        return None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text.rpartition("/")[2])
    except ValueError:
        return None
