"""The latest version of each Order and OrderProposal in the feeds, and the cursors of the feeds.

Feeds show an Order after its first change only, so the reply to B or P is its first version. The journal has it.

A Booking System has one feed for Orders and one for OrderProposals, or one feed for both. In a feed for both, the `id`
of an OrderProposal is not its UUID (AMB-23).
"""

import re
import uuid
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from openbooking.broker.money.known_orders import KnownOrder, known_order
from openbooking.broker.orders.changes import Change, Deleted, UnknownOrder, Unreadable
from openbooking.broker.orders.compare import Version, changes_between, untouched
from openbooking.broker.store.database import Transaction
from openbooking.harvest.documents import MAX_NESTING, is_later, is_too_deep, read_envelope
from openbooking.openactive.messages import OrderFeedData, OrderProposalFeedData
from openbooking.openactive.published.values import UnreadableError, read_amount
from openbooking.openactive.terms import OrderType

TABLES = (
    "CREATE TABLE IF NOT EXISTS broker_order_feeds (url TEXT PRIMARY KEY, cursor_url TEXT NOT NULL)",
    # The content is empty if the Order was deleted.
    """
    CREATE TABLE IF NOT EXISTS broker_order_versions (
        order_uuid TEXT, type TEXT, modified BLOB NOT NULL, content BLOB NOT NULL, PRIMARY KEY (order_uuid, type)
    )
    """,
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_TYPES: dict[OrderType, type[Version]] = {
    OrderType.ORDER: OrderFeedData,
    OrderType.PROPOSAL: OrderProposalFeedData,
}


class NewVersion(NamedTuple):
    """A new version of an Order or OrderProposal.

    Attributes:
        order: The Order UUID.
        type: Whether it is an Order or an OrderProposal.
        modified: The `modified` of the item, as JSON.
        content: The version as JSON; empty if the Order was deleted; None if the version cannot be read.
        version: The version; None if there is none.
        changes: What changed.
    """

    order: uuid.UUID
    type: OrderType
    modified: bytes
    content: bytes | None
    version: Version | None
    changes: tuple[Change, ...]

    @property
    def is_deleted(self) -> bool:
        """Whether the Order was deleted."""
        return self.content == b""


class _Kept(NamedTuple):
    modified: bytes
    content: bytes


class _Head(msgspec.Struct):
    type: object = msgspec.field(name="@type", default=None)
    identifier: object = None


class _Item(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Read(NamedTuple):
    """An item of a feed.

    Attributes:
        order: The Order UUID.
        type: Whether it is an Order or an OrderProposal.
        modified: The `modified`, as JSON.
        content: The `data`, as JSON; empty if the item is deleted.
    """

    order: uuid.UUID
    type: OrderType
    modified: bytes
    content: bytes


def new_versions(transaction: Transaction, type_: OrderType, items: Iterable[msgspec.Raw]) -> Iterator[NewVersion]:
    """Yield the versions on a page that are later than those that are kept, because feeds may repeat pages.

    Args:
        transaction: A transaction. Nothing is written.
        type_: The type of items that do not name theirs.
        items: The items of the page, with their envelopes.
    """
    seen: dict[tuple[uuid.UUID, OrderType], _Kept] = {}
    for read in filter(None, (_read_item(item, type_) for item in items)):
        key = read.order, read.type
        kept = seen.get(key) or _kept(transaction, *key)
        if kept and not _is_news(read.modified, kept.modified):
            continue
        known = known_order(transaction, *key)
        if not read.content:
            new = NewVersion(*key, read.modified, b"", None, _deletion(read.order, kept, known))
        else:
            new = _update(read, _Before(kept, known))
        if new.content is not None:
            seen[key] = _Kept(new.modified, new.content)
        yield new


def keep(transaction: Transaction, version: NewVersion) -> None:
    """Keep a version as the latest one, unless it cannot be read."""
    if version.content is None:
        return
    transaction.execute(
        "INSERT INTO broker_order_versions (order_uuid, type, modified, content) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (order_uuid, type) DO UPDATE SET modified = excluded.modified, content = excluded.content",
        (str(version.order), version.type.value, version.modified, version.content),
    )


def latest(transaction: Transaction, order: uuid.UUID, type_: OrderType) -> Version | None:
    """Return the latest version of an Order or OrderProposal: of the feed, otherwise the reply to B or P.

    None if it is not known or was deleted.
    """
    kept = _kept(transaction, order, type_)
    if kept:
        return _read(kept.content, type_)
    known = known_order(transaction, order, type_)
    return _read(known.reply, type_) if known and not known.deletion_expected else None


def cursor_of(transaction: Transaction, feed: str) -> str:
    """Return the URL at which the reading of a feed resumes; empty for its first page."""
    row = transaction.execute("SELECT cursor_url FROM broker_order_feeds WHERE url = ?", (feed,)).fetchone()
    return str(row[0]) if row else ""


def lock_cursor(transaction: Transaction, feed: str, cursor: str) -> bool:
    """Lock the cursor of a feed, and return False if another process has moved it since it was read."""
    transaction.execute(
        "INSERT INTO broker_order_feeds (url, cursor_url) VALUES (?, '') ON CONFLICT DO NOTHING", (feed,)
    )
    return move_cursor(transaction, feed, cursor, cursor)


def move_cursor(transaction: Transaction, feed: str, before: str, after: str) -> bool:
    """Move the cursor of a feed, and return False if another process has moved it since it was read."""
    moved = transaction.execute(
        "UPDATE broker_order_feeds SET cursor_url = ? WHERE url = ? AND cursor_url = ?", (after, feed, before)
    )
    return moved.rowcount == 1


class _Before(NamedTuple):
    """What is known of an Order before a version: the version that is kept, and what the journal knows."""

    kept: _Kept | None
    known: KnownOrder | None


def _deletion(order: uuid.UUID, kept: _Kept | None, known: KnownOrder | None) -> tuple[Change, ...]:
    if known is None:
        return () if kept else (UnknownOrder(order=order),)
    if kept and not kept.content:
        return ()
    return (Deleted(order=order, expected=known.deletion_expected),)


def _update(read: _Read, before: _Before) -> NewVersion:
    order, type_, modified, content = read
    if is_too_deep(content):
        reason = f"It is nested more deeply than {MAX_NESTING} levels."
        return NewVersion(order, type_, modified, None, None, (Unreadable(order=order, reason=reason),))
    try:
        version = msgspec.json.decode(content, type=_TYPES[type_])
        if version.total_payment_due is not None:
            read_amount(version.total_payment_due.price)
    except (msgspec.MsgspecError, ValueError, RecursionError, UnreadableError) as fault:
        return NewVersion(order, type_, modified, None, None, (Unreadable(order=order, reason=str(fault)),))
    if before.known is None:
        changes: tuple[Change, ...] = () if before.kept else (UnknownOrder(order=order),)
    else:
        content_before = before.kept.content if before.kept else before.known.reply
        changes = tuple(changes_between(order, _read(content_before, type_) or untouched(version), version))
    return NewVersion(order, type_, modified, content, version, changes)


def _read_item(item: msgspec.Raw, type_: OrderType) -> _Read | None:
    """Return an item of a feed; None if it has no Order UUID, so that nobody can be told about it."""
    envelope = read_envelope(item)
    if envelope is None:
        return None
    try:
        data = msgspec.json.decode(item, type=_Item).data
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        data, head = msgspec.Raw(b"{}"), _Head()
    order = _uuid(str(head.identifier)) or _uuid(envelope.id)
    if order is None:
        return None
    is_proposal = OrderType.PROPOSAL in {str(head.type).rpartition("/")[2], envelope.kind}
    content = b"" if envelope.deleted else bytes(data)
    return _Read(order, OrderType.PROPOSAL if is_proposal else type_, envelope.modified, content)


def _read(content: bytes, type_: OrderType) -> Version | None:
    """Return a version that was kept; None if there is none, or a reply that lacks what the feeds have."""
    try:
        return msgspec.json.decode(content, type=_TYPES[type_])
    except msgspec.MsgspecError:
        return None


def _kept(transaction: Transaction, order: uuid.UUID, type_: OrderType) -> _Kept | None:
    row = transaction.execute(
        "SELECT modified, content FROM broker_order_versions WHERE order_uuid = ? AND type = ?",
        (str(order), type_.value),
    ).fetchone()
    return _Kept(bytes(row[0]), bytes(row[1])) if row else None


def _is_news(modified: bytes, known: bytes) -> bool:
    """Return whether a version is later than the known one. One with the same `modified` is the known one again."""
    return modified != known and is_later(_decoded(modified), _decoded(known))


def _decoded(modified: bytes) -> object:
    try:
        return msgspec.json.decode(modified)
    except (msgspec.MsgspecError, ValueError):
        return None


def _uuid(text: str) -> uuid.UUID | None:
    """Return the UUID at the end of a text, such as an `@id`."""
    found = _UUID.search(text)
    return uuid.UUID(found[0]) if found else None
