"""The router: it finds the route of a request, below whatever path the application is mounted at."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Lifespan, Receive, Scope, Send

from openbooking.openactive.errors import OpenBookingError

Endpoint = Callable[[Request], Awaitable[Response]]


class ApiRoute(Route):
    """A route of the Open Booking API, which declares the errors of its methods while the database is unavailable.

    Args:
        path: The path below the address of the site.
        endpoint: Answers all methods.
        unavailable_errors: The error class of each method.
    """

    def __init__(
        self, path: str, endpoint: Endpoint, *, unavailable_errors: Mapping[str, type[OpenBookingError]]
    ) -> None:
        super().__init__(path, endpoint, methods=list(unavailable_errors))
        self.unavailable_errors = unavailable_errors


class AppRouter(Router):
    """Starlette's router, with a dictionary for the paths without parameters, and with exact paths.

    The application may be mounted in another one, or served as it is. Requests are routed by their path below
    `root_path`, which a mount sets. Without one, the path of the site's address is removed, for a proxy may pass it on
    or not. Routes that an embedder adds before the first request come first; then all routes are tried in turn.

    Args:
        lifespan: What the ASGI server starts and stops.
        site_path: The path in the address of the site, without a slash at its end: `/booking`, or empty.
        open_: Called by a request that finds the routes missing; it adds them by `add_routes`.
    """

    def __init__(self, lifespan: Lifespan[Any], site_path: str, open_: Callable[[], Awaitable[None]]) -> None:
        super().__init__(lifespan=lifespan, redirect_slashes=False)
        self._site_path = site_path
        self._open = open_
        self._is_open = False
        self._plain: dict[str, Route] = {}

    @contextmanager
    def add_routes(self, routes: Iterable[Route]) -> Iterator[None]:
        """Add routes, and remove them at the end of the context.

        Their paths match exactly. Starlette's own pattern ends with `$`, which lets a newline follow.
        """
        before = list(self.routes)
        for route in routes:
            route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z")
            self.routes.append(route)
            if not before and not route.param_convertors:
                self._plain[route.path] = route
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False
            self.routes[:] = before
            self._plain.clear()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to its route. A path with NUL has none: PostgreSQL cannot even look for that."""
        if "\0" in scope.get("path", ""):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        if scope["type"] != "http":
            await super().app(scope, receive, send)
            return
        if not self._is_open:
            await self._open()
        if self._site_path and not scope.get("root_path") and _is_below(scope["path"], self._site_path):
            scope["root_path"] = self._site_path
        plain = self._plain.get(local_path(scope))
        if plain and plain.methods and scope["method"] in plain.methods:
            scope.setdefault("router", self)
            scope.setdefault("path_params", {})
            scope.update(route=plain, endpoint=plain.endpoint)
            await plain.app(scope, receive, send)
        else:
            await super().app(scope, receive, send)


def local_path(scope: Scope) -> str:
    """Return the path of the request below the path at which the application is mounted; `/` for that path itself."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] or "/" if root and _is_below(path, root) else path


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
