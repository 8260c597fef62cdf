"""Commands without a database: a command fails and makes no file, unless it may make a new database."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from openbooking.cli.database import with_system
from openbooking.system import System
from openbooking.testing.postgres import PostgresServer
from openbooking.user_error import UserError
from support.command_line import SELLER_OPTIONS, run

NEEDS_ONE = [
    ["backup", "copy.sqlite3"],
    ["doctor"],
    ["feed", "verify"],
    ["feed", "republish"],
    ["feed", "renumber"],
    ["import", "nothing.json", "--dry-run"],
    ["log"],
    ["occurrence", "list"],
    ["order", "cancel", "acme/1", "--yes"],
    ["order", "list"],
    ["partner", "add", "acme", "--name", "Acme", "--seller", "willow"],
    ["partner", "list"],
    ["partner", "show", "acme"],
    ["proposal", "list"],
    ["registration-token", "list"],
    ["sales"],
    ["seller", "list"],
    ["signing-key", "list"],
    ["user", "list"],
    ["user", "remove", "ann"],
]
ADD_SELLER = ["seller", "add", "willow", *SELLER_OPTIONS]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the working directory."""
    for name in [name for name in os.environ if name.startswith("OPENBOOKING_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", NEEDS_ONE, ids=" ".join)
def test_a_command_without_a_database_fails_and_makes_none(folder: Path, command: list[str]) -> None:
    result = run(*command)
    assert (result.exit_code > 0, result.stdout) == (True, "")
    assert str(folder.resolve() / "openbooking.sqlite3") in result.stderr
    assert "OPENBOOKING_DATABASE" in result.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", NEEDS_ONE, ids=" ".join)
@pytest.mark.parametrize("is_a_database", [True, False])
def test_a_file_of_another_program_is_refused_and_stays_unchanged(
    folder: Path, command: list[str], is_a_database: bool
) -> None:
    path = folder / "openbooking.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        if is_a_database:
            connection.execute("CREATE TABLE theirs (id INTEGER)")
    path.touch()
    before = path.read_bytes()
    result = run(*command)
    assert (result.exit_code > 0, result.stdout) == (True, "")
    assert str(path.resolve()) in result.stderr
    assert [(file.name, file.read_bytes()) for file in folder.iterdir()] == [(path.name, before)]


@pytest.mark.parametrize("command", NEEDS_ONE[1:], ids=" ".join)
def test_an_empty_postgresql_database_is_refused_and_stays_empty(
    bare: str, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("OPENBOOKING_DATABASE", bare)
    for _ in range(2):
        result = run(*command)
        assert (result.exit_code > 0, result.stdout) == (True, "")
        assert "nothing of openbooking" in result.stderr


@pytest.fixture(scope="module")
def bare(postgres: PostgresServer) -> str:
    return postgres.bare_database()


@pytest.mark.parametrize("command", [ADD_SELLER, ["migrate"]], ids=["seller add", "migrate"])
def test_a_command_reports_a_new_database_once(folder: Path, command: list[str]) -> None:
    path = str(folder.resolve() / "openbooking.sqlite3")
    result = run(*command)
    assert (result.exit_code, f"Made a new database: {path}." in result.output) == (0, True)
    assert "Made a new" not in run("migrate").output
    assert run("doctor").exit_code == 0


@pytest.mark.parametrize("command", [["migrate"], ADD_SELLER])
def test_commands_that_make_databases_refuse_a_file_of_another_program(folder: Path, command: list[str]) -> None:
    file = folder / "openbooking.sqlite3"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE bookmarks (url)")
        other.commit()
    before = file.read_bytes()
    result = run(*command)
    assert result.exit_code != 0
    assert "is no database of openbooking" in result.output.replace("\n", " ")
    assert file.read_bytes() == before


def test_a_command_that_fails_reports_the_database_that_it_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(system: System) -> None:
        del system
        raise UserError("The work was refused.")

    with pytest.raises(UserError, match="refused"):
        with_system(None, fail, makes_new=True)
    assert f"Made a new database: {folder.resolve() / 'openbooking.sqlite3'}." in capsys.readouterr().err
