"""The integrity check reports a court that is sold twice, and nothing of courts that are shared as they should be."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, text

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.remove_over import RemoveOver
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.store.migrate import run_in_migration
from openbooking.store.sql import SqlStore
from openbooking.testing.samples import MANAGER, SELLER, Clock, cancel, fresh
from openbooking.testing.stores.court_tests import OPENS, book_slots, free_slots, quote_slots, slot_path, slots
from support.databases.opened_stores import open_store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database: str, clock: Clock) -> AsyncIterator[SqlStore]:
    """Yield a store with two courts, of which Slots are booked, cancelled and leased."""
    opened = open_store(database, policy=Policy(leasing=Leasing.NAMED), clock=clock)
    await opened.execute(PublishSeller(SELLER, actor=MANAGER))
    for court in ("court", "other"):
        await opened.execute(Publish(slots(court), actor=MANAGER))
    cancelled = fresh()
    for command in (
        book_slots(fresh(), "court-0-60", "other-30-90"),
        book_slots(cancelled, "court-60-60"),
        cancel(cancelled, 1),
        quote_slots(fresh(), "court-90-90", "other-120-60"),
    ):
        await opened.execute(command)
    yield opened
    await opened.close()


async def test_courts_with_booked_and_leased_slots_have_no_findings(store: SqlStore, clock: Clock) -> None:
    assert await free_slots(store)
    for minutes in (0, 10, 10):
        clock.move(timedelta(minutes=minutes))
        assert await store.check_integrity() == []
    await store.execute(ExpireLeases())
    assert await store.check_integrity() == []


async def test_courts_have_no_findings_while_their_slots_leave_the_feeds(store: SqlStore, clock: Clock) -> None:
    clock.move(OPENS - clock() + timedelta(hours=2, minutes=40))
    assert await store.execute(RemoveOver())
    assert await free_slots(store)
    assert await store.check_integrity() == []
    clock.move(timedelta(days=1))
    while await store.execute(RemoveOver()):
        pass
    assert await free_slots(store) == set()
    assert await store.check_integrity() == []


async def test_a_court_that_a_publication_sold_twice_is_reported(store: SqlStore) -> None:
    assert not (await store.execute(book_slots(fresh(), "court-210-60"))).has_errors
    moved = next(slot for slot in slots("court") if slot.path == slot_path("court-210-60"))
    assert moved.start
    assert moved.end
    earlier = timedelta(hours=3)
    await store.execute(Publish((replace(moved, start=moved.start - earlier, end=moved.end - earlier),), actor=MANAGER))
    findings = await store.check_integrity()
    assert {finding.about for finding in findings} == {slot_path("court-0-60"), slot_path("court-210-60")}
    assert {"sold twice" in finding.wrong for finding in findings} == {True}


async def test_a_court_that_two_orders_claim_is_reported(store: SqlStore, database: str) -> None:
    def claim_twice(connection: Connection) -> None:
        connection.execute(
            text("INSERT INTO claim (opportunity, partner, uuid, places) VALUES (:path, 'alice', 'x', 1)"),
            {"path": slot_path("court-30-60")},
        )

    await asyncio.to_thread(run_in_migration, database, claim_twice)
    twice = {finding.about for finding in await store.check_integrity() if "sold twice" in finding.wrong}
    assert twice == {slot_path("court-0-60"), slot_path("court-30-60")}
