"""Bookings and quotes a second over HTTP on SQLite, as fractions of a reference: `make bench`.

- B of three items, compared with a bare writer. A loop repeats the recorded statements and rows of those bookings, with
  as many bookings in a transaction as there are callers. Both write to the same file with the same durability.
- C1 without a Lease, compared with the same server that sends the same bytes without reading the request.
- Two processes on one file, compared with one process.
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

from openbooking.booking.commands.orders.book import Book
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
    """A connection that records its statements."""

    log: list[Statement]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Record the statement and execute it."""
        self.log.append(("execute", sql, parameters))
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        """Record the statement and execute it."""
        self.log.append(("executemany", sql, parameters))
        return super().executemany(sql, parameters)


def record(settings: Settings, bodies: list[bytes], batch: int) -> list[Statement]:
    """Carry out bookings, `batch` in a transaction, and return the statements that the store executed."""
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
    """Return request bodies for spaces at three sessions each, different ones each time."""
    chosen = ([(number * ITEMS + item) % among for item in range(ITEMS)] for number in range(BODIES))
    return [order_body(ids, sessions, type_) for sessions in chosen]


def bookings(settings: Settings, bodies: Iterable[bytes]) -> Iterator[Book]:
    """Yield the B command of each body, with a new UUID."""
    reader = OrderReader(Identifiers(settings.base_uri), ITEMS)
    for body in bodies:
        request = reader.order(body, OrderType.ORDER)
        yield Book(caller=Caller(PARTNER), uuid=str(uuid.uuid4()), request=request)


def _recording(path: Path, log: list[Statement]) -> Recording:
    connection = sqlite3.connect(path, factory=Recording, isolation_level=None, check_same_thread=False)
    connection.log = log
    return connection


def replay(database: Path, log: list[Statement]) -> float:
    """Return the seconds that a bare writer takes for these statements."""
    connection = connect(database)
    started = time.perf_counter()
    for method, sql, parameters in log:
        getattr(connection, method)(sql, parameters).fetchall()
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


class Bench:
    """Measurements on one filled database. Each begins with a new copy of the database."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port = free_port()
        self.stocked = place / "stocked.sqlite3"
        settings = settings_of(str(self.stocked), self.port)
        self.ids = Identifiers(settings.base_uri)
        asyncio.run(stock(settings, sessions=OPPORTUNITIES))

    def copy(self) -> Path:
        """Return a new copy of the database."""
        return Path(shutil.copyfile(self.stocked, self.place / f"{uuid.uuid4().hex}.sqlite3"))

    def bare(self, bodies: list[bytes], batch: int) -> float:
        """Return the bookings per second of the bare writer."""
        some = [bodies[number % len(bodies)] for number in range(RECORDED)]
        log = record(settings_of(str(self.copy()), self.port), some, batch)
        return RECORDED / replay(self.copy(), log)

    def served(self, bodies: list[bytes], callers: int, path: str = "orders", workers: int = 1) -> Load:
        """Return the answers per second of the server."""
        with server(self.copy(), self.port, workers=str(workers)):
            return self.put(bodies, callers, path)

    def put(self, bodies: list[bytes], callers: int, path: str) -> Load:
        """Return the answers per second of the process that listens on the port."""
        lines = self.place / "bodies"
        return put_load(self.port, f"/api/{path}", bodies, headers(), lines, callers=callers, seconds=SECONDS)

    def tell_profile(self, bodies: list[bytes], callers: int, path: str = "orders") -> None:
        """Print a profile of the server."""
        with server(self.copy(), self.port) as pid, profile(pid, self.place):
            self.put(bodies, callers, path)

    def echoed(self, bodies: list[bytes], callers: int) -> Load:
        """Return the answers per second of the same server if it sends the bytes of a C1 without reading requests."""
        reply = self.place / "reply"
        with server(self.copy(), self.port):
            url = f"http://{HOST}:{self.port}/api/order-quote-templates/{uuid.uuid4()}"
            answered = httpx2.put(url, content=bodies[0], headers=headers())
            reply.write_bytes(answered.raise_for_status().content)
        with process([sys.executable, HERE / "echo.py", str(self.port), reply], self.port):
            return self.put(bodies, callers, "order-quote-templates")

    def compare_b(self, callers: int, among: int, aim: float | None = None) -> None:
        """Compare B over HTTP with the bare writer, in turns."""
        bodies = order_bodies(self.ids, among)
        rounds = [(self.served(bodies, callers).rate, self.bare(bodies, callers)) for _ in range(ROUNDS)]
        tell_medians(f"B, {callers} callers, {among:,} Opportunities", rounds, aim)
        self.tell_profile(bodies, callers)

    def compare_c1(self, callers: int, aim: float | None = None) -> None:
        """Compare C1 without Lease with the same server sending the same bytes, in turns."""
        bodies = order_bodies(self.ids, OPPORTUNITIES, "OrderQuote")
        path = "order-quote-templates"
        rounds = [(self.served(bodies, callers, path).rate, self.echoed(bodies, callers).rate) for _ in range(ROUNDS)]
        tell_medians(f"C1, {callers} callers", rounds, aim)
        self.tell_profile(bodies, callers, path)

    def compare_processes(self, what: str, type_: str, path: str) -> None:
        """Compare two processes on one file with one, in turns. Two processes need more callers to be busy."""
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
