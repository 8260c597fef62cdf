"""The example of a studio with tables of its own: the store passes the kit, and walk-ins never oversell."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.show_other_sales import show_other_sales
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.quote import Quote
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.model.policy import Policy
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.store import Feed, FeedWriter, Store
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.terms import BrokerRole, OrderItemStatus
from openbooking.store.postgres.purge import ERASED_WITHIN
from openbooking.store.sql import SqlStore
from openbooking.testing import DurableStoreTests
from openbooking.testing.postgres import SMALL_LOG, PostgresServer
from openbooking.testing.processes import Channel, run_in_processes
from openbooking.testing.samples import ALICE, EMAIL, MANAGER, SELLER, Clock, fresh, read_feed, session
from openbooking.testing.store_case import StoreTestCase
from support.postgres_sessions import connected

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_store"
sys.path.insert(0, str(EXAMPLE))

from studio.catalogue import STUDIO, publish_catalogue  # type: ignore[import-not-found]  # noqa: E402
from studio.database import Database  # type: ignore[import-not-found]  # noqa: E402
from studio.store import make_store, open_store  # type: ignore[import-not-found]  # noqa: E402
from test_store import TestStudioStore  # type: ignore[import-not-found]  # noqa: E402

_DATES = 8
_SPACES = 3
_TRIES = 4
DATA = (
    "INSERT INTO members (id, name) VALUES (1, 'Ann')",
    "INSERT INTO classes (id, name, price_pence) VALUES (1, 'Yoga', 0)",
    "INSERT INTO courts (id, name, price_pence) VALUES (1, 'Court 1', 0)",
    "INSERT INTO court_hours (id, court_id, starts) VALUES (1, 1, '2027-03-10T10:00:00+00:00')",
    *(
        "INSERT INTO class_dates (id, class_id, starts, minutes, spaces)"
        f" VALUES ({number}, 1, '2027-03-10T10:00:00+00:00', 60, {_SPACES})"
        for number in range(1, _DATES + 1)
    ),
)

# Enters walk-ins in the admin, and prints the status and the errors of the form.
_WALK_INS = f"""
import django
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

call_command("migrate", verbosity=0)
client = Client(HTTP_HOST="localhost")
client.force_login(User.objects.create_superuser("ann"))
for _ in range({_SPACES + 1}):
    reply = client.post("/admin/office/visit/add/", {{"member": 1, "class_date": 2}})
    print(reply.status_code, b"There is no space left." in reply.content, b'value="2" selected' in reply.content)
"""


class StudioCase(StoreTestCase):
    """Opens the store in the database of the studio, beside the tables of the studio."""

    def address(self, folder: Path) -> str:
        """Return the address of the studio's database."""
        raise NotImplementedError

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> SqlStore:
        """Open the store."""
        studio = Database(self.address(folder))
        opened: SqlStore = open_store(studio, policy=policy, writer=writer, clock=clock)
        return opened


class SqliteCase(StudioCase):
    @pytest.fixture(autouse=True)
    def database(self, tmp_path: Path) -> None:
        asyncio.run(make_database(self.address(tmp_path)))

    def address(self, folder: Path) -> str:
        return str(folder / "studio.sqlite3")


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, is_long_run: bool) -> Iterator[PostgresServer]:
    """Yield a server. For the whole kit its log is small, so that erased data soon leaves its files."""
    if is_long_run:
        with PostgresServer(*SMALL_LOG) as running:
            yield running
    else:
        yield request.getfixturevalue("postgres")


@pytest.fixture(scope="module")
def template(server: PostgresServer) -> str:
    """Return the name of a PostgreSQL database with the tables of the studio, which tests copy."""
    url = server.bare_database()
    asyncio.run(make_database(url))
    return url.partition("@/")[2].partition("?")[0]


class PostgresCase(StudioCase):
    @pytest.fixture(autouse=True)
    def database(self, server: PostgresServer, template: str) -> None:
        self.url = server.new_database(template)
        self.data = server.data

    def address(self, folder: Path) -> str:
        return self.url


async def make_database(address: str) -> None:
    """Make the studio's tables, with data from before, and add those of openbooking."""
    studio = Database(address)
    await studio.run_file("studio.sql")
    for statement in DATA:
        await studio.run(statement)
    await studio.run("INSERT INTO walk_ins (member_id, class_date_id) VALUES (1, 1)")
    await make_store(studio)


