"""Which route answers a request: looked up where the path is always the same, tried in turn where it has parameters."""

import re
from collections.abc import Iterable
from typing import Any

from starlette.routing import Route, Router
from starlette.types import Lifespan, Receive, Scope, Send


class Routes(Router):
    """Starlette's router with a look-up before it, and with paths that are taken to the letter."""

    def __init__(self, lifespan: Lifespan[Any]) -> None:
        super().__init__(lifespan=lifespan, redirect_slashes=False)
        self._plain: dict[str, Route] = {}

    def add(self, routes: Iterable[Route]) -> None:
        """Add routes, for their paths alone: Starlette's dollar sign takes a newline for the end of a path too."""
        for route in routes:
            route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z")
            self.routes.append(route)
            if not route.param_convertors:
                self._plain.setdefault(route.path, route)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to its route."""
        plain = self._plain.get(scope.get("path", ""))
        if plain and plain.methods and scope["method"] in plain.methods and not scope.get("root_path"):
            scope.update(router=self, route=plain, endpoint=plain.endpoint, path_params={})
            await plain.app(scope, receive, send)
        else:
            await super().app(scope, receive, send)
