"""Bookings and quotes a second through HTTP on SQLite, as fractions of what the parts allow: `make bench`.

- B of three items against a bare writer: the very statements and rows of those bookings, recorded, then written again
  by a loop that does nothing else, as many to a transaction as there are callers. Same file, same durability.
- C1 without a Lease against the same server that answers the same bytes without reading what was asked.
- Two processes on one file against one.
"""

import asyncio
import shutil
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx2

from openbooking.booking.commands.book import Book
from openbooking.booking.model.order import Caller
from openbooking.jsonld.read_order import OrderReader
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import OrderType
from openbooking.settings import Settings
from openbooking.store.command_queue.pending import Batch, PendingCommand
from openbooking.store.sqlite import database as driver
from openbooking.store.sqlite.connections import connect
from profiles import profile
from stage import HERE, HOST, Load, folder, free_port, process, put_load, server, tell_medians
from stock import PARTNER, headers, opened, order_body, settings_of, stock

OPPORTUNITIES = 10_000
WANTED = 10
ITEMS = 3
MANY = 64
BODIES = 5_000
ROUNDS = 3
SECONDS = 4.0
RECORDED = 3_200

Statement = tuple[str, str, Any]


class Recording(sqlite3.Connection):
    """A connection that notes what it is asked."""

    log: list[Statement]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Note it and do it."""
        self.log.append(("execute", sql, parameters))
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        """Note it and do it."""
        self.log.append(("executemany", sql, parameters))
        return super().executemany(sql, parameters)


def record(settings: Settings, bodies: list[bytes], batch: int) -> list[Statement]:
    """The statements of so many bookings, `batch` to a transaction, as the store makes them; done on the database."""
    log: list[Statement] = []
    commands = bookings(settings, bodies)

    async def write() -> None:
        async with opened(settings) as store:
            while waiting := list(islice(commands, batch)):
                until = asyncio.get_running_loop().time() + 3600
                await store._write(Batch([PendingCommand(command, until) for command in waiting]), 1)

    with patch.object(driver, "connect", lambda path, **_: _recording(path, log)):
        asyncio.run(write())
    return log


def order_bodies(ids: Identifiers, among: int, type_: str = "Order") -> list[bytes]:
    """Requests for places at ever other three of so many sessions."""
    chosen = ([(number * ITEMS + item) % among for item in range(ITEMS)] for number in range(BODIES))
    return [order_body(ids, sessions, type_) for sessions in chosen]


def bookings(settings: Settings, bodies: Iterable[bytes]) -> Iterator[Book]:
    """B of each of these bodies, to a fresh UUID."""
    reader = OrderReader(Identifiers(settings.base_uri), ITEMS)
    for body in bodies:
        request = reader.order(body, OrderType.ORDER)
        yield Book(caller=Caller(PARTNER), uuid=str(uuid.uuid4()), request=request)


def _recording(path: Path, log: list[Statement]) -> Recording:
    connection = sqlite3.connect(path, factory=Recording, isolation_level=None, check_same_thread=False)
    connection.log = log
    return connection


def replay(database: Path, log: list[Statement]) -> float:
    """Seconds that a bare writer takes for these statements."""
    connection = connect(database)
    started = time.perf_counter()
    for method, sql, parameters in log:
        getattr(connection, method)(sql, parameters).fetchall()
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


class Bench:
    """Measures on one stocked database; every measurement begins with a fresh copy."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port = free_port()
        self.stocked = place / "stocked.sqlite3"
        settings = settings_of(str(self.stocked), self.port)
        self.ids = Identifiers(settings.base_uri)
        asyncio.run(stock(settings, sessions=OPPORTUNITIES))

    def copy(self) -> Path:
        """A fresh copy of the database."""
        return Path(shutil.copyfile(self.stocked, self.place / f"{uuid.uuid4().hex}.sqlite3"))

    def bare(self, bodies: list[bytes], batch: int) -> float:
        """Bookings a second of the bare writer."""
        some = [bodies[number % len(bodies)] for number in range(RECORDED)]
        log = record(settings_of(str(self.copy()), self.port), some, batch)
        return RECORDED / replay(self.copy(), log)

    def served(self, bodies: list[bytes], callers: int, path: str = "orders", workers: int = 1) -> Load:
        """Answers a second of the server."""
        with server(self.copy(), self.port, workers=str(workers)):
            return self.put(bodies, callers, path)

    def put(self, bodies: list[bytes], callers: int, path: str) -> Load:
        """Answers a second of what listens on the port."""
        lines = self.place / "bodies"
        return put_load(self.port, f"/api/{path}", bodies, headers(), lines, callers=callers, seconds=SECONDS)

    def tell_profile(self, bodies: list[bytes], callers: int, path: str = "orders") -> None:
        """What the server spends its time on."""
        with server(self.copy(), self.port) as pid, profile(pid, self.place):
            self.put(bodies, callers, path)

    def echoed(self, bodies: list[bytes], callers: int) -> Load:
        """Answers a second of the same server if it answers a C1 of these without looking at it."""
        reply = self.place / "reply"
        with server(self.copy(), self.port):
            url = f"http://{HOST}:{self.port}/api/order-quote-templates/{uuid.uuid4()}"
            answered = httpx2.put(url, content=bodies[0], headers=headers())
            reply.write_bytes(answered.raise_for_status().content)
        with process([sys.executable, HERE / "echo.py", str(self.port), reply], self.port):
            return self.put(bodies, callers, "order-quote-templates")

    def compare_b(self, callers: int, among: int, aim: float | None = None) -> None:
        """B through HTTP against the bare writer, in turns."""
        bodies = order_bodies(self.ids, among)
        rounds = [(self.served(bodies, callers).rate, self.bare(bodies, callers)) for _ in range(ROUNDS)]
        tell_medians(f"B, {callers} callers, {among:,} Opportunities", rounds, aim)
        self.tell_profile(bodies, callers)

    def compare_c1(self, callers: int, aim: float | None = None) -> None:
        """C1 without Lease against the same server answering the same bytes, in turns."""
        bodies = order_bodies(self.ids, OPPORTUNITIES, "OrderQuote")
        path = "order-quote-templates"
        rounds = [(self.served(bodies, callers, path).rate, self.echoed(bodies, callers).rate) for _ in range(ROUNDS)]
        tell_medians(f"C1, {callers} callers", rounds, aim)
        self.tell_profile(bodies, callers, path)

    def compare_processes(self, what: str, type_: str, path: str) -> None:
        """Two processes on one file against one, in turns; they need more callers than one to have enough to do."""
        bodies = order_bodies(self.ids, OPPORTUNITIES, type_)
        rounds = [
            (self.served(bodies, MANY, path, workers=2).rate, self.served(bodies, MANY, path).rate)
            for _ in range(ROUNDS)
        ]
        tell_medians(f"{what}, {MANY} callers, two processes to one", rounds)


def main() -> None:
    """Print the ratios."""
    with folder() as place:
        bench = Bench(place)
        bench.compare_b(1, OPPORTUNITIES)
        bench.compare_b(32, OPPORTUNITIES, aim=0.4)
        bench.compare_b(32, WANTED)
        bench.compare_c1(1)
        bench.compare_c1(32, aim=0.35)
        bench.compare_processes("B", "Order", "orders")
        bench.compare_processes("C1", "OrderQuote", "order-quote-templates")


if __name__ == "__main__":
    main()
