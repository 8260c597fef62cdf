"""How long the pages of the console take for a Seller with 100,000 Orders, while 100 bookings a second are made.

    make console [ARGS="PostgreSQL --rounds 20"]

A manager opens each page in turn, in every round (`console_pages`). A page counts until all of it has arrived. A file
that is streamed counts until its first rows have arrived; the time of the whole file is printed too. `/healthz` does
nothing: its waits show how busy the machine is.

Meanwhile another process sends B at set times, without waiting for earlier replies. Every tenth B is for the busy
Seller, so that the number of its Orders changes little; the others are for a second Seller. At the end files of a whole
year are saved, and the memory of the server is compared with that before.

Before that each page is opened some times without bookings, for the processor time that it takes in the server. This
time depends little on what else the machine does.

The exit status is 1 if the p99 of a page is above LIMIT_MS.
"""

import argparse
import asyncio
import logging
import multiprocessing
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from html import unescape
from itertools import cycle
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

import httpx2
import structlog

from busy_seller import BUSY, COMING_DAYS, MANAGER, PASSWORD, bookable_series, fill, offer_of, session_path
from callers import WARM_UP_SECONDS, Waits, paced, put
from console_pages import Page, pages, year_files
from openbooking.openactive.ids import Identifiers
from openbooking.settings import Settings
from openbooking.testing.postgres import PostgresServer
from stage import HOST, folder, free_port, memory_mb, processor_ms, server
from stock import headers, order_body, request_body, settings_of

LIMIT_MS = 200
TIMES_ALONE = 5
KINDS = ("SQLite", "PostgreSQL")
ORDERS, ROUNDS = 100_000, 200
BOOKINGS_A_SECOND = 100
# The sessions of the second Seller, and the number of different requests.
SESSIONS, BODIES = 2_000, 1_000
EVERY = 10
ITEMS = 3
IDLE = Page("/healthz", "/healthz")
_TIMEOUT = 120
_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_NEXT = re.compile(r'href="([^"]*[?;]after=[^"]+)"')


class Shown(NamedTuple):
    """The milliseconds until the first byte of a page, and until the last one, and the number of bytes."""

    first: float
    whole: float
    size: int


class Bookings(NamedTuple):
    """The bookings of a period: how many a second there were, and their waits."""

    rate: float
    waits: Waits


def requests(settings: Settings) -> list[bytes]:
    """Return bodies of B, a tenth of them for the busy Seller."""
    ids, chance = Identifiers(settings.base_uri), random.Random(1)  # noqa: S311 - the same data each time
    bodies = []
    for number in range(BODIES):
        items = chance.randint(1, ITEMS)
        if number % EVERY:
            bodies.append(order_body(ids, chance.sample(range(SESSIONS), items)))
        else:
            series, days = bookable_series(chance), chance.sample(range(2, COMING_DAYS), items)
            wanted = [(session_path(series, day), offer_of(series)) for day in days]
            bodies.append(request_body(ids, BUSY.key, wanted))
    return bodies


def book(settings: Settings, stop: Event, results: Connection) -> None:
    """Send B at a constant rate until the event is set, and then the result."""
    sent, parent = 0, multiprocessing.parent_process()

    def bookings() -> Iterator[bytes]:
        nonlocal sent
        for body in cycle(requests(settings)):
            if stop.is_set() or (parent and not parent.is_alive()):
                return
            sent += 1
            yield put("/api/orders", body, headers())

    began = time.perf_counter()
    waits = asyncio.run(paced(settings.port, bookings(), BOOKINGS_A_SECOND))
    results.send(Bookings(sent / (time.perf_counter() - began), waits))


@contextmanager
def booking(settings: Settings) -> Iterator[Callable[[], Bookings]]:
    """Make bookings in a process of its own, and yield a function that ends them and returns the result."""
    context = multiprocessing.get_context("spawn")
    stop, (results, of_process) = context.Event(), context.Pipe(duplex=False)
    process = context.Process(target=book, args=(settings, stop, of_process), daemon=True)
    process.start()
    of_process.close()
    time.sleep(2 * WARM_UP_SECONDS)

    def end() -> Bookings:
        stop.set()
        found: Bookings = results.recv()
        return found

    try:
        yield end
    finally:
        stop.set()
        process.join()


def sign_in(client: httpx2.Client) -> str:
    """Sign the manager in with the form, and return the token of the forms of all pages."""
    token = _token(client.get("/sign-in"))
    form = {"form_token": token, "username": MANAGER, "password": PASSWORD, "next": ""}
    client.post("/sign-in", data=form)
    return _token(client.get("/console").raise_for_status())


def _token(page: httpx2.Response) -> str:
    found = _FORM_TOKEN.search(page.text)
    if found is None:
        raise RuntimeError(f"{page.url} has no form.")
    return found[1]


