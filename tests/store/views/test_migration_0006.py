"""Migrations 0006, 0010 and 0011 fill what the views read as the stores write it."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, inspect, text

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import TaxMode
from openbooking.store.migrate import prepare, run_in_migration, upgrade
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import (
    ALICE,
    BOB,
    MANAGER,
    SELLER,
    START,
    book,
    cancel,
    fresh,
    quote,
    session,
    session_path,
)
from openbooking.testing.stores.proposal_tests import approved_session, propose
from openbooking.testing.stores.views.view_case import DAY, OTHER, at_day, attended_by, book_for, exchange, of_other
from support.databases.database_0003 import insert, rows_of
from support.databases.database_0005 import FILLED, copy
from support.databases.earlier_schemas import upgrade_to
from support.databases.opened_stores import opened

ZOE = {"givenName": "Zo\u00eb", "familyName": "O\u2019Brien", "telephone": "+44 (0)20 7946 0123"}


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A database that this version has filled, and one without a schema."""
    if request.param == "sqlite":
        return str(tmp_path / "now.sqlite3"), str(tmp_path / "before.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.bare_database(), server.bare_database()


async def trade(database: str) -> None:
    """Orders and proposals in every state that the migration distinguishes."""
    async with opened(database) as store:
        net = replace(OTHER, tax_mode=TaxMode.NET)
        for seller in (SELLER, net):
            await store.execute(PublishSeller(seller, actor=MANAGER))
        series, made = session("swim", 90)
        offers = tuple(replace(o, price=Decimal("9.99"), vat=VatTreatment.REDUCED) for o in series.offers)
        described = {"activity": ["Swimming", "Diving"], "location": {"name": "Pool", "identifier": "p1"}}
        swim = (replace(series, offers=offers, properties=described), made)
        families = [swim, session("yoga", 90), at_day(session("late", 90), 1), approved_session("trip", 90)]
        for family in (*families, session("hidden", 9), of_other(session("pilates", 5))):
            await store.execute(Publish(replace_source(family), actor=MANAGER))
        await store.execute(SetSaleState(opportunity=session_path("hidden"), sale=SaleState.UNPUBLISHED, actor=MANAGER))
        await store.execute(Withdraw(sources=frozenset({"hidden"}), actor=MANAGER))
        partly, all_, moved, twice, gone = (fresh() for _ in range(5))
        proposals = [attended_by(propose(fresh(), "trip"), ZOE) for _ in range(3)]
        given: Sequence[Command[Any]] = (
            costing("45.99", book(partly, "yoga", "yoga", "yoga", "swim", caller=BOB)),
            cancel(partly, 2, caller=BOB),
            costing("9.99", book_for(ZOE, "swim")),
            attended_by(book_for(ZOE, "yoga", "yoga", "yoga"), {"email": "ANN@example.com"}, ZOE, {"name": "Ann Lee"}),
            book_for({"name": "Ann Lee", "telephone": "447700900123"}, "yoga"),
            book_for({"@type": "Organization", "name": "Harriers \u00c9lan", "address": {"@type": "x"}}, "yoga"),
            book(all_, "late"),
            book(moved, "yoga", "yoga"),
            exchange(OrderKey("alice", moved), 2, "swim"),
            book(twice, "yoga"),
            exchange(OrderKey("alice", twice), 1, "swim"),
            cancel(twice, 1),
            book(gone, "yoga"),
            DeleteOrder(caller=ALICE, uuid=gone),
            CancelOpportunity(opportunity=session_path("late"), actor=MANAGER),
            ChangeLogistics(
                opportunity=session_path("yoga"), start=START + 20 * DAY, end=START + 21 * DAY, actor=MANAGER
            ),
            quote(fresh(), "yoga"),
            *proposals,
            DecideProposal(order=proposals[0].key, accept=True, actor=MANAGER),
            DecideProposal(order=proposals[1].key, accept=False, actor=MANAGER),
        )
        for command_ in given:
            await store.execute(command_)


def costing(total: str, command_: Book) -> Book:
    """Return B with that total."""
    return replace(command_, request=replace(command_.request, total_payment_due=Decimal(total)))


def replace_source(family: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return the family, each session with a source of its own."""
    series, made = family
    key = series.path.rpartition("/")[2]
    return replace(series, source=key), replace(made, source=key)


def test_the_migration_fills_tables_as_this_version_does(databases: tuple[str, str]) -> None:
    now, before = databases
    prepare(now)
    asyncio.run(trade(now))
    copy(now, before)
    assert upgrade(before).revision >= "0006"
    expected, found = (run_in_migration(name, lambda connection: rows_of(connection, FILLED)) for name in databases)
    assert len(expected["ended_line"]) == 5
    assert sum(row["starts"] is not None for row in expected["claim"]) > 5
    assert sum(row["number"] > 0 for row in expected["personal_data"]) == 5
    assert sum(row["listed_at"] is not None for row in expected["record"]) > 7
    for table in FILLED:
        assert by_key(found[table]) == by_key(expected[table])


def by_key(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows in an order that depends on nothing but themselves."""
    return sorted(rows, key=lambda row: sorted((name, str(value)) for name, value in row.items()))


def test_records_of_the_first_versions_are_migrated(databases: tuple[str, str]) -> None:
    """Their time of B is unknown, so they come last. A record without an Order is left alone."""
    now, before = databases
    prepare(now)

    async def sell() -> None:
        async with opened(now) as store:
            await store.execute(PublishSeller(SELLER, actor=MANAGER))
            await store.execute(Publish(session("yoga", 9), actor=MANAGER))
            await store.execute(book(fresh(), "yoga"))

    asyncio.run(sell())
    rows = run_in_migration(now, lambda connection: rows_of(connection, ["record"]))
    (row,) = rows["record"]
    document = row["document"].replace(b'"at":"2027-03-01T12:00:00Z"', b'"x":1')
    bare = row["document"].replace(b'"order":', b'"x":')
    old = [{**row, "document": document}, {**row, "uuid": fresh(), "document": bare}]

    def fill(connection: Connection) -> None:
        upgrade_to("0005", connection)
        insert(connection, {"record": old})

    run_in_migration(before, fill)
    upgrade(before)
    found = run_in_migration(before, lambda connection: rows_of(connection, ["record", "ended_line"]))
    assert {record["uuid"]: record["listed_at"] for record in found["record"]} == {row["uuid"]: 0, old[1]["uuid"]: None}
    assert [record["value"] for record in found["record"] if record["listed_at"] == 0] == [1200]
    assert found["ended_line"] == []


def test_postgres_gathers_no_statistics_of_personal_data(postgres: PostgresServer) -> None:
    """Statistics would hold copies that survive an erasure."""
    database = postgres.new_database()

    def targets(connection: Connection) -> dict[tuple[str, str], int]:
        asked = text(
            "SELECT relname, attname, attstattarget FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relname LIKE 'personal_data%' AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped"
        )
        return {(table, column): target for table, column, target in connection.execute(asked)}

    personal = {"document", "family_name", "given_name", "email", "telephone"}
    found = run_in_migration(database, targets)
    columns = run_in_migration(database, lambda connection: inspect(connection).get_columns("personal_data"))
    assert personal <= {column["name"] for column in columns}
    assert len({table for table, _ in found}) == 17
    assert {target for (_, column), target in found.items() if column in personal} == {0}
