"""HTTP clients that read a feed into a copy: `harvest_async` and `harvest`.

Both send the requests that a `reader.Reader` asks for. The reader decides retries and backoff. Each page is committed
to the `copy.Copy` together with the cursor.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, TypeVar

import httpx2

from openbooking import __version__
from openbooking.harvest.copy import CopyError
from openbooking.harvest.deadline import Deadline
from openbooking.harvest.documents import Page
from openbooking.harvest.reader import End, Get, Limits, Reader, Received, Wait

SECONDS_A_PAGE = 300

_TIMEOUT = httpx2.Timeout(30, connect=10)
# Errors of a URL that cannot be requested, which end the harvest, and errors after which the reader tries again.
_REFUSALS = (httpx2.InvalidURL, ValueError)
_FAILURES = (httpx2.HTTPError, OSError)
_Result = TypeVar("_Result")
_USER_AGENT = {"User-Agent": f"openbooking/{__version__}"}


class Keeper(Protocol):
    """Keeps the pages of a feed and its cursor, as `copy.Copy` does."""

    def start(self, url: str, now: datetime) -> str:
        """Return the URL at which the reading resumes; empty to read from the first page. Raise CopyError if not."""
        ...

    def add(self, url: str, page: Page, cursor: str, *, current_at: datetime | None = None) -> None:
        """Keep a page and the cursor after it, as `Copy.add` does. Raise CopyError if they cannot be kept."""
        ...


class HarvestOptions(NamedTuple):
    """Options of a harvest.

    Attributes:
        headers: Headers of every request, such as `Authorization`. They are sent to the host of the feed only.
        limits: Limits on pages, sizes and retries; the default limits if None.
        documents: Whether a document that is no RPDE page is accepted. The document is yielded, but not copied.
        clock: Returns the current time, with a zone.
        worker: Writes the copy for `harvest_async`. Without a worker, its event loop waits for the copy.
        on_wait: Called before each pause after a request that failed.
    """

    headers: Mapping[str, str] | None = None
    limits: Limits | None = None
    documents: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    worker: Executor | None = None
    on_wait: Callable[[Wait], object] = lambda _: None


def async_client() -> httpx2.AsyncClient:
    """Return a client for `harvest_async`."""
    return httpx2.AsyncClient(timeout=_TIMEOUT)


def sync_client() -> httpx2.Client:
    """Return a client for `harvest`."""
    return httpx2.Client(timeout=_TIMEOUT)


async def harvest_async(
    url: str,
    copy: Keeper,
    client: httpx2.AsyncClient,
    options: HarvestOptions | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[Received | End, None]:
    """Read a feed into a copy, starting at the cursor of the copy. Yield each page after its commit, then the end.

    Args:
        url: The feed. Credentials in it are sent as Basic authorization.
        copy: The copy of the feed.
        client: The client that sends the requests, such as `async_client()`.
        options: The options.
        sleep: Waits for a number of seconds.

    Raises:
        CopyError: The copy is a copy of another feed, or cannot be written at the start.
        LinkError: The URL is no valid web address.
    """
    options = options or HarvestOptions()
    run = await _call(options.worker, _Run, url, copy, options)
    while True:
        step = run.reader.next_step()
        if isinstance(step, Get):
            try:
                async with asyncio.timeout(SECONDS_A_PAGE):
                    await _get_async(step, client, run)
            except _REFUSALS as fault:
                run.reader.stop(_reason(fault))
            except _FAILURES as fault:
                run.reader.receive_failure(_reason(fault))
        elif isinstance(step, Wait):
            run.on_wait(step)
            await sleep(step.seconds)
        elif await _call(options.worker, run.keep, step):
            yield step
            if isinstance(step, End):
                return


def harvest(
    url: str,
    copy: Keeper,
    client: httpx2.Client,
    options: HarvestOptions | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Received | End]:
    """Read a feed into a copy, as `harvest_async` does, with a blocking client.

    Raises:
        CopyError: The copy is a copy of another feed, or cannot be written at the start.
        LinkError: The URL is no valid web address.
    """
    run = _Run(url, copy, options or HarvestOptions())
    while True:
        step = run.reader.next_step()
        if isinstance(step, Get):
            try:
                _get(step, client, run)
            except _REFUSALS as fault:
                run.reader.stop(_reason(fault))
            except _FAILURES as fault:
                run.reader.receive_failure(_reason(fault))
        elif isinstance(step, Wait):
            run.on_wait(step)
            sleep(step.seconds)
        elif run.keep(step):
            yield step
            if isinstance(step, End):
                return


class _Run:
    """One harvest: the reader, the copy, and the time of the last request. Both clients use it."""

    def __init__(self, url: str, copy: Keeper, options: HarvestOptions) -> None:
        self.clock = options.clock
        self.on_wait = options.on_wait
        self.requested_at = self.clock()
        self._copy = copy
        self.reader = Reader(
            url,
            cursor=copy.start(url, self.requested_at),
            headers=_USER_AGENT | dict(options.headers or {}),
            limits=options.limits,
            documents=options.documents,
        )

    def keep(self, step: Received | End) -> bool:
        """Commit a page to the copy, and return whether the commit succeeded. A failed commit stops the reader."""
        if isinstance(step, End) or not step.page.is_rpde:
            return True
        current_at = self.requested_at if step.at_end else None
        try:
            self._copy.add(step.url, step.page, step.cursor, current_at=current_at)
        except CopyError as fault:
            self.reader.stop(str(fault))
            return False
        except Exception as fault:  # noqa: BLE001 - a page that cannot be stored must not lose the pages before it
            self.reader.stop(f"the page cannot be stored: {type(fault).__name__} {fault}")
            return False
        return True


async def _call(worker: Executor | None, function: Callable[..., _Result], *arguments: Any) -> _Result:
    """Return the result of a function that blocks."""
    if worker is None:
        return function(*arguments)
    return await asyncio.get_running_loop().run_in_executor(worker, function, *arguments)


def _reason(fault: Exception) -> str:
    return str(fault) or type(fault).__name__


async def _get_async(get: Get, client: httpx2.AsyncClient, run: _Run) -> None:
    run.requested_at = run.clock()
    async with client.stream("GET", get.url, headers=get.headers, follow_redirects=False) as response:
        more = run.reader.receive_head(response.status_code, response.headers.multi_items(), run.clock())
        if more:
            async for chunk in response.aiter_raw():
                if not run.reader.receive_data(chunk):
                    return
        run.reader.receive_end()


def _get(get: Get, client: httpx2.Client, run: _Run) -> None:
    run.requested_at = run.clock()
    with (
        Deadline(client, get.url, SECONDS_A_PAGE) as deadline,
        client.stream(
            "GET", get.url, headers=get.headers, follow_redirects=False, extensions=deadline.extensions
        ) as response,
    ):
        more = run.reader.receive_head(response.status_code, response.headers.multi_items(), run.clock())
        if more:
            for chunk in response.iter_raw():
                if deadline.is_over or not run.reader.receive_data(chunk):
                    return
        run.reader.receive_end()
