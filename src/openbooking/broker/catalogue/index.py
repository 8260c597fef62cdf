"""Keeps the index equal to the items of the feeds.

The row of a thing depends on the items that contain the thing and its parents, and on nothing else. When items change,
their things, the other occurrences of these things, and all children of these things get new rows. Items may therefore
come in any order, a child before its parent too, and the index is always the one that a fresh start would make.

A batch of items is committed together with the position up to which items have been processed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from openbooking.broker.catalogue.feeds import system_of
from openbooking.broker.catalogue.rows import HIDDEN, Concept, Row, Subject, row_of
from openbooking.broker.catalogue.things import MOST_PARENTS, Thing, digest, read_things
from openbooking.broker.store.database import Database, Transaction
from openbooking.harvest.items import after_position

BATCH = 1_000
_COLUMNS = "number, feed, content, deleted"
_ITEMS_BY_NUMBER = f"SELECT position, {_COLUMNS} FROM harvest_item WHERE number IN"  # noqa: S608 - our own names
_AT_ONCE = 500
_MOST_CACHED = 20_000
_MOST_SUBJECTS = 500_000
_MANY_CHANGES = 10_000
_WRITE_THING = f"""
    INSERT INTO catalogue_thing (owner, path, thing, parent, {", ".join(Row._fields)})
    VALUES ({", ".join("?" * (4 + len(Row._fields)))})
    ON CONFLICT (owner, path) DO UPDATE SET thing = excluded.thing, parent = excluded.parent,
        {", ".join(f"{name} = excluded.{name}" for name in Row._fields)}
"""  # noqa: S608 - our own names
_WRITE_SUBJECT = (
    "INSERT INTO catalogue_subject (subject, system, type, name, seller, latitude, longitude)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


class _Item(NamedTuple):
    """An item of a feed."""

    number: int
    position: int
    system: str
    content: bytes
    deleted: bool


class Occurrence(NamedTuple):
    """An occurrence of a thing in an item.

    Attributes:
        item: The number of the item.
        position: The position of the item.
        system: The URL of the Booking System.
        thing: The thing.
        number: The number of the thing, which all its occurrences share.
        parent: The number of its parent; 0 without a parent.
    """

    item: int
    position: int
    system: str
    thing: Thing
    number: int
    parent: int

    @property
    def rank(self) -> tuple[bool, int, str]:
        """The rank among the occurrences of one thing: the outermost first, then that of the newest item."""
        return bool(self.thing.path), -self.position, self.thing.path


Cache = dict[int, list[Occurrence]]


class Index:
    """The index of a database.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache: Cache = {}
        self._known_subjects: set[int] = set()
        self._is_analysed = False
        self._unanalysed = 0

    def update(self) -> bool:
        """Process the next items that have changed, and return whether there may be more.

        Raises:
            DatabaseError: The database cannot be used. Nothing has changed.
        """
        # What an aborted transaction has read must not stay in memory.
        cache, known = self._cache, self._known_subjects
        self._cache, self._known_subjects = {}, set()
        with self._database.transaction(durable=False) as transaction:
            (progress,) = transaction.execute("SELECT position FROM catalogue_progress").fetchone() or (0,)
            items = list(_items(transaction, f"{after_position(_COLUMNS)} LIMIT ?", (progress, progress, BATCH)))
            if items:
                _write(transaction, items, Occurrences(transaction, cache), known)
                transaction.execute("UPDATE catalogue_progress SET position = ?", (items[-1].position,))
        self._cache = cache if len(cache) < _MOST_CACHED else {}
        self._known_subjects = known if len(known) < _MOST_SUBJECTS else set()
        self._unanalysed += len(items)
        return len(items) == BATCH

    def tidy(self) -> None:
        """Remove deleted items that have been processed, and subjects that no thing has any more.

        After many changes, the database counts what its tables hold, because it plans searches by these numbers.

        A deleted item is kept until its feed has been read to its end, because an older version may still follow.
        """
        self._known_subjects = set()
        unused = "NOT EXISTS (SELECT 1 FROM catalogue_thing thing WHERE thing.shown = 1 AND thing.subject = "
        with self._database.transaction(durable=False) as transaction:
            transaction.execute(
                "DELETE FROM harvest_item WHERE deleted = 1"
                " AND position <= (SELECT position FROM catalogue_progress)"
                " AND feed IN (SELECT feed FROM harvest_feed WHERE whole_round = round)"
            )
            transaction.execute(f"DELETE FROM catalogue_subject WHERE {unused} catalogue_subject.subject)")  # noqa: S608
            transaction.execute(f"DELETE FROM catalogue_activity WHERE {unused} catalogue_activity.subject)")  # noqa: S608
            if self._unanalysed >= (_MANY_CHANGES if self._is_analysed else 1):
                for table in ("catalogue_thing", "catalogue_subject", "catalogue_activity", "harvest_item"):
                    transaction.execute(f"ANALYZE {table}")
                self._is_analysed, self._unanalysed = True, 0


