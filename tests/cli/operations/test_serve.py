"""`openbooking serve` in a separate process."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from support.command_line import OPENBOOKING, fail, set_revision, succeed, workers_of


def test_serve_logs_its_address_and_stops_on_sigterm() -> None:
    command = [OPENBOOKING, "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        told = json.loads(process.stderr.readline())
        assert told["event"] == "serving"
        response = httpx2.get(told["site"] + "/feeds/slots")
        process.send_signal(signal.SIGTERM)
    assert response.json()["items"] == []
    assert "server" not in response.headers
    assert process.returncode == 0


def test_serve_replaces_a_dead_worker() -> None:
    command = [OPENBOOKING, "serve", "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        told = json.loads(process.stderr.readline())
        assert told["event"] == "serving"
        first = workers_of(process)
        os.kill(first[0], signal.SIGKILL)
        while len(workers := workers_of(process)) < 2 or first[0] in workers:
            time.sleep(0.05)
        statuses = {httpx2.get(told["site"] + "/feeds/slots", timeout=60).status_code for _ in range(20)}
        process.send_signal(signal.SIGTERM)
    assert statuses == {200}
    assert process.returncode == 0


def test_serve_refuses_a_newer_schema_and_a_port_in_use(database: Path) -> None:
    succeed("migrate")
    set_revision(database, "9999")
    done = subprocess.run([OPENBOOKING, "serve", "--port", "0"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "newer version" in done.stderr
    environment = {**os.environ, "OPENBOOKING_HOST": "203.0.113.1", "OPENBOOKING_SITE_URL": "https://a.example"}
    command = [OPENBOOKING, "serve"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Cannot listen" in done.stderr


@pytest.mark.parametrize(
    ("access", "header"), [("headers", ""), ("api-key", "X-Partner"), ("openid", "X-Partner"), ("nobody", "")]
)
def test_serve_refuses_contradictory_access_settings(monkeypatch: pytest.MonkeyPatch, access: str, header: str) -> None:
    monkeypatch.setenv("OPENBOOKING_ACCESS", access)
    monkeypatch.setenv("OPENBOOKING_TRUSTED_PARTNER_HEADER", header)
    assert "access" in fail(2, "serve")


def test_serve_warns_of_a_new_database(database: Path) -> None:
    lines = []
    for events in (2, 1):
        command = [OPENBOOKING, "serve", "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            lines.append([json.loads(process.stderr.readline()) for _ in range(events)])
            process.send_signal(signal.SIGTERM)
    (serving, is_new), (again,) = lines
    assert (serving["event"], is_new["event"], again["event"]) == ("serving", "database.is_new", "serving")
    assert is_new["database"] == str(database.resolve())


@pytest.mark.parametrize(("workers", "status"), [("1", 3), ("2", 1)])
def test_serve_fails_if_a_worker_cannot_start(
    database: Path, monkeypatch: pytest.MonkeyPatch, workers: str, status: int
) -> None:
    monkeypatch.setenv("OPENBOOKING_ACCESS", "openid")
    succeed("migrate")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DROP TABLE signing_key")
    command = [OPENBOOKING, "serve", "--port", "0", "--workers", workers]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, '"serving"' in done.stderr) == (status, False)
    assert "signing_key" in done.stderr
    if workers == "2":
        assert done.stderr.splitlines()[-1] == (
            "openbooking: A worker process could not start. Its log entry above this line gives the reason."
        )
