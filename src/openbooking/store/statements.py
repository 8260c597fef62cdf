"""The SQL statements that read and lock the rows of commands.

They are written once for all databases, in SQLAlchemy Core, and compiled to text when they are first used. Other
statements are in `save_statements`, `numbering`, `feed_pages`, `locks` and `figures`.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    type_coerce,
    update,
)

from openbooking.booking.model.record import RecordKind
from openbooking.store.courts import overlap, with_overlapping
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.schema import (
    claim,
    counted_elsewhere,
    counter,
    feed_item,
    opportunity,
    personal_data,
    record,
    seller,
    sold_elsewhere,
    timetable_entry,
    version,
)

_NOTED = counter.c.name == literal_column("'noted'")
_NOTHING = cast(null(), LargeBinary)


class SituationRow(NamedTuple):
    """A row of `Statements.situation`. The meaning of the other columns depends on the column `what`."""

    what: str
    key: str
    other: str
    booked: int
    leased: int
    document: bytes


class PersonalDataOf(NamedTuple):
    """A row of `Statements.personal_data`."""

    partner: str
    uuid: str
    document: bytes


class ExpiredRecord(NamedTuple):
    """A row of `Statements.expired_records`."""

    partner: str
    uuid: str
    size: int


class ParentOf(NamedTuple):
    """A row of `Statements.parents_of_paths`."""

    path: str
    parent: str | None


class OrderCount(NamedTuple):
    """A row of `Statements.order_counts`."""

    partner: str
    seller: str
    orders: int


class Statements:
    """The statements. Each docstring lists the parameters and, after the arrow, the columns of the result."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.one_writer = dialect.one_writer

    @cached_property
    def situation(self) -> Statement:
        """:keys :paths :lookups :seller_keys :fills :holders :now → SituationRows, which all show the same moment.

        | what | key | other | booked | leased | document | rows |
        |---|---|---|---|---|---|---|
        | record | partner | uuid | 0 | 0 | yes | the records of :keys |
        | opportunity | path | | booked spaces | leased spaces | yes | :paths, :lookups, claimed paths, and parents |
        | elsewhere | path | | spaces sold elsewhere | 0 | | of these Opportunities, claimed ones and parents |
        | withdrawn | path | | booked spaces | leased spaces | | claimed paths without an Opportunity |
        | seller | key | | 0 | 0 | yes | :seller_keys, and the Sellers of the Opportunities |
        | proposal | partner | uuid | 0 | 0 | | proposals that wait for spaces at :fills |
        | held | path | partner | 0 | leased spaces | | for :paths, the spaces that each partner of :holders holds |
        | quotes, proposals | partner | Seller | count | bytes | | what each partner of :holders holds of each Seller |
        | schema | revision | | 0 | 0 | | the revision of the schema |
        """
        keys = self.dialect.keys()
        claimed = select(claim.c.opportunity).select_from(keys.join(claim, same_record(keys, claim)))
        wanted = self.dialect.values("paths").union(self.dialect.values("lookups"), claimed)
        named = with_overlapping(wanted, "named", steps=2)
        family = select(named.c.path).cte("family", recursive=True)
        parent = select(opportunity.c.parent).where(opportunity.c.path == family.c.path).correlate(family)
        family = family.union(select(parent.scalar_subquery()).select_from(family))
        of_family = self.dialect.among(opportunity.c.path, select(family.c.path))
        live = claim.c.expires > bindparam("now")
        missing = ~select(opportunity.c.path).where(opportunity.c.path == family.c.path).exists()
        whose = select(opportunity.c.seller).where(of_family).union(self.dialect.values("seller_keys")).subquery()
        of_sellers = self.dialect.among(seller.c.key, select(whose.c[0]))
        found = [
            _row("record", record.c.partner, record.c.uuid, document=record.c.document).select_from(
                keys.join(record, same_record(keys, record))
            ),
            _row(
                "opportunity",
                opportunity.c.path,
                booked=opportunity.c.booked,
                leased=_claimed(opportunity, live),
                document=opportunity.c.document,
            ).where(of_family),
            _row("elsewhere", sold_elsewhere.c.path, booked=counted_elsewhere).where(
                self.dialect.among(sold_elsewhere.c.path, select(family.c.path))
            ),
            _row(
                "withdrawn",
                family.c.path,
                booked=_claimed(family, claim.c.expires.is_(None)),
                leased=_claimed(family, live),
            ).where(missing & select(claim.c.places).where(claim.c.opportunity == family.c.path).exists()),
            _row("seller", seller.c.key, document=seller.c.document).where(of_sellers),
            self._proposals_to_fill(),
            self._held_by_holders(live),
            self._holding("quotes", RecordKind.QUOTE),
            self._holding("proposals", RecordKind.PROPOSAL),
            _row("schema", version.c.version_num),
        ]
        return self.dialect.compile(found[0].union_all(*found[1:]))

    def _proposals_to_fill(self) -> Select[Any]:
        """Return a query of the proposals at :fills that hold no spaces now.

        A proposal that holds spaces is left out: its spaces are not for sale, so no other booking can take them.
        """
        filled = with_overlapping(self.dialect.values("fills"), "filled")
        holds_nothing = (claim.c.places == literal_column("0")) | (claim.c.expires <= bindparam("now"))
        waiting = claim.c.expires.is_not(None) & holds_nothing
        claims = filled.join(claim, (claim.c.opportunity == filled.c.path) & waiting)
        proposals = claims.join(record, same_record(claim, record))
        found = _row("proposal", record.c.partner, record.c.uuid).select_from(proposals)
        return found.where(record.c.kind == literal_column(f"'{RecordKind.PROPOSAL}'"))

    def _held_by_holders(self, live: ColumnElement[bool]) -> Select[Any]:
        wanted, holder = self.dialect.values("paths").subquery("held_at"), self.dialect.values("holders")
        claims = wanted.join(claim, (claim.c.opportunity == wanted.c[0]) & live)
        leased = func.sum(claim.c.places)
        found = _row("held", claim.c.opportunity, claim.c.partner, leased=leased).select_from(claims)
        return found.where(self.dialect.among(claim.c.partner, holder)).group_by(claim.c.opportunity, claim.c.partner)

    def _holding(self, what: str, kind: RecordKind) -> Select[Any]:
        """Return a query of the number and bytes, by Seller, of the records of a kind that hold spaces for :holders."""
        holder = self.dialect.values("holders").subquery(f"holder_of_{what}")
        holds = (record.c.partner == holder.c[0]) & (record.c.held_until > bindparam("now"))
        found = _row(what, record.c.partner, record.c.seller, booked=func.count(), leased=func.sum(record.c.size))
        of_kind = found.select_from(holder.join(record, holds)).where(record.c.kind == literal_column(f"'{kind}'"))
        return of_kind.group_by(record.c.partner, record.c.seller)

    @cached_property
    def paths_shown_wrong(self) -> Statement:
        """:feeds :most → the paths of the items in these feeds that lack a change of `sold_elsewhere`."""
        items = sold_elsewhere.join(
            feed_item, (feed_item.c.id == sold_elsewhere.c.path) & _is_in_open_feed(self.dialect)
        )
        wrong = select(sold_elsewhere.c.path).select_from(items)
        # The comparison of the two columns shows that the partial index has the rows.
        unshown = (sold_elsewhere.c.spaces != sold_elsewhere.c.shown, counted_elsewhere != sold_elsewhere.c.shown)
        outdated = wrong.where(*unshown, feed_item.c.data.is_not(None))
        return self.dialect.compile(first(outdated.order_by(sold_elsewhere.c.path)))

    @cached_property
    def paths_at_courts(self) -> Statement:
        """:court_times → the paths of the Slots that take these courts at these times."""
        wanted = self.dialect.court_times()
        found = select(opportunity.c.path).select_from(wanted.join(opportunity, overlap(wanted, opportunity)))
        return self.dialect.compile(found.distinct())

    @cached_property
    def paths_of_dated_children(self) -> Statement:
        """:parent :since :until → the paths of the children of an Opportunity that start in a period."""
        in_period = (opportunity.c.starts >= bindparam("since")) & (opportunity.c.starts < bindparam("until"))
        return self.dialect.compile(select(opportunity.c.path).where(_is(opportunity.c.parent), in_period))

    @cached_property
    def sellers_with_due_timetable(self) -> Statement:
        """:last_date :most → the Sellers of the entries of timetables with a date to publish, the earliest first."""
        due = select(timetable_entry.c.seller).where(timetable_entry.c.next_date <= bindparam("last_date"))
        return self.dialect.compile(first(due.order_by(timetable_entry.c.next_date)))

    @cached_property
    def timetables(self) -> Statement:
        """:seller_keys → the documents of the entries of their timetables."""
        of_sellers = self.dialect.among(timetable_entry.c.seller, self.dialect.values("seller_keys"))
        return self.dialect.compile(select(timetable_entry.c.document).where(of_sellers))

    @cached_property
    def leaving_paths(self) -> Statement:
        """:now :most → the paths of the Opportunities that leave the open feeds; the earliest first."""
        found = select(opportunity.c.path).where(opportunity.c.leaves_at <= bindparam("now"))
        return self.dialect.compile(first(found.order_by(opportunity.c.leaves_at)))

    @cached_property
    def personal_data(self) -> Statement:
        """:keys → partner, uuid, document of the personal data of these records.

        This is not part of `situation`, because it reads all partitions, and most bookings begin with a record that has
        no personal data.
        """
        keys = self.dialect.keys()
        found = select(personal_data.c.partner, personal_data.c.uuid, personal_data.c.document)
        return self.dialect.compile(found.select_from(keys.join(personal_data, is_document_of(keys))))

    @cached_property
    def lock(self) -> Statement:
        """:keys :paths → the paths of the Opportunities that are locked: :paths, and those that the records claim.

        Locks the rows until the transaction ends: first the records of :keys, then the Opportunities, both in the order
        of their keys.
        """
        keys = self.dialect.keys()
        locked = (
            select(record.c.partner, record.c.uuid)
            .select_from(keys.join(record, same_record(keys, record)))
            .order_by(record.c.partner, record.c.uuid)
            .with_for_update(of=record)
            .cte("locked")
        )
        claimed = select(claim.c.opportunity).select_from(locked.join(claim, same_record(locked, claim)))
        named = with_overlapping(self.dialect.values("paths").union(claimed), "named")
        found = select(opportunity.c.path).where(self.dialect.among(opportunity.c.path, select(named.c.path)))
        return self.dialect.compile(found.order_by(opportunity.c.path).with_for_update())

    @cached_property
    def lock_sellers(self) -> Statement:
        """:seller_keys → the keys of these Sellers, who are locked with their timetables until the transaction ends."""
        named = self.dialect.among(seller.c.key, self.dialect.values("seller_keys"))
        return self.dialect.compile(select(seller.c.key).where(named).order_by(seller.c.key).with_for_update())

    @cached_property
    def expired_records(self) -> Statement:
        """:now :most → partner, uuid, bytes of records whose Lease, hold or lifetime has ended; the earliest first."""
        found = select(record.c.partner, record.c.uuid, record.c.size).where(record.c.ends <= bindparam("now"))
        return self.dialect.compile(first(found.order_by(record.c.ends)))

    @cached_property
    def paths_claimed(self) -> Statement:
        """:keys → the paths of the Opportunities that these records claim."""
        keys = self.dialect.keys()
        claims = keys.join(claim, same_record(keys, claim))
        return self.dialect.compile(select(claim.c.opportunity).select_from(claims).distinct())

    @cached_property
    def records_over(self) -> Statement:
        """:over_before :most → partner, uuid of Orders with personal data that were over at that time or before."""
        found = select(personal_data.c.partner, personal_data.c.uuid)
        over = found.where(personal_data.c.over_at <= bindparam("over_before")).order_by(personal_data.c.over_at)
        return self.dialect.compile(first(over))

    @cached_property
    def records_claiming(self) -> Statement:
        """:paths → partner, uuid of records that claim spaces of these Opportunities."""
        of_paths = self.dialect.among(claim.c.opportunity, self.dialect.values("paths"))
        return self.dialect.compile(select(claim.c.partner, claim.c.uuid).where(of_paths).distinct())

    @cached_property
    def records_holding(self) -> Statement:
        """:paths :kind → partner, uuid of records of this kind with an unbooked claim on these Opportunities."""
        of_paths = self.dialect.among(claim.c.opportunity, self.dialect.values("paths"))
        held = select(claim.c.partner, claim.c.uuid).join(record, same_record(claim, record))
        found = held.where(of_paths, claim.c.expires.is_not(None), _is(record.c.kind))
        return self.dialect.compile(found.distinct())

    @cached_property
    def paths_of_sources(self) -> Statement:
        """:sources → the paths of Opportunities that were imported from these sources."""
        of_sources = self.dialect.among(opportunity.c.source, self.dialect.values("sources"))
        return self.dialect.compile(select(opportunity.c.path).where(of_sources))

    @cached_property
    def paths_of_source_prefixes(self) -> Statement:
        """:prefixes → the paths of Opportunities with a source whose name begins with one of these prefixes.

        The end of each range is the prefix and `~`, because every character that may follow a prefix sorts before `~`.
        """
        prefix = self.dialect.values("prefixes").subquery("prefix").c.value
        past_all = type_coerce(prefix, String).concat(literal_column("'~'"))
        begins = (opportunity.c.source >= prefix) & (opportunity.c.source < past_all)
        return self.dialect.compile(select(opportunity.c.path).where(begins))

    @cached_property
    def paths_of_seller(self) -> Statement:
        """:seller :after :most → the first paths above `after` of the Seller's Opportunities.

        There is no index by Seller, so reading all pages scans the whole table once.
        """
        found = select(opportunity.c.path).where(_is(opportunity.c.seller), opportunity.c.path > bindparam("after"))
        return self.dialect.compile(first(found.order_by(opportunity.c.path)))

    @cached_property
    def paths_of_children(self) -> Statement:
        """:parents → the paths of the children of these Opportunities."""
        below = self.dialect.among(opportunity.c.parent, self.dialect.values("parents"))
        return self.dialect.compile(select(opportunity.c.path).where(below))

    @cached_property
    def parents_of_paths(self) -> Statement:
        """:paths → path, parent of those Opportunities that exist."""
        these = self.dialect.among(opportunity.c.path, self.dialect.values("paths"))
        return self.dialect.compile(select(opportunity.c.path, opportunity.c.parent).where(these))

    @cached_property
    def documents_of_paths(self) -> Statement:
        """:paths → the documents of those Opportunities that exist."""
        these = self.dialect.among(opportunity.c.path, self.dialect.values("paths"))
        return self.dialect.compile(select(opportunity.c.document).where(these))

    @cached_property
    def all_sellers(self) -> Statement:
        """→ the documents of all Sellers, ordered by key."""
        return self.dialect.compile(select(seller.c.document).order_by(seller.c.key))

    @cached_property
    def records_of_partnership(self) -> Statement:
        """:partner :seller :withheld :most → partner, uuid of records of a partner with a Seller, withheld or not."""
        found = select(record.c.partner, record.c.uuid).where(
            _is(record.c.partner), _is(record.c.seller), _is(record.c.withheld)
        )
        return self.dialect.compile(first(found))

    @cached_property
    def order_counts(self) -> Statement:
        """:kind → partner, seller, how many records of this kind the partner has with the Seller."""
        found = select(record.c.partner, record.c.seller, func.count()).where(_is(record.c.kind))
        return self.dialect.compile(found.group_by(record.c.partner, record.c.seller))

    @cached_property
    def noted_time(self) -> Statement:
        """→ the time that `note_time` stored last."""
        return self.dialect.compile(select(counter.c.value).where(_NOTED))

    @cached_property
    def note_time(self) -> Statement:
        """:at → nothing. Stores the last time at which the database was in use."""
        return self.dialect.compile(update(counter).where(_NOTED).values(value=bindparam("at")))

    @cached_property
    def forget_deleted(self) -> Statement:
        """:before :most → a row for each removed feed item. These are some of those deleted before that time."""
        address = self.dialect.row_address(feed_item)
        old = feed_item.c.data.is_(None) & (feed_item.c.changed_at < bindparam("before"))
        some = first(select(address).select_from(feed_item).where(old).correlate(None))
        removed = delete(feed_item).where(self.dialect.among(address, some))
        return self.dialect.compile(removed.returning(literal_column("1")))


