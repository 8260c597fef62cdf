"""Error pages for people, in place of the JSON-LD errors of the API.

A page answers where a page was asked for: at the paths of pages and below them, and, outside of the API, where the
browser asks for HTML.
"""

from collections.abc import Callable, Collection, Iterable
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from openbooking.openactive.errors import OpenBookingError
from openbooking.settings import Settings
from openbooking.web.observe import notes_of
from openbooking.web.rendering import Renderer
from openbooking.web.request import asks_for_html
from openbooking.web.routes import local_path

_TEMPLATES = {HTTPStatus.SERVICE_UNAVAILABLE: "unavailable.html"}


class PageRoute(Route):
    """The route of a page for people, whose errors are pages. The OpenAPI document has no pages."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *, methods: Collection[str] = ("GET",)) -> None:
        super().__init__(path, endpoint, methods=methods, include_in_schema=False)


class ErrorPages:
    """Answers errors with pages, if the requests come from people.

    Args:
        settings: The settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._renderer = Renderer(settings)
        self._api = settings.base_uri.removeprefix(settings.site)
        self._paths: tuple[str, ...] = ()

    def cover(self, routes: Iterable[BaseRoute]) -> None:
        """Answer errors at and below the paths of these pages with pages."""
        paths = (route.path.partition("{")[0].rstrip("/") for route in routes if isinstance(route, PageRoute))
        self._paths = tuple(sorted({path for path in paths if path}))

    def is_for_people(self, scope: Scope) -> bool:
        """Return whether the errors of a request are answered with pages."""
        if isinstance(scope.get("route"), PageRoute):
            return True
        path = f"{local_path(scope)}/"
        if any(path.startswith(f"{page}/") for page in self._paths):
            return scope.get("route") is None
        return not path.startswith(f"{self._api}/") and asks_for_html(Headers(scope=scope))

    def response(self, error: OpenBookingError, scope: Scope, headers: dict[str, str]) -> Response:
        """Return the page of an error, with these headers."""
        notes = notes_of(scope)
        status = HTTPStatus(error.status)
        template = _TEMPLATES.get(status, "error.html")
        page = self._renderer.page(template, {"status": status, "request_id": notes.request_id}, status=status)
        page.headers.update(headers)
        return page
