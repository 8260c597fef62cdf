"""Compression, entity tags and the cache of feed pages: each process caches full pages of open feeds for 60 seconds.

RPDE allows caching a full page, because a harvester of a cached page misses nothing. No item is inserted into the page,
and an item that changes comes again on a later page. The `Cache-Control` headers for HTTP caches are in `feeds.py`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple

from cachetools import TTLCache
from isal import isal_zlib
from starlette.types import Scope, Send

from openbooking.web.request import HeaderTest

_CACHE_SECONDS = 60
_CACHE_BYTES = 32 * 2**20
_SHORTEST_COMPRESSED = 1_000
_LEVEL = 2
_GZIP_FORMAT = 31  # the `wbits` of zlib for a window of 32 KB with the header and trailer of gzip
_OVERHEAD = 1_000
_PIECE = 256 * 2**10
_OF_BODY = (b"content-length", b"content-encoding", b"content-type")


class Page(NamedTuple):
    """A page that is ready to be sent.

    Attributes:
        headers: The headers of the response.
        body: The bytes of the body.
        etag: The entity tag with quotes; empty if clients must not keep the page.
        full: Whether the page has as many items or bytes as a page can have. Only full pages are cached.
    """

    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: str = ""
    full: bool = False


class PageKey(NamedTuple):
    """The key of a page in the cache: its feed, the change number before its first item, and whether it is gzip."""

    feed: str
    after: int
    gzip: bool


class PageCache:
    """A cache of full pages. Each page is kept for 60 seconds, and all pages together take at most 32 MB.

    When the cache has no space, the least recently used page is dropped. A page larger than the cache is not kept. If
    several requests need the same page, the first of them makes the page and the others wait for it.

    Args:
        clock: Returns the time in seconds, and never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pages: TTLCache[PageKey, Page] = TTLCache(
            _CACHE_BYTES, _CACHE_SECONDS, clock, getsizeof=lambda page: len(page.body) + _OVERHEAD
        )
        self._being_made: dict[PageKey, asyncio.Future[None]] = {}

    def find(self, key: PageKey) -> Page | None:
        """Return the page if it is in the cache."""
        try:
            return self._pages[key]  # `get` would look the key up twice
        except KeyError:
            return None

    async def make(self, key: PageKey, make: Callable[[], Awaitable[Page]]) -> Page:
        """Return a page that the cache does not have.

        Args:
            key: The key of the page.
            make: Makes the page. It is not called if another request makes the same page and that page is full.
        """
        if key in self._being_made:
            await asyncio.wait([self._being_made[key]])
            return self.find(key) or await self._make_and_keep(key, make)
        done = self._being_made[key] = asyncio.get_running_loop().create_future()
        try:
            return await self._make_and_keep(key, make)
        finally:
            del self._being_made[key]
            done.set_result(None)

    async def _make_and_keep(self, key: PageKey, make: Callable[[], Awaitable[Page]]) -> Page:
        """Return the page that `make` makes, and keep it in the cache if it is full."""
        page = await make()
        if page.full and self._pages.getsizeof(page) <= self._pages.maxsize:
            self._pages[key] = page
        return page


def make_page(body: bytes, headers: Mapping[str, str], *, gzip: bool, etag: str = "", full: bool = False) -> Page:
    """Return a page to send.

    Args:
        body: The JSON.
        headers: Headers of the response, besides those that depend on the body.
        gzip: Whether the client accepts gzip. Bodies of less than 1,000 bytes are never compressed.
        etag: The entity tag without quotes; empty if clients must not keep the page.
        full: Whether the page is full.
    """
    sent = {**headers, "vary": "Accept-Encoding"}
    tag = f'"{etag}"' if etag else ""
    if gzip and len(body) >= _SHORTEST_COMPRESSED:
        body = isal_zlib.compress(body, _LEVEL, _GZIP_FORMAT)
        sent["content-encoding"] = "gzip"
        tag = f'"{etag}-gzip"' if etag else ""
    sent["content-length"] = str(len(body))
    if tag:
        sent["etag"] = tag
    return Page([(name.encode(), value.encode("latin-1")) for name, value in sent.items()], body, tag, full)


async def send_page(page: Page, scope: Scope, send: Send) -> None:
    """Send a page, or the status 304 if the harvester already has this version of the page."""
    status, headers, body = HTTPStatus.OK, page.headers, page.body
    known = _value(scope, b"if-none-match")
    if known and page.etag and {page.etag, "*"} & _tags(known):
        status, body = HTTPStatus.NOT_MODIFIED, b""
        headers = [(name, value) for name, value in headers if name not in _OF_BODY]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if scope["method"] == "HEAD":
        body = b""
    # In pieces, because the server keeps a piece in memory until the harvester has read it.
    last = max(0, len(body) - 1) // _PIECE * _PIECE
    for start in range(0, last, _PIECE):
        await send({"type": "http.response.body", "body": body[start : start + _PIECE], "more_body": True})
    await send({"type": "http.response.body", "body": body[last:]})


def accepts_gzip(scope: Scope) -> bool:
    """Return whether the request accepts gzip."""
    return names_gzip(_value(scope, b"accept-encoding"))


@HeaderTest
def names_gzip(accepted: bytes) -> bool:
    """Return whether the value of an Accept-Encoding header accepts gzip, by name or by `*`, with a weight above 0."""
    weights: dict[str, bool] = {}
    for coding in _members(accepted):
        name, _, weight = coding.lower().replace(" ", "").partition(";q=")
        weights[name] = weight.strip("0.") != "" if weight else True
    return weights.get("gzip", weights.get("*", False))


def _tags(known: bytes) -> set[str]:
    """Return the entity tags in the value of an If-None-Match header. Weak tags are equal to strong tags for GET."""
    return {tag.removeprefix("W/") for tag in _members(known)}


def _value(scope: Scope, name: bytes) -> bytes:
    """Return the value of a header that is a list. The lines of a repeated header are joined."""
    return b",".join(value for header, value in scope["headers"] if header == name)


def _members(value: bytes) -> list[str]:
    """Return the members of a comma-separated list."""
    return [member.strip() for member in value.decode("latin-1").split(",")]
