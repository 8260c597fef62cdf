"""The page of one day: the occurrences of the Seller, and how many of their spaces are booked."""

from datetime import timedelta

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.formats import day_bounds
from openbooking.web.console.console import Console, ConsoleVisit
from openbooking.web.console.day.occurrences import occurrence_row


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
        found = await visit.views.occurrences(since, until, visit.query.get("after", ""))
        return visit.page(
            "day/today.html",
            day=day,
            day_before=day - timedelta(days=1),
            day_after=day + timedelta(days=1),
            rows=[occurrence_row(visit, occurrence) for occurrence in found.rows],
            next=found.next,
            is_first=not visit.query.get("after"),
        )
