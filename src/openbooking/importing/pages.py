"""Where imported pages come from: a file, a folder of files, standard input, or a feed that is followed over HTTP."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx2

from openbooking import __version__
from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.read_pages import Page, read_page
from openbooking.importing.read_values import UnreadableError, shown
from openbooking.spec.links import is_web_address
from openbooking.spec.terms import RPDE_MEDIA_TYPE

MOST_PAGES = 20_000
MAX_FILE_BYTES = 1_000_000_000
MAX_PAGE_BYTES = 25_000_000

_SUFFIXES = (".json", ".jsonld")
_TIMEOUT = httpx2.Timeout(30, connect=10)
_SECONDS_A_PAGE = 300
_MOST_REDIRECTS = 5
_TRIES = 5
_LONGEST_PAUSE = 60
_TRY_AGAIN = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_PORTS = {"http": 80, "https": 443}

Sleep = Callable[[float], Awaitable[None]]


class Got(NamedTuple):
    """A page and where it came from; `fault` tells instead why there is none."""

    where: str
    page: Page | None = None
    fault: str = ""


class _FetchError(Exception):
    """A page cannot be had; the message tells why."""


class _NotNowError(Exception):
    """A page cannot be had for now; the message tells why, `pause` for how many seconds to wait if that is told."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


def source_of(place: str) -> str:
    """The name by which what is imported from a place is known again: its URL without parameters, its full path."""
    if place == "-":
        raise ImportRefusedError("What comes from standard input needs a name to be known by: --source NAME.")
    if not is_web_address(place):
        return str(Path(place).resolve())
    try:
        url = urlsplit(place)
        host = f"{url.hostname}:{url.port}" if url.port else str(url.hostname)
    except ValueError as fault:
        raise ImportRefusedError(f"{place} is no valid URL: {fault}.") from fault
    return urlunsplit((url.scheme, host, url.path, "", ""))


async def pages(place: str) -> AsyncIterator[Got]:
    """The pages there, one after the other. Raise ImportRefusedError where there is nothing to read."""
    if not is_web_address(place):
        for got in _local_pages(place):
            yield got
        return
    headers = {"User-Agent": f"openbooking/{__version__}", "Accept": f"application/json, {RPDE_MEDIA_TYPE};q=0.9"}
    async with httpx2.AsyncClient(headers=headers, timeout=_TIMEOUT) as client:
        async for got in feed_pages(place, client):
            yield got


def _local_pages(place: str) -> Iterator[Got]:
    if place == "-":
        yield _page_of("standard input", lambda: sys.stdin.buffer.read(MAX_FILE_BYTES + 1))
        return
    path = Path(place)
    if not path.exists():
        raise ImportRefusedError(f"There is no file or folder {place}.")
    if not path.is_dir():
        yield _page_of(place, partial(_read_file, path))
        return
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
    if not files:
        raise ImportRefusedError(f"There are no files in {place} that end in {' or '.join(_SUFFIXES)}.")
    for file in files:
        yield _page_of(str(file.relative_to(path)), partial(_read_file, file))


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _page_of(where: str, read: Callable[[], bytes]) -> Got:
    try:
        body = read()
        if len(body) > MAX_FILE_BYTES:
            return Got(where, fault=f"it is larger than {MAX_FILE_BYTES:,} bytes")
        return Got(where, read_page(body))
    except OSError as fault:
        return Got(where, fault=fault.strerror or str(fault))
    except UnreadableError as fault:
        return Got(where, fault=str(fault))


async def feed_pages(url: str, client: httpx2.AsyncClient, sleep: Sleep = asyncio.sleep) -> AsyncIterator[Got]:
    """The pages of a feed, followed by `next` to its last; a fault ends it, for what follows is not known."""
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        seen.add(url)
        try:
            found_at, body = await _fetch(url, client, sleep)
            page = read_page(body)
        except (_FetchError, UnreadableError) as fault:
            yield Got(url, fault=str(fault))
            return
        yield Got(url, page)
        if page.next_fault:
            yield Got(url, fault=page.next_fault)
            return
        if not page.items or page.next is None:
            return
        following = _join(found_at, page.next)
        # Where there is nothing more, some repeat the address of the page, with its items.
        if following in (url, found_at):
            return
        reason = "a page that was read already" if following in seen else _why_not_followed(found_at, following)
        if reason:
            yield Got(url, fault=f"its next leads to {reason}: {shown(following)}")
            return
        url = following
    yield Got(url, fault=f"the feed goes on after {MOST_PAGES:,} pages, which is as far as it is followed")


def _why_not_followed(url: str, following: str) -> str | None:
    """What a feed must not lead to: it could name what only this machine can reach."""
    try:
        here, there = urlsplit(url), urlsplit(following)
        ports = [part.port or _PORTS.get(part.scheme) for part in (here, there)]
    except ValueError:
        return "no valid URL"
    if there.scheme not in _PORTS or not there.hostname:
        return "no web page"
    if (here.scheme, there.scheme) == ("https", "http"):
        return "a page without encryption"
    secured = here.scheme != there.scheme and ports == [_PORTS["http"], _PORTS["https"]]
    same = here.hostname == there.hostname and (ports[0] == ports[1] or secured)
    return None if same else "another host"


async def _fetch(url: str, client: httpx2.AsyncClient, sleep: Sleep) -> tuple[str, bytes]:
    """The body of a page and the URL it was found at after redirections; what fails for now is tried again."""
    for failures in range(_TRIES):
        try:
            async with asyncio.timeout(_SECONDS_A_PAGE):
                return await _follow(url, client)
        except _NotNowError as fault:
            reason, pause = str(fault), fault.pause
        except (httpx2.TransportError, TimeoutError) as fault:
            reason, pause = str(fault) or type(fault).__name__, None
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            raise _FetchError(str(fault) or type(fault).__name__) from fault
        if failures + 1 < _TRIES:
            await sleep(2.0**failures if pause is None else pause)
    raise _FetchError(f"{reason}, {_TRIES} times")


async def _follow(url: str, client: httpx2.AsyncClient) -> tuple[str, bytes]:
    for _ in range(_MOST_REDIRECTS + 1):
        async with client.stream("GET", url) as response:
            if not response.has_redirect_location:
                return url, await _body(response)
            following = _join(url, response.headers["location"])
            reason = _why_not_followed(url, following)
            if reason:
                raise _FetchError(f"it redirects to {reason}: {shown(following)}")
            url = following
    raise _FetchError(f"it redirects more than {_MOST_REDIRECTS} times")


async def _body(response: httpx2.Response) -> bytes:
    if response.status_code != HTTPStatus.OK:
        reason = f"it was answered with status {response.status_code}"
        if response.status_code in _TRY_AGAIN:
            raise _NotNowError(reason, _pause_asked_for(response))
        raise _FetchError(reason)
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_PAGE_BYTES:
            raise _FetchError(f"it is larger than {MAX_PAGE_BYTES:,} bytes")
    return bytes(body)


def _pause_asked_for(response: httpx2.Response) -> float | None:
    """The seconds in `Retry-After`, as far as anybody waits for them."""
    asked = response.headers.get("retry-after", "")
    return float(min(int(asked), _LONGEST_PAUSE)) if re.fullmatch("[0-9]{1,9}", asked) else None


def _join(url: str, following: str) -> str:
    try:
        return urljoin(url, following)
    except ValueError:
        return following
