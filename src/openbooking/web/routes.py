"""Which route answers a request: looked up where the path is always the same, tried in turn where it has parameters."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.routing import Route, Router
from starlette.types import Lifespan, Receive, Scope, Send


class Routes(Router):
    """Starlette's router with a look-up before it, and with paths that are taken to the letter.

    All are tried in turn where the application is mounted in another, or has routes from elsewhere: those come first.
    """

    def __init__(self, lifespan: Lifespan[Any]) -> None:
        super().__init__(lifespan=lifespan, redirect_slashes=False)
        self._plain: dict[str, Route] = {}

    @contextmanager
    def added(self, routes: Iterable[Route]) -> Iterator[None]:
        """Have these routes meanwhile, for their paths alone: Starlette's dollar sign lets a newline follow."""
        before = list(self.routes)
        for route in routes:
            route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z")
            self.routes.append(route)
            if not before and not route.param_convertors:
                self._plain[route.path] = route
        try:
            yield
        finally:
            self.routes[:] = before
            self._plain.clear()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to its route; none has a NUL in its path, which PostgreSQL cannot even look for."""
        if "\0" in scope.get("path", ""):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        plain = self._plain.get(scope["path"]) if scope["type"] == "http" and not scope.get("root_path") else None
        if plain and plain.methods and scope["method"] in plain.methods:
            scope.setdefault("router", self)
            scope.setdefault("path_params", {})
            scope.update(route=plain, endpoint=plain.endpoint)
            await plain.app(scope, receive, send)
        else:
            await super().app(scope, receive, send)
