"""Bookings, feed pages and memory of growing systems: `make growth`, about a quarter of an hour.

A system of each size has as many Orders as Opportunities. A thousand Orders are booked. The others are copies of their
rows under other UUIDs: no request needs them, but every index contains them. All sizes get the same bookings per
second, fewer than any of them can take.

At the end four harvesters read a compressed feed of the largest size from its beginning, while bookings are made.
"""

import asyncio
import os
import random
import re
import sqlite3
import sys
import time
import uuid
import zlib
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import asyncpg
import msgspec
from sqlalchemy import Table

from booking import ITEMS, bookings
from callers import Caller, Waits, get, paced, put
from openbooking.openactive.ids import Identifiers
from openbooking.settings import Settings
from openbooking.store.backends import scheme_of
from openbooking.store.schema import claim, feed_item, personal_data, record
from openbooking.testing.postgres import PostgresServer
from stage import folder, free_port, memory_mb, processor_seconds, serve, server
from stock import PARTNER, headers, opened, order_body, settings_of, stock

T = TypeVar("T")

SIZES = (1_000, 100_000, 1_000_000)
BOOKED = 1_000
AT_ONCE = 50
KINDS = ("SQLite", "PostgreSQL")
WORKERS = 2
GZIPPED = b"\x1f\x8b"
BEGINNING = 1_000
FEED = "/feeds/scheduled-sessions"
BOOKINGS_A_SECOND = 100
SECONDS = 15
PAGES = 300
HARVESTERS = 4
BOOKINGS_DURING_A_HARVEST = 200
SECONDS_ALONE = 20
# The tables that have rows of an Order, each under its UUID.
TABLES = {record: "uuid", personal_data: "uuid", claim: "uuid", feed_item: "id"}


class Measured(NamedTuple):
    """The figures of a system of one size: times in milliseconds, memory in megabytes."""

    start: float
    booking: Waits
    page: Waits
    memory_mb: float


async def fill(settings: Settings, size: int) -> None:
    """Make a database with this many Opportunities and as many Orders for them."""
    await stock(settings, sessions=size)
    orders = bookings(settings, _bodies(settings, size, BOOKED))
    async with opened(settings) as store:
        while some := list(islice(orders, AT_ONCE)):
            await asyncio.gather(*map(store.execute, some))
    copies = size // BOOKED - 1
    if scheme_of(settings.database):
        await _copy_in_postgres(settings.database, copies)
    else:
        _copy_in_sqlite(settings.database, copies)


def _bodies(settings: Settings, size: int, count: int) -> list[bytes]:
    ids = Identifiers(settings.base_uri)
    chance = random.Random(size)  # noqa: S311 - the same each time
    return [order_body(ids, sorted(chance.sample(range(size), ITEMS))) for _ in range(count)]


def _copy_in_sqlite(database: str, copies: int) -> None:
    with closing(sqlite3.connect(database)) as connection:
        for table, key in TABLES.items():
            found = connection.execute(f"SELECT * FROM {table.name} WHERE partner = ?", (PARTNER,)).fetchall()
            places = ", ".join("?" * len(table.columns))
            rows = _copied(table, key, [tuple(row) for row in found], copies)
            connection.executemany(f"INSERT INTO {table.name} VALUES ({places})", rows)
        connection.commit()


async def _copy_in_postgres(database: str, copies: int) -> None:
    connection = await asyncpg.connect(database)
    for table, key in TABLES.items():
        names = [column.name for column in table.columns]
        query = f"SELECT {', '.join(names)} FROM {table.name} WHERE partner = $1"
        found = [tuple(row) for row in await connection.fetch(query, PARTNER)]
        await connection.copy_records_to_table(
            table.name, records=_copied(table, key, found, copies), columns=names, timeout=None
        )
        await connection.execute(f"VACUUM ANALYZE {table.name}")
    await connection.close()


def _copied(table: Table, key: str, rows: Sequence[tuple[Any, ...]], copies: int) -> Iterator[tuple[Any, ...]]:
    """Yield copies of the rows under other UUIDs, with change numbers below all existing ones."""
    names = [column.name for column in table.columns]
    under, numbered = names.index(key), names.index("modified") if "modified" in names else None
    number = 0
    for copy in range(copies):
        for row in rows:
            number += 1
            values = list(row)
            values[under] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{row[under]} {copy}"))
            if numbered is not None:
                values[numbered] = number
            yield tuple(values)


def measure(settings: Settings, size: int) -> Measured:
    """Return the figures of the start of a server, and of bookings and pages of a server with all processes."""
    began = time.perf_counter()
    with serve(settings.database, settings.port):
        asyncio.run(_wait(settings.port, [get(FEED)]))
        start = (time.perf_counter() - began) * 1000
    with _all_processes(settings) as pid:
        requests = _requests(settings, size, BOOKINGS_A_SECOND * SECONDS)
        booking = asyncio.run(paced(settings.port, requests, BOOKINGS_A_SECOND))
        page = asyncio.run(_wait(settings.port, _pages(settings.port)))
        return Measured(start, booking, page, memory_mb(pid))


def _requests(settings: Settings, size: int, count: int) -> list[bytes]:
    return [put("/api/orders", body, headers()) for body in _bodies(settings, size, count)]