def _is(column: Column[Any]) -> ColumnElement[bool]:
    return column == bindparam(column.name)


def first(found: Select[Any]) -> Select[Any]:
    """Return the query limited to its first :most rows.

    Without an explicit offset, SQLAlchemy adds a parameter for the offset on SQLite.
    """
    return found.limit(bindparam("most")).offset(literal_column("0"))


def same_record(one: Any, other: Any) -> ColumnElement[bool]:
    """Return the condition that the rows of two tables belong to the same record."""
    return and_(one.c.partner == other.c.partner, one.c.uuid == other.c.uuid)


def is_document_of(records: Any) -> ColumnElement[bool]:
    """Return the condition that a row of personal data has the document of a record in another table."""
    return and_(same_record(records, personal_data), personal_data.c.number == literal_column("0"))


def _claimed(of: Any, condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Return the sum of the spaces in claims on an Opportunity.

    Args:
        of: A table with the path of the Opportunity.
        condition: Which claims count.
    """
    total = select(func.coalesce(func.sum(claim.c.places), literal_column("0")))
    return total.where(claim.c.opportunity == of.c.path, condition).correlate(of).scalar_subquery()


def _is_in_open_feed(dialect: Dialect) -> ColumnElement[bool]:
    """Return the condition that a feed item is in one of :feeds, which are open feeds."""
    return dialect.among(feed_item.c.feed, dialect.values("feeds")) & (feed_item.c.partner == literal_column("''"))


def _row(
    what: str,
    *key: ColumnElement[Any],
    booked: ColumnElement[int] | None = None,
    leased: ColumnElement[int] | None = None,
    document: ColumnElement[bytes] = _NOTHING,
) -> Select[Any]:
    """Return a query of SituationRows with this `what`; columns that are not passed are empty."""
    nothing: Sequence[ColumnElement[Any]] = (literal_column("''"),) * (2 - len(key))
    none: ColumnElement[int] = literal_column("0", Integer)
    return select(
        literal_column(f"'{what}'").label("what"),
        *key,
        *nothing,
        none if booked is None else booked,
        none if leased is None else leased,
        document,
    )
