"""`openbooking person`: the Orders of one person, exported and erased."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.cli.database import with_system
from openbooking.clock import SystemClock
from openbooking.store.migrate import prepare
from openbooking.system import System
from support.builders import UUID, book, item, request, session
from support.command_line import add_seller, fail, run, succeed
from support.parties import CENTRE, MANAGER

YOGA = session("yoga", start=SystemClock()() + timedelta(days=30), end=None)
GEOFF = ("geoff@example.com", "--seller", "centre")


@pytest.fixture(autouse=True)
def booked(database: Path) -> None:
    """Geoff has booked yoga, which is ahead."""
    prepare(str(database))

    async def work(system: System) -> None:
        await system.store.execute(PublishSeller(CENTRE, actor=MANAGER))
        await system.store.execute(Publish(tuple(YOGA), actor=MANAGER))
        ann = {"@type": "Person", "givenName": "Ann", "email": "ann@example.com"}
        await system.store.execute(book(request(item(YOGA, attendee=ann))))

    with_system(None, work)
    add_seller("oak")


def test_the_orders_of_a_person_are_exported() -> None:
    (order,) = json.loads(succeed("person", "export", *GEOFF))["orders"]
    assert (order["uuid"], order["order"]["personal"]["customer"]["email"]) == (UUID, "geoff@example.com")
    entry = json.loads(succeed("log", "--seller", "centre", "--json"))
    assert (entry["action"], entry["actor"]) == ("personal-data-exported", "person export")
    assert UUID in entry["order"]
    assert json.loads(succeed("person", "export", "geoff@example.com", "--seller", "oak"))["orders"] == []


def test_the_only_seller_of_a_person_needs_no_option(database: Path) -> None:
    assert "Name the Seller with --seller." in fail(1, "person", "export", "geoff@example.com")
    database.unlink()
    add_seller("oak")
    assert json.loads(succeed("person", "export", "geoff@example.com"))["orders"] == []


@pytest.mark.spec("OB-CUST-06", "OB-CUST-07")
def test_a_person_is_named_by_an_address_or_a_number() -> None:
    for command in ("export", "erase"):
        assert "Enter a whole e-mail address" in fail(1, "person", command, "Geoff", "--seller", "centre")
        assert "no Seller elm" in fail(1, "person", command, "geoff@example.com", "--seller", "elm")


def test_the_orders_of_a_person_are_erased_after_a_question() -> None:
    assert f"(booking {UUID})" in fail(1, "person", "erase", *GEOFF, "--yes")

    async def cancel(system: System) -> None:
        await system.store.execute(SellerCancel(order=OrderKey("alice", UUID), actor=MANAGER))

    with_system(None, cancel)
    asked = run("person", "erase", *GEOFF)
    assert asked.exit_code == 1
    assert "Erase the data of the person in 1 Orders?" in asked.stderr
    assert len(json.loads(succeed("person", "export", *GEOFF))["orders"]) == 1
    assert succeed("person", "erase", *GEOFF, "--yes") == "Erased the data of the person in 1 Orders.\n"
    assert json.loads(succeed("person", "export", *GEOFF))["orders"] == []
    assert succeed("person", "erase", *GEOFF) == "Erased the data of the person in 0 Orders.\n"


def test_an_attendee_is_exported_and_erased_without_the_customer() -> None:
    ann = ("ann@example.com", "--seller", "centre")
    text = succeed("person", "export", *ann)
    exported = json.loads(text)
    assert (exported["orders"], exported["proposals"]) == ([], [])
    ((attended,),) = [order["items"] for order in exported["attended"]]
    assert attended["attendee"]["givenName"] == "Ann"
    assert "geoff" not in text.lower()

    async def cancel(system: System) -> None:
        await system.store.execute(SellerCancel(order=OrderKey("alice", UUID), actor=MANAGER))

    with_system(None, cancel)
    assert succeed("person", "erase", *ann, "--yes") == "Erased the data of the person in 1 Orders.\n"
    assert json.loads(succeed("person", "export", *ann))["attended"] == []
    (order,) = json.loads(succeed("person", "export", *GEOFF))["orders"]
    assert order["order"]["personal"]["customer"]["email"] == "geoff@example.com"
    assert "ann@" not in str(order)
