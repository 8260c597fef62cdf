"""Feed pages as they are sent: compression, entity tags, and a cache of full pages.

RPDE allows caching a full page. An item that changes later comes again on a later page, and no item can be added before
the position in the `next` of a full page.
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
_GZIP_FORMAT = 31  # zlib's number for a window of 32 KB with gzip's header and trailer
_OVERHEAD = 1_000
_PIECE = 256 * 2**10
_OF_BODY = (b"content-length", b"content-encoding", b"content-type")


class Page(NamedTuple):
    """A page as it is sent.

    Attributes:
        headers: The headers of the response.
        body: The bytes of the body.
        etag: The entity tag; empty if clients must not keep the page.
        full: Whether the page is full, so that this process may keep it.
    """

    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: str = ""
    full: bool = False


class PageKey(NamedTuple):
    """The key of a page in the cache."""

    feed: str
    after: int
    gzip: bool


class PageCache:
    """A cache of full pages, for a minute each. Requests that come while a page is made share the result.

    The page that was used least recently is dropped first. A page larger than the cache is made for each request.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pages: TTLCache[PageKey, Page] = TTLCache(
            _CACHE_BYTES, _CACHE_SECONDS, clock, getsizeof=lambda page: len(page.body) + _OVERHEAD
        )
        self._being_made: dict[PageKey, asyncio.Future[None]] = {}

    def find(self, key: PageKey) -> Page | None:
        """Return the page if it is in the cache."""
        try:
            return self._pages[key]  # `get` would look it up twice
        except KeyError:
            return None

    async def make(self, key: PageKey, make: Callable[[], Awaitable[Page]]) -> Page:
        """Return the page, made by `make` unless another request makes the same full page just now."""
        if key in self._being_made:
            await asyncio.wait([self._being_made[key]])
            return self.find(key) or await self._made(key, make)
        done = self._being_made[key] = asyncio.get_running_loop().create_future()
        try:
            return await self._made(key, make)
        finally:
            del self._being_made[key]
            done.set_result(None)

    async def _made(self, key: PageKey, make: Callable[[], Awaitable[Page]]) -> Page:
        page = await make()
        if page.full and self._pages.getsizeof(page) <= self._pages.maxsize:
            self._pages[key] = page
        return page


def make_page(body: bytes, headers: Mapping[str, str], *, gzip: bool, etag: str = "", full: bool = False) -> Page:
    """Return a page to send.

    Args:
        body: The JSON.
        headers: Headers of the response, besides those that depend on the body.
        gzip: Whether the client accepts gzip; short bodies are sent as they are all the same.
        etag: The entity tag without quotes, if clients may keep the page.
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
    """Send the page, or 304 if the harvester has this version."""
    status, headers, body = HTTPStatus.OK, page.headers, page.body
    known = _value(scope, b"if-none-match")
    if known and page.etag and {page.etag, "*"} & _tags(known):
        status, body = HTTPStatus.NOT_MODIFIED, b""
        headers = [(name, value) for name, value in headers if name not in _OF_BODY]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if scope["method"] == "HEAD":
        body = b""
    # In pieces: the server keeps each piece in memory until the harvester has read it.
    last = max(0, len(body) - 1) // _PIECE * _PIECE
    for start in range(0, last, _PIECE):
        await send({"type": "http.response.body", "body": body[start : start + _PIECE], "more_body": True})
    await send({"type": "http.response.body", "body": body[last:]})


def accepts_gzip(scope: Scope) -> bool:
    """Return whether the request accepts gzip."""
    return names_gzip(_value(scope, b"accept-encoding"))


@HeaderTest
def names_gzip(accepted: bytes) -> bool:
    """Return whether an Accept-Encoding names gzip, or anything, and does not rule it out by `q=0`."""
    weights: dict[str, bool] = {}
    for coding in _members(accepted):
        name, _, weight = coding.lower().replace(" ", "").partition(";q=")
        weights[name] = weight.strip("0.") != "" if weight else True
    return weights.get("gzip", weights.get("*", False))


def _tags(known: bytes) -> set[str]:
    """Return the entity tags that the harvester has. Weak tags count like strong ones for GET."""
    return {tag.removeprefix("W/") for tag in _members(known)}


def _value(scope: Scope, name: bytes) -> bytes:
    """Return the value of a header that is a list, in one line or several."""
    return b",".join(value for header, value in scope["headers"] if header == name)


def _members(value: bytes) -> list[str]:
    return [member.strip() for member in value.decode("latin-1").split(",")]
