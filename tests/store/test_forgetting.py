"""Deleted feed items are forgotten some at a time, so that bookings do not wait for all of them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.store.database import Procedure
from openbooking.store.migrate import prepare
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import MANAGER, SELLER, SESSIONS, Clock, read_feed, session
from support.databases.opened_stores import open_store

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.new_database()
    prepare(str(tmp_path / "x.sqlite3"))
    return str(tmp_path / "x.sqlite3")


async def test_deleted_items_are_forgotten_some_at_a_time(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    store = open_store(database, clock=clock)
    await store.execute(PublishSeller(SELLER, actor=MANAGER))
    for key in ("a", "b", "c", "d"):
        await store.execute(Publish(session(key, 1), actor=MANAGER))
    await store.execute(Withdraw(sources=frozenset({"kit"}), actor=MANAGER))
    await store.execute(Publish(session("kept", 1), actor=MANAGER))
    clock.move(timedelta(days=1))
    removed: list[int] = []
    write = store._database.write

    async def count(work: Callable[[], Procedure[Any]], **options: Any) -> Any:
        rows = await write(work, **options)
        removed.append(len(rows))
        return rows

    monkeypatch.setattr(store._database, "write", count)
    monkeypatch.setattr("openbooking.store.sql._FORGOTTEN_AT_ONCE", 3)
    await store.forget_deleted(clock())
    # Four sessions and their series. There are no order events.
    assert removed == [3, 3, 2, 0]
    monkeypatch.undo()
    assert (await read_feed(store, SESSIONS)).keys() == {"kept"}
    await store.close()
