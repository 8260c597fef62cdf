"""The statements of the integrity check, which reads all tables in the order of their keys."""

from functools import cached_property
from typing import NamedTuple

from sqlalchemy import bindparam, func, literal_column, select, tuple_

from openbooking.store.courts import with_overlapping
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.numbering import MODIFIED
from openbooking.store.schema import (
    claim,
    counted_elsewhere,
    counter,
    ended_line,
    feed_item,
    opportunity,
    personal_data,
    record,
    sold_elsewhere,
)
from openbooking.store.statements import Statements, first, is_document_of, same_record

_OPEN = feed_item.c.partner == literal_column("''")


class StoredRecord(NamedTuple):
    """A row of `records_after`."""

    partner: str
    uuid: str
    document: bytes
    personal: bytes | None


class OrderFeedItem(NamedTuple):
    """A row of `feed_items_of_records`."""

    feed: str
    partner: str
    uuid: str
    data: bytes | None


class StoredOpportunity(NamedTuple):
    """A row of `opportunities_after`.

    Attributes:
        path: The path of the Opportunity.
        counted: The stored count of booked spaces.
        claimed: The booked spaces in claims.
        document: The Opportunity.
    """

    path: str
    counted: int
    claimed: int
    document: bytes


class SlotOfCourt(NamedTuple):
    """A row of `slots_overlapping`: a Slot that shares a court, the time it takes, and its booked spaces in claims."""

    path: str
    court: str
    court_from: int
    court_until: int
    claimed: int


class StoredLease(NamedTuple):
    """A row of `leases_of`."""

    path: str
    spaces: int
    expires: int


class OpenFeedItem(NamedTuple):
    """A row of `open_feed_items`."""

    feed: str
    id: str
    data: bytes | None


