"""Tests of the sale state of sessions, for store authors to inherit."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.find_opportunities import FindBySource
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState, TakeOffSale
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.commands.preview import Preview
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import Order, OrderKey
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import OpportunitySet
from openbooking.booking.store import ORDERS, Feed, Store
from openbooking.openactive.errors import NotFoundError
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.testing.rules import rule
from openbooking.testing.samples import (
    ALICE,
    MANAGER,
    SESSIONS,
    Clock,
    book,
    fresh,
    read_feed,
    session,
    session_path,
    spaces_left,
)
from openbooking.testing.store_case import StoreTestCase

UUID = fresh()
SERIES = Feed("session-series")
STATES = [SaleState.UNPUBLISHED, SaleState.OVER]


def series_path(key: str) -> str:
    """Return the path of the SessionSeries with this key."""
    return opportunity_path(OpportunityType.SESSION_SERIES, key)


@rule("Sale")
class SaleTests(StoreTestCase):
    """Part of `StoreTests`: sessions leave the open feeds and return, and their Orders stay."""

    async def shown(self, store: Store) -> set[str]:
        """Return the keys of the series and sessions that the feeds show as not deleted."""
        feeds = [(await read_feed(store, feed), sort) for feed, sort in ((SERIES, "series"), (SESSIONS, "session"))]
        return {f"{sort} {key}" for feed, sort in feeds for key, data in feed.items() if data is not None}

    @pytest.mark.parametrize("state", STATES)
    def test_a_session_off_sale_leaves_its_feed_and_returns_as_it_is_then(
        self, tmp_path: Path, state: SaleState
    ) -> None:
        """In between, bookings of it are refused. Its Orders can still be cancelled, and their feed continues."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5, spin=5) as store:
                booked = fresh()
                await store.execute(book(booked, "yoga", "yoga"))
                await store.execute(SetSaleState(opportunity=session_path("yoga"), sale=state, actor=MANAGER))
                assert await self.shown(store) == {"series yoga", "series spin", "session spin"}
                refused = await store.execute(book(fresh(), "yoga"))
                assert isinstance(refused, Order)
                assert refused.has_errors
                cancel = SellerCancel(order=OrderKey("alice", booked), numbers=frozenset({1}), actor=MANAGER)
                await store.execute(cancel)
                assert (await read_feed(store, Feed(ORDERS, "alice")))[booked] is not None
                assert (await read_feed(store, SESSIONS))["yoga"] is None
                on_sale = SetSaleState(opportunity=session_path("yoga"), sale=SaleState.ON_SALE, actor=MANAGER)
                await store.execute(on_sale)
                assert (await read_feed(store, SESSIONS))["yoga"]["remainingAttendeeCapacity"] == 4
                again = await store.execute(book(fresh(), "yoga"))
                assert isinstance(again, Order)
                assert not again.has_errors

        asyncio.run(run())

    def test_sessions_leave_the_feeds_and_return_with_their_series(self, tmp_path: Path) -> None:
        """A session that was taken off sale separately does not return."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5, spin=5) as store:
                other = replace(session("late", 5)[1], parent=series_path("yoga"))
                await store.execute(Publish((other,), actor=MANAGER))
                everything = await self.shown(store)
                unpublish = SetSaleState(opportunity=series_path("yoga"), sale=SaleState.UNPUBLISHED, actor=MANAGER)
                await store.execute(unpublish)
                assert everything - await self.shown(store) == {"series yoga", "session yoga", "session late"}
                await store.execute(replace(unpublish, opportunity=session_path("late")))
                await store.execute(replace(unpublish, sale=SaleState.ON_SALE))
                assert everything - await self.shown(store) == {"session late"}

        asyncio.run(run())

    def test_a_new_publication_of_an_unpublished_series_stays_unpublished(self, tmp_path: Path) -> None:
        """New sessions of the series are not shown either."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                everything = await self.shown(store)
                unpublish = SetSaleState(opportunity=series_path("yoga"), sale=SaleState.UNPUBLISHED, actor=MANAGER)
                await store.execute(unpublish)
                series, given = session("yoga", 9)
                new = replace(given, path=session_path("new"))
                await store.execute(Publish((series, given, new), actor=MANAGER))
                assert await self.shown(store) == set()
                await store.execute(replace(unpublish, sale=SaleState.ON_SALE))
                assert await self.shown(store) == everything | {"session new"}
                assert (await read_feed(store, SESSIONS))["yoga"]["remainingAttendeeCapacity"] == 9

        asyncio.run(run())

    def test_a_series_that_was_not_understood_leaves_the_feeds_until_it_is(self, tmp_path: Path) -> None:
        """Its sessions leave with the series, although they are not part of the publication."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                everything = await self.shown(store)
                series, _ = session("yoga", 5)
                await store.execute(Publish((replace(series, sale=SaleState.NOT_UNDERSTOOD),), actor=MANAGER))
                assert await self.shown(store) == set()
                await store.execute(Publish((series,), actor=MANAGER))
                assert await self.shown(store) == everything

        asyncio.run(run())

    def test_an_unpublished_series_returns_unpublished_after_a_withdrawal(self, tmp_path: Path) -> None:
        """Its Orders still count. Only the series is stored as unpublished; its sessions are not."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                await store.execute(book(UUID, "yoga"))
                on_sale = SetSaleState(opportunity=series_path("yoga"), sale=SaleState.ON_SALE, actor=MANAGER)
                await store.execute(replace(on_sale, sale=SaleState.UNPUBLISHED))
                await store.execute(Withdraw(sources=frozenset({"kit"}), actor=MANAGER))
                with pytest.raises(NotFoundError):
                    await store.execute(on_sale)
                await store.execute(Publish(session("yoga", 5), actor=MANAGER))
                assert await self.shown(store) == set()
                await store.execute(on_sale)
                assert await spaces_left(store, "yoga") == 4

        asyncio.run(run())

    def test_sessions_whose_sources_are_off_sale_keep_their_orders(self, tmp_path: Path) -> None:
        """Only sessions of the named sources go off sale, except those in `keep`."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5, spin=5) as store:
                everything = await self.shown(store)
                await store.execute(book(UUID, "yoga"))
                keep = frozenset({session_path("spin"), series_path("spin"), series_path("yoga")})
                off = TakeOffSale(sources=frozenset({"kit"}), keep=keep, actor=MANAGER)
                reports = await store.execute(off)
                assert isinstance(reports, dict)
                ((path, report),) = reports.items()
                assert (path, {key.uuid for key in report.orders.kept}) == (session_path("yoga"), {UUID})
                assert await self.shown(store) == everything - {"session yoga"}
                assert await store.execute(off) == {}
                assert isinstance(await store.execute(GetOrder(caller=ALICE, uuid=UUID)), Record)
                await store.execute(Publish(session("yoga", 5), actor=MANAGER))
                assert await spaces_left(store, "yoga") == 4

        asyncio.run(run())

    def test_opportunities_are_found_by_the_beginning_of_their_source(self, tmp_path: Path) -> None:
        """The beginning may end inside a word, or be the whole source."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                sources = ("feed#a/x", "feed#a/y", "feed#ab/x", "feed#b/x", "old")
                for number, source in enumerate(sources):
                    family = (replace(member, source=source) for member in session(f"s{number}", 5))
                    await store.execute(Publish(tuple(family), actor=MANAGER))
                found = await store.execute(FindBySource(frozenset({"feed#a/", "old", "none"}), actor=MANAGER))
                assert isinstance(found, dict)
                names = ("s0", "s1", "s4")
                assert set(found) == {path(name) for name in names for path in (session_path, series_path)}

        asyncio.run(run())

    def test_a_previewed_command_is_answered_and_changes_nothing(self, tmp_path: Path) -> None:
        """The preview of a session may depend on a series that is only given with the preview, not stored."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                before = await read_feed(store, SESSIONS)
                series, given = session("spin", 3)
                preview = await store.execute(
                    Preview(command=Publish((given,), actor=MANAGER), given=(OpportunitySet(series),), actor=MANAGER)
                )
                assert [type(change) for change in preview.changes] == [OpportunitySet]
                assert preview.reply[given.path].why_not is None
                assert await read_feed(store, SESSIONS) == before

        asyncio.run(run())

    def test_a_session_that_never_was_on_sale_is_in_no_feed(self, tmp_path: Path) -> None:
        """The feeds do not even show the session as deleted. It appears when it is put on sale."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                draft = [replace(member, sale=SaleState.UNPUBLISHED) for member in session("yoga", 5)]
                await store.execute(Publish(tuple(draft), actor=MANAGER))
                assert (await read_feed(store, SERIES), await read_feed(store, SESSIONS)) == ({}, {})
                for path in (series_path("yoga"), session_path("yoga")):
                    await store.execute(SetSaleState(opportunity=path, sale=SaleState.ON_SALE, actor=MANAGER))
                assert await self.shown(store) == {"series yoga", "session yoga"}

        asyncio.run(run())
