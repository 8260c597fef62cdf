"""The background work of the system, also while the wall clock is wrong, and the hooks of embedders."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
import structlog
from msgspec.structs import replace
from structlog.testing import capture_logs

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.timetable import GetTimetable, SaveTimetableEntry
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.order import Caller, Payment, desk_caller
from openbooking.booking.model.order_event import OrderEvent
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.timetable import EntryKey
from openbooking.identity.records import Attempts, Authorization, Partner, Session, SigningKey
from openbooking.identity.scopes import Scope
from openbooking.periodic_jobs import SweepMonitor
from openbooking.settings import AccessMode, Settings, SettingsError
from openbooking.store.migrate import prepare
from openbooking.store.sql import SqlStore
from openbooking.system import OnCommitted, System, open_identity_store, open_store, open_system
from openbooking.testing.samples import (
    MANAGER,
    SELLER,
    SESSIONS,
    Clock,
    book,
    fresh,
    quote,
    read_feed,
    session,
    spaces_left,
)
from openbooking.web.app import create_app
from support.fake_clocks import TEN_DAYS, Machine
from support.identity_provider import partner, signing_key
from support.timetables import SPIN

pytestmark = pytest.mark.anyio

TOMBSTONE, YOGA = "gone", "yoga"
HELD = 4


class Site:
    """A Booking System on a machine whose clocks the test moves."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.machine = machine
        self.settings = Settings(
            database=str(folder / "site.sqlite3"),
            site_url="https://booking.example.com",
            access=AccessMode.OPENID,
            sweep_seconds=0.001,
        )

    async def stock(self) -> None:
        """Store one record of each kind that upkeep removes later. None is due yet."""
        await anyio.to_thread.run_sync(prepare, self.settings.database)
        store = self.open_store()
        await store.note_time(self.machine.now)
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session(YOGA, 5), actor=MANAGER))
        await store.execute(
            Publish(tuple(replace(item, source="gone") for item in session(TOMBSTONE, 5)), actor=MANAGER)
        )
        await store.execute(quote(fresh(), YOGA))
        await store.execute(Withdraw(sources=frozenset({"gone"}), actor=MANAGER))
        await store.close()
        now = self.machine.now
        later, scopes = now + timedelta(hours=12), frozenset({Scope.OPENBOOKING})
        key = replace(signing_key(), created=now - timedelta(days=1))
        identity = open_identity_store(self.settings)
        await identity.save(
            partner("alice"),
            Session(digest="s", username="ann", started=now, expires=later),
            Authorization(id="a", partner="alice", seller=None, user=None, scopes=scopes, issued=now, expires=later),
            Attempts(subject="account:ann", failures=1, blocked_until=now, expires=later),
            key,
            replace(key, kid="newest", created=now - timedelta(minutes=1)),
        )
        await identity.close()

    def open_store(self) -> SqlStore:
        """Open the store with a correct clock."""
        machine = Machine()
        machine.since_boot = self.machine.since_boot
        return open_store(self.settings, machine.clock)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[System]:
        """Open the system, and wait for its first sweep."""
        clock = self.machine.clock
        store, identity = open_store(self.settings, clock), open_identity_store(self.settings)
        async with open_system(self.settings, clock, store, identity) as system:
            await self.sweep(system, 3)
            yield system

    async def run(self, system: System, seconds: int) -> None:
        """Let time pass, with a sweep each second."""
        for _ in range(seconds):
            self.machine.run(1)
            await self.sweep(system, 1)

    async def sweep(self, system: System, times: int) -> None:
        """Wait for this number of sweeps."""
        sweeper = system.sweeps
        for _ in range(times + 1):
            swept = anyio.Event()

            def note_sweep(swept: anyio.Event = swept) -> None:
                SweepMonitor.note_sweep(sweeper)
                swept.set()

            sweeper.note_sweep = note_sweep  # type: ignore[method-assign]
            await swept.wait()

    async def kept(self, system: System) -> dict[str, int]:
        """Return the number of records of each kind that upkeep removes later."""
        identity = system.identity.store
        feed = await read_feed(system.store, SESSIONS)
        left = await spaces_left(system.store, YOGA)
        kinds: tuple[type[Any], ...] = (Session, Authorization, Attempts, SigningKey)
        counts = {kind.__name__: len(await identity.find(kind)) for kind in kinds}
        return counts | {"tombstones": sum(data is None for data in feed.values()), "left": left or 0}


ALL = {"Session": 1, "Authorization": 1, "Attempts": 1, "SigningKey": 2, "tombstones": 1, "left": HELD}


@pytest.mark.spec("OB-FEED-19")
@pytest.mark.parametrize("jump", [TEN_DAYS, -TEN_DAYS])
async def test_a_clock_that_is_wrong_for_six_seconds_removes_nothing(tmp_path: Path, jump: float) -> None:
    site = Site(tmp_path, Machine())
    await site.stock()
    async with site.opened() as system:
        assert await site.kept(system) == ALL
        site.machine.wrong = jump
        await site.run(system, 6)
        assert await site.kept(system) == ALL
        site.machine.wrong = 0
        await site.run(system, 2)
        assert await site.kept(system) == ALL


