"""The endpoint /openapi.json."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from openbooking.openactive.messages import JsonObject
from openbooking.settings import Settings
from openbooking.web.openapi.document import make_document
from openbooking.web.operation import JSON_MEDIA_TYPE, Body, Header, Operation, Reply, describe
from openbooking.web.routes import ApiRoute, api_route

DOCUMENT_PATH = "/openapi.json"

_CACHE_CONTROL = Header("Cache-Control", "How long caches may keep the document.", required=True)
_HEADERS = {_CACHE_CONTROL.name: "public, max-age=900", "X-Content-Type-Options": "nosniff"}


class OpenApi:
    """The endpoint of the document, which is made at the first request.

    Args:
        settings: The settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._routes: Sequence[BaseRoute] = ()
        self._made = b""

    def routes(self) -> list[ApiRoute]:
        """Return the route of the document."""
        return [api_route(DOCUMENT_PATH, self._document)]

    @describe(
        Operation(
            id="readOpenApi",
            summary="This document",
            replies=(Reply(HTTPStatus.OK, "The document.", Body((JsonObject,), JSON_MEDIA_TYPE), (_CACHE_CONTROL,)),),
            unavailable=None,
        )
    )
    async def _document(self, request: Request) -> Response:
        """Return the OpenAPI document of this system, which is made from its routes and its types."""
        routes = list(request.app.routes)
        if routes != self._routes:
            self._made = msgspec.json.encode(make_document(routes, self._settings))
            self._routes = routes
        return Response(self._made, headers=_HEADERS, media_type=JSON_MEDIA_TYPE)
