"""The checks of the clock, of a replica and of a full disk."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.clock import SystemClock
from openbooking.serving.start_checks import database
from openbooking.serving.start_checks.database import check_database
from openbooking.serving.start_checks.finding import Finding, Result
from openbooking.settings import Settings
from openbooking.store.migrate import prepare
from openbooking.testing.postgres import PostgresServer


def found_of(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_database(settings, SystemClock())}


def test_a_clock_behind_the_database_is_told() -> None:
    now = SystemClock()()
    assert database._check_clock(now, None).result is Result.OK
    assert database._check_clock(now, now - timedelta(days=1)).result is Result.OK
    assert database._check_clock(now, now + timedelta(hours=1)).result is Result.WARNING


def test_a_disk_that_is_nearly_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1))
    found = found_of(Settings(database=str(tmp_path / "a.sqlite3")))
    assert found["data folder"].result is Result.WARNING


def test_a_postgresql_database_is_checked(postgres: PostgresServer) -> None:
    settings = Settings(database=postgres.bare_database())
    assert "will make it" in found_of(settings)["database"].message
    prepare(settings.database)
    found = found_of(replace(settings, replica=settings.database))
    assert (found["database"].result, found["replica"].result) == (Result.OK, Result.OK)
    assert "data folder" not in found


def test_a_database_server_that_does_not_answer_is_told(postgres: PostgresServer) -> None:
    nobody = "postgresql://desk:s3cret@127.0.0.1:1/openbooking"
    told = found_of(Settings(database=nobody))["database"]
    assert told.result is Result.FAILED
    assert "s3cret" not in told.message
    settings = Settings(database=postgres.new_database(), replica=nobody)
    prepare(settings.database)
    told = found_of(settings)["replica"]
    assert told.result is Result.WARNING
    assert "s3cret" not in told.message
