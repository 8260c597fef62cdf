"""A page of a feed on its way out: compressed where the harvester can read that, and not sent where it has it already.

Full pages of open feeds are kept for a while as they are sent. RPDE allows that: what has moved on since comes again
on a later page, and the `next` of a full page is a position that nothing can slip in before.
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

_KEPT_SECONDS = 60
_KEPT_BYTES = 32 * 2**20
_WORTH_COMPRESSING = 1_000
_LEVEL = 2
_GZIP_FORMAT = 31  # zlib's number for a window of 32 KB with gzip's header and trailer
_OVERHEAD = 1_000
_PIECE = 256 * 2**10
_OF_BODY = (b"content-length", b"content-encoding", b"content-type")


class Page(NamedTuple):
    """A page as it is sent; `etag` is empty where it is not to be kept by anybody, `full` tells that it may be here."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: str = ""
    full: bool = False


class PageKey(NamedTuple):
    """What identifies a page that is kept."""

    feed: str
    after: int
    gzip: bool


class PageCache:
    """Full pages are kept for a minute, the least recently used make room; and made once for all who ask meanwhile.

    A page that is larger than all that is kept is made for everybody who asks.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pages: TTLCache[PageKey, Page] = TTLCache(
            _KEPT_BYTES, _KEPT_SECONDS, clock, getsizeof=lambda page: len(page.body) + _OVERHEAD
        )
        self._being_made: dict[PageKey, asyncio.Future[None]] = {}

    def find(self, sought: PageKey) -> Page | None:
        """The page, if it is kept."""
        try:
            return self._pages[sought]  # `get` would look twice
        except KeyError:
            return None

    async def make(self, sought: PageKey, make: Callable[[], Awaitable[Page]]) -> Page:
        """The page that `make` makes, or that somebody else is making just now, if it is a full one."""
        if sought in self._being_made:
            await asyncio.wait([self._being_made[sought]])
            return self.find(sought) or await self._made(sought, make)
        told = self._being_made[sought] = asyncio.get_running_loop().create_future()
        try:
            return await self._made(sought, make)
        finally:
            del self._being_made[sought]
            told.set_result(None)

    async def _made(self, sought: PageKey, make: Callable[[], Awaitable[Page]]) -> Page:
        page = await make()
        if page.full and self._pages.getsizeof(page) <= self._pages.maxsize:
            self._pages[sought] = page
        return page


def make_page(body: bytes, headers: Mapping[str, str], *, gzip: bool, etag: str = "", full: bool = False) -> Page:
    """The page, compressed if it may be and that is worth it."""
    told = {**headers, "vary": "Accept-Encoding"}
    tag = f'"{etag}"' if etag else ""
    if gzip and len(body) >= _WORTH_COMPRESSING:
        body = isal_zlib.compress(body, _LEVEL, _GZIP_FORMAT)
        told["content-encoding"] = "gzip"
        tag = f'"{etag}-gzip"' if etag else ""
    told["content-length"] = str(len(body))
    if tag:
        told["etag"] = tag
    return Page([(name.encode(), value.encode("latin-1")) for name, value in told.items()], body, tag, full)


async def send_page(page: Page, scope: Scope, send: Send) -> None:
    """Send it, or say that it is the one the harvester has."""
    status, headers, body = HTTPStatus.OK, page.headers, page.body
    known = _value(scope, b"if-none-match")
    if known and page.etag and {page.etag, "*"} & _tags(known):
        status, body = HTTPStatus.NOT_MODIFIED, b""
        headers = [(name, value) for name, value in headers if name not in _OF_BODY]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if scope["method"] == "HEAD":
        body = b""
    # In pieces, for the server keeps what it is given until the harvester has read it.
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
    """The tags of what the harvester has; that it calls one weak does not matter here."""
    return {tag.removeprefix("W/") for tag in _members(known)}


def _value(scope: Scope, name: bytes) -> bytes:
    """The value of a header that is a list, sent at once or in parts."""
    return b",".join(value for header, value in scope["headers"] if header == name)


def _members(value: bytes) -> list[str]:
    return [member.strip() for member in value.decode("latin-1").split(",")]
