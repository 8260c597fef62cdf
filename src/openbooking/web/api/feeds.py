"""Serves the RPDE feeds: the open feeds of Opportunities, and the Orders and OrderProposals feeds of Booking Partners.

Pages of other sites may read the open feeds in browsers (`openbooking.web.cross_origin`).

| Page | `Cache-Control` for HTTP caches | Cache of this process |
|---|---|---|
| open feed, with items | one hour | 60 seconds if the page is full (`feed_pages.py`) |
| open feed, last page | 5 seconds | not cached |
| Orders or OrderProposals feed | not stored | not cached |
"""

import zlib
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, Feed
from openbooking.identity.scopes import Scope as AccessScope
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.messages import JsonObject, OrderFeedData, OrderProposalFeedData
from openbooking.openactive.messages.base import open_like
from openbooking.openactive.opportunity_types import OPEN_FEEDS, OpportunityType
from openbooking.openactive.rpde import MAX_CHANGE_NUMBER, PAGE_SIZE, ChangeNumber, Page, encode_page, is_full
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, RPDE_MEDIA_TYPE
from openbooking.system import System
from openbooking.web.api.feed_pages import Page as ReadyPage
from openbooking.web.api.feed_pages import PageCache, PageKey, accepts_gzip, make_page, send_page
from openbooking.web.api.page_memory import PageMemory
from openbooking.web.cross_origin import OpenRoute
from openbooking.web.observe import notes_of
from openbooking.web.operation import Body, Header, Operation, Parameter, Reply, Subject
from openbooking.web.routes import ApiRoute

FEEDS_PATH = "/feeds"

# A page with items stays valid: a harvester continues at its `next`, and finds later changes of the items there.
_PAGE_WITH_ITEMS = "public, max-age=3600"
_LAST_PAGE = "public, max-age=5"
_PRIVATE_PAGE = "private, no-store"

_PRIVATE_SCOPE = AccessScope.ORDERS_FEED
_AFTER = Parameter(
    "afterChangeNumber",
    "The change number after which the page begins. Follow `next` instead of making such a URL.",
    ChangeNumber,
)
_IF_NONE_MATCH = Header("If-None-Match", "The `ETag` of a page that the harvester has.")
_ETAG = Header("ETag", "The version of the page.", required=True)
_CACHE_CONTROL = Header("Cache-Control", "How long caches may keep the page.", required=True)
_VARY = Header("Vary", "`Accept-Encoding`, because pages are compressed for those who accept gzip.", required=True)


def feed_routes(system: System, base: str) -> list[Route]:
    """Return the routes of the open feeds and of the Orders feeds.

    Args:
        system: The Booking System.
        base: The path of the Base URI, below which the Orders feeds are. The open feeds are below /feeds.
    """
    cache, memory, private_memory = PageCache(), PageMemory(), PageMemory()
    open_feeds = [
        OpenRoute(f"{FEEDS_PATH}/{name}", OpenFeed(system, name, cache, memory), _open_feed(name))
        for name in OPEN_FEEDS
    ]
    private = [
        ApiRoute(f"{base}/{name}-rpde", PrivateFeed(system, name, private_memory), {"GET": _PRIVATE_FEEDS[name]})
        for name in (ORDERS, ORDER_PROPOSALS)
    ]
    return [*open_feeds, *private]


def _open_feed(name: str) -> Operation:
    """Return the operation of an open feed."""
    types = [type_ for type_ in OpportunityType if type_.feed == name]
    data = Annotated[JsonObject, open_like(*types)]
    body = Body((Page[data],), RPDE_MEDIA_TYPE)
    return Operation(
        id=f"read-{name}",
        summary=f"Feed of {' and '.join(types)}",
        description="Each page continues at the URL in its `next`. An item that changes comes again on a later page.",
        subject=Subject.OPEN_FEEDS,
        parameters=(_AFTER,),
        headers=(_IF_NONE_MATCH,),
        replies=(
            Reply(HTTPStatus.OK, "A page.", body, (_CACHE_CONTROL, _ETAG, _VARY)),
            Reply(
                HTTPStatus.NOT_MODIFIED, "The page is the one with this ETag.", headers=(_CACHE_CONTROL, _ETAG, _VARY)
            ),
        ),
        errors=(OpenBookingError,),
    )


