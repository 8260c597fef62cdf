"""The statements of the views find their rows by an index, in its order, however many there are.

SQLite plans without looking at the data, so an empty database shows what a large one would do.
"""

import re
import sqlite3
from contextlib import closing
from functools import cached_property
from pathlib import Path

import pytest

from openbooking.booking.views import SalesGroup
from openbooking.store.dialect import Statement
from openbooking.store.migrate import prepare
from openbooking.store.schema import booked_session, claim, opportunity, order_item, personal_data, record
from openbooking.store.sqlite.dialect import Sqlite
from openbooking.store.views.money_statements import MoneyStatements
from openbooking.store.views.people_statements import PeopleStatements
from openbooking.store.views.statements import ViewStatements

GROWING = {table.name for table in (booked_session, claim, opportunity, order_item, personal_data, record)}
# The sums read all rows of a period, and `booked_occurrences` all items of one.
SORTED = {
    "booked_occurrences",
    "taken",
    "coming",
    "partner_sums",
    "orders_in_session",
    "lines_ended",
    "lines_ended_of_partner",
}


def every_statement() -> dict[str, Statement]:
    found: dict[str, Statement] = {}
    for statements in (ViewStatements(Sqlite()), PeopleStatements(Sqlite()), MoneyStatements(Sqlite())):
        for name, member in vars(type(statements)).items():
            if isinstance(member, cached_property):
                found[name] = getattr(statements, name)
    for term in ("family_name", "given_name", "email", "telephone"):
        found[f"records_by_{term}"] = PeopleStatements(Sqlite()).records_by_term(term)
    for by in SalesGroup:
        for sold in (True, False):
            found[f"sums_by_{by}_{sold}"] = MoneyStatements(Sqlite()).sums(by, sold=sold)
    return found


STATEMENTS = every_statement()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "empty.sqlite3"
    prepare(str(path))
    return path


def plan_of(database: Path, text: str, parameters: int) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {text}", ["[]"] * parameters)]


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_view_scans_a_growing_table(database: Path, name: str) -> None:
    plan = plan_of(database, STATEMENTS[name].text, len(STATEMENTS[name].names))
    scanned = [step for step in plan if (found := re.match(r"SCAN (\w+)", step)) and found[1] in GROWING]
    assert scanned == []


@pytest.mark.parametrize("name", [name for name in STATEMENTS if name not in SORTED and not name.startswith("sums")])
def test_no_list_is_sorted(database: Path, name: str) -> None:
    """Otherwise the first page would take longer, the longer the list is."""
    plan = plan_of(database, STATEMENTS[name].text, len(STATEMENTS[name].names))
    assert [step for step in plan if "TEMP B-TREE" in step] == []


def test_a_scan_and_a_sort_are_noticed(database: Path) -> None:
    plan = plan_of(database, "SELECT partner FROM record ORDER BY value", 0)
    assert plan == ["SCAN record", "USE TEMP B-TREE FOR ORDER BY"]
