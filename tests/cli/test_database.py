"""`openbooking migrate`, `openbooking settings`, and databases that commands cannot open."""

import os
import pty
import subprocess
from io import FileIO
from pathlib import Path

import msgspec
import pytest

from openbooking.settings import Settings
from support.command_line import OPENBOOKING, fail, read_screen, rows, set_revision, succeed


def test_settings_command_prints_each_setting_with_its_meaning() -> None:
    shown = succeed("settings")
    for field in msgspec.structs.fields(Settings):
        assert f"\nOPENBOOKING_{field.name.upper()}=" in shown
    assert shown.count("# ") == len(msgspec.structs.fields(Settings))


def test_settings_command_prints_values_and_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_LEASE_SECONDS", "60")
    monkeypatch.setenv("OPENBOOKING_METRICS_TOKEN", "scrape-me")
    shown = succeed("settings")
    assert "OPENBOOKING_LEASE_SECONDS=60\n" in shown
    assert "OPENBOOKING_METRICS_TOKEN=(set" in shown
    assert "scrape-me" not in shown


def test_settings_command_prints_a_table_on_a_terminal() -> None:
    terminal, shown_on = pty.openpty()
    with subprocess.Popen([OPENBOOKING, "settings"], stdout=shown_on, env=os.environ | {"COLUMNS": "200"}):
        os.close(shown_on)
        with FileIO(terminal) as screen:
            shown = b"".join(iter(lambda: read_screen(screen), b"")).decode()
    assert all(f"OPENBOOKING_{field.name.upper()} " in shown for field in msgspec.structs.fields(Settings))
    assert "Meaning" in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENBOOKING_LEASNG", "off"),
        ("OPENBOOKING_PORT", "many"),
        ("OPENBOOKING_TIME_ZONE", "Europe/Lutetia"),
        ("OPENBOOKING_TIME_ZONE", "Europe"),
        ("OPENBOOKING_TIME_ZONE", "../Europe/London"),
        ("OPENBOOKING_TIME_ZONE", ""),
    ],
)
def test_a_wrong_setting_fails_with_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert name.removeprefix("OPENBOOKING_").lower() in fail(2, "settings")
    assert fail(2, "serve")


def test_terms_of_service_without_a_booking_service_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_TERMS_OF_SERVICE", "https://example.com/terms")
    succeed("settings")
    monkeypatch.setenv("OPENBOOKING_BOOKING_SERVICE", "false")
    assert "terms_of_service" in fail(2, "settings")
    assert "terms_of_service" in fail(2, "serve")


def test_migrate_makes_the_database_and_can_be_repeated(database: Path) -> None:
    assert "schema" in succeed("migrate")
    assert "schema" in succeed("migrate")
    assert rows(database, "SELECT count(*) FROM alembic_version") == [(1,)]


@pytest.mark.parametrize("command", [("migrate",), ("seller", "list"), ("partner", "list")])
def test_commands_refuse_a_newer_schema(database: Path, command: tuple[str, ...]) -> None:
    succeed("migrate")
    set_revision(database, "9999")
    assert "newer version" in fail(1, *command)
    assert rows(database, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_database_that_cannot_be_opened_is_reported_in_one_line(tmp_path: Path) -> None:
    assert "cannot be opened" in fail(1, "seller", "list", "--database", str(tmp_path / "nowhere" / "file"))
