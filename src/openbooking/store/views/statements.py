"""The statements of the views of Orders and occurrences, for every database.

Each list is read in the order of an index, from the position where the page before ended. What no index finds is
filtered from a limited number of rows.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    Select,
    String,
    Table,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
)

from openbooking.booking.model.record import RecordKind
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.schema import (
    booked_session,
    claim,
    counted_elsewhere,
    ended_line,
    opportunity,
    personal_data,
    record,
    sold_elsewhere,
)
from openbooking.store.statements import first, is_document_of, same_record
from openbooking.store.views.people_statements import PeopleStatements

KEY_SEPARATOR = " "
_SESSION = (booked_session.c.starts, booked_session.c.opportunity)


class StoredOccurrence(NamedTuple):
    """A row of `ViewStatements.stored_occurrences`."""

    starts: int
    path: str
    booked: int
    document: bytes


class BookedOccurrence(NamedTuple):
    """A row of `ViewStatements.booked_occurrences`."""

    starts: int
    path: str
    booked: int
    sold: str | None
    ended: str | None


class Taken(NamedTuple):
    """A row of `ViewStatements.taken`."""

    what: str
    path: str
    number: int


class ListedOrder(NamedTuple):
    """A row of `ViewStatements.orders_by_date` and `orders_of_uuid`: what Orders are filtered by."""

    listed_at: int
    partner: str
    uuid: str
    status: str
    value: int


class SessionOrder(NamedTuple):
    """A row of `ViewStatements.orders_by_session` and `orders_ended_by_session`."""

    starts: int
    path: str
    partner: str
    uuid: str
    listed_at: int
    status: str
    value: int


class RecordOf(NamedTuple):
    """A row of `ViewStatements.records`."""

    partner: str
    uuid: str
    document: bytes
    personal: bytes | None


class ViewStatements:
    """The statements; each docstring lists the parameters and, after the arrow, the type of the rows."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.people = PeopleStatements(dialect)

    @cached_property
    def stored_occurrences(self) -> Statement:
        """:seller :until :after_starts :after_path :most → StoredOccurrence, in the order of starts and paths."""
        place = (opportunity.c.starts, opportunity.c.path)
        found = select(*place, opportunity.c.booked, opportunity.c.document).where(
            _is(opportunity.c.seller),
            _before(opportunity.c.starts, "until"),
            _after(place, "after_starts", "after_path"),
        )
        return self.dialect.compile(first(found.order_by(*place)))

    @cached_property
    def booked_occurrences(self) -> Statement:
        """:seller :until :after_starts :after_path :most → BookedOccurrence of Opportunities that are stored no more.

        `sold` and `ended` are the keys of the first Order with such an item that has not or has ended, as one text.
        """
        session = booked_session.c
        place = (session.starts, session.opportunity)
        is_stored = select(opportunity.c.path).where(
            opportunity.c.path == session.opportunity,
            opportunity.c.seller == session.seller,
            opportunity.c.starts.is_not(None),
        )
        spaces = func.coalesce(func.sum(claim.c.places), literal_column("0"))

        def of_sold(selected: ColumnElement[Any]) -> ColumnElement[Any]:
            orders = claim.join(record, and_(same_record(claim, record), record.c.seller == session.seller))
            sold = select(selected).select_from(orders).where(*_is_sold_at_session())
            return sold.correlate(booked_session).scalar_subquery()

        cancelled = select(_first_key(ended_line)).where(*_has_ended_at_session())
        ended = cancelled.correlate(booked_session).scalar_subquery()
        found = select(*place, of_sold(spaces), of_sold(_first_key(claim)), ended).where(
            _is(session.seller),
            _before(session.starts, "until"),
            _after(place, "after_starts", "after_path"),
            ~is_stored.exists(),
        )
        return self.dialect.compile(first(found.order_by(*place)))

    @cached_property
    def stored_occurrence(self) -> Statement:
        """:seller :path → StoredOccurrence with that path."""
        item = opportunity.c
        found = select(item.starts, item.path, item.booked, item.document)
        return self.dialect.compile(found.where(_is(item.seller), _is(item.path), item.starts.is_not(None)))

    @cached_property
    def last_session(self) -> Statement:
        """:seller :opportunity → the latest start of an item of the Opportunity in Orders; null if there is none."""
        orders = claim.join(record, and_(same_record(claim, record), _is(record.c.seller)))
        sold = select(claim.c.starts).select_from(orders).where(_is(claim.c.opportunity), claim.c.expires.is_(None))
        line = ended_line.c
        ended = select(line.starts).where(_is(line.opportunity), _is(line.seller), _is_current())
        return self.dialect.compile(select(func.max(sold.union_all(ended).subquery("session").c.starts)))

    @cached_property
    def documents_of_paths(self) -> Statement:
        """:paths → document of the Opportunities that exist."""
        these = self.dialect.among(opportunity.c.path, self.dialect.values("paths"))
        return self.dialect.compile(select(opportunity.c.document).where(these))

    @cached_property
    def catalogue(self) -> Statement:
        """:seller :after :most → document of the Opportunities without a parent, in the order of their paths."""
        found = select(opportunity.c.document).where(
            _is(opportunity.c.seller), opportunity.c.parent.is_(None), opportunity.c.path > bindparam("after")
        )
        return self.dialect.compile(first(found.order_by(opportunity.c.path)))

    @cached_property
    def coming(self) -> Statement:
        """:paths :now → path, number of the Opportunities one or two levels below that start after now."""
        top = self.dialect.values("paths").subquery("top")
        child, below = opportunity.alias("child"), opportunity.alias("below")
        children = select(top.c.value.label("path"), child.c.path.label("dated")).select_from(
            top.join(child, and_(child.c.parent == top.c.value, child.c.starts > _instant("now")))
        )
        between = top.join(child, child.c.parent == top.c.value)
        grandchildren = select(top.c.value, below.c.path).select_from(
            between.join(below, and_(below.c.parent == child.c.path, below.c.starts > _instant("now")))
        )
        dated = children.union_all(grandchildren).subquery("coming")
        return self.dialect.compile(select(dated.c.path, func.count()).group_by(dated.c.path))

    @cached_property
    def taken(self) -> Statement:
        """:paths :now → Taken: leased spaces, waiting proposals, and spaces that other software has sold."""
        spaces, live = func.sum(claim.c.places), claim.c.expires > _instant("now")
        at_paths = self.dialect.among(claim.c.opportunity, self.dialect.values("paths"))
        waits = and_(record.c.kind == _kind(RecordKind.PROPOSAL), record.c.listed_at > _instant("now"))
        proposals = claim.join(record, and_(same_record(claim, record), waits))
        found = [
            _counted("leased", spaces).where(at_paths, live),
            _counted("proposals", func.count()).select_from(proposals).where(at_paths, claim.c.expires.is_not(None)),
        ]
        grouped = [counted.group_by(claim.c.opportunity) for counted in found]
        elsewhere = select(literal_column("'elsewhere'"), sold_elsewhere.c.path, counted_elsewhere)
        sold = elsewhere.where(self.dialect.among(sold_elsewhere.c.path, self.dialect.values("paths")))
        return self.dialect.compile(grouped[0].union_all(*grouped[1:], sold))

    @cached_property
    def orders_of_opportunity(self) -> Statement:
        """:seller :opportunity :after_partner :after_uuid :most → partner, uuid; an item has not ended."""
        key = (claim.c.partner, claim.c.uuid)
        of_seller = claim.join(record, and_(same_record(claim, record), _is(record.c.seller)))
        found = select(*key).select_from(of_seller).where(_is(claim.c.opportunity), claim.c.expires.is_(None))
        after = _after(key, "after_partner", "after_uuid")
        return self.dialect.compile(first(found.where(after).order_by(*key)))

    @cached_property
    def orders_ended(self) -> Statement:
        """:seller :opportunity :after_partner :after_uuid :most → partner, uuid; an item is cancelled."""
        line, key = ended_line.c, (ended_line.c.partner, ended_line.c.uuid)
        found = select(*key).where(_is(line.opportunity), _is(line.seller), _is_current())
        after = _after(key, "after_partner", "after_uuid")
        return self.dialect.compile(first(found.where(after).distinct().order_by(*key)))

    @cached_property
    def proposals(self) -> Statement:
        """:seller :after_listed :after_partner :after_uuid :most → listed_at, partner, uuid; the first end first."""
        place = (record.c.listed_at, record.c.partner, record.c.uuid)
        found = select(*place).where(_is(record.c.seller), record.c.kind == _kind(RecordKind.PROPOSAL))
        # The comparison of one column shows that the partial index has the rows.
        after = (place[0] >= _instant("after_listed"), _after(place, "after_listed", "after_partner", "after_uuid"))
        return self.dialect.compile(first(found.where(*after).order_by(*place)))

    @cached_property
    def orders_by_date(self) -> Statement:
        """:seller :booked_from :after_listed :after_partner :after_uuid :most → ListedOrder; the newest first."""
        place = (record.c.listed_at, record.c.partner, record.c.uuid)
        found = select(*place, record.c.status, record.c.value).where(
            _is(record.c.seller),
            record.c.kind == _kind(RecordKind.ORDER),
            record.c.listed_at >= _instant("booked_from"),
            tuple_(*place) < _position(place, "after_listed", "after_partner", "after_uuid"),
        )
        return self.dialect.compile(first(found.order_by(*(column.desc() for column in place))))

    @cached_property
    def orders_by_session(self) -> Statement:
        """:seller :since :until :after_starts :after_path :after_partner :after_uuid :most → SessionOrder.

        These have an item that has not ended. Each is at its first session in the period.
        """
        sold = booked_session.join(claim, and_(*_is_sold_at_session()))
        orders = sold.join(record, and_(same_record(claim, record), record.c.seller == booked_session.c.seller))
        return self._by_session(orders, claim)

    @cached_property
    def orders_ended_by_session(self) -> Statement:
        """:seller :since :until :after_starts :after_path :after_partner :after_uuid :most → SessionOrder.

        These have a cancelled item. Each is at its first session in the period.
        """
        ended = booked_session.join(ended_line, and_(*_has_ended_at_session()))
        orders = ended.join(record, same_record(ended_line, record))
        return self._by_session(orders, ended_line)

    def _by_session(self, orders: FromClause, item: Table) -> Statement:
        """Compile the statement for the Orders of `orders`, whose keys are in `item`."""
        session = booked_session.c
        place = (*_SESSION, item.c.partner, item.c.uuid)
        some = select(*place, record.c.listed_at, record.c.status, record.c.value).select_from(orders)
        found = some.where(
            _is(session.seller),
            session.starts >= _instant("after_starts"),
            _before(session.starts, "until"),
            _after(place, "after_starts", "after_path", "after_partner", "after_uuid"),
            ~self._earlier(claim, item, lambda other: other.expires.is_(None)),
            ~self._earlier(ended_line, item, lambda other: other.replaced == literal_column("0")),
        )
        return self.dialect.compile(first(found.order_by(*place)))

    def _earlier(self, table: Table, item: Table, applies: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
        """Return the condition that the Order has an earlier session in the period, by the rows of a table."""
        other = table.alias()
        before = tuple_(other.c.starts, other.c.opportunity) < tuple_(*_SESSION)
        found = select(other.c.uuid).where(same_record(other, item), other.c.starts >= _instant("since"), before)
        return found.where(applies(other.c)).correlate(item, booked_session).exists()

    @cached_property
    def orders_in_session(self) -> Statement:
        """:keys :since :until → partner, uuid of the Orders that have an item in the period."""
        keys = self.dialect.keys()

        def in_period(table: Table, applies: ColumnElement[bool]) -> Select[Any]:
            dated = (table.c.starts >= _instant("since"), _before(table.c.starts, "until"))
            items = keys.join(table, same_record(keys, table))
            return select(table.c.partner, table.c.uuid).select_from(items).where(*dated, applies)

        sold, ended = in_period(claim, claim.c.expires.is_(None)), in_period(ended_line, _is_current())
        return self.dialect.compile(sold.union(ended))

    @cached_property
    def orders_of_uuid(self) -> Statement:
        """:seller :uuid → ListedOrder of each partner. Each partner is found by the index of the key of records."""
        lowest = select(func.min(record.c.partner).label("partner")).cte("partner", recursive=True)
        following = select(func.min(record.c.partner)).where(record.c.partner > lowest.c.partner).scalar_subquery()
        partner = lowest.union_all(select(following).where(lowest.c.partner.is_not(None)))
        orders = partner.join(record, and_(record.c.partner == partner.c.partner, _is(record.c.uuid)))
        found = select(record.c.listed_at, record.c.partner, record.c.uuid, record.c.status, record.c.value)
        of_seller = found.select_from(orders).where(_is(record.c.seller), record.c.kind == _kind(RecordKind.ORDER))
        return self.dialect.compile(of_seller)

    @cached_property
    def records(self) -> Statement:
        """:keys → RecordOf."""
        keys = self.dialect.keys()
        rows = keys.join(record, same_record(keys, record)).outerjoin(personal_data, is_document_of(record))
        found = select(record.c.partner, record.c.uuid, record.c.document, personal_data.c.document)
        return self.dialect.compile(found.select_from(rows))


def _is(column: Column[Any]) -> ColumnElement[bool]:
    return column == bindparam(column.name)


def _kind(kind: RecordKind) -> ColumnElement[str]:
    return literal_column(f"'{kind}'", String)


def _instant(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger)


def _before(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column < _instant(name)


def _after(place: Sequence[ColumnElement[Any]], *names: str) -> ColumnElement[bool]:
    """Return the condition that a row is behind the position in the parameters of these names."""
    return tuple_(*place) > _position(place, *names)


def _position(place: Sequence[ColumnElement[Any]], *names: str) -> ColumnElement[Any]:
    columns = zip(place, names, strict=True)
    return tuple_(*(bindparam(name, type_=column.type) for column, name in columns))


def _is_current() -> ColumnElement[bool]:
    return ended_line.c.replaced == literal_column("0")


def _is_at_session(table: Table) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a claim or a line is for the Opportunity and the time of a booked session."""
    return table.c.opportunity == booked_session.c.opportunity, table.c.starts == booked_session.c.starts


def _is_sold_at_session() -> tuple[ColumnElement[bool], ...]:
    return *_is_at_session(claim), claim.c.expires.is_(None)


def _has_ended_at_session() -> tuple[ColumnElement[bool], ...]:
    return *_is_at_session(ended_line), ended_line.c.seller == booked_session.c.seller, _is_current()


def _first_key(table: Table) -> ColumnElement[str]:
    """Return the least key of an Order, as one text."""
    return func.min(table.c.partner.concat(literal_column(f"'{KEY_SEPARATOR}'")).concat(table.c.uuid))


def _counted(what: str, number: ColumnElement[int]) -> Select[Any]:
    """Select a Taken."""
    return select(literal_column(f"'{what}'", String), claim.c.opportunity, number)
