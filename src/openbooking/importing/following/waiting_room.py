"""The items of a followed feed whose parents have not been imported yet.

The items are stored by their parents. They are imported as soon as a parent is stored, from whichever feed it comes. An
item waits in its latest version only. The number of items and the time that they wait are limited.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunities
from openbooking.booking.store import Store
from openbooking.identity.import_records import WaitingItems
from openbooking.identity.store import IdentityStore
from openbooking.importing.reading.entries import read_entry
from openbooking.importing.reading.source import Source
from openbooking.importing.sellers import IMPORTER
from openbooking.openactive.published.values import UnreadableError

# Feeds show deletions for seven days.
KEPT = timedelta(days=7)
MOST_ITEMS = 20_000
# While the room is full, items leave it after this time.
KEPT_IF_FULL = timedelta(hours=1)

_AT_ONCE = 200


class ItemName(NamedTuple):
    """The RPDE `id` and `kind` of an item."""

    id: str
    kind: str
    deleted: bool = False


class _Group(NamedTuple):
    """The items of a record, without their content."""

    parents: tuple[str, ...]
    batch: str
    since: datetime
    names: tuple[ItemName, ...]


def name_of(item: msgspec.Raw, source: Source) -> ItemName | None:
    """Return the name of an item; None if it has no RPDE envelope with an `id`, or cannot be read."""
    try:
        entry = read_entry(item, source, "")
    except UnreadableError:
        return None
    return ItemName(entry.id, entry.kind, entry.deleted) if entry.id else None


class WaitingRoom:
    """The items of one feed that wait for their parents.

    Args:
        store: The store of the records.
        source: The source of the feed.
    """

    def __init__(self, store: IdentityStore, source: Source) -> None:
        self._store = store
        self._source = source
        self._groups: dict[str, _Group] = {}
        self._by_id: dict[str, set[str]] = defaultdict(set)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether no further items may wait, so that the feed must not be read on."""
        return self._count >= MOST_ITEMS

    async def open(self) -> None:
        """Find the items that wait since an earlier run."""
        for record in await self._store.find(WaitingItems, feed=self._source.name):
            self._note(record)

    async def put(self, waiting: Mapping[str, tuple[str, ...]], items: Sequence[msgspec.Raw], now: datetime) -> None:
        """Keep items of a page.

        Args:
            waiting: The names of the items within the source, with the paths that their parents may have.
            items: All items of the page.
            now: The time.
        """
        by_parents: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for item in items if waiting else ():
            name = name_of(item, self._source)
            parents = waiting.get(self._source.item(name.kind, name.id)) if name else None
            if parents:
                by_parents[parents].append(bytes(item).decode())
        records = [
            WaitingItems(
                feed=self._source.name,
                batch=secrets.token_hex(8),
                parents=parents,
                since=now,
                items=tuple(kept),
            )
            for parents, kept in by_parents.items()
        ]
        await self._store.save(*records)
        for record in records:
            self._note(record)

    async def drop(self, items: Iterable[msgspec.Raw]) -> None:
        """Remove the earlier versions of items, before other versions of them are imported."""
        if not self._count:
            return
        gone: dict[str, set[ItemName]] = defaultdict(set)
        for item in items:
            name = name_of(item, self._source)
            for batch in self._by_id.get(name.id, ()) if name else ():
                gone[batch] |= {known for known in self._groups[batch].names if name and self._is_version(known, name)}
        for batch, names in gone.items():
            if names:
                await self._remove_items(batch, names)

    async def take(self, store: Store) -> tuple[WaitingItems, ...]:
        """Return the records of items whose parents are stored now. They stay until `remove` is called."""
        groups = [*self._groups.values()]
        wanted = sorted({path for group in groups for path in group.parents})
        known: set[str] = set()
        for start in range(0, len(wanted), _AT_ONCE):
            some = frozenset(wanted[start : start + _AT_ONCE])
            known |= (await store.execute(GetOpportunities(some, actor=IMPORTER))).keys()
        found: list[WaitingItems] = []
        for group in groups:
            if not known.isdisjoint(group.parents):
                found += await self._store.find(WaitingItems, feed=self._source.name, batch=group.batch)
        return tuple(found)

    async def remove(self, batch: str) -> None:
        """Remove a record."""
        await self._store.remove(WaitingItems, feed=self._source.name, batch=batch)
        self._forget(batch)

    def _forget(self, batch: str) -> None:
        group = self._groups.pop(batch)
        self._count -= len(group.names)
        for name in group.names:
            self._by_id[name.id].discard(batch)
            if not self._by_id[name.id]:
                del self._by_id[name.id]

    async def expire(self, now: datetime) -> int:
        """Remove the items that have waited for too long, and return their number."""
        kept = KEPT_IF_FULL if self.is_full else KEPT
        late = [group for group in self._groups.values() if now - group.since > kept]
        for group in late:
            await self.remove(group.batch)
        return sum(len(group.names) for group in late)

    def _is_version(self, known: ItemName, name: ItemName) -> bool:
        """Return whether a name means a waiting item. A deletion may state another `kind` (AMB-74)."""
        if known.id != name.id or known.kind == name.kind:
            return known.id == name.id
        waiting = (other for batch in self._by_id[name.id] for other in self._groups[batch].names)
        return name.deleted and len({other.kind for other in waiting if other.id == name.id}) == 1

    async def _remove_items(self, batch: str, names: set[ItemName]) -> None:
        """Remove some items of a record."""
        for record in await self._store.find(WaitingItems, feed=self._source.name, batch=batch):
            left = tuple(item for item in record.items if self._name(item) not in names)
            if not left:
                await self.remove(batch)
                continue
            changed = replace(record, items=left)
            await self._store.save(changed)
            self._forget(batch)
            self._note(changed)

    def _name(self, item: str) -> ItemName | None:
        return name_of(msgspec.Raw(item.encode()), self._source)

    def _note(self, record: WaitingItems) -> None:
        names = tuple(name for name in map(self._name, record.items) if name)
        self._groups[record.batch] = _Group(record.parents, record.batch, record.since, names)
        self._count += len(names)
        for name in names:
            self._by_id[name.id].add(record.batch)
