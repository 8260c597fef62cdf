"""The router, which finds the route of a request below the path at which the application is mounted."""

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

from openbooking.web.operation import Operation, operation_of

Endpoint = Callable[[Request], Awaitable[Response]]


class ApiRoute(Route):
    """A route for programs, with the operation of each of its methods.

    Args:
        path: The path below the address of the site.
        endpoint: Answers the requests of all methods: a function of the request, or an ASGI application.
        operations: The operation of each method.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], operations: Mapping[str, Operation]) -> None:
        super().__init__(path, endpoint, methods=list(operations))
        self.operations = operations


def api_route(path: str, handler: Endpoint, method: str = "GET") -> ApiRoute:
    """Return the route of one handler, which declares its operation."""
    return ApiRoute(path, handler, {method: operation_of(handler)})


class AppRouter(Router):
    """Starlette's router, which also works below a path, and finds paths without parameters in a dictionary.

    The router uses the path below `root_path`, which is set if the application is mounted in another one. Without a
    `root_path`, the router removes the path of the site from the request. A proxy may have removed it already.

    Routes that an embedder adds before the first request come first. In that case the dictionary is not used.

    Args:
        lifespan: Opens and closes the Booking System when the ASGI server starts and stops.
        site_path: The path in the address of the site, without a slash at its end: `/booking`, or empty.
        open_: Opens the Booking System and calls `add_routes`. A request calls this if there are no routes yet.
    """

    def __init__(self, lifespan: Lifespan[Any], site_path: str, open_: Callable[[], Awaitable[None]]) -> None:
        super().__init__(lifespan=lifespan, redirect_slashes=False)
        self._site_path = site_path
        self._open = open_
        self._is_open = False
        self._exact_routes: dict[str, Route] = {}

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
                self._exact_routes[route.path] = route
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False
            self.routes[:] = before
            self._exact_routes.clear()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to its route. Answer 404 to a path with NUL, because PostgreSQL refuses such texts."""
        if "\0" in scope.get("path", ""):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        if scope["type"] != "http":
            await super().app(scope, receive, send)
            return
        if not self._is_open:
            await self._open()
        if self._site_path and not scope.get("root_path") and _is_below(scope["path"], self._site_path):
            scope["root_path"] = self._site_path
        exact_route = self._exact_routes.get(local_path(scope))
        if exact_route and exact_route.methods and scope["method"] in exact_route.methods:
            scope.setdefault("router", self)
            scope.setdefault("path_params", {})
            scope.update(route=exact_route, endpoint=exact_route.endpoint)
            await exact_route.app(scope, receive, send)
        else:
            await super().app(scope, receive, send)


def local_path(scope: Scope) -> str:
    """Return the path of the request below the path at which the application is mounted; `/` for that path itself."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] or "/" if root and _is_below(path, root) else path


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
