"""The views of the store in memory: they read every record each time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeVar

from msgspec.structs import replace

from openbooking.booking.model.activity import Activity
from openbooking.booking.model.opportunity import Opportunity, parents_among
from openbooking.booking.model.order import BookedItem, OrderKey
from openbooking.booking.model.record import ItemState, OrderRecord, ProposalRecord, QuoteRecord, Record
from openbooking.booking.rules.orders.order_lines import currency_of, order_lines, order_status, value_of
from openbooking.booking.rules.orders.search_terms import first_match, lookups, normal_name, search_terms
from openbooking.booking.views import (
    PAGE_ROWS,
    CatalogueEntry,
    Occurrence,
    OrderQuery,
    Page,
    PartnerMonth,
    PaymentRow,
    Sales,
    SalesGroup,
    SalesLine,
)
from openbooking.clock import Clock
from openbooking.openactive.ids import parse_uuid
from openbooking.openactive.terms import OrderProposalStatus
from openbooking.store.documents import microseconds
from openbooking.store.views.cursor import Position
from openbooking.store.views.pages import page_of
from openbooking.store.views.results import (
    name_of,
    payment_row,
    sold_time,
    starts_of,
)
from openbooking.store.views.sums import PartnerSums, SalesSums

Searched = TypeVar("Searched", bound=OrderRecord | ProposalRecord)

_ALL_TIMES = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class MemoryViews:
    """The views over records, Opportunities and the activity log in memory, which the store changes in place."""

    def __init__(
        self,
        records: Mapping[OrderKey, Record],
        opportunities: Mapping[str, Opportunity],
        activity: Sequence[Activity],
        clock: Clock,
    ) -> None:
        self._records = records
        self._opportunities = opportunities
        self._activity = activity
        self._clock = clock

    def of(self, seller: str) -> "MemorySellerViews":
        """Return the views of the Seller with that key."""
        return MemorySellerViews(seller, self._records, self._opportunities, self._activity, self._clock)

    async def add_up_past_days(self, sellers: Sequence[str]) -> None:
        """Do nothing: sums are made of the records each time."""


class MemorySellerViews:
    """The views of one Seller."""

    def __init__(
        self,
        seller: str,
        records: Mapping[OrderKey, Record],
        opportunities: Mapping[str, Opportunity],
        activity: Sequence[Activity],
        clock: Clock,
    ) -> None:
        self._seller = seller
        self._records = records
        self._opportunities = opportunities
        self._activity = activity
        self._clock = clock

    async def occurrences(
        self, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[Occurrence]:
        """Return the Opportunities that start in the period, stored or only booked."""
        found: list[tuple[Position, Occurrence]] = []
        for opportunity in self._opportunities.values():
            starts = starts_of(opportunity)
            if opportunity.seller == self._seller and starts and since <= starts < until:
                parents = parents_among(self._opportunities, opportunity)
                found.append(self._occurrence(starts, opportunity, parents, is_stored=True))
        for (starts, _), items in self._only_booked(since, until).items():
            item, _ = items[0]
            place, shown = self._occurrence(starts, item.opportunity, item.parents, is_stored=False)
            sold = sum(not state.status.cancelled for _, state in items)
            found.append((place, replace(shown, booked=sold)))
        return page_of(found, after, limit, (0, ""))

    async def children(
        self, parent: str, since: datetime, until: datetime, limit: int = PAGE_ROWS
    ) -> tuple[Opportunity, ...]:
        """Return the stored Opportunities directly below a parent."""
        members = [item for item in self._opportunities.values() if item.parent == parent and not item.withdrawn]
        own = sorted((item for item in members if item.seller == self._seller), key=lambda item: item.path)
        dated = sorted((starts, item.path, item) for item in own if (starts := starts_of(item)) is not None)
        parents = [item for item in own if not item.type.bookable]
        in_period = [item for starts, _, item in dated if since <= starts < until]
        return (*parents[:limit], *in_period[:limit])

    async def occurrence(self, path: str) -> Occurrence | None:
        """Return one occurrence."""
        opportunity = self._opportunities.get(path)
        starts = starts_of(opportunity) if opportunity and opportunity.seller == self._seller else None
        if opportunity is None or starts is None:
            known = [place for place in self._only_booked(*_ALL_TIMES) if place[1] == path]
            if not known:
                return None
            start, _ = max(known)
            found = await self.occurrences(
                start, start + timedelta(microseconds=1), limit=len(self._opportunities) + len(self._records)
            )
            return next((row for row in found.rows if row.path == path), None)
        parents = parents_among(self._opportunities, opportunity)
        return self._occurrence(starts, opportunity, parents, is_stored=True)[1]

    async def bookings(self, path: str, after: str = "", limit: int = PAGE_ROWS) -> Page[OrderRecord]:
        """Return the Orders with an item of the Opportunity."""
        found = [
            (record.key, record)
            for record in self._orders()
            if any(item.opportunity.path == path for item, _ in record.items())
        ]
        return page_of(found, after, limit, ("", ""))

    async def proposals(self, after: str = "", limit: int = PAGE_ROWS) -> Page[ProposalRecord]:
        """Return the OrderProposals that await the Seller."""
        found: list[tuple[Position, ProposalRecord]] = [
            ((microseconds(record.proposal.expires), *record.key), record)
            for record in self._awaiting()
            if record.proposal.expires
        ]
        return page_of(found, after, limit, (0, "", ""))

    async def proposals_of(self, text: str, after: str = "", limit: int = PAGE_ROWS) -> Page[ProposalRecord]:
        """Return the OrderProposals in which a name, e-mail address or telephone number is found."""
        proposals = (record for record in self._records.values() if isinstance(record, ProposalRecord))
        return _by_text(text, (record for record in proposals if record.seller == self._seller), after, limit)

    async def orders(self, query: OrderQuery, after: str = "", limit: int = PAGE_ROWS) -> Page[OrderRecord]:
        """Return the Orders that the query finds."""
        matching = [record for record in self._orders() if _applies(query, record)]
        uuid = parse_uuid(query.text.strip())
        if query.text.strip() and uuid is None:
            return _by_text(query.text, matching, after, limit)
        if uuid is not None:
            matching = [record for record in matching if record.uuid == uuid]
        elif query.session_from or query.session_before:
            by_session = [((*_sessions(query, record)[0], *record.key), record) for record in matching]
            return page_of(by_session, after, limit, (0, "", "", ""))
        newest_first = [((sold_time(record), *record.key), record) for record in matching]
        return page_of(newest_first, after, limit, (0, "", ""), descending=True)

    async def order(self, key: OrderKey) -> Record | None:
        """Return an Order, OrderProposal or deleted Order."""
        record = self._records.get(key)
        return None if record is None or record.seller != self._seller or isinstance(record, QuoteRecord) else record

    async def history(self, key: OrderKey) -> tuple[Activity, ...]:
        """Return the entries of the activity log about one Order."""
        return tuple(entry for entry in self._activity if entry.order == key and entry.seller == self._seller)

    async def activity(self, after: str = "", limit: int = PAGE_ROWS, until: datetime | None = None) -> Page[Activity]:
        """Return the activity log, newest first."""
        own = [
            ((number,), entry)
            for number, entry in enumerate(self._activity)
            if entry.seller == self._seller and (until is None or entry.at < until)
        ]
        return page_of(own, after, limit, (0,), descending=True)

    async def sales(self, since: datetime, until: datetime, by: SalesGroup, zone: tzinfo) -> Sales:
        """Return what was sold and cancelled in the period."""
        sums = SalesSums(by, zone)
        for _, moved in self._movements(since, until):
            sums.add_line(moved)
        return sums.total()

    async def sales_lines(
        self, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[SalesLine]:
        """Return each sale and each cancellation in the period."""
        return page_of(self._movements(since, until), after, limit, (0, "", "", 0, 0, 0))

    async def cancellations(
        self, partner: str, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[SalesLine]:
        """Return each cancellation in the period in the Orders of one partner."""
        ended = [
            (place, moved)
            for place, moved in self._movements(since, until)
            if not moved.is_sale and moved.order.partner == partner
        ]
        return page_of(ended, after, limit, (0, "", "", 0, 0, 0))

    async def payments(
        self, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[PaymentRow]:
        """Return the payments of the Orders booked in the period."""
        rows = ((record, payment_row(record)) for record in self._booked(since, until))
        found = [((sold_time(record), *record.key), row) for record, row in rows if row]
        return page_of(found, after, limit, (0, "", ""), descending=True)

    async def partners(self, since: datetime, until: datetime, zone: tzinfo) -> tuple[PartnerMonth, ...]:
        """Return the Orders booked in the period, by partner, month and currency."""
        sums = PartnerSums(zone)
        for record in self._booked(since, until):
            if record.booked and record.booked.at:
                lines = order_lines(record)
                sums.add(record.partner, record.booked.at, currency_of(lines), 1, value_of(lines))
        return sums.total()

    async def opportunities(self, after: str = "", limit: int = PAGE_ROWS, text: str = "") -> Page[CatalogueEntry]:
        """Return the Opportunities that have no parent."""
        wanted, now = normal_name(text), self._clock()
        coming: dict[str, int] = {}
        for opportunity in self._opportunities.values():
            starts = starts_of(opportunity)
            if starts and starts > now:
                for parent in parents_among(self._opportunities, opportunity):
                    coming[parent.path] = coming.get(parent.path, 0) + 1
        found: list[tuple[Position, CatalogueEntry]] = [
            ((path,), CatalogueEntry(opportunity=opportunity, coming=coming.get(path, 0)))
            for path, opportunity in self._opportunities.items()
            if opportunity.seller == self._seller
            and opportunity.parent is None
            and not opportunity.withdrawn
            and wanted in normal_name(name_of(opportunity))
        ]
        return page_of(found, after, limit, ("",))

    def _orders(self) -> Iterator[OrderRecord]:
        for record in self._records.values():
            if isinstance(record, OrderRecord) and record.seller == self._seller:
                yield record

    def _booked(self, since: datetime, until: datetime) -> Iterator[OrderRecord]:
        for record in self._orders():
            if record.booked and record.booked.at and since <= record.booked.at < until:
                yield record

    def _awaiting(self) -> Iterator[ProposalRecord]:
        now = self._clock()
        for record in self._records.values():
            if not isinstance(record, ProposalRecord) or record.seller != self._seller:
                continue
            proposal = record.proposal
            if proposal.status is OrderProposalStatus.AWAITING and proposal.expires and proposal.expires > now:
                yield record

    def _only_booked(
        self, since: datetime, until: datetime
    ) -> dict[tuple[datetime, str], list[tuple[BookedItem, ItemState]]]:
        """Return the items of each Opportunity that starts in the period and is stored no more, by start and path.

        They are in the order of the keys of their Orders.
        """
        found: dict[tuple[datetime, str], list[tuple[BookedItem, ItemState]]] = {}
        for record in sorted(self._orders(), key=lambda record: record.key):
            for item, state in record.items():
                path, starts = item.opportunity.path, item.opportunity.start
                stored = self._opportunities.get(path)
                is_stored = stored is not None and stored.seller == self._seller and starts_of(stored)
                if starts and since <= starts < until and not is_stored:
                    found.setdefault((starts, path), []).append((item, state))
        return found

    def _occurrence(
        self, starts: datetime, opportunity: Opportunity, parents: tuple[Opportunity, ...], *, is_stored: bool
    ) -> tuple[Position, Occurrence]:
        path, now = opportunity.path, self._clock()
        claims = [claim for record in self._records.values() for claim in record.claims() if claim.opportunity == path]
        return (microseconds(starts), path), Occurrence(
            opportunity=opportunity,
            parents=parents,
            is_stored=is_stored,
            booked=sum(claim.spaces for claim in claims if claim.expires is None),
            leased=sum(claim.spaces for claim in claims if claim.expires is not None and claim.expires > now),
            proposals=sum(path in record.wanted() for record in self._awaiting()),
        )

    def _movements(self, since: datetime, until: datetime) -> Iterator[tuple[Position, SalesLine]]:
        for record in self._orders():
            for line in order_lines(record):
                for is_sale, at in ((True, line.sold_at), (False, line.ended_at)):
                    if at and since <= at < until:
                        place = (line.number, line.replaced, int(not is_sale))
                        moved = SalesLine(at=at, order=record.key, is_sale=is_sale, line=line)
                        yield (microseconds(at), *record.key, *place), moved


def _by_text(text: str, records: Iterable[Searched], after: str, limit: int) -> Page[Searched]:
    """Return the records in which a name, e-mail address or telephone number is found, in the order of the terms."""
    ways = lookups(text)
    found: list[tuple[Position, Searched]] = []
    for record in records:
        match = first_match(ways, search_terms(record.order.personal).values())
        if match:
            found.append(((*match, *record.key), record))
    return page_of(found, after, limit, (0, "", "", ""))


def _sessions(query: OrderQuery, record: OrderRecord) -> list[tuple[int, str]]:
    """Return the starts and paths of the items in the period of sessions that the query names, the earliest first."""
    return sorted(
        (microseconds(line.starts), line.opportunity)
        for line in order_lines(record)
        if line.starts
        and not line.replaced
        and (query.session_from is None or line.starts >= query.session_from)
        and (query.session_before is None or line.starts < query.session_before)
    )


def _applies(query: OrderQuery, record: OrderRecord) -> bool:
    """Whether all fields of the query except the text apply to the Order."""
    booked_at = record.booked.at if record.booked else None
    value = value_of(order_lines(record))
    return all(
        (
            not query.partner or record.partner == query.partner,
            query.booked_from is None or (booked_at is not None and booked_at >= query.booked_from),
            query.booked_before is None or (booked_at is not None and booked_at < query.booked_before),
            query.status is None or order_status(record) is query.status,
            query.value_from is None or value >= query.value_from,
            query.value_to is None or value <= query.value_to,
            (query.session_from is None and query.session_before is None) or bool(_sessions(query, record)),
        )
    )
