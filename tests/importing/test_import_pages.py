"""Where imported pages come from: what a feed may lead to, and when to stop."""

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from openbooking.importing import pages as import_pages
from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.pages import Got, feed_pages, pages, source_of
from published import page, rpde, series, session

FEED = "https://provider.example.com/feeds/sessions"
SESSION = rpde(session())

pytestmark = pytest.mark.anyio
Answer = httpx2.Response | Exception


async def follow(
    answers: dict[str, Answer | list[Answer]], url: str = FEED
) -> tuple[list[Got], list[str], list[float]]:
    """What a feed yields that is answered like this; what was asked for, and how long was waited."""
    asked: list[str] = []
    waited: list[float] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        given = answers[str(request.url)]
        found = given.pop(0) if isinstance(given, list) else given
        if isinstance(found, Exception):
            raise found
        return found

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        got = [found async for found in feed_pages(url, client, sleep)]
    return got, asked, waited


def found(body: bytes, **headers: str) -> httpx2.Response:
    return httpx2.Response(200, stream=httpx2.ByteStream(body), headers=headers)


def sizes(got: list[Got]) -> list[int]:
    """How many items each page has."""
    return [len(one.page.items) for one in got if one.page]


def faults(got: list[Got]) -> list[str]:
    return [one.fault for one in got if one.fault]


@pytest.mark.parametrize("next_", ["/feeds/sessions?after=1", f"{FEED}?after=1", "?after=1"])
async def test_a_feed_is_followed_to_its_last_page(next_: str) -> None:
    got, asked, _ = await follow(
        {FEED: found(page(SESSION, next_=next_)), f"{FEED}?after=1": found(page(next_=f"{FEED}?after=1"))}
    )
    assert (sizes(got), faults(got), asked) == ([1, 0], [], [FEED, f"{FEED}?after=1"])


@pytest.mark.parametrize("body", [page(SESSION), page(SESSION, next_=FEED), json.dumps([series(), session()]).encode()])
async def test_what_does_not_lead_on_is_the_last_page(body: bytes) -> None:
    got, asked, _ = await follow({FEED: found(body)})
    assert (len(got), faults(got), asked) == (1, [], [FEED])


async def test_what_is_compressed_is_unpacked() -> None:
    body = gzip.compress(page(SESSION))
    got, _, _ = await follow({FEED: found(body, **{"content-encoding": "gzip"})})
    assert (sizes(got), faults(got)) == ([1], [])


@pytest.mark.parametrize(
    ("next_", "why"),
    [
        ("https://other.example.com/feeds/sessions", "another host"),
        ("https://provider.example.com:8443/feeds/sessions", "another host"),
        ("http://provider.example.com/feeds/sessions", "a page without encryption"),
        ("file:///etc/passwd", "no web page"),
        ("https://provider.example.com:99999/", "no valid URL"),
        ("https://[/", "no valid URL"),
        ("https://user@169.254.169.254/latest", "another host"),
        ("https://provider.example.com@evil.example.com/", "another host"),
    ],
)
async def test_a_feed_must_not_lead_elsewhere(next_: str, why: str) -> None:
    got, asked, _ = await follow({FEED: found(page(SESSION, next_=next_))})
    assert (sizes(got), asked) == ([1], [FEED])
    (fault,) = faults(got)
    assert fault.startswith(f"its next leads to {why}: ")


async def test_a_feed_that_leads_in_circles_is_read_once() -> None:
    second = f"{FEED}?page=2"
    got, asked, _ = await follow({FEED: found(page(SESSION, next_=second)), second: found(page(SESSION, next_=FEED))})
    assert (sizes(got), asked) == ([1, 1], [FEED, second])
    assert "read already" in faults(got)[0]


@pytest.mark.parametrize("odd", [rb'"\ud800"', b"[" * 30_000 + b"]" * 30_000, b"1e999"])
async def test_what_one_item_holds_does_not_end_a_feed(odd: bytes) -> None:
    second = f"{FEED}?page=2"
    first = page(SESSION, {"odd": "?"}, SESSION, next_=second).replace(b'"?"', odd)
    got, asked, _ = await follow({FEED: found(first), second: found(page(SESSION))})
    assert (sizes(got), faults(got), asked) == ([3, 1], [], [FEED, second])


async def test_a_next_that_cannot_be_read_ends_a_feed_after_its_page() -> None:
    got, _, _ = await follow({FEED: found(page(SESSION, next_="\ud800"))})
    assert sizes(got) == [1]
    assert faults(got) == ["its next cannot be read: it is not valid JSON: it contains text that is not Unicode"]


async def test_a_feed_without_end_is_left_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_pages, "MOST_PAGES", 3)
    endless: dict[str, Any] = {f"{FEED}?{number}": found(page(SESSION, next_=f"?{number + 1}")) for number in range(9)}
    got, asked, _ = await follow(endless, f"{FEED}?0")
    assert (sizes(got), len(asked)) == ([1, 1, 1], 3)
    assert "goes on after 3 pages" in faults(got)[0]


