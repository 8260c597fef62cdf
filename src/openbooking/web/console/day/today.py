"""The page of one day: the occurrences of the Seller, and how many of their spaces are booked."""

from datetime import datetime

from starlette.responses import Response
from starlette.routing import Route

from openbooking.booking.views import PAGE_ROWS, Occurrence, Page, SellerViews
from openbooking.web.console.console import Console, ConsoleVisit
from openbooking.web.console.day.occurrences import chosen_period, day_choice, find_occurrences, occurrence_row

_ROWS = 200


class TodayPages:
    """The page of today, or of any other day."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._console.route("", self._day, menu="Today")]

    async def _day(self, visit: ConsoleVisit) -> Response:
        only_booked = visit.query.get("booked") == "yes"
        if only_booked:
            found = await _booked(visit.views, *chosen_period(visit), visit.query.get("after", ""))
        else:
            found = await find_occurrences(visit)
        rows = [occurrence_row(visit, occurrence) for occurrence in found.rows]
        return visit.page("day/today.html", rows=rows, next=found.next, only_booked=only_booked, **day_choice(visit))


async def _booked(views: SellerViews, since: datetime, until: datetime, after: str) -> Page[Occurrence]:
    """Return the occurrences with bookings or open proposals; most Slots of a facility have none."""
    rows: list[Occurrence] = []
    cursor: str | None = after
    while cursor is not None and len(rows) < PAGE_ROWS:
        found = await views.occurrences(since, until, cursor, _ROWS)
        rows += (occurrence for occurrence in found.rows if occurrence.booked or occurrence.proposals)
        cursor = found.next
    return Page(tuple(rows), cursor)
