"""Statements find their rows by an index and scan no table that grows.

SQLite plans a statement without looking at the data, so the plans in an empty database are those in a large database.
PostgreSQL looks at the data, so the statements that find overlapping Slots are planned in a database with many Slots.
"""

import asyncio
import re
import sqlite3
from contextlib import closing
from functools import cached_property
from typing import Any

import asyncpg
import pytest
from sqlalchemy import literal_column, select

from openbooking.store.dialect import SaveStatement, Statement
from openbooking.store.feed_pages import FeedPageStatements
from openbooking.store.figures import FigureStatements
from openbooking.store.integrity.statements import IntegrityStatements
from openbooking.store.migrate import prepare
from openbooking.store.postgres.dialect import Postgres
from openbooking.store.schema import claim, feed_item, opportunity, personal_data, record, timetable_entry
from openbooking.store.sqlite.dialect import Sqlite
from openbooking.store.statements import Statements
from openbooking.testing.postgres import PostgresServer

GROWING = {table.name for table in (claim, feed_item, opportunity, personal_data, record, timetable_entry)}
# Indexes of rows that wait for something, such as the end of a Lease. They stay short, so they may be scanned.
PARTIAL = {"ix_claim_lease", "ix_claim_expires", "ix_feed_item_pending", "ix_feed_item_deleted"}
WHOLE_BY_NATURE = {
    "order_counts": "counts all Orders, for people who look at their partners",
    "renumber_feed_items": "reads all items, page by page, after a restore",
    "pending_feed_items": "is asked of PostgreSQL only",
    "number_feed_items": "is asked of PostgreSQL only",
}


def every_statement() -> list[tuple[str, Statement]]:
    found: list[tuple[str, Statement]] = []
    for statements in (Statements(Sqlite()), FigureStatements(Sqlite()), FeedPageStatements(Sqlite())):
        for name, member in vars(type(statements)).items():
            if isinstance(member, cached_property) and name not in WHOLE_BY_NATURE:
                made = getattr(statements, name)
                of_it = made.statements if isinstance(made, SaveStatement) else (made,)
                found += [(f"{name}_{number}", statement) for number, statement in enumerate(of_it)]
    return found


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("plans") / "empty.sqlite3")
    prepare(path)
    return path


def plan_of(database: str, statement: Statement) -> list[str]:
    """Return the steps of the plan of a statement."""
    with closing(sqlite3.connect(database)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", ["[]"] * len(statement.names)).fetchall()
    return [step for *_, step in plan]


def tables_by_name(statement: Statement) -> dict[str, str]:
    """Return the tables by the names that the statement gives them. A plan has these names."""
    given = re.findall(r"\b(\w+) AS (\w+)", statement.text)
    return {table: table for table in GROWING} | {name: table for table, name in given if table in GROWING}


def scanned_tables(database: str, statement: Statement) -> list[str]:
    """Return the steps of the plan that scan a growing table."""
    found = []
    for step in plan_of(database, statement):
        scanned = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
        if scanned and tables_by_name(statement).get(scanned[1]) in GROWING and scanned[2] not in PARTIAL:
            found.append(step)
    return found


@pytest.mark.parametrize("statement", [pytest.param(made, id=name) for name, made in every_statement()])
def test_no_statement_scans_a_growing_table(database: str, statement: Statement) -> None:
    assert scanned_tables(database, statement) == []


@pytest.mark.parametrize("name", ["paths_at_courts", "situation", "lock"])
def test_slots_that_overlap_are_found_by_their_court(database: str, name: str) -> None:
    steps = plan_of(database, getattr(Statements(Sqlite()), name))
    assert [step for step in steps if "ix_opportunity_court (court=? AND court_from>? AND court_from<?)" in step]


def test_the_scan_of_a_table_under_another_name_is_noticed(database: str) -> None:
    other = opportunity.alias("other")
    assert scanned_tables(database, Sqlite().compile(select(other.c.path).where(other.c.booked == literal_column("1"))))


COURTS, SLOTS_OF_A_COURT = 200, 500
# Courts with overlapping Slots; each starts half an hour after the one before, and lasts an hour.
FILL = f"""
INSERT INTO opportunity
    (path, parent, seller, source, booked, starts, court, court_from, court_until, leaves_at, document)
SELECT 'slots/' || court || '-' || slot, 'courts/' || court, 'centre', 'timetable:centre/' || court, 0,
    slot * 1800000000::bigint, 'courts/' || court, slot * 1800000000::bigint, (slot + 2) * 1800000000::bigint,
    (slot + 4) * 1800000000::bigint, repeat('x', 200)::bytea
FROM generate_series(1, {COURTS}) AS court, generate_series(1, {SLOTS_OF_A_COURT}) AS slot
"""
ASKED: dict[str, Any] = {
    "paths": ["slots/7-9", "slots/8-20"],
    "courts": ["courts/7", "courts/8"],
    "courts_from": [9 * 1_800_000_000, 20 * 1_800_000_000],
    "courts_until": [11 * 1_800_000_000, 22 * 1_800_000_000],
    "parent": "courts/7",
    "since": 48 * 1_800_000_000,
    "until": 96 * 1_800_000_000,
    "now": 10 * 1_800_000_000,
    "last_date": 738_000,
    "most": 100,
}


@pytest.fixture(scope="module")
def filled(postgres: PostgresServer) -> str:
    """Return a database with 100,000 Slots of 200 courts, and fresh statistics."""

    async def fill(database: str) -> None:
        connection = await asyncpg.connect(database)
        await connection.execute(FILL)
        await connection.execute("ANALYZE")
        await connection.close()

    database = postgres.new_database()
    asyncio.run(fill(database))
    return database


def postgres_plans(database: str, statement: Statement) -> list[str]:
    """Return the plan for `ASKED`, with empty lists for the other parameters, and the plan for any parameters."""

    async def explain() -> list[str]:
        connection = await asyncpg.connect(database)
        values = [ASKED.get(name, []) for name in statement.names]
        of_these = await connection.fetch(f"EXPLAIN {statement.text}", *values)
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE asked AS {statement.text}")
        nothing = ", ".join(["NULL"] * len(statement.names))
        of_any = await connection.fetch(f"EXPLAIN EXECUTE asked ({nothing})")
        await connection.close()
        return ["\n".join(step for (step,) in rows) for rows in (of_these, of_any)]

    return asyncio.run(explain())


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("paths_at_courts", "ix_opportunity_court"),
        ("situation", "ix_opportunity_court"),
        ("lock", "ix_opportunity_court"),
        ("paths_of_dated_children", "ix_opportunity_parent"),
        ("leaving_paths", "ix_opportunity_leaves"),
        ("paths_of_children", "ix_opportunity_parent"),
    ],
)
def test_postgresql_finds_slots_by_an_index(filled: str, name: str, index: str) -> None:
    for plan in postgres_plans(filled, getattr(Statements(Postgres()), name)):
        assert index in plan
        assert "Seq Scan on opportunity" not in plan, plan


def test_the_scan_of_the_integrity_check_is_noticed(database: str) -> None:
    audit = IntegrityStatements(Sqlite())
    names = [name for name, member in vars(IntegrityStatements).items() if isinstance(member, cached_property)]
    assert any(scanned_tables(database, getattr(audit, name)) for name in names)
