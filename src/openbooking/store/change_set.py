"""The changes that a batch of commands makes, and the feed items to publish because of them."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from openbooking.booking.model.activity import Activity
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.order_event import AnyOrderEvent
from openbooking.booking.model.record import OrderRecord, ProposalRecord, Record
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.model.timetable import EntryKey, TimetableEntry
from openbooking.booking.rules.orders.order_events import order_events
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, Feed, FeedWriter
from openbooking.openactive.ids import type_of_path
from openbooking.openactive.terms import OrderType


class Publication(NamedTuple):
    """A feed item to publish; `data` is None if the item is deleted from the feed."""

    feed: Feed
    id: str
    kind: str
    data: bytes | None


class ChangeSet(msgspec.Struct, frozen=True, kw_only=True):
    """The difference between two situations, which a store writes in one transaction.

    Attributes:
        records: Changed records by key; None for a removed one.
        opportunities: Changed Opportunities by path; None for a removed one.
        booked: Changed counts of booked spaces, by path.
        sellers: Changed Sellers by key.
        timetable: Changed entries of timetables by key; None for a removed one.
        publications: The feed items to publish, each once.
        activity: The new entries of the activity log.
        events: The order events, in their order. A store with an `EventQueue` adds them to it.
    """

    records: dict[OrderKey, Record | None]
    opportunities: dict[str, Opportunity | None]
    booked: dict[str, int]
    sellers: dict[str, Seller]
    timetable: dict[EntryKey, TimetableEntry | None]
    publications: list[Publication]
    activity: tuple[Activity, ...]
    events: tuple[AnyOrderEvent, ...] = ()

    def __bool__(self) -> bool:
        return bool(
            self.records or self.opportunities or self.sellers or self.timetable or self.publications or self.activity
        )


def changes_between(before: Situation, after: Situation, writer: FeedWriter) -> ChangeSet:
    """Return the changes from one situation to another, with the feed items to publish."""
    records = {
        key: after.records.get(key)
        for key in before.records.keys() | after.records.keys()
        if before.records.get(key) is not after.records.get(key)
    }
    return ChangeSet(
        records=records,
        opportunities={
            path: after.opportunities.get(path)
            for path in before.opportunities.keys() | after.opportunities.keys()
            if before.opportunities.get(path) is not after.opportunities.get(path)
        },
        booked={
            path: spaces.booked
            for path, spaces in after.spaces.items()
            # A new row begins with a count of 0, also the row of an Opportunity that was withdrawn and is published
            # again.
            if spaces.booked != (before.spaces.get(path, Spaces()).booked if path in before.opportunities else 0)
        },
        sellers={key: seller for key, seller in after.sellers.items() if before.sellers.get(key) is not seller},
        timetable={
            key: after.timetable.get(key)
            for key in before.timetable.keys() | after.timetable.keys()
            if before.timetable.get(key) is not after.timetable.get(key)
        },
        publications=[
            *(
                _opportunity_publication(after, path, writer)
                for path in sorted(after.touched)
                if before.on_sale(path) or after.on_sale(path)
            ),
            *(published for key in records for published in _changed_publications(before, after, key, writer)),
        ],
        activity=after.activity,
        events=tuple(event for record in records.values() if record for event in order_events(before, record)),
    )


def _opportunity_publication(situation: Situation, path: str, writer: FeedWriter) -> Publication:
    """Return the item of an Opportunity in its open feed; a deleted item if the Opportunity is not on sale."""
    type_ = type_of_path(path)
    data = None
    if situation.on_sale(path):
        opportunity = situation.opportunities[path]
        spaces = situation.spaces_taken(path)
        seller = situation.sellers[opportunity.seller]
        data = writer.opportunity(opportunity, spaces, situation.parents(opportunity), seller)
    return Publication(Feed(type_.feed), path, type_, data)


def _changed_publications(
    before: Situation, after: Situation, key: OrderKey, writer: FeedWriter
) -> Iterator[Publication]:
    """Yield the items of a record in the Orders feed and the OrderProposals feed, also items that are deleted now."""
    known = before.records.get(key)
    shown = (known.in_orders_feed, known.in_proposals_feed) if known else (False, False)
    for publication, was_shown in zip(record_publications(key, after.records.get(key), writer), shown, strict=True):
        if was_shown or publication.data is not None:
            yield publication


def record_publications(key: OrderKey, record: Record | None, writer: FeedWriter) -> tuple[Publication, Publication]:
    """Return the items of a record in the Orders feed and in the OrderProposals feed.

    The data of an item is None if its feed does not show the record.
    """
    order = writer.order(record) if isinstance(record, OrderRecord) and record.in_orders_feed else None
    proposal = writer.proposal(record) if isinstance(record, ProposalRecord) and record.in_proposals_feed else None
    return (
        Publication(Feed(ORDERS, key.partner), key.uuid, OrderType.ORDER, order),
        Publication(Feed(ORDER_PROPOSALS, key.partner), key.uuid, OrderType.PROPOSAL, proposal),
    )
