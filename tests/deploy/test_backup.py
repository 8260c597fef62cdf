"""The script `deploy/backup/openbooking-backup`: complete backups of both databases, and the removal of old ones."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from openbooking.testing.postgres import PostgresServer
from support.command_line import OPENBOOKING, database, succeed
from support.deployment.files import DEPLOY

__all__ = ["database"]
SCRIPT = DEPLOY / "backup/openbooking-backup"
DAY_SECONDS = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the backups."""
    made = tmp_path / "backups"
    made.mkdir()
    return made


def back_up(folder: Path, days: str = "30", **variables: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}
    known["PATH"] = f"{Path(OPENBOOKING).parent}:{known['PATH']}"
    environment: Mapping[str, str] = known | variables
    return subprocess.run([SCRIPT, folder, days], capture_output=True, text=True, check=False, env=environment)


def test_a_backup_of_sqlite_is_a_database_that_only_its_owner_reads(database: Path, folder: Path) -> None:
    succeed("migrate")
    done = back_up(folder, OPENBOOKING_DATABASE=str(database))
    assert (done.returncode, done.stderr) == (0, "")
    (backup,) = folder.iterdir()
    assert done.stdout == f"openbooking-backup: wrote {backup}\n"
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM record").fetchall() == [(0,)]


def test_a_backup_of_postgresql_can_be_restored(postgres: PostgresServer, folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "database"
    secret.write_text(postgres.new_database() + "\n", encoding="utf-8")
    done = back_up(folder, OPENBOOKING_DATABASE_FILE=str(secret))
    assert (done.returncode, done.stderr) == (0, "")
    (backup,) = folder.iterdir()
    assert backup.stat().st_mode & 0o777 == 0o600
    listed = subprocess.run(["pg_restore", "--list", backup], capture_output=True, text=True, check=True).stdout
    assert " TABLE DATA public record " in listed


@pytest.mark.parametrize(
    ("location", "argument", "password"),
    [
        ("postgresql://ob:s%C3%A9c%25r%40t@db:5432/x?a=%20b", "postgresql://ob@db:5432/x?a=%20b", "séc%r@t"),
        ("postgres://ob@db/x", "postgres://ob@db/x", ""),
        ("postgresql:///x?host=/a:b@c", "postgresql:///x?host=/a:b@c", ""),
        ("postgresql://ob@db/x?password=s%26c&a=b", "postgresql://ob@db/x?a=b", "s&c"),
        ("postgresql://db/x?user=ob&password=s%3Fc&a=b", "postgresql://db/x?user=ob&a=b", "s?c"),
        ("postgresql://db?a=b&password=secret", "postgresql://db?a=b", "secret"),
        ("postgresql://ob:one@db/x?password=two", "postgresql://ob@db/x", "two"),
    ],
)
def test_the_list_of_processes_does_not_show_the_password(
    location: str, argument: str, password: str, folder: Path, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program, command in (
        ("pg_dump", 'printf "%s\n" "$@" "PGPASSWORD=${PGPASSWORD:-}" >"${3#--file=}"'),
        ("pg_restore", ""),
    ):
        (programs / program).write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        (programs / program).chmod(0o755)
    done = back_up(folder, OPENBOOKING_DATABASE=location, PATH=f"{programs}:/usr/bin:/bin")
    assert (done.returncode, done.stderr) == (0, "")
    (backup,) = folder.iterdir()
    assert backup.read_text(encoding="utf-8").splitlines()[-2:] == [f"--dbname={argument}", f"PGPASSWORD={password}"]


def test_a_backup_that_fails_leaves_nothing_and_deletes_nothing(folder: Path, tmp_path: Path) -> None:
    old = folder / "openbooking-2026-01-01T000000Z.sqlite3"
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    done = back_up(folder, OPENBOOKING_DATABASE=str(tmp_path / "missing.sqlite3"))
    assert done.returncode != 0
    assert "missing.sqlite3" in done.stderr
    assert list(folder.iterdir()) == [old]


def test_backups_are_deleted_after_the_days_and_other_files_are_kept(database: Path, folder: Path) -> None:
    succeed("migrate")
    now = time.time()
    ages = {"openbooking-a.sqlite3": 9, "openbooking-b.dump": 9, "openbooking-c.dump": 6, "notes.txt": 9}
    for name, days in ages.items():
        (folder / name).write_bytes(b"")
        os.utime(folder / name, (now, now - days * DAY_SECONDS))
    assert back_up(folder, "7", OPENBOOKING_DATABASE=str(database)).returncode == 0
    kept = {file.name for file in folder.iterdir()}
    assert kept & ages.keys() == {"openbooking-c.dump", "notes.txt"}
    assert len(kept) == 3


@pytest.mark.parametrize("arguments", [[], ["/nowhere", "30"], [".", "all"], [".", ""]])
def test_wrong_arguments_are_told(arguments: list[str]) -> None:
    done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert "openbooking-backup" in done.stderr
