"""The stylesheets and the icon of the pages for people."""

from http import HTTPStatus
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.booking.model.colours import InvalidColourError, parse_colour
from openbooking.booking.model.opportunity import Seller
from openbooking.web.branding import dark_theme, light_theme
from openbooking.web.rendering import FAVICON_PATH, STYLE_PATH, Renderer

THEME_PATH = "/theme.css"


def asset_routes(renderer: Renderer) -> list[Route]:
    """Return the routes of the stylesheets and the icon."""

    async def style(request: Request) -> Response:
        del request
        return renderer.asset("pages.css", "text/css")

    async def theme(request: Request) -> Response:
        """Return the stylesheet for the colour in the query, which is all that it depends on."""
        try:
            colour = parse_colour(request.query_params.get("colour", ""))
        except InvalidColourError as fault:
            raise HTTPException(HTTPStatus.NOT_FOUND) from fault
        return renderer.asset("theme.css", "text/css", light=light_theme(colour), dark=dark_theme(colour))

    async def icon(request: Request) -> Response:
        del request
        return renderer.asset("favicon.svg", "image/svg+xml")

    return [
        Route(STYLE_PATH, style, include_in_schema=False),
        Route(THEME_PATH, theme, include_in_schema=False),
        Route(FAVICON_PATH, icon, include_in_schema=False),
        # Browsers ask for this path where no page names an icon, such as at the API.
        Route("/favicon.ico", icon, include_in_schema=False),
    ]


def theme_path(root: str, seller: Seller) -> str:
    """Return the path of the stylesheet with the colours of a Seller; empty for a Seller without a colour."""
    return f"{root}{THEME_PATH}?{urlencode({'colour': seller.colour})}" if seller.colour else ""
