"""The values with which the pages of the console show an occurrence."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from openbooking.back_office.descriptions import opportunity_name, place_name
from openbooking.back_office.occurrence_rows import OccurrenceState, occurrence_state
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import SOURCE_PREFIX
from openbooking.booking.views import Occurrence, Page
from openbooking.web.console.console import CONSOLE_PATH, ConsoleVisit
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
        "register_path": register_path(opportunity.path),
        "cancel_path": cancel_path(opportunity.path),
        "notify_path": notify_path(opportunity.path),
        "cancelled_path": cancelled_path(opportunity.path),
        "publication_path": publication_path(opportunity.path),
        "is_over": opportunity.is_over(visit.now),
        "desk_path": desk_path(opportunity.path),
        "terms_path": terms_path(opportunity.path) if is_of_timetable(opportunity) else "",
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


def register_path(opportunity: str) -> str:
    """Return the path of the register of an Opportunity below the address of the site."""
    return f"{CONSOLE_PATH}/register/{quote(opportunity)}"


def cancel_path(opportunity: str) -> str:
    """Return the path of the form that cancels an Opportunity."""
    return f"{CONSOLE_PATH}/cancel/{quote(opportunity)}"


def notify_path(opportunity: str) -> str:
    """Return the path of the form that sends a notice to all who have booked an Opportunity."""
    return f"{CONSOLE_PATH}/notify/{quote(opportunity)}"


def cancelled_path(opportunity: str) -> str:
    """Return the path of the page that shows who was told of the cancellation of an Opportunity."""
    return f"{CONSOLE_PATH}/cancelled/{quote(opportunity)}"


def publication_path(opportunity: str) -> str:
    """Return the path of the page about the publication of an Opportunity."""
    return f"{CONSOLE_PATH}/publication/{quote(opportunity)}"


def desk_path(opportunity: str) -> str:
    """Return the path of the form with which the front desk books an Opportunity, below the address of the site."""
    return f"{CONSOLE_PATH}/desk/book/{quote(opportunity)}"


def terms_path(opportunity: str) -> str:
    """Return the path of the form that changes the price and capacity of an occurrence of the timetable."""
    return f"{CONSOLE_PATH}/timetable/terms/{quote(opportunity)}"


def is_of_timetable(opportunity: Opportunity) -> bool:
    """Return whether a class or facility of the timetable has made the occurrence."""
    return opportunity.source.startswith(SOURCE_PREFIX) and opportunity.type.needs_parent


def free_spaces(occurrence: Occurrence) -> int | None:
    """Return how many spaces are neither sold nor held; None if their number is not limited."""
    if occurrence.capacity is None:
        return None
    return max(occurrence.capacity - occurrence.booked - occurrence.leased, 0)


def has_begun(visit: ConsoleVisit, occurrence: Occurrence) -> bool:
    """Return whether the occurrence has begun; one without a start has."""
    start = occurrence.opportunity.start
    return start is None or start <= visit.now
