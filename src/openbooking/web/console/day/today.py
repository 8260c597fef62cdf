"""The page of one day: the occurrences of the Seller, and how many of their spaces are booked."""

from starlette.responses import Response
from starlette.routing import Route

from openbooking.web.console.console import Console, ConsoleVisit
from openbooking.web.console.day.occurrences import day_choice, find_occurrences, occurrence_row


class TodayPages:
    """The page of today, or of any other day."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._console.route("", self._day, menu="Today")]

    async def _day(self, visit: ConsoleVisit) -> Response:
        found = await find_occurrences(visit)
        rows = [occurrence_row(visit, occurrence) for occurrence in found.rows]
        return visit.page("day/today.html", rows=rows, next=found.next, **day_choice(visit))
