"""The page of the feeds from which the Seller's Opportunities are imported."""

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.rows.import_rows import import_row
from openbooking.back_office.rows.tables import TableContext
from openbooking.identity.import_records import FollowedFeed
from openbooking.web.console.console import Console, ConsoleVisit


class ImportPages:
    """The page of imports."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._console.route("/imports", self._imports, menu="Imports", managers_only=True)]

    async def _imports(self, visit: ConsoleVisit) -> Response:
        """Show the feeds that publish for this Seller. Feeds of other Sellers are left out."""
        key = visit.seller.key
        context = TableContext({}, self._console.zone, visit.now)
        feeds = await self._console.system.identity.store.find(FollowedFeed)
        rows = [import_row(feed, context) for feed in feeds if key == feed.seller or key in feed.sellers]
        return visit.page("seller/imports.html", rows=rows)
