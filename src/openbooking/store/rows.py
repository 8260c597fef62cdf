"""Makes the database rows that write a change set.

The fields of each kind of row are the columns that `SaveStatements` writes for that kind, in the same order.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from secrets import token_hex
from typing import Any, NamedTuple

from openbooking.booking.model.activity import Activity
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey, PersonalData
from openbooking.booking.model.record import OrderRecord, Record
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.model.timetable import EntryKey
from openbooking.booking.rules.orders.erasure import retention_start
from openbooking.booking.rules.orders.fingerprint import personal_data_of
from openbooking.booking.rules.orders.order_lines import currency_of_order, order_status, value_of_order
from openbooking.booking.rules.orders.search_terms import CUSTOMER, search_terms
from openbooking.store.change_set import ChangeSet
from openbooking.store.documents import encode, encode_record, first_activity_id, microseconds
from openbooking.store.views.results import hundredths, listed_at, starts_of
from openbooking.store.views.rows import (
    BookedSessionRow,
    EndedLineKey,
    EndedLineRow,
    OutdatedTime,
    SalesDayRow,
    SalesSumRow,
    booked_session_rows,
    ended_line_rows,
    outdated_times,
    starts_of_sold,
)


class OpportunityKey(NamedTuple):
    """The key of an Opportunity that is removed."""

    path: str


class NewOpportunity(NamedTuple):
    """An Opportunity that is added."""

    path: str
    parent: str | None
    seller: str
    source: str
    booked: int
    starts: int | None
    court: str | None
    court_from: int | None
    court_until: int | None
    leaves_at: int | None
    document: bytes


class ChangedOpportunity(NamedTuple):
    """An Opportunity that is published again; its count of booked spaces does not change."""

    path: str
    parent: str | None
    seller: str
    source: str
    starts: int | None
    court: str | None
    court_from: int | None
    court_until: int | None
    leaves_at: int | None
    document: bytes


class BookedSpaces(NamedTuple):
    """The new count of an Opportunity's booked spaces."""

    path: str
    booked: int


class SellerRow(NamedTuple):
    """A Seller that is added or changed."""

    key: str
    document: bytes


class TimetableRow(NamedTuple):
    """An entry of a timetable that is added or changed."""

    seller: str
    key: str
    next_date: int | None
    document: bytes


class RecordRow(NamedTuple):
    """An Order, quote or proposal."""

    partner: str
    uuid: str
    kind: str
    updated: bool
    seller: str
    withheld: bool
    ends: int | None
    held_until: int | None
    size: int
    listed_at: int | None
    status: str | None
    value: int | None
    currency: str | None
    document: bytes


class ClaimKey(NamedTuple):
    """The key of a claim that is released."""

    opportunity: str
    partner: str
    uuid: str


class ClaimRow(NamedTuple):
    """A claim: the spaces of an Opportunity that a record has booked or holds."""

    opportunity: str
    partner: str
    uuid: str
    places: int
    expires: int | None
    starts: int | None


class PersonalDataKey(NamedTuple):
    """The key of the terms of an attendee, to be removed."""

    partner: str
    uuid: str
    number: int


class PersonalDataRow(NamedTuple):
    """The personal data of a record with the terms of the Customer, or the terms of an attendee; added or replaced."""

    partner: str
    uuid: str
    number: int
    seller: str
    family_name: str | None
    given_name: str | None
    email: str | None
    telephone: str | None
    document: bytes | None
    over_at: int | None


class ErasureRow(NamedTuple):
    """A note that personal data was erased or replaced, and may still be on the disk (see `postgres.purge`)."""

    partner: str
    uuid: str
    erased_at: int
    stage: int
    position: int


class FeedItemRow(NamedTuple):
    """A feed item to be added or replaced. `modified` is its change number."""

    feed: str
    partner: str
    id: str
    kind: str
    modified: int | None
    data: bytes | None
    changed_at: int


class ActivityRow(NamedTuple):
    """An entry of the activity log."""

    seller: str
    id: str
    partner: str | None
    uuid: str | None
    document: bytes


class ElsewhereShown(NamedTuple):
    """The number of spaces sold elsewhere that the feed item of an Opportunity shows now."""

    path: str
    shown: int


class OrderEventRow(NamedTuple):
    """An order event, to be told to `on_committed`."""

    id: str
    partner: str
    uuid: str
    at: int
    document: bytes


