"""A server with a fault on purpose: `python faulty_server.py --port 0`.

The environment variable OPENBOOKING_FAULT has one of these forms:

-   `clock FILE APART`: the wall clock is ahead by the number of seconds in the file; monotonic time is right. If APART
    is above 0, the clock of each process differs by a random number of seconds, at most APART.
-   `unlocked-sqlite SECONDS` or `unlocked-postgres SECONDS`: the store does not lock. After it has read that spaces are
    left, it waits for that time before it writes, so that others read meanwhile on a busy machine too.

The package itself has no such faults, and no switch for them.
"""

import os
import random
import time
from collections.abc import Callable
from ctypes import c_bool
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from starlette.types import ASGIApp

from openbooking.booking.model.policy import Policy
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.rules.opportunities.capacity import spaces_left
from openbooking.booking.store import FeedWriter
from openbooking.clock import Clock, SystemClock
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.serving.listening import listen_for_each
from openbooking.serving.logs import configure_logs
from openbooking.serving.processes import compare_with_database, run_workers
from openbooking.serving.server import log_ready
from openbooking.settings import Settings, load_settings
from openbooking.store.database import Procedure, Query
from openbooking.store.dialect import Statement
from openbooking.store.loading import load
from openbooking.store.postgres.store import PostgresStore
from openbooking.store.sqlite.database import SqliteDatabase, run_procedure
from openbooking.store.sqlite.store import SqliteStore
from openbooking.system import open_identity_store, open_store
from openbooking.web.app import create_app

FAULT = "OPENBOOKING_FAULT"
SHARE = random.uniform(-1, 1)  # noqa: S311 - any will do

_PAUSE = Statement("SELECT pg_sleep($1)", ("seconds",), writes=False)

T = TypeVar("T")


class UnlockedPostgresStore(PostgresStore):
    """A store that reads without locking rows."""

    pause_seconds = 0.0

    def _load_to_write(self, needs: Needs) -> Procedure[Situation]:
        situation = yield from load(self._sql, needs, self._policy, self._clock())
        if _spaces_are_left(situation):
            yield Query(_PAUSE, {"seconds": self.pause_seconds})
        return situation


class UnlockedSqliteStore(SqliteStore):
    """A store that reads and writes without a transaction."""

    pause_seconds = 0.0

    def __init__(self, path: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> None:
        super().__init__(path, policy=policy, writer=writer, clock=clock)
        self._database = UnlockedSqliteDatabase(path)

    def _load_to_write(self, needs: Needs) -> Procedure[Situation]:
        situation = yield from super()._load_to_write(needs)
        if _spaces_are_left(situation):
            time.sleep(self.pause_seconds)
        return situation


class UnlockedSqliteDatabase(SqliteDatabase):
    """A database that commits each statement."""

    async def write(
        self,
        make: Callable[[], Procedure[T]],
        *,
        brief: bool = False,
        until: float | None = None,
        lock_seconds: float | None = None,
    ) -> T:
        del brief, until, lock_seconds
        return await self._in_writer_thread(lambda: run_procedure(self._connection_of_thread(), make()))


def _spaces_are_left(situation: Situation) -> bool:
    return any(
        spaces_left(opportunity, situation.spaces[path])
        for path, opportunity in situation.opportunities.items()
        if path in situation.spaces
    )


FAULTS: dict[str, type[UnlockedPostgresStore | UnlockedSqliteStore]] = {
    "unlocked-postgres": UnlockedPostgresStore,
    "unlocked-sqlite": UnlockedSqliteStore,
}


def use_clock(clock: Path, ahead: float = 0) -> None:
    """Replace `time.time` of this process by a clock that is ahead by `ahead` and by the seconds in the file."""
    sound = time.time
    time.time = lambda: sound() + ahead + float(clock.read_text())


def turn_clock(clock: Path, seconds: float) -> None:
    """Write how many seconds the clocks are ahead, in one step, while others read the file."""
    made = clock.with_suffix(".new")
    made.write_text(str(seconds))
    made.replace(clock)


def make_app(settings: Settings, fault: str, clock: SystemClock, draining: c_bool) -> ASGIApp:
    del draining
    configure_logs()
    name, *values = fault.split()
    identity = open_identity_store(settings)
    if name == "clock":
        file, apart = Path(values[0]), float(values[1])
        use_clock(file, SHARE * apart)
        clock = SystemClock() if apart else clock
        return create_app(settings, clock, open_store(settings, clock), identity)
    writer = JsonLdFeedWriter(Writer(Identifiers(settings.base_uri)))
    where: Any = Path(settings.database) if "sqlite" in name else settings.database
    store = FAULTS[name](where, policy=settings.policy, writer=writer, clock=clock)
    store.pause_seconds = float(values[0])
    return create_app(settings, clock, store, identity)


def main() -> None:
    configure_logs()
    fault = os.environ.pop(FAULT)
    if fault.startswith("clock"):
        use_clock(Path(fault.split()[1]))
    listeners, settings = listen_for_each(load_settings(port=0))
    clock = SystemClock()
    compare_with_database(settings, clock)
    run_workers(settings, partial(make_app, settings, fault), listeners, lambda: log_ready(settings), clock)


if __name__ == "__main__":
    main()
