"""The identity of Opportunities that a timetable makes: their paths. `EntryKey.source` is their source.

An occurrence is identified by its class, facility or court, its start and its length. So it keeps its path through each
change of a rule that leaves these. An event, a course and an on-demand item keep their path through each change.
"""

from datetime import UTC, datetime

from openbooking.booking.model.timetable import EntryKey
from openbooking.booking.rules.opportunities.planned_times import planned_time_suffix
from openbooking.openactive.ids import is_key, key_of, opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType

_ANY_START = datetime(2000, 1, 1, tzinfo=UTC)


def path_of(type_: OpportunityType, entry: EntryKey, court: str = "") -> str:
    """Return the path of a series, a facility, a court, an event, a course or an on-demand item."""
    return opportunity_path(type_, _key(entry, court))


def occurrence_path(type_: OpportunityType, entry: EntryKey, start: datetime, minutes: int, court: str = "") -> str:
    """Return the path of a session or a Slot.

    Args:
        type_: The type.
        entry: The key of the class or facility.
        start: The start, in UTC.
        minutes: The length.
        court: The key of the court, if the occurrence is a Slot of one.
    """
    return opportunity_path(type_, f"{_key(entry, court)}{planned_time_suffix(start, minutes)}")


def fits(entry: EntryKey, court: str = "", minutes: int = 0) -> bool:
    """Return whether the paths of the occurrences of an entry are short enough, and have no other characters than keys.

    Args:
        entry: The key of the entry.
        court: The key of the court, if there is one.
        minutes: The length of the occurrences.
    """
    return is_key(key_of(occurrence_path(OpportunityType.SLOT, entry, _ANY_START, minutes, court)))


def _key(entry: EntryKey, court: str) -> str:
    """Return the first parts of a key. A dot in the key of a Seller is doubled, so that no two entries share a key."""
    return ".".join(part for part in (entry.seller.replace(".", ".."), entry.key, court) if part)
