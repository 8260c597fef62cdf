"""A model of a provider's feed: things, the RPDE items that contain them, and the things that may be sold.

The model uses no rule of the importer. Each thing has a token that identifies it: its `@id`. Without an `@id` the token
is the id of its RPDE item, or its parent with its name, location and time. Tokens are published as `description`, which
no rule of the importer reads, so that a reader of the open feeds can identify the things.
"""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from openbooking.importing.reading.source import Source

Json = dict[str, Any]

PARTS = {
    "SessionSeries": "subEvent",
    "FacilityUse": "event",
    "IndividualFacilityUse": "event",
    "HeadlineEvent": "subEvent",
}
PARENTS = ("SessionSeries", "FacilityUse", "IndividualFacilityUse")


class Status(StrEnum):
    """What the provider says of a thing: it takes place, is cancelled, or has another time."""

    SCHEDULED = "EventScheduled"
    CANCELLED = "EventCancelled"
    POSTPONED = "EventPostponed"


OFF = (Status.CANCELLED, Status.POSTPONED)


class Verdict(IntEnum):
    """Whether a thing may be sold now; MAYBE if the provider has not said so clearly."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass
class Thing:
    """A published thing.

    `said` is the status last published, and `tells` is true if each version repeats it. A thing is `unsure` if it was
    cancelled when it came back or became another thing, until its status is published again. `price` is that of its own
    Offer; a thing that `names_offer` names the Offer of its parent. `fault` is the way in which it cannot be read. A
    `twin` is published twice.
    """

    type: str
    id: str = ""
    name: str = ""
    place: str = ""
    start: datetime | None = None
    minutes: int = 0
    left: int = 0
    price: int = 0
    names_offer: bool = False
    said: Status | None = None
    tells: bool = False
    unsure: bool = False
    fault: str = ""
    twin: bool = False
    children: list["Thing"] = field(default_factory=list)

    @property
    def bookable(self) -> bool:
        return self.type not in PARENTS

    def say(self, status: Status | None) -> None:
        """Publish this status, or none. A version without a status does not undo a cancellation."""
        self.tells, self.unsure = status is not None, self.unsure and status is None
        if status or self.said is Status.SCHEDULED:
            self.said = status

    def is_another(self) -> None:
        """Note that the thing comes back, or is another thing from now on, so that its cancellation is uncertain."""
        self.unsure = self.unsure or (self.said in OFF and not self.tells)
        for child in self.children:
            child.is_another()

    def family(self) -> Iterator["Thing"]:
        """The thing and all things that it embeds."""
        yield self
        for child in self.children:
            yield from child.family()


class Shown(NamedTuple):
    """The properties of a thing that a Customer sees: its name, location and time."""

    name: str
    place: str
    start: datetime | None
    end: datetime | None


class Fact(NamedTuple):
    """The facts about a thing that can be booked; `clear` is false if it may or may not take place."""

    verdict: Verdict
    status: Status
    clear: bool
    left: int
    price: int


class _ParentReference(NamedTuple):
    verdict: Verdict = Verdict.YES
    status: Status = Status.SCHEDULED
    unsure: bool = False
    price: int = 0
    most: int = 1_000


@dataclass
class Row:
    """An RPDE item, with its fault, and the kind under which it was deleted if it was deleted.

    `parent` is the item that contains the parent of its thing. `read` is its last version without a fault.
    """

    kind: str
    id: str
    thing: Thing
    parent: "Row | None" = None
    modified: int = 1
    fault: str = ""
    deleted: str = ""
    graves: list[Json] = field(default_factory=list)
    read: Thing | None = None

    @property
    def sound(self) -> bool:
        """Whether the item exists and can be read."""
        return not self.deleted and not self.fault


def ends_of(thing: Thing) -> tuple[str, str, datetime | None, int]:
    """Return the properties that identify a thing without ids."""
    return (
        (thing.name, thing.place, thing.start, thing.minutes) if thing.bookable else (thing.name, thing.place, None, 0)
    )


def token_of_child(token: str, child: Thing) -> str:
    """Return the token of a thing inside the thing with this token."""
    return child.id or "|".join([token, *map(str, ends_of(child))])


class Upstream:
    """All things that one provider publishes, and the decisions of its Seller about the things with these tokens."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self.source = source
        self.rows: list[Row] = []
        self.unpublished: set[str] = set()
        self.cancelled_here: set[str] = set()
        self.perhaps_called_off: set[str] = set()
        # Of all tokens ever: the thing as it was when it was last understood, and the token above.
        self.known: dict[str, tuple[Thing, str]] = {}
        # Whether it may have been cancelled at any time.
        self.ever_cancelled: set[str] = set()

    def token(self, row: Row) -> str:
        """Return the token of the thing in an RPDE item."""
        return row.thing.id or f"{self.name}:{row.kind}:{row.id}"

    def published(self, row: Row) -> list[Json]:
        """Return an RPDE item as it is in the feed now, with earlier deletions under other kinds."""
        if row.deleted:
            return [*row.graves, {"state": "deleted", "kind": row.deleted, "id": row.id, "modified": row.modified}]
        entry = {"state": "updated", "kind": row.kind, "id": row.id, "modified": row.modified, "data": self._data(row)}
        return [*row.graves, entry]

    def _data(self, row: Row) -> Any:
        if row.fault in ("no data", "text"):
            return None if row.fault == "no data" else "out of order"
        data = _written_dates(row.thing, self.token(row))
        if row.parent:
            parent = row.parent.thing
            data["superEvent"] = parent.id if row.fault != "no parent" else f"{parent.id}/unknown"
            if row.thing.names_offer:
                data["offers"] = [{"@id": f"{parent.id}#adult"}]
        return data

    def learn(self) -> None:
        """Note the state of all things that can be read, after they were imported."""
        for row in self.rows:
            if row.sound:
                row.read = deepcopy(row.thing)
                self._learn(row.read, self.token(row), self.token(row.parent) if row.parent else "")
        for token, fact in self.facts(with_parents=True).items():
            if fact.status is Status.CANCELLED or token in self.cancelled_here | self.perhaps_called_off:
                self.ever_cancelled |= {token, *self.below(token)}

    def _learn(self, thing: Thing, token: str, above: str) -> None:
        self.known[token] = (thing, above)
        for child in thing.children:
            if not child.fault:
                self._learn(child, token_of_child(token, child), token)

    def below(self, token: str) -> set[str]:
        """Return the tokens of all things that were ever below the thing with this token."""
        found: set[str] = set()
        while more := {one for one, (_, above) in self.known.items() if above in {token, *found}} - found:
            found |= more
        return found

    def shown(self, token: str) -> Shown:
        """Return the properties of the thing that a Customer sees, from its last version that could be read."""
        thing, above = self.known[token]
        parent = self.shown(above) if above in self.known else Shown("", "", None, None)
        minutes = thing.minutes or (self.known[above][0].minutes if above in self.known else 0)
        end = thing.start + timedelta(minutes=minutes) if thing.start and minutes else None
        when = (thing.start, end) if thing.start else (parent.start, parent.end)
        return Shown(thing.name or parent.name, thing.place or parent.place, *when)

    def facts(self, *, with_parents: bool = False) -> dict[str, Fact]:
        """Return the things that can be booked now, by token. No other thing may be sold."""
        found: dict[str, Fact] = {}
        for row in self.rows:
            if not row.deleted and row.read is not None:
                thing = row.thing if row.sound else row.read
                above = self._above_row(row)
                if not row.sound:
                    above = above._replace(verdict=Verdict.NO)
                self._judge(thing, self.token(row), above, found)
        return found if with_parents else {token: fact for token, fact in found.items() if fact.left >= 0}

    def _above_row(self, row: Row) -> _ParentReference:
        if row.parent is None:
            return _ParentReference()
        parent, thing = row.parent, row.parent.thing if row.parent.sound else row.parent.read
        if thing is None or parent.deleted:
            return _ParentReference(verdict=Verdict.NO)
        above = self._below(thing, self.token(parent), _ParentReference())
        return above if parent.sound else above._replace(verdict=Verdict.NO)

    def _judge(self, thing: Thing, token: str, above: _ParentReference, found: dict[str, Fact]) -> None:
        here = self._below(thing, token, above)
        verdict = here.verdict
        if here.status in OFF:
            verdict = min(verdict, Verdict.MAYBE if here.unsure else Verdict.NO)
        if above.status in OFF and thing.said is Status.SCHEDULED:
            verdict = min(verdict, Verdict.MAYBE)
        if token in self.perhaps_called_off:
            verdict = min(verdict, Verdict.MAYBE)
        price = thing.price or above.price
        clear = here.verdict is Verdict.YES and not here.unsure
        left = min(thing.left, above.most) if thing.bookable else -1
        found[token] = Fact(verdict, here.status, clear, left, price)
        tokens = Counter(token_of_child(token, child) for child in thing.children)
        for child in thing.children:
            key = token_of_child(token, child)
            spoilt = child.fault or child.twin or tokens[key] > 1
            self._judge(child, key, here._replace(verdict=Verdict.NO) if spoilt else here, found)

    def _below(self, thing: Thing, token: str, above: _ParentReference) -> _ParentReference:
        """Return the facts of the things below, with the properties that they inherit."""
        off_sale = token in self.unpublished or token in self.cancelled_here
        status, unsure = (thing.said, thing.unsure) if thing.said else (above.status, above.unsure)
        verdict = Verdict.NO if off_sale else above.verdict
        price = thing.price if thing.type == "SessionSeries" else 0
        # An individual facility can be had once at a time.
        return _ParentReference(verdict, status, unsure, price, 1 if thing.type == "IndividualFacilityUse" else 1_000)


