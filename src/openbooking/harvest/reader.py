"""A reader of one RPDE feed without I/O: it returns what to request, and is given the responses.

A client asks for the next step and does it, again and again:

- `Get`: send the request. Then call `receive_head`; if it returns True call `receive_data` with the bytes of the body
  as they were sent, as long as it returns True; then call `receive_end`. If anything fails, call `receive_failure`.
- `Wait`: wait.
- `Received`: here is a page. Keep its items and its cursor in one transaction.
- `End`: the feed has been read to its end, or it cannot be read any further.

The end of a feed is a page without items whose `next` is the page itself (RPDE "Last page definition"). A page without
items whose `next` differs is passed over ("In-stream filtering").
"""

import base64
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from openbooking.harvest.body import Body, BodyError, CutBodyError, is_compressed
from openbooking.harvest.documents import MAX_PAGE_ITEMS, DocumentError, LargeDocumentError, Page, read_page
from openbooking.harvest.urls import LinkError, follow, page_key, split_credentials
from openbooking.openactive.terms import RPDE_MEDIA_TYPE

_TEMPORARY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_REDIRECTS = (301, 302, 303, 307, 308)
_SHOWN = 200


class Limits(NamedTuple):
    """How far a feed is read.

    Attributes:
        pages: The number of pages that are read in one run.
        page_bytes: The size of a page, compressed and not.
        page_items: The number of items of a page.
        redirects: How often one page may redirect.
        attempts: How often a page is requested that fails temporarily.
        first_pause: Seconds before the second attempt; each further pause is twice as long.
        longest_pause: Seconds that are waited at most, whatever the server asks for in `Retry-After`.
    """

    pages: int = 100_000
    page_bytes: int = 25_000_000
    page_items: int = MAX_PAGE_ITEMS
    redirects: int = 5
    attempts: int = 5
    first_pause: float = 1
    longest_pause: float = 60


class Get(NamedTuple):
    """Request this URL with these headers, without following redirects and without decoding the body."""

    url: str
    headers: Mapping[str, str]


class Wait(NamedTuple):
    """Wait so many seconds before the next step."""

    seconds: float


class Received(NamedTuple):
    """A page.

    Attributes:
        url: The URL that was requested.
        found_at: The URL after redirects, from which `next` is resolved.
        page: The page.
        following: The URL of the next page; empty if there is none that can be followed.
        cursor: The URL at which to go on reading, later or in another process.
        at_end: Whether this is the last page of the feed.
    """

    url: str
    found_at: str
    page: Page
    following: str
    cursor: str
    at_end: bool


class End(NamedTuple):
    """The end of the reading, at the page `url`; `fault` says why it is not the end of the feed."""

    url: str
    fault: str = ""


Step = Get | Wait | Received | End
Headers = Iterable[tuple[str, str]]


