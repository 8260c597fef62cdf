"""The reader of feeds without I/O: the next page, the end of the feed, retries, and faults."""

import gzip
import zlib
from typing import Any

import pytest

from openbooking.harvest import body as harvest_body
from openbooking.harvest.reader import End, Limits, Reader
from openbooking.harvest.urls import LinkError
from support.feeds.answers import FEED, NOW, Answer, Reading, item, ok, page, read

SECOND = f"{FEED}?afterChangeNumber=1"

ITEM = item(1)


@pytest.mark.spec("OB-FEED-17", "OB-FEED-16")
def test_reading_continues_after_pages_without_items_until_the_last_page() -> None:
    third, last = f"{FEED}?afterChangeNumber=5", f"{FEED}?afterChangeNumber=6"
    reading = read({FEED: ok(SECOND, ITEM), SECOND: ok(third), third: ok(last, item(6, "2")), last: ok(last)})
    assert reading.sizes == [1, 0, 1, 0]
    assert reading.end == End(last)
    assert reading.asked == [FEED, SECOND, third, last]
    assert [received.cursor for received in reading.pages] == [SECOND, third, last, last]
    assert [received.at_end for received in reading.pages] == [False, False, False, True]


@pytest.mark.parametrize("next_", ["/feeds/sessions?after=1", f"{FEED}?after=1", "?after=1", f" {FEED}?after=1 "])
def test_a_relative_next_is_followed(next_: str) -> None:
    second = f"{FEED}?after=1"
    reading = read({FEED: ok(next_, ITEM), second: ok(second)})
    assert (reading.end, reading.asked) == (End(second), [FEED, second])


@pytest.mark.spec("OB-FEED-07")
@pytest.mark.parametrize(
    "query",
    [
        "afterChangeNumber=18446744073709551617",
        "afterTimestamp=9223372036854775809&afterId=18446744073709551617",
        "afterTimestamp=2026-10-21T07%3A28%3A00%2B01%3A00&afterId=a%2Fb%20c",
        "afterTimestamp=2026-10-21T07:28:00+01:00&afterId=a/b",
    ],
)
def test_next_urls_of_both_ordering_strategies_are_requested_unchanged(query: str) -> None:
    second = f"{FEED}?{query}"
    reading = read({FEED: ok(second, ITEM), second: ok(second)})
    assert (reading.end, reading.asked) == (End(second), [FEED, second])


@pytest.mark.parametrize(
    ("first", "same"),
    [
        (f"{FEED}?afterTimestamp=1&afterId=2", f"{FEED}?afterId=2&afterTimestamp=1"),
        (f"{FEED}?afterId=a%20b%3a", f"{FEED}?afterId=a+b:"),
        (FEED, "https://PROVIDER.example.com:443/feeds/sessions"),
        (FEED, "http://provider.example.com/feeds/sessions"),
        (FEED, f"{FEED}#end"),
        (FEED, "https://provider.example.com/feeds/%73essions"),
        ("https://provider.example.com", "/"),
        (f"{FEED}?afterId=é", f"{FEED}?afterId=%C3%A9"),
    ],
)
def test_the_last_page_is_recognised_by_any_spelling_of_its_url(first: str, same: str) -> None:
    assert read({first: ok(same)}, first).end == End(first)
    assert "next is itself" in read({first: ok(same, ITEM)}, first).end.fault


NO_NEXT: dict[str, tuple[Any, str]] = {
    "missing": (None, "it has no next"),
    "a number": (5, "it has no next"),
    "empty": (" ", "it has no next"),
    "no text": ("\ud800", "its next cannot be read: it is not valid JSON: it contains text that is not Unicode"),
    "another host": ("https://other.example.com/", "its next leads to another host: https://other.example.com/"),
    "another port": ("https://provider.example.com:8443/x", "its next leads to another host: "),
    "an insecure port": ("http://provider.example.com:8080/x", "its next leads to another host: "),
    "a host in front": ("https://provider.example.com@evil.example.com/", "its next leads to another host: "),
    "a user in front": ("https://user@169.254.169.254/latest", "its next leads to another host: "),
    "a file": ("file:///etc/passwd", "its next leads to no web page: file:///etc/passwd"),
    "no port": ("https://provider.example.com:99999/", "its next leads to no valid URL: "),
    "half an address": ("https://[/", "its next leads to no valid URL: "),
    "two lines": ("/feeds\r\nHost: evil", "its next leads to no valid URL: "),
    "too long": ("?" + "x" * 8_001, "its next leads to no valid URL: "),
}


@pytest.mark.spec("OB-FEED-17")
@pytest.mark.parametrize("items", [(ITEM,), ()])
@pytest.mark.parametrize("name", NO_NEXT)
def test_a_feed_without_a_next_that_can_be_followed_is_incomplete_and_keeps_its_items(
    name: str, items: tuple[Any, ...]
) -> None:
    next_, fault = NO_NEXT[name]
    reading = read({FEED: ok(next_, *items)})
    assert (reading.sizes, reading.asked) == ([len(items)], [FEED])
    assert reading.end.fault.startswith(fault)
    assert (reading.pages[0].cursor, reading.pages[0].at_end) == (FEED, False)


