"""The async and the sync client over HTTP: requests, copies, and ends of the reading."""

import asyncio
import gzip
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from openbooking.harvest import client as harvest_client
from openbooking.harvest.client import HarvestOptions, async_client, harvest, harvest_async, sync_client
from openbooking.harvest.copy import Copy
from openbooking.harvest.reader import End, Limits, Received
from support.feeds.answers import Answer, item, ok, page
from support.feeds.server import Site, serving

FEED = "/feed"
SECOND = "/feed?afterChangeNumber=1"
Client = Callable[..., list[Received | End]]
QUICK = Limits(first_pause=0, longest_pause=0)


def read_sync(
    url: str, copy: Copy, options: HarvestOptions | None = None, verify: ssl.SSLContext | None = None
) -> list[Received | End]:
    with httpx2.Client(verify=verify) if verify else sync_client() as client:
        return list(harvest(url, copy, client, options))


def read_async(
    url: str, copy: Copy, options: HarvestOptions | None = None, verify: ssl.SSLContext | None = None
) -> list[Received | End]:
    async def read() -> list[Received | End]:
        client = httpx2.AsyncClient(verify=verify) if verify else async_client()
        async with client, aclosing(harvest_async(url, copy, client, options)) as steps:
            return [step async for step in steps]

    return asyncio.run(read())


@pytest.fixture(params=[read_sync, read_async])
def read(request: pytest.FixtureRequest) -> Client:
    client: Client = request.param
    return client


def ids(copy: Copy) -> list[str]:
    return [copied.id for copied in copy.items()]


def test_a_second_harvest_continues_at_the_end_of_the_first(read: Client, tmp_path: Path) -> None:
    answers = {FEED: ok(SECOND, item(1, "a")), SECOND: ok(SECOND)}
    with serving(answers.__getitem__) as site:
        with Copy(tmp_path / "copy") as copy:
            assert read(site.url + FEED, copy)[-1] == End(site.url + SECOND)
            assert ids(copy) == ["a"]
        third = "/feed?afterChangeNumber=2"
        answers |= {SECOND: ok(third, item(2, "b"), item(2, "a", state="deleted")), third: ok(third)}
        with Copy(tmp_path / "copy") as copy:
            assert read(site.url + FEED, copy)[-1] == End(site.url + third)
            assert [(copied.id, copied.deleted) for copied in copy.items()] == [("b", False), ("a", True)]
    assert [path for path, _ in site.asked] == [FEED, SECOND, SECOND, third]


def test_requests_carry_user_agent_and_authorization(read: Client) -> None:
    with serving({FEED: ok(FEED)}.__getitem__) as site, Copy() as copy:
        read(site.url + FEED, copy, HarvestOptions(headers={"Authorization": "Bearer secret"}))
    ((_, headers),) = site.asked
    assert headers["accept-encoding"] == "gzip"
    assert headers["authorization"] == "Bearer secret"
    assert headers["user-agent"].startswith("openbooking/")


@pytest.mark.parametrize("lead", ["next", "location"])
def test_headers_are_sent_to_no_other_host(read: Client, lead: str) -> None:
    with serving({"/": ok("/")}.__getitem__) as other:
        there = other.url.replace("127.0.0.1", "localhost")
        first = ok(there, item(1)) if lead == "next" else Answer(status=302, headers=(("Location", there),))
        with serving({FEED: first}.__getitem__) as site, Copy() as copy:
            end = read(site.url + FEED, copy, HarvestOptions(headers={"Authorization": "Bearer secret"}))[-1]
    assert "another host" in end.fault  # type: ignore[union-attr] # the last step is the end
    assert other.asked == []


def trusting(site: Site) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(site.certificate))


def test_a_feed_read_by_https_stays_on_https_if_its_next_is_http(read: Client, tmp_path: Path) -> None:
    where: list[str] = []

    def answer(path: str) -> Answer:
        insecure = where[0].replace("https://", "http://")
        return ok(insecure + SECOND, *([item(1, "a")] if path == FEED else []))

    with serving(answer, tmp_path) as site, Copy() as copy:
        where.append(site.url)
        steps = read(site.url + FEED, copy, HarvestOptions(), trusting(site))
        assert (ids(copy), steps[-1]) == (["a"], End(site.url + SECOND))


