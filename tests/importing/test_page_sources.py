"""The pages of an import: from files, a folder, standard input, a document on the web, and feeds."""

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from openbooking.harvest.reader import Limits
from openbooking.importing import page_sources
from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.page_sources import ReceivedPage, pages
from support.feeds.answers import Answer
from support.importing.published_items import deleted, event, page, rpde, series, session

pytestmark = pytest.mark.anyio

FEED = "https://provider.example.com/feeds/sessions"

SECOND = f"{FEED}?page=2"

SESSION = rpde(session())

OTHER = rpde(session(2))


class Web:
    """A transport that replies to requests by URL, and keeps the requested URLs."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Exception] = {}
        self.asked: list[str] = []

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(str(request.url))
        answer = self.answers[str(request.url)]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status, stream=httpx2.ByteStream(answer.body), headers=list(answer.headers))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    made = Web()
    monkeypatch.setattr(page_sources, "async_client", made.client)
    limits = Limits(first_pause=0, longest_pause=0)
    monkeypatch.setattr(page_sources, "_OPTIONS", page_sources._OPTIONS._replace(limits=limits))
    return made


async def read(path_or_url: str, copy: Path | None = None) -> list[ReceivedPage]:
    return [got async for got in pages(path_or_url, copy)]


def found(body: bytes, coding: str = "identity") -> Answer:
    return Answer(body, headers=(("Content-Encoding", coding),))


def sizes(got: list[ReceivedPage]) -> list[int]:
    """Return the number of items of each page."""
    return [len(one.page.items) for one in got if one.page]


def faults(got: list[ReceivedPage]) -> list[str]:
    return [one.fault for one in got if one.fault]


def positions(got: list[ReceivedPage]) -> list[str]:
    """Return the page, the number and the id of each item."""
    return [
        f"{one.origin} {number} {json.loads(bytes(item))['data']['@id'].rpartition('/')[2]}"
        for one in got
        if one.page
        for number, item in one.page.numbered()
    ]


@pytest.mark.spec("OB-FEED-17")
async def test_a_feed_is_read_beyond_a_page_without_items(web: Web) -> None:
    third, last = f"{FEED}?page=3", f"{FEED}?page=4"
    web.answers = {
        FEED: found(page(SESSION, next_=SECOND)),
        SECOND: found(page(next_=third)),
        third: found(page(OTHER, next_=last)),
        last: found(page(next_=last)),
    }
    got = await read(FEED)
    assert (positions(got), faults(got)) == ([f"{FEED} 1 1", f"{third} 1 2"], [])


@pytest.mark.spec("OB-FEED-17")
@pytest.mark.parametrize(
    ("next_", "fault"),
    [
        (None, "it has no next"),
        (FEED, "its next is itself, though it has items"),
        ("ftp://a/", "no web page: ftp://a/"),
    ],
)
async def test_a_feed_that_stops_with_items_is_incomplete(web: Web, next_: str | None, fault: str) -> None:
    web.answers = {FEED: found(page(SESSION, next_=next_))}
    got = await read(FEED)
    assert (sizes(got), web.asked) == ([1], [FEED])
    assert faults(got)[0].endswith(fault)


async def test_a_feed_yields_the_latest_version_of_each_item_with_its_position(web: Web) -> None:
    again = rpde(session(2), modified=5)
    web.answers = {
        FEED: found(page(OTHER, SESSION, rpde(session(3), modified=9), next_=SECOND)),
        SECOND: found(page(rpde(session(3), modified=8), again, next_="?page=3")),
        f"{FEED}?page=3": found(page(next_="?page=3")),
    }
    assert positions(await read(FEED)) == [f"{FEED} 2 1", f"{FEED} 3 3", f"{SECOND} 2 2"]


async def test_a_feed_yields_deleted_items(web: Web) -> None:
    web.answers = {
        FEED: found(page(SESSION, next_=SECOND)),
        SECOND: found(page(deleted(session()), next_="?page=3")),
        f"{FEED}?page=3": found(page(next_="?page=3")),
    }
    (got,) = await read(FEED)
    assert got.page
    (item,) = got.page.items
    assert json.loads(bytes(item))["state"] == "deleted"


async def test_a_long_page_is_yielded_in_parts(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_sources, "_AT_ONCE", 2)
    items = [rpde(session(number)) for number in range(5)]
    web.answers = {FEED: found(page(*items, next_=SECOND)), SECOND: found(page(next_=SECOND))}
    got = await read(FEED)
    assert sizes(got) == [2, 2, 1]
    assert positions(got) == [f"{FEED} {number + 1} {number}" for number in range(5)]
    monkeypatch.setattr(page_sources, "_AT_ONCE_BYTES", 10)
    assert sizes(await read(FEED)) == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("document", [[series(), session()], event(), []])
async def test_a_document_on_the_web_that_is_no_feed_is_read(web: Web, document: Any) -> None:
    web.answers = {FEED: found(json.dumps(document).encode())}
    got = await read(FEED)
    assert (sizes(got), faults(got), web.asked) == ([len(document) if isinstance(document, list) else 1], [], [FEED])


@pytest.mark.parametrize("odd", [rb'"\ud800"', b"[" * 30_000 + b"]" * 30_000, b"1e999"])
async def test_an_unreadable_item_does_not_end_the_reading(web: Web, odd: bytes) -> None:
    first = page(SESSION, {"odd": "?"}, OTHER, next_=SECOND).replace(b'"?"', odd)
    web.answers = {FEED: found(first), SECOND: found(page(next_=SECOND))}
    got = await read(FEED)
    assert (sizes(got), faults(got), web.asked) == ([3], [], [FEED, SECOND])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(status=404), "it was answered with status 404"),
        (Answer(status=503), "it was answered with status 503, 5 times"),
        (httpx2.ReadError("reset"), "reset, 5 times"),
        (found(b"<html>"), "it is not valid JSON: "),
        (found(gzip.compress(gzip.compress(b"")), "gzip, gzip"), "its Content-Encoding is"),
        (found(gzip.compress(b" " * 30_000_000), "gzip"), "it is larger than 25,000,000 bytes"),
    ],
)
async def test_a_page_that_cannot_be_fetched_keeps_the_pages_before_it(
    web: Web, answer: Answer | Exception, why: str
) -> None:
    web.answers = {FEED: found(page(SESSION, next_=SECOND)), SECOND: answer}
    *_, last = got = await read(FEED)
    assert (sizes(got), last.origin) == ([1], SECOND)
    assert last.fault.startswith(why)


async def test_an_import_with_a_copy_fetches_only_new_pages(web: Web, tmp_path: Path) -> None:
    copy = tmp_path / "feed.copy"
    web.answers = {FEED: found(page(SESSION, next_=SECOND)), SECOND: Answer(status=500)}
    assert faults(await read(FEED, copy)) == ["it was answered with status 500, 5 times"]
    third = f"{FEED}?page=3"
    web.answers = {SECOND: found(page(OTHER, next_=third)), third: found(page(next_=third))}
    web.asked.clear()
    got = await read(FEED, copy)
    assert (positions(got), faults(got), web.asked) == ([f"{FEED} 1 1", f"{SECOND} 1 2"], [], [SECOND, third])
    web.asked.clear()
    assert (positions(await read(FEED, copy)), web.asked) == (positions(got), [third])


async def test_a_copy_is_kept_of_one_feed_only(web: Web, tmp_path: Path) -> None:
    copy = tmp_path / "feed.copy"
    web.answers = {FEED: found(page(next_=FEED))}
    await read(FEED, copy)
    with pytest.raises(ImportRefusedError, match="is a copy of another feed"):
        await read(f"{FEED}?club=south", copy)
    with pytest.raises(ImportRefusedError, match="is no feed"):
        await read(str(tmp_path), copy)
    web.answers = {SECOND: found(b"[]")}
    assert faults(await read(SECOND, tmp_path / "other.copy")) == ["it is no page of a feed, 5 times"]


async def test_the_files_of_a_folder_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.jsonld").write_bytes(page(SESSION, SESSION))
    (tmp_path / "b.JSON").write_bytes(b"{")
    (tmp_path / "a.json").write_bytes(page(SESSION, next_="https://other.example.com/"))
    (tmp_path / "notes.txt").write_text("no feed")
    got = await read(str(tmp_path))
    assert [(one.origin, bool(one.fault)) for one in got] == [
        ("a.json", False),
        ("b.JSON", True),
        ("deep/c.jsonld", False),
    ]
    assert sizes(got) == [1, 2]


async def test_a_file_and_standard_input_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "items"
    file.write_bytes(page(SESSION))
    assert sizes(await read(str(file))) == [1]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(page(SESSION, SESSION))))
    assert sizes(await read("-")) == [2]


async def test_files_that_are_too_large_or_cannot_be_opened_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_sources, "MAX_FILE_BYTES", 10)
    (tmp_path / "large.json").write_bytes(page(SESSION))
    (got,) = await read(str(tmp_path))
    assert got.fault == "it is larger than 10 bytes"
    (tmp_path / "large.json").chmod(0)
    monkeypatch.setattr(Path, "open", _refuse)
    (got,) = await read(str(tmp_path))
    assert got.fault == "Permission denied"


def _refuse(*_: Any, **__: Any) -> Any:
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("path", ["nowhere.json", "."])
async def test_a_missing_file_and_an_empty_folder_are_refused(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImportRefusedError, match=r"There (is|are) no file"):
        await read(path)


async def test_a_url_that_is_no_web_address_is_refused() -> None:
    with pytest.raises(ImportRefusedError, match=r"'ftp://example.com/feed' is no web address"):
        await read("ftp://example.com/feed")