class Reader:
    """Reads one feed, from a URL to its end.

    Args:
        url: The feed. Credentials in it are sent as Basic authorization.
        cursor: The page to go on with, by default the feed's first.
        headers: What to send with every request. Only the host of the feed ever gets them.
        limits: How far the feed is read.
        documents: Whether a first document that is no RPDE page is accepted, and is all there is.

    Raises:
        LinkError: The URL cannot be one of a web page.
    """

    def __init__(
        self,
        url: str,
        *,
        cursor: str = "",
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        documents: bool = False,
    ) -> None:
        start, user, password = split_credentials(url)
        self._headers = {"Accept": f"application/json, {RPDE_MEDIA_TYPE};q=0.9", "Accept-Encoding": "gzip"}
        if user or password:
            pair = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {pair}"
        self._headers.update(headers or {})
        self._limits = limits or Limits()
        self._documents = documents and not cursor
        self._seen: set[str] = set()
        self._steps: deque[Step] = deque()
        self._pages = 0
        self._open = False
        self._body: Body | None = None
        self._request(follow(start, cursor) if cursor else start)

    def next_step(self) -> Step:
        """What is to be done next; a step that has been taken is not returned again, but for the end."""
        step = self._steps[0] if isinstance(self._steps[0], End) else self._steps.popleft()
        self._open = isinstance(step, Get)
        return step

    def receive_head(self, status: int, headers: Headers, now: datetime) -> bool:
        """The status and the headers of a response have arrived; return whether its body is wanted."""
        fields = [(name.lower(), value) for name, value in headers]
        location = _field(fields, "location")
        if status in _REDIRECTS and location:
            self._redirect(location)
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TEMPORARY:
            self._try_again(f"it was answered with status {status}", _pause(fields, now))
        elif status != HTTPStatus.OK:
            self._end(f"it was answered with status {status}")
        else:
            try:
                length = _length(_field(fields, "content-length"))
                self._body = Body(compressed=is_compressed(fields), length=length, most=self._limits.page_bytes)
            except BodyError as fault:
                self._end(str(fault))
        return self._open

    def receive_data(self, chunk: bytes) -> bool:
        """Bytes of the body have arrived, as they were sent; return whether more are wanted."""
        if self._body is not None:
            try:
                self._body.add(chunk)
            except CutBodyError as fault:
                self._try_again(str(fault))
            except BodyError as fault:
                self._end(str(fault))
        return self._open

    def receive_end(self) -> None:
        """The response has ended."""
        if not self._open or self._body is None:
            return
        try:
            page = read_page(self._body.end(), self._limits.page_items)
        except LargeDocumentError as fault:
            self._end(str(fault))
        except (CutBodyError, DocumentError) as fault:
            # Some servers send an error page with the status 200, or half a document.
            self._try_again(str(fault))
        except Exception as fault:  # noqa: BLE001 - whatever a page provokes is its fault, and loses no other page
            self._end(f"it cannot be read: {type(fault).__name__} {fault}")
        else:
            self._take(page)

    def receive_failure(self, reason: str) -> None:
        """No response has arrived, or not all of it."""
        if self._open:
            self._try_again(reason)

    def stop(self, reason: str) -> None:
        """End the reading: what was read cannot be kept."""
        self._steps.clear()
        self._end(reason)

    def _request(self, url: str) -> None:
        """Request a page for the first time."""
        self._url = url
        self._failures = self._redirects = 0
        self._get(url)

    def _get(self, url: str) -> None:
        self._found_at = url
        self._body = None
        self._steps.append(Get(url, self._headers))

    def _redirect(self, location: str) -> None:
        self._open = False
        self._redirects += 1
        if self._redirects > self._limits.redirects:
            self._end(f"it redirects more than {self._limits.redirects} times")
            return
        try:
            self._get(follow(self._found_at, location))
        except LinkError as fault:
            self._end(f"it redirects to {fault}: {_shown(location)}")

    def _try_again(self, reason: str, pause: float | None = None) -> None:
        self._failures += 1
        if self._failures >= self._limits.attempts:
            self._end(f"{reason}, {self._limits.attempts} times")
            return
        if pause is None:
            pause = self._limits.first_pause * 2.0 ** (self._failures - 1)
        self._open = False
        self._redirects = 0
        self._steps.append(Wait(min(pause, self._limits.longest_pause)))
        self._get(self._url)

    def _end(self, fault: str = "") -> None:
        self._open = False
        self._body = None
        self._steps.append(End(self._url, fault))

    def _take(self, page: Page) -> None:
        """A page has been read: keep it, and request the next."""
        if not page.is_rpde and not (self._documents and not self._pages):
            self._try_again("it is no page of a feed")
            return
        self._open = False
        self._pages += 1
        url, found_at = self._url, self._found_at
        here = {page_key(url), page_key(found_at)}
        self._seen |= here
        following, fault = _follow_next(page, found_at)
        itself = bool(following) and page_key(following) in here
        at_end = not page.is_rpde or (itself and not page.items)
        if not at_end:
            fault = fault or self._fault_of(following, itself=itself)
        cursor = url if fault or at_end else following
        self._steps.append(Received(url, found_at, page, following, cursor, at_end))
        if at_end or fault:
            self._end(fault)
        else:
            self._request(following)

    def _fault_of(self, following: str, *, itself: bool) -> str:
        """Why a feed is not followed to its next page."""
        if itself:
            return "its next is itself, though it has items"
        if page_key(following) in self._seen:
            return f"its next leads to a page that was read already: {_shown(following)}"
        if self._pages >= self._limits.pages:
            return f"the feed goes on after {self._limits.pages:,} pages, which is as far as it is followed"
        return ""


def _follow_next(page: Page, found_at: str) -> tuple[str, str]:
    """The URL of the next page, or why there is none."""
    if not page.is_rpde or page.next_fault:
        return "", page.next_fault
    if page.next is None or not page.next.strip():
        return "", "it has no next"
    try:
        return follow(found_at, page.next), ""
    except LinkError as refusal:
        return "", f"its next leads to {refusal}: {_shown(page.next)}"


def _field(fields: Headers, wanted: str) -> str:
    return next((value.strip() for name, value in fields if name == wanted), "")


def _length(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < len("9" * 19) else None


def _pause(fields: Headers, now: datetime) -> float | None:
    """The seconds that `Retry-After` asks for; a date is compared with the clock of the server."""
    asked = _field(fields, "retry-after")
    if asked.isascii() and asked.isdigit():
        # 18 digits are beyond any limit, and fit into a float.
        return float(asked[:18])
    until = _date(asked)
    return max(0.0, (until - (_date(_field(fields, "date")) or now)).total_seconds()) if until else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
