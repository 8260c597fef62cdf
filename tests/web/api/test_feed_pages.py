"""Compression, the cache and entity tags of feed pages; a harvester misses no change because of them."""

import asyncio
import gzip
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.types import Scope

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.store import Feed, StoreUnavailableError
from openbooking.openactive.rpde import PAGE_SIZE
from openbooking.web.api.feed_pages import Page, PageCache, PageKey, accepts_gzip
from support.builders import session
from support.http_system import SITE, World
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

FEED = "/feeds/session-series"
FIRST, SECOND, LAST = "series-n0000", "series-n0001", "series-n9000"


def series(number: int, name: str = "Yoga") -> Opportunity:
    made, _ = session(f"n{number:04}")
    return replace(made, source="timetable", properties={**made.properties, "name": name})


async def stock(world: World, count: int = PAGE_SIZE + 50) -> None:
    """Publish more SessionSeries than fit on one page.

    The validators would check each of them for seconds. Tests of feeds with few items show them such items.
    """
    world.judged = False
    await world.store.execute(Publish(tuple(series(number) for number in range(count)), actor=MANAGER))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, False),
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("GZip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0.001", True),
        ("*", True),
        ("*;q=0", False),
        ("*, gzip;q=0", False),
        ("gzip, *;q=0", True),
        ("x-gzip2", False),
    ],
)
def test_gzip_is_accepted_by_name_or_wildcard(header: str | None, expected: bool) -> None:
    headers = [] if header is None else [(b"accept-encoding", header.encode())]
    scope: Scope = {"type": "http", "headers": headers}
    assert accepts_gzip(scope) is expected


