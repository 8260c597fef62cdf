"""The address that is set: refused or warned of where it leaves secrets without TLS, or is not what was published."""

import json
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli.test_commands import OPENBOOKING, database, fail, succeed
from openbooking.settings import load_settings

__all__ = ["database"]

EVERYWHERE = "0.0.0.0"  # noqa: S104 - as containers do


def told_at_start() -> list[dict[str, Any]]:
    """What a server logs until it serves."""
    with subprocess.Popen([OPENBOOKING, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        told = [json.loads(process.stderr.readline())]
        while told[-1]["event"] != "serving":
            told.append(json.loads(process.stderr.readline()))
        process.send_signal(signal.SIGTERM)
    return told


def test_serve_warns_of_what_was_published_at_another_address(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    succeed("migrate")
    item = "'scheduled-sessions', '', 'scheduled-sessions/yoga', 'ScheduledSession'"
    data = '{"@id":"https://old.example.com/api/identifiers/scheduled-sessions/yoga"}'
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"INSERT INTO feed_item VALUES ({item}, 1, ?, 0)", [data.encode()])
        connection.commit()
    for site, expected in (("https://old.example.com", []), ("https://new.example.com", [data[8:-2]])):
        monkeypatch.setenv("OPENBOOKING_SITE_URL", site)
        told = told_at_start()
        assert [line["published"] for line in told if line["event"] == "feeds.carry_another_address"] == expected


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
    """On localhost they are not, nor where a gateway tells who calls and sees to TLS."""
    settings = {"ACCESS": access, "SITE_URL": site, "HOST": host}
    for name, value in settings.items():
        monkeypatch.setenv(f"OPENBOOKING_{name}", value)
    for command in ("serve", "demo"):
        assert "site_url must begin with https://" in fail(2, command)
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
def test_serve_warns_of_a_site_on_localhost_that_others_can_reach(
    monkeypatch: pytest.MonkeyPatch, site: str, host: str, warned: list[str]
) -> None:
    monkeypatch.setenv("OPENBOOKING_SITE_URL", site)
    monkeypatch.setenv("OPENBOOKING_HOST", host)
    assert [line["site"] for line in told_at_start() if line["event"] == "site.is_local_but_open"] == warned
