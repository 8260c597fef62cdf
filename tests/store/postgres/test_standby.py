"""While the synchronous standby is away, no reply is sent, whether its data is new or was read back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.delete import DeleteOrder, DeleteQuote
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.update_proposal import UpdateProposal
from openbooking.booking.model.order import Order
from openbooking.booking.model.policy import Policy
from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.partners.grants import Grants, revoke
from openbooking.openactive.errors import GoneError, OrderAlreadyExistsError
from openbooking.store.backends import backend_of
from openbooking.store.database import COMMAND_SECONDS
from openbooking.store.memory import MemoryStore
from openbooking.store.sql import SqlStore
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import ALICE, MANAGER, SELLER, SESSIONS, Clock, book, cancel, fresh, quote, session
from openbooking.testing.store_case import UUID, feed_writer
from openbooking.testing.stores.proposal_tests import approved_session, propose
from support.databases.opened_stores import opened, postgres_driver
from support.identity_provider import grant
from support.postgres_sessions import connected

pytestmark = pytest.mark.anyio

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


class Pair(NamedTuple):
    """A server and its synchronous standby."""

    primary: PostgresServer
    standby: PostgresServer


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with PostgresServer() as primary, PostgresServer(primary=primary) as standby:
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.execute("SELECT pg_reload_conf()")
        yield Pair(primary, standby)


@pytest.fixture
def url(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a new database. Its stores do not number feed items every second."""
    monkeypatch.setattr("openbooking.store.sql._TICK_SECONDS", 3600)
    return pair.primary.new_database()


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    async with opened(url) as stocked:
        await stocked.execute(PublishSeller(SELLER, actor=MANAGER))
        await stocked.execute(Publish((*session("yoga", 20), *approved_session("trip", 20)), actor=MANAGER))
        yield stocked


async def until_waiting(url: str, tasks: Sequence["asyncio.Task[object]"]) -> None:
    """Wait until as many transactions as tasks wait for the standby, or a task has ended."""
    async with connected(url) as other:
        while len(await other.fetch(WAITING)) < len(tasks) and not any(task.done() for task in tasks):
            await asyncio.sleep(0.01)
    assert [task for task in tasks if task.done()] == []


async def cancel_waits(url: str) -> None:
    """Cancel the waits for the standby, as an administrator or the timeout of a driver would."""
    async with connected(url) as other:
        await other.execute(f"SELECT pg_cancel_backend(pid) FROM ({WAITING}) AS waiting")


async def outcomes(asked: Sequence[Awaitable[object]]) -> list[object]:
    return await asyncio.gather(*asked, return_exceptions=True)


@contextmanager
def away(standby: PostgresServer) -> Iterator[None]:
    standby.kill()
    try:
        yield
    finally:
        standby.start()


async def commit_unanswered(store: SqlStore, url: str, pair: Pair, commands: Sequence[Command[Any]]) -> None:
    """Restart the primary after it has committed these commands, while they wait for the standby."""
    waiting = asyncio.gather(*(store.execute(command) for command in commands), return_exceptions=True)
    async with connected(url) as other:
        while not await other.fetch(WAITING):
            await asyncio.sleep(0.01)
    pair.primary.kill()
    assert {type(outcome) for outcome in await waiting} == {StoreUnavailableError}
    pair.primary.start()


@pytest.mark.spec("OB-B-10", "OB-APP-16", "OB-CAN-04", "OB-DEL-07", "OB-OQD-01", "OB-AMEND-12")
async def test_a_reply_from_stored_data_waits_for_the_standby(store: SqlStore, url: str, pair: Pair) -> None:
    cancelled, deleted, quoted, booked = (fresh() for _ in range(4))
    proposing, rejecting, accepting = (propose(fresh(), "trip") for _ in range(3))
    for command in (
        book(cancelled, "yoga"),
        book(deleted, "yoga"),
        quote(quoted, "yoga"),
        rejecting,
        accepting,
        DecideProposal(order=accepting.key, accept=True, actor=MANAGER),
    ):
        await store.execute(command)
    commands: list[Command[Any]] = [
        book(booked, "yoga"),
        proposing,
        BookProposal(caller=ALICE, uuid=accepting.uuid, version=accepting.version),
        UpdateProposal(caller=ALICE, uuid=rejecting.uuid, reject=True),
        cancel(cancelled, 1),
        DeleteOrder(caller=ALICE, uuid=deleted),
        DeleteQuote(caller=ALICE, uuid=quoted),
        Publish(session("spin", 5), actor=MANAGER),
    ]
    refused: list[Command[Any]] = [book(booked, "yoga", "yoga"), GetOrder(caller=ALICE, uuid=deleted)]
    asked = [*commands, GetOrder(caller=ALICE, uuid=booked), *refused]
    async with AsyncExitStack() as stores:
        opened_ones = [await stores.enter_async_context(opened(url)) for _ in asked]
        with away(pair.standby):
            await commit_unanswered(store, url, pair, commands)
            repeats = [asyncio.create_task(one.execute(what)) for one, what in zip(opened_ones, asked, strict=True)]
            await until_waiting(url, repeats)
            await store.execute(ExpireLeases())
            await cancel_waits(url)
            assert {type(outcome) for outcome in await outcomes(repeats)} == {StoreUnavailableError}
        answered = await outcomes([one.execute(what) for one, what in zip(opened_ones, asked, strict=True)])
    assert [type(outcome) for outcome in answered[-2:]] == [OrderAlreadyExistsError, GoneError]
    assert not [outcome for outcome in answered[:-2] if isinstance(outcome, Exception)]
    assert isinstance(answered[0], Order)
    async with connected(pair.standby.url(urlsplit(url).path[1:])) as standby:
        while await standby.fetchval("SELECT kind FROM record WHERE uuid = $1", booked) != "order":
            await asyncio.sleep(0.01)