def booking(number: int) -> Book:
    """Return the request of a Broker for a space on a date of the class."""
    offer = OfferRef("session-series/1", "adult")
    path = f"scheduled-sessions/{number}"
    item = ItemRequest(position=0, opportunity_id=path, opportunity=path, offer_id="adult", offer=offer)
    request = OrderRequest(
        seller_id=STUDIO.key,
        seller=STUDIO.key,
        broker_role=BrokerRole.AGENT,
        broker={"@type": "Organization", "name": "MyFitnessApp"},
        customer={"@type": "Person", "email": EMAIL},
        items=(item,),
        total_payment_due=Decimal(0),
    )
    return Book(caller=ALICE, uuid=fresh(), request=request)


def leasing_all(number: int) -> Quote:
    """Return a quote that leases all spaces on a date of the class."""
    request = booking(number).request
    items = tuple(replace(request.items[0], position=position) for position in range(_SPACES))
    return Quote(checkpoint=Checkpoint.C2, caller=ALICE, uuid=fresh(), request=replace(request, items=items))


class WalkInTests(StudioCase):
    """What the studio relies on."""

    def test_walk_ins_and_bookings_share_the_spaces(self, tmp_path: Path) -> None:
        async def run() -> None:
            studio = Database(self.address(tmp_path))
            async with self.opened(tmp_path, Clock()) as store:
                await publish_catalogue(store, studio)
                assert await left(store, "1") == _SPACES - 1, "a walk-in from before counts"
                assert await enter_walk_in(studio, 2)
                assert not (await store.execute(booking(2))).has_errors
                assert await enter_walk_in(studio, 2)
                assert not await enter_walk_in(studio, 2)
                assert (await store.execute(booking(2))).has_errors
                await studio.run("DELETE FROM walk_ins WHERE class_date_id = 2")
                await show(store)
                assert await left(store, "2") == _SPACES - 1
                assert isinstance(store, SqlStore)
                assert [found for found in await store.check_integrity() if found.about != "server"] == []

        asyncio.run(run())

    def test_a_court_that_a_walk_in_takes_is_sold_out(self, tmp_path: Path) -> None:
        async def run() -> None:
            studio = Database(self.address(tmp_path))
            async with self.opened(tmp_path, Clock()) as store:
                await publish_catalogue(store, studio)
                await studio.run("INSERT INTO walk_ins (member_id, court_hour_id) VALUES (1, 1)")
                await show(store)
                (slot,) = (await read_feed(store, Feed("slots"))).values()
                assert slot["remainingUses"] == 0

        asyncio.run(run())

    def test_a_date_whose_row_is_gone_is_withdrawn_and_its_bookings_are_cancelled(self, tmp_path: Path) -> None:
        """What others publish stays on sale."""

        async def run() -> None:
            studio, clock = Database(self.address(tmp_path)), Clock()
            async with self.opened(tmp_path, clock) as store:
                await publish_catalogue(store, studio)
                await store.execute(PublishSeller(SELLER, actor=MANAGER))
                await store.execute(Publish(session("of-the-console", 5), actor=MANAGER))
                reply = await store.execute(booking(2))
                await studio.run("DELETE FROM class_dates WHERE id = 2")
                await studio.run("DELETE FROM court_hours")
                await studio.run("DELETE FROM courts")
                for _ in range(2):
                    await publish_catalogue(store, studio)
                dates = await read_feed(store, Feed("scheduled-sessions"))
                assert {key for key, data in dates.items() if data is None} == {"2"}
                assert dates["of-the-console"]
                for feed in ("slots", "facility-uses"):
                    assert set((await read_feed(store, Feed(feed))).values()) == {None}
                order = await store.execute(GetOrder(caller=ALICE, uuid=reply.uuid))
                assert [state.status for _, state in order.items()] == [OrderItemStatus.SELLER_CANCELLED]

        asyncio.run(run())

    def test_walk_ins_and_bookings_of_several_processes_oversell_no_date(self, tmp_path: Path) -> None:
        """Two processes book, and two enter walk-ins, at the same moment; each date is sold exactly."""

        async def publish() -> None:
            async with self.opened(tmp_path, Clock()) as store:
                await publish_catalogue(store, Database(self.address(tmp_path)))

        asyncio.run(publish())
        works = [partial(self.book_dates, tmp_path), partial(self.enter_walk_ins, tmp_path)]
        sold = [number for sent in run_in_processes(self, *works * 2) for number in sent]
        # One walk-in for the first date is from before.
        sold.append(1)
        assert [sold.count(number) for number in range(1, _DATES + 1)] == [_SPACES] * _DATES

    async def book_dates(self, folder: Path, channel: Channel) -> None:
        """Book each date, and send the number of the date for each booking."""
        async with self.opened(folder, Clock()) as store:
            for number in range(1, _DATES + 1):
                await channel.wait_for_others()
                for reply in await asyncio.gather(*(store.execute(booking(number)) for _ in range(_TRIES))):
                    if not reply.has_errors:
                        channel.send(number)

    async def enter_walk_ins(self, folder: Path, channel: Channel) -> None:
        """Enter walk-ins for each date, and send the number of the date for each one."""
        studio = Database(self.address(folder))
        for number in range(1, _DATES + 1):
            await channel.wait_for_others()
            for entered in await asyncio.gather(*(enter_walk_in(studio, number) for _ in range(_TRIES))):
                if entered:
                    channel.send(number)


