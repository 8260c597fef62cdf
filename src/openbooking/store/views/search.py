"""The search for Orders, and for OrderProposals by the people in them.

Each kind of query has an index in whose order it is answered. Fields without an index are compared with a limited
number of rows, after which the page ends, and the next page goes on from there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord, ProposalRecord, RecordKind
from openbooking.booking.rules.orders.search_terms import SearchTerms, first_match, lookups
from openbooking.booking.views import OrderQuery, Page
from openbooking.openactive.ids import parse_uuid
from openbooking.store.database import Procedure, Query, record_keys
from openbooking.store.documents import microseconds
from openbooking.store.views.cursor import LARGEST, PageRequest, Position, read_cursor, write_cursor
from openbooking.store.views.pages import page_of
from openbooking.store.views.people_statements import NamedOrder, TermsOf
from openbooking.store.views.records import read_records
from openbooking.store.views.statements import ListedOrder, SessionOrder, ViewStatements

# How many rows are compared with a query for one page: those of an index alone, and those that need further look-ups.
_SCANNED, _LOOKED_UP = 1_000, 120
_LAST_CHARACTER = "\U0010ffff"

AnyOrder = ListedOrder | NamedOrder | SessionOrder


class _Fields(NamedTuple):
    """The fields of a query that are compared row by row, in the units of the database."""

    partner: str
    status: str
    value_from: int
    value_to: int
    booked_from: int
    booked_before: int

    def apply_to(self, row: AnyOrder) -> bool:
        """Whether all fields apply to the Order of a row."""
        return (
            (not self.partner or row.partner == self.partner)
            and (not self.status or row.status == self.status)
            and self.value_from <= row.value <= self.value_to
            and self.booked_from <= row.listed_at < self.booked_before
        )

    def leave_out_some(self, *, but_dates: bool = False) -> bool:
        """Whether there is an Order to which the fields, or the fields but the time of B, do not apply."""
        anything = _fields(OrderQuery())
        compared = self._replace(booked_from=anything.booked_from, booked_before=LARGEST) if but_dates else self
        return compared != anything


class _Found(NamedTuple):
    """The keys of the Orders found, and the cursor of the next page."""

    keys: list[OrderKey]
    cursor: str | None


class _Scan:
    """Collects the Orders of a page from the rows of one or several indexes."""

    def __init__(self, limit: int) -> None:
        self.keys: list[OrderKey] = []
        self.cursor: str | None = None
        self._limit = limit
        self._last: Position = ()

    def add(self, rows: Sequence[tuple[Position, AnyOrder]], most: int, applies: Callable[[AnyOrder], bool]) -> bool:
        """Add the Orders to which a condition applies; return whether the page ends here.

        Args:
            rows: The next rows of an index, each with its position.
            most: How many rows were asked for; if there are as many, others may follow.
            applies: The condition.
        """
        for here, row in rows:
            if here == self._last or not applies(row):
                continue
            if len(self.keys) == self._limit:
                self.cursor = write_cursor(self._last)
                return True
            self.keys.append(OrderKey(row.partner, row.uuid))
            self._last = here
        if len(rows) < most:
            return False
        self.cursor = write_cursor(rows[-1][0])
        return True

    @property
    def found(self) -> _Found:
        """The page."""
        return _Found(self.keys, self.cursor)


def search_orders(
    sql: ViewStatements, seller: str, query: OrderQuery, page: PageRequest
) -> Procedure[Page[OrderRecord]]:
    """Return the Orders that the query finds."""
    if parse_uuid(query.text.strip()):
        return (yield from _by_uuid(sql, seller, query, page))
    if query.text.strip():
        found = yield from _by_text(sql, seller, query, page, RecordKind.ORDER)
    elif query.session_from or query.session_before:
        found = yield from _by_session(sql, seller, query, page)
    else:
        found = yield from _by_date(sql, seller, query, page)
    return Page((yield from read_records(sql, seller, found.keys, OrderRecord)), found.cursor)


def search_proposals(sql: ViewStatements, seller: str, text: str, page: PageRequest) -> Procedure[Page[ProposalRecord]]:
    """Return the OrderProposals in which a name, e-mail address or telephone number is found."""
    found = yield from _by_text(sql, seller, OrderQuery(text=text), page, RecordKind.PROPOSAL)
    return Page((yield from read_records(sql, seller, found.keys, ProposalRecord)), found.cursor)


def _by_date(sql: ViewStatements, seller: str, query: OrderQuery, page: PageRequest) -> Procedure[_Found]:
    fields = _fields(query)
    first: Position = (fields.booked_before, "", "")
    listed, partner, uuid = min(read_cursor(page.after, first), first) if page.after else first
    most = max(_SCANNED, page.limit + 1) if fields.leave_out_some(but_dates=True) else page.limit + 1
    asked = {
        "seller": seller,
        "booked_from": fields.booked_from,
        "after_listed": listed,
        "after_partner": partner,
        "after_uuid": uuid,
        "most": most,
    }
    rows = [ListedOrder(*row) for row in (yield Query(sql.orders_by_date, asked))]
    scan = _Scan(page.limit)
    scan.add([((row.listed_at, row.partner, row.uuid), row) for row in rows], most, fields.apply_to)
    return scan.found


def _by_session(sql: ViewStatements, seller: str, query: OrderQuery, page: PageRequest) -> Procedure[_Found]:
    fields, (since, until) = _fields(query), _sessions(query)
    first: Position = (since, "", "", "")
    starts, path, partner, uuid = max(read_cursor(page.after, first), first) if page.after else first
    most = _looked_up(page.limit, compares=fields.leave_out_some())
    asked = {
        "seller": seller,
        "since": since,
        "until": until,
        "after_starts": starts,
        "after_path": path,
        "after_partner": partner,
        "after_uuid": uuid,
        "most": most,
    }
    sold = sorted(SessionOrder(*row) for row in (yield Query(sql.orders_by_session, asked)))
    ended = sorted(SessionOrder(*row) for row in (yield Query(sql.orders_ended_by_session, asked)))
    # Beyond the last row of a full answer, rows of that answer may be missing.
    complete = min((rows[-1] for rows in (sold, ended) if len(rows) == most), default=None)
    rows = [row for row in sorted({*sold, *ended}) if complete is None or row <= complete]
    scan = _Scan(page.limit)
    places = [((row.starts, row.path, row.partner, row.uuid), row) for row in rows]
    scan.add(places, len(rows) + (complete is None), fields.apply_to)
    return scan.found


def _by_text(
    sql: ViewStatements, seller: str, query: OrderQuery, page: PageRequest, kind: RecordKind
) -> Procedure[_Found]:
    fields, ways = _fields(query), lookups(query.text)
    compares = fields.leave_out_some()
    rank, *behind = read_cursor(page.after, (0, "", "", "")) if page.after else (0,)
    most = _looked_up(page.limit, compares=compares or _has_session(query) or kind is not RecordKind.ORDER)
    scan = _Scan(page.limit)
    for number in range(int(rank), len(ways)):
        way = ways[number]
        term, partner, uuid = behind if behind and number == rank else (way.value, "", "")
        asked = {
            "seller": seller,
            "after_term": term,
            "up_to": way.value if way.is_whole else f"{way.value}{_LAST_CHARACTER}",
            "after_partner": partner,
            "after_uuid": uuid,
            "most": most,
        }
        answered = [NamedOrder(*row) for row in (yield Query(sql.people.records_by_term(way.term), asked))]
        rows = sorted({*answered})  # several people in an Order may have the same term
        left = [row for row in rows if row.kind == kind and (not compares or fields.apply_to(row))]
        people = yield from _people_in(sql, left)
        left = [row for row in left if first_match(ways, people[OrderKey(row.partner, row.uuid)]) == (number, row.term)]
        in_session = yield from _in_session(sql, query, left)
        applying = {row for row in left if OrderKey(row.partner, row.uuid) in in_session}
        places = [((number, row.term, row.partner, row.uuid), row) for row in rows]
        if scan.add(places, len(rows) + (len(answered) < most), applying.__contains__):
            break
    return scan.found


def _people_in(sql: ViewStatements, rows: Sequence[NamedOrder]) -> Procedure[dict[OrderKey, list[SearchTerms]]]:
    """Return the terms of the people in these records."""
    people: dict[OrderKey, list[SearchTerms]] = defaultdict(list)
    keys = {OrderKey(row.partner, row.uuid) for row in rows}
    for found in map(TermsOf._make, (yield Query(sql.people.terms_of_records, record_keys(keys))) if keys else ()):
        terms = SearchTerms(found.family_name, found.given_name, found.email, found.telephone)
        people[OrderKey(found.partner, found.uuid)].append(terms)
    return people


def _by_uuid(sql: ViewStatements, seller: str, query: OrderQuery, page: PageRequest) -> Procedure[Page[OrderRecord]]:
    fields, asked = _fields(query), {"seller": seller, "uuid": parse_uuid(query.text.strip())}
    rows = [ListedOrder(*row) for row in (yield Query(sql.orders_of_uuid, asked))]
    keys = yield from _in_session(sql, query, [row for row in rows if fields.apply_to(row)])
    places: dict[OrderKey, Position] = {OrderKey(row.partner, row.uuid): row[:3] for row in rows}
    records = yield from read_records(sql, seller, sorted(keys), OrderRecord)
    found = [(places[record.key], record) for record in records]
    return page_of(found, page.after, page.limit, (0, "", ""), descending=True)


def _in_session(sql: ViewStatements, query: OrderQuery, rows: Iterable[AnyOrder]) -> Procedure[set[OrderKey]]:
    """Return the keys of the Orders that have an item in the period of sessions, if the query names one."""
    keys = {OrderKey(row.partner, row.uuid) for row in rows}
    if not keys or not _has_session(query):
        return keys
    since, until = _sessions(query)
    asked = {**record_keys(keys), "since": since, "until": until}
    return {OrderKey(*row) for row in (yield Query(sql.orders_in_session, asked))}


def _fields(query: OrderQuery) -> _Fields:
    """Return the fields; an Order whose time of B is unknown is in no period."""
    dated = query.booked_from is not None or query.booked_before is not None
    return _Fields(
        partner=query.partner,
        status=query.status or "",
        value_from=_hundredths(query.value_from, ROUND_CEILING, -LARGEST),
        value_to=_hundredths(query.value_to, ROUND_FLOOR, LARGEST),
        booked_from=max(_microseconds(query.booked_from, 0), int(dated)),
        booked_before=_microseconds(query.booked_before, LARGEST),
    )


def _has_session(query: OrderQuery) -> bool:
    return query.session_from is not None or query.session_before is not None


def _sessions(query: OrderQuery) -> tuple[int, int]:
    return _microseconds(query.session_from, 0), _microseconds(query.session_before, LARGEST)


def _looked_up(limit: int, *, compares: bool) -> int:
    """Return how many rows to read: one more than the page has if no row is left out."""
    return max(_LOOKED_UP, limit + 1) if compares else limit + 1


def _microseconds(at: datetime | None, otherwise: int) -> int:
    return min(max(microseconds(at), 0), LARGEST) if at is not None else otherwise


def _hundredths(amount: Decimal | None, rounding: str, otherwise: int) -> int:
    if amount is None or not amount.is_finite():
        return otherwise
    return max(min(int((100 * amount).to_integral_value(rounding)), LARGEST), -LARGEST)
