"""In any history of a Booking System the views of the databases answer as those over records in memory do."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, given, note, settings

from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import OrderKey
from openbooking.booking.rules.orders.order_lines import OrderStatus
from openbooking.booking.views import OrderQuery, SalesGroup, SellerViews
from openbooking.openactive.errors import OpenBookingError
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.store.postgres.store import PostgresStore
from openbooking.store.schema import metadata
from openbooking.store.sql import SqlStore
from openbooking.store.sqlite.store import SqliteStore
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import Clock
from openbooking.testing.store_case import feed_writer
from openbooking.testing.stores.views.view_case import read_all
from support.builders import NOW
from support.histories.lengths import examples
from support.histories.random_histories import histories, with_time_to_shrink
from support.histories.state import PATHS, History
from support.parties import CENTRE

EVER = (NOW - timedelta(days=900), NOW + timedelta(days=900))
LATER = (NOW + timedelta(minutes=7), NOW + timedelta(days=2))
DAYS = (NOW - timedelta(days=3), NOW + timedelta(days=30))
QUERIES = [
    OrderQuery(),
    OrderQuery(partner="alice"),
    OrderQuery(status=OrderStatus.CANCELLED),
    OrderQuery(status=OrderStatus.PARTLY_CANCELLED),
    OrderQuery(value_from=Decimal(11), value_to=Decimal(25)),
    OrderQuery(booked_from=LATER[0]),
    OrderQuery(booked_before=LATER[0]),
    OrderQuery(session_from=EVER[0], session_before=EVER[1]),
    OrderQuery(session_from=NOW, partner="bob"),
    OrderQuery(text="geoff"),
    OrderQuery(text="GEO", status=OrderStatus.BOOKED),
    OrderQuery(text="geoff@example.com", session_from=NOW),
    OrderQuery(text="+44 20 811 8055"),
    OrderQuery(text="s"),
    OrderQuery(text="sam sm", partner="alice"),
    OrderQuery(text="sam@example.com"),
    OrderQuery(text="00000000-0000-4000-8000-000000000001"),
]


async def everything(views: SellerViews, keys: list[OrderKey]) -> dict[str, Any]:
    """The answers of all views."""
    lists: dict[str, tuple[Callable[..., Awaitable[Any]], tuple[Any, ...]]] = {
        "occurrences": (views.occurrences, EVER),
        **{f"bookings of {path}": (views.bookings, (path,)) for path in PATHS.values()},
        "proposals": (views.proposals, ()),
        **{f"proposals of {text}": (views.proposals_of, (text,)) for text in ("geoff", "sam", "sam@example.com")},
        **{f"orders of {query}": (views.orders, (query,)) for query in QUERIES},
        "lines": (views.sales_lines, EVER),
        "later lines": (views.sales_lines, LATER),
        **{f"cancellations of {partner}": (views.cancellations, (partner, *EVER)) for partner in ("alice", DESK)},
        "payments": (views.payments, EVER),
        "opportunities": (views.opportunities, ()),
    }
    found: dict[str, Any] = {name: await read_all(view, *of, limit=3) for name, (view, of) in lists.items()}
    for by in SalesGroup:
        found[f"sales by {by}"] = await views.sales(*EVER, by, ZoneInfo("Asia/Kathmandu"))
    found["sales of Kathmandu"] = await views.sales(*DAYS, SalesGroup.DAY, ZoneInfo("Asia/Kathmandu"))
    found["sales of days"] = await views.sales(*DAYS, SalesGroup.DAY, ZoneInfo("Europe/London"))
    found["later sales"] = await views.sales(*LATER, SalesGroup.DAY, UTC)
    found["partners"] = await views.partners(*EVER, ZoneInfo("Europe/London"))
    return found | {f"order {key}": await views.order(key) for key in keys}


async def compare(history: History, clock: Clock, store: SqlStore) -> None:
    """Replay the history, and compare the views several times on the way."""
    note(repr(history))
    model = MemoryStore(policy=history.policy, writer=feed_writer(), clock=clock)
    moments = (*history.moments, *history.ending)
    try:
        for number, moment in enumerate(moments):
            if isinstance(moment.step, timedelta):
                clock.move(moment.step)
                continue
            for each in (model, store):
                with suppress(OpenBookingError):
                    await each.execute(moment.step)
            if number % 10 == 0 or number == len(moments) - 1:
                if number % 20:
                    await store.views.add_up_past_days([CENTRE.key])
                keys = [*moment.after.records, OrderKey("alice", "x")]
                expected = await everything(model.views.of(CENTRE.key), keys)
                found = await everything(store.views.of(CENTRE.key), keys)
                for name, answer in expected.items():
                    assert found[name] == answer, name
    finally:
        await store.close()


@with_time_to_shrink
@pytest.mark.no_cover
@given(history=histories)
@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.too_slow])
def test_sqlite_answers_as_the_records_do(history: History) -> None:
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "views.sqlite3"
        prepare(str(path))
        store = SqliteStore(path, policy=history.policy, writer=feed_writer(), clock=clock)
        asyncio.run(compare(history, clock, store))


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    return postgres.new_database()


@with_time_to_shrink
@pytest.mark.no_cover
@given(history=histories)
@settings(max_examples=examples(5), suppress_health_check=[HealthCheck.too_slow])
def test_postgres_answers_as_the_records_do(database: str, history: History) -> None:
    async def run() -> None:
        clock = Clock()
        connection = await asyncpg.connect(database)
        await connection.execute(f"TRUNCATE {', '.join(metadata.tables.keys() - {'counter'})}")
        await connection.close()
        await compare(history, clock, PostgresStore(database, policy=history.policy, writer=feed_writer(), clock=clock))

    asyncio.run(run())
