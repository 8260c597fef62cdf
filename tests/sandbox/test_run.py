"""`openbooking demo` as a user runs it, with the guide pasted into a shell."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2

from support.validators import Validator

OPENBOOKING = str(Path(sys.executable).with_name("openbooking"))
LAST_LINE = 'call "$api/orders-rpde"'
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}


def run_openbooking(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [OPENBOOKING, *arguments],
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def running_demo(database: Path, last: str = LAST_LINE) -> Iterator[str]:
    """Run the demo during the block; yield its output up to the line that begins with `last`."""
    command = [OPENBOOKING, "demo", "--port", "0", "--database", str(database)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith(last):
                    break
            yield "".join(lines)
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def shell_value(name: str, printed: str) -> str:
    found = re.search(rf"^{name}=(.*)$", printed, re.MULTILINE)
    assert found
    return found[1]


def test_the_printed_guide_can_be_pasted_into_a_shell_and_books(tmp_path: Path) -> None:
    with running_demo(tmp_path / "demo.sqlite3") as printed:
        shell = subprocess.run(["bash", "-e"], input=printed, capture_output=True, text=True, check=True, timeout=60)
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


def test_the_printed_command_lists_the_orders_of_the_demo(tmp_path: Path) -> None:
    with running_demo(tmp_path / "demo.sqlite3") as printed:
        found = re.search(r"^#   Commands +in another shell: (.*)$", printed, re.MULTILINE)
        assert found
        script = found[1].replace("openbooking order", f"{OPENBOOKING} order")
        shell = subprocess.run(
            ["bash", "-e"], input=script, env=ENVIRONMENT, capture_output=True, text=True, check=True, timeout=60
        )
    assert "Early lane swimming" in shell.stdout


def test_the_guide_ends_with_the_console(tmp_path: Path) -> None:
    with running_demo(tmp_path / "demo.sqlite3", last="# Sign in: ") as printed:
        assert "# Console: http://" in printed.rpartition(LAST_LINE)[2]


def test_the_printed_addresses_answer(tmp_path: Path) -> None:
    with running_demo(tmp_path / "demo.sqlite3") as printed, httpx2.Client(follow_redirects=True) as client:
        urls = re.findall(r"^#   .*(http://[^\s,]+)", printed, re.MULTILINE)
        assert len(urls) == 6
        console, app, dataset_site, feed, api, site = urls
        assert console.startswith(f"{site}/")
        assert "Sign in" in client.get(console).raise_for_status().text
        assert "Find something to do" in client.get(app).raise_for_status().text
        assert "application/ld+json" in client.get(dataset_site).raise_for_status().text
        assert client.get(feed).raise_for_status().json()["items"]
        assert client.get(f"{api}/orders-rpde").json()["@type"] == "NoAPITokenError"


def test_the_feeds_of_the_demo_are_valid(tmp_path: Path, validator: Validator) -> None:
    with running_demo(tmp_path / "demo.sqlite3") as printed:
        (api,) = re.findall(r"^api=(.*)$", printed, re.MULTILINE)
        site = api.removesuffix("/api")
        page = httpx2.get(site, follow_redirects=True).raise_for_status().text
        feeds = set(re.findall(rf"{re.escape(site)}/[\w/.-]*feeds/[\w-]+", page))
        assert len(feeds) == 7
        for feed in sorted(feeds):
            assert validator.rpde_failures(feed) == [], feed
            items = [item["data"] for item in httpx2.get(feed).json()["items"] if item["state"] == "updated"]
            assert items
            for item in items[:3]:
                assert validator.failures("BookableRPDEFeed", item) == [], item["@id"]


def test_the_second_demo_partner_books_for_one_seller_only(tmp_path: Path) -> None:
    with running_demo(tmp_path / "demo.sqlite3") as printed:
        keys = re.findall(r"obk_\S+ of", printed)
        other = keys[1].removesuffix(" of")
        script = printed.replace(f"key={shell_value('key', printed)}", f"key={other}")
        shell = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True, timeout=60)
    assert shell.stdout.count("InvalidAuthorizationDetailsError") == 3


def test_demo_book_ends_with_a_booked_order(validator: Validator) -> None:
    done = run_openbooking("demo", "--book")
    assert done.returncode == 0, done.stderr
    steps, brace, rest = done.stdout.partition("{\n")
    order = json.loads(brace + rest)
    assert order["@type"] == "Order"
    assert order["orderedItem"][0]["orderItemStatus"] == "https://openactive.io/OrderItemConfirmed"
    assert validator.failures("BResponse", order) == []
    statuses = dict(re.findall(r"^(.+?) +(\d{3})  ", steps, re.MULTILINE))
    assert statuses["Dataset site"] == "200"
    assert (statuses["C1"], statuses["C2"], statuses["B"]) == ("200", "200", "201")


def test_the_demo_refuses_to_overwrite_a_file_of_another_program(tmp_path: Path) -> None:
    precious = tmp_path / "precious.sqlite3"
    with closing(sqlite3.connect(precious)) as connection:
        connection.execute("CREATE TABLE kept (value)")
    before = precious.read_bytes()
    done = run_openbooking("demo", "--book", "--database", str(precious))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "is not a database of the demo" in done.stderr
    assert precious.read_bytes() == before


def test_the_demo_replaces_its_own_file(tmp_path: Path) -> None:
    database = tmp_path / "demo.sqlite3"
    orders = []
    for _ in range(2):
        done = run_openbooking("demo", "--book", "--database", str(database))
        assert done.returncode == 0
        orders.append(json.loads("{" + done.stdout.partition("{")[2])["@id"].rpartition("/")[2])
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT uuid FROM record WHERE uuid IN (?, ?)", orders).fetchall()
    assert found == [(orders[1],)]


def test_the_demo_ignores_settings_of_another_system() -> None:
    done = run_openbooking(
        "demo", "--book", OPENBOOKING_SINGLE_SELLER="somebody", OPENBOOKING_SITE_URL="https://a.test"
    )
    assert done.returncode == 0, done.stderr
