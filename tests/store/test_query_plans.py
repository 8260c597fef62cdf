"""Statements find their rows by an index and scan no table that grows.

SQLite plans a statement without looking at the data, so the plans in an empty database are those in a large database.
"""

import re
import sqlite3
from contextlib import closing
from functools import cached_property

import pytest

from openbooking.store.dialect import SaveStatement, Statement
from openbooking.store.feed_pages import FeedPageStatements
from openbooking.store.figures import FigureStatements
from openbooking.store.integrity.statements import IntegrityStatements
from openbooking.store.migrate import prepare
from openbooking.store.schema import claim, feed_item, opportunity, personal_data, record
from openbooking.store.sqlite.dialect import Sqlite
from openbooking.store.statements import Statements

GROWING = {table.name for table in (claim, feed_item, opportunity, personal_data, record)}
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


def scanned_tables(database: str, statement: Statement) -> list[str]:
    """Return the steps of the plan that scan a growing table."""
    with closing(sqlite3.connect(database)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", ["[]"] * len(statement.names)).fetchall()
    found = []
    for *_, step in plan:
        scanned = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
        if scanned and scanned[1] in GROWING and scanned[2] not in PARTIAL:
            found.append(step)
    return found


@pytest.mark.parametrize("statement", [pytest.param(made, id=name) for name, made in every_statement()])
def test_no_statement_scans_a_growing_table(database: str, statement: Statement) -> None:
    assert scanned_tables(database, statement) == []


def test_the_scan_of_the_integrity_check_is_noticed(database: str) -> None:
    audit = IntegrityStatements(Sqlite())
    names = [name for name, member in vars(IntegrityStatements).items() if isinstance(member, cached_property)]
    assert any(scanned_tables(database, getattr(audit, name)) for name in names)