@pytest.mark.parametrize(
    ("start", "location", "why"),
    [
        ("http://provider.example.com/feeds/sessions", FEED, None),
        (FEED, "/elsewhere", None),
        (FEED, "https://www.provider.example.com/feeds/sessions", "redirects to another host"),
        (FEED, "http://provider.example.com/feeds/sessions", "redirects to a page without encryption"),
        (FEED, FEED, "redirects more than 5 times"),
        (FEED, "https://[", "redirects to no valid URL"),
    ],
)
async def test_redirections(start: str, location: str, why: str | None) -> None:
    answers: dict[str, Any] = {
        "https://provider.example.com/elsewhere": found(page(SESSION)),
        FEED: found(page(SESSION)),
        start: httpx2.Response(302, headers={"location": location}),
    }
    got, _, _ = await follow(answers, start)
    assert (sizes(got), bool(faults(got))) == (([1], False) if why is None else ([], True))
    assert why is None or why in faults(got)[0]


@pytest.mark.parametrize(
    ("failure", "waits"),
    [
        (httpx2.Response(503), [1, 2]),
        (httpx2.Response(429, headers={"retry-after": "7"}), [7, 7]),
        (httpx2.Response(429, headers={"retry-after": "999999"}), [60, 60]),
        (httpx2.Response(500, headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}), [1, 2]),
        (httpx2.ConnectTimeout("timed out"), [1, 2]),
        (httpx2.ReadError("reset"), [1, 2]),
    ],
)
async def test_what_fails_for_now_is_tried_again(failure: Answer, waits: list[float]) -> None:
    got, _, waited = await follow({FEED: [failure, failure, found(page(SESSION))]})
    assert (sizes(got), faults(got), waited) == ([1], [], waits)


async def test_what_keeps_failing_is_given_up_and_what_came_before_is_not_lost() -> None:
    second = f"{FEED}?page=2"
    got, asked, _ = await follow({FEED: found(page(SESSION, next_=second)), second: httpx2.Response(503)})
    assert (sizes(got), len(asked)) == ([1], 6)
    assert faults(got) == ["it was answered with status 503, 5 times"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx2.Response(404), "status 404"),
        (httpx2.Response(204), "status 204"),
        (found(b"<html>"), "not valid JSON"),
        (found(b"not packed", **{"content-encoding": "gzip"}), "decompress"),
        (found(gzip.compress(b" " * 30_000_000), **{"content-encoding": "gzip"}), "larger"),
    ],
)
async def test_what_is_no_page_is_not_asked_for_again(answer: Answer, why: str) -> None:
    got, asked, _ = await follow({FEED: answer})
    assert (sizes(got), asked) == ([], [FEED])
    assert why in faults(got)[0]


async def read(place: str) -> list[Got]:
    return [got async for got in pages(place)]


async def test_a_folder_is_read_file_by_file_in_order(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.jsonld").write_bytes(page(SESSION, SESSION))
    (tmp_path / "b.JSON").write_bytes(b"{")
    (tmp_path / "a.json").write_bytes(page(SESSION, next_="https://other.example.com/"))
    (tmp_path / "notes.txt").write_text("no feed")
    got = await read(str(tmp_path))
    assert [(one.where, bool(one.fault)) for one in got] == [
        ("a.json", False),
        ("b.JSON", True),
        ("deep/c.jsonld", False),
    ]
    assert sizes(got) == [1, 2]


async def test_a_file_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "items"
    file.write_bytes(page(SESSION))
    assert sizes(await read(str(file))) == [1]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(page(SESSION, SESSION))))
    assert sizes(await read("-")) == [2]


async def test_what_is_too_large_or_cannot_be_opened_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_pages, "MAX_FILE_BYTES", 10)
    (tmp_path / "large.json").write_bytes(page(SESSION))
    (got,) = await read(str(tmp_path))
    assert got.fault == "it is larger than 10 bytes"
    (tmp_path / "large.json").chmod(0)
    monkeypatch.setattr(Path, "open", _refuse)
    (got,) = await read(str(tmp_path))
    assert got.fault == "Permission denied"


def _refuse(*_: Any, **__: Any) -> Any:
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("place", ["nowhere.json", "."])
async def test_where_there_is_nothing_to_read(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImportRefusedError, match=r"There (is|are) no file"):
        await read(place)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("https://provider.example.com/feeds/a?afterTimestamp=1#x", "https://provider.example.com/feeds/a"),
        ("HTTP://user:secret@Provider.Example.com:8080/a", "http://provider.example.com:8080/a"),
        ("/feeds/../feeds/a.json", "/feeds/a.json"),
    ],
)
async def test_the_name_by_which_a_place_is_known(place: str, source: str) -> None:
    assert source_of(place) == source


@pytest.mark.parametrize(
    ("place", "why"), [("-", "--source"), ("http://[", "no valid URL"), ("http://a:b/", "no valid URL")]
)
async def test_a_place_without_a_name(place: str, why: str) -> None:
    with pytest.raises(ImportRefusedError, match=why):
        source_of(place)
