"""`openbooking demo` as a user runs it, with the guide pasted into a shell."""

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.command_line import OPENBOOKING
from support.servers.demo import LAST_COMMAND, Demo, without_settings
from support.validators import Validator


def book_in_demo(database: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [OPENBOOKING, "demo", "--book", "--database", str(database)],
        env=without_settings() | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def booked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Book in a demo; return the path of its database and the output.

    The environment has settings of another system, with which the demo would fail.
    """
    database = tmp_path_factory.mktemp("booked") / "demo.sqlite3"
    of_another = {"OPENBOOKING_SINGLE_SELLER": "somebody", "OPENBOOKING_SITE_URL": "https://a.test"}
    done = book_in_demo(database, **of_another)
    assert done.returncode == 0, done.stderr
    return database, done.stdout


def order_in(output: str) -> dict[str, Any]:
    """Return the Order that `openbooking demo --book` has printed last."""
    order: dict[str, Any] = json.loads("{" + output.partition("{")[2])
    return order


def test_the_printed_guide_can_be_pasted_into_a_shell_and_books(demo: Demo) -> None:
    shell = subprocess.run(["bash", "-e"], input=demo.printed, capture_output=True, text=True, check=True, timeout=60)
    assert shell.stderr == ""
    *replies, rest = re.split(r"\nHTTP (\d{3})\n\n", shell.stdout)
    assert rest == ""
    bodies, statuses = replies[::2], replies[1::2]
    assert statuses == ["200", "200", "201", "204", "200"]
    quote, leased, order = (json.loads(body) for body in bodies[:3])
    assert "lease" not in quote
    assert "lease" in leased
    assert order["orderedItem"][0]["orderItemStatus"] == "https://openactive.io/OrderItemConfirmed"
    items = json.loads(bodies[4])["items"]
    (item,) = [item for item in items if order["@id"].endswith(item["id"])]
    assert item["data"]["orderedItem"][0]["orderItemStatus"] == "https://openactive.io/CustomerCancelled"


def test_the_printed_command_lists_the_orders_of_the_demo(demo: Demo) -> None:
    command = demo.found(r"^#   Commands +in another shell: (.*)$")
    script = command.replace("openbooking order", f"{OPENBOOKING} order")
    shell = subprocess.run(
        ["bash", "-e"], input=script, env=without_settings(), capture_output=True, text=True, check=True, timeout=60
    )
    assert "Early lane swimming" in shell.stdout


def test_the_guide_ends_with_the_console(demo: Demo) -> None:
    assert "# Console: http://" in demo.printed.rpartition(LAST_COMMAND)[2]


def test_the_printed_addresses_answer(demo: Demo) -> None:
    urls = re.findall(r"^#   .*(http://[^\s,]+)", demo.printed.rpartition(LAST_COMMAND)[0], re.MULTILINE)
    assert len(urls) == 6
    console, app, dataset_site, feed, api, site = urls
    assert console.startswith(f"{site}/")
    with httpx2.Client(follow_redirects=True) as client:
        assert "Sign in" in client.get(console).raise_for_status().text
        assert "Find something to do" in client.get(app).raise_for_status().text
        assert "application/ld+json" in client.get(dataset_site).raise_for_status().text
        assert client.get(feed).raise_for_status().json()["items"]
        assert client.get(f"{api}/orders-rpde").json()["@type"] == "NoAPITokenError"
        # The demo is no sandbox.
        assert client.get(f"{site}/sandbox").status_code == 404


def test_the_feeds_of_the_demo_are_valid(demo: Demo, validator: Validator) -> None:
    page = httpx2.get(demo.site, follow_redirects=True).raise_for_status().text
    feeds = set(re.findall(rf"{re.escape(demo.site)}/[\w/.-]*feeds/[\w-]+", page))
    assert len(feeds) == 7
    for feed in sorted(feeds):
        assert validator.rpde_failures(feed) == [], feed
        items = [item["data"] for item in httpx2.get(feed).json()["items"] if item["state"] == "updated"]
        assert items
        for item in items[:3]:
            assert validator.failures("BookableRPDEFeed", item) == [], item["@id"]


def test_the_second_demo_partner_books_for_one_seller_only(demo: Demo) -> None:
    other = re.findall(r"(obk_\S+) of", demo.printed)[1]
    script = demo.printed.replace(f"key={demo.found(r'^key=(.*)$')}", f"key={other}")
    shell = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True, timeout=60)
    assert shell.stdout.count("InvalidAuthorizationDetailsError") == 3


def test_demo_book_ends_with_a_booked_order(booked: tuple[Path, str], validator: Validator) -> None:
    """The demo ignores the settings of another system."""
    _, printed = booked
    order = order_in(printed)
    assert order["@type"] == "Order"
    assert order["orderedItem"][0]["orderItemStatus"] == "https://openactive.io/OrderItemConfirmed"
    assert validator.failures("BResponse", order) == []
    statuses = dict(re.findall(r"^(.+?) +(\d{3})  ", printed, re.MULTILINE))
    assert statuses["Dataset site"] == "200"
    assert (statuses["C1"], statuses["C2"], statuses["B"]) == ("200", "200", "201")


def test_the_demo_refuses_to_overwrite_a_file_of_another_program(tmp_path: Path) -> None:
    precious = tmp_path / "precious.sqlite3"
    with closing(sqlite3.connect(precious)) as connection:
        connection.execute("CREATE TABLE kept (value)")
    before = precious.read_bytes()
    done = book_in_demo(precious)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "is not a database of the demo" in done.stderr
    assert precious.read_bytes() == before


def test_the_demo_replaces_its_own_file(booked: tuple[Path, str]) -> None:
    database, printed = booked
    again = book_in_demo(database)
    assert again.returncode == 0
    orders = [order_in(output)["@id"].rpartition("/")[2] for output in (printed, again.stdout)]
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT uuid FROM record WHERE uuid IN (?, ?)", orders).fetchall()
    assert found == [(orders[1],)]
