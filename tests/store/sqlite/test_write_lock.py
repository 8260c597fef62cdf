"""Several processes that write to one SQLite file take turns."""

import asyncio
import itertools
import os
from contextlib import closing
from pathlib import Path

import pytest

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.store.database import ask
from openbooking.store.dialect import Statement
from openbooking.store.migrate import prepare
from openbooking.store.sqlite.store import SqliteStore
from openbooking.store.sqlite.write_lock import WriteLock
from openbooking.testing.samples import MANAGER, SELLER, book, session, spaces_left
from openbooking.testing.store_case import UUID
from support.sqlite_files import open_at

TOUCH = Statement("UPDATE alembic_version SET version_num = version_num", (), writes=True)


def test_the_write_lock_alternates_between_processes(tmp_path: Path) -> None:
    """Without the lock, the process that has just written would usually write again."""

    async def run() -> list[str]:
        first, second = open_at(tmp_path / "x.sqlite3"), open_at(tmp_path / "x.sqlite3")
        await first.execute(PublishSeller(SELLER, actor=MANAGER))
        await second.execute(Publish(session("yoga", 5), actor=MANAGER))
        written: list[str] = []

        async def write(store: SqliteStore, name: str) -> None:
            for _ in range(20):
                await store._database.write(lambda: ask(TOUCH))
                written.append(name)

        await asyncio.gather(write(first, "first"), write(second, "second"))
        await first.close()
        await second.close()
        return written

    written = asyncio.run(run())
    in_a_row = max(len(list(group)) for _, group in itertools.groupby(written[:20]))
    assert in_a_row <= 2


def test_without_file_locks_writers_do_not_wait_for_the_write_lock(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "x.sqlite3"
        (tmp_path / "x.sqlite3-turn").mkdir()
        store, other = open_at(path), open_at(path)
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await other.execute(Publish(session("yoga", 5), actor=MANAGER))
        await store.execute(book(UUID, "yoga"))
        assert await spaces_left(other, "yoga") == 4
        await store.close()
        await other.close()

    asyncio.run(run())


def test_a_lock_file_made_by_root_can_be_used_by_the_owner_of_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.sqlite3"
    prepare(str(path))
    path.chmod(0o640)
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    with closing(WriteLock(path)) as turn, turn:
        assert turn.try_acquire()
    assert given == [(path.stat().st_uid, path.stat().st_gid)]
    assert (tmp_path / "x.sqlite3-turn").stat().st_mode & 0o777 == 0o640
