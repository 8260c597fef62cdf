"""Spaces that other software has sold: bookings, feeds and the integrity check count them."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.opportunities.show_other_sales import show_other_sales
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.store import Feed
from openbooking.openactive.terms import OrderProposalStatus
from openbooking.store.backends import scheme_of
from openbooking.store.migrate import prepare
from openbooking.store.sql import SqlStore
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import (
    ALICE,
    MANAGER,
    SELLER,
    SESSIONS,
    book,
    fresh,
    quote,
    read_feed,
    session,
    spaces_left,
)
from openbooking.testing.stores.proposal_tests import approved_session, propose
from support.builders import slot
from support.databases.opened_stores import opened
from support.parties import CENTRE

pytestmark = pytest.mark.anyio
YOGA = "scheduled-sessions/yoga"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        prepare(file := str(tmp_path / "x.sqlite3"))
        return file
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
async def store(database: str) -> AsyncIterator[SqlStore]:
    """Yield a store with a session of five spaces."""
    async with opened(database) as opened_store:
        await opened_store.execute(PublishSeller(SELLER, actor=MANAGER))
        await opened_store.execute(Publish(session("yoga", 5), actor=MANAGER))
        yield opened_store


async def sell_elsewhere(database: str, path: str, spaces: float | str) -> None:
    """Write the number of sold spaces, as other software does."""
    insert = f"INSERT INTO sold_elsewhere (path, spaces) VALUES ('{path}', {spaces})"
    statement = f"{insert} ON CONFLICT (path) DO UPDATE SET spaces = excluded.spaces"
    if scheme_of(database):
        connection = await asyncpg.connect(database)
        await connection.execute(statement)
        await connection.close()
        return
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        file.execute(statement)


async def test_spaces_sold_elsewhere_cannot_be_booked(database: str, store: SqlStore) -> None:
    await sell_elsewhere(database, YOGA, 4)
    assert (await store.execute(book(fresh(), "yoga", "yoga"))).has_errors
    quoted = await store.execute(quote(fresh(), "yoga"))
    assert quoted.items[0].remaining == 1
    await sell_elsewhere(database, YOGA, 3)
    assert not (await store.execute(book(fresh(), "yoga"))).has_errors


async def test_the_feed_shows_spaces_sold_elsewhere_and_given_back(database: str, store: SqlStore) -> None:
    await store.execute(book(fresh(), "yoga"))
    for sold, left in ((3, 1), (4, 0), (1, 3)):
        await sell_elsewhere(database, YOGA, sold)
        await show_other_sales(store, store)
        assert await spaces_left(store, "yoga") == left
        assert await store.paths_shown_wrong(10) == []
        assert await store.check_integrity() == []


async def test_a_booking_shows_spaces_sold_elsewhere_at_once(database: str, store: SqlStore) -> None:
    await sell_elsewhere(database, YOGA, 2)
    assert await store.paths_shown_wrong(10) == [YOGA]
    assert await store.check_integrity() == []
    await store.execute(book(fresh(), "yoga"))
    assert await spaces_left(store, "yoga") == 2
    assert await store.paths_shown_wrong(10) == []


async def test_views_tell_what_is_booked_from_what_is_sold_elsewhere(database: str, store: SqlStore) -> None:
    await store.execute(book(fresh(), "yoga"))
    await sell_elsewhere(database, YOGA, 2)
    occurrence = await store.views.of(SELLER.key).occurrence(YOGA)
    assert occurrence
    assert (occurrence.booked, occurrence.elsewhere, occurrence.sold) == (1, 2, 3)


@pytest.mark.parametrize(
    ("written", "counted"), [(-3, 0), (2**31 - 1, 2**31 - 1), (2**62, 2**31 - 1), (1.5, 1), ("'?'", 2**31 - 1)]
)
async def test_an_absurd_number_is_bounded_everywhere(
    database: str, store: SqlStore, written: float | str, counted: int
) -> None:
    """Decisions, views, feeds and the integrity check count the same number, and the feed is written once."""
    if scheme_of(database) and not (isinstance(written, int) and written < 2**31):
        return  # PostgreSQL refuses these.
    left = max(5 - counted, 0)
    await sell_elsewhere(database, YOGA, written)
    await show_other_sales(store, store)
    assert await store.paths_shown_wrong(10) == []
    assert await spaces_left(store, "yoga") == left
    occurrence = await store.views.of(SELLER.key).occurrence(YOGA)
    assert occurrence
    assert (occurrence.elsewhere, occurrence.sold) == (counted, counted)
    assert (await store.execute(quote(fresh(), "yoga"))).items[0].remaining == left
    assert (await store.execute(book(fresh(), *["yoga"] * 6))).has_errors
    assert await store.check_integrity() == []


async def test_spaces_sold_elsewhere_beyond_the_capacity_refuse_leased_spaces_and_keep_orders(
    database: str, store: SqlStore
) -> None:
    """The studio sells more than there is while a Broker has a Lease: B is refused."""
    await store.execute(book(kept := fresh(), "yoga"))
    leased = await store.execute(quote(fresh(), "yoga", "yoga"))
    await sell_elsewhere(database, YOGA, 7)
    await show_other_sales(store, store)
    assert await spaces_left(store, "yoga") == 0
    assert (await store.execute(quote(leased.uuid, "yoga", "yoga"))).has_errors
    assert (await store.execute(book(leased.uuid, "yoga", "yoga"))).has_errors
    assert (await store.execute(GetOrder(caller=ALICE, uuid=kept))).uuid == kept
    assert await store.check_integrity() == []


async def test_an_opportunity_that_is_off_sale_is_shown_right_when_it_returns(database: str, store: SqlStore) -> None:
    await store.execute(SetSaleState(opportunity=YOGA, sale=SaleState.UNPUBLISHED, actor=MANAGER))
    await sell_elsewhere(database, YOGA, 2)
    await show_other_sales(store, store)
    assert (await read_feed(store, SESSIONS))["yoga"] is None
    await store.execute(SetSaleState(opportunity=YOGA, sale=SaleState.ON_SALE, actor=MANAGER))
    assert await spaces_left(store, "yoga") == 3


async def test_a_new_capacity_leaves_out_what_was_sold_elsewhere(database: str, store: SqlStore) -> None:
    await sell_elsewhere(database, YOGA, 4)
    await show_other_sales(store, store)
    await store.execute(Publish(session("yoga", 6), actor=MANAGER))
    assert await spaces_left(store, "yoga") == 2


@pytest.mark.spec("OB-APP-27")
async def test_a_proposal_is_rejected_when_the_last_spaces_are_sold_elsewhere(database: str) -> None:
    async with opened(database, policy=Policy(leasing=Leasing.OFF)) as store:
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(approved_session("yoga", 5), actor=MANAGER))
        await store.execute(propose(uuid := fresh(), "yoga"))
        for sold, status in ((4, OrderProposalStatus.AWAITING), (5, OrderProposalStatus.SELLER_REJECTED)):
            await sell_elsewhere(database, YOGA, sold)
            await show_other_sales(store, store)
            proposal = (await store.execute(GetOrder(caller=ALICE, uuid=uuid))).proposal
            assert proposal is not None
            assert proposal.status is status


def overlapping_slots() -> list[Opportunity]:
    """Return a court with two Slots, of which the second begins in the middle of the first."""
    family = slot("one", seller=CENTRE)
    first = family[-1]
    assert first.start
    later = first.start + timedelta(minutes=30)
    path = first.path.replace("one", "two")
    offers = tuple(replace(offer, owner=path) for offer in first.offers)
    return [*family, replace(first, path=path, start=later, end=later + timedelta(hours=1), offers=offers)]


async def test_a_slot_sold_elsewhere_takes_the_slots_that_overlap_it(database: str, store: SqlStore) -> None:
    family = overlapping_slots()
    await store.execute(PublishSeller(CENTRE, actor=MANAGER))
    await store.execute(Publish(tuple(family), actor=MANAGER))
    await sell_elsewhere(database, family[-2].path, 1)
    await show_other_sales(store, store)
    shown = await read_feed(store, Feed(family[-1].type.feed))
    assert [data["remainingUses"] for data in shown.values()] == [0, 0]
    assert await store.check_integrity() == []