async def test_a_booking_whose_wait_for_the_standby_is_cancelled_fails_and_can_be_repeated(
    store: SqlStore, url: str, pair: Pair
) -> None:
    """The server reports the commit as a success with a warning."""
    with away(pair.standby):
        for _ in range(2):
            booking = asyncio.create_task(store.execute(book(UUID, "yoga")))
            await until_waiting(url, [booking])
            await cancel_waits(url)
            with pytest.raises(StoreUnavailableError, match="synchronous replication"):
                await booking
    assert isinstance(await store.execute(book(UUID, "yoga")), Order)
    async with connected(url) as other:
        assert await other.fetchval("SELECT sum(booked) FROM opportunity") == 1


async def test_feeds_show_only_items_that_the_standby_has(store: SqlStore, url: str, pair: Pair) -> None:
    """A harvester would never read an item again that a failover has lost."""
    (before,) = [item for item in await store.feed_items(SESSIONS, 0, 10) if item.id.endswith("yoga")]
    with away(pair.standby):
        booking = asyncio.create_task(store.execute(book(fresh(), "yoga")))
        await until_waiting(url, [booking])
        await cancel_waits(url)
        with pytest.raises(StoreUnavailableError):
            await booking
        for _ in range(2):
            page = asyncio.create_task(store.feed_items(SESSIONS, before.modified, 10))
            await until_waiting(url, [page])
            await cancel_waits(url)
            assert await page == []
    (after,) = [item for item in await store.feed_items(SESSIONS, 0, 10) if item.id.endswith("yoga")]
    assert after.modified > before.modified


async def test_a_repeated_revocation_waits_for_the_standby(url: str, pair: Pair) -> None:
    identity = backend_of(url).open_identity_store(url, COMMAND_SECONDS)
    grants = Grants(identity, MemoryStore(policy=Policy(), writer=feed_writer(), clock=Clock()), Clock())
    await identity.save(grant("alice", SELLER.key))
    with away(pair.standby):
        for _ in range(2):
            revoking = asyncio.create_task(grants.change("alice", SELLER.key, revoke, MANAGER))
            await until_waiting(url, [revoking])
            await cancel_waits(url)
            with pytest.raises(StoreUnavailableError):
                await revoking
    await identity.close()


@pytest.mark.parametrize(("value", "in_session"), [("off", "on"), ("remote_apply", "remote_apply"), ("on", "on")])
async def test_durable_server_settings_have_no_findings(postgres: PostgresServer, value: str, in_session: str) -> None:
    url = postgres.new_database()
    postgres.execute(f"ALTER DATABASE {urlsplit(url).path[1:]} SET synchronous_commit = {value}")
    async with opened(url) as store, postgres_driver(store)._readers.connection() as connection:
        assert await connection.fetchval("SHOW synchronous_commit") == in_session
        assert await store.check_integrity() == []


@pytest.mark.parametrize("value", ["local", "remote_write"])
async def test_weak_server_settings_are_found(postgres: PostgresServer, value: str) -> None:
    url = postgres.new_database()
    postgres.execute(f"ALTER DATABASE {urlsplit(url).path[1:]} SET synchronous_commit = {value}")
    async with opened(url) as store:
        ((about, wrong),) = await store.check_integrity()
    assert "synchronous_commit" in about
    assert f'"{value}"' in wrong
    assert "standby" in wrong


async def test_a_setting_weakened_later_does_not_affect_open_connections(pair: Pair, url: str) -> None:
    async with opened(url) as store, postgres_driver(store)._writers.connection() as connection:
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        pair.primary.execute("ALTER SYSTEM SET synchronous_commit = off")
        pair.primary.execute("SELECT pg_reload_conf()")
        async with connected(url) as other:
            while await other.fetchval("SHOW synchronous_commit") != "off":
                await asyncio.sleep(0.01)
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        pair.primary.execute("ALTER SYSTEM RESET synchronous_commit")
        pair.primary.execute("SELECT pg_reload_conf()")
