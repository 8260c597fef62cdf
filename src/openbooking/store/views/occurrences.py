"""The list of occurrences: stored Opportunities, and those that only Orders know any more."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from openbooking.booking.model.opportunity import Opportunity, parents_among
from openbooking.booking.model.order import BookedItem, OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.views import Occurrence, Page
from openbooking.store.database import Procedure, Query
from openbooking.store.documents import decode_opportunity, microseconds
from openbooking.store.views.cursor import PageRequest, Period, Position, read_cursor
from openbooking.store.views.records import next_cursor, read_records
from openbooking.store.views.statements import BookedOccurrence, StoredOccurrence, Taken, ViewStatements


def list_occurrences(
    sql: ViewStatements, seller: str, now: datetime, period: Period, page: PageRequest
) -> Procedure[Page[Occurrence]]:
    """Return the Opportunities that start in the period, in the order of their starts."""
    limit, since = page.limit, microseconds(period.since)
    first: Position = (since, "")
    starts, path = max(read_cursor(page.after, first), first) if page.after else first
    asked = {
        "seller": seller,
        "since": since,
        "until": microseconds(period.until),
        "after_starts": starts,
        "after_path": path,
        "most": limit + 1,
    }
    stored = [StoredOccurrence(*row) for row in (yield Query(sql.stored_occurrences, asked))]
    booked = [BookedOccurrence(*row) for row in (yield Query(sql.booked_occurrences, asked))]
    places = sorted([*((row.starts, row.path) for row in stored), *((row.starts, row.path) for row in booked)])
    shown = set(places[:limit])
    rows = yield from _stored(sql, [row for row in stored if (row.starts, row.path) in shown])
    rows |= yield from _only_booked(sql, seller, [row for row in booked if (row.starts, row.path) in shown])
    yield from _count(sql, now, rows)
    return Page(tuple(rows[path] for _, path in places[:limit] if path in rows), next_cursor(places, limit))


def read_occurrence(sql: ViewStatements, seller: str, path: str, now: datetime) -> Procedure[Occurrence | None]:
    """Return one occurrence of the Seller, stored or known from Orders only."""
    asked = {"seller": seller, "path": path}
    rows: dict[str, Occurrence] = yield from _stored(
        sql, [StoredOccurrence(*row) for row in (yield Query(sql.stored_occurrence, asked))]
    )
    if not rows:
        booked = [BookedOccurrence(*row) for row in (yield Query(sql.booked_occurrence, asked))]
        rows = yield from _only_booked(sql, seller, booked)
    yield from _count(sql, now, rows)
    return rows.get(path)


def _stored(sql: ViewStatements, found: Iterable[StoredOccurrence]) -> Procedure[dict[str, Occurrence]]:
    booked = {row.path: row.booked for row in found}
    known = {row.path: decode_opportunity(row.document) for row in found}
    parents: dict[str, Opportunity] = {}
    above = {item.parent for item in known.values() if item.parent}
    while above:
        rows = yield Query(sql.documents_of_paths, {"paths": sorted(above)})
        level = [decode_opportunity(document) for (document,) in rows]
        parents |= {parent.path: parent for parent in level}
        above = {parent.parent for parent in level if parent.parent} - parents.keys()
    return {
        path: Occurrence(opportunity=item, parents=parents_among(parents, item), booked=booked[path])
        for path, item in known.items()
    }


def _only_booked(sql: ViewStatements, seller: str, found: list[BookedOccurrence]) -> Procedure[dict[str, Occurrence]]:
    keys = list(dict.fromkeys(OrderKey(row.partner, row.uuid) for row in found))
    records = {record.key: record for record in (yield from read_records(sql, seller, keys, OrderRecord))}
    occurrences: dict[str, Occurrence] = {}
    for row in found:
        record = records.get(OrderKey(row.partner, row.uuid))
        item = _item(record, row) if record else None
        if item:
            shown = Occurrence(opportunity=item.opportunity, parents=item.parents, is_stored=False)
            occurrences[row.path] = shown
    return occurrences


def _item(record: OrderRecord, row: BookedOccurrence) -> BookedItem | None:
    """Return the item of the Order for the Opportunity at that time; None if it has changed since."""
    items = (item for item, _ in record.items() if item.opportunity.path == row.path)
    return next((i for i in items if i.opportunity.start and microseconds(i.opportunity.start) == row.starts), None)


def _count(sql: ViewStatements, now: datetime, rows: dict[str, Occurrence]) -> Procedure[None]:
    """Add the numbers of spaces and proposals."""
    if not rows:
        return
    only_booked = sorted(path for path, row in rows.items() if not row.is_stored)
    asked = {"paths": sorted(rows), "only_booked": only_booked, "now": microseconds(now)}
    for taken in map(Taken._make, (yield Query(sql.taken, asked))):
        rows[taken.path] = msgspec.structs.replace(rows[taken.path], **{taken.what: int(taken.number)})
