"""Where imported pages come from: a file, a folder of files, standard input, or a feed that is followed over HTTP."""

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
from openbooking.openactive.web_addresses import is_web_address

MAX_FILE_BYTES = 1_000_000_000

_SUFFIXES = (".json", ".jsonld")
# Items of one page of a feed that are in memory together; each is bounded by the size of its page.
_AT_ONCE = 500
_AT_ONCE_BYTES = 10_000_000
_OPTIONS = HarvestOptions()


class Got(NamedTuple):
    """A page and where it came from; `fault` tells instead why there is none, or why a feed was not read to its end."""

    where: str
    page: Page | None = None
    fault: str = ""


# Shows how far something has come: yields what is to be called for each one done.
Counting = Callable[[str], AbstractContextManager[Callable[[], None]]]


def _uncounted(_: str) -> AbstractContextManager[Callable[[], None]]:
    return nullcontext(lambda: None)


async def pages(place: str, copy: Path | None = None, counting: Counting = _uncounted) -> AsyncIterator[Got]:
    """The pages there, one after the other; of a feed its items in their latest version, deleted ones too.

    Args:
        place: A path, - for standard input, or a URL.
        copy: The file in which a copy of a feed is kept, to be read from its cursor on; none by default.
        counting: Shows how many pages of a feed have been read, before the first of its items is returned.

    Raises:
        ImportRefusedError: There is nothing to read, or the copy cannot be used.
    """
    if is_web_address(place):
        async for got in _web_pages(place, copy, counting):
            yield got
        return
    if copy is not None:
        raise ImportRefusedError(f"{place} is no feed; a copy is kept only of a feed that is read from a URL.")
    for got in _local_pages(place):
        yield got


async def _web_pages(url: str, path: Path | None, counting: Counting) -> AsyncIterator[Got]:
    # A copy can be kept of a feed only.
    options = _OPTIONS._replace(documents=path is None)
    try:
        with Copy(path) as copy:
            async for got in _harvested(url, copy, options, counting):
                yield got
    except CopyError as fault:
        raise ImportRefusedError(f"{fault}.") from fault
    except LinkError as fault:
        raise ImportRefusedError(f"{url} is {fault}.") from fault


async def _harvested(url: str, copy: Copy, options: HarvestOptions, counting: Counting) -> AsyncIterator[Got]:
    """A document that is no feed, or the items of the feed once it has been read as far as that can be."""
    fault = document = None
    async with async_client() as client, aclosing(harvest_async(url, copy, client, options)) as steps:
        with counting("Pages") as one_more:
            async for step in steps:
                if isinstance(step, End):
                    fault = step
                    continue
                one_more()
                if not step.page.is_rpde:
                    document = Got(step.url, step.page)
    if document:
        yield document
    for got in _copied_pages(copy):
        yield got
    if fault and fault.fault:
        yield Got(fault.url, fault=fault.fault)


def _copied_pages(copy: Copy) -> Iterator[Got]:
    """The items of a copy, as parts of the pages that they were found on."""
    for url, found in groupby(copy.items(), key=lambda item: item.url):
        part: list[CopiedItem] = []
        size = 0
        for item in found:
            part.append(item)
            size += len(item.content)
            if len(part) == _AT_ONCE or size > _AT_ONCE_BYTES:
                yield _part(url, part)
                part, size = [], 0
        if part:
            yield _part(url, part)


def _part(url: str, items: list[CopiedItem]) -> Got:
    numbers = tuple(item.number for item in items)
    return Got(url, Page([msgspec.Raw(item.content) for item in items], is_rpde=True, numbers=numbers))


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
    except DocumentError as fault:
        return Got(where, fault=str(fault))