def test_a_broken_connection_is_retried(read: Client) -> None:
    failures = [
        Answer(page(SECOND, item(1, "a"))[:20], breaks=True),
        Answer(b"", breaks=True),
        Answer(gzip.compress(page(SECOND, item(1)))[:20], headers=(("Content-Encoding", "gzip"),)),
    ]

    def answer(path: str) -> Answer:
        if path == FEED:
            return failures.pop() if failures else ok(SECOND, item(1, "a"))
        return ok(SECOND)

    with serving(answer) as site, Copy() as copy:
        assert read(site.url + FEED, copy, HarvestOptions(limits=QUICK))[-1] == End(site.url + SECOND)
        assert ids(copy) == ["a"]


def test_a_decompression_bomb_ends_the_reading(read: Client) -> None:
    twice = gzip.compress(gzip.compress(bytes(50_000_000)))
    for coding, why in (("gzip, gzip", "'gzip, gzip', and not gzip"), ("gzip", "not valid JSON")):
        bomb = Answer(twice, headers=(("Content-Encoding", coding),))
        with serving({FEED: ok(SECOND, item(1, "a")), SECOND: bomb}.__getitem__) as site, Copy() as copy:
            end = read(site.url + FEED, copy, HarvestOptions(limits=QUICK))[-1]
            assert (ids(copy), end.url) == (["a"], site.url + SECOND)
            assert why in end.fault  # type: ignore[union-attr] # the last step is the end


def test_an_unreachable_and_a_slow_server_end_the_reading(read: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with Copy() as copy:
        end = read("http://127.0.0.1:9/feed", copy, HarvestOptions(limits=QUICK))[-1]
        assert isinstance(end, End)
        assert end.fault.endswith(", 5 times")
    monkeypatch.setattr(harvest_client, "SECONDS_A_PAGE", -1)
    with serving({FEED: ok(FEED)}.__getitem__) as site, Copy() as copy:
        assert read(site.url + FEED, copy, HarvestOptions(limits=QUICK))[-1] != End(site.url + FEED)


def test_a_copy_that_cannot_be_written_ends_the_reading(read: Client) -> None:
    with serving({FEED: ok(SECOND, item(1, "a")), SECOND: ok(SECOND)}.__getitem__) as site, Copy() as copy:
        copy._db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON harvest_item BEGIN SELECT raise(ABORT, 'disk full'); END"
        )
        (end,) = read(site.url + FEED, copy)
    assert end.fault == "the temporary copy of the feed cannot be used: disk full"  # type: ignore[union-attr]


def test_an_unexpected_error_in_a_page_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("odd")

    with (
        serving({FEED: ok(SECOND, item(1, "a")), SECOND: ok(SECOND, item(2, "b"))}.__getitem__) as site,
        Copy() as copy,
    ):
        with sync_client() as client:
            steps = harvest(site.url + FEED, copy, client)
            next(steps)
            monkeypatch.setattr("openbooking.harvest.items.read_envelope", fail)
            (end,) = steps
        assert end == End(site.url + SECOND, "the page cannot be stored: ValueError odd")
        assert (ids(copy), copy.start(site.url + FEED, datetime.now(UTC))) == (["a"], site.url + SECOND)


def test_the_client_imports_no_server_library() -> None:
    code = "import sys, openbooking.harvest.client; print(*(name.partition('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "httpx2" in loaded
    assert not loaded & {"starlette", "uvicorn", "sqlalchemy", "structlog", "typer", "jinja2", "asyncpg", "alembic"}


def test_a_copy_is_current_at_the_time_of_the_last_request(read: Client) -> None:
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in range(9, 0, -1)]
    with serving({FEED: ok(FEED)}.__getitem__) as site, Copy() as copy:
        read(site.url + FEED, copy, HarvestOptions(clock=times.pop))
        (current_at,) = copy._db.execute("SELECT current_at FROM harvest_feed").fetchone()
    assert datetime.fromtimestamp(current_at, UTC) == datetime(2026, 1, 2, tzinfo=UTC)


def test_a_url_that_the_client_refuses_is_not_retried(read: Client) -> None:
    with Copy() as copy:
        (end,) = read(f"http://{'x' * 64}.example/feed".replace("x", "\N{LATIN SMALL LETTER E WITH ACUTE}"), copy)
    assert isinstance(end, End)
    assert end.fault
