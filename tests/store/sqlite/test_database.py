"""The driver of SQLite: erasure from the file, locked and broken files, cancelled and killed writers."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.erase_personal_data import ErasePersonalData
from openbooking.booking.model.order import Order
from openbooking.booking.store import StoreUnavailableError
from openbooking.store.database import Procedure, ask
from openbooking.store.dialect import Statement
from openbooking.store.migrate import prepare
from openbooking.store.sqlite.database import SqliteDatabase
from openbooking.testing.samples import (
    ALICE,
    EMAIL,
    MANAGER,
    SELLER,
    SESSIONS,
    START,
    Clock,
    book,
    session,
    spaces_left,
)
from openbooking.testing.store_case import UUID
from support.sqlite_files import on_disk, open_at

TOUCH = Statement("UPDATE alembic_version SET version_num = version_num", (), writes=True)


def test_only_the_owner_can_read_a_new_database(tmp_path: Path) -> None:
    """The umask does not matter. The permissions of an existing file do not change."""
    path, linked, shared = tmp_path / "openbooking.sqlite3", tmp_path / "linked", tmp_path / "shared"
    linked.symlink_to(tmp_path / "target")
    shared.touch(0o640)
    before = os.umask(0)
    try:
        for database in (path, linked, shared):
            prepare(str(database))
        store = open_at(path)
        asyncio.run(store.execute(PublishSeller(SELLER, actor=MANAGER)))
        modes = {kept.name: kept.stat().st_mode & 0o777 for kept in tmp_path.iterdir()}
    finally:
        os.umask(before)
    asyncio.run(store.close())
    assert modes.pop("shared") == 0o640
    assert modes.keys() >= {path.name, f"{path.name}-wal", f"{path.name}-shm", "target"}
    assert set(modes.values()) == {0o600}


@pytest.mark.spec("OB-DEL-03", "OB-DEL-04")
def test_deletion_erases_personal_data_from_the_disk(tmp_path: Path) -> None:
    async def run() -> None:
        store, clock = open_at(tmp_path / "x.sqlite3"), Clock()
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session("yoga", 5), actor=MANAGER))
        await store.execute(book(UUID, "yoga"))
        assert EMAIL.encode() in on_disk(tmp_path)
        await store.execute(DeleteOrder(caller=ALICE, uuid=UUID))
        await store.forget_deleted(clock())
        assert EMAIL.encode() not in on_disk(tmp_path)
        await store.close()

    asyncio.run(run())


def test_retention_erases_personal_data_from_the_disk(tmp_path: Path) -> None:
    async def run() -> None:
        store, clock = open_at(tmp_path / "x.sqlite3"), Clock()
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session("yoga", 5), actor=MANAGER))
        command = book(UUID, "yoga")
        await store.execute(command)
        assert EMAIL.encode() in on_disk(tmp_path)
        assert command.request.fingerprint().encode() not in on_disk(tmp_path)
        assert await store.execute(ErasePersonalData(over_before=START + timedelta(days=11))) == 1
        await store.forget_deleted(clock())
        assert EMAIL.encode() not in on_disk(tmp_path)
        await store.close()

    asyncio.run(run())


@pytest.mark.spec("OB-DEL-03", "OB-DEL-04")
def test_data_that_a_reader_keeps_on_the_disk_is_reported_and_erased_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        store, clock = open_at(tmp_path / "x.sqlite3"), Clock()
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session("yoga", 5), actor=MANAGER))
        await store.execute(book(UUID, "yoga"))
        with closing(sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM record").fetchall()
            await store.execute(DeleteOrder(caller=ALICE, uuid=UUID))
            with pytest.raises(StoreUnavailableError, match="reading"):
                await store.forget_deleted(clock())
            assert EMAIL.encode() in on_disk(tmp_path)
            # The second request tries again until the reader has ended, however long that takes.
            monkeypatch.setattr("openbooking.store.sqlite.database._PURGE_TRIES", 1000)
            forgetting = asyncio.create_task(store.forget_deleted(clock()))
            await asyncio.sleep(0)
            assert await spaces_left(store, "yoga") == 5
            assert not forgetting.done()
            reader.execute("ROLLBACK")
            await forgetting
        assert EMAIL.encode() not in on_disk(tmp_path)
        await store.close()

    monkeypatch.setattr("openbooking.store.sqlite.database._SECONDS_BETWEEN_PURGES", 0.05)
    asyncio.run(run())


def test_commits_are_on_disk_before_they_are_answered(tmp_path: Path) -> None:
    """Connections synchronise fully, and overwrite deleted data."""

    async def run() -> list[int]:
        store = open_at(tmp_path / "x.sqlite3")
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        database = store._database
        assert isinstance(database, SqliteDatabase)
        found = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for connection in database.connections
            for name in ("synchronous", "secure_delete")
        ]
        await store.close()
        return found

    assert asyncio.run(run()) == [2, 1]


def test_a_locked_or_broken_file_makes_the_store_unavailable(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "x.sqlite3"
        store = open_at(path)
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session("yoga", 5), actor=MANAGER))
        with sqlite3.connect(path) as database:
            database.execute("ALTER TABLE record RENAME TO elsewhere")
        with pytest.raises(StoreUnavailableError):
            await store.execute(book(UUID, "yoga"))
        with sqlite3.connect(path) as database:
            database.execute("ALTER TABLE elsewhere RENAME TO record")
        assert await spaces_left(store, "yoga") == 5
        booked = await store.execute(book(UUID, "yoga"))
        assert isinstance(booked, Order)
        assert not booked.has_errors
        await store.close()

    asyncio.run(run())


def test_a_writer_waits_for_another_process_without_blocking_readers(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "x.sqlite3"
        store = open_at(path)
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session("yoga", 5), actor=MANAGER))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            booking = asyncio.create_task(store.execute(book(UUID, "yoga")))
            for _ in range(5):
                assert await spaces_left(store, "yoga") == 5
            assert not booking.done()
            other.execute("COMMIT")
        assert isinstance(await booking, Order)
        assert await spaces_left(store, "yoga") == 4
        await store.close()

    asyncio.run(run())


def test_a_cancelled_reader_does_not_wait_for_its_thread(tmp_path: Path) -> None:
    async def run() -> None:
        store = open_at(tmp_path / "x.sqlite3")
        database = store._database
        started, free = threading.Event(), threading.Event()

        def stuck() -> Procedure[bool]:
            yield from ()
            started.set()
            return free.wait()

        reading = asyncio.create_task(database.read(stuck))
        await asyncio.to_thread(started.wait)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        free.set()
        await store.close()

    asyncio.run(run())


def test_a_closed_store_is_unavailable(tmp_path: Path) -> None:
    async def run() -> None:
        store = open_at(tmp_path / "x.sqlite3")
        await store.feed_items(SESSIONS, 0, 1)
        await store.close()
        with pytest.raises(StoreUnavailableError):
            await store.feed_items(SESSIONS, 0, 1)

    asyncio.run(run())


def test_a_cancelled_writer_leaves_the_file_to_the_next(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "x.sqlite3"
        store = open_at(path)
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        database = store._database
        assert isinstance(database, SqliteDatabase)
        insert = Statement("INSERT INTO alembic_version VALUES (:number)", ("number",), writes=True)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.create_task(database.write(lambda: ask(insert, number="x")))
            while not database._writing.locked():
                await asyncio.sleep(0)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            other.execute("COMMIT")
            assert other.execute("SELECT COUNT(*) FROM alembic_version").fetchone() == (1,)
            other.execute("BEGIN IMMEDIATE")
            other.execute("COMMIT")
        await store.execute(Publish(session("yoga", 5), actor=MANAGER))
        assert await spaces_left(store, "yoga") == 5
        await store.close()

    asyncio.run(run())


BOOK_UNTIL_KILLED = textwrap.dedent(
    """
    import asyncio, sys, uuid
    from pathlib import Path
    from openbooking.booking.model.policy import Policy
    from openbooking.store.sqlite.store import SqliteStore
    from openbooking.testing.samples import Clock, book
    from openbooking.testing.store_case import feed_writer

    async def run():
        store = SqliteStore(Path(sys.argv[1]), policy=Policy(), writer=feed_writer(), clock=Clock())
        async def caller():
            while True:
                order_uuid = str(uuid.uuid4())
                await store.execute(book(order_uuid, "yoga"))
                print(order_uuid, flush=True)
        await asyncio.gather(*(caller() for _ in range(8)))

    asyncio.run(run())
    """
)


def test_commits_of_a_killed_process_are_flushed_before_they_are_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process may be killed after it has written a commit and before the commit is on disk."""
    path = tmp_path / "x.sqlite3"

    async def stock() -> None:
        store = open_at(path)
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session("yoga", 100_000), actor=MANAGER))
        await store.close()

    async def repeat(uuid: str) -> None:
        store = open_at(path)
        assert isinstance(await store.execute(book(uuid, "yoga")), Order)
        await store.close()

    asyncio.run(stock())
    with subprocess.Popen(
        [sys.executable, "-c", BOOK_UNTIL_KILLED, str(path)], stdout=subprocess.PIPE, text=True
    ) as booking:
        assert booking.stdout is not None
        uuid = booking.stdout.readline().strip()
        os.kill(booking.pid, signal.SIGKILL)
    flushed: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda number: flushed.append(str(Path(f"/proc/self/fd/{number}").readlink())))
        asyncio.run(repeat(uuid))
    assert flushed[:2] == [f"{path}-wal", str(tmp_path)]


def test_acknowledged_bookings_survive_a_kill(tmp_path: Path) -> None:
    """A process is killed while it books. All Orders that it acknowledged are in the file, and the counts agree."""
    path = tmp_path / "x.sqlite3"

    async def stock() -> None:
        store = open_at(path)
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session("yoga", 100_000), actor=MANAGER))
        await store.close()

    asyncio.run(stock())
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", BOOK_UNTIL_KILLED, str(path)], stdout=subprocess.PIPE, text=True
        ) as booking:
            assert booking.stdout is not None
            acknowledged = {booking.stdout.readline().strip() for _ in range(50)}
            os.kill(booking.pid, signal.SIGKILL)
            acknowledged |= {line.strip() for line in booking.stdout if len(line) == len(UUID) + 1}
        database = sqlite3.connect(path)
        kept = {uuid for (uuid,) in database.execute("SELECT uuid FROM record")}
        assert acknowledged <= kept
        (booked,) = database.execute("SELECT booked FROM opportunity WHERE path LIKE 'scheduled%'").fetchone()
        (claimed,) = database.execute("SELECT SUM(places) FROM claim").fetchone()
        assert booked == claimed == len(kept)
        database.close()
