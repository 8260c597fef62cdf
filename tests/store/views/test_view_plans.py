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
from openbooking.store.schema import (
    booked_session,
    claim,
    ended_line,
    opportunity,
    personal_data,
    record,
    sales_day,
    sales_sum,
)
from openbooking.store.sqlite.dialect import Sqlite
from openbooking.store.views.day_statements import DayStatements
from openbooking.store.views.money_statements import MoneyStatements
from openbooking.store.views.people_statements import PeopleStatements
from openbooking.store.views.statements import ViewStatements

GROWING = {
    table.name
    for table in (booked_session, claim, ended_line, opportunity, personal_data, record, sales_day, sales_sum)
}
# The sums read all rows of a period, and `booked_occurrences` all items of one.
SORTED = {"booked_occurrences", "taken", "coming", "partner_sums", "orders_in_session", "lines_ended"}
SORTED |= {"lines_ended_of_partner", "cancelled", "sums"}
# This index has only the days that the upkeep will add up next.
SHORT_INDEX = "ix_sales_day_outdated"


def every_statement() -> dict[str, Statement]:
    found: dict[str, Statement] = {}
    kinds = (ViewStatements, PeopleStatements, MoneyStatements, DayStatements)
    for statements in (kind(Sqlite()) for kind in kinds):
        for name, member in vars(type(statements)).items():
            if isinstance(member, cached_property):
                found[name] = getattr(statements, name)
    for term in ("family_name", "given_name", "email", "telephone"):
        found[f"records_by_{term}"] = PeopleStatements(Sqlite()).records_by_term(term)
    for by in SalesGroup:
        found[f"cancelled_by_{by}"] = MoneyStatements(Sqlite()).cancelled(by)
        found[f"sums_by_{by}"] = DayStatements(Sqlite()).sums(by)
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
    assert [step for step in scanned if not step.endswith(SHORT_INDEX)] == []


@pytest.mark.parametrize("name", [name for name in STATEMENTS if name.partition("_by_")[0] not in SORTED])
def test_no_list_is_sorted(database: Path, name: str) -> None:
    """Otherwise the first page would take longer, the longer the list is."""
    plan = plan_of(database, STATEMENTS[name].text, len(STATEMENTS[name].names))
    assert [step for step in plan if "TEMP B-TREE" in step] == []


def test_a_scan_and_a_sort_are_noticed(database: Path) -> None:
    plan = plan_of(database, "SELECT partner FROM record ORDER BY value", 0)
    assert plan == ["SCAN record", "USE TEMP B-TREE FOR ORDER BY"]