# The kinds of rows that `SaveStatements` writes, and their fields.
ROW_TYPES: Mapping[str, type[NamedTuple]] = {
    "opportunities_removed": OpportunityKey,
    "opportunities_added": NewOpportunity,
    "opportunities_changed": ChangedOpportunity,
    "sessions_moved": BookedSessionRow,
    "sellers_set": SellerRow,
    "entries_removed": EntryKey,
    "entries_set": TimetableRow,
    "records_removed": OrderKey,
    "records_added": RecordRow,
    "records_changed": RecordRow,
    "ended_lines_removed": EndedLineKey,
    "ended_lines_set": EndedLineRow,
    "sessions_booked": BookedSessionRow,
    "claims_released": ClaimKey,
    "claims_set": ClaimRow,
    "personal_set": PersonalDataRow,
    "personal_erased": OrderKey,
    "attendees_removed": PersonalDataKey,
    "booked_spaces_set": BookedSpaces,
    "published": FeedItemRow,
    "elsewhere_shown": ElsewhereShown,
    "events_added": OrderEventRow,
    "erasures": ErasureRow,
    "activity_added": ActivityRow,
    "times_outdated": OutdatedTime,
    "days_listed": SalesDayRow,
    "sums_added": SalesSumRow,
}
Rows = Mapping[str, Sequence[tuple[Any, ...]]]


def activity_rows(entries: Iterable[Activity]) -> Rows:
    """Return the rows of new entries of the activity log, whose ids sort by time."""
    return {
        "activity_added": [
            ActivityRow(
                seller=entry.seller,
                id=f"{first_activity_id(entry.at)}-{number:04x}-{token_hex(6)}",
                partner=entry.order and entry.order.partner,
                uuid=entry.order and entry.order.uuid,
                document=encode(entry),
            )
            for number, entry in enumerate(entries)
        ]
    }


def catalogue_rows(before: Situation, changes: ChangeSet) -> Rows:
    """Return the rows of changed Opportunities, Sellers and entries of timetables.

    Args:
        before: The situation that the database holds.
        changes: The changes that the batch makes.
    """
    published = {path: item for path, item in changes.opportunities.items() if item is not None}
    return {
        "opportunities_removed": [OpportunityKey(path) for path, item in changes.opportunities.items() if item is None],
        "opportunities_added": [
            _new_opportunity(item) for path, item in sorted(published.items()) if path not in before.opportunities
        ],
        "opportunities_changed": [
            _changed_opportunity(item) for path, item in published.items() if path in before.opportunities
        ],
        "sessions_moved": [
            BookedSessionRow(item.seller, microseconds(starts), path)
            for path, item in published.items()
            if changes.booked.get(path, before.spaces.get(path, Spaces()).booked) and (starts := starts_of(item))
        ],
        "sellers_set": [SellerRow(seller.key, encode(seller)) for seller in changes.sellers.values()],
        "entries_removed": [key for key, entry in changes.timetable.items() if entry is None],
        "entries_set": [
            TimetableRow(*key, next_date=_ordinal(entry.next_date), document=encode(entry))
            for key, entry in sorted(changes.timetable.items())
            if entry is not None
        ],
    }


def booking_rows(before: Situation, changes: ChangeSet, numbers: Iterable[int | None]) -> Rows:
    """Return the rows of changed records, claims, personal data, counts of booked spaces, feed items and events.

    Args:
        before: The situation that the database holds.
        changes: The changes that the batch makes.
        numbers: The change numbers of the feed items; None if they are numbered after the commit.
    """
    now = microseconds(before.now)
    rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    rows["booked_spaces_set"] += (BookedSpaces(path, booked) for path, booked in changes.booked.items())
    rows["published"] += (
        FeedItemRow(item.feed.name, item.feed.partner, item.id, item.kind, number, item.data, now)
        for item, number in zip(changes.publications, numbers, strict=False)
    )
    rows["elsewhere_shown"] += (
        ElsewhereShown(item.id, before.sold_elsewhere[item.id])
        for item in changes.publications
        if item.id in before.sold_elsewhere
    )
    rows["events_added"] += (
        OrderEventRow(event.id, event.order.partner, event.order.uuid, microseconds(event.at), encode(event))
        for event in changes.events
    )
    for key, record in sorted(changes.records.items()):
        _add_record(rows, key, before.records.get(key), record)
        rows["sessions_booked"] += booked_session_rows(before, record)
        old, new = _personal_data(before.records.get(key)), _personal_data(record)
        if new is not None and new != old:
            rows["personal_set"] += _personal_data_rows(key, old, new)
    return rows


def outdated_rows(before: Situation, changes: ChangeSet) -> Rows:
    """Return the rows that make sums of past days outdated."""
    return {"times_outdated": outdated_times(before, changes.records)}


