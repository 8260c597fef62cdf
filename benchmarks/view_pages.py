"""How long the first pages of the views take as the number of Orders grows. Run by hand.

    python benchmarks/view_pages.py [ORDERS ...] [--one-seller] [--postgres]

The first page of each view is measured for one Seller, in databases with each of these numbers of Orders (1,000,
100,000 and 1,000,000 if none are given):

- by default a Seller has 30 Orders a day, for 33 days in the smallest database and for a year in the others. Further
  Orders belong to further Sellers. So pages have as many rows, in larger tables;
- with `--one-seller` all Orders belong to one Seller and are of one year. So a day and a month of the largest database
  have a thousand times as many Orders as those of the smallest one.

All databases are measured in turn, so that a noisy machine slows all of them down.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from msgspec.structs import replace

from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.orders.order_lines import OrderStatus
from openbooking.booking.views import OrderQuery, SalesGroup, SellerViews
from openbooking.clock import SystemClock
from openbooking.store.sql import SqlStore
from openbooking.system import open_store
from order_rows import Amount, fill
from stage import folder
from stock import SELLER, settings_of
from views import PORT, databases

NUMBERS = [1_000, 100_000, 1_000_000]
ORDERS_A_DAY = 30
DAYS = 365
ROUNDS = 21
DAY = timedelta(days=1)
ZONE = ZoneInfo("Europe/London")


class LaterClock(SystemClock):
    """The clock of this machine, some hours ahead."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return super().__call__() + self.ahead


def queries(views: SellerViews, order: OrderRecord, now: datetime) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return the first page of each view."""
    path = order.items()[0][0].opportunity.path
    midnight = datetime.combine(now.astimezone(ZONE).date(), datetime.min.time(), ZONE)
    month, past, coming = (midnight - 30 * DAY, now), midnight - 9 * DAY, midnight + 9 * DAY
    name, session = "smith1", OrderQuery(session_from=past, session_before=past + DAY)
    searches = {
        "all": OrderQuery(),
        "name": OrderQuery(text=name),
        "given and family name": OrderQuery(text="ann7 smith9"),
        "e-mail": OrderQuery(text="ann7@example.com"),
        "telephone": OrderQuery(text="07700000007"),
        "UUID": OrderQuery(text=order.uuid),
        "partner": OrderQuery(partner="partner3"),
        "status": OrderQuery(status=OrderStatus.PARTLY_CANCELLED),
        "value": OrderQuery(value_from=Decimal(30)),
        "value, none": OrderQuery(value_from=Decimal(3_000)),
        "session": session,
        "session and partner": replace(session, partner="partner3"),
        "session and name": replace(session, text=name),
        "booked and name": OrderQuery(booked_from=midnight - 7 * DAY, text=name),
    }
    return {
        "occurrences of a coming day": lambda: views.occurrences(coming, coming + DAY),
        "occurrences of a past day": lambda: views.occurrences(past, past + DAY),
        "one past occurrence": lambda: views.occurrence(path),
        "bookings": lambda: views.bookings(path),
        "proposals": views.proposals,
        **{f"orders: {name}": partial(views.orders, query) for name, query in searches.items()},
        "order": lambda: views.order(order.key),
        "sales of a month by day": lambda: views.sales(*month, SalesGroup.DAY, ZONE),
        "sales of a month by venue": lambda: views.sales(*month, SalesGroup.VENUE, ZONE),
        "sales of a day": lambda: views.sales(past, past + DAY, SalesGroup.DAY, ZONE),
        "sales lines": lambda: views.sales_lines(*month),
        "payments": lambda: views.payments(*month),
        "partners of a month": lambda: views.partners(*month, ZONE),
        "opportunities": views.opportunities,
        "opportunities by name": lambda: views.opportunities(text="warm"),
    }


async def prepared(database: str) -> SqlStore:
    """Open the store of a filled database whose past days are added up."""
    clock = LaterClock()
    store = open_store(settings_of(database, PORT), clock)
    for _ in range(2):
        await store.views.add_up_past_days([SELLER.key])
        clock.ahead += timedelta(hours=2)
    clock.ahead = timedelta()
    return store


async def measure(names: list[str]) -> dict[str, list[float]]:
    """Return the least milliseconds that the first page of each view takes in each database."""
    async with AsyncExitStack() as stack:
        asked = []
        for name in names:
            store = await prepared(name)
            stack.push_async_callback(store.close)
            views = store.views.of(SELLER.key)
            order = (await views.orders(OrderQuery(), limit=40)).rows[-1]
            asked.append(queries(views, order, datetime.now(UTC)))
        found: dict[str, list[float]] = {}
        for page in asked[0]:
            times: list[list[float]] = [[] for _ in names]
            for _ in range(ROUNDS):
                for each, queries_of in zip(times, asked, strict=True):
                    started = time.perf_counter()
                    await queries_of[page]()
                    each.append(time.perf_counter() - started)
            found[page] = [1e3 * min(each) for each in times]
        return found


def amount_of(number: int, *, one_seller: bool) -> Amount:
    """Return how so many Orders are made."""
    if one_seller:
        return Amount(DAYS, -(-number // DAYS))
    days = min(DAYS, -(-number // ORDERS_A_DAY))
    return Amount(days, ORDERS_A_DAY, -(-number // (days * ORDERS_A_DAY)))


def compare(numbers: list[int], *, one_seller: bool, postgres: bool) -> None:
    """Print the times of all views for each number of Orders."""
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        new_database = stack.enter_context(databases(place, postgres=postgres))
        names = []
        for number in numbers:
            started = time.monotonic()
            database, _ = new_database()
            fill(database, amount_of(number, one_seller=one_seller))
            names.append(database)
            print(f"{number:,} Orders made in {time.monotonic() - started:.0f} s", flush=True)
        found = asyncio.run(measure(names))
    for page, times in found.items():
        ratios = (f"{each / times[0]:6.2f}" for each in times[1:])
        print(f"{page:30}", *(f"{each:9.2f} ms" for each in times), *ratios)


def main() -> None:
    """Compare databases of these sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("orders", nargs="*", type=int, default=NUMBERS)
    parser.add_argument("--one-seller", action="store_true")
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    compare(asked.orders, one_seller=asked.one_seller, postgres=asked.postgres)


if __name__ == "__main__":
    main()
