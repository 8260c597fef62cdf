"""A database is backed up while it is in use, lost, and restored; harvesters and Brokers then continue correctly.

The steps are those of docs/how-to/back-up-and-restore.md.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.model.order import Order
from openbooking.booking.store import ORDERS, Feed, Store
from openbooking.cli import app
from openbooking.openactive.errors import UnknownOrderError
from openbooking.settings import Settings
from openbooking.store.migrate import prepare
from openbooking.store.sql import SqlStore
from openbooking.system import open_store
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import ALICE, MANAGER, SELLER, SESSIONS, book, cancel, fresh, quote, session

Copy = dict[str, tuple[int, bytes | None]]
T = TypeVar("T")
ALICES = Feed(ORDERS, ALICE.partner)


class Sqlite:
    """SQLite files, backed up by `openbooking backup`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.database = str(folder / "openbooking.sqlite3")

    def back_up(self) -> Path:
        copy = self._folder / "copy.sqlite3"
        run_command("backup", str(copy), "--database", self.database)
        return copy

    def restore(self, copy: Path) -> str:
        for name in ("", "-wal", "-shm"):
            Path(self.database + name).unlink(missing_ok=True)
        shutil.copy(copy, self.database)
        return self.database


class Postgres:
    """PostgreSQL, backed up by pg_dump and pg_restore."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.database = server.new_database()

    def back_up(self) -> Path:
        return self._server.back_up(self.database)

    def restore(self, copy: Path) -> str:
        return self._server.restore(copy)


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Sqlite | Postgres:
    """Return a new database of each kind, with its tools for backup and restore."""
    return Sqlite(tmp_path) if request.param == "sqlite" else Postgres(request.getfixturevalue("postgres"))


def run_command(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def run_failing_command(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1, result.output
    return result.stderr


def run_on_store(database: str, work: Callable[[SqlStore], Coroutine[Any, Any, T]]) -> T:
    """Open the store, run `work` with it, close it, and return the result of `work`."""

    async def run() -> T:
        store = open_store(Settings(database=database))
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def publish_future_session(key: str) -> Publish:
    """Return the command that publishes a session in two days, by the real clock."""
    series, one = session(key, 1_000_000)
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    return Publish((series, replace(one, start=start, end=start + timedelta(hours=1))), actor=MANAGER)


async def stock(store: Store) -> None:
    await store.execute(PublishSeller(SELLER, actor=MANAGER))
    for key in ("yoga", "swim", "judo"):
        await store.execute(publish_future_session(key))


async def harvest_on(store: Store, feed: Feed, copy: Copy) -> None:
    """Read the feed from the highest change number in the copy on, and add the items to the copy."""
    after = max((modified for modified, _ in copy.values()), default=0)
    while items := await store.feed_items(feed, after, 100):
        copy |= {item.id: (item.modified, item.data) for item in items}
        after = items[-1].modified


async def harvest_from_start(store: Store, feed: Feed) -> Copy:
    """Return a copy of the feed, read from its beginning."""
    held: Copy = {}
    await harvest_on(store, feed, held)
    return held


def test_after_a_restore_harvesters_read_everything_again_and_brokers_rebook_lost_orders(
    kept: Sqlite | Postgres,
) -> None:
    kept_uuid, lost_uuid = fresh(), fresh()
    copies: dict[Feed, Copy] = {SESSIONS: {}, ALICES: {}}

    async def before(store: SqlStore) -> None:
        await stock(store)
        await store.execute(book(kept_uuid, "yoga"))

    async def lost(store: SqlStore) -> None:
        await store.execute(book(lost_uuid, "yoga", "swim"))
        await store.execute(cancel(kept_uuid, 1))
        await store.execute(Withdraw(sources=frozenset({"kit"}), keep=kept_paths("yoga", "swim"), actor=MANAGER))
        await store.execute(publish_future_session("late"))
        for feed, copy in copies.items():
            await harvest_on(store, feed, copy)

    async def differences(store: SqlStore) -> set[str]:
        wrong = set()
        for feed, copy in copies.items():
            await harvest_on(store, feed, copy)
            held = await harvest_from_start(store, feed)
            wrong |= {id_ for id_ in held | copy if held.get(id_) != copy.get(id_)}
        return wrong

    async def book_again(store: SqlStore) -> None:
        assert await store.check_integrity() == []
        with pytest.raises(UnknownOrderError):
            await store.execute(cancel(lost_uuid, 1))
        again = await store.execute(book(lost_uuid, "yoga", "swim"))
        assert isinstance(again, Order)
        assert not again.has_errors
        assert await store.check_integrity() == []

    prepare(kept.database)
    run_on_store(kept.database, before)
    copy = kept.back_up()
    run_on_store(kept.database, lost)
    restored = kept.restore(copy)
    # Before the items get new numbers, a harvester that reads on does not see the items that the restore set back.
    stale = {key.partition("/")[2] for key in run_on_store(restored, differences)}
    assert {"yoga", "swim", "judo", "late"} <= stale
    assert "feed items have new numbers" in run_command("feed", "renumber", "--database", restored)
    # An item that was published after the backup stays in copies until its provider publishes it again.
    assert {id_ for id_ in run_on_store(restored, differences) if "late" not in id_} == {kept_uuid}
    run_on_store(restored, lambda store: store.execute(publish_future_session("late")))
    assert run_on_store(restored, differences) == {kept_uuid}
    run_on_store(restored, book_again)
    assert run_on_store(restored, differences) == {kept_uuid}


def kept_paths(*keys: str) -> frozenset[str]:
    """Return the paths of sessions and their series."""
    return frozenset(opportunity.path for key in keys for opportunity in session(key, 1))


def test_renumbering_exceeds_the_given_number_and_all_earlier_numbers(kept: Sqlite | Postgres) -> None:
    async def many(store: SqlStore) -> Copy:
        await stock(store)
        for number in range(5):
            await store.execute(publish_future_session(f"more-{number}"))
        return await harvest_from_start(store, SESSIONS)

    prepare(kept.database)
    first = run_on_store(kept.database, many)
    tops = [max(modified for modified, _ in first.values())]
    for above in (0, 2**50, 0):
        run_command("feed", "renumber", "--above", str(above), "--database", kept.database)
        held = run_on_store(kept.database, lambda store: harvest_from_start(store, SESSIONS))
        numbers = [modified for modified, _ in held.values()]
        assert min(numbers) > max(tops[-1], above)
        assert len(set(numbers)) == len(first)
        assert {id_: data for id_, (_, data) in held.items()} == {id_: data for id_, (_, data) in first.items()}
        tops.append(max(numbers))
    assert run_on_store(kept.database, lambda store: store.check_integrity()) == []
    run_on_store(kept.database, lambda store: store.execute(publish_future_session("last")))
    held = run_on_store(kept.database, lambda store: harvest_from_start(store, SESSIONS))
    assert max(modified for modified, _ in held.values()) > tops[-1]


def test_renumbering_in_batches_allows_concurrent_changes(
    kept: Sqlite | Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbooking.store.numbering.ITEMS_PER_TRANSACTION", 2)

    async def run(store: SqlStore) -> None:
        await stock(store)
        copy = await harvest_from_start(store, SESSIONS)
        above = max(modified for modified, _ in copy.values()) + 1_000
        renumbering = asyncio.create_task(store.renumber(above))
        await asyncio.gather(*(store.execute(book(fresh(), "yoga", "swim")) for _ in range(20)))
        assert await renumbering >= 6
        held = await harvest_from_start(store, SESSIONS)
        assert min(modified for modified, _ in held.values()) > above
        await harvest_on(store, SESSIONS, copy)
        assert copy == held
        assert await store.check_integrity() == []

    prepare(kept.database)
    run_on_store(kept.database, run)


def test_a_backup_made_during_bookings_is_complete_and_consistent(kept: Sqlite | Postgres) -> None:
    async def book_meanwhile(store: SqlStore) -> tuple[Path, int]:
        await stock(store)
        await store.execute(quote(fresh(), "judo"))
        copying = asyncio.create_task(asyncio.to_thread(kept.back_up))
        count = 0
        while not copying.done():
            await store.execute(book(fresh(), "yoga", "swim"))
            count += 1
        return copying.result(), count

    prepare(kept.database)
    copy, most = run_on_store(kept.database, book_meanwhile)
    restored = kept.restore(copy)
    prepare(restored)
    assert run_on_store(restored, lambda store: store.check_integrity()) == []
    counts = run_on_store(restored, lambda store: store.order_counts())
    assert 0 <= sum(counts.values()) <= most


def test_only_the_owner_can_read_a_backup_and_it_replaces_no_file(tmp_path: Path) -> None:
    kept = Sqlite(tmp_path)
    assert "no database" in run_failing_command("backup", str(tmp_path / "copy"), "--database", kept.database)
    prepare(kept.database)
    copy = kept.back_up()
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert "exists already" in run_failing_command("backup", str(copy), "--database", kept.database)
    assert "cannot be copied" in run_failing_command(
        "backup", str(tmp_path / "nowhere" / "copy"), "--database", kept.database
    )
    assert "pg_dump" in run_failing_command("backup", str(tmp_path / "other"), "--database", "postgresql://nowhere/x")
    assert {path.name for path in tmp_path.iterdir()} >= {"copy.sqlite3", "openbooking.sqlite3"}
    assert not list(tmp_path.glob("*.unfinished"))
