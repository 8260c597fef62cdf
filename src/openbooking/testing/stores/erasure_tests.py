"""Tests of the erasure of personal data, for store authors to inherit."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.erase_personal_data import RETENTION, ErasePersonalData
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.record import Record
from openbooking.booking.store import ORDERS, Feed, Store
from openbooking.openactive.errors import OrderAlreadyExistsError
from openbooking.testing.rules import rule
from openbooking.testing.samples import (
    ALICE,
    BOB,
    EMAIL,
    MANAGER,
    SESSIONS,
    START,
    Clock,
    book,
    cancel,
    fresh,
    read_feed,
    session,
    session_path,
    spaces_left,
)
from openbooking.testing.store_case import StoreTestCase

_MUCH_LATER = timedelta(days=365)


@rule("Erasure")
class ErasureTests(StoreTestCase):
    """Part of `StoreTests`: the command ErasePersonalData."""

    def test_erasure_removes_personal_data_of_past_orders_and_nothing_else(self, tmp_path: Path) -> None:
        """Spaces, totals and feeds stay as they are. A repeat of B with the UUID is refused."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                await store.execute(Publish(_later("spin"), actor=MANAGER))
                over, ahead, others = fresh(), fresh(), fresh()
                await store.execute(book(over, "yoga", "yoga"))
                await store.execute(book(ahead, "yoga", "spin"))
                await store.execute(book(others, "yoga", caller=BOB))
                await store.execute(cancel(over, 1))
                clock.move(timedelta(days=11))
                before = [await read_feed(store, feed) for feed in (SESSIONS, Feed(ORDERS, "alice"))]
                kept = [await _order(store, uuid) for uuid in (over, ahead)]
                assert await store.execute(ErasePersonalData(over_before=clock())) == 2
                assert await store.execute(ErasePersonalData(over_before=clock())) == 0
                erased, untouched = [await _order(store, uuid) for uuid in (over, ahead)]
                assert EMAIL not in str(erased)
                assert untouched == kept[1]
                assert EMAIL in str(untouched)
                assert (erased.erased, untouched.erased) == (Stamp(RETENTION, clock()), None)
                assert erased.order == (kept[0].order and replace(kept[0].order, personal=None))
                assert (erased.claims(), erased.states) == (kept[0].claims(), kept[0].states)
                assert [await read_feed(store, feed) for feed in (SESSIONS, Feed(ORDERS, "alice"))] == before
                assert await spaces_left(store, "yoga") == 2
                with pytest.raises(OrderAlreadyExistsError):
                    await store.execute(book(over, "yoga", "yoga"))

        asyncio.run(run())

    def test_an_order_for_a_postponed_session_is_erased_after_the_new_date(self, tmp_path: Path) -> None:
        """The current date of the session counts, not the date at the time of booking."""

        async def run() -> None:
            clock, moved = Clock(), fresh()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                await store.execute(book(moved, "yoga"))
                start = START + _MUCH_LATER
                later = ChangeLogistics(
                    opportunity=session_path("yoga"), start=start, end=start + timedelta(hours=1), actor=MANAGER
                )
                await store.execute(later)
                clock.move(timedelta(days=11))
                assert await store.execute(ErasePersonalData(over_before=clock())) == 0
                clock.move(_MUCH_LATER)
                assert await store.execute(ErasePersonalData(over_before=clock())) == 1

        asyncio.run(run())


def _later(key: str) -> tuple[Opportunity, Opportunity]:
    series, made = session(key, 5)
    return series, replace(made, start=START + _MUCH_LATER, end=None)


async def _order(store: Store, uuid: str) -> Record:
    return await store.execute(GetOrder(caller=ALICE, uuid=uuid))