@pytest.mark.spec("OB-FEED-31")
async def test_a_page_is_compressed_for_harvesters_that_accept_gzip(sqlite_world: World) -> None:
    await stock(sqlite_world)
    plain = await sqlite_world.client.get(FEED, headers={"Accept-Encoding": "identity"})
    small = await sqlite_world.client.get(FEED, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert small.json() == plain.json()
    assert int(plain.headers["content-length"]) == len(plain.content)
    assert int(small.headers["content-length"]) < len(plain.content) / 5
    for page in (plain, small):
        assert page.headers["vary"] == "Accept-Encoding"
        assert page.headers["content-type"].startswith("application/vnd.openactive.rpde+json")
    assert plain.headers["etag"] != small.headers["etag"]


async def test_compressed_pages_are_standard_gzip(sqlite_world: World) -> None:
    await stock(sqlite_world)
    async with sqlite_world.client.stream("GET", FEED, headers={"Accept-Encoding": "gzip"}) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert gzip.decompress(raw) == (await sqlite_world.client.get(FEED)).content


async def test_a_small_page_is_not_compressed(sqlite_world: World) -> None:
    end = await sqlite_world.client.get(FEED, params={"afterChangeNumber": str(2**53 - 1)})
    assert "content-encoding" not in end.headers
    assert end.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_page_that_the_harvester_has_is_not_sent_again(sqlite_world: World, encoding: str) -> None:
    await stock(sqlite_world)
    headers = {"Accept-Encoding": encoding}
    for url in (FEED, f"{FEED}?afterChangeNumber={2**53 - 1}"):
        page = await sqlite_world.client.get(url, headers=headers)
        etag = page.headers["etag"]
        for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            again = await sqlite_world.client.get(url, headers={**headers, "If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
            assert again.headers["cache-control"] == page.headers["cache-control"]
            assert again.headers["vary"] == "Accept-Encoding"
            assert "content-length" not in again.headers
        other = await sqlite_world.client.get(url, headers={**headers, "If-None-Match": '"x"'})
        assert other.content == page.content


async def test_a_changed_page_has_another_entity_tag(sqlite_world: World) -> None:
    await stock(sqlite_world, 3)
    for change in (
        Publish((series(3),), actor=MANAGER),
        Publish((series(0, "Pilates"),), actor=MANAGER),
        Withdraw(sources=frozenset({"timetable"}), actor=MANAGER),
    ):
        before = await sqlite_world.client.get(FEED)
        await sqlite_world.store.execute(change)
        after = await sqlite_world.client.get(FEED, headers={"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert after.content != before.content
    again = await sqlite_world.client.get(FEED, headers={"If-None-Match": after.headers["etag"]})
    assert again.status_code == 304


async def test_head_returns_the_headers_of_get(sqlite_world: World) -> None:
    await stock(sqlite_world)
    same = {"X-Request-ID": "same"}
    head, get = await sqlite_world.client.head(FEED, headers=same), await sqlite_world.client.get(FEED, headers=same)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers


async def test_only_full_pages_are_cached(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await stock(sqlite_world)
    first = await sqlite_world.client.get(FEED)
    second = await sqlite_world.client.get(first.json()["next"])
    assert len(first.json()["items"]) == PAGE_SIZE
    read: list[int] = []
    ask = sqlite_world.store.feed_items

    async def noting(feed: Feed, after: int, limit: int) -> Any:
        read.append(after)
        return await ask(feed, after, limit)

    monkeypatch.setattr(sqlite_world.store, "feed_items", noting)
    assert (await sqlite_world.client.get(FEED)).content == first.content
    assert read == []
    await sqlite_world.client.get(first.json()["next"])
    assert read == [first.json()["items"][-1]["modified"]]
    assert len(second.json()["items"]) < PAGE_SIZE


@pytest.mark.spec("OB-FEED-10", "OB-FEED-11", "OB-FEED-19", "OB-FEED-33")
async def test_a_harvester_of_a_cached_page_receives_later_changes(world: World) -> None:
    await stock(world, 2 * PAGE_SIZE + 50)
    kept = await world.read_feed(FEED)
    assert kept[FIRST]["data"]["name"] == "Yoga"
    await world.store.execute(
        Publish((series(0, "Pilates"), series(600, "Spin"), series(9_000, "Dance")), actor=MANAGER)
    )
    others = frozenset(f"session-series/{key}" for key in (*kept, LAST) if key != SECOND)
    await world.store.execute(Withdraw(sources=frozenset({"timetable"}), keep=others, actor=MANAGER))
    assert FIRST in (await world.client.get(FEED)).text  # the old version, on the cached page
    harvested = await world.read_feed(FEED)
    stored = await world.store.feed_items(Feed("session-series"), 0, 10_000)
    assert sorted(entry["modified"] for entry in harvested.values()) == [item.modified for item in stored]
    assert harvested[FIRST]["data"]["name"] == "Pilates"
    assert harvested[SECOND]["state"] == "deleted"
    assert harvested[LAST]["data"]["name"] == "Dance"


@pytest.mark.spec("OB-OF-05")
async def test_pages_of_orders_feeds_are_not_cached(sqlite_world: World) -> None:
    for partner in ("alice", "bob"):
        page = await sqlite_world.call("GET", "orders-rpde", None, partner)
        assert page.headers["cache-control"] == "private, no-store"
        assert "etag" not in page.headers
        again = await sqlite_world.call("GET", "orders-rpde", None, partner, **{"If-None-Match": "*"})
        assert again.status_code == 200
    assert page.json() == {"next": f"{SITE}/api/orders-rpde", "items": []}


async def test_a_cached_page_expires_and_is_evicted() -> None:
    now = 0.0
    kept = PageCache(lambda: now)
    sought = PageKey("slots", 0, gzip=False)
    await kept.make(sought, making(Page([], b"x", full=True)))
    now = 59.0
    assert kept.find(sought)
    now = 61.0
    assert not kept.find(sought)
    soughts = [PageKey("slots", number, gzip=False) for number in range(200)]
    for sought in soughts:
        await kept.make(sought, making(Page([], b"x" * 1_000_000, full=True)))
    found = [sought for sought in soughts if kept.find(sought)]
    assert found == soughts[-len(found) :]
    assert 32 * 2**20 - 1_001_000 < len(found) * 1_001_000 <= 32 * 2**20


def making(page: Page, made: list[Page] | None = None, until: asyncio.Event | None = None) -> Any:
    """Return a function that makes this page and counts its calls."""

    async def make() -> Page:
        if made is not None:
            made.append(page)
        if until:
            await until.wait()
        if page.body == b"fault":
            raise StoreUnavailableError
        return page

    return make


@pytest.mark.parametrize(("body", "full", "times"), [(b"x", True, 1), (b"x", False, 3), (b"fault", True, 3)])
async def test_concurrent_requests_for_a_full_page_make_the_page_once(body: bytes, full: bool, times: int) -> None:
    """A page that is not full is made for each request, because newer items may follow. Faults are not shared."""
    kept, may_go_on, made = PageCache(), asyncio.Event(), list[Page]()
    make = making(Page([], body, full=full), made, may_go_on)
    asking = [asyncio.create_task(kept.make(PageKey("slots", 0, gzip=True), make)) for _ in range(3)]
    await asyncio.sleep(0)
    assert len(made) == 1
    may_go_on.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [isinstance(one, StoreUnavailableError) for one in found] == [body == b"fault"] * 3
    assert len(made) == times


async def test_the_next_request_makes_the_page_of_a_cancelled_request() -> None:
    kept, sought, page = PageCache(), PageKey("slots", 0, gzip=True), Page([], b"x", full=True)
    gone = asyncio.create_task(kept.make(sought, making(page, until=asyncio.Event())))
    waiting = asyncio.create_task(kept.make(sought, making(page)))
    await asyncio.sleep(0)
    gone.cancel()
    assert await waiting == page