def test_a_page_that_was_read_already_ends_the_reading() -> None:
    reading = read({FEED: ok(SECOND, ITEM), SECOND: ok(FEED, item(1, "2"))})
    assert (reading.sizes, reading.asked) == ([1, 1], [FEED, SECOND])
    assert reading.end.fault == f"its next leads to a page that was read already: {FEED}"


def test_the_limit_of_pages_ends_the_reading() -> None:
    endless = {f"{FEED}?{number}": ok(f"?{number + 1}", item(number)) for number in range(9)}
    reading = read(endless, f"{FEED}?0", limits=Limits(pages=3))
    assert (reading.sizes, len(reading.asked), reading.pages[-1].cursor) == ([1, 1, 1], 3, f"{FEED}?2")
    assert reading.end.fault == "the feed goes on after 3 pages, which is as far as it is followed"


@pytest.mark.parametrize(
    ("start", "location", "why"),
    [
        ("http://provider.example.com/feeds/sessions", FEED, ""),
        (FEED, "/elsewhere", ""),
        (FEED, "http://provider.example.com/elsewhere", ""),
        (FEED, "https://www.provider.example.com/feeds/sessions", "it redirects to another host: "),
        (FEED, "http://169.254.169.254/", "it redirects to another host: "),
        (FEED, FEED, "it redirects more than 5 times"),
        (FEED, "http://provider.example.com/feeds/sessions", "it redirects more than 5 times"),
        (FEED, "https://[", "it redirects to no valid URL: "),
        (FEED, "", "it was answered with status 302"),
    ],
)
def test_redirects_are_followed_within_the_host_and_the_limit(start: str, location: str, why: str) -> None:
    elsewhere = "https://provider.example.com/elsewhere"
    moved = Answer(status=302, headers=(("Location", location),))
    reading = read({elsewhere: ok(elsewhere), FEED: ok(FEED), start: moved}, start)
    assert (len(reading.pages), bool(reading.end.fault)) == ((0, True) if why else (1, False))
    assert reading.end.fault.startswith(why)


def test_a_redirected_page_may_have_either_url_as_its_next() -> None:
    moved = Answer(status=301, headers=(("location", "/v2/sessions"),))
    found = "https://provider.example.com/v2/sessions"
    for itself in (FEED, found, "sessions"):
        assert read({FEED: moved, found: ok(itself)}).end == End(FEED)


def retry_after(text: str, *more: tuple[str, str], status: int = 503) -> Answer:
    return Answer(status=status, headers=(("Retry-After", text), *more))


TEMPORARY: dict[str, tuple[Answer, list[float]]] = {
    "429": (Answer(status=429), [1, 2]),
    "408": (Answer(status=408), [1, 2]),
    "500": (Answer(status=500), [1, 2]),
    "520": (Answer(status=520), [1, 2]),
    "in seconds": (retry_after("7", status=429), [7, 7]),
    "in far too many": (retry_after("9" * 5_000), [60, 60]),
    "at a date": (retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), [10, 10]),
    "by their clock": (
        retry_after("Wed, 21 Oct 2026 09:00:05 GMT", ("Date", "Wed, 21 Oct 2026 09:00:00 GMT")),
        [5, 5],
    ),
    "in the past": (retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), [0, 0]),
    "in a century": (retry_after("Wed, 21 Oct 2126 07:28:00 GMT"), [60, 60]),
    "at no time": (retry_after("soon"), [1, 2]),
    "before now": (retry_after("-5"), [1, 2]),
    "an error page": (Answer(b"<html><body>Sorry</body></html>"), [1, 2]),
    "no feed any more": (Answer(b'{"error": "busy"}'), [1, 2]),
    "nothing": (Answer(), [1, 2]),
    "a broken connection": (Answer(page(SECOND, ITEM)[:30], breaks=True), [1, 2]),
    "half a page": (Answer(page(SECOND, ITEM)[:-5]), [1, 2]),
    "less than announced": (Answer(page(SECOND, ITEM), headers=(("content-length", "500"),)), [1, 2]),
    "half of gzip": (Answer(gzip.compress(page(SECOND))[:-4], headers=(("content-encoding", "gzip"),)), [1, 2]),
    "no gzip": (Answer(b"not packed", headers=(("content-encoding", "gzip"),)), [1, 2]),
    "spoilt gzip": (
        Answer(gzip.compress(page(SECOND))[:-8] + b"12345678", headers=(("content-encoding", "gzip"),)),
        [1, 2],
    ),
}


@pytest.mark.spec("OB-FEED-32")
@pytest.mark.parametrize("name", TEMPORARY)
def test_a_temporary_failure_is_retried(name: str) -> None:
    failure, waits = TEMPORARY[name]
    reading = read({FEED: ok(SECOND, ITEM), SECOND: [failure, failure, ok(SECOND)]})
    assert (reading.sizes, reading.end, reading.waits) == ([1, 0], End(SECOND), waits)


