"""The values with which the pages of the console show an occurrence."""

from datetime import datetime, timedelta
from typing import Any

from openbooking.back_office.descriptions import opportunity_name, place_name
from openbooking.back_office.rows.occurrence_rows import OccurrenceState, occurrence_state
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import SOURCE_PREFIX
from openbooking.booking.views import Occurrence, Page
from openbooking.web.console.addresses import OpportunityPage
from openbooking.web.console.console import ConsoleVisit
from openbooking.web.console.periods import PARTS_OF_DAY, PartOfDay

STATES = {
    OccurrenceState.OPEN: "open",
    OccurrenceState.FULL: "full",
    OccurrenceState.OVER: "over",
    OccurrenceState.UNPUBLISHED: "off sale",
    OccurrenceState.NOT_UNDERSTOOD: "not understood",
    OccurrenceState.CANCELLED: "cancelled",
}


def occurrence_row(visit: ConsoleVisit, occurrence: Occurrence) -> dict[str, Any]:
    """Return the values with which templates show an occurrence."""
    opportunity = occurrence.opportunity
    return {
        "occurrence": occurrence,
        "opportunity": opportunity,
        "name": opportunity_name(opportunity, occurrence.parents),
        "place": place_name(opportunity, occurrence.parents),
        "day": visit.local(opportunity.start).date() if opportunity.start else visit.today,
        "state": STATES[occurrence_state(occurrence, visit.now)],
        "is_over": opportunity.is_over(visit.now),
        "is_of_timetable": is_of_timetable(opportunity),
        **{f"{page.name.lower()}_path": page.path(opportunity.path) for page in OpportunityPage},
    }


async def find_occurrences(visit: ConsoleVisit) -> Page[Occurrence]:
    """Return the occurrences of the day that the query names, or of a part of this day."""
    return await visit.views.occurrences(*chosen_period(visit), visit.query.get("after", ""))


def chosen_period(visit: ConsoleVisit) -> tuple[datetime, datetime]:
    """Return the first instant of the day or part of a day that the query names, and the first instant after it."""
    return _part(visit).bounds(visit.day(), visit.console.zone)


def day_choice(visit: ConsoleVisit) -> dict[str, Any]:
    """Return the values with which templates show the choice of a day and of a part of it."""
    day = visit.day()
    return {
        "day": day,
        "day_before": day - timedelta(days=1),
        "day_after": day + timedelta(days=1),
        "part": _part(visit),
        "parts": PARTS_OF_DAY,
        "is_first": not visit.query.get("after"),
    }


def _part(visit: ConsoleVisit) -> PartOfDay:
    """Return the part of the day that the query names; the whole day if it names none."""
    part = visit.query.get("part", "")
    return PartOfDay(part) if part in set(PartOfDay) else PartOfDay.WHOLE


def is_of_timetable(opportunity: Opportunity) -> bool:
    """Return whether a class or facility of the timetable has made the occurrence."""
    return opportunity.source.startswith(SOURCE_PREFIX) and opportunity.type.needs_parent


def free_spaces(occurrence: Occurrence) -> int | None:
    """Return how many spaces are neither sold nor held; None if their number is not limited."""
    if occurrence.capacity is None:
        return None
    return max(occurrence.capacity - occurrence.sold - occurrence.leased, 0)


def has_begun(visit: ConsoleVisit, occurrence: Occurrence) -> bool:
    """Return whether the occurrence has begun; one without a start has."""
    start = occurrence.opportunity.start
    return start is None or start <= visit.now
