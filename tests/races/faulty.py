"""Serves with a store that has its protection taken out, to show that the tests notice: `python faulty.py --port 0`.

OPENBOOKING_FAULT names what is taken out. Nothing of this is in the package, nor any switch that would do it.
"""

import os
import time
from collections.abc import Callable, Iterable
from ctypes import c_bool
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from starlette.types import ASGIApp

from openbooking.booking.policy import Policy
from openbooking.booking.situation import Needs, Situation
from openbooking.booking.store import FeedWriter
from openbooking.cli.listening import listen_for_each
from openbooking.cli.logs import configure_logs
from openbooking.cli.processes import run_workers
from openbooking.cli.server import log_ready
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.settings import Settings, load_settings
from openbooking.spec.ids import Identifiers
from openbooking.store.dialects import Statement
from openbooking.store.exchange import Exchange, Query
from openbooking.store.loading import load
from openbooking.store.postgres import PostgresStore
from openbooking.store.sql import SqlStore
from openbooking.store.sqlite import SqliteDatabase, SqliteStore, carry_out
from openbooking.system import now, open_identity_store
from openbooking.web.app import create_app

FAULT = "OPENBOOKING_FAULT"
SEQUENCE = "CREATE SEQUENCE numbers START 4000000000000"

# Long enough for the other process to read meanwhile, however busy the machine is.
_PAUSE_SECONDS = 0.5
_PAUSE = Statement(f"SELECT pg_sleep({_PAUSE_SECONDS})", (), writes=False)
_NEXT_NUMBERS = Statement("SELECT nextval('numbers') FROM generate_series(1, $1)", ("count",), writes=False)

T = TypeVar("T")


class UnlockedPostgresStore(PostgresStore):
    """Reads without locking."""

    def _load_to_write(self, needs: Needs) -> Exchange[Situation]:
        situation = yield from load(self._sql, needs, self._policy, self._clock())
        yield Query(_PAUSE, {})
        return situation


class HastyPostgresStore(PostgresStore):
    """Takes change numbers before it commits."""

    def _numbers(self, count: int, now: datetime) -> Exchange[Iterable[int | None]]:
        del now
        rows = yield Query(_NEXT_NUMBERS, {"count": count})
        return [number for (number,) in rows]


class UnlockedSqliteStore(SqliteStore):
    """Reads and writes without a transaction."""

    def __init__(self, path: Path, *, policy: Policy, writer: FeedWriter, clock: Callable[[], datetime]) -> None:
        super().__init__(path, policy=policy, writer=writer, clock=clock)
        self._database = UnlockedSqliteDatabase(path)

    def _load_to_write(self, needs: Needs) -> Exchange[Situation]:
        situation = yield from super()._load_to_write(needs)
        time.sleep(_PAUSE_SECONDS)
        return situation


class UnlockedSqliteDatabase(SqliteDatabase):
    """Commits every statement by itself."""

    async def write(self, make: Callable[[], Exchange[T]], *, brief: bool = False) -> T:
        del brief
        return await self._in_writer_thread(lambda: carry_out(self._connection_of_thread(), make()))


FAULTS: dict[str, Callable[..., SqlStore]] = {
    "unlocked-postgres": UnlockedPostgresStore,
    "unlocked-sqlite": UnlockedSqliteStore,
}


def make_app(settings: Settings, fault: str, draining: c_bool) -> ASGIApp:
    del draining
    configure_logs()
    writer = JsonLdFeedWriter(Writer(Identifiers(settings.base_uri)))
    where = Path(settings.database) if "sqlite" in fault else settings.database
    store = FAULTS[fault](where, policy=settings.policy, writer=writer, clock=now)
    return create_app(settings, store=store, identity=open_identity_store(settings))


def main() -> None:
    configure_logs()
    fault = os.environ.pop(FAULT)
    listeners, settings = listen_for_each(load_settings(port=0))
    run_workers(settings, partial(make_app, settings, fault), listeners, lambda: log_ready(settings))


if __name__ == "__main__":
    main()
