"""Lists of records: the Orders for an Opportunity, and the OrderProposals that await the Seller."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord, ProposalRecord, QuoteRecord, Record
from openbooking.booking.views import Page
from openbooking.store.database import Procedure, Query, record_keys
from openbooking.store.documents import decode_record, microseconds
from openbooking.store.views.cursor import PageRequest, Position, read_cursor, write_cursor
from openbooking.store.views.statements import RecordOf, ViewStatements

Kind = TypeVar("Kind", bound=Record)


def read_records(
    sql: ViewStatements, seller: str, keys: Sequence[OrderKey], kind: type[Kind]
) -> Procedure[tuple[Kind, ...]]:
    """Return the records of a kind with these keys, in the order of the keys.

    A record that has changed into another kind since its key was read is left out.
    """
    rows = (yield Query(sql.records, record_keys(keys))) if keys else ()
    found = {OrderKey(row.partner, row.uuid): row for row in map(RecordOf._make, rows)}
    records = [decode_record(found[key].document, found[key].personal) for key in keys if key in found]
    return tuple(record for record in records if isinstance(record, kind) and record.seller == seller)


def read_order(sql: ViewStatements, seller: str, key: OrderKey) -> Procedure[Record | None]:
    """Return an Order, OrderProposal or deleted Order of the Seller."""
    found = yield from read_records(sql, seller, [key], Record)
    return next((record for record in found if not isinstance(record, QuoteRecord)), None)


def list_bookings(sql: ViewStatements, seller: str, path: str, page: PageRequest) -> Procedure[Page[OrderRecord]]:
    """Return the Orders with an item of the Opportunity."""
    limit = page.limit
    partner, uuid = read_cursor(page.after, ("", "")) if page.after else ("", "")
    asked = {"seller": seller, "opportunity": path, "after_partner": partner, "after_uuid": uuid, "most": limit + 1}
    sold = {OrderKey(*row) for row in (yield Query(sql.orders_of_opportunity, asked))}
    ended = {OrderKey(*row) for row in (yield Query(sql.orders_ended, asked))}
    keys = sorted(sold | ended)
    records = yield from read_records(sql, seller, keys[:limit], OrderRecord)
    return Page(records, next_cursor(keys, limit))


def list_proposals(
    sql: ViewStatements, seller: str, now: datetime, page: PageRequest
) -> Procedure[Page[ProposalRecord]]:
    """Return the OrderProposals that await the Seller and whose lifetime has not ended."""
    limit = page.limit
    first: Position = (microseconds(now) + 1, "", "")
    listed, partner, uuid = max(read_cursor(page.after, first), first) if page.after else first
    asked = {"after_listed": listed, "after_partner": partner, "after_uuid": uuid, "seller": seller, "most": limit + 1}
    places = [tuple(row) for row in (yield Query(sql.proposals, asked))]
    keys = [OrderKey(partner, uuid) for _, partner, uuid in places[:limit]]
    records = yield from read_records(sql, seller, keys, ProposalRecord)
    return Page(records, next_cursor(places, limit))


def next_cursor(places: Sequence[Iterable[int | str]], limit: int) -> str | None:
    """Return the cursor behind the first rows up to the limit; None if there are no more than these."""
    return write_cursor(tuple(places[limit - 1])) if len(places) > limit else None