@pytest.mark.spec("OB-FEED-19")
@pytest.mark.parametrize("jump", [TEN_DAYS, -TEN_DAYS])
async def test_a_clock_that_is_wrong_at_the_start_removes_nothing(tmp_path: Path, jump: float) -> None:
    site = Site(tmp_path, Machine(wrong=jump))
    await site.stock()
    async with site.opened() as system:
        await site.run(system, 6)
        assert await site.kept(system) == ALL
        assert system.sweeps.is_healthy()
        site.machine.wrong = 0
        await site.run(system, 120)
        assert await site.kept(system) == ALL


@pytest.mark.parametrize("jump", [TEN_DAYS, -TEN_DAYS])
async def test_upkeep_continues_within_an_hour_after_a_jump(tmp_path: Path, jump: float) -> None:
    site = Site(tmp_path, Machine())
    await site.stock()
    async with site.opened() as system:
        site.machine.wrong = jump
        await site.run(system, 6)
        site.machine.wrong = 0
        site.machine.since_boot += timedelta(hours=12).total_seconds()
        await site.sweep(system, 2)
        assert (await site.kept(system))["Session"] == 0


async def test_a_lease_ends_in_time_while_the_wall_clock_is_behind(tmp_path: Path) -> None:
    site = Site(tmp_path, Machine())
    await site.stock()
    async with site.opened() as system:
        site.machine.since_boot += system.settings.lease_seconds - 3
        site.machine.wrong = -TEN_DAYS
        await site.run(system, 6)
        assert (await site.kept(system))["left"] == 5


async def test_the_time_is_noted_while_it_is_trusted(tmp_path: Path) -> None:
    site = Site(tmp_path, Machine())
    await site.stock()
    async with site.opened() as system:
        site.machine.wrong = TEN_DAYS
        site.machine.since_boot += 60
        await site.sweep(system, 2)
        assert await system.store.noted_time() == site.machine.now


async def test_an_untrusted_clock_replaces_no_key(tmp_path: Path) -> None:
    site = Site(tmp_path, Machine(wrong=TEN_DAYS * 10))
    await site.stock()
    async with site.opened() as system:
        await system.identity.keys.rotate_if_due()
        assert len(await system.identity.store.find(SigningKey)) == 2
        await site.run(system, 62)
        assert len(await system.identity.store.find(SigningKey)) == 2  # the newest, which is old, and a fresh one
        assert "newest" in {key.kid for key in await system.identity.store.find(SigningKey)}


async def test_a_last_use_in_the_future_is_corrected(tmp_path: Path) -> None:
    site = Site(tmp_path, Machine())
    await site.stock()
    async with site.opened() as system:
        identity = system.identity.store
        (alice,) = await identity.find(Partner)
        await identity.save(replace(alice, last_used=site.machine.now + timedelta(days=10)))
        caller = await system.authenticate({"authorization": "Bearer obk_alice"}, Scope.OPENBOOKING)
        assert caller == Caller("alice", frozenset())
        await system.identity.last_use_recorder.wait_until_written()
        (alice,) = await identity.find(Partner)
        assert alice.last_used == site.machine.clock()


async def test_leases_end_while_much_that_is_over_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, removes = Site(tmp_path, Machine()), anyio.Event()
    await site.stock()

    async def remove_without_end(system: System) -> None:
        del system
        removes.set()
        await anyio.sleep_forever()

    monkeypatch.setattr("openbooking.system._remove_over", remove_without_end)
    async with site.opened() as system:
        with anyio.fail_after(10):
            # Nothing irreversible is done before the time is trusted.
            await site.run(system, 70)
            await removes.wait()
            await site.sweep(system, 3)


async def test_a_fault_of_the_software_is_logged_and_kept_at_its_entry(tmp_path: Path) -> None:
    site = Site(tmp_path, Machine())
    await site.stock()
    # No calendar has the day on which these sessions end.
    endless = replace(SPIN, times=(replace(SPIN.times[0], minutes=10**12),))
    key = EntryKey(SELLER.key, "endless")
    with structlog.testing.capture_logs() as told:
        async with site.opened() as system:
            await system.store.execute(SaveTimetableEntry(key=key, rule=endless, actor=MANAGER))
            with anyio.fail_after(10):
                await site.run(system, 70)
                while (await system.store.execute(GetTimetable(seller=SELLER.key, actor=MANAGER)))[key].fault is None:
                    await site.sweep(system, 1)
    (entry,) = [entry for entry in told if entry["event"] == "timetable.entry_failed"]
    assert (entry["seller"], entry["entry"], type(entry["exc_info"])) == (SELLER.key, "endless", OverflowError)


