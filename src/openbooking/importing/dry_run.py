"""A store for dry runs: it replies to commands as the real store would, and changes nothing.

A dry run also counts the Orders that an import would cancel, before the operator confirms them.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, Self

import msgspec

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunities
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import TakeOffSale
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.preview import Preview
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.record import Record, decode_record
from openbooking.booking.model.report import OpportunityReport
from openbooking.booking.model.situation import Change, OpportunityRemoved, OpportunitySet, RecordSet, SellerSet
from openbooking.booking.store import Reply
from openbooking.store.documents import encode_record

_decode = msgspec.json.Decoder(Opportunity).decode


class ImportStore(Protocol):
    """The part of a store that an import uses."""

    async def execute(self, command: Command[Reply]) -> Reply:
        """Carry out a command in one transaction, and return its reply."""
        ...

    async def sellers(self) -> Sequence[Seller]:
        """Return all Sellers, ordered by key."""
        ...


class DryRunStore:
    """Decides each command on the contents of the real store and the changes that earlier commands would have made.

    A temporary SQLite database keeps the changes that later commands may read: changed Orders, parents, withdrawn
    Opportunities, and children that changed with their parent. It does not keep a published Opportunity without
    children, because an import publishes each Opportunity once.
    """

    def __init__(self, store: ImportStore) -> None:
        self._store = store
        self._sellers: dict[str, Seller] = {}
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            """
            PRAGMA journal_mode = OFF;
            CREATE TABLE changed (path TEXT PRIMARY KEY, parent TEXT, document BLOB) WITHOUT ROWID;
            CREATE INDEX changed_below ON changed (parent);
            CREATE TABLE record (partner TEXT, uuid TEXT, document BLOB, PRIMARY KEY (partner, uuid)) WITHOUT ROWID;
            CREATE TABLE item (path TEXT, partner TEXT, uuid TEXT, PRIMARY KEY (path, partner, uuid)) WITHOUT ROWID;
            """
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    async def execute(self, command: Command[Reply]) -> Reply:
        """Return the reply of the real store, or raise its error, without changing the real store."""
        given = tuple(self._earlier_changes(command))
        rehearsed = await self._store.execute(
            Preview(command=command, given=given, actor=Actor(ActorKind.ADMINISTRATOR, "dry-run"))
        )
        published = _published_paths(command)
        for change in rehearsed.changes:
            self._keep_change(change, published, rehearsed.reply)
        return rehearsed.reply

    async def sellers(self) -> Sequence[Seller]:
        """Return the Sellers of the real store."""
        return await self._store.sellers()

    def _earlier_changes(self, command: Command[Any]) -> Iterable[Change]:
        """Yield the changes by earlier commands to the Sellers, Opportunities and Orders that this command reads."""
        yield from (SellerSet(seller) for seller in self._sellers.values())
        paths = _paths(command)
        yield from self._changed_opportunities(
            {*paths, *self._paths_below(paths)} if isinstance(command, Publish) else paths
        )
        yield from self._changed_records(None if isinstance(command, Withdraw | TakeOffSale) else paths)

    def _changed_opportunities(self, paths: Collection[str]) -> Iterable[Change]:
        """Yield the earlier changes to the Opportunities at these paths, and to their parents."""
        above: set[str] = set()
        for path in paths:
            row = self._db.execute("SELECT document FROM changed WHERE path = ?", (path,)).fetchone()
            if row is None:
                continue
            if row[0] is None:
                yield OpportunityRemoved(path)
                continue
            opportunity = _decode(row[0])
            yield OpportunitySet(opportunity)
            above |= {opportunity.parent} if opportunity.parent else set()
        if above:
            yield from self._changed_opportunities(above)

    def _paths_below(self, paths: Collection[str]) -> Iterable[str]:
        """Return the paths of the changed children, grandchildren and so on of these paths."""
        rows = self._db.execute(
            "WITH RECURSIVE below (path) AS (SELECT value FROM json_each(?) "
            "UNION SELECT changed.path FROM below JOIN changed ON changed.parent = below.path) SELECT path FROM below",
            (msgspec.json.encode(sorted(paths)).decode(),),
        )
        return [path for (path,) in rows]

    def _changed_records(self, paths: Collection[str] | None) -> Iterable[Change]:
        """Yield the changed Orders for an Opportunity at one of these paths. None selects all changed Orders."""
        at_paths = (
            "WHERE (partner, uuid) IN (SELECT partner, uuid FROM item WHERE path IN (SELECT value FROM json_each(?)))"
        )
        where, values = ("", ()) if paths is None else (at_paths, (msgspec.json.encode(sorted(paths)).decode(),))
        for (document,) in self._db.execute(f"SELECT document FROM record {where}", values):  # noqa: S608 - our own text
            record = decode_record(document)
            yield RecordSet(record.key, record)

    def _keep_change(self, change: Change, published: Collection[str], reply: object) -> None:
        """Keep a change that later commands may read. `published` are the paths that the command publishes."""
        match change:
            case SellerSet(seller):
                self._sellers[seller.key] = seller
            case OpportunitySet(opportunity):
                if opportunity.type.has_children or opportunity.withdrawn or opportunity.path not in published:
                    self._keep_opportunity(opportunity.path, opportunity.parent, msgspec.json.encode(opportunity))
            case OpportunityRemoved(path):
                report = reply.get(path) if isinstance(reply, Mapping) else None
                self._keep_opportunity(
                    path, report.opportunity.parent if isinstance(report, OpportunityReport) else None, None
                )
            case RecordSet(_, record) if record is not None:
                self._keep_record(record)

    def _keep_record(self, record: Record) -> None:
        """Keep a changed Order without its personal data. No decision of an import reads personal data."""
        document = encode_record(record)
        self._db.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (*record.key, document))
        things = (thing for item, _ in record.items() for thing in (item.opportunity, *item.parents))
        rows = [(path, *record.key) for path in {thing.path for thing in things if thing}]
        self._db.executemany("INSERT OR IGNORE INTO item VALUES (?, ?, ?)", rows)

    def _keep_opportunity(self, path: str, parent: str | None, document: bytes | None) -> None:
        self._db.execute("INSERT OR REPLACE INTO changed VALUES (?, ?, ?)", (path, parent, document))


def _published_paths(command: Command[Any]) -> Collection[str]:
    return {item.path for item in command.opportunities} if isinstance(command, Publish) else ()


def _paths(command: Command[Any]) -> Collection[str]:
    """Return the paths that a command names, and the paths of the parents that it names."""
    match command:
        case GetOpportunities(paths):
            return paths
        case Publish(opportunities=opportunities):
            named = {item.path for item in opportunities}
            return named | {item.parent for item in opportunities if item.parent}
    return ()