class Occurrences:
    """The occurrences of things, loaded from the items when they are needed.

    Args:
        transaction: The transaction.
        cache: Occurrences by number of the item. More are added.
        whole: Whether the things have all their properties; otherwise those that the index depends on.
    """

    def __init__(self, transaction: Transaction, cache: Cache, *, whole: bool = False) -> None:
        self._transaction = transaction
        self._cache = cache
        self._whole = whole
        self._loaded: set[int] = set()
        self._found: dict[int, list[Occurrence]] = {}
        self._complete: set[int] = set()

    def read(self, items: Iterable[_Item]) -> list[Occurrence]:
        """Read items that have changed, and return the occurrences in them."""
        numbers = []
        for item in items:
            self._cache[item.number] = self._read(item)
            numbers.append(item.number)
        return self.load(numbers)

    def load(self, items: Iterable[int]) -> list[Occurrence]:
        """Load the occurrences in items, and return those in items that were not loaded before."""
        wanted = set(items) - self._loaded
        self._loaded |= wanted
        missing = sorted(number for number in wanted if number not in self._cache)
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            for item in _items(self._transaction, f"{_ITEMS_BY_NUMBER} ({_marks(some)})", some):
                self._cache[item.number] = self._read(item)
        loaded = [occurrence for number in sorted(wanted) for occurrence in self._cache.get(number, ())]
        for occurrence in loaded:
            self._found.setdefault(occurrence.number, []).append(occurrence)
        return loaded

    def at(self, item: int, path: str) -> Occurrence | None:
        """Return the occurrence at a path of an item that has been loaded; None if there is none any more."""
        return next((found for found in self._cache.get(item, ()) if found.thing.path == path), None)

    def find(self, things: Iterable[int]) -> None:
        """Load all occurrences of things, of their parents, and of the parents of these."""
        wanted = set(things)
        for _ in range(MOST_PARENTS + 1):
            wanted -= self._complete
            self.load(owners_of(self._transaction, wanted))
            self._complete |= wanted
            occurrences = (occurrence for thing in wanted for occurrence in self._found.get(thing, ()))
            wanted = {parent for occurrence in occurrences for parent in _parents(occurrence)}

    def counts(self, occurrence: Occurrence) -> bool:
        """Return whether an occurrence is the one of its thing that counts."""
        return self.first(occurrence.number) is occurrence

    def chain(self, occurrence: Occurrence) -> list[Thing]:
        """Return a thing and its parents, the nearest first, after `find`."""
        chain = [occurrence.thing]
        while len(chain) <= MOST_PARENTS and chain[-1].parent:
            first = self.first(digest(occurrence.system, chain[-1].parent))
            above = first.thing if first else chain[-1].embedded
            if above is None or any(above.id == known.id for known in chain):
                break
            chain.append(above)
        return chain

    def first(self, thing: int) -> Occurrence | None:
        """Return the occurrence of a thing that counts, after `find`; None if there is none."""
        return min(self._found.get(thing, ()), key=lambda occurrence: occurrence.rank, default=None)

    def _read(self, item: _Item) -> list[Occurrence]:
        if item.deleted:
            return []
        things = read_things(item.content, f"item:{item.number}", whole=self._whole)
        return [
            Occurrence(
                item.number,
                item.position,
                item.system,
                thing,
                digest(item.system, thing.id),
                digest(item.system, thing.parent) if thing.parent else 0,
            )
            for thing in things
        ]


def owners_of(transaction: Transaction, things: Iterable[int]) -> set[int]:
    """Return the items in which things occur."""
    query = "SELECT owner FROM catalogue_thing WHERE thing IN"
    return {owner for (owner,) in select_in(transaction, query, things)}


def select_in(transaction: Transaction, query: str, values: Iterable[int]) -> Iterator[Any]:
    """Yield the rows of a query that ends in `IN`, for the values."""
    wanted = sorted(values)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        yield from transaction.execute(f"{query} ({_marks(some)})", some).fetchall()


