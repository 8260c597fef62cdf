"""Makes entries of a timetable of the events of a calendar.

An event is represented as a whole, or is left out with the reason. A calendar has neither capacities nor prices, so all
entries get those of `EntryDefaults`.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from openbooking.booking.model.timetable import Concept, Event, Price, WeeklyClass
from openbooking.openactive.web_addresses import is_web_address
from openbooking.timetable.calendars.components import Component, NotRepresentableError, read_components
from openbooking.timetable.calendars.recurrence import event_time, weekly_dates
from openbooking.timetable.concepts import Vocabulary, find
from openbooking.timetable.wall_clock import instant

_LONGEST_SLUG, _DIGEST = 40, 8


class EntryDefaults(NamedTuple):
    """What a calendar does not say about its events.

    Attributes:
        venue: The key of the Venue.
        capacity: How many spaces of each date are sold.
        prices: The prices.
        url: The web page of events without one; empty for that of the Seller.
        concepts: The activities of events without a known category.
    """

    venue: str
    capacity: int
    prices: tuple[Price, ...]
    url: str
    concepts: tuple[Concept, ...]


class CalendarEntry(NamedTuple):
    """An entry that was made of an event.

    Attributes:
        line: The line in which the event begins.
        uid: The UID of the event.
        key: The key of the entry, which follows from its name and UID.
        rule: The rule.
    """

    line: int
    uid: str
    key: str
    rule: WeeklyClass | Event

    @property
    def digest(self) -> str:
        """The end of the key, which follows from the UID alone."""
        return _digest(self.uid)


class LeftOut(NamedTuple):
    """An event that the timetable does not represent: its line, its UID, and the reason as a sentence."""

    line: int
    uid: str
    reason: str


class ReadCalendar(NamedTuple):
    """What was read of a calendar.

    Attributes:
        entries: The entries.
        left_out: The events that are left out.
        locations: The locations of the events of the entries, with their numbers.
    """

    entries: tuple[CalendarEntry, ...]
    left_out: tuple[LeftOut, ...]
    locations: Counter[str]


def read_calendar(content: bytes, defaults: EntryDefaults, zone: ZoneInfo, now: datetime) -> ReadCalendar:
    """Return the entries of a calendar, and the events that are left out.

    Args:
        content: The file.
        defaults: What the calendar does not say.
        zone: The time zone of the timetable.
        now: The current time. What has ended is left out.

    Raises:
        CalendarFileError: The file as a whole cannot be read.
    """
    by_uid: dict[str, list[Component]] = {}
    left_out: list[LeftOut] = []
    for component in read_components(content):
        try:
            by_uid.setdefault(_uid(component), []).append(component)
        except NotRepresentableError as reason:
            left_out.append(LeftOut(component.line, "", str(reason)))
    entries: list[CalendarEntry] = []
    locations: Counter[str] = Counter()
    reader = _Reader(defaults, zone, now)
    for uid, components in by_uid.items():
        try:
            location = components[0].text("LOCATION")
            entries.append(reader.entry(uid, components))
            locations.update([location] if location else ())
        except NotRepresentableError as reason:
            left_out += [LeftOut(component.line, uid, str(reason)) for component in components]
    return ReadCalendar(tuple(entries), tuple(sorted(left_out)), locations)


def _uid(component: Component) -> str:
    if component.event is None:
        raise NotRepresentableError("It cannot be read.")
    if not component.uid:
        raise NotRepresentableError("It has no UID.")
    return component.uid


class _Reader:
    """Makes the entry of an event with its overrides."""

    def __init__(self, defaults: EntryDefaults, zone: ZoneInfo, now: datetime) -> None:
        self._defaults, self._zone, self._now = defaults, zone, now
        self._today = now.astimezone(zone).date()

    def entry(self, uid: str, components: Sequence[Component]) -> CalendarEntry:
        """Return the entry of the components with one UID.

        Raises:
            NotRepresentableError: The timetable cannot represent them as a whole.
        """
        masters = [each for each in components if not each.values("RECURRENCE-ID")]
        if len(masters) != 1:
            reason = (
                "Several events have this UID." if masters else "The event that its RECURRENCE-ID changes is missing."
            )
            raise NotRepresentableError(reason)
        (master,) = masters
        name = master.text("SUMMARY")
        if not name:
            raise NotRepresentableError("It has no SUMMARY.")
        if master.text("STATUS").upper() == "CANCELLED":
            raise NotRepresentableError("It is cancelled.")
        cancelled = [date_ for each in components if each is not master for date_ in self._cancelled(each)]
        rule = self._rule(master, name, cancelled)
        return CalendarEntry(master.line, uid, entry_key(name, uid), rule)

    def _cancelled(self, override: Component) -> Iterator[date]:
        """Yield the date that an override cancels."""
        if override.text("STATUS").upper() != "CANCELLED" or override.values("RECURRENCE-ID")[0].params.get("RANGE"):
            line = override.line
            raise NotRepresentableError(f"RECURRENCE-ID in the event of line {line} changes a date. Enter it by hand.")
        for at in override.times("RECURRENCE-ID"):
            is_zoned = isinstance(at, datetime) and at.tzinfo is not None
            local = at.astimezone(self._zone) if is_zoned else at  # type: ignore[attr-defined]
            yield local.date() if isinstance(local, datetime) else local

    def _rule(self, master: Component, name: str, cancelled: Sequence[date]) -> WeeklyClass | Event:
        at = event_time(master, self._zone)
        defaults = self._defaults
        url, concepts = master.text("URL"), tuple(dict.fromkeys(_concepts(master)))
        described = {
            "name": name,
            "description": master.text("DESCRIPTION"),
            "url": url if is_web_address(url) else defaults.url,
            "venue": defaults.venue,
            "concepts": concepts or defaults.concepts,
            "capacity": defaults.capacity,
            "prices": defaults.prices,
        }
        if not master.values("RRULE"):
            if master.values("RDATE") or cancelled:
                raise NotRepresentableError("It has several dates without an RRULE.")
            if instant(at.start, self._zone) + timedelta(minutes=at.minutes) <= self._now:
                raise NotRepresentableError("It has ended.")
            return Event(start=at.start, minutes=at.minutes, **described)  # type: ignore[arg-type]
        dates = weekly_dates(master, at, self._zone)
        if dates.last is not None and dates.last < self._today:
            raise NotRepresentableError("It has ended.")
        without = tuple(sorted({*dates.without, *cancelled}))
        coming = tuple(each for each in without if each >= self._today)
        return WeeklyClass(times=(dates.time,), first=dates.first, last=dates.last, without=coming, **described)  # type: ignore[arg-type]


def entry_key(name: str, uid: str) -> str:
    """Return the key of the entry of an event: its name in small letters, and a digest of its UID."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_SLUG].strip("-") or "event"
    return f"{slug}-{_digest(uid)}"


def _digest(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:_DIGEST]


def _concepts(component: Component) -> Iterator[Concept]:
    """Yield the activities among the categories of an event."""
    for value in component.values("CATEGORIES"):
        for name in value.cats:
            concept = find(Vocabulary.ACTIVITIES, str(name))
            if concept is not None:
                yield concept
