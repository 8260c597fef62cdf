"""An event, a course and an on-demand item for tests of timetables."""

from datetime import date, datetime, time
from typing import Any

from msgspec.structs import replace

from openbooking.booking.model.timetable import Course, Event, OnDemandItem, WeeklyTime
from support.timetables import ADULT, MONDAY, YOGA

_SITE: dict[str, Any] = {"url": "https://centre.example.org/", "venue": "riverside", "concepts": (YOGA,)}
EVENT = Event(
    **_SITE, name="Open day", start=datetime.fromisoformat("2027-03-28T10:00"), minutes=60, capacity=5, prices=(ADULT,)
)
COURSE = Course(
    **_SITE,
    name="Beginners",
    times=(WeeklyTime((MONDAY,), time(19), 90),),
    first=date(2026, 10, 20),
    dates=4,
    capacity=12,
    prices=(ADULT,),
)
FILM = OnDemandItem(**{**_SITE, "venue": ""}, name="Film", prices=(replace(ADULT, cancel_before=None),))