def _pages(port: int) -> list[bytes]:
    """Return requests for random pages of the feed that are not cached."""
    first = asyncio.run(_ask(port, get(FEED)))
    numbers = [item["modified"] for item in msgspec.json.decode(first)["items"]]
    step = max(1, (numbers[-1] - numbers[0]) // len(numbers))
    return [get(f"{FEED}?afterChangeNumber={numbers[0] + step * number}") for number in range(1, PAGES + 1)]


async def _ask(port: int, request: bytes) -> bytes:
    caller = await Caller.connect(port)
    answered = await caller.ask(request)
    caller.writer.close()
    return answered.body


async def _wait(port: int, requests: Sequence[bytes]) -> Waits:
    """Send the requests one after the other, and return their waits."""
    caller = await Caller.connect(port)
    waits = []
    for request in requests:
        began = time.perf_counter()
        await caller.ask(request)
        waits.append((time.perf_counter() - began) * 1000)
    caller.writer.close()
    return Waits(sorted(waits))


async def harvest(port: int) -> int:
    """Follow the feed to its end, and return the number of pages.

    Only `next` is read of a page, because the server is measured and not the harvester.
    """
    caller = await Caller.connect(port)
    path, pages = FEED, 0
    while True:
        body = (await caller.ask(get(path, {"Accept-Encoding": "gzip"}))).body
        page = zlib.decompressobj(wbits=31).decompress(body, BEGINNING) if body.startswith(GZIPPED) else body
        found = re.search(rb'"next":"[^"]*?(/feeds/[^"]*)"', page)
        if found is None:
            raise RuntimeError(f"{path} has no next.")
        pages += 1
        following = found[1].decode()
        if following == path:
            caller.writer.close()
            return pages
        path = following


async def harvest_all(port: int) -> float:
    """Return the seconds until the last harvester is at the end."""
    began = time.perf_counter()
    await asyncio.gather(*(harvest(port) for _ in range(HARVESTERS)))
    return time.perf_counter() - began


def compare_harvest(settings: Settings, size: int) -> None:
    """Measure a harvest, bookings, and both at once. Each harvest begins with an empty page cache.

    The number of busy cores, with callers and database, shows whether the machine has enough for both.
    """
    rate = BOOKINGS_DURING_A_HARVEST
    with _all_processes(settings):
        alone, cores_alone = asyncio.run(_busy(_bookings(settings, size, SECONDS_ALONE)))
        asyncio.run(harvest_all(settings.port))  # so that the database is in the system's cache
    with _all_processes(settings):
        quiet, cores_quiet = asyncio.run(_busy(harvest_all(settings.port)))
    with _all_processes(settings):

        async def both() -> tuple[tuple[float, float], Waits]:
            waiting = asyncio.create_task(_bookings(settings, size, max(quiet, SECONDS_ALONE)))
            return await _busy(harvest_all(settings.port)), await waiting

        (loaded, cores_loaded), meanwhile = asyncio.run(both())
    slower = meanwhile.percentile(0.5) / alone.percentile(0.5)
    print(f"{HARVESTERS} harvesters of {size:,} items, alone: {quiet:.1f} s, {cores_quiet:.1f} cores busy")
    print(f"  with {rate} bookings/s: {loaded:.1f} s ({loaded / quiet:.2f}, aim 1.2), {cores_loaded:.1f} cores busy")
    print(f"a booking, alone: {_told(alone)}, {cores_alone:.1f} of {os.cpu_count()} cores busy")
    print(f"  with harvesters: {_told(meanwhile)} ({slower:.2f}, aim 1.2)")


def _bookings(settings: Settings, size: int, seconds: float) -> Coroutine[Any, Any, Waits]:
    """Make bookings at the rate of the comparison for some seconds, and return their waits."""
    rate = BOOKINGS_DURING_A_HARVEST
    return paced(settings.port, _requests(settings, size, int(rate * seconds)), rate)


async def _busy(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Return the result of the work, and how many cores of the machine were busy meanwhile."""
    began, worked = time.perf_counter(), processor_seconds()
    result = await work
    return result, (processor_seconds() - worked) / (time.perf_counter() - began)


def _all_processes(settings: Settings) -> AbstractContextManager[int]:
    """Run a server with all processes, and yield its process id."""
    return server(settings.database, settings.port, workers=str(WORKERS))


@contextmanager
def databases(kind: str, place: Path) -> Iterator[Iterator[str]]:
    """Yield new databases of this kind."""
    if kind == "SQLite":
        yield (str(place / f"{number}.sqlite3") for number in range(len(SIZES)))
        return
    with PostgresServer() as postgres:
        yield (postgres.new_database() for _ in SIZES)


def grow(kind: str) -> None:
    """Measure all sizes on one kind of database."""
    print(f"{kind}, {WORKERS} processes; waits in milliseconds, p50 / p99")
    print(f"{'size':>12} {'start':>8} {'booking':>16} {'page':>16} {'memory MB':>10}")
    rows: list[Measured] = []
    port = free_port()
    with folder() as place, databases(kind, place) as new:
        for size, database in zip(SIZES, new, strict=True):
            settings = settings_of(database, port)
            asyncio.run(fill(settings, size))
            rows.append(measure(settings, size))
            start, booking, page, memory = rows[-1]
            print(f"{size:>12,} {start:>8.0f} {_told(booking):>16} {_told(page):>16} {memory:>10.0f}", flush=True)
        small, large = rows[0], rows[-1]
        for what, of in (("booking", "booking"), ("page", "page")):
            ratio = getattr(large, of).percentile(0.5) / getattr(small, of).percentile(0.5)
            print(f"a {what}, largest to smallest: {ratio:.2f} (aim 1.5)")
        compare_harvest(settings, size)


def _told(waits: Waits) -> str:
    return f"{waits.percentile(0.5):.1f} / {waits.percentile(0.99):.1f}"


def main() -> None:
    """Print the tables of the named kinds of database, or of all."""
    for kind in sys.argv[1:] or KINDS:
        grow(kind)


if __name__ == "__main__":
    main()
