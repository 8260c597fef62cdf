"""The Schedules of a series: rules by which it takes place, from which its sessions can be made (MOD "Schedule").

A PartialSchedule only describes sessions that are published by themselves. A Schedule has a start, so that its sessions
follow from it. Local times become instants by `timetable.wall_clock`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, YEARLY, rrule, weekday

from openbooking.jsonld.scalars import write_instant
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.values import (
    JsonObject,
    UnreadableError,
    display_text,
    members,
    read_duration,
    read_instant,
    read_text,
    term_names,
    type_names,
)
from openbooking.timetable.wall_clock import instant

MAX_SESSIONS = 2_000

_LONDON = ZoneInfo("Europe/London")
_EARLIEST = date(1990, 1, 1)
_FREQUENCY = re.compile(r"P(?P<number>[1-9]\d{0,2})(?P<unit>[DWMY])")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_UNITS: dict[str, Any] = {"D": DAILY, "W": WEEKLY, "M": MONTHLY, "Y": YEARLY}
_DAY = re.compile(r"(?P<number>[+-]?[1-5])?(?P<day>MO|TU|WE|TH|FR|SA|SU)")
_DAYS: dict[str, weekday] = {"MO": MO, "TU": TU, "WE": WE, "TH": TH, "FR": FR, "SA": SA, "SU": SU}
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS |= dict(zip(_NAMES, (MO, TU, WE, TH, FR, SA, SU), strict=True))
_COULD_BE_TAKEN_OVER = "its Schedule is a rule that could be taken over: --expand-schedules makes its sessions"


class Horizon(NamedTuple):
    """The instants between which the sessions of Schedules are made."""

    since: datetime
    until: datetime


class Expanded(NamedTuple):
    """A thing with the sessions of its Schedules.

    Attributes:
        thing: The thing.
        remarks: Remarks on its Schedules.
        faults: Why sessions of its Schedules could not be made.
    """

    thing: JsonObject
    remarks: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class _Session(NamedTuple):
    """The start and end of a session."""

    start: datetime
    end: datetime


def expand_schedules(thing: JsonObject, type_: OpportunityType, horizon: Horizon | None) -> Expanded:
    """Return a series with the sessions of its Schedules embedded. Other things stay as they are.

    A session that the series embeds already is not made again.

    Args:
        thing: The thing as published, cleaned.
        type_: Its type.
        horizon: The instants between which sessions are made; None to make none, and only remark on Schedules.
    """
    schedules = [each for each in members(thing.get("eventSchedule")) if _is_schedule(each)]
    if type_ is not OpportunityType.SESSION_SERIES or not schedules:
        return Expanded(thing)
    if horizon is None:
        return Expanded(thing, (_COULD_BE_TAKEN_OVER,))
    embedded = [each for each in members(thing.get("subEvent")) if isinstance(each, dict)]
    made: dict[_Session, JsonObject] = {}
    faults: list[str] = []
    for schedule in schedules:
        try:
            made |= {each: _written(each, schedule, thing) for each in _sessions(schedule, horizon)}
        except UnreadableError as fault:
            faults.append(f"its Schedule cannot be taken over: {fault}")
    if len(made) > MAX_SESSIONS:
        return Expanded(thing, (), (f"its Schedule cannot be taken over: it has more than {MAX_SESSIONS:,} sessions",))
    known = {read_text(each.get(name)) for each in embedded for name in ("@id", "startDate")}
    new = [each for each in made.values() if known.isdisjoint({each.get("@id", ""), each["startDate"]})]
    expanded = {**thing, "subEvent": [*members(thing.get("subEvent")), *new]}
    return Expanded(expanded, (f"sessions of its Schedule made: {len(new):,}",), tuple(faults))


def _is_schedule(schedule: Any) -> bool:
    return isinstance(schedule, dict) and "Schedule" in type_names(schedule)


def _written(session: _Session, schedule: JsonObject, series: JsonObject) -> JsonObject:
    """Return a session as the series would embed it. It has as many spaces as the series says for each session."""
    start = write_instant(session.start)
    made: dict[str, Any] = {"@type": "ScheduledSession", "startDate": start, "endDate": write_instant(session.end)}
    for name, template in (("@id", schedule.get("idTemplate")), ("url", schedule.get("urlTemplate"))):
        text = read_text(template)
        if text and "{startDate}" in text:
            # RFC 6570 "Simple String Expansion" escapes reserved characters.
            made[name] = text.replace("{startDate}", quote(f"{session.start:%Y-%m-%dT%H:%M:%SZ}", safe=""))
    if "maximumAttendeeCapacity" in series:
        most = series["maximumAttendeeCapacity"]
        made |= {"maximumAttendeeCapacity": most, "remainingAttendeeCapacity": most}
    return made


def _sessions(schedule: JsonObject, horizon: Horizon) -> Iterator[_Session]:
    """Yield the sessions of a Schedule that start in the horizon. Raise UnreadableError if the rule is not clear."""
    zone = _zone(schedule)
    length = _length(schedule)
    excepted_days, excepted_times = _exceptions(schedule)
    for local in _starts(schedule, horizon.until.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)):
        start = instant(local, zone)
        if not horizon.since <= start < horizon.until:
            continue
        if local.date() not in excepted_days and start not in excepted_times:
            yield _Session(start, start + length)


def _starts(schedule: JsonObject, until: datetime) -> Iterator[datetime]:
    """Return the local starts of a Schedule up to a local time."""
    if "startDate" not in schedule:
        raise UnreadableError("it has no startDate")
    first = datetime.combine(_date(schedule["startDate"]), _time(schedule, "startTime"))
    if first.date() < _EARLIEST:
        raise UnreadableError(f"its startDate is before {_EARLIEST.year}")
    last = datetime.combine(_date(schedule["endDate"]), time.max) if "endDate" in schedule else until
    found = _FREQUENCY.fullmatch(read_text(schedule.get("repeatFrequency")) or "")
    if found is None:
        raise UnreadableError("its repeatFrequency is not a number of days, weeks, months or years")
    # A rule ends by its number of sessions or its last day, and is not followed further than asked.
    rule = rrule(
        _UNITS[found["unit"]],
        interval=int(found["number"]),
        dtstart=first,
        until=min(last, until),
        byweekday=[_weekday(day) for day in term_names(schedule.get("byDay"))] or None,
        bymonth=_numbers(schedule, "byMonth", 12),
        bymonthday=_numbers(schedule, "byMonthDay", 31),
    )
    count = schedule.get("repeatCount")
    if count is not None and type(count) is not int:
        raise UnreadableError(f"its repeatCount {display_text(count)} is no number")
    return iter(rule) if count is None else islice(rule, max(count, 0))


def _zone(schedule: JsonObject) -> ZoneInfo:
    name = read_text(schedule.get("scheduleTimezone"))
    if not name:
        return _LONDON
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise UnreadableError(f"its scheduleTimezone {display_text(name)} is not known") from fault


def _length(schedule: JsonObject) -> timedelta:
    """Return the length of the sessions: the duration, or the time from the start to the end on the wall clock."""
    if "duration" in schedule:
        length = read_duration(schedule["duration"])
    else:
        begin, end = (datetime.combine(_EARLIEST, _time(schedule, name)) for name in ("startTime", "endTime"))
        length = end - begin if end > begin else end - begin + timedelta(days=1)
    if not length:
        raise UnreadableError("its duration is zero")
    return length


def _exceptions(schedule: JsonObject) -> tuple[set[date], set[datetime]]:
    """Return the local days and the instants on which there is no session."""
    days: set[date] = set()
    times: set[datetime] = set()
    for value in members(schedule.get("exceptDate")):
        read = read_instant(value)
        if read.is_day:
            days.add(_date(value))
        else:
            times.add(read.at.astimezone(UTC))
    return days, times


def _date(value: Any) -> date:
    """Return the day of a date, or of a date with a time."""
    return read_instant(value).at.date()


def _time(schedule: JsonObject, name: str) -> time:
    text = read_text(schedule.get(name)) or ""
    if not _TIME.fullmatch(text):
        raise UnreadableError(f"its {name} is no time of day" if text else f"it has no {name}")
    return time.fromisoformat(text)


def _weekday(name: str) -> weekday:
    """Return a day of the week, by its name or as in iCalendar: `MO`, or `1MO` for the first Monday of a month."""
    found = _DAY.fullmatch(name)
    if found and found["number"]:
        return _DAYS[found["day"]](int(found["number"]))
    if name not in _DAYS:
        raise UnreadableError(f"its byDay {display_text(name)} is no day of the week")
    return _DAYS[name]


def _numbers(schedule: JsonObject, name: str, most: int) -> list[int] | None:
    """Return the numbers of months or days; None if there are none."""
    numbers: list[Any] = list(members(schedule.get(name)))
    if not all(type(number) is int and 0 < number <= most for number in numbers):
        raise UnreadableError(f"its {name} is not a list of numbers up to {most}")
    return numbers or None
