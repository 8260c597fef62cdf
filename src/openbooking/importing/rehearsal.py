"""A store that an import can be tried on: it answers as the real one would, and nothing is changed."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol, Self

import msgspec

from openbooking.booking.actor import Actor, ActorKind
from openbooking.booking.command import Command, Rehearsed, Reply
from openbooking.booking.find import GetOpportunities
from openbooking.booking.opportunity import Opportunity, Seller
from openbooking.booking.publish import Publish
from openbooking.booking.rehearsal import Rehearse
from openbooking.booking.situation import Change, OpportunityRemoved, OpportunitySet, SellerSet

_decode = msgspec.json.Decoder(Opportunity).decode


class ImportStore(Protocol):
    """What an import asks of a store."""

    async def execute(self, command: Command) -> Reply:
        """Carry out one command: all of it or none of it."""
        ...

    async def sellers(self) -> Sequence[Seller]:
        """All Sellers, by key."""
        ...


class RehearsalStore:
    """Decides each command on what the real store holds and the commands before would have changed.

    The parents and Sellers that would have been published are kept, for what follows refers to them; parents in a
    temporary SQLite database.
    """

    def __init__(self, store: ImportStore) -> None:
        self._store = store
        self._sellers: dict[str, Seller] = {}
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode = OFF; CREATE TABLE changed (path TEXT PRIMARY KEY, document BLOB) WITHOUT ROWID;"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    async def execute(self, command: Command) -> Reply:
        """What the command would be answered; raises what it would raise."""
        given = tuple(self._given(command))
        rehearsed = await self._store.execute(
            Rehearse(command=command, given=given, actor=Actor(ActorKind.ADMINISTRATOR, "rehearsal"))
        )
        assert isinstance(rehearsed, Rehearsed)  # noqa: S101 - what Rehearse is answered with
        for change in rehearsed.changes:
            self._note(change)
        return rehearsed.reply

    async def sellers(self) -> Sequence[Seller]:
        """All Sellers there are."""
        return await self._store.sellers()

    def _given(self, command: Command) -> Iterable[Change]:
        """What has been changed of that which the command looks at."""
        yield from (SellerSet(seller) for seller in self._sellers.values())
        yield from self._changed(_paths(command))

    def _changed(self, paths: Collection[str]) -> Iterable[Change]:
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
            yield from self._changed(above)

    def _note(self, change: Change) -> None:
        match change:
            case SellerSet(seller):
                self._sellers[seller.key] = seller
            case OpportunitySet(opportunity) if opportunity.type.has_children:
                self._keep(opportunity.path, msgspec.json.encode(opportunity))
            case OpportunityRemoved(path):
                self._keep(path, None)

    def _keep(self, path: str, document: bytes | None) -> None:
        self._db.execute("INSERT OR REPLACE INTO changed VALUES (?, ?)", (path, document))


def _paths(command: Command) -> Collection[str]:
    match command:
        case GetOpportunities(paths):
            return paths
        case Publish(opportunities=opportunities):
            named = {item.path for item in opportunities}
            return named | {item.parent for item in opportunities if item.parent}
    return ()
