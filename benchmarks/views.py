"""What the views cost bookings, and how long their first pages take. Run by hand.

    python benchmarks/views.py bookings [--before SOURCE] [--postgres]
    python benchmarks/views.py pages [ORDERS ...] [--postgres]

`bookings` measures the processor time of B of three items in one process without a socket: of the process, and with
`--postgres` also that of the database server. Each part of the views is left out in turn, in one process. `--before`
names the `src` folder of a version without views, which is measured in a process of its own.

`pages` fills a database with each of these numbers of Orders, and measures the first page of each view.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection, text

from openbooking.booking.commands.book import Book
from openbooking.booking.model.order import Caller
from openbooking.jsonld.read_order import OrderReader
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import OrderType
from openbooking.store import rows, schema
from openbooking.store.migrate import run_in_migration
from openbooking.testing.postgres import PostgresServer
from openbooking.web.app import create_app
from stage import folder
from stock import CUSTOMER, SELLER, headers, opened, order_body, settings_of, stock

if TYPE_CHECKING:
    from openbooking.booking.model.record import OrderRecord
    from openbooking.booking.views import SellerViews

SESSIONS = 2_000
ITEMS = 3
CALLERS = 32
AT_ONCE = 320
ROUNDS = 8
REPEATS = 1
PAGES = 21
PORT = 8000
BOOKED = 1_000
DAY = 24 * 3600 * 1_000_000
TICKS = os.sysconf("SC_CLK_TCK")
PARTS = ("all", "without order_item", "without search terms", "without list columns", "none")


@contextmanager
def without(part: str) -> Iterator[None]:
    """Let the store write nothing for a part of the views."""
    if part in ("before", "all"):
        yield
        return
    from openbooking.booking.rules.search_terms import SearchTerms  # noqa: PLC0415 - the version before lacks them
    from openbooking.store.views.rows import OrderItemChanges  # noqa: PLC0415

    parts: dict[str, dict[str, Any]] = {
        "without order_item": {"order_lines": lambda _: (), "order_item_rows": lambda *_: OrderItemChanges()},
        "without search terms": {"search_terms": lambda _: SearchTerms()},
        "without list columns": {"listed_at": lambda _: None, "order_status": lambda _: None},
    }
    names = parts.get(part) or {name: value for each in parts.values() for name, value in each.items()}
    with patch.multiple(rows, **names):
        yield


def server_seconds(postmaster: int) -> float:
    """Return the processor time of the processes of a database server."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == postmaster:
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


async def book(app: Any, bodies: Iterator[bytes], number: int) -> None:
    """Have as many callers as usual send B until so many bookings are made."""
    left = iter(range(number))

    async def caller() -> None:
        for _ in left:
            body, status = next(bodies), 0

            async def receive(body: bytes = body) -> dict[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            async def send(message: dict[str, Any]) -> None:
                nonlocal status
                status = message.get("status", status)

            path = f"/api/orders/{uuid.uuid4()}"
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "PUT",
                "scheme": "http",
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "root_path": "",
                "headers": [(name.lower().encode(), value.encode()) for name, value in headers().items()],
                "client": ("127.0.0.1", 1),
                "server": ("127.0.0.1", PORT),
            }
            await app(scope, receive, send)
            if status != 201:  # noqa: PLR2004 - Created
                raise AssertionError(status)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def measure_bookings(database: str, postmaster: int, parts: Sequence[str]) -> dict[str, list[float]]:
    """Return the microseconds of processor time for a booking, several times for each part that is left out."""
    settings = settings_of(database, PORT)
    await stock(settings, sessions=SESSIONS)
    ids, chance = Identifiers(settings.base_uri), random.Random(1)  # noqa: S311 - the same data each time
    bodies = iter(lambda: order_body(ids, chance.sample(range(SESSIONS), ITEMS)), None)
    found: dict[str, list[float]] = {part: [] for part in parts}
    app = create_app(settings)

    def used() -> float:
        return time.process_time() + (server_seconds(postmaster) if postmaster else 0)

    async with app.router.lifespan_context(app):
        await book(app, bodies, AT_ONCE)
        for _ in range(ROUNDS):
            for part in parts:
                with without(part):
                    before = used()
                    await book(app, bodies, AT_ONCE)
                    found[part].append(1e6 * (used() - before) / AT_ONCE)
    return found


