"""`openbooking check` fails whenever `openbooking serve` would fail, and says what helps."""

import json
import os
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from support.command_line import SELLER_OPTIONS, fail, run, set_revision, succeed


def write_foreign(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE note (text TEXT)")


def write_text(database: Path) -> None:
    database.write_text("This is no database." * 99)


def write_short_text(database: Path) -> None:
    database.write_text("x")


def write_schema(revision: str) -> Callable[[Path], None]:
    def write(database: Path) -> None:
        succeed("migrate")
        set_revision(database, revision)

    return write


BROKEN: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a file of another program": ("database", write_foreign),
    "a file that is no database": ("database", write_text),
    "a short file that is no database": ("database", write_short_text),
    "a newer schema": ("database", write_schema("9999")),
    "an older schema": ("database", write_schema("0001")),
}


def findings(*options: str, status: int = 0) -> dict[str, dict[str, str]]:
    """Return the findings of `check` by their subject. Each that is not ok has a remedy."""
    result = run("check", "--json", "--port", "0", *options)
    assert result.exit_code == status, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each for each in found if (each["result"] == "ok") == bool(each["remedy"])] == []
    return {each["check"]: each for each in found}


@pytest.mark.parametrize("name", BROKEN)
def test_check_fails_where_serve_fails(database: Path, name: str) -> None:
    subject, break_it = BROKEN[name]
    break_it(database)
    before = database.read_bytes()
    assert findings(status=1)[subject]["result"] == "failed"
    assert fail(1, "serve", "--port", "0")
    assert database.read_bytes() == before


def test_check_fails_for_a_missing_folder(tmp_path: Path) -> None:
    missing = ("--database", str(tmp_path / "nowhere" / "file"))
    found = findings(*missing, status=1)
    assert found["data folder"]["result"] == "failed"
    assert "database" not in found
    fail(1, "serve", "--port", "0", *missing)


@pytest.mark.parametrize(
    ("location", "subject", "told", "reason"),
    [
        (".", "data folder", "is no file", "it is no file"),
        (os.devnull, "data folder", "is no file", "it is no file"),
        (":memory:", "database", "name a file", "name a file"),
        ("mysql://ann:hidden@db/x", "database", "mysql:// are not supported", "mysql:// are not supported"),
        ("postgresql://ann:hidden@db:port/x", "database", "port", "must be a number"),
    ],
)
def test_check_fails_for_a_location_that_cannot_be_a_database(
    location: str, subject: str, told: str, reason: str
) -> None:
    found = findings("--database", location, status=1)
    assert told in found[subject]["message"]
    assert "migrate" not in found[subject]["remedy"]
    message = fail(1, "serve", "--port", "0", "--database", location)
    assert reason in message
    assert "hidden" not in message + str(found)


def test_check_fails_for_a_port_in_use(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert findings("--port", port, status=1)["port"]["result"] == "failed"
        fail(1, "serve", "--port", port)


def test_check_fails_for_wrong_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_LEASING", "maybe")
    found = findings(status=1)
    assert found.keys() == {"settings"}
    assert "off, named or anonymous" in found["settings"]["message"]


def test_check_of_an_empty_folder_succeeds_and_makes_nothing(database: Path) -> None:
    found = findings()
    assert "The server will make it." in found["database"]["message"]
    assert list(database.parent.iterdir()) == []


def test_check_reads_the_content_of_the_database(database: Path) -> None:
    succeed("migrate")
    assert findings()["Sellers"]["result"] == "warning"
    succeed("seller", "add", "willow", *SELLER_OPTIONS)
    found = findings()
    assert {name: found[name]["result"] for name in ("Sellers", "clock", "feeds", "database")} == {
        "Sellers": "ok",
        "clock": "ok",
        "feeds": "ok",
        "database": "ok",
    }


def test_check_prints_a_line_for_each_finding() -> None:
    lines = succeed("check", "--port", "0").splitlines()
    assert lines[0].split("\t") == ["ok", "settings", "The settings are valid."]
    assert {line.split("\t")[0] for line in lines} == {"ok", "warning"}


def test_check_fails_for_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root, as which the tests may run, can write everywhere."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert findings(status=1)["data folder"]["result"] == "failed"
