"""Fills a database with many Orders for the benchmarks: rows like those of two Orders that the store has written."""

import asyncio
import random
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import asyncpg
import msgspec
from sqlalchemy import text

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.model.order import Caller
from openbooking.jsonld.read_order import OrderReader
from openbooking.openactive.ids import Identifiers, opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import OrderType
from openbooking.store.backends import scheme_of
from openbooking.store.documents import microseconds
from openbooking.store.migrate import run_in_migration
from openbooking.store.schema import booked_session, claim, ended_line, personal_data, record
from stock import SELLER, opened, order_body, settings_of, stock

ITEMS = 3
SESSIONS = 2_000
ITEMS_OF_A_SESSION = 9
# One in so many Orders has a cancelled item.
CANCELLED_OF = 20
AT_ONCE = 5_000
DOCUMENT_BYTES = 1_500
PORT = 8000
TABLES = {table.name: table.columns.keys() for table in (record, personal_data, claim, ended_line, booked_session)}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

Row = dict[str, Any]
# The rows of an Order, by table.
Rows = dict[str, list[Row]]


class Amount(NamedTuple):
    """How many Orders are made: so many a day for so many days up to now, for each of so many Sellers."""

    days: int
    orders_a_day: int
    sellers: int = 1


def fill(database: str, amount: Amount) -> None:
    """Stock a database, and fill it with Orders of its Seller. Those of other Sellers are copies, made in SQL."""
    keys = asyncio.run(_book(database))
    templates = [run_in_migration(database, partial(_rows_of, key=key)) for key in keys]
    orders, copies = _orders(templates, amount), _copies(amount.sellers)
    if scheme_of(database):
        asyncio.run(_fill_postgres(database, orders, copies))
    else:
        _fill_sqlite(database, orders, copies)


async def _book(database: str) -> list[str]:
    """Stock the database, and book an Order and another one with a cancelled item; return their UUIDs."""
    settings, caller = settings_of(database, PORT), Caller("partner0")
    await stock(settings, sessions=SESSIONS)
    ids = Identifiers(settings.base_uri)
    request = OrderReader(ids, ITEMS).order(order_body(ids, range(ITEMS)), OrderType.ORDER)
    keys = [str(uuid.uuid4()) for _ in range(2)]
    async with opened(settings) as store:
        for key in keys:
            await store.execute(Book(caller=caller, uuid=key, request=request))
        await store.execute(Cancel(caller=caller, uuid=keys[1], numbers=(1,)))
    return keys


def _rows_of(connection: Any, key: str) -> Rows:
    """Return the rows of an Order, with decoded documents."""
    found: Rows = {}
    for table, columns in TABLES.items():
        which = " WHERE uuid = :uuid" if "uuid" in columns else " LIMIT 1"
        rows = connection.execute(text(f"SELECT {', '.join(columns)} FROM {table}{which}"), {"uuid": key})
        found[table] = [dict(row) for row in rows.mappings()]
        for row in found[table]:
            if "document" in row:
                row["document"] = msgspec.json.decode(row["document"])
    return found