def write_concepts(transaction: Transaction, concepts: Iterable[Concept]) -> None:
    """Write activities and facility types with their labels and their broader concepts."""
    labels: set[tuple[int, str]] = set()
    broader: set[tuple[int, int]] = set()
    for concept in concepts:
        labels.add((concept.concept, concept.label))
        broader |= {(concept.concept, above) for above in concept.broader}
        broader |= {(below, concept.concept) for below in concept.narrower}
    if labels:
        statement = "INSERT INTO catalogue_concept (concept, label) VALUES (?, ?) ON CONFLICT DO NOTHING"
        transaction.execute_many(statement, sorted(labels))
    if broader:
        statement = "INSERT INTO catalogue_broader (concept, broader) VALUES (?, ?) ON CONFLICT DO NOTHING"
        transaction.execute_many(statement, sorted(broader))


def _write(
    transaction: Transaction, items: Sequence[_Item], occurrences: Occurrences, known_subjects: set[int]
) -> None:
    """Write the rows of all things that the items change."""
    made = occurrences.read(items)
    affected = {occurrence.number for occurrence in made} | _remove_former(transaction, items, made)
    made += occurrences.load(_dependants(transaction, affected))
    occurrences.find(occurrence.number for occurrence in made)
    rows = []
    subjects: dict[int, Subject] = {}
    for occurrence in made:
        row, subject = HIDDEN, None
        if occurrences.counts(occurrence):
            row, subject = row_of(occurrences.chain(occurrence), occurrence.system)
        if subject and subject.subject not in known_subjects:
            subjects[subject.subject] = subject
        rows.append((occurrence.item, occurrence.thing.path, occurrence.number, occurrence.parent, *row))
    if rows:
        transaction.execute_many(_WRITE_THING, rows)
    if subjects:
        _write_subjects(transaction, list(subjects.values()))
    known_subjects |= subjects.keys()


def _remove_former(transaction: Transaction, items: Sequence[_Item], made: Sequence[Occurrence]) -> set[int]:
    """Remove the rows of things that items do not have any more, and return the things of all former rows."""
    kept = {(occurrence.item, occurrence.thing.path) for occurrence in made}
    former: set[int] = set()
    gone = []
    # The position of an item that has never changed is its number.
    changed = [item.number for item in items if item.number != item.position]
    for thing, owner, path in select_in(
        transaction, "SELECT thing, owner, path FROM catalogue_thing WHERE owner IN", changed
    ):
        former.add(thing)
        if (owner, path) not in kept:
            gone.append((owner, path))
    if gone:
        transaction.execute_many("DELETE FROM catalogue_thing WHERE owner = ? AND path = ?", gone)
    return former


def _dependants(transaction: Transaction, affected: set[int]) -> set[int]:
    """Return the items that contain one of the things, or a child of one of them."""
    owners = owners_of(transaction, affected)
    below, seen = affected, set(affected)
    for _ in range(MOST_PARENTS):
        query = "SELECT owner, thing FROM catalogue_thing WHERE parent <> 0 AND parent IN"
        children = list(select_in(transaction, query, below))
        owners |= {owner for owner, _ in children}
        below = {thing for _, thing in children} - seen
        seen |= below
    return owners


def _write_subjects(transaction: Transaction, subjects: Sequence[Subject]) -> None:
    transaction.execute_many(_WRITE_SUBJECT, [subject[:-1] for subject in subjects])
    write_concepts(transaction, (concept for subject in subjects for concept in subject.concepts))
    activities = {(concept.concept, subject.subject) for subject in subjects for concept in subject.concepts}
    if activities:
        statement = "INSERT INTO catalogue_activity (concept, subject) VALUES (?, ?) ON CONFLICT DO NOTHING"
        transaction.execute_many(statement, sorted(activities))


def _items(transaction: Transaction, query: str, parameters: Sequence[object]) -> Iterator[_Item]:
    systems = {feed: system_of(name) for feed, name in transaction.execute("SELECT feed, name FROM harvest_feed")}
    for position, number, feed, content, deleted in transaction.execute(query, parameters).fetchall():
        yield _Item(number, position, systems[feed], bytes(content), bool(deleted))


def _parents(occurrence: Occurrence) -> Iterator[int]:
    """Yield the number of the parent, and those of the parents that it embeds."""
    thing: Thing | None = occurrence.thing
    while thing and thing.parent:
        yield digest(occurrence.system, thing.parent)
        thing = thing.embedded


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