def _private_feed(id_: str, summary: str, data: Any) -> Operation:
    return Operation(
        id=id_,
        summary=summary,
        description="The feed has the Orders of one Booking Partner. Read it at least every 60 seconds.",
        subject=Subject.ORDERS_FEEDS,
        scope=_PRIVATE_SCOPE,
        parameters=(_AFTER,),
        replies=(Reply(HTTPStatus.OK, "A page.", Body((Page[data],)), (_CACHE_CONTROL, _VARY)),),
        errors=(OpenBookingError,),
    )


_PRIVATE_FEEDS = {
    ORDERS: _private_feed("readOrders", "Orders feed", OrderFeedData),
    ORDER_PROPOSALS: _private_feed("readOrderProposals", "OrderProposals feed", OrderProposalFeedData),
}


class OpenFeed:
    """An ASGI application that serves one open feed."""

    def __init__(self, system: System, name: str, cache: PageCache, memory: PageMemory) -> None:
        self._store = system.store
        self._feed = Feed(name)
        self._url = f"{system.settings.site}{FEEDS_PATH}/{name}"
        self._mark = zlib.crc32(self._url.encode())
        self._cache = cache
        self._memory = memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the page of items after the `afterChangeNumber` of the query."""
        del receive
        key = PageKey(self._feed.name, _read_after(scope), accepts_gzip(scope))
        page = self._cache.find(key)
        if page is None:
            page = await self._cache.make(key, partial(self._make_page, key, _requested_url(self._url, scope)))
        with self._memory.count_while_sent(page):
            await send_page(page, scope, send)

    async def _make_page(self, key: PageKey, requested_url: str) -> ReadyPage:
        """Return a page made from the items that the store holds now."""
        async with self._memory.reserve():
            items = await self._store.feed_items(self._feed, key.after, PAGE_SIZE)
            body = encode_page(self._url, requested_url, items, licensed=True)
            # A changed item moves to the end of the feed, and no item is inserted before the end. The first change
            # number, the last change number and the number of items therefore identify the content of the page.
            etag = f"{self._mark:x}-{key.after:x}-{items[-1].modified if items else 0:x}-{len(items):x}"
            headers = _headers(RPDE_MEDIA_TYPE, _PAGE_WITH_ITEMS if items else _LAST_PAGE)
            return make_page(body, headers, gzip=key.gzip, etag=etag, full=is_full(items))


class PrivateFeed:
    """An ASGI application that serves the Orders or OrderProposals feed of the Booking Partner that calls."""

    def __init__(self, system: System, name: str, memory: PageMemory) -> None:
        self._system = system
        self._memory = memory
        self._name = name
        self._url = f"{system.settings.base_uri}/{name}-rpde"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the page of items after the `afterChangeNumber` of the query."""
        del receive
        caller = await self._system.authenticate(Headers(scope=scope), _PRIVATE_SCOPE)
        feed, after = Feed(self._name, caller.partner), _read_after(scope)
        notes = notes_of(scope)
        notes.partner, notes.read = caller.partner, (feed, after)
        async with self._memory.reserve():
            items = await self._system.store.feed_items(feed, after, PAGE_SIZE)
            body = encode_page(self._url, _requested_url(self._url, scope), items, licensed=False)
            page = make_page(body, _headers(BOOKING_MEDIA_TYPE, _PRIVATE_PAGE), gzip=accepts_gzip(scope))
            # A partner that reads full pages is still catching up; it is not recorded at each of them.
            if not is_full(items):
                self._system.identity.feed_positions.record(feed, after)
            del items, body
        with self._memory.count_while_sent(page):
            await send_page(page, scope, send)


def _read_after(scope: Scope) -> int:
    """Return the `afterChangeNumber` of the query; 0 without one. Raise OpenBookingError if it is no change number."""
    given = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("afterChangeNumber", ["0"])
    text = given[-1]
    is_short = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_CHANGE_NUMBER))
    if not is_short or (after := int(text)) > MAX_CHANGE_NUMBER:
        raise OpenBookingError(f"afterChangeNumber must be a whole number from 0 to {MAX_CHANGE_NUMBER}.")
    return after


def _requested_url(url: str, scope: Scope) -> str:
    """Return the URL of a feed with the unchanged query of the request."""
    query = scope["query_string"].decode("latin-1")
    return f"{url}?{query}" if query else url


def _headers(media_type: str, cache: str) -> dict[str, str]:
    return {"content-type": media_type, "cache-control": cache}