def _orders(templates: list[Rows], amount: Amount) -> Iterator[Rows]:
    """Yield the rows of all Orders of the first Seller."""
    chance, now = random.Random(1), datetime.now(UTC).replace(microsecond=0)  # noqa: S311 - the same data each time
    sessions = -(-amount.orders_a_day * ITEMS // ITEMS_OF_A_SESSION)
    for number in range(amount.days * amount.orders_a_day):
        at = now - number // amount.orders_a_day * DAY - timedelta(seconds=chance.randrange(24 * 3600))
        held = chance.sample(range(sessions), min(ITEMS, sessions))
        template = templates[number % CANCELLED_OF == 0]
        yield _order(template, _Order(number, at, held, str(uuid.UUID(int=chance.getrandbits(128)))))


def _copies(sellers: int) -> Iterator[str]:
    """Yield statements that copy the Orders of the first Seller for the others, with UUIDs in a random order.

    The documents of the copies are never read, so they are shortened.
    """
    for table in TABLES:
        yield f"CREATE TEMPORARY TABLE first_{table} AS SELECT * FROM {table}"
    for number in range(1, sellers):
        turned = number % 30 + 1
        changed = {
            "uuid": f"substr(uuid, {turned + 1}) || substr(uuid, 1, {turned}) || '-{number}'",
            "seller": f"'seller{number}'",
            "opportunity": f"opportunity || '-{number}'",
            "document": f"substr(document, 1, {DOCUMENT_BYTES})",
        }
        for table, columns in TABLES.items():
            values = ", ".join(changed.get(name, name) for name in columns)
            yield f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM first_{table}"


class _Order(NamedTuple):
    """What tells an Order from another one."""

    number: int
    at: datetime
    sessions: list[int]
    uuid: str


def _order(template: Rows, order: _Order) -> Rows:
    """Return the rows of an Order. Its sessions were a day later, and are stored no more."""
    partner, booked = f"partner{order.number % 7}", microseconds(order.at)
    start = order.at.replace(hour=9, minute=0, second=0) + DAY
    key = {"partner": partner, "uuid": order.uuid}
    paths = [f"{SELLER.key}-{start:%Y%m%d}-{held}" for held in order.sessions]
    paths = [opportunity_path(OpportunityType.SCHEDULED_SESSION, path) for path in paths]
    starts = [start + held % 10 * HOUR for held in order.sessions]
    (kept,), (personal,) = template["record"], template["personal_data"]
    return {
        "record": [
            {
                **kept,
                **key,
                "seller": SELLER.key,
                "listed_at": booked,
                "document": _document(kept["document"], order, partner, [*zip(paths, starts, strict=True)]),
            }
        ],
        "personal_data": [{**personal, **key, "seller": SELLER.key, **_customer(personal["document"], order.number)}],
        "claim": [
            {**row, **key, "opportunity": path, "starts": microseconds(at)}
            for row, path, at in zip(template["claim"], paths[-len(template["claim"]) :], starts, strict=False)
        ],
        "ended_line": [
            {
                **row,
                **key,
                "seller": SELLER.key,
                "opportunity": paths[0],
                "starts": microseconds(starts[0]),
                "sold_at": booked,
                "ended_at": booked + microseconds(datetime(1970, 1, 1, 1, tzinfo=UTC)),
            }
            for row in template["ended_line"]
        ],
        "booked_session": [
            {"seller": SELLER.key, "starts": microseconds(at), "opportunity": path}
            for path, at in zip(paths, starts, strict=True)
        ],
    }


def _document(document: Any, order: _Order, partner: str, sessions: list[tuple[str, datetime]]) -> bytes:
    """Set what the document says of the Order, and encode it."""
    document["partner"], document["uuid"], document["seller"] = partner, order.uuid, SELLER.key
    document["booked"]["at"] = order.at
    for state in document["states"]:
        if "cancelled" in state:
            state["cancelled"]["at"] = order.at + HOUR
    for item, (path, start) in zip(document["order"]["items"], sessions, strict=False):
        item["opportunity"] |= {"path": path, "start": start, "end": start + HOUR}
    return msgspec.json.encode(document)


def _customer(document: Any, number: int) -> Row:
    """Return the columns of the personal data of a Customer."""
    given, family = f"Ann{number % 40}", f"Smith{number % 97}"
    email, telephone = f"ann{number}@example.com", f"07700{number:06}"
    own = {"givenName": given, "familyName": family, "email": email, "telephone": telephone}
    document["customer"] |= own
    return {
        "given_name": given.lower(),
        "family_name": family.lower(),
        "email": email,
        "telephone": telephone,
        "document": msgspec.json.encode(document),
    }


def _batches(orders: Iterator[Rows]) -> Iterator[tuple[str, list[str], list[tuple[Any, ...]]]]:
    """Yield tables with their columns and rows, for some Orders at a time."""
    known: set[tuple[Any, ...]] = set()
    while some := list(islice(orders, AT_ONCE)):
        for table, columns in TABLES.items():
            rows = [tuple(row[name] for name in columns) for order in some for row in order[table]]
            if table == booked_session.name:
                rows = [row for row in dict.fromkeys(rows) if row not in known]
                known.update(rows)
            yield table, columns, rows


def _fill_sqlite(database: str, orders: Iterator[Rows], copies: Iterator[str]) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-1000000")
        found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN"
        indexes = connection.execute(f"{found} {tuple(TABLES)}").fetchall()
        connection.execute("BEGIN")
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        for table, columns, rows in _batches(orders):
            values = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)
        for statement in copies:
            connection.execute(statement)
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")


async def _fill_postgres(database: str, orders: Iterator[Rows], copies: Iterator[str]) -> None:
    connection = await asyncpg.connect(database)
    try:
        for table, columns, rows in _batches(orders):
            await connection.copy_records_to_table(table, records=rows, columns=columns)
        for statement in copies:
            await connection.execute(statement)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