class IntegrityStatements:
    """The statements. Each docstring lists the parameters and, after the arrow, the columns of the result."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def records_after(self) -> Statement:
        """:partner :uuid :most → partner, uuid, document, personal document of the records after that key."""
        after = tuple_(record.c.partner, record.c.uuid) > tuple_(bindparam("partner"), bindparam("uuid"))
        personal = personal_data.c.document.label("personal")
        found = select(record.c.partner, record.c.uuid, record.c.document, personal).select_from(
            record.outerjoin(personal_data, is_document_of(record))
        )
        return self._dialect.compile(first(found.where(after).order_by(record.c.partner, record.c.uuid)))

    @cached_property
    def claims_of_records(self) -> Statement:
        """:keys → opportunity, partner, uuid, spaces, expires, starts of the claims of these records."""
        keys = self._dialect.keys()
        return self._dialect.compile(select(claim).select_from(keys.join(claim, same_record(keys, claim))))

    @cached_property
    def ended_lines_of_records(self) -> Statement:
        """:keys → the columns of `ended_line`."""
        keys = self._dialect.keys()
        lines = keys.join(ended_line, same_record(keys, ended_line))
        return self._dialect.compile(select(ended_line).select_from(lines))

    @cached_property
    def feed_items_of_records(self) -> Statement:
        """:feeds :keys → feed, partner, uuid, data of the items of these records."""
        keys = self._dialect.keys()
        same = (feed_item.c.partner == keys.c.partner) & (feed_item.c.id == keys.c.uuid)
        of_feeds = self._dialect.among(feed_item.c.feed, self._dialect.values("feeds"))
        found = select(feed_item.c.feed, feed_item.c.partner, feed_item.c.id, feed_item.c.data)
        return self._dialect.compile(found.select_from(keys.join(feed_item, same & of_feeds)))

    @cached_property
    def opportunities_after(self) -> Statement:
        """:path :most → path, count of booked spaces, booked spaces in claims, document of the first above :path."""
        booked_claims = (claim.c.opportunity == opportunity.c.path) & claim.c.expires.is_(None)
        sold = select(func.coalesce(func.sum(claim.c.places), literal_column("0"))).where(booked_claims)
        found = select(opportunity.c.path, opportunity.c.booked, sold.scalar_subquery(), opportunity.c.document)
        after = found.where(opportunity.c.path > bindparam("path"))
        return self._dialect.compile(first(after.order_by(opportunity.c.path)))

    @cached_property
    def sold_elsewhere(self) -> Statement:
        """:paths → path, and the spaces that other software has sold, as the feed shows them and now."""
        of_paths = self._dialect.among(sold_elsewhere.c.path, self._dialect.values("paths"))
        found = select(sold_elsewhere.c.path, sold_elsewhere.c.shown, counted_elsewhere)
        return self._dialect.compile(found.where(of_paths))

    @cached_property
    def slots_overlapping(self) -> Statement:
        """:paths → SlotsOfCourt: those of these Slots that share a court, and the Slots that overlap them."""
        named = with_overlapping(self._dialect.values("paths"), "named")
        columns = opportunity.c.path, opportunity.c.court, opportunity.c.court_from, opportunity.c.court_until
        booked_claims = (claim.c.opportunity == opportunity.c.path) & claim.c.expires.is_(None)
        sold = select(func.coalesce(func.sum(claim.c.places), literal_column("0"))).where(booked_claims)
        found = select(*columns, sold.scalar_subquery()).where(
            self._dialect.among(opportunity.c.path, select(named.c.path)), opportunity.c.court.is_not(None)
        )
        return self._dialect.compile(found)

    @cached_property
    def documents_of_paths(self) -> Statement:
        """:paths → the documents of those Opportunities that exist."""
        return Statements(self._dialect).documents_of_paths

    @cached_property
    def leases_of(self) -> Statement:
        """:paths → path, spaces, expires of Leases, including ended Leases."""
        of_paths = self._dialect.among(claim.c.opportunity, self._dialect.values("paths"))
        found = select(claim.c.opportunity, claim.c.places, claim.c.expires)
        return self._dialect.compile(found.where(of_paths, claim.c.expires.is_not(None)))

    @cached_property
    def open_feed_items(self) -> Statement:
        """:feeds :paths → feed, id, data of the items of these Opportunities in open feeds."""
        found = select(feed_item.c.feed, feed_item.c.id, feed_item.c.data).where(_OPEN)
        of_feeds = self._dialect.among(feed_item.c.feed, self._dialect.values("feeds"))
        of_paths = self._dialect.among(feed_item.c.id, self._dialect.values("paths"))
        return self._dialect.compile(found.where(of_feeds, of_paths))

    @cached_property
    def claims_without_record(self) -> Statement:
        """:most → opportunity, partner, uuid of claims whose record does not exist."""
        its_record = select(record.c.uuid).where(same_record(record, claim)).exists()
        found = select(claim.c.opportunity, claim.c.partner, claim.c.uuid).where(~its_record)
        return self._dialect.compile(first(found))

    @cached_property
    def ended_lines_without_record(self) -> Statement:
        """:most → opportunity, partner, uuid."""
        its_record = select(record.c.uuid).where(same_record(record, ended_line)).exists()
        found = select(ended_line.c.opportunity, ended_line.c.partner, ended_line.c.uuid).where(~its_record)
        return self._dialect.compile(first(found))

    @cached_property
    def personal_data_without_record(self) -> Statement:
        """:most → partner, uuid of personal data whose record does not exist."""
        its_record = select(record.c.uuid).where(same_record(record, personal_data)).exists()
        return self._dialect.compile(first(select(personal_data.c.partner, personal_data.c.uuid).where(~its_record)))

    @cached_property
    def open_feed_items_without_opportunity(self) -> Statement:
        """:most → feed, id of items in open feeds whose Opportunity does not exist."""
        its_opportunity = select(opportunity.c.path).where(opportunity.c.path == feed_item.c.id).exists()
        shown = select(feed_item.c.feed, feed_item.c.id).where(_OPEN, feed_item.c.data.is_not(None))
        return self._dialect.compile(first(shown.where(~its_opportunity)))

    @cached_property
    def feed_items_pending_since(self) -> Statement:
        """:before :most → feed, id of items without a change number that changed before that time."""
        waiting = select(feed_item.c.feed, feed_item.c.id).where(feed_item.c.modified.is_(None))
        return self._dialect.compile(first(waiting.where(feed_item.c.changed_at < bindparam("before"))))

    @cached_property
    def highest_numbers(self) -> Statement:
        """→ the last change number by the counter, the highest change number in any feed."""
        highest = select(func.max(feed_item.c.modified)).scalar_subquery()
        return self._dialect.compile(select(counter.c.value, highest).where(MODIFIED))
