"""`openbooking import --follow` and `openbooking import status` as a user runs them."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.command_line import OPENBOOKING, SELLER_OPTIONS, run, succeed
from support.feeds.server import serving
from support.importing.live_provider import SERIES_FEED, SESSION_FEED, LiveProvider


def test_import_follows_feeds_and_resumes_after_it_was_killed(database: Path) -> None:
    succeed("seller", "add", "willow", *SELLER_OPTIONS)
    provider = LiveProvider(1_000, 1, faulty=False)
    with serving(provider.answer) as site:
        urls = (site.url + SESSION_FEED, site.url + SERIES_FEED)
        command = (OPENBOOKING, "import", *urls, "--follow", "--every", "1", "--seller", "willow")
        _follow_until(command, lambda feeds: sum(feed["items"] for feed in feeds) > 100)
        _follow_until(command, _are_current)
        read = _status()[1]["items"]
        provider.change(20)
        _follow_until(command, lambda feeds: feeds[1]["items"] > read and _are_current(feeds))
    series, sessions = _status()
    assert (series["items"], series["waiting"], series["fault"]) == (provider.series, 0, "")
    assert sessions["last_page"].startswith(urls[0])
    assert succeed("import", "status").startswith("Feed\tState\tItems\tOver\tWaiting")
    with closing(sqlite3.connect(database)) as stored:
        (number,) = stored.execute("SELECT count(*) FROM opportunity WHERE path LIKE 'scheduled-%'").fetchone()
    assert number == len(provider.sessions())


def _follow_until(command: tuple[str, ...], is_done: Callable[[list[Any]], bool]) -> None:
    """Run the command until the state of the feeds is as wanted, and kill it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not ((feeds := _status()) and is_done(feeds)):
        assert process.poll() is None
        assert time.monotonic() < end, feeds
        time.sleep(0.2)
    process.kill()
    process.wait(20)


def _are_current(feeds: list[Any]) -> bool:
    return all(feed["state"].startswith("up to date") and not feed["waiting"] for feed in feeds)


def _status() -> list[Any]:
    return [json.loads(line) for line in succeed("import", "status", "--json").splitlines()]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("feed.json", "--follow"), "feed.json is no URL of a feed; only feeds can be followed."),
        (("https://x.example/", "https://x.example/?limit=5", "--follow"), "https://x.example/ is given twice."),
        (("https://x.example/", "--follow", "--dry-run"), "--dry-run cannot be used with --follow."),
        (("https://x.example/", "--follow", "--copy", "x"), "--copy cannot be used with --follow."),
        (("a.json", "b.json"), "Give one file or feed, or several feeds with --follow."),
        (("https://x.example/", "--follow", "--seller", "nobody"), "There is no Seller nobody"),
    ],
)
def test_what_cannot_be_followed_is_refused(arguments: tuple[str, ...], why: str) -> None:
    result = run("import", *arguments)
    assert result.exit_code
    assert why in result.output
