"""What the tests of views book: Orders of several Customers and of two Sellers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller, OrderKey
from openbooking.booking.store import Store
from openbooking.booking.views import Page, SellerViews, StoreWithViews
from openbooking.openactive.ids import OfferRef, opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.testing.samples import ALICE, MANAGER, SELLER, Clock, fresh, order, session, session_path
from openbooking.testing.store_case import StoreTestCase

Row = TypeVar("Row")
Request = TypeVar("Request", Book, Propose)

OTHER = replace(SELLER, key="studio", name="Studio", legal_name="Studio Ltd")
DAY = timedelta(days=1)
_MOST_PAGES = 1000


def views_of(store: Store, seller: str = SELLER.key) -> SellerViews:
    """Return the views of a Seller."""
    return cast("StoreWithViews", store).views.of(seller)


async def read_all(view: Callable[..., Awaitable[Page[Row]]], *arguments: Any, limit: int = 2) -> list[Row]:
    """Read a list to its end, in pages of this size."""
    rows: list[Row] = []
    after = ""
    for _ in range(_MOST_PAGES):
        page = await view(*arguments, after=after, limit=limit)
        assert len(page.rows) <= limit
        rows += page.rows
        if page.next is None:
            return rows
        assert page.next != after
        after = page.next
    raise AssertionError("The list does not end.")


def at_day(family: tuple[Opportunity, Opportunity], days: int) -> tuple[Opportunity, Opportunity]:
    """Return a series and its session, that many days later."""
    series, made = family
    assert made.start is not None
    start = made.start + days * DAY
    return series, replace(made, start=start, end=start + timedelta(hours=1))


def of_other(family: tuple[Opportunity, Opportunity]) -> tuple[Opportunity, Opportunity]:
    """Return a series and its session, of the other Seller."""
    series, made = family
    return replace(series, seller=OTHER.key), replace(made, seller=OTHER.key)


def book_for(customer: dict[str, Any], *keys: str, caller: Caller = ALICE, uuid: str = "") -> Book:
    """Return B for a Customer with these properties, of one space at each of these sessions."""
    request = replace(order(*keys), customer={"@type": "Person", "email": "x@example.com", **customer})
    return Book(caller=caller, uuid=uuid or fresh(), request=request)


def attended_by(command: Request, *attendees: dict[str, Any]) -> Request:
    """Return B or P with one attendee for each item."""
    items = zip(command.request.items, attendees, strict=True)
    named = tuple(replace(item, attendee={"@type": "Person", **attendee}) for item, attendee in items)
    return replace(command, request=replace(command.request, items=named))


def book_other(*keys: str, uuid: str = "", caller: Caller = ALICE) -> Book:
    """Return B at sessions of the other Seller."""
    request = replace(order(*keys), seller_id=OTHER.key, seller=OTHER.key)
    return Book(caller=caller, uuid=uuid or fresh(), request=request)


def exchange(key: OrderKey, number: int, session_key: str) -> Replace:
    """Return the replacement of an item by one at the session."""
    offer = OfferRef(opportunity_path(OpportunityType.SESSION_SERIES, session_key), "adult")
    return Replace(order=key, number=number, opportunity=session_path(session_key), offer=offer, actor=MANAGER)


class ViewTestCase(StoreTestCase):
    """The base of the tests of views."""

    @asynccontextmanager
    async def with_two_sellers(self, folder: Path, clock: Clock, **capacities: int) -> AsyncIterator[Store]:
        """Open a store with sessions of these capacities, and with an Order for the session `pilates` of OTHER."""
        async with self.stocked(folder, clock, **capacities) as store:
            await store.execute(PublishSeller(OTHER, actor=MANAGER))
            await store.execute(Publish(of_other(session("pilates", 5)), actor=MANAGER))
            await store.execute(book_other("pilates"))
            yield store
