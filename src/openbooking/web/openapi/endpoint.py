"""The endpoints /openapi.json, for programs, and /docs, for people."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from openbooking.openactive.messages import JsonObject
from openbooking.settings import Settings
from openbooking.web.openapi.document import PAGE_PATH, make_document
from openbooking.web.openapi.reading import prose, schemas_of, subjects_of
from openbooking.web.operation import JSON_MEDIA_TYPE, Body, Header, Operation, Reply, describe
from openbooking.web.rendering import Renderer
from openbooking.web.routes import api_route

DOCUMENT_PATH, STYLE_PATH = "/openapi.json", "/docs.css"

_CACHE_CONTROL = Header("Cache-Control", "How long caches may keep the document.", required=True)
_CACHED = {_CACHE_CONTROL.name: "public, max-age=900"}


class _Made(NamedTuple):
    """The document of some routes, as JSON, and the response with its page."""

    routes: Sequence[BaseRoute]
    document: bytes
    page: Response


class OpenApi:
    """The endpoints of the document and of its page, which are made at the first request.

    Args:
        settings: The settings.
        icon_path: The path of the icon of the page, below the address of the site.
    """

    def __init__(self, settings: Settings, *, icon_path: str) -> None:
        self._settings = settings
        self._renderer = Renderer(settings)
        self._renderer.add_filters(prose=prose)
        self._icon_path = icon_path
        self._made: _Made | None = None

    def routes(self) -> list[Route]:
        """Return the routes of the document, the page and its stylesheet."""
        return [
            api_route(DOCUMENT_PATH, self._document),
            Route(PAGE_PATH, self._page, include_in_schema=False),
            Route(STYLE_PATH, self._style, include_in_schema=False),
        ]

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
        headers = {**_CACHED, "X-Content-Type-Options": "nosniff"}
        return Response(self._make(request).document, headers=headers, media_type=JSON_MEDIA_TYPE)

    async def _page(self, request: Request) -> Response:
        return self._make(request).page

    async def _style(self, request: Request) -> Response:
        del request
        return self._renderer.asset("openapi/style.css", "text/css")

    def _make(self, request: Request) -> _Made:
        """Return the document and the page; make them if routes were added since they were made."""
        routes = list(request.app.routes)
        if self._made is None or self._made.routes != routes:
            document = make_document(routes, self._settings)
            self._made = _Made(routes, msgspec.json.encode(document), self._render(document))
        return self._made

    def _render(self, document: JsonObject) -> Response:
        root = self._settings.site_path
        values = {
            "document": document,
            "document_path": DOCUMENT_PATH,
            "subjects": subjects_of(document),
            "schemas": schemas_of(document),
            "style_path": root + STYLE_PATH,
            "icon_path": root + self._icon_path,
        }
        page = self._renderer.page("openapi/page.html", values)
        page.headers.update(_CACHED)
        return page