def erasure_rows(before: Situation, changes: ChangeSet) -> Rows:
    """Return the keys of erased personal data and attendees, and notes of what was erased or replaced."""
    rows: dict[str, list[tuple[Any, ...]]] = {"personal_erased": [], "attendees_removed": [], "erasures": []}
    now = microseconds(before.now)
    for key, record in sorted(changes.records.items()):
        old = _personal_data(before.records.get(key))
        new = _personal_data(record) if old else None
        if old is not None and new is None:
            rows["personal_erased"].append(key)
        if old is not None and new is not None and new.personal.attendees != old.personal.attendees:
            removed = search_terms(old.personal).keys() - search_terms(new.personal).keys()
            rows["attendees_removed"] += [PersonalDataKey(*key, number) for number in sorted(removed)]
        if old is not None and (new is None or new.personal != old.personal):
            rows["erasures"].append(ErasureRow(key.partner, key.uuid, now, stage=0, position=0))
    return rows


def claim_rows(record: Record | None) -> dict[str, ClaimRow]:
    """Return the rows of the claims of a record, by the paths of the Opportunities."""
    if record is None:
        return {}
    starts = starts_of_sold(record)
    return {
        path: ClaimRow(path, record.partner, record.uuid, spaces, _microseconds(expires), starts.get(path))
        for path, spaces, expires in record.claims()
    }


class _PersonalData(NamedTuple):
    """The personal data of a record.

    Attributes:
        personal: The personal data.
        over_at: When the retention period begins.
        seller: The key of the Seller.
    """

    personal: PersonalData
    over_at: datetime | None
    seller: str


def _add_record(
    rows: defaultdict[str, list[tuple[Any, ...]]], key: OrderKey, before: Record | None, after: Record | None
) -> None:
    old, new = claim_rows(before), claim_rows(after)
    rows["claims_released"] += [ClaimKey(path, key.partner, key.uuid) for path in old.keys() - new.keys()]
    rows["claims_set"] += [claim for path, claim in new.items() if old.get(path) != claim]
    lines = ended_line_rows(before, after)
    rows["ended_lines_removed"] += lines.removed
    rows["ended_lines_set"] += lines.written
    if after is None:
        rows["records_removed"].append(key)
    else:
        rows["records_changed" if before else "records_added"].append(_record_row(after))


def _personal_data(record: Record | None) -> _PersonalData | None:
    personal = personal_data_of(record) if record else None
    if record is None or personal is None:
        return None
    return _PersonalData(personal, retention_start(record), record.seller)


def _personal_data_rows(key: OrderKey, old: _PersonalData | None, new: _PersonalData) -> list[PersonalDataRow]:
    """Return the rows of personal data: one with the document, and those of attendees with new terms."""
    known = search_terms(old.personal) if old else {}
    return [
        PersonalDataRow(
            *key,
            number,
            new.seller,
            *terms,
            document=encode(new.personal) if number == CUSTOMER else None,
            over_at=_microseconds(new.over_at) if number == CUSTOMER else None,
        )
        for number, terms in search_terms(new.personal).items()
        if number == CUSTOMER or known.get(number) != terms
    ]


def _record_row(record: Record) -> RecordRow:
    document = encode_record(record)
    order = record if isinstance(record, OrderRecord) else None
    return RecordRow(
        partner=record.partner,
        uuid=record.uuid,
        kind=record.kind,
        updated=record.updated,
        seller=record.seller,
        withheld=record.withheld,
        ends=_microseconds(record.ends),
        held_until=_microseconds(record.lease_expires),
        size=len(document),
        listed_at=listed_at(record),
        status=order_status(order) if order else None,
        value=hundredths(value_of_order(order)) if order else None,
        currency=currency_of_order(order) if order else None,
        document=document,
    )


def _microseconds(instant: datetime | None) -> int | None:
    return microseconds(instant) if instant else None


def _ordinal(day: date | None) -> int | None:
    return day.toordinal() if day else None


def _new_opportunity(opportunity: Opportunity) -> NewOpportunity:
    return NewOpportunity(booked=0, **_changed_opportunity(opportunity)._asdict())


def _changed_opportunity(opportunity: Opportunity) -> ChangedOpportunity:
    time = opportunity.court_time
    return ChangedOpportunity(
        path=opportunity.path,
        parent=opportunity.parent,
        seller=opportunity.seller,
        source=opportunity.source,
        starts=_microseconds(starts_of(opportunity)),
        court=time.court if time else None,
        court_from=microseconds(time.start) if time else None,
        court_until=microseconds(time.end) if time else None,
        leaves_at=_microseconds(opportunity.leaves_feed_at),
        document=encode(opportunity),
    )
