"""The planned time of an occurrence of a timetable, which is in its path: `…/SELLER.ENTRY.20261201T1815Z.60`."""

import re
from datetime import UTC, datetime, timedelta

from openbooking.booking.model.opportunity import Opportunity

_START = "%Y%m%dT%H%MZ"
_PLANNED = re.compile(r"\.(?P<start>\d{8}T\d{4}Z)\.(?P<minutes>\d+)$")


def planned_time_suffix(start: datetime, minutes: int) -> str:
    """Return the end of the path of an occurrence: its planned start and its length.

    Args:
        start: The start, in UTC.
        minutes: The length.
    """
    return f".{start:{_START}}.{minutes}"


def is_moved(occurrence: Opportunity) -> bool:
    """Return whether staff has moved a session or Slot of a timetable: its time is not the planned one."""
    found = _PLANNED.search(occurrence.path)
    if not found or occurrence.start is None:
        return False
    planned = datetime.strptime(found["start"], _START).replace(tzinfo=UTC)
    return (occurrence.start, occurrence.end) != (planned, planned + timedelta(minutes=int(found["minutes"])))
