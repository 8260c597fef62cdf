"""The events of an iCalendar file, each with the line in which it begins.

Each event is parsed alone, so that one faulty event does not affect others. VTIMEZONE components are not evaluated: a
rule in one could take forever, and the names of the IANA time zones are enough.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from icalendar import Event

from openbooking.user_error import UserError

MOST_BYTES = 5_000_000
MOST_EVENTS = 5_000
_BEGIN, _END = "BEGIN:VEVENT", "END:VEVENT"


class CalendarFileError(UserError):
    """The file as a whole cannot be read."""


class NotRepresentableError(Exception):
    """The timetable cannot represent an event. The message is the reason, as a sentence."""


class Component(NamedTuple):
    """An event of a calendar.

    Attributes:
        line: The line of the file in which it begins.
        event: The event; None if it cannot be parsed.
    """

    line: int
    event: Event | None

    @property
    def uid(self) -> str:
        """The UID; empty if there is none."""
        return self.text("UID")

    def text(self, name: str) -> str:
        """Return the text of a property; empty if there is none."""
        value = self.values(name)[:1]
        return str(value[0]).strip() if value else ""

    def values(self, name: str) -> list[Any]:
        """Return the values of all properties with a name.

        Raises:
            NotRepresentableError: One of the properties cannot be parsed.
        """
        if self.event is None:
            return []
        if any(broken == name for broken, _ in self.event.errors):
            raise NotRepresentableError(f"{name} cannot be read.")
        value = self.event.get(name)
        return value if isinstance(value, list) else [] if value is None else [value]

    def times(self, name: str) -> list[date]:
        """Return the dates and times of all properties with a name.

        Raises:
            NotRepresentableError: A property cannot be parsed, or has an unknown time zone.
        """
        found: list[date] = []
        for value in self.values(name):
            zone = value.params.get("TZID")
            for at in [each.dt for each in value.dts] if hasattr(value, "dts") else [value.dt]:
                if not isinstance(at, date):
                    raise NotRepresentableError(f"{name} is no date and no time of a day.")
                if zone and isinstance(at, datetime) and at.tzinfo is None:
                    raise NotRepresentableError(f"The time zone {zone} of {name} is unknown.")
                found.append(at)
        return found


def read_components(content: bytes) -> list[Component]:
    """Return the events of a calendar in their order.

    Raises:
        CalendarFileError: The file is too large, is incomplete, or is no calendar in UTF-8.
    """
    if len(content) > MOST_BYTES:
        raise CalendarFileError(f"The calendar has more than {MOST_BYTES:,} bytes. Export a shorter time.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise CalendarFileError("The calendar is not in UTF-8.") from fault
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines[0].upper().startswith("BEGIN:VCALENDAR"):
        raise CalendarFileError("This is no iCalendar file: it does not begin with BEGIN:VCALENDAR.")
    blocks = list(_blocks(lines))
    if len(blocks) > MOST_EVENTS:
        raise CalendarFileError(f"The calendar has {len(blocks):,} events; {MOST_EVENTS:,} are allowed.")
    return [Component(line, _parse(block)) for line, block in blocks]


def _blocks(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of each event, with the number of its first line."""
    block: list[str] = []
    begins, is_complete = 0, False
    for number, line in enumerate(lines, 1):
        name = line.strip().upper()
        if name == _BEGIN and not block:
            begins = number
        if begins:
            block.append(line)
        if name == _END and begins:
            yield begins, block
            block, begins = [], 0
        is_complete = name == "END:VCALENDAR" or (is_complete and not name)
    if begins or not is_complete:
        raise CalendarFileError("The calendar is incomplete: it does not end with END:VCALENDAR.")


def _parse(block: list[str]) -> Event | None:
    try:
        event = Event.from_ical("\r\n".join(block))
    except Exception:  # noqa: BLE001 - a faulty event can fail anywhere in the parser
        return None
    # A line without a name was skipped.
    return event if isinstance(event, Event) and all(name for name, _ in event.errors) else None
