"""The progress of a followed feed; pure functions: the next attempt, and whether the feed must be read again."""

from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.harvest.items import MAX_GAP
from openbooking.identity.import_records import FollowedFeed
from openbooking.importing.following.page_import import PartReport
from openbooking.importing.reading.source import without_credentials
from openbooking.importing.report import Outcome

# A server may ask for a longer pause than the pauses that are chosen here.
LONGEST_ASKED = timedelta(days=1)

_MAX_DOUBLINGS = 20
_CLOCK_CORRECTIONS = timedelta(hours=1)


class Pauses(NamedTuple):
    """The pauses between attempts to read a feed, in seconds.

    Attributes:
        at_end: The pause after the end of the feed was reached.
        first: The pause after a fault. It doubles with each further fault.
        longest: The longest pause after a fault.
    """

    at_end: float = 60
    first: float = 30
    longest: float = 3600


def after_page(feed: FollowedFeed, url: str, cursor: str, items: int, now: datetime) -> FollowedFeed:
    """Return the feed after one of its pages has been imported.

    Args:
        feed: The feed before.
        url: The URL of the page.
        cursor: The URL of the page to read next.
        items: The number of items on the page.
        now: The time.
    """
    return replace(
        feed,
        cursor=cursor,
        pages=feed.pages + bool(items),
        items=feed.items + items,
        last_page=without_credentials(url),
        read_at=now,
        fault="",
        failures=0,
        next_try=None,
    )


def with_report(feed: FollowedFeed, report: PartReport) -> FollowedFeed:
    """Return the feed with the figures of the report of a part of a page."""
    return replace(
        feed,
        sellers=tuple(sorted({*feed.sellers, *report.sellers})),
        over=feed.over + report.count(Outcome.OVER),
        not_imported=feed.not_imported + report.count(Outcome.FAILED),
    )


def at_end(feed: FollowedFeed, now: datetime, pauses: Pauses) -> FollowedFeed:
    """Return the feed after its end has been reached."""
    return replace(feed, current_at=now, rereads=False, next_try=now + timedelta(seconds=pauses.at_end))


def after_fault(
    feed: FollowedFeed, fault: str, now: datetime, pauses: Pauses, asked: float | None = None
) -> FollowedFeed:
    """Return the feed after an attempt that failed, with the time of the next attempt.

    Args:
        feed: The feed before.
        fault: Why the attempt failed.
        now: The time.
        pauses: The pauses.
        asked: The seconds that the server asks to wait; None if it does not say.
    """
    own = min(pauses.first * 2.0 ** min(feed.failures, _MAX_DOUBLINGS), pauses.longest)
    pause = max(own, min(asked or 0, LONGEST_ASKED.total_seconds()))
    return replace(
        feed,
        fault=fault,
        faults=feed.faults + 1,
        failures=feed.failures + 1,
        next_try=now + timedelta(seconds=pause),
    )


def seconds_to_wait(feed: FollowedFeed, now: datetime) -> float:
    """Return the seconds until the next attempt. A wait beyond the limit comes from a wrong clock, and is ignored."""
    if feed.next_try is None or not now < feed.next_try <= now + LONGEST_ASKED:
        return 0
    return (feed.next_try - now).total_seconds()


def must_read_again(feed: FollowedFeed, now: datetime) -> bool:
    """Return whether the feed may have dropped deletions since its end was reached, or its first page was read.

    A time in the future comes from a clock that was wrong, so that the true time is unknown.
    """
    gap = now - max(feed.current_at or feed.since, feed.since)
    return bool(feed.cursor) and not -_CLOCK_CORRECTIONS <= gap <= MAX_GAP


def read_again(feed: FollowedFeed, now: datetime) -> FollowedFeed:
    """Return the feed at the beginning of another reading from its first page."""
    current_at = feed.current_at if feed.current_at and feed.current_at <= now else None
    return replace(feed, cursor="", rereads=True, since=now, current_at=current_at)