async def test_on_committed_reads_the_order_of_an_event(tmp_path: Path) -> None:
    """The event is told, although the front desk has booked in another system over the same database."""
    settings = Settings(database=str(tmp_path / "x.sqlite3"), sweep_seconds=0.01)
    told, done = list[OrderRecord](), anyio.Event()

    async def on_committed(event: OrderEvent, system: System) -> None:
        record = await system.store.execute(GetOrder(caller=Caller(event.order.partner), uuid=event.order.uuid))
        assert isinstance(record, OrderRecord)
        told.append(record)
        done.set()

    async with open_system(settings, Clock(), on_committed=on_committed) as system:
        await system.store.execute(PublishSeller(SELLER, actor=MANAGER))
        await system.store.execute(Publish(session(YOGA, 5), actor=MANAGER))
        async with open_system(settings, Clock(), serves=False) as other:
            command = BookAtDesk(**fields_of(book(fresh(), YOGA, caller=desk_caller(SELLER.key))), actor=MANAGER)
            command = replace(command, request=replace(command.request, payment=Payment(name="cash", identifier="1")))
            assert not (await other.store.execute(command)).has_errors
        with anyio.fail_after(60):
            await done.wait()
    assert [record.is_of_desk for record in told] == [True]


def fields_of(command: Any) -> dict[str, Any]:
    """Return the fields of a command."""
    return {name: getattr(command, name) for name in command.__struct_fields__}


async def test_on_committed_needs_a_store_that_keeps_events(tmp_path: Path) -> None:
    class StoreWithoutEvents:
        """A store of an embedder that has no queue of events."""

    async def on_committed(event: OrderEvent, system: System) -> None:
        raise AssertionError

    settings = Settings(access=AccessMode.HEADERS, trusted_partner_header="X-Partner")
    store: Any = StoreWithoutEvents()
    with pytest.raises(SettingsError, match="keeps events"):
        create_app(settings, store=store, on_committed=on_committed)
    with pytest.raises(SettingsError, match="keeps events"):
        async with open_system(settings, store=store, on_committed=on_committed):
            pass


async def test_on_committed_that_is_no_async_function_is_told_in_the_log(tmp_path: Path) -> None:
    def on_committed(event: OrderEvent, system: System) -> None:
        """Return None, which cannot be awaited."""

    settings, wrong = Settings(database=str(tmp_path / "x.sqlite3")), cast("OnCommitted", on_committed)
    with capture_logs() as logs:
        async with open_system(settings, Clock(), on_committed=wrong) as system:
            await system.store.execute(PublishSeller(SELLER, actor=MANAGER))
            await system.store.execute(Publish(session(YOGA, 5), actor=MANAGER))
            await system.store.execute(book(fresh(), YOGA))
            with anyio.fail_after(60):
                while not (failed := [entry for entry in logs if entry["event"] == "on_committed.failed"]):
                    await anyio.sleep(0.01)
    assert "must be an async function: it has returned None" in str(failed[0]["exc_info"])


async def test_on_committed_may_book(tmp_path: Path) -> None:
    """A call that books, such as for a second course, is told of that booking too."""
    uuids, told = [fresh(), fresh()], list[str]()

    async def on_committed(event: OrderEvent, system: System) -> None:
        told.append(event.order.uuid)
        await system.store.execute(book(uuids[1], YOGA))

    settings = Settings(database=str(tmp_path / "x.sqlite3"))
    async with open_system(settings, Clock(), on_committed=on_committed) as system:
        await system.store.execute(PublishSeller(SELLER, actor=MANAGER))
        await system.store.execute(Publish(session(YOGA, 5), actor=MANAGER))
        await system.store.execute(book(uuids[0], YOGA))
        with anyio.fail_after(60):
            while told != uuids:
                await anyio.sleep(0.01)


async def test_an_open_system_shows_what_other_software_has_sold(tmp_path: Path) -> None:
    settings = Settings(database=str(tmp_path / "x.sqlite3"), sweep_seconds=0.01)
    async with open_system(settings, Clock()) as system:
        await system.store.execute(PublishSeller(SELLER, actor=MANAGER))
        await system.store.execute(Publish(session(YOGA, 5), actor=MANAGER))
        with closing(sqlite3.connect(settings.database, isolation_level=None)) as other_software:
            other_software.execute("INSERT INTO sold_elsewhere (path, spaces) VALUES ('scheduled-sessions/yoga', 2)")
        with anyio.fail_after(60):
            while await spaces_left(system.store, YOGA) != 3:
                await anyio.sleep(0.01)


def log_failure(email: str) -> None:
    try:
        len(email) / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")
        raise


async def test_tracebacks_of_an_embedded_system_have_no_values_of_variables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured = structlog.get_config()
    structlog.reset_defaults()
    try:
        async with open_system(Settings(database=str(tmp_path / "x.sqlite3")), serves=False):
            email = "confidential@example.com"
            with suppress(ZeroDivisionError):
                log_failure(email)
    finally:
        structlog.configure(**configured)
    printed = capsys.readouterr().out
    assert "ZeroDivisionError" in printed
    assert email not in printed
