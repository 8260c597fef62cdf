"""The dataset site at /openactive: a page on which people and programs find the feeds and the API (DAD).

The page is rendered from `templates/dataset/dataset_site.html`, and embeds the JSON-LD that `jsonld/write_dataset.py`
writes. HTTP caches may keep the page for 15 minutes.
"""

import json
from collections.abc import Sequence
from http import HTTPStatus

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from openbooking.booking.model.opportunity import Seller
from openbooking.jsonld.write_dataset import FEED_TYPES, Dataset, write_dataset
from openbooking.openactive.terms import LICENCE
from openbooking.openactive.web_addresses import is_web_address
from openbooking.settings import AccessMode
from openbooking.system import System, booking_service
from openbooking.web.api.feeds import FEEDS_PATH
from openbooking.web.operation import Body, Operation, Reply, Subject, describe
from openbooking.web.rendering import CompiledTemplates
from openbooking.web.routes import api_route

DATASET_PATH = "/openactive"

_HEADERS = {
    "Cache-Control": "public, max-age=900",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#0b5d4e"/>'
    '<path d="M18 33l10 10 18-22" fill="none" stroke="#fff" stroke-width="7" stroke-linecap="round"/></svg>'
)

_COMPILED = CompiledTemplates()


class DatasetSite:
    """The endpoints of the page, its stylesheet and its logo.

    Args:
        system: The Booking System.
        document_path: The path of the OpenAPI document.
        docs_path: The path of the page about the API.
    """

    def __init__(self, system: System, *, document_path: str, docs_path: str) -> None:
        self._system = system
        self._document_path, self._docs_path = document_path, docs_path
        self._opened = system.clock()
        self._templates = Environment(
            loader=PackageLoader("openbooking.web"), autoescape=True, bytecode_cache=_COMPILED
        )

    def routes(self) -> list[Route]:
        """Return the routes of the page, the stylesheet and the logo."""
        return [
            api_route(DATASET_PATH, self._page),
            Route(f"{DATASET_PATH}/style.css", self._style, include_in_schema=False),
            Route(f"{DATASET_PATH}/logo.svg", self._logo, include_in_schema=False),
        ]

    @describe(
        Operation(
            id="readDataset",
            summary="The dataset site",
            subject=Subject.DATASET,
            replies=(Reply(HTTPStatus.OK, "A page with JSON-LD.", Body(media_type="text/html")),),
        )
    )
    async def _page(self, request: Request) -> Response:
        """Return a page that embeds a Dataset as JSON-LD, which names all feeds and the Base URI of the API."""
        del request
        sellers = await self._system.store.sellers()
        dataset = self._dataset(sellers)
        page = self._templates.get_template("dataset/dataset_site.html").render(
            dataset=dataset,
            written=_script(write_dataset(dataset)),
            types=FEED_TYPES,
            licence=LICENCE,
            sources=[(seller.name, _site_of(seller)) for seller in sellers if seller.name != dataset.publisher],
            path=self._system.settings.site_path + DATASET_PATH,
            docs_path=self._system.settings.site_path + self._docs_path,
        )
        return HTMLResponse(page, headers=_HEADERS)

    async def _style(self, request: Request) -> Response:
        del request
        style = self._templates.get_template("dataset/style.css").render()
        return Response(style, headers=_HEADERS, media_type="text/css")

    async def _logo(self, request: Request) -> Response:
        del request
        return Response(_LOGO, headers=_HEADERS, media_type="image/svg+xml")

    def _dataset(self, sellers: Sequence[Seller]) -> Dataset:
        settings = self._system.settings
        only = sellers[0] if len(sellers) == 1 else None
        publisher = settings.publisher or (only.name if only else settings.name)
        url = settings.site + DATASET_PATH
        return Dataset(
            url=url,
            feeds_url=settings.site + FEEDS_PATH,
            base_uri=settings.base_uri,
            description_url=settings.site + self._document_path,
            publisher=publisher,
            publisher_legal_name=only.legal_name if only else publisher,
            publisher_url=(only and _site_of(only)) or settings.site,
            publisher_email=settings.publisher_email,
            logo_url=f"{url}/logo.svg",
            published=self._opened,
            booking_service=booking_service(settings),
            authentication_authority=settings.site if settings.access is AccessMode.OPENID else None,
        )


def _site_of(seller: Seller) -> str | None:
    """Return the `url` of the Seller; None if it is not a web address, because providers may publish any value."""
    url = str(seller.properties.get("url"))
    return url if is_web_address(url) else None


def _script(written: object) -> Markup:
    """Return JSON for a script element, escaped so that no text in the JSON can end the element."""
    escaped = json.dumps(written, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")
    return Markup(escaped)  # noqa: S704 - escaped on the line before
