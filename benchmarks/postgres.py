"""Bookings a second over HTTP on PostgreSQL, as fractions of what pgbench writes there: `make bench`.

pgbench writes only the rows of such a booking, one transaction a booking, as statements that are prepared once, with
the number of clients that is fastest. The server does more: it reads, decides, and gives change numbers. Both write to
disk before they answer. If the temporary folder (TMPDIR) is in memory, both are too fast.
"""

import asyncio
import re
import subprocess
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from booking import ITEMS, OPPORTUNITIES, ROUNDS, WANTED, bookings, order_bodies
from callers import WARM_UP_SECONDS, paced, put
from openbooking.openactive.ids import Identifiers
from openbooking.store.schema import claim, feed_item, opportunity, personal_data, record
from openbooking.testing.postgres import PostgresServer
from profiles import profile
from stage import Load, folder, free_port, put_load, server, tell_medians
from stock import headers, opened, order_body, settings_of, stock

CALLERS = 32
WORKERS = 2
CLIENTS = (8, 16, 32, 64)
SECONDS = 5.0
PACED_SECONDS = 10
# In the order of writing. Rows of the first table exist before, like their feed items.
TABLES = (opportunity, record, personal_data, claim, feed_item)
A_UUID = "md5(:booking::text)::uuid::text"


async def transaction(url: str, port: int, among: int) -> str:
    """Return a script for pgbench that writes the rows of one booking, for other sessions and UUIDs each time."""
    settings = settings_of(url, port)
    sessions = [item * (among // ITEMS) for item in range(ITEMS)]
    (booking,) = bookings(settings, [order_body(Identifiers(settings.base_uri), sessions)])
    connection = await asyncpg.connect(url)
    async with opened(settings) as store:
        await store.execute(booking)
        transaction = await connection.fetchval("SELECT xmin::text FROM record WHERE uuid = $1", booking.uuid)
        rows = {table: await _rows(connection, table.name, transaction) for table in TABLES}
    await connection.close()
    lines = [f"\\set booking random(1, {2**62})"]
    lines += [f"\\set s{item} random({first}, {first + among // ITEMS - 1})" for item, first in enumerate(sessions)]
    replaced = {f"yoga-{first}": f"'yoga-' || :s{item}" for item, first in enumerate(sessions)}
    replaced[booking.uuid] = A_UUID
    lines.append("BEGIN;")
    for table in TABLES:
        keys = [column.name for column in table.primary_key]
        lines += [_statement(table.name, keys, row, replaced) for row in rows[table]]
    return "\n".join([*lines, "COMMIT;"])


async def _rows(connection: asyncpg.Connection, table: str, transaction: str) -> list[dict[str, str | None]]:
    """Return the rows that a transaction wrote, their values as text, in the order of their keys."""
    found = await connection.fetch(f"SELECT * FROM {table} WHERE xmin = $1::text::xid ORDER BY 1, 2, 3", transaction)
    return [{name: _text(value) for name, value in row.items()} for row in found]


def _text(value: Any) -> str | None:
    return None if value is None else f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


def _statement(table: str, keys: list[str], row: dict[str, str | None], replaced: dict[str, str]) -> str:
    """Return an INSERT if the key of the row has the UUID of the booking, and otherwise an UPDATE."""
    values = {name: "NULL" if value is None else f"'{value}'" for name, value in row.items()}
    values |= {key: _key(str(row[key]), replaced) for key in keys}
    if any(values[key] == A_UUID for key in keys):
        return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())});"
    changes = ", ".join(f"{name} = {value}" for name, value in values.items() if name not in keys)
    which = " AND ".join(f"{key} = {values[key]}" for key in keys)
    return f"UPDATE {table} SET {changes} WHERE {which};"


def _key(value: str, replaced: dict[str, str]) -> str:
    """Return a key in SQL, with parts that belong to this booking replaced by variables of pgbench."""
    head, slash, tail = value.rpartition("/")
    if tail not in replaced:
        return f"'{value}'"
    return f"'{head}/' || {replaced[tail]}" if slash else replaced[tail]


class PostgresBench:
    """Measurements on one filled database. Each begins with a new copy of the database."""

    def __init__(self, postgres: PostgresServer, place: Path) -> None:
        self.postgres = postgres
        self.place = place
        self.port = free_port()
        self.stocked = postgres.new_database()
        asyncio.run(stock(settings_of(self.stocked, self.port), sessions=OPPORTUNITIES))

    def copy(self) -> str:
        """Return a new copy of the database."""
        return self.postgres.new_database(urlsplit(self.stocked).path[1:])

    def bodies(self, among: int) -> list[bytes]:
        """Return request bodies for spaces at three sessions each, different ones each time."""
        return order_bodies(Identifiers(settings_of("", self.port).base_uri), among)

    def served(self, among: int) -> Load:
        """Return the bookings per second of the server."""
        with server(self.copy(), self.port, workers=str(WORKERS)):
            return self.put(among)

    def put(self, among: int) -> Load:
        """Return the bookings per second of the process that listens on the port."""
        bodies, lines = self.bodies(among), self.place / "bodies"
        return put_load(self.port, "/api/orders", bodies, headers(), lines, callers=CALLERS, seconds=SECONDS)

    def tell_profile(self, among: int) -> None:
        """Print a profile of the server."""
        with server(self.copy(), self.port, workers=str(WORKERS)) as pid, profile(pid, self.place):
            self.put(among)

    def waits(self, among: int, a_second: float) -> tuple[float, float]:
        """Return the p50 and p99 of the waits, in milliseconds, at this many bookings per second."""
        bodies = islice(cycle(self.bodies(among)), int(a_second * (PACED_SECONDS + WARM_UP_SECONDS)))
        with server(self.copy(), self.port, workers=str(WORKERS)):
            waited = asyncio.run(paced(self.port, [put("/api/orders", body, headers()) for body in bodies], a_second))
        return waited.percentile(0.5), waited.percentile(0.99)

    def written(self, script: Path, clients: int) -> float:
        """Return the bookings per second of pgbench."""
        command = ["pgbench", "--no-vacuum", "--protocol=prepared", f"--file={script}", f"--time={SECONDS:g}"]
        command += [f"--client={clients}", f"--jobs={WORKERS}", self.copy()]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if "number of failed transactions: 0 " not in told:
            raise RuntimeError(told)
        return float(re.findall(r"tps = ([\d.]+)", told)[0])

    def compare(self, among: int, aim: float) -> None:
        """Compare B over HTTP with pgbench, in turns, and measure the waits at half of that rate."""
        script = self.place / f"{among}.sql"
        script.write_text(asyncio.run(transaction(self.copy(), self.port, among)), encoding="utf-8")
        best = max(CLIENTS, key=lambda clients: self.written(script, clients))
        rounds = [(self.served(among).rate, self.written(script, best)) for _ in range(ROUNDS)]
        rate = tell_medians(f"B, {CALLERS} callers, {among:,} Opportunities (pgbench: {best})", rounds, aim)
        self.tell_profile(among)
        half, most = self.waits(among, rate / 2)
        print(f"  at {rate / 2:,.0f}/s callers wait {half:.1f} ms (p50), {most:.1f} ms (p99, aim 100)", flush=True)


def main() -> None:
    """Print the ratios."""
    with folder() as place, PostgresServer() as postgres:
        bench = PostgresBench(postgres, place)
        bench.compare(OPPORTUNITIES, aim=0.5)
        bench.compare(WANTED, aim=1.0)


if __name__ == "__main__":
    main()
