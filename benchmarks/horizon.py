"""A timetable whose clock is turned day by day: `make growth`.

Courts are published eight weeks ahead. Each day new Slots come within the horizon, others are over and leave the feeds,
some are booked, and a harvester follows each open feed. The benchmark does what the upkeep of a server does, in its own
process. On PostgreSQL it vacuums the tables once a day, because autovacuum cannot keep up with such a clock.

The table has the sizes on day 15, when the first deleted items have been forgotten, and at the end. Then bookings are
made in turns on a copy of the database of day 15 and on the database of the last day.
"""

import argparse
import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx2
import msgspec
from sqlalchemy.engine import make_url
from starlette.applications import Starlette

from callers import Waits
from centre import booking, halls, random_slots, save
from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.commands.opportunities.remove_over import RemoveOver
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.store import Feed
from openbooking.harvest.client import HarvestOptions, harvest_async
from openbooking.harvest.copy import Copy
from openbooking.harvest.reader import End
from openbooking.openactive.opportunity_types import OPEN_FEEDS
from openbooking.settings import Settings
from openbooking.store.backends import scheme_of
from openbooking.store.migrate import prepare
from openbooking.store.schema import metadata
from openbooking.system import TOMBSTONES_KEPT, System, open_system
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import Clock
from openbooking.timetable.publication import publish_due
from openbooking.timetable.wall_clock import DateRange
from openbooking.web.api.feeds import FEEDS_PATH, feed_routes
from stage import folder, free_port
from stock import BENCHMARK, SELLER, settings_of

KINDS = ("SQLite", "PostgreSQL")
DAY = timedelta(days=1)
FIRST = datetime(2027, 1, 4, 2, tzinfo=UTC)
SETTLED = 15
SLOTS_OF_A_COURT = 57 * 57
BOOKED = 0.01
# The tables that hold what is on sale. Orders stay in the others.
ON_SALE = ("opportunity", "feed_item", "timetable_entry")
TURNS, BOOKINGS_A_TURN = 400, 5
_PAGE = 500
_decode = msgspec.json.decode


class Size(NamedTuple):
    """The size of a database in megabytes: in all, and of what is on sale; and the rows of each table."""

    whole: float
    on_sale: float
    rows: Mapping[str, int]


class Centre:
    """A Booking System with courts, whose clock is turned."""

    def __init__(self, system: System, clock: Clock, courts: int, place: Path | None) -> None:
        self.system, self.clock = system, clock
        self.booked = 0
        self._entries = halls(courts, FIRST.date())
        self._app = Starlette(routes=feed_routes(system, system.settings.base_uri.removeprefix(system.settings.site)))
        self._copies = {name: Copy(place / f"{name}.copy" if place else None) for name in OPEN_FEEDS}

    async def start(self) -> None:
        """Publish the courts and their Slots of eight weeks."""
        await self.system.store.execute(PublishSeller(SELLER, actor=BENCHMARK))
        await save(self.system.store, self._entries)
        await self.publish()

    async def publish(self) -> None:
        """Publish what is due."""
        async for _ in publish_due(self.system.store, self.system.settings.policy, self.clock):
            pass

    async def turn(self, bookings: int) -> None:
        """Turn the clock by a day, with the upkeep, bookings and harvests of a day."""
        store = self.system.store
        self.clock.move(DAY)
        while await store.execute(RemoveOver()):
            pass
        await self.publish()
        await store.forget_deleted(self.clock() - TOMBSTONES_KEPT)
        self.booked += len(await self.book(islice(self.coming(), bookings)))
        await self.harvest()

    def coming(self) -> Iterator[Opportunity]:
        """Yield the Slots of the coming week in an order of chance."""
        tomorrow = self.clock().date() + DAY
        week = DateRange(tomorrow, tomorrow + 7 * DAY)
        return random_slots(self._entries, self.system.settings.policy, week, self.booked)

    async def book(self, slots: Iterable[Opportunity]) -> list[float]:
        """Book Slots; return the milliseconds of the bookings that were not refused."""
        store, ids = self.system.store, self.system.ids
        waits: list[float] = []
        for slot in slots:
            command = booking(ids, slot)
            began = time.perf_counter()
            reply = await store.execute(command)
            if not reply.has_errors:
                waits.append((time.perf_counter() - began) * 1000)
        return waits

    async def harvest(self) -> None:
        """Let each harvester read its feed to the end."""
        transport = httpx2.ASGITransport(self._app)
        options = HarvestOptions(clock=self.clock)
        async with httpx2.AsyncClient(transport=transport) as client:
            for name, copy in self._copies.items():
                url = f"{self.system.settings.site}{FEEDS_PATH}/{name}"
                async for step in harvest_async(url, copy, client, options):
                    if isinstance(step, End) and step.fault:
                        raise RuntimeError(f"{name}: {step.fault}")

    def close(self) -> None:
        """Close the copies of the harvesters."""
        for copy in self._copies.values():
            copy.close()

    async def differences(self) -> tuple[int, int]:
        """Return how many items the feeds have, and in how many the copies of the harvesters differ from them."""
        items = differ = 0
        for name, copy in self._copies.items():
            copied = {item.id: item.content for item in copy.items() if not item.deleted}
            after = 0
            while page := await self.system.store.feed_items(Feed(name), after, _PAGE):
                after = page[-1].modified
                for item in page:
                    shown = copied.pop(item.id, None)
                    data = _decode(item.data) if item.data else None
                    items += data is not None
                    differ += (_decode(shown)["data"] if shown else None) != data
            differ += len(copied)
        return items, differ


