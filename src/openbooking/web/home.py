"""The start page: a door for Sellers, one for the developers of Brokers, and one to the open data.

Programs, which do not ask for HTML, are redirected to the dataset site, so that the address of the Booking System is
enough for them to find its feeds and its API.
"""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from openbooking.jsonld.write_dataset import FEED_TYPES
from openbooking.settings import AccessMode
from openbooking.system import System
from openbooking.web.pages import Pages, Visit
from openbooking.web.request import asks_for_html

HOME_PATH = "/"


class HomePage:
    """The start page.

    Args:
        system: The Booking System.
        pages: The base of all pages.
        paths: The paths of the pages that the start page leads to: `seller`, the page with which a Seller begins;
            `dataset`, the dataset site; `feeds`, above the feeds; `access`, the form of developers who ask for access;
                `api`, the page about the API.
    """

    def __init__(self, system: System, pages: Pages, **paths: str) -> None:
        self._system = system
        self._pages = pages
        self._paths = paths

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._pages.route(HOME_PATH, self._home)]

    async def _home(self, request: Request, visit: Visit) -> Response:
        if not asks_for_html(request.headers):
            return RedirectResponse(self._system.settings.site_path + self._paths["dataset"])
        settings = self._system.settings
        return self._pages.page(
            request,
            visit,
            "home.html",
            base_uri=settings.base_uri,
            partners_ask=settings.access is AccessMode.OPENID,
            feed_types=FEED_TYPES,
            paths=self._paths,
        )
