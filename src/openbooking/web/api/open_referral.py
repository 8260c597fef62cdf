"""Serves what is on sale as Open Referral UK (HSDS 3.0) below /open-referral, if the setting `open_referral` is on.

| Path | Answer |
|---|---|
| `/open-referral` | the version and the profile |
| `/open-referral/services` | pages of services, nested ones with `full=true` |
| `/open-referral/services/{id}` | one nested service |
| `/open-referral/organizations` and `/organizations/{id}` | the Sellers of these services |

Each process follows its own open feeds and keeps the services in memory. So it reads each item once, and a request
reads only what has changed since the request before.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from openbooking.booking.store import Feed, Store
from openbooking.jsonld.write_open_referral import HSDS_VERSION, write_service, write_summary
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.rpde import PAGE_SIZE, Item
from openbooking.system import System
from openbooking.web.cross_origin import OpenRoute

OPEN_REFERRAL_PATH = "/open-referral"

_PROFILE = "https://open-referral-uk-profile.readthedocs.io/en/latest/"
_OPENAPI = "https://raw.githubusercontent.com/openreferral/specification/3.0/schema/openapi.json"
# Services are the items without parents. Sessions, Slots and courts belong to items of these feeds.
_FEEDS = sorted({type_.feed for type_ in OpportunityType if type_.row.parent is None})
_REFRESH_SECONDS = 5
_PER_PAGE, _MOST_PER_PAGE = 50, 500
_HEADERS = {"Cache-Control": "public, max-age=60", "X-Content-Type-Options": "nosniff"}

Service = dict[str, Any]


class Services:
    """The services of the open feeds, in the order of their ids.

    Args:
        store: The store.
        clock: Returns the time in seconds, and never goes back.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._after = dict.fromkeys(_FEEDS, 0)
        self._by_item: dict[str, Service] = {}
        self._refreshed = -float(_REFRESH_SECONDS)
        self._lock = asyncio.Lock()

    async def all(self) -> Sequence[Service]:
        """Return all services, as they were in the feeds at most five seconds ago."""
        async with self._lock:
            if self._clock() - self._refreshed >= _REFRESH_SECONDS:
                for feed in _FEEDS:
                    await self._follow(feed)
                self._refreshed = self._clock()
            return sorted(self._by_item.values(), key=lambda service: str(service["id"]))

    async def _follow(self, feed: str) -> None:
        while items := await self._store.feed_items(Feed(feed), self._after[feed], PAGE_SIZE):
            for item in items:
                self._keep(item)
            self._after[feed] = items[-1].modified

    def _keep(self, item: Item) -> None:
        document = msgspec.json.decode(item.data) if item.data else {}
        # A part of an event or course is no service of its own: the service of its parent describes it.
        service = None if "superEvent" in document else write_service(document)
        if service is None:
            self._by_item.pop(item.id, None)
        else:
            self._by_item[item.id] = service


class OpenReferral:
    """The endpoints of Open Referral UK."""

    def __init__(self, system: System) -> None:
        self._is_on = system.settings.open_referral
        self._services = Services(system.store)

    def routes(self) -> list[OpenRoute]:
        """Return the routes; none if the setting is off."""
        endpoints = {
            "": self._about,
            "/": self._about,
            "/services": self._list_services,
            "/services/{id}": self._service,
            "/organizations": self._list_organizations,
            "/organizations/{id}": self._organization,
        }
        return [OpenRoute(OPEN_REFERRAL_PATH + path, serve) for path, serve in endpoints.items() if self._is_on]

    async def _about(self, request: Request) -> Response:
        del request
        return _reply({"version": HSDS_VERSION, "profile": _PROFILE, "openapi_url": _OPENAPI})

    async def _list_services(self, request: Request) -> Response:
        query = request.query_params
        found = [service for service in await self._services.all() if _fits(service, query)]
        is_full = query.get("full", "").lower() == "true"
        return _page(request, found, lambda service: service if is_full else write_summary(service))

    async def _service(self, request: Request) -> Response:
        return _reply(_one(await self._services.all(), request.path_params["id"]))

    async def _list_organizations(self, request: Request) -> Response:
        search = request.query_params.get("search", "").casefold()
        found = [each for each in await self._organizations() if search in each["name"].casefold()]
        return _page(request, found, lambda organization: organization)

    async def _organization(self, request: Request) -> Response:
        return _reply(_one(await self._organizations(), request.path_params["id"]))

    async def _organizations(self) -> Sequence[Service]:
        services = await self._services.all()
        found = {each["organization_id"]: each["organization"] for each in services if "organization" in each}
        return [found[id_] for id_ in sorted(found)]


def _fits(service: Service, query: Mapping[str, str]) -> bool:
    """Return whether a service fulfils all conditions of a query. Conditions that HSDS does not know are left out."""
    text = f"{service['name']} {service.get('description', '')}".casefold()
    terms = {attribute["taxonomy_term_id"] for attribute in service.get("attributes", ())}
    return (
        query.get("search", "").casefold() in text
        and query.get("organization_id", "") in ("", service.get("organization_id"))
        and query.get("taxonomy_term_id", "") in ("", *terms)
    )


def _one(found: Sequence[Service], id_: str) -> Service:
    """Return the entry with this id, or raise the exception for the status 404."""
    for each in found:
        if each["id"] == id_:
            return each
    raise HTTPException(404)


def _page(request: Request, found: Sequence[Service], write: Callable[[Service], Service]) -> Response:
    """Return the page of a list that the query asks for (HSDS "Page")."""
    per_page = min(_whole(request, "per_page", _PER_PAGE), _MOST_PER_PAGE)
    number, pages = _whole(request, "page", 1), max(-(-len(found) // per_page), 1)
    shown = [write(each) for each in found[(number - 1) * per_page : number * per_page]]
    return _reply(
        {
            "total_items": len(found),
            "total_pages": pages,
            "page_number": number,
            "size": len(shown),
            "first_page": number == 1,
            "last_page": number >= pages,
            "empty": not shown,
            "contents": shown,
        }
    )


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= len("999999999") and int(text)):
        raise OpenBookingError(f"{name} must be a whole number above 0.")
    return int(text)


def _reply(document: object) -> Response:
    return Response(msgspec.json.encode(document), headers=_HEADERS, media_type="application/json")
