"""The RPDE feeds: open ones of what is sold, and each Booking Partner's own of its Orders."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, Feed
from openbooking.identity.scopes import Scope
from openbooking.spec.errors import OpenBookingError
from openbooking.spec.rpde import MAX_CHANGE_NUMBER, PAGE_SIZE, encode_page
from openbooking.spec.terms import BOOKING_MEDIA_TYPE, RPDE_MEDIA_TYPE, OpportunityType
from openbooking.system import System

FEEDS_PATH = "/feeds"

# What follows a page can only be found by its `next`, so a page that has items stays true for as long as it is kept.
_FULL_PAGE_CACHE = "public, max-age=3600"
_LAST_PAGE_CACHE = "public, max-age=5"
_PRIVATE_CACHE = "private, no-store"


class Feeds:
    """The feeds of one Booking System."""

    def __init__(self, system: System) -> None:
        self._system = system

    def routes(self, base: str) -> list[BaseRoute]:
        """Open feeds below /feeds, Orders feeds below the Base URI's path."""
        open_feeds = [self._open_feed(name) for name in sorted({type_.feed for type_ in OpportunityType})]
        private = [self._private_feed(base, ORDERS), self._private_feed(base, ORDER_PROPOSALS)]
        return [*open_feeds, *private]

    def _open_feed(self, name: str) -> Route:
        path = f"{FEEDS_PATH}/{name}"

        async def serve(request: Request) -> Response:
            body, has_items = await self._page(request, Feed(name), self._system.settings.site + path)
            cache = _FULL_PAGE_CACHE if has_items else _LAST_PAGE_CACHE
            return Response(body, headers={"Cache-Control": cache}, media_type=RPDE_MEDIA_TYPE)

        return Route(path, serve)

    def _private_feed(self, base: str, name: str) -> Route:
        async def serve(request: Request) -> Response:
            caller = await self._system.authenticate(request.headers, Scope.ORDERS_FEED)
            url = f"{self._system.settings.base_uri}/{name}-rpde"
            body, _ = await self._page(request, Feed(name, caller.partner), url)
            return Response(body, headers={"Cache-Control": _PRIVATE_CACHE}, media_type=BOOKING_MEDIA_TYPE)

        return Route(f"{base}/{name}-rpde", serve)

    async def _page(self, request: Request, feed: Feed, url: str) -> tuple[bytes, bool]:
        """The page asked for, and whether it has items."""
        items = await self._system.store.feed_items(feed, _after(request), PAGE_SIZE)
        query = request.url.query
        requested_url = f"{url}?{query}" if query else url
        return encode_page(url, requested_url, items, licensed=not feed.partner), bool(items)


def _after(request: Request) -> int:
    text = request.query_params.get("afterChangeNumber", "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_CHANGE_NUMBER))):
        raise OpenBookingError("afterChangeNumber must be a whole number.")
    return min(int(text), MAX_CHANGE_NUMBER)
