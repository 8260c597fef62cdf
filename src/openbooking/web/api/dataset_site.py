"""The dataset site at /openactive: a page on which people and programs find the feeds and the API (DAD).

The page is rendered from `templates/dataset/dataset_site.html`, and embeds the JSON-LD that `jsonld/write_dataset.py`
writes. HTTP caches may keep the page for 15 minutes. The same class serves what the page names: its pictures, the terms
of the API, and the Data Catalog of several installations.
"""

import json
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import NamedTuple

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from openbooking.booking.model.opportunity import Seller
from openbooking.jsonld.write_dataset import FEED_TYPES, Dataset, write_data_catalog, write_dataset
from openbooking.openactive.terms import LICENCE
from openbooking.openactive.web_addresses import is_web_address
from openbooking.settings import AccessMode
from openbooking.settings.dataset_site import Picture, catalogued_sites, read_picture
from openbooking.system import System, booking_service
from openbooking.web.api.conformance import Conformance
from openbooking.web.api.feeds import FEEDS_PATH
from openbooking.web.cross_origin import OpenRoute
from openbooking.web.operation import Body, Operation, Reply, Subject, describe, operation_of
from openbooking.web.rendering import CompiledTemplates, origin_of

DATASET_PATH = "/openactive"
TERMS_PATH = f"{DATASET_PATH}/terms"
CATALOG_PATH = "/data-catalog"
# The page of this server that the dataset site names if it exists.
ACCESS_REQUEST_PATH = "/access-request"

_GUIDES = "https://permalink.openactive.io/dataset-site"
_HEADERS = {
    "Cache-Control": "public, max-age=900",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#0b5d4e"/>'
    '<path d="M18 33l10 10 18-22" fill="none" stroke="#fff" stroke-width="7" stroke-linecap="round"/></svg>'
)

_COMPILED = CompiledTemplates()


class _ServedPicture(NamedTuple):
    """A picture of the page, and its path below the address of the site; a picture with a URL has no path."""

    picture: Picture
    path: str


