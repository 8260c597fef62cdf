"""Checks of the public address: it must have TLS, and the published feeds must have the same address."""

import asyncio
import json
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.operations.test_imports import SOON
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.settings import load_settings
from openbooking.system import open_store
from openbooking.testing import samples
from support.command_line import OPENBOOKING, SELLER_OPTIONS, add_seller, database, fail, rows, succeed
from support.importing.published_items import page, rpde, series, session

__all__ = ["database"]
EVERYWHERE = "0.0.0.0"  # noqa: S104 - as containers do


def log_of_start() -> list[dict[str, Any]]:
    """Start a server, stop it when it is ready, and return its log lines."""
    with subprocess.Popen([OPENBOOKING, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        told = [json.loads(process.stderr.readline())]
        while told[-1]["event"] != "serving":
            told.append(json.loads(process.stderr.readline()))
        process.send_signal(signal.SIGTERM)
    return told


def test_serve_warns_of_feeds_with_another_address(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    succeed("migrate")
    item = "'scheduled-sessions', '', 'scheduled-sessions/yoga', 'ScheduledSession'"
    data = '{"@id":"https://old.example.com/api/identifiers/scheduled-sessions/yoga"}'
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"INSERT INTO feed_item VALUES ({item}, 1, ?, 0)", [data.encode()])
        connection.commit()
    for site, expected in (("https://old.example.com", []), ("https://new.example.com", [data[8:-2]])):
        monkeypatch.setenv("OPENBOOKING_SITE_URL", site)
        told = log_of_start()
        assert [line["published"] for line in told if line["event"] == "feeds.carry_another_address"] == expected


OLD, NEW = "https://old.example.com", "https://new.example.com"


@pytest.fixture
def at_another(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file to import. The feeds in the database have another address than the settings."""
    monkeypatch.setenv("OPENBOOKING_SITE_URL", OLD)
    add_seller("willow")
    add_seller("oak")
    succeed("partner", "add", "acme", "--name", "Acme", "--seller", "oak")
    document = tmp_path / "feed.json"
    document.write_bytes(page(rpde(series()), rpde(session(startDate=SOON))))
    succeed("import", str(document), "--seller", "willow", "--source", "first")
    monkeypatch.setenv("OPENBOOKING_SITE_URL", NEW)
    return document


def everything(database: Path) -> list[list[tuple[Any, ...]]]:
    """Return all rows that a command could change."""
    tables = ("feed_item", "opportunity", "seller", "grants", "partner")
    known = {name for (name,) in rows(database, "SELECT name FROM sqlite_master")}
    return [rows(database, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables if table in known]


@pytest.mark.parametrize(
    "command",
    [
        ("import", "FEED", "--seller", "willow", "--source", "first"),
        ("import", "FEED", "--seller", "willow", "--source", "second"),
        ("import", "FEED", "--seller", "willow", "--hand-over"),
        ("seller", "add", "willow", *SELLER_OPTIONS, "--replace"),
        ("partner", "grant", "acme", "willow"),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_commands_that_write_feeds_refuse_another_address(
    database: Path, at_another: Path, command: tuple[str, ...]
) -> None:
    before = everything(database)
    arguments = [str(at_another) if word == "FEED" else word for word in command]
    told = fail(2 if "import" in command else 1, *arguments)
    assert OLD in told
    assert NEW in told
    assert everything(database) == before


@pytest.mark.parametrize(
    "command",
    [
        ("seller", "list"),
        ("seller", "add", "elm", *SELLER_OPTIONS),
        ("partner", "list"),
        ("partner", "add", "zenith", "--name", "Zenith", "--seller", "oak"),
        ("partner", "revoke", "acme", "oak"),
        ("partner", "suspend", "acme"),
        ("feed", "renumber"),
    ],
    ids=" ".join,
)
def test_commands_that_write_no_feeds_work_at_another_address(
    database: Path, at_another: Path, command: tuple[str, ...]
) -> None:
    before = rows(database, "SELECT id, data FROM feed_item ORDER BY id")
    succeed(*command)
    assert rows(database, "SELECT id, data FROM feed_item ORDER BY id") == before


def test_an_empty_database_has_no_address_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_SITE_URL", OLD)
    add_seller("willow")
    monkeypatch.setenv("OPENBOOKING_SITE_URL", NEW)
    document = tmp_path / "feed.json"
    document.write_bytes(page(rpde(series()), rpde(session(startDate=SOON))))
    succeed("import", str(document), "--seller", "willow")


def test_deleted_items_contain_no_address(database: Path, at_another: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE feed_item SET data = NULL")
        connection.commit()
    succeed("import", str(at_another), "--seller", "willow", "--source", "first")


def test_republish_moves_the_feeds_to_a_new_address(database: Path, at_another: Path) -> None:
    assert succeed("feed", "republish") == "Wrote 2 items of the open feeds again.\n"
    published = [json.loads(data)["@id"] for (data,) in rows(database, "SELECT data FROM feed_item")]
    assert [id_.startswith(NEW) for id_ in published] == [True, True]
    succeed("doctor")
    succeed("import", str(at_another), "--seller", "willow", "--source", "first")


def test_replacing_a_seller_writes_its_feed_items_again(
    database: Path, at_another: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBOOKING_SITE_URL", OLD)
    options = [*SELLER_OPTIONS, "--name", "Weeping Willow", "--tax-mode", "gross", "--replace"]
    told = succeed("seller", "add", "willow", *options)
    assert told == "Replaced Seller willow, and wrote 1 feed items that show the Seller again.\n"
    ((data,),) = rows(database, "SELECT data FROM feed_item WHERE feed = 'session-series'")
    organizer = json.loads(data)["organizer"]
    assert (organizer["name"], organizer["taxMode"]) == ("Weeping Willow", "https://openactive.io/TaxGross")
    succeed("doctor")


def test_a_command_does_no_upkeep(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only servers do upkeep. A command could have another address, and would write it into feeds."""
    monkeypatch.setenv("OPENBOOKING_SITE_URL", OLD)
    succeed("migrate")

    async def lease() -> None:
        store = open_store(load_settings(), samples.Clock())
        await store.execute(PublishSeller(samples.SELLER, actor=samples.MANAGER))
        await store.execute(Publish(samples.session("yoga", 5), actor=samples.MANAGER))
        await store.execute(samples.quote(samples.fresh(), "yoga"))
        await store.close()

    monkeypatch.setattr("openbooking.testing.samples.START", samples.START - timedelta(days=800))
    asyncio.run(lease())
    before = rows(database, "SELECT * FROM feed_item")
    monkeypatch.setenv("OPENBOOKING_SITE_URL", NEW)
    for command in ("seller", "partner", "user"):
        succeed(command, "list")
    assert rows(database, "SELECT * FROM feed_item") == before


@pytest.mark.spec("OB-SEC-01")
@pytest.mark.parametrize("access", ["api-key", "openid"])
@pytest.mark.parametrize(
    ("site", "host"),
    [
        ("http://booking.example.com", "127.0.0.1"),
        ("http://booking.example.com", EVERYWHERE),
        ("http://localhost.example.com", "127.0.0.1"),
        ("http://0.0.0.0:8000", "127.0.0.1"),
        ("ftp://localhost", "127.0.0.1"),
        ("", EVERYWHERE),
        ("", "::"),
    ],
)
def test_secrets_without_tls_are_refused(monkeypatch: pytest.MonkeyPatch, access: str, site: str, host: str) -> None:
    """A URL without TLS is allowed on localhost, and behind a gateway that authenticates callers and uses TLS."""
    settings = {"ACCESS": access, "SITE_URL": site, "HOST": host}
    for name, value in settings.items():
        monkeypatch.setenv(f"OPENBOOKING_{name}", value)
    for command in ("serve", "demo"):
        assert "(OPENBOOKING_SITE_URL) must begin with https://" in fail(2, command)
    for sound in (
        {**settings, "ACCESS": "headers", "TRUSTED_PARTNER_HEADER": "X-Partner"},
        {**settings, "SITE_URL": "https://booking.example.com"},
        {**settings, "SITE_URL": "", "HOST": "::1"},
        {**settings, "SITE_URL": "http://localhost:8000", "HOST": "127.0.0.1"},
    ):
        load_settings({f"OPENBOOKING_{name}": value for name, value in sound.items()})


@pytest.mark.spec("OB-SEC-01")
@pytest.mark.parametrize(
    ("site", "host", "warned"),
    [
        ("http://localhost:8000", EVERYWHERE, ["http://localhost:8000"]),
        ("http://localhost:8000", "127.0.0.1", []),
        ("https://booking.example.com", EVERYWHERE, []),
    ],
)
def test_serve_warns_of_a_localhost_site_that_listens_to_other_machines(
    monkeypatch: pytest.MonkeyPatch, site: str, host: str, warned: list[str]
) -> None:
    monkeypatch.setenv("OPENBOOKING_SITE_URL", site)
    monkeypatch.setenv("OPENBOOKING_HOST", host)
    assert [line["site"] for line in log_of_start() if line["event"] == "site.is_local_but_open"] == warned
