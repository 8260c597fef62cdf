"""The `openbooking` command, run in the process of the test or in a separate process."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from openbooking.cli import app

OPENBOOKING = str(Path(sys.executable).with_name("openbooking"))
SELLER = {
    "--name": "Willow Studio",
    "--legal-name": "Willow Movement Ltd",
    "--tax-mode": "net",
    "--email": "hello@willow.example.com",
    "--url": "https://willow.example.com/",
    "--street": "22a Canal Street",
    "--locality": "Oxford",
    "--region": "Oxfordshire",
    "--postcode": "OX2 6ZZ",
}
SELLER_OPTIONS = tuple(word for option in SELLER.items() for word in option)


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the database of the commands, which does not exist yet."""
    for name in [name for name in os.environ if name.startswith("OPENBOOKING_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "openbooking.sqlite3"
    monkeypatch.setenv("OPENBOOKING_DATABASE", str(path))
    return path


def run(*arguments: str, input: str = "") -> Result:  # noqa: A002 - the name that CliRunner has
    return CliRunner().invoke(app, arguments, input=input)


def succeed(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def fail(status: int, *arguments: str) -> str:
    """Run a command that fails; return its one line of standard error."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("openbooking: ")
    return line


def misuse(*arguments: str) -> str:
    """Run a command with a wrong option or argument; return the message without its frame, in one line."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    return " ".join(result.stderr.replace("│", " ").split())


def add_seller(key: str, **changes: str) -> str:
    options = SELLER | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return succeed("seller", "add", key, *(word for option in options.items() for word in option))


def rows(database: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement).fetchall()


def read_screen(screen: FileIO) -> bytes:
    """Return the next output on a terminal. At its end Linux reports an error."""
    try:
        return screen.read(1024)
    except OSError:
        return b""


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the ids of the serving processes among the children of a process."""
    found = []
    for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split():
        with suppress(FileNotFoundError):
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
    return found


def set_revision(database: Path, revision: str) -> None:
    """Write another schema version into a database."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()