def show(client: httpx2.Client, page: Page, token: str) -> Shown:
    """Open a page, or send its form, and return how long it took."""
    method, form = ("POST", {**page.form, "form_token": token}) if page.form else ("GET", None)
    began, first, size = time.perf_counter(), 0.0, 0
    with client.stream(method, page.path, data=form) as response:
        if not response.is_success:
            raise RuntimeError(f"{page.path} answered {response.status_code}.")
        for part in response.iter_raw():
            first = first or time.perf_counter() - began
            size += len(part)
    return Shown(1000 * first, 1000 * (time.perf_counter() - began), size)


def next_pages(client: httpx2.Client, found: Sequence[Page]) -> Iterator[Page]:
    """Yield the page to which each page leads that is one of several."""
    for page in found:
        if not page.is_file and not page.form:
            link = _NEXT.search(client.get(page.path).raise_for_status().text)
            if link:
                yield Page(f"{page.name} (next)", unescape(link[1]))


def processor_time(client: httpx2.Client, page: Page, token: str, pid: int) -> float:
    """Return the milliseconds of processor time that the server takes for a page."""
    times = []
    for _ in range(TIMES_ALONE):
        before = processor_ms(pid)
        show(client, page, token)
        times.append(processor_ms(pid) - before)
    return median(times)


def tell(page: Page, processor: float, times: Sequence[Shown]) -> bool:
    """Print the line of a page; return whether its p99 is within the limit."""
    counted = sorted(shown.first if page.is_file else shown.whole for shown in times)
    p99 = Waits(counted).percentile(0.99)
    whole = f"  whole {median(shown.whole for shown in times):,.0f} ms" if page.is_file else ""
    size = times[-1].size / 1000
    missed = "" if p99 <= LIMIT_MS else "  MISSED"
    waits = f"{processor:>9.1f} {median(counted):>6.0f} {p99:>6.0f} {len(times):>5}"
    print(f"{page.name:<66} {waits} {size:>7,.0f} kB{whole}{missed}", flush=True)
    return p99 <= LIMIT_MS


def tell_bookings(when: str, found: Bookings) -> None:
    """Print the line of the bookings."""
    half, most, longest = (found.waits.percentile(share) for share in (0.5, 0.99, 1))
    print(
        f"{when}: {found.rate:.1f} bookings/s, p50 {half:.0f} ms, p99 {most:.0f} ms, longest {longest:.0f} ms",
        flush=True,
    )


def measure(settings: Settings, found: Sequence[Page], rounds: int) -> bool:
    """Print the waits for all pages; return whether all are within the limit."""
    with (
        server(settings.database, settings.port) as pid,
        httpx2.Client(base_url=f"http://{HOST}:{settings.port}", timeout=_TIMEOUT, follow_redirects=True) as client,
    ):
        token = sign_in(client)
        every = [IDLE, *found, *next_pages(client, found)]
        times: list[list[Shown]] = [[] for _ in every]
        alone = [processor_time(client, page, token, pid) for page in every]
        with booking(settings) as end:
            for _ in range(rounds):
                for page, shown in zip(every, times, strict=True):
                    shown.append(show(client, page, token))
            made = end()
        print(f"{'milliseconds':<66} {'processor':>9} {'p50':>6} {'p99':>6} {'times':>5}")
        good = [tell(page, processor, shown) for page, processor, shown in zip(every, alone, times, strict=True)]
        tell_bookings("meanwhile", made)
        save_year(settings, client, token, pid)
        print(f"{good.count(False)} of {len(good)} pages have a p99 above {LIMIT_MS} ms")
        return all(good)


def save_year(settings: Settings, client: httpx2.Client, token: str, pid: int) -> None:
    """Save the files of a year while bookings are made; print their times and the memory of the server."""
    held = memory_mb(pid)
    with booking(settings) as end:
        for page in year_files(today_in(settings)):
            before = processor_ms(pid)
            shown = show(client, page, token)
            tell(page, processor_ms(pid) - before, [shown])
        made = end()
    tell_bookings("during the files of a year", made)
    print(f"memory of the server: {held:.0f} MB before the files of a year, {memory_mb(pid):.0f} MB after")


def today_in(settings: Settings) -> date:
    """Return the day that the console takes for the present one."""
    return datetime.now(ZoneInfo(settings.time_zone)).date()


def run(kind: str, orders: int, rounds: int) -> bool:
    """Fill a database of this kind, and measure all pages; return whether all are within the limit."""
    with folder() as place, PostgresServer() if kind == "PostgreSQL" else nullcontext() as running:
        database = running.new_database() if running else str(place / "console.sqlite3")
        settings = settings_of(database, free_port())
        known = asyncio.run(fill(settings, orders, SESSIONS))
        print(f"{kind}, {orders:,} Orders", flush=True)
        return measure(settings, pages(known, today_in(settings), place), rounds)


def main() -> int:
    """Measure the named kinds of database, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=KINDS, metavar="KIND", help=f"of database: {' or '.join(KINDS)}")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    good = [run(kind, asked.orders, asked.rounds) for kind in asked.kinds]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
