"""The progress of followed feeds: pauses after faults, and readings from the first page."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from openbooking.identity.import_records import FollowedFeed
from openbooking.importing.following.progress import (
    Pauses,
    after_fault,
    after_page,
    at_end,
    must_read_again,
    read_again,
    seconds_to_wait,
)

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
URL = "https://provider.example.com/feed"
FEED = FollowedFeed(source=URL, since=NOW)
READ = after_page(FEED, f"{URL}?api_key=secret&page=1", f"{URL}?page=2", 5, NOW)
PAUSES = Pauses(at_end=60, first=30, longest=3600)


def test_pauses_after_faults_double_up_to_an_hour() -> None:
    feed, pauses = FEED, []
    for _ in range(9):
        feed = after_fault(feed, "status 500", NOW, PAUSES)
        pauses.append(seconds_to_wait(feed, NOW))
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert (feed.failures, feed.faults, feed.fault) == (9, 9, "status 500")
    later = after_page(feed, URL, URL, 1, NOW)
    assert (later.failures, later.faults, later.fault, later.next_try) == (0, 9, "", None)


@pytest.mark.parametrize(("asked", "pause"), [(5, 30), (7200, 7200), (10**18, 86_400), (None, 30)])
def test_a_pause_is_as_long_as_the_server_asks_within_a_day(asked: float | None, pause: float) -> None:
    assert seconds_to_wait(after_fault(FEED, "status 429", NOW, PAUSES, asked), NOW) == pause


@pytest.mark.parametrize(("passed", "seconds"), [(0, 60), (20, 40), (60, 0), (3600, 0), (-30 * 86_400, 0)])
def test_a_wait_that_comes_from_a_wrong_clock_is_ignored(passed: float, seconds: float) -> None:
    assert seconds_to_wait(at_end(READ, NOW, PAUSES), NOW + timedelta(seconds=passed)) == seconds


@pytest.mark.parametrize(
    ("feed", "days", "again"),
    [
        (FEED, 30, False),
        (READ, 6, False),
        (READ, 6.01, True),
        (at_end(READ, NOW + timedelta(days=2), PAUSES), 8, False),
        (at_end(READ, NOW + timedelta(days=2), PAUSES), 8.01, True),
        (at_end(READ, NOW + timedelta(days=2), PAUSES), 2, False),
        (at_end(READ, NOW + timedelta(days=2), PAUSES), 1.9, True),
    ],
)
def test_a_feed_is_read_again_after_six_days_and_after_a_wrong_clock(
    feed: FollowedFeed, days: float, again: bool
) -> None:
    now = NOW + timedelta(days=days)
    assert must_read_again(feed, now) is again
    assert not must_read_again(replace(read_again(feed, now), cursor=URL), now)


def test_the_last_page_is_shown_without_credentials() -> None:
    assert (READ.last_page, READ.cursor, READ.pages, READ.items) == (f"{URL}?page=1", f"{URL}?page=2", 1, 5)


def test_the_lag_counts_from_the_last_end_of_the_feed() -> None:
    later = NOW + timedelta(hours=3)
    assert READ.lag(later) == timedelta(hours=3)
    assert at_end(READ, NOW + timedelta(hours=2), PAUSES).lag(later) == timedelta(hours=1)
    assert at_end(READ, NOW + timedelta(days=2), PAUSES).lag(later) == timedelta()