@pytest.mark.parametrize("name", TEMPORARY)
def test_repeated_failures_end_the_reading_and_keep_earlier_pages(name: str) -> None:
    failure, _ = TEMPORARY[name]
    reading = read({FEED: ok(SECOND, ITEM), SECOND: failure})
    assert (reading.sizes, reading.asked.count(SECOND), reading.pages[0].cursor) == ([1], 5, SECOND)
    assert reading.end.url == SECOND
    assert reading.end.fault.endswith(", 5 times")


def packed(content: bytes, *codings: str, name: str = "Content-Encoding") -> Answer:
    return Answer(content, headers=tuple((name, coding) for coding in codings))


TWICE = gzip.compress(gzip.compress(page(FEED)))

FINAL: dict[str, tuple[Answer, str]] = {
    **{str(status): (Answer(status=status), f"status {status}") for status in (204, 304, 400, 401, 403, 404, 410)},
    "packed twice": (packed(TWICE, "gzip, gzip"), "'gzip, gzip', and not gzip"),
    "packed twice in two lines": (packed(TWICE, "gzip", "gzip"), "'gzip, gzip', and not gzip"),
    "packed and not packed": (packed(TWICE, "gzip", "identity"), "'gzip, identity', and not gzip"),
    "brotli": (packed(b"", "br"), "'br', and not gzip"),
    "deflate": (packed(zlib.compress(page(FEED)), "deflate"), "'deflate', and not gzip"),
    "announced too large": (Answer(b"", headers=(("Content-Length", "25000001"),)), "larger than 25,000,000 bytes"),
    "unpacked too large": (packed(gzip.compress(b" " * 30_000_000), "gzip"), "larger than 25,000,000 bytes"),
    "too many items": (Answer(b'{"items": [' + b"1," * 100_000 + b"1]}"), "more than 100,000 items"),
}


@pytest.mark.spec("OB-FEED-32")
@pytest.mark.parametrize("name", FINAL)
def test_a_permanent_failure_ends_the_reading_and_keeps_earlier_pages(name: str) -> None:
    answer, why = FINAL[name]
    reading = read({FEED: ok(SECOND, ITEM), SECOND: answer})
    assert (reading.sizes, reading.asked, reading.waits) == ([1], [FEED, SECOND], [])
    assert reading.end.url == SECOND
    assert reading.end.fault.endswith(why)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP "])
def test_gzip_with_several_members_is_decompressed(coding: str) -> None:
    whole = page(FEED)
    members = gzip.compress(whole[:10]) + gzip.compress(b"") + gzip.compress(whole[10:]) + b"\0" * 512
    for content in (gzip.compress(whole), members):
        for chunk in (1, 10_000):
            assert read({FEED: packed(content, coding)._replace(chunk=chunk)}).end == End(FEED)
    assert read({FEED: packed(whole, "identity")}).end == End(FEED)
    assert read({FEED: Answer(whole)}).sent[0]["Accept-Encoding"] == "gzip"


def test_too_many_gzip_members_are_refused() -> None:
    many = gzip.compress(b"") * (harvest_body.MAX_MEMBERS + 2)
    assert "gzip members" in read({FEED: packed(many, "gzip")}).end.fault


def test_an_unexpected_error_is_reported_as_a_fault_of_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    reader = Reader(FEED)
    reader.next_step()
    assert reader.receive_head(200, [], NOW)
    monkeypatch.setattr("openbooking.harvest.reader.read_page", fail)
    reader.receive_end()
    assert reader.next_step() == End(FEED, "it cannot be read: MemoryError ")


def test_credentials_in_the_url_are_sent_with_every_request_and_not_kept() -> None:
    url = FEED.replace("https://", "https://me:se%20cret@")
    reading = read({FEED: ok(SECOND, ITEM), SECOND: ok(SECOND)}, url, headers={"X-Key": "1"})
    assert {sent["Authorization"] for sent in reading.sent} == {"Basic bWU6c2UgY3JldA=="}
    assert {sent["X-Key"] for sent in reading.sent} == {"1"}
    assert "secret" not in repr(reading.pages)


def test_a_document_is_accepted_only_as_first_page_and_only_on_request() -> None:
    document = Answer(b'[{"@type": "Event"}]')
    reading = read({FEED: document}, documents=True)
    assert (reading.sizes, reading.end) == ([1], End(FEED))
    for refused in (
        read({FEED: document}),
        read({FEED: ok(SECOND, ITEM), SECOND: document}, documents=True),
        read({SECOND: document}, cursor=SECOND, documents=True),
    ):
        assert refused.end.fault == "it is no page of a feed, 5 times"


def test_reading_starts_at_the_cursor() -> None:
    reading: Reading = read({SECOND: ok(SECOND)}, cursor=SECOND)
    assert (reading.asked, reading.end) == ([SECOND], End(SECOND))


@pytest.mark.parametrize("url", ["ftp://provider.example.com/", "http://", "http://[", "http://a:b/", "http://a\n/"])
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(LinkError):
        Reader(url)
