"""The page of one day: the occurrences of the Seller, and how many of their spaces are booked."""

from datetime import datetime, timedelta

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.formats import day_bounds
from openbooking.booking.views import PAGE_ROWS, Occurrence, Page, SellerViews
from openbooking.web.console.console import Console, ConsoleVisit
from openbooking.web.console.occurrences import occurrence_row

_ROWS = 200


class TodayPages:
    """The page of today, or of any other day."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._console.route("", self._day, menu="Today")]

    async def _day(self, visit: ConsoleVisit) -> Response:
        day = visit.day()
        since, until = day_bounds(day, self._console.zone)
        after, only_booked = visit.query.get("after", ""), visit.query.get("booked") == "yes"
        if only_booked:
            found = await _booked(visit.views, since, until, after)
        else:
            found = await visit.views.occurrences(since, until, after)
        return visit.page(
            "today.html",
            day=day,
            day_before=day - timedelta(days=1),
            day_after=day + timedelta(days=1),
            rows=[occurrence_row(visit, occurrence) for occurrence in found.rows],
            next=found.next,
            is_first=not after,
            only_booked=only_booked,
        )


async def _booked(views: SellerViews, since: datetime, until: datetime, after: str) -> Page[Occurrence]:
    """Return the occurrences with bookings or open proposals; most Slots of a facility have none."""
    rows: list[Occurrence] = []
    cursor: str | None = after
    while cursor is not None and len(rows) < PAGE_ROWS:
        found = await views.occurrences(since, until, cursor, _ROWS)
        rows += (occurrence for occurrence in found.rows if occurrence.booked or occurrence.proposals)
        cursor = found.next
    return Page(tuple(rows), cursor)
