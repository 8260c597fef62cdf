"""A reader of one RPDE feed without I/O: it returns requests, and a client passes it the responses.

Retries and backoff are decided here (`Reader._try_again`, `Limits`): a temporary failure is tried again after a pause
that doubles, or after the time that `Retry-After` asks for. The limits of pages, sizes and redirects are checked here
too.

A client calls `next_step` repeatedly and carries out each step:

- `Get`: send the request. Then call `receive_head`. If it returns True, call `receive_data` with the bytes of the body
  as they were sent, until it returns False or the body ends. Then call `receive_end`. If the request fails, call
  `receive_failure` instead.
- `Wait`: wait.
- `Received`: store the items of the page and its cursor in one transaction.
- `End`: stop. The feed has been read to its end, or it cannot be read any further.

The last page of a feed has no items, and its `next` is its own URL (RPDE "Last page definition"). A page without items
whose `next` is another URL is not the last page (RPDE "In-stream filtering").
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
from openbooking.harvest.urls import LinkError, page_key, resolve_link, split_credentials
from openbooking.openactive.terms import RPDE_MEDIA_TYPE

_TEMPORARY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_REDIRECTS = (301, 302, 303, 307, 308)
_SHOWN = 200


class Limits(NamedTuple):
    """Limits of one reading of a feed.

    Attributes:
        pages: The most pages that are read.
        page_bytes: The most bytes of a page, before and after decompression.
        page_items: The most items of a page.
        redirects: The most redirects of one page.
        attempts: The most requests for one page that fails temporarily.
        first_pause: Seconds before the second attempt. Each further pause is twice as long as the last.
        longest_pause: The most seconds of a pause. It limits `Retry-After` too.
    """

    pages: int = 100_000
    page_bytes: int = 25_000_000
    page_items: int = MAX_PAGE_ITEMS
    redirects: int = 5
    attempts: int = 5
    first_pause: float = 1
    longest_pause: float = 60


class Get(NamedTuple):
    """The step to request a URL with these headers. The client must not follow redirects or decode the body."""

    url: str
    headers: Mapping[str, str]


class Wait(NamedTuple):
    """The step to wait for a number of seconds before a page is requested again.

    Attributes:
        seconds: The seconds.
        url: The URL of the page.
        reason: Why the last request failed.
    """

    seconds: float
    url: str
    reason: str


class Received(NamedTuple):
    """A page that has been received.

    Attributes:
        url: The URL that was requested.
        found_at: The URL after redirects, against which `next` is resolved.
        page: The page.
        following: The URL of the next page; empty if `next` is absent or cannot be followed.
        cursor: The URL to resume at, later or in another process.
        at_end: Whether this is the last page of the feed.
    """

    url: str
    found_at: str
    page: Page
    following: str
    cursor: str
    at_end: bool


class End(NamedTuple):
    """The end of the reading.

    Attributes:
        url: The URL of the last page.
        fault: Why the reading ended before the end of the feed; empty if it reached the end.
        retry_after: The seconds until a further attempt that the server asks for; None if it does not say.
    """

    url: str
    fault: str = ""
    retry_after: float | None = None


Step = Get | Wait | Received | End
Headers = Iterable[tuple[str, str]]


class Reader:
    """Reads one feed, from a URL to its end.

    Args:
        url: The feed. Credentials in it are sent as Basic authorization.
        cursor: The URL to resume at; empty for the first page of the feed.
        headers: Headers of every request. They are sent to the host of the feed only.
        limits: The limits; the default ones if None.
        documents: Whether a document that is no RPDE page is accepted as the first and only page.

    Raises:
        LinkError: The URL is no valid web address.
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
        self._request(resolve_link(start, cursor) if cursor else start)

    def next_step(self) -> Step:
        """Return the next step. Each step is returned once. After the last step, `End` is returned by every call."""
        step = self._steps[0] if isinstance(self._steps[0], End) else self._steps.popleft()
        self._open = isinstance(step, Get)
        return step

    def receive_head(self, status: int, headers: Headers, now: datetime) -> bool:
        """Accept the status and headers of a response, and return whether the client must read the body.

        Args:
            status: The HTTP status.
            headers: The names and values of the headers.
            now: The current time, with a zone. A `Retry-After` that is a date is compared with it.
        """
        fields = [(name.lower(), value) for name, value in headers]
        location = _field(fields, "location")
        if status in _REDIRECTS and location:
            self._redirect(location)
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TEMPORARY:
            self._try_again(f"it was answered with status {status}", _retry_after(fields, now))
        elif status != HTTPStatus.OK:
            self._end(f"it was answered with status {status}", _retry_after(fields, now))
        else:
            try:
                length = _length(_field(fields, "content-length"))
                self._body = Body(compressed=is_compressed(fields), length=length, max_bytes=self._limits.page_bytes)
            except BodyError as fault:
                self._end(str(fault))
        return self._open

    def receive_data(self, chunk: bytes) -> bool:
        """Accept bytes of the body, as the server sent them, and return whether the client must read more."""
        if self._body is not None:
            try:
                self._body.add(chunk)
            except CutBodyError as fault:
                self._try_again(str(fault))
            except BodyError as fault:
                self._end(str(fault))
        return self._open

    def receive_end(self) -> None:
        """Accept the end of the response: read the page, and decide the next step."""
        if not self._open or self._body is None:
            return
        try:
            page = read_page(self._body.end(), self._limits.page_items)
        except LargeDocumentError as fault:
            self._end(str(fault))
        except (CutBodyError, DocumentError) as fault:
            # Some servers send an error page with the status 200, or half a document.
            self._try_again(str(fault))
        except Exception as fault:  # noqa: BLE001 - an unexpected error in one page must not lose the pages before it
            self._end(f"it cannot be read: {type(fault).__name__} {fault}")
        else:
            self._accept(page)

    def receive_failure(self, reason: str) -> None:
        """Accept the failure of a request, whose response is missing or incomplete. The request is tried again."""
        if self._open:
            self._try_again(reason)

    def stop(self, reason: str) -> None:
        """End the reading, because the client cannot store a page or cannot send a request."""
        self._steps.clear()
        self._end(reason)

    def _request(self, url: str) -> None:
        """Add a request for a further page, with no failures and redirects so far."""
        self._url = url
        self._failures = self._redirects = 0
        self._add_request(url)

    def _add_request(self, url: str) -> None:
        self._found_at = url
        self._body = None
        self._steps.append(Get(url, self._headers))

    def _redirect(self, location: str) -> None:
        """Request the target of a redirect, or end the reading if it must not be followed."""
        self._open = False
        self._redirects += 1
        if self._redirects > self._limits.redirects:
            self._end(f"it redirects more than {self._limits.redirects} times")
            return
        try:
            self._add_request(resolve_link(self._found_at, location))
        except LinkError as fault:
            self._end(f"it redirects to {fault}: {_shorten(location)}")

    def _try_again(self, reason: str, pause: float | None = None) -> None:
        """Request the page again after a pause, or end the reading after the last attempt.

        Args:
            reason: Why the attempt failed.
            pause: The seconds that the server asks for; None for a pause that doubles with each failure.
        """
        self._failures += 1
        if self._failures >= self._limits.attempts:
            times = f", {self._limits.attempts} times" if self._limits.attempts > 1 else ""
            self._end(f"{reason}{times}", pause)
            return
        if pause is None:
            pause = self._limits.first_pause * 2.0 ** (self._failures - 1)
        self._open = False
        self._redirects = 0
        self._steps.append(Wait(min(pause, self._limits.longest_pause), self._url, reason))
        self._add_request(self._url)

    def _end(self, fault: str = "", retry_after: float | None = None) -> None:
        self._open = False
        self._body = None
        self._steps.append(End(self._url, fault, retry_after))

    def _accept(self, page: Page) -> None:
        """Add the steps after a page: the page itself, and a request for the next page or the end."""
        if not page.is_rpde and not (self._documents and not self._pages):
            self._try_again("it is no page of a feed")
            return
        self._open = False
        self._pages += 1
        url, found_at = self._url, self._found_at
        here = {page_key(url), page_key(found_at)}
        self._seen |= here
        following, fault = _resolve_next(page, found_at)
        itself = bool(following) and page_key(following) in here
        at_end = not page.is_rpde or (itself and not page.items)
        if not at_end:
            fault = fault or self._next_page_fault(following, itself=itself)
        cursor = url if fault or at_end else following
        self._steps.append(Received(url, found_at, page, following, cursor, at_end))
        if at_end or fault:
            self._end(fault)
        else:
            self._request(following)

    def _next_page_fault(self, following: str, *, itself: bool) -> str:
        """Return why the next page is not requested; empty if it can be requested."""
        if itself:
            return "its next is itself, though it has items"
        if page_key(following) in self._seen:
            return f"its next leads to a page that was read already: {_shorten(following)}"
        if self._pages >= self._limits.pages:
            return f"the feed goes on after {self._limits.pages:,} pages, which is as far as it is followed"
        return ""


def _resolve_next(page: Page, found_at: str) -> tuple[str, str]:
    """Return the URL of the next page, and why there is none. One of the two is empty."""
    if not page.is_rpde or page.next_fault:
        return "", page.next_fault
    if page.next is None or not page.next.strip():
        return "", "it has no next"
    try:
        return resolve_link(found_at, page.next), ""
    except LinkError as refusal:
        return "", f"its next leads to {refusal}: {_shorten(page.next)}"


def _field(fields: Headers, wanted: str) -> str:
    return next((value.strip() for name, value in fields if name == wanted), "")


def _length(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < len("9" * 19) else None


def _retry_after(fields: Headers, now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for; None if absent. A date is compared with the server's `Date`."""
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


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