async def enter_walk_in(studio: Any, number: int) -> bool:
    """Enter a walk-in as the studio's software does; return whether there was a space."""
    try:
        await studio.run("INSERT INTO walk_ins (member_id, class_date_id) VALUES (1, $1)", number)
    except (sqlite3.IntegrityError, asyncpg.CheckViolationError):
        return False
    return True


async def show(store: Store) -> None:
    """Show in the feeds what the studio has sold, as an open system does by itself."""
    assert isinstance(store, SqlStore)
    await show_other_sales(store, store)


async def left(store: Store, key: str) -> int:
    feed = await read_feed(store, Feed("scheduled-sessions"))
    return int(feed[key]["remainingAttendeeCapacity"])


class TestWalkInsOnSqlite(SqliteCase, WalkInTests):
    def test_the_admin_of_django_shows_what_the_trigger_refuses(self, tmp_path: Path) -> None:
        """The form is shown again with an error, and with the values that were entered."""
        environment = {
            **os.environ,
            "STUDIO_DATABASE": self.address(tmp_path),
            "DJANGO_SETTINGS_MODULE": "office.settings",
            "PYTHONPATH": os.pathsep.join([str(EXAMPLE), os.environ.get("PYTHONPATH", "")]),
        }
        shown = subprocess.run(
            [sys.executable, "-c", _WALK_INS], env=environment, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        assert shown == ["302 False False"] * _SPACES + ["200 True True"]


class TestWalkInsOnPostgres(PostgresCase, WalkInTests):
    @pytest.mark.parametrize(
        ("isolation", "message"),
        [
            ("read_committed", "There is no space left."),
            ("repeatable_read", "READ COMMITTED"),
            ("serializable", "READ COMMITTED"),
        ],
    )
    def test_a_transaction_that_began_before_a_lease_sells_no_leased_space(
        self, tmp_path: Path, isolation: Any, message: str
    ) -> None:
        """A transaction that reads from a snapshot does not see the Lease, so the trigger refuses the walk-in."""

        async def run() -> None:
            async with self.opened(tmp_path, Clock()) as store, connected(self.url) as office:
                await publish_catalogue(store, Database(self.url))
                transaction = office.transaction(isolation=isolation)
                await transaction.start()
                await office.fetch("SELECT name FROM members")
                quoted = await store.execute(leasing_all(2))
                assert not quoted.has_errors
                with pytest.raises(asyncpg.PostgresError, match=message):
                    await office.execute("INSERT INTO walk_ins (member_id, class_date_id) VALUES (1, 2)")
                await transaction.rollback()

        asyncio.run(run())


# These tests of the kit are run in `make test`, the others in `make fire`.
_SHORT = {
    "test_processes_that_race_for_the_last_spaces_sell_no_space_twice",
    "test_a_repeat_in_another_process_gets_the_same_answer",
}


@pytest.fixture
def in_short_run(request: pytest.FixtureRequest, is_long_run: bool) -> None:
    """Skip most tests of the kit, unless tests try for long."""
    if not is_long_run and request.node.originalname not in _SHORT:
        pytest.skip("`make fire` runs the whole kit on the example")


@pytest.mark.usefixtures("in_short_run")
class TestKitOnSqlite(TestStudioStore):  # type: ignore[misc]
    """The tests of the example itself."""


del TestStudioStore


@pytest.mark.usefixtures("in_short_run")
class TestKitOnPostgres(PostgresCase, DurableStoreTests):
    erased_within = ERASED_WITHIN

    async def database_files(self, folder: Path) -> list[Path]:
        connection = await asyncpg.connect(self.url)
        oid = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
        await connection.execute("CHECKPOINT")
        await connection.close()
        return [*(path for path in self.data.iterdir() if path.name != "base"), self.data / "base" / str(oid)]
