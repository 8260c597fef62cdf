"""Writes a calendar to which people subscribe (RFC 5545).

All times are in UTC, so that no program needs the rules of a time zone. Each date is written with its own instant, so
its time on the wall clock is right in summer and in winter.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_INSTANT = "%Y%m%dT%H%M%SZ"
_LONGEST_LINE = 75
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
# The bits of a byte of UTF-8 that is not the first one of its character.
_CONTINUATION_MASK, _CONTINUATION = 0b1100_0000, 0b1000_0000
# Text may be written by providers, and programs read calendars of all sizes badly.
_LONGEST_TEXT = 2_000
# SEQUENCE counts the seconds from here, because it has 31 bits.
FIRST_CHANGE = datetime(2020, 1, 1, tzinfo=UTC)


class CalendarEvent(NamedTuple):
    """An event of a calendar.

    Attributes:
        uid: The UID.
        name: The name.
        start: The start.
        end: The end.
        changed: When it changed last.
        is_cancelled: Whether it is cancelled.
        place: The name and the address of the place; empty if unknown.
        description: A text; empty if there is none.
        url: The web page; empty if there is none.
    """

    uid: str
    name: str
    start: datetime
    end: datetime
    changed: datetime
    is_cancelled: bool = False
    place: str = ""
    description: str = ""
    url: str = ""


def write_calendar(name: str, zone: str, events: Iterable[CalendarEvent]) -> bytes:
    """Return a calendar.

    Args:
        name: The name of the calendar.
        zone: The name of the time zone in which programs show the times.
        events: The events.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//openbooking//EN",
        "METHOD:PUBLISH",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        f"X-WR-TIMEZONE:{zone}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        *(line for event in events for line in _event(event)),
        "END:VCALENDAR",
    ]
    return b"".join(part + b"\r\n" for line in lines for part in _fold(line))


def _event(event: CalendarEvent) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"DTSTAMP:{event.changed:{_INSTANT}}"
    yield f"LAST-MODIFIED:{event.changed:{_INSTANT}}"
    yield f"SEQUENCE:{max((event.changed - FIRST_CHANGE) // timedelta(seconds=1), 0)}"
    yield f"DTSTART:{event.start:{_INSTANT}}"
    yield f"DTEND:{event.end:{_INSTANT}}"
    yield f"SUMMARY:{_text(event.name)}"
    yield f"STATUS:{'CANCELLED' if event.is_cancelled else 'CONFIRMED'}"
    if event.place:
        yield f"LOCATION:{_text(event.place)}"
    if event.description:
        yield f"DESCRIPTION:{_text(event.description)}"
    if event.url:
        yield f"URL:{_CONTROL.sub('', event.url).replace(chr(10), '')}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _text(text: str) -> str:
    """Return an escaped text without control characters (RFC 5545 3.3.11)."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n"))[:_LONGEST_TEXT]
    escaped = plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    # Other characters end lines too, for some programs.
    return re.sub("[\n\x85\u2028\u2029]", r"\\n", escaped)


def _fold(line: str) -> Iterator[bytes]:
    """Yield the parts of a line, each of at most 75 bytes with the space before it, and of whole characters."""
    left, space = line.encode(), b""
    while len(left) + len(space) > _LONGEST_LINE:
        end = _LONGEST_LINE - len(space)
        while left[end] & _CONTINUATION_MASK == _CONTINUATION:
            end -= 1
        yield space + left[:end]
        left, space = left[end:], b" "
    yield space + left
