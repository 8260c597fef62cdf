"""The pages of an import: from a file, a folder of files, standard input, or a feed on the web.

A feed is read by `openbooking.harvest`, which decides retries and backoff (`harvest.reader`). The copy of a feed
(`harvest.copy`) holds its cursor; `openbooking import --copy FILE` keeps the copy for the next import.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, nullcontext
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from openbooking.harvest.client import HarvestOptions, async_client, harvest_async
from openbooking.harvest.copy import CopiedItem, Copy, CopyError
from openbooking.harvest.documents import DocumentError, Page, read_page
from openbooking.harvest.reader import End
from openbooking.harvest.urls import LinkError
from openbooking.importing.errors import ImportRefusedError
from openbooking.openactive.web_addresses import is_web_address, web_address_problem

MAX_FILE_BYTES = 1_000_000_000

_SUFFIXES = (".json", ".jsonld")
# The most items, and about the most bytes, of a page of a feed that are in memory at a time.
_AT_ONCE = 500
_AT_ONCE_BYTES = 10_000_000
_OPTIONS = HarvestOptions()


class ReceivedPage(NamedTuple):
    """A page, or the reason why no page could be read.

    Attributes:
        origin: The name of the file, or the URL, that the page comes from.
        page: The page; None if it could not be read.
        fault: Why the page, or the rest of a feed, could not be read; empty otherwise.
    """

    origin: str
    page: Page | None = None
    fault: str = ""


# Shows progress: takes a label, and returns a context that yields a function. Call the function for each unit done.
ProgressCounter = Callable[[str], AbstractContextManager[Callable[[], None]]]


def _without_progress(_: str) -> AbstractContextManager[Callable[[], None]]:
    return nullcontext(lambda: None)


async def pages(
    path_or_url: str, copy: Path | None = None, counting: ProgressCounter = _without_progress
) -> AsyncIterator[ReceivedPage]:
    """Yield the pages of a source. Of a feed, yield the latest version of each item, deleted items included.

    Args:
        path_or_url: The path of a file or folder, - for standard input, or a URL.
        copy: The file that keeps a copy of the feed, so that the next import reads changes only. None to keep no copy.
        counting: Shows how many pages of a feed have been read. A feed is read to its end before a page is yielded.

    Raises:
        ImportRefusedError: There is no such file or feed, or the copy cannot be used.
    """
    if is_web_address(path_or_url):
        async for received in _web_pages(path_or_url, copy, counting):
            yield received
        return
    if copy is not None:
        raise ImportRefusedError(f"{path_or_url} is no feed; a copy is kept only of a feed that is read from a URL.")
    for received in _local_pages(path_or_url):
        yield received


async def _web_pages(url: str, path: Path | None, counting: ProgressCounter) -> AsyncIterator[ReceivedPage]:
    """Yield the pages of a feed or document on the web."""
    # A copy can only be kept of a feed, so that other documents are refused if a copy is wanted.
    options = _OPTIONS._replace(documents=path is None)
    try:
        with Copy(path) as copy:
            async for received in _harvest_pages(url, copy, options, counting):
                yield received
    except CopyError as fault:
        raise ImportRefusedError(f"{fault}.") from fault
    except LinkError as fault:
        raise ImportRefusedError(f"{url} is {fault}.") from fault


async def _harvest_pages(
    url: str, copy: Copy, options: HarvestOptions, counting: ProgressCounter
) -> AsyncIterator[ReceivedPage]:
    """Read the feed as far as possible, then yield its items. A document that is no feed is yielded unchanged."""
    fault = document = None
    async with async_client() as client, aclosing(harvest_async(url, copy, client, options)) as steps:
        with counting("Pages") as advance:
            async for step in steps:
                if isinstance(step, End):
                    fault = step
                    continue
                advance()
                if not step.page.is_rpde:
                    document = ReceivedPage(step.url, step.page)
    if document:
        yield document
    for received in _copied_pages(copy):
        yield received
    if fault and fault.fault:
        yield ReceivedPage(fault.url, fault=fault.fault)


def _copied_pages(copy: Copy) -> Iterator[ReceivedPage]:
    """Yield the items of a copy, grouped by the page of the feed on which they were found."""
    for url, found in groupby(copy.items(), key=lambda item: item.url):
        part: list[CopiedItem] = []
        size = 0
        for item in found:
            part.append(item)
            size += len(item.content)
            if len(part) == _AT_ONCE or size > _AT_ONCE_BYTES:
                yield _page_part(url, part)
                part, size = [], 0
        if part:
            yield _page_part(url, part)


def _page_part(url: str, items: list[CopiedItem]) -> ReceivedPage:
    numbers = tuple(item.number for item in items)
    return ReceivedPage(url, Page([msgspec.Raw(item.content) for item in items], is_rpde=True, numbers=numbers))


def _local_pages(path_or_url: str) -> Iterator[ReceivedPage]:
    """Yield the page of standard input or of a file, or the pages of all files in a folder."""
    if path_or_url == "-":
        yield _page_of("standard input", lambda: sys.stdin.buffer.read(MAX_FILE_BYTES + 1))
        return
    if "://" in path_or_url:
        raise ImportRefusedError(web_address_problem(path_or_url))
    path = Path(path_or_url)
    if not path.exists():
        raise ImportRefusedError(f"There is no file or folder {path_or_url}.")
    if not path.is_dir():
        yield _page_of(path_or_url, partial(_read_file, path))
        return
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
    if not files:
        raise ImportRefusedError(f"There are no files in {path_or_url} that end in {' or '.join(_SUFFIXES)}.")
    for file in files:
        yield _page_of(str(file.relative_to(path)), partial(_read_file, file))


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _page_of(origin: str, read: Callable[[], bytes]) -> ReceivedPage:
    """Return the page whose bytes `read` returns. A page that cannot be read has a `fault` instead of items."""
    try:
        body = read()
        if len(body) > MAX_FILE_BYTES:
            return ReceivedPage(origin, fault=f"it is larger than {MAX_FILE_BYTES:,} bytes")
        return ReceivedPage(origin, read_page(body))
    except OSError as fault:
        return ReceivedPage(origin, fault=fault.strerror or str(fault))
    except DocumentError as fault:
        return ReceivedPage(origin, fault=str(fault))