class DatasetSite:
    """The endpoints of the page and of what it names.

    Args:
        system: The Booking System.
        paths: The paths of the other routes of this server.
        conformance: The certificate that the page names.
        document_path: The path of the OpenAPI document.
        docs_path: The path of the page about the API.
    """

    def __init__(
        self, system: System, paths: Collection[str], conformance: Conformance, *, document_path: str, docs_path: str
    ) -> None:
        self._system = system
        self._paths = paths
        self._conformance = conformance
        self._document_path, self._docs_path = document_path, docs_path
        self._opened = system.clock()
        self._templates = Environment(
            loader=PackageLoader("openbooking.web"), autoescape=True, bytecode_cache=_COMPILED
        )
        settings = system.settings
        default = Picture(content=_LOGO.encode(), suffix=".svg", media_type="image/svg+xml")
        self._logo = _served(read_picture(settings.dataset_logo) or default, "logo")
        background = read_picture(settings.dataset_background)
        self._background = _served(background, "background") if background else None
        pictures = (self._logo, self._background)
        sources = {origin_of(each.picture.url) for each in pictures if each and each.picture.url}
        images = " ".join(["'self'", *sorted(sources)])
        policy = f"default-src 'none'; img-src {images}; style-src 'self'"
        self._headers = {**_HEADERS, "Content-Security-Policy": f"{policy}; frame-ancestors 'none'; base-uri 'none'"}

    def routes(self) -> list[OpenRoute]:
        """Return the routes of the page, the stylesheet, the pictures, the terms and the Data Catalog."""
        routes = [
            OpenRoute(DATASET_PATH, self._page, operation_of(self._page)),
            OpenRoute(f"{DATASET_PATH}/style.css", self._style),
            OpenRoute(TERMS_PATH, self._terms),
            *(self._picture_route(each) for each in (self._logo, self._background) if each and each.path),
        ]
        return [*routes, *([OpenRoute(CATALOG_PATH, self._catalog)] if self._catalog_url else [])]

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
        settings, dataset = self._system.settings, self._dataset(sellers)
        return self._render(
            "dataset_site.html",
            dataset=dataset,
            written=_script(write_dataset(dataset)),
            types=FEED_TYPES,
            licence=LICENCE,
            sources=[(seller.name, _site_of(seller)) for seller in sellers if seller.name != dataset.publisher],
            logo=self._shown(self._logo),
            background=self._shown(self._background) if self._background else "",
            feedback_url=settings.feedback_url,
            sandbox_url=settings.trial_system_url,
            certificate_url=self._conformance.url,
            catalog_url=self._catalog_url,
            open_referral_url=f"{settings.site}/open-referral" if settings.open_referral else "",
        )

    async def _terms(self, request: Request) -> Response:
        del request
        settings, dataset = self._system.settings, self._dataset(await self._system.store.sellers())
        return self._render("terms.html", dataset=dataset, settings=settings, logo=self._shown(self._logo))

    async def _catalog(self, request: Request) -> Response:
        """Answer with the Data Catalog of this installation and of those that the settings name (DAD)."""
        del request
        dataset = self._dataset(await self._system.store.sellers())
        sites = dict.fromkeys([dataset.url, *catalogued_sites(self._system.settings)])
        text = json.dumps(write_data_catalog(dataset, self._catalog_url, list(sites)), ensure_ascii=False)
        return Response(text, headers=self._headers, media_type="application/ld+json")

    async def _style(self, request: Request) -> Response:
        del request
        style = self._templates.get_template("dataset/style.css").render()
        return Response(style, headers=self._headers, media_type="text/css")

    def _picture_route(self, served: _ServedPicture) -> OpenRoute:
        async def send(request: Request) -> Response:
            del request
            return Response(served.picture.content, headers=self._headers, media_type=served.picture.media_type)

        return OpenRoute(served.path, send)

    def _render(self, template: str, **values: object) -> Response:
        path = self._system.settings.site_path + DATASET_PATH
        page = self._templates.get_template(f"dataset/{template}").render(path=path, **values)
        return HTMLResponse(page, headers=self._headers)

    @property
    def _catalog_url(self) -> str:
        """The URL of the Data Catalog; empty without one."""
        settings = self._system.settings
        return settings.site + CATALOG_PATH if catalogued_sites(settings) else ""

    def _shown(self, served: _ServedPicture) -> str:
        """Return the address of a picture, for the page."""
        return served.picture.url or self._system.settings.site_path + served.path

    def _absolute(self, served: _ServedPicture) -> str:
        return served.picture.url or self._system.settings.site + served.path

    def _own(self, path: str, otherwise: str) -> str:
        """Return the URL of a path if this server has it, else the other URL."""
        return self._system.settings.site + path if path in self._paths else otherwise

    def _dataset(self, sellers: Sequence[Seller]) -> Dataset:
        settings = self._system.settings
        only = sellers[0] if len(sellers) == 1 else None
        publisher = settings.publisher or (only.name if only else settings.name)
        url = settings.site + DATASET_PATH
        service = booking_service(settings)
        if service and self._conformance.url:
            service["hasCredential"] = self._conformance.url
        return Dataset(
            url=url,
            feeds_url=settings.site + FEEDS_PATH,
            base_uri=settings.base_uri,
            publisher=publisher,
            publisher_legal_name=only.legal_name if only else publisher,
            publisher_url=(only and _site_of(only)) or settings.site,
            publisher_email=settings.publisher_email,
            logo_url=self._absolute(self._logo),
            background_url=self._absolute(self._background or self._logo),
            discussion_url=settings.feedback_url or f"{url}#contact",
            documentation_url=settings.data_documentation_url or f"{_GUIDES}/open-data-documentation",
            api_documentation_url=settings.api_documentation_url or settings.site + self._docs_path,
            api_description_url=settings.site + self._document_path,
            terms_url=settings.api_terms_url or settings.site + TERMS_PATH,
            access_url=settings.api_access_url or self._own(ACCESS_REQUEST_PATH, f"{url}#access"),
            published=self._opened,
            booking_service=service,
            authentication_authority=settings.site if settings.access is AccessMode.OPENID else None,
        )


def _served(picture: Picture, name: str) -> _ServedPicture:
    return _ServedPicture(picture, "" if picture.url else f"{DATASET_PATH}/{name}{picture.suffix}")


def _site_of(seller: Seller) -> str | None:
    """Return the `url` of the Seller; None if it is not a web address, because providers may publish any value."""
    url = str(seller.properties.get("url"))
    return url if is_web_address(url) else None


def _script(written: object) -> Markup:
    """Return JSON for a script element, escaped so that no text in the JSON can end the element."""
    escaped = json.dumps(written, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")
    return Markup(escaped)  # noqa: S704 - escaped on the line before
