"""`serve` and `doctor` report settings of the database server that can lose acknowledged bookings."""

from urllib.parse import urlsplit

import pytest

from openbooking.testing.postgres import PostgresServer
from serving.test_addresses import log_of_start
from support.command_line import run, succeed


@pytest.mark.parametrize("value", ["local", "remote_write"])
def test_a_database_server_that_does_not_wait_for_its_standby_is_reported(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    url = postgres.new_database()
    monkeypatch.setenv("OPENBOOKING_DATABASE", url)
    assert "agree" in succeed("doctor")
    assert [line["event"] for line in log_of_start()] == ["serving"]
    postgres.execute(f"ALTER DATABASE {urlsplit(url).path[1:]} SET synchronous_commit = {value}")
    found = run("doctor")
    assert (found.exit_code, found.stdout.count("\n")) == (1, 1)
    assert f'synchronous_commit is "{value}"' in found.stdout
    warned, serving = log_of_start()
    assert (warned["event"], warned["level"]) == ("database.is_not_durable", "warning")
    assert f'"{value}"' in warned["reason"]
    assert serving["event"] == "serving"