@contextmanager
def databases(place: Path, *, postgres: bool) -> Iterator[Callable[[], tuple[str, int]]]:
    """Yield a function that returns a new database, and the process id of its server."""
    with PostgresServer() if postgres else nullcontext() as server:
        if server is None:
            yield lambda: (str(place / f"{uuid.uuid4().hex}.sqlite3"), 0)
        else:
            postmaster = int((server.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
            yield lambda: (server.bare_database(), postmaster)


def compare_bookings(before: str, *, postgres: bool) -> None:
    """Print the medians of all parts."""
    found: dict[str, list[float]] = {}
    with folder() as place, databases(place, postgres=postgres) as new_database:
        for _ in range(REPEATS):
            for parts in (["before"] if before else [], PARTS):
                if parts:
                    environment = {**os.environ, **({"PYTHONPATH": before} if parts == ["before"] else {})}
                    database, postmaster = new_database()
                    command = [sys.executable, __file__, "one", database, str(postmaster), *parts]
                    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
                    for part, times in json.loads(ran.stdout).items():
                        found.setdefault(part, []).extend(times)
    reference = median(found["none"])
    for part, times in found.items():
        lowest, middle = min(times), median(times)
        print(f"{part:22} {middle:6.0f} µs of processor time for B (at least {lowest:.0f}), {middle / reference:.3f}")


async def fill(database: str) -> None:
    """Book some Orders."""
    settings = settings_of(database, PORT)
    await stock(settings, sessions=SESSIONS)
    chance = random.Random(1)  # noqa: S311 - the same data each time
    reader = OrderReader(Identifiers(settings.base_uri), ITEMS)
    async with opened(settings) as store:
        for number in range(BOOKED):
            body = order_body(Identifiers(settings.base_uri), chance.sample(range(SESSIONS), ITEMS))
            request = reader.order(body, OrderType.ORDER)
            own = {"email": f"ann{number}@example.com", "telephone": f"07700 {number:06}"}
            customer = {**CUSTOMER, **own, "givenName": f"Ann{number % 40}", "familyName": f"Smith{number % 97}"}
            request = replace(request, customer=customer)
            caller = Caller(f"partner{number % 7}")
            await store.execute(Book(caller=caller, uuid=str(uuid.uuid4()), request=request))


def copy_orders(database: str, orders: int) -> None:
    """Copy the Orders with other UUIDs and earlier times, until there are that many."""
    copies = [{"prefix": f"{number:08x}", "shift": number * DAY} for number in range(1, orders // BOOKED)]
    run_in_migration(database, lambda connection: copy(connection, copies))


def copy(connection: Connection, copies: list[dict[str, Any]]) -> None:
    """Copy the rows of the Orders as often as that."""
    changed = {"uuid": ":prefix || substr(uuid, 9)", "opportunity": "opportunity || :prefix"} | {
        name: f"{name} - :shift" for name in ("listed_at", "starts", "sold_at", "ended_at", "over_at")
    }
    for table in (schema.record, schema.order_item, schema.personal_data, schema.claim, schema.booked_session):
        names = table.columns.keys()
        source = f"booked_{table.name}"
        connection.execute(text(f"CREATE TABLE {source} AS SELECT * FROM {table.name}"))
        some = f"SELECT {', '.join(changed.get(name, name) for name in names)} FROM {source}"
        for each in copies:
            connection.execute(text(f"INSERT INTO {table.name} ({', '.join(names)}) {some}"), each)


def queries(views: "SellerViews", order: "OrderRecord", now: datetime) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return the first page of each view."""
    from openbooking.booking.rules.order_lines import OrderStatus  # noqa: PLC0415 - the version before lacks them
    from openbooking.booking.views import OrderQuery, SalesGroup  # noqa: PLC0415

    path, day, zone = order.items()[0][0].opportunity.path, timedelta(days=1), ZoneInfo("Europe/London")
    start, month = now + timedelta(days=9), (now - 30 * day, now)
    searches = {
        "all": OrderQuery(),
        "name": OrderQuery(text="smith1"),
        "given and family name": OrderQuery(text="ann7 smith9"),
        "e-mail": OrderQuery(text="ann7@example.com"),
        "telephone": OrderQuery(text="07700000007"),
        "UUID": OrderQuery(text=order.uuid),
        "partner": OrderQuery(partner="partner3"),
        "status, none": OrderQuery(status=OrderStatus.CANCELLED),
        "value": OrderQuery(value_from=Decimal(30)),
        "session": OrderQuery(session_from=start, session_before=start + day),
        "session and partner": OrderQuery(session_from=start, session_before=start + day, partner="partner3"),
        "booked and name": OrderQuery(booked_from=now - day, text="smith1"),
    }
    return {
        "occurrences of a day": lambda: views.occurrences(start, start + day),
        "occurrences of a past day": lambda: views.occurrences(now - 9 * day, now - 8 * day),
        "bookings": lambda: views.bookings(path),
        "proposals": views.proposals,
        **{f"orders: {name}": partial(views.orders, query) for name, query in searches.items()},
        "order": lambda: views.order(order.key),
        "sales of a month by day": lambda: views.sales(*month, SalesGroup.DAY, zone),
        "sales of a month by venue": lambda: views.sales(*month, SalesGroup.VENUE, zone),
        "sales lines": lambda: views.sales_lines(*month),
        "payments": lambda: views.payments(*month),
        "partners of a year": lambda: views.partners(now - 365 * day, now, zone),
        "opportunities": views.opportunities,
        "opportunities by name": lambda: views.opportunities(text="warm"),
    }


async def measure_pages(database: str) -> dict[str, float]:
    """Return the milliseconds that the first page of each view takes."""
    from openbooking.booking.views import OrderQuery  # noqa: PLC0415 - the version before lacks it

    async with opened(settings_of(database, PORT)) as store:
        views = store.views.of(SELLER.key)
        order = (await views.orders(OrderQuery(), limit=1)).rows[0]
        found: dict[str, float] = {}
        for name, query in queries(views, order, datetime.now(UTC)).items():
            times = []
            for _ in range(PAGES):
                started = time.perf_counter()
                await query()
                times.append(time.perf_counter() - started)
            found[name] = 1e3 * min(times)
        return found


def compare_pages(numbers: list[int], *, postgres: bool) -> None:
    """Print the least times of all views for each number of Orders."""
    found = []
    for number in numbers:
        with folder() as place, databases(place, postgres=postgres) as new_database:
            database, _ = new_database()
            asyncio.run(fill(database))
            copy_orders(database, number)
            if postgres:
                run_in_migration(database, lambda connection: connection.execute(text("ANALYZE")))
            found.append(asyncio.run(measure_pages(database)))
    for name in found[0]:
        print(f"{name:30}", *(f"{pages[name]:9.2f} ms" for pages in found), f"{found[-1][name] / found[0][name]:6.2f}")


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["bookings", "pages", "one"])
    parser.add_argument("values", nargs="*")
    parser.add_argument("--before", default="")
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if asked.command == "one":
        database, postmaster, *parts = asked.values
        print(json.dumps(asyncio.run(measure_bookings(database, int(postmaster), parts))))
    elif asked.command == "bookings":
        compare_bookings(asked.before, postgres=asked.postgres)
    else:
        compare_pages([int(value) for value in asked.values] or [1_000, 100_000], postgres=asked.postgres)


if __name__ == "__main__":
    main()