def _written_dates(thing: Thing, token: str) -> Json:
    told: Json = {
        "@type": "Concert" if thing.fault == "type" else thing.type,
        "@id": thing.id,
        "name": thing.name,
        "description": f"token {token}",
        "location": thing.place and {"@type": "Place", "name": thing.place},
        "startDate": thing.start.isoformat() if thing.start and thing.fault != "no start" else "",
        "duration": thing.minutes and f"PT{thing.minutes}M",
        "offers": [_offer(thing)] if thing.price else [],
        "eventStatus": f"https://schema.org/{thing.said}" if thing.tells else "",
    }
    made: Json = {name: value for name, value in told.items() if value}
    if thing.fault == "status":
        made["eventStatus"] = "https://schema.org/EventMaybe"
    if thing.bookable:
        made[_left_of(thing)] = thing.left if thing.fault != "left" else "many"
    for child in thing.children:
        parts = made.setdefault(_part_of(thing, child), [])
        parts.append(_written_dates(child, token_of_child(token, child)))
        if child.twin:
            # One that has an id is the same thing twice, unless its versions differ.
            parts.append({**parts[-1], _left_of(child): child.left + 1} if child.id else parts[-1])
    return made


def _offer(thing: Thing) -> Json:
    made = {"@type": "Offer", "name": "Adult", "price": thing.price, "priceCurrency": "GBP"}
    return {**made, "@id": f"{thing.id}#adult"} if thing.id else made


def _left_of(thing: Thing) -> str:
    return "remainingUses" if thing.type == "Slot" else "remainingAttendeeCapacity"


def _part_of(thing: Thing, child: Thing) -> str:
    return "individualFacilityUse" if child.type == "IndividualFacilityUse" else PARTS[thing.type]


def spoil(row: Row, fault: str) -> None:
    """Publish the item so that it cannot be read."""
    row.fault = fault
    row.thing = replace(row.thing, fault=fault if fault in ("status", "no start", "type") else "")


def mend(row: Row) -> None:
    """Publish the item so that it can be read again."""
    row.fault = row.thing.fault = ""