async def size_of(database: str) -> Size:
    """Return the size of a database after its own upkeep."""
    names = [table.name for table in metadata.sorted_tables]
    if scheme_of(database):
        connection = await asyncpg.connect(database)
        sizes = {name: await connection.fetchval(f"SELECT pg_total_relation_size('{name}')") for name in names}
        rows = {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in names}
        whole = await connection.fetchval("SELECT pg_database_size(current_database())")
        await connection.close()
    else:
        with closing(sqlite3.connect(database)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            found = file.execute(
                "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name)"
                " WHERE aggregate = TRUE GROUP BY tbl_name"
            )
            sizes = dict(found)
            rows = {name: file.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
            found = file.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            whole = found.fetchone()[0]
    on_sale = sum(sizes.get(name, 0) for name in ON_SALE)
    return Size(whole / 1_000_000, on_sale / 1_000_000, rows)


async def vacuum(database: str) -> None:
    """Vacuum the tables of a PostgreSQL database, as autovacuum does."""
    if scheme_of(database):
        connection = await asyncpg.connect(database)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()


async def turn(settings: Settings, courts: int, days: int, place: Path, postgres: PostgresServer | None) -> None:
    """Turn the clock by these days; print the sizes, the comparison of the feeds, and the times of bookings."""
    bookings = max(1, round(57 * courts * BOOKED))
    async with opened(settings, FIRST, courts, place) as centre:
        began = time.monotonic()
        await centre.start()
        await vacuum(settings.database)
        print(
            f"  {SLOTS_OF_A_COURT * courts:,} Slots, {courts} courts: published in {time.monotonic() - began:.0f} s",
            flush=True,
        )
        await turn_days(centre, SETTLED, bookings)
        before, booked = await size_of(settings.database), centre.booked
    kept = copied(settings, place, postgres)
    async with opened(settings, FIRST + SETTLED * DAY, courts, place) as centre:
        centre.booked = booked
        await turn_days(centre, days - SETTLED, bookings)
        tell_sizes(before, await size_of(settings.database), days, centre.booked - booked)
        items, differ = await centre.differences()
        print(
            f"  copies of the harvesters: {items:,} items, of which {differ} differ from the feeds (aim 0)", flush=True
        )
    async with (
        opened(kept, FIRST + SETTLED * DAY, courts, None) as early,
        opened(settings, FIRST + days * DAY, courts, place) as late,
    ):
        await compare_bookings(early, late)


async def turn_days(centre: Centre, days: int, bookings: int) -> None:
    """Turn the clock by some days, with this many bookings on each."""
    for _ in range(days):
        await centre.turn(bookings)
        await vacuum(centre.system.settings.database)


@asynccontextmanager
async def opened(settings: Settings, at: datetime, courts: int, place: Path | None) -> AsyncIterator[Centre]:
    """Open the Booking System at this time. The folder has the copies of harvesters; without it they are temporary."""
    clock = Clock()
    clock.time = at
    async with open_system(settings, clock, serves=False) as system:
        centre = Centre(system, clock, courts, place)
        yield centre
        centre.close()


def copied(settings: Settings, place: Path, postgres: PostgresServer | None) -> Settings:
    """Return the settings of a copy of the database, which nobody has open."""
    if postgres:
        return settings_of(postgres.new_database(str(make_url(settings.database).database)), settings.port)
    copy = str(place / "early.sqlite3")
    shutil.copyfile(settings.database, copy)
    return settings_of(copy, settings.port)


def tell_sizes(before: Size, after: Size, days: int, booked: int) -> None:
    """Print the sizes at both times, and the numbers of rows that grew."""
    print(f"  {'':>22} {'day ' + str(SETTLED):>12} {'day ' + str(days):>12} {'ratio':>6}")
    for what, old, new in (
        ("what is on sale, MB", before.on_sale, after.on_sale),
        ("whole database, MB", before.whole, after.whole),
    ):
        print(f"  {what:>22} {old:>12.1f} {new:>12.1f} {new / old:>6.3f} (aim 1.05)")
    for name, rows in after.rows.items():
        if rows != before.rows[name]:
            print(f"  {'rows of ' + name:>22} {before.rows[name]:>12,} {rows:>12,}")
    print(f"  {booked:,} bookings between the two days", flush=True)


async def compare_bookings(early: Centre, late: Centre) -> None:
    """Print the times of bookings on both days, which are made in turns."""
    waits: tuple[list[float], list[float]] = [], []
    chosen = early.coming(), late.coming()
    for _ in range(TURNS):
        for centre, slots, of_it in zip((early, late), chosen, waits, strict=True):
            of_it.extend(await centre.book(islice(slots, BOOKINGS_A_TURN)))
    old, new = (Waits(sorted(of_it)) for of_it in waits)
    for share in (0.5, 0.99):
        ratio = new.percentile(share) / old.percentile(share)
        wanted = " (aim 1.2)" if share == 0.99 else ""  # noqa: PLR2004 - p99
        print(
            f"  a booking, p{share * 100:.0f}: {old.percentile(share):.1f} ms, {new.percentile(share):.1f} ms"
            f"  {ratio:.2f}{wanted}",
            flush=True,
        )


def main() -> None:
    """Turn the clock of each named kind of database, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=KINDS)
    parser.add_argument("--slots", type=int, default=100_000, help="the Slots within the horizon")
    parser.add_argument("--days", type=int, default=90, help="by how many days the clock is turned")
    asked = parser.parse_args()
    courts = max(1, round(asked.slots / SLOTS_OF_A_COURT))
    for kind in asked.kinds:
        print(f"{kind}, clock turned by {asked.days} days", flush=True)
        with folder() as place, databases(kind, place) as (database, postgres):
            asyncio.run(turn(settings_of(database, free_port()), courts, asked.days, place, postgres))


@contextmanager
def databases(kind: str, place: Path) -> Iterator[tuple[str, PostgresServer | None]]:
    """Yield an empty database of this kind, and its server if it has one."""
    if kind == "SQLite":
        database = str(place / "centre.sqlite3")
        prepare(database)
        yield database, None
        return
    with PostgresServer() as postgres:
        yield postgres.new_database(), postgres


if __name__ == "__main__":
    main()
