"""The records of imports that follow feeds: how far each feed was read, and the items that wait for their parents."""

from datetime import datetime, timedelta

from openbooking.identity.records import IdentityRecord


class FollowedFeed(IdentityRecord, frozen=True, kw_only=True):
    """A feed that `openbooking import --follow` reads, and how far it has been imported.

    Attributes:
        source: The name of the source of the feed, which identifies it.
        since: When the reading of the feed from its first page began.
        seller: The key of the Seller of all items; None for the Sellers that the items name.
        sellers: The keys of the Sellers for which the feed has published something.
        cursor: The URL of the page to read next; empty for the first page. All pages before it are imported.
        pages: The number of pages that were imported.
        items: The number of items on these pages.
        over: The number of Opportunities that were left out because they are over.
        not_imported: The number of items that could not be imported.
        waiting: The number of items that wait for their parents.
        last_page: The URL of the last page that was imported, without credentials.
        read_at: When the last page was imported.
        current_at: When the end of the feed was last reached.
        fault: Why the last attempt to read the feed failed; empty if it succeeded.
        faults: The number of all attempts that have failed.
        failures: The number of attempts that have failed since the last one that succeeded.
        next_try: The time of the next attempt.
        rereads: Whether the feed is being read again from its first page, because it may have dropped deletions.
    """

    source: str
    since: datetime
    seller: str | None = None
    sellers: tuple[str, ...] = ()
    cursor: str = ""
    pages: int = 0
    items: int = 0
    over: int = 0
    not_imported: int = 0
    waiting: int = 0
    last_page: str = ""
    read_at: datetime | None = None
    current_at: datetime | None = None
    fault: str = ""
    faults: int = 0
    failures: int = 0
    next_try: datetime | None = None
    rereads: bool = False

    def lag(self, now: datetime) -> timedelta:
        """Return for how long the imported items may have been out of date."""
        return max(now - (self.current_at or self.since), timedelta())


class WaitingItems(IdentityRecord, frozen=True, kw_only=True):
    """Items of one page of a followed feed that wait for one parent, which has not been imported yet.

    Attributes:
        feed: `FollowedFeed.source` of the feed.
        batch: A random name of the record.
        parents: The paths that the parent may have.
        since: When the items were read.
        items: The items, as published.
    """

    feed: str
    batch: str
    parents: tuple[str, ...]
    since: datetime
    items: tuple[str, ...]
