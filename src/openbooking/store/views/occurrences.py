"""The list of occurrences: stored Opportunities, and those that only Orders know any more."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity, parents_among
from openbooking.booking.model.order import BookedItem, OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.views import Occurrence, Page
from openbooking.store.database import Procedure, Query
from openbooking.store.documents import decode_opportunity, microseconds
from openbooking.store.views.cursor import PageRequest, Period, Position, read_cursor
from openbooking.store.views.records import next_cursor, read_records
from openbooking.store.views.statements import (
    KEY_SEPARATOR,
    BookedOccurrence,
    StoredOccurrence,
    Taken,
    ViewStatements,
)

# More sessions than start at one instant with paths that differ in their last letter only.
_AT_ONCE = 1000
# By start and path.
Rows = dict[tuple[int, str], Occurrence]


def list_occurrences(
    sql: ViewStatements, seller: str, now: datetime, period: Period, page: PageRequest
) -> Procedure[Page[Occurrence]]:
    """Return the Opportunities that start in the period, in the order of their starts."""
    limit, since = page.limit, microseconds(period.since)
    first: Position = (since, "")
    starts, path = max(read_cursor(page.after, first), first) if page.after else first
    asked = {
        "seller": seller,
        "until": microseconds(period.until),
        "after_starts": starts,
        "after_path": path,
        "most": limit + 1,
    }
    stored = [StoredOccurrence(*row) for row in (yield Query(sql.stored_occurrences, asked))]
    booked = [BookedOccurrence(*row) for row in (yield Query(sql.booked_occurrences, asked))]
    places = sorted([*((row.starts, row.path) for row in stored), *((row.starts, row.path) for row in booked)])
    shown = set(places[:limit])
    rows: Rows = yield from _stored(sql, [row for row in stored if (row.starts, row.path) in shown])
    rows |= yield from _only_booked(sql, seller, [row for row in booked if (row.starts, row.path) in shown])
    counted = yield from _counted(sql, now, rows)
    return Page(tuple(counted[place] for place in places[:limit] if place in counted), next_cursor(places, limit))


def read_occurrence(sql: ViewStatements, seller: str, path: str, now: datetime) -> Procedure[Occurrence | None]:
    """Return one occurrence of the Seller: as it is stored, else that of its last session that Orders know."""
    stored = yield Query(sql.stored_occurrence, {"seller": seller, "path": path})
    rows: Rows = yield from _stored(sql, [StoredOccurrence(*row) for row in stored])
    if not rows:
        rows = yield from _last_booked(sql, seller, path)
    counted = yield from _counted(sql, now, rows)
    return next(iter(counted.values()), None)


def _last_booked(sql: ViewStatements, seller: str, path: str) -> Procedure[Rows]:
    """Return the last session of an Opportunity that is stored no more; no row if Orders do not know it."""
    ((starts,),) = yield Query(sql.last_session, {"seller": seller, "opportunity": path})
    if starts is None:
        return {}
    asked = {"seller": seller, "until": starts + 1, "after_starts": starts, "after_path": path[:-1], "most": _AT_ONCE}
    found = [BookedOccurrence(*row) for row in (yield Query(sql.booked_occurrences, asked))]
    return (yield from _only_booked(sql, seller, [row for row in found if row.path == path]))


def _stored(sql: ViewStatements, found: Sequence[StoredOccurrence]) -> Procedure[Rows]:
    known = {row.path: decode_opportunity(row.document) for row in found}
    parents: dict[str, Opportunity] = {}
    above = {item.parent for item in known.values() if item.parent}
    while above:
        rows = yield Query(sql.documents_of_paths, {"paths": sorted(above)})
        level = [decode_opportunity(document) for (document,) in rows]
        parents |= {parent.path: parent for parent in level}
        above = {parent.parent for parent in level if parent.parent} - parents.keys()
    return {
        (row.starts, row.path): Occurrence(
            opportunity=known[row.path], parents=parents_among(parents, known[row.path]), booked=row.booked
        )
        for row in found
    }


def _only_booked(sql: ViewStatements, seller: str, found: list[BookedOccurrence]) -> Procedure[Rows]:
    keys = {(row.starts, row.path): key for row in found if (key := _first_key(row))}
    orders = yield from read_records(sql, seller, sorted(set(keys.values())), OrderRecord)
    records = {record.key: record for record in orders}
    occurrences: Rows = {}
    for row in found:
        key = keys.get((row.starts, row.path))
        item = _item(records[key], row) if key in records else None
        if item:
            occurrences[row.starts, row.path] = Occurrence(
                opportunity=item.opportunity, parents=item.parents, is_stored=False, booked=int(row.booked)
            )
    return occurrences


def _first_key(row: BookedOccurrence) -> OrderKey | None:
    """Return the key of the first Order with an item; None if there is none any more."""
    keys = [OrderKey(*key.split(KEY_SEPARATOR)) for key in (row.sold, row.ended) if key]
    return min(keys, default=None)


def _item(record: OrderRecord, row: BookedOccurrence) -> BookedItem | None:
    """Return the item of the Order for the Opportunity at that time; None if it has changed since."""
    items = (item for item, _ in record.items() if item.opportunity.path == row.path)
    return next((i for i in items if i.opportunity.start and microseconds(i.opportunity.start) == row.starts), None)


def _counted(sql: ViewStatements, now: datetime, rows: Rows) -> Procedure[Rows]:
    """Add the numbers of leased spaces and of proposals."""
    if not rows:
        return rows
    asked = {"paths": sorted({path for _, path in rows}), "now": microseconds(now)}
    counts: dict[str, dict[str, int]] = {}
    for taken in map(Taken._make, (yield Query(sql.taken, asked))):
        counts.setdefault(taken.path, {})[taken.what] = int(taken.number)
    return {place: replace(row, **counts.get(place[1], {})) for place, row in rows.items()}
