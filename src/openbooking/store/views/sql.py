"""The views of a store in a database."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from openbooking.booking.model.activity import Activity
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord, ProposalRecord, Record
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
from openbooking.store.database import Database, Procedure, ask
from openbooking.store.dialect import Dialect, statements_for
from openbooking.store.documents import instant, microseconds
from openbooking.store.save_statements import SaveStatements
from openbooking.store.views.activity import ActivityStatements, list_activity, read_history
from openbooking.store.views.catalogue import list_catalogue
from openbooking.store.views.children import ChildrenStatements, list_children
from openbooking.store.views.cursor import PageRequest, Period
from openbooking.store.views.day_statements import DayStatements, OutdatedDay
from openbooking.store.views.money import (
    SalesStatements,
    add_up_day,
    add_up_partners,
    add_up_sales,
    list_cancellations,
    list_payments,
    list_sales_lines,
)
from openbooking.store.views.money_statements import MoneyStatements
from openbooking.store.views.occurrences import list_occurrences, read_occurrence
from openbooking.store.views.past_days import list_days, save_day
from openbooking.store.views.records import list_bookings, list_proposals, read_order
from openbooking.store.views.rows import SETTLED_AFTER
from openbooking.store.views.search import search_orders, search_proposals
from openbooking.store.views.statements import ViewStatements

# Decisions read on connections of the same pool, so views leave some of them free.
_AT_ONCE = 2
# How many days are read at once that are to be added up.
_DAYS_AT_ONCE = 100
T = TypeVar("T")


class Read(Protocol):
    """Runs a procedure that writes nothing."""

    async def __call__(self, make: Callable[[], Procedure[T]]) -> T:
        """Return the result of the procedure."""
        ...


class _Statements(NamedTuple):
    """The statements of all views."""

    records: ViewStatements
    sales: SalesStatements
    activity: ActivityStatements
    children: ChildrenStatements


class _Reads(NamedTuple):
    """The ways to run a procedure: one query after the other, and with all queries at the same moment."""

    one_by_one: Read
    at_once: Read


class SqlViews:
    """The views over a database. They read outside the event loop and lock nothing."""

    def __init__(self, database: Database, dialect: Dialect, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._sql = _Statements(
            statements_for(dialect, ViewStatements),
            SalesStatements(statements_for(dialect, MoneyStatements), statements_for(dialect, DayStatements)),
            statements_for(dialect, ActivityStatements),
            statements_for(dialect, ChildrenStatements),
        )
        self._saves = statements_for(dialect, SaveStatements)
        self._clock = clock
        self._zone = zone
        # A transaction that began before a day was listed cannot make it outdated. So it must end before the day is
        # added up. With one writer it has ended.
        self._listed_for = timedelta() if dialect.one_writer else SETTLED_AFTER
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def of(self, seller: str) -> "SqlSellerViews":
        """Return the views of the Seller with that key."""
        return SqlSellerViews(seller, self._sql, self._clock, _Reads(self._read, self._snapshot))

    async def add_up_past_days(self, sellers: Sequence[str]) -> None:
        """Add up the sales of the days that have ended, each in a transaction of its own."""
        days = self._sql.sales.days
        for seller in sellers:
            listing = partial(self._list_days, seller)
            while await self._database.write(listing):
                pass
        asked = {"listed_by": microseconds(self._clock() - self._listed_for), "most": _DAYS_AT_ONCE}
        while rows := await self._read(partial(ask, days.outdated, **asked)):
            for day in map(OutdatedDay._make, rows):
                period = Period(instant(day.since), instant(day.until))
                sums = await self._read(partial(add_up_day, self._sql.sales.money, day.seller, period))
                await self._database.write(partial(save_day, days, self._saves, day, sums))
            if len(rows) < _DAYS_AT_ONCE:
                break

    def _list_days(self, seller: str) -> Procedure[bool]:
        return list_days(self._sql.sales.days, self._saves, seller, self._clock(), self._zone)

    async def _read(self, make: Callable[[], Procedure[T]]) -> T:
        async with self._turn:
            return await self._database.read(make)

    async def _snapshot(self, make: Callable[[], Procedure[T]]) -> T:
        async with self._turn:
            return await self._database.snapshot(make)


class SqlSellerViews:
    """The views of one Seller."""

    def __init__(self, seller: str, sql: _Statements, clock: Clock, reads: _Reads) -> None:
        self._seller = seller
        self._sql, self._sales, self._activity, self._children = sql
        self._clock = clock
        self._read, self._snapshot = reads

    async def occurrences(
        self, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[Occurrence]:
        """Return the Opportunities that start in the period, stored or only booked."""
        period, page = Period(since, until), PageRequest(after, limit)
        return await self._read(lambda: list_occurrences(self._sql, self._seller, self._clock(), period, page))

    async def children(
        self, parent: str, since: datetime, until: datetime, limit: int = PAGE_ROWS
    ) -> tuple[Opportunity, ...]:
        """Return the stored Opportunities directly below a parent."""
        period = Period(since, until)
        return await self._read(lambda: list_children(self._children, self._seller, parent, period, limit))

    async def occurrence(self, path: str) -> Occurrence | None:
        """Return one occurrence."""
        return await self._read(lambda: read_occurrence(self._sql, self._seller, path, self._clock()))

    async def bookings(self, path: str, after: str = "", limit: int = PAGE_ROWS) -> Page[OrderRecord]:
        """Return the Orders with an item of the Opportunity."""
        return await self._read(lambda: list_bookings(self._sql, self._seller, path, PageRequest(after, limit)))

    async def proposals(self, after: str = "", limit: int = PAGE_ROWS) -> Page[ProposalRecord]:
        """Return the OrderProposals that await the Seller."""
        return await self._read(
            lambda: list_proposals(self._sql, self._seller, self._clock(), PageRequest(after, limit))
        )

    async def proposals_of(self, text: str, after: str = "", limit: int = PAGE_ROWS) -> Page[ProposalRecord]:
        """Return the OrderProposals in which a name, e-mail address or telephone number is found."""
        return await self._read(lambda: search_proposals(self._sql, self._seller, text, PageRequest(after, limit)))

    async def orders(self, query: OrderQuery, after: str = "", limit: int = PAGE_ROWS) -> Page[OrderRecord]:
        """Return the Orders that the query finds."""
        return await self._read(lambda: search_orders(self._sql, self._seller, query, PageRequest(after, limit)))

    async def order(self, key: OrderKey) -> Record | None:
        """Return an Order, OrderProposal or deleted Order."""
        return await self._read(lambda: read_order(self._sql, self._seller, key))

    async def history(self, key: OrderKey) -> tuple[Activity, ...]:
        """Return the entries of the activity log about one Order."""
        return await self._read(lambda: read_history(self._activity, self._seller, key))

    async def activity(self, after: str = "", limit: int = PAGE_ROWS, until: datetime | None = None) -> Page[Activity]:
        """Return the activity log, newest first."""
        return await self._read(lambda: list_activity(self._activity, self._seller, PageRequest(after, limit), until))

    async def sales(self, since: datetime, until: datetime, by: SalesGroup, zone: tzinfo) -> Sales:
        """Return what was sold and cancelled in the period."""
        period = Period(since, until)
        return await self._snapshot(lambda: add_up_sales(self._sales, self._seller, period, by, zone))

    async def sales_lines(
        self, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[SalesLine]:
        """Return each sale and each cancellation in the period."""
        period, page = Period(since, until), PageRequest(after, limit)
        return await self._read(lambda: list_sales_lines(self._sales.money, self._seller, period, page))

    async def cancellations(
        self, partner: str, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[SalesLine]:
        """Return each cancellation in the period in the Orders of one partner."""
        period, page = Period(since, until), PageRequest(after, limit)
        return await self._read(lambda: list_cancellations(self._sales.money, self._seller, partner, period, page))

    async def payments(
        self, since: datetime, until: datetime, after: str = "", limit: int = PAGE_ROWS
    ) -> Page[PaymentRow]:
        """Return the payments of the Orders booked in the period."""
        period, page = Period(since, until), PageRequest(after, limit)
        return await self._read(lambda: list_payments(self._sql, self._seller, period, page))

    async def partners(self, since: datetime, until: datetime, zone: tzinfo) -> tuple[PartnerMonth, ...]:
        """Return the Orders booked in the period, by partner, month and currency."""
        return await self._read(lambda: add_up_partners(self._sales.money, self._seller, Period(since, until), zone))

    async def opportunities(self, after: str = "", limit: int = PAGE_ROWS, text: str = "") -> Page[CatalogueEntry]:
        """Return the Opportunities that have no parent."""
        page = PageRequest(after, limit)
        return await self._read(lambda: list_catalogue(self._sql, self._seller, self._clock(), text, page))
