"""Two providers that publish similar things, and random updates of them, one after the other."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta

from openbooking.importing.reading.source import named_source, source_of
from support.builders import NOW
from support.importing.upstream import OFF, Row, Status, Thing, Upstream, ends_of, mend, spoil

NAMES = ("Yoga", "Judo", "Tango", "Swimming", "Boxing")
PLACES = ("Hall", "Gym", "Pool", "")
TIMES = [NOW + timedelta(days=day, hours=hour) for day in range(7, 21) for hour in (0, 3, 6)]
FAULTS = ("status", "no start", "type", "no data", "text", "no parent")
# The URLs of two feeds that differ in their query only, and the names of two sources.
URLS = [source_of(f"https://odi.example.com/feed.php?club={club}&afterId=5") for club in ("north", "south")]
NAMED = [named_source(name) for name in ("north", "south")]

Step = Callable[[], list[Row] | None]


def faults_of(child: Thing) -> list[str]:
    """Return the possible faults of a child. A part of an event without a start is no fault: it has the time of the
    event.
    """
    dated = ["no start"] if child.type in {"ScheduledSession", "Slot"} else []
    return ["status", "type", *dated, *(["left"] if child.bookable else [])]


class Providers:
    """The two providers. Each update is named by its effect.

    With `urls` the ids of RPDE items are those of two feeds, and each id occurs once; otherwise several kinds share
    ids.
    """

    def __init__(self, seed: int, *, urls: bool) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - chosen anew from the same seed each time
        self._urls = urls
        # Where several feeds share their ids, a deletion of another type deletes nothing.
        self._other_kinds = ["Slot", "none"] if urls else ["none"]
        self._numbers = 0
        self._dropped: list[tuple[list[Thing], Thing]] = []
        sources = URLS if urls else NAMED
        self.with_ids, self.without_ids = (
            Upstream(name, source) for name, source in zip(("with", "without"), sources, strict=True)
        )
        self.both = (self.with_ids, self.without_ids)
        for _ in range(9):
            self._add_with_ids()
            self._add_without_ids()
        self.updates: dict[str, Step] = {
            "reordered": self.reorder,
            "renamed": self.rename,
            "rescheduled": self.reschedule,
            "moved": self.move,
            "repriced": self.reprice,
            "more or fewer spaces": self.resize,
            "cancelled": lambda: self.say(Status.CANCELLED),
            "postponed": lambda: self.say(Status.POSTPONED),
            "said to take place": self.say_that_it_takes_place,
            "silent about whether it takes place": lambda: self.say(None),
            "deleted": self.delete,
            "deleted under another kind": self.delete_under_another_kind,
            "back again": self.bring_back,
            "another item under the same id": self.bring_another,
            "unreadable": self.spoil,
            "readable again": self.mend,
            "twins": self.twin,
            "told apart again": self.tell_apart,
            "a child gone": self.drop_child,
            "a new child": self.add_child,
            "an unreadable child": self.spoil_child,
            "a readable child again": self.mend_child,
            "the parent alone": self.change_parent,
            "new": self.add,
        }

    def start(self) -> list[Row]:
        """Return all items at the beginning."""
        return [row for upstream in self.both for row in upstream.rows]

    def upstream_of(self, row: Row) -> Upstream:
        """Return the provider that has an item."""
        return next(upstream for upstream in self.both if row in upstream.rows)

    # What there is.

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _rpde_id(self, upstream: Upstream, kind: str) -> str:
        """Return the next id of the source, or of this kind in it; both sources have the same ids."""
        return str(sum(self._urls or row.kind == kind for row in upstream.rows) + 1)

    def _put(self, upstream: Upstream, kind: str, thing: Thing, parent: Row | None = None) -> Row:
        row = Row(kind, self._rpde_id(upstream, kind), thing, parent)
        upstream.rows.append(row)
        return row

    def _thing(self, type_: str, **changes: object) -> Thing:
        """Return a thing with a name, a time and spaces."""
        made: dict[str, object] = {"name": self.chance.choice(NAMES), "place": self.chance.choice(PLACES)}
        thing = Thing(type_)
        if thing.bookable:
            made |= {"start": self.chance.choice(TIMES), "minutes": 60, "left": self.chance.randrange(3, 20)}
        for name, value in (made | changes).items():
            setattr(thing, name, value)
        return thing

    def _price(self) -> int:
        return self.chance.randrange(3, 9)

    def _id(self, kind: str) -> str:
        """Return the `@id` of a new thing; some are unique within their source only."""
        return f"{self.chance.choice(['https://with.example.com/', ''])}{kind}/{self._number()}"

    def _add_with_ids(self) -> list[Row]:
        """Add a series with sessions that name it, a series that embeds its sessions, and an Event."""
        upstream = self.with_ids
        embeds = self.chance.random() < 0.3
        series = self._thing("SessionSeries", id=self._id("series"), price=self._price(), minutes=90)
        rows = [self._put(upstream, "SessionSeries", series)]
        for _ in range(5):
            session = self._session(embedded=embeds)
            if embeds:
                series.children.append(session)
            else:
                rows.append(self._put(upstream, "ScheduledSession", session, rows[0]))
        if self.chance.random() < 0.5:
            event = self._thing("Event", id=self._id("events"), price=self._price())
            rows.append(self._put(upstream, "Event", event))
        return rows

    def _session(self, *, embedded: bool) -> Thing:
        """Return a session with its own name, duration and Offer, or with those of its series."""
        session = self._thing("ScheduledSession", id=self._id("sessions"), place="")
        session.name = self.chance.choice(["", "", session.name])
        session.minutes = self.chance.choice([0, 60])
        session.price = self.chance.choice([0, 0, self._price()])
        session.names_offer = not session.price and not embedded and self.chance.random() < 0.5
        return session

    def _add_without_ids(self) -> list[Row]:
        """Add a series, a facility, a headline event and two single events without ids."""
        upstream = self.without_ids
        series = self._thing("SessionSeries", price=self._price())
        facility = self._thing("FacilityUse")
        court = self._thing("IndividualFacilityUse", name="Court", place="")
        facility.children.append(court)
        gala = self._thing("HeadlineEvent", price=self._price())
        for parent in (series, facility, court, gala):
            for _ in range(4):
                self._grow(parent)
        rows = [self._put(upstream, thing.type, thing) for thing in (series, facility, gala)]
        if self.chance.random() < 0.5:
            rows.append(self._put(upstream, "Event", self._thing("Event", price=self._price())))
        return rows

    def _grow(self, parent: Thing) -> bool:
        """Give the thing a child, often at the time of another; return whether the child differs from all others."""
        child = self._child(parent)
        same = [other.start for other in parent.children if other.start]
        if child.start and same and self.chance.random() < 0.5:
            child.start = self.chance.choice(same)
        if not child.id and any(ends_of(child) == ends_of(other) for other in parent.children):
            return False
        parent.children.append(child)
        return True

    def _child(self, parent: Thing) -> Thing:
        if parent.id:
            return self._session(embedded=True)
        if parent.type == "SessionSeries":
            return self._thing("ScheduledSession", price=self.chance.choice([0, self._price()]))
        if parent.type == "HeadlineEvent":
            part = self._thing("Event", price=self._price())
            if self.chance.random() < 0.3:
                part.start, part.minutes = None, 0
            return part
        return self._thing("Slot", name="", place="", price=self._price(), left=self.chance.randrange(1, 5))

    def _rows(self, *, sound: bool = True) -> Iterator[Row]:
        """Return the items that can be read and whose parents can be read."""
        for upstream in self.both:
            for row in upstream.rows:
                if row.sound is sound and (row.parent is None or row.parent.sound):
                    yield row

    def _things(self) -> list[tuple[Row, Thing, list[Thing]]]:
        """Return the things that can be read, with their items and siblings."""
        found: list[tuple[Row, Thing, list[Thing]]] = []
        for row in self._rows():
            found.append((row, row.thing, []))
            for parent in row.thing.family():
                if not parent.fault and not parent.twin:
                    found += [(row, child, parent.children) for child in parent.children]
        return [(row, thing, among) for row, thing, among in found if not thing.fault and not thing.twin]

    # What becomes of it. Each returns the items of which there is a new version, or None if there is nothing to change.

    def reorder(self) -> list[Row] | None:
        return self._each_of(
            [(row, thing) for row, thing, _ in self._things() if len(thing.children) > 1], self._shuffle
        )

    def _shuffle(self, thing: Thing) -> None:
        for parent in thing.family():
            self.chance.shuffle(parent.children)

    def _each_of(self, found: list[tuple[Row, Thing]], change: Callable[[Thing], None]) -> list[Row] | None:
        """Change one of the found things."""
        if not found:
            return None
        row, thing = self.chance.choice(found)
        change(thing)
        return [row]

    def _change(self, name: str, value: Callable[[Thing], object], *, bookable: bool = False) -> list[Row] | None:
        """Change this property of a thing; a child without ids may then be another thing."""
        found = [one for one in self._things() if getattr(one[1], name) and (one[1].bookable or not bookable)]
        if not found:
            return None
        row, thing, among = self.chance.choice(found)
        before = ends_of(thing)
        setattr(thing, name, value(thing))
        if among and not thing.id and ends_of(thing) != before:
            thing.is_another()
        return [row]

    def rename(self) -> list[Row] | None:
        return self._change("name", lambda _: self.chance.choice(NAMES))

    def reschedule(self) -> list[Row] | None:
        return self._change("start", lambda _: self.chance.choice(TIMES), bookable=True)

    def move(self) -> list[Row] | None:
        return self._change("place", lambda _: self.chance.choice(PLACES[:-1]))

    def reprice(self) -> list[Row] | None:
        return self._change("price", lambda thing: thing.price + self.chance.choice([-1, 1, 2]) or 1)

    def resize(self) -> list[Row] | None:
        return self._change("left", lambda thing: max(thing.left + self.chance.randrange(-3, 9), 1), bookable=True)

    def say(self, status: Status | None) -> list[Row] | None:
        found = [(row, thing) for row, thing, _ in self._things() if not thing.type.endswith(("Use", "Slot"))]
        if status is None:
            found = [(row, thing) for row, thing in found if thing.tells]
        return self._each_of(found, lambda thing: thing.say(status))

    def say_that_it_takes_place(self) -> list[Row] | None:
        found = [(row, thing) for row, thing, _ in self._things() if thing.said in OFF]
        return self._each_of(found, lambda thing: thing.say(Status.SCHEDULED))

    def delete(self) -> list[Row] | None:
        return self._delete([(row, row.kind) for upstream in self.both for row in upstream.rows if not row.deleted])

    def delete_under_another_kind(self) -> list[Row] | None:
        """Delete an item under another kind, if no other item has its id."""
        found = []
        for upstream in self.both:
            ids = [row.id for row in upstream.rows]
            found += [row for row in upstream.rows if not row.deleted and ids.count(row.id) == 1]
        return self._delete([(row, self.chance.choice([f"feed.{row.kind}", *self._other_kinds])) for row in found])

    def _delete(self, found: list[tuple[Row, str]]) -> list[Row] | None:
        if not found:
            return None
        row, kind = self.chance.choice(found)
        row.deleted = kind
        self._is_another(row)
        return [row]

    def _is_another(self, row: Row) -> list[Row]:
        """Note that the thing of an item and the things below it come and go; return the items below."""
        row.thing.is_another()
        below = [other for other in self.upstream_of(row).rows if other.parent is row]
        for other in below:
            other.thing.is_another()
        return below

    def bring_back(self) -> list[Row] | None:
        return self._bring_back(lambda row: row.thing)

    def bring_another(self) -> list[Row] | None:
        """Publish another thing in place of a deleted or current one."""
        found = [row for row in self._rows() if not self.chance.randrange(8)]
        return self._bring_back(self._another, found)

    def _bring_back(self, of: Callable[[Row], Thing], others: list[Row] | None = None) -> list[Row] | None:
        deleted = [row for upstream in self.both for row in upstream.rows if row.deleted]
        found = deleted + (others or [])
        if not found:
            return None
        row = self.chance.choice(found)
        if row.deleted not in {"", row.kind} and self.chance.random() < 0.5:
            row.graves = self.upstream_of(row).published(row)[-1:]
        row.deleted = ""
        mend(row)
        below = self._is_another(row)
        row.thing = of(row)
        return [row, *below] if self.chance.random() < 0.5 else [row]

    def _another(self, row: Row) -> Thing:
        """Return another thing of the same kind; if only its RPDE id identifies it, it may still be cancelled."""
        old = row.thing
        new = self._thing(old.type, id=old.id and self._id("others"), price=old.price, names_offer=old.names_offer)
        if not old.id:
            new.said, new.unsure = old.said, old.said in OFF
        for child in old.children:
            if child.type != "IndividualFacilityUse":
                self._grow(new)
        return new

    def spoil(self) -> list[Row] | None:
        found = list(self._rows())
        row = self.chance.choice(found)
        faults = [fault for fault in FAULTS if fault != "no start" or row.thing.start]
        spoil(row, self.chance.choice([fault for fault in faults if fault != "no parent" or row.parent]))
        return [row]

    def mend(self) -> list[Row] | None:
        found = [row for row in self._rows(sound=False) if not row.deleted]
        if not found:
            return None
        row = self.chance.choice(found)
        mend(row)
        return [row]

    def twin(self) -> list[Row] | None:
        return self._change_child(lambda child: setattr(child, "twin", True))

    def tell_apart(self) -> list[Row] | None:
        return self._change_child(lambda child: setattr(child, "twin", False), lambda child: child.twin)

    def spoil_child(self) -> list[Row] | None:
        return self._change_child(lambda child: setattr(child, "fault", self.chance.choice(faults_of(child))))

    def mend_child(self) -> list[Row] | None:
        return self._change_child(lambda child: setattr(child, "fault", ""), lambda child: bool(child.fault))

    def _change_child(
        self, change: Callable[[Thing], None], which: Callable[[Thing], bool] = lambda child: not child.fault
    ) -> list[Row] | None:
        families = [(row, child) for row in self._rows() for parent in row.thing.family() for child in parent.children]
        return self._each_of([(row, child) for row, child in families if which(child)], change)

    def drop_child(self) -> list[Row] | None:
        found = [(row, thing, among) for row, thing, among in self._things() if len(among) > 1]
        if not found:
            return None
        row, thing, among = self.chance.choice(found)
        among.remove(thing)
        thing.is_another()
        self._dropped.append((among, thing))
        return [row]

    def add_child(self) -> list[Row] | None:
        """Add a child: one that was there before, or a new one."""
        parents = [(row, parent) for row, parent, _ in self._things() if parent.children]
        if not parents:
            return None
        row, parent = self.chance.choice(parents)
        before = [thing for among, thing in self._dropped if among is parent.children and thing not in among]
        if before and self.chance.random() < 0.7:
            parent.children.append(self.chance.choice(before))
        elif parent.type == "FacilityUse" or not self._grow(parent):
            return None
        return [row]

    def change_parent(self) -> list[Row] | None:
        """Publish a new version of a series without its sessions."""
        parents = {id(row.parent) for row in self._rows() if row.parent}
        found = [row for row in self._rows() if id(row) in parents]
        if not found:
            return None
        row = self.chance.choice(found)
        changes = (
            lambda: setattr(row.thing, "name", self.chance.choice(NAMES)),
            lambda: setattr(row.thing, "place", self.chance.choice(PLACES[:-1])),
            lambda: setattr(row.thing, "price", self._price()),
            lambda: setattr(row.thing, "minutes", self.chance.choice([45, 90])),
            lambda: row.thing.say(self.chance.choice([*Status])),
        )
        self.chance.choice(changes)()
        return [row]

    def add(self) -> list[Row] | None:
        return self.chance.choice([self._add_with_ids, self._add_without_ids])()
