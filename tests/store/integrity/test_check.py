"""The integrity check finds every contradiction, and reports none in a sound database, on SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, text

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import EventStatus
from openbooking.store.integrity.finding import Finding
from openbooking.store.migrate import run_in_migration
from openbooking.store.sql import SqlStore
from openbooking.testing.samples import (
    ALICE,
    MANAGER,
    SELLER,
    SESSIONS,
    Clock,
    book,
    cancel,
    fresh,
    quote,
    read_feed,
    session,
)
from openbooking.testing.store_case import UUID
from support.builders import slot
from support.databases.opened_stores import open_store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database: str, clock: Clock) -> AsyncIterator[SqlStore]:
    """Yield a store with bookings, cancellations, deletions, Leases and an Opportunity that was published twice."""
    opened = open_store(database, policy=Policy(leasing=Leasing.NAMED), clock=clock)
    await opened.execute(PublishSeller(SELLER, actor=MANAGER))
    for key in ("yoga", "spin", "swim"):
        await opened.execute(Publish(session(key, 10), actor=MANAGER))
    deleted = fresh()
    for command in (
        book(UUID, "yoga", "yoga", "spin"),
        cancel(UUID, 1),
        book(deleted, "yoga"),
        cancel(deleted, 1),
        DeleteOrder(caller=ALICE, uuid=deleted),
        quote(fresh(), "spin"),
    ):
        await opened.execute(command)
    clock.move(timedelta(minutes=10))
    await opened.execute(quote(fresh(), "spin", "yoga"))
    await opened.execute(book(fresh(), "swim"))
    await opened.execute(Publish(session("swim", 8), actor=MANAGER))
    await read_feed(opened, SESSIONS)
    yield opened
    await opened.close()


async def test_a_sound_database_has_no_findings_while_leases_end_and_after(store: SqlStore, clock: Clock) -> None:
    for minutes in (0, 6, 10):
        clock.move(timedelta(minutes=minutes))
        assert await store.check_integrity() == []
    await store.execute(ExpireLeases())
    assert await store.check_integrity() == []
    await store.execute(Withdraw(sources=frozenset({"kit"}), actor=MANAGER))
    assert await store.check_integrity() == []


async def test_a_cancelled_slot_without_spaces_left_has_no_findings(store: SqlStore) -> None:
    await store.execute(
        Publish(tuple(slot(seller=SELLER, individual=False, capacity=5, status=EventStatus.CANCELLED)), actor=MANAGER)
    )
    assert await store.check_integrity() == []


async def test_feeds_show_what_is_on_sale_and_nothing_else(store: SqlStore, database: str) -> None:
    series = "session-series/yoga"
    off = SetSaleState(opportunity=series, sale=SaleState.UNPUBLISHED, actor=MANAGER)
    on = replace(off, sale=SaleState.ON_SALE)
    documents: list[bytes] = []

    def keep_or_set(connection: Connection) -> None:
        """Set the document of the series to the document that the first call read."""
        if not documents:
            documents.extend(
                connection.execute(text("SELECT document FROM opportunity WHERE path = :path"), {"path": series})
                .scalars()
                .all()
            )
        set_ = text("UPDATE opportunity SET document = :document WHERE path = :path")
        connection.execute(set_, {"document": documents[0], "path": series})

    await store.execute(off)
    await asyncio.to_thread(run_in_migration, database, keep_or_set)
    assert await store.check_integrity() == []
    await store.execute(on)
    assert await store.check_integrity() == []
    await asyncio.to_thread(run_in_migration, database, keep_or_set)
    shown = "is shown in its feed but is not on sale"
    assert await store.check_integrity() == [Finding(YOGA, shown), Finding(series, shown)]


async def test_items_published_at_another_address_are_found_until_they_are_republished(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = JsonLdFeedWriter(Writer(Identifiers("https://moved.example.com/api")))
    monkeypatch.setattr(store, "_feed_writer", moved)
    orders, opened = await store.check_integrity()
    assert (orders.about, opened.about) == ("The Orders feeds", "The open feeds")
    assert ("1 in all" in orders.wrong, "6 in all" in opened.wrong) == (True, True)
    assert "https://kit.example.com/api/identifiers/" in opened.wrong
    assert "would be https://moved.example.com/api/identifiers/" in opened.wrong
    for key, capacity in (("yoga", 10), ("spin", 10), ("swim", 8)):
        await store.execute(Publish(session(key, capacity), actor=MANAGER))
    assert await store.check_integrity() == [orders]
    await store.execute(cancel(UUID, 2))
    assert await store.check_integrity() == []


ORDER = f"Order {UUID} of alice"
YOGA = "scheduled-sessions/yoga"
DAMAGE = {
    f"UPDATE opportunity SET booked = 7 WHERE path = '{YOGA}'": YOGA,
    f"UPDATE claim SET places = 5 WHERE uuid = '{UUID}' AND opportunity = '{YOGA}'": ORDER,
    f"DELETE FROM claim WHERE uuid = '{UUID}'": ORDER,
    f"UPDATE claim SET starts = 1 WHERE uuid = '{UUID}'": ORDER,
    f"UPDATE ended_line SET price = 7 WHERE uuid = '{UUID}'": ORDER,
    f"DELETE FROM ended_line WHERE uuid = '{UUID}'": ORDER,
    f"UPDATE ended_line SET uuid = 'x' WHERE uuid = '{UUID}'": "Order x of alice",
    f"DELETE FROM record WHERE uuid = '{UUID}'": ORDER,
    f"DELETE FROM feed_item WHERE id = '{YOGA}'": YOGA,
    f"UPDATE feed_item SET data = NULL WHERE id = '{YOGA}'": YOGA,
    "UPDATE feed_item SET data = (SELECT data FROM feed_item WHERE id = 'scheduled-sessions/swim')"
    f" WHERE id = '{YOGA}'": YOGA,
    f"DELETE FROM feed_item WHERE id = '{UUID}'": ORDER,
    f"UPDATE feed_item SET data = NULL WHERE id = '{UUID}'": ORDER,
    f"DELETE FROM opportunity WHERE path = '{YOGA}'": YOGA,
    f"UPDATE feed_item SET modified = NULL, changed_at = 0 WHERE id = '{YOGA}'": YOGA,
    "UPDATE counter SET value = 1": "The counter",
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_every_kind_of_damage_is_found(store: SqlStore, database: str, damage: str) -> None:
    def do_damage(connection: Connection) -> None:
        connection.execute(text(damage))

    await asyncio.to_thread(run_in_migration, database, do_damage)
    findings = await store.check_integrity()
    assert DAMAGE[damage] in {finding.about for finding in findings}, findings
