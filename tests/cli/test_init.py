"""The `openbooking` command: version, help, and the libraries that help loads."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from openbooking import __version__
from support.command_line import OPENBOOKING, misuse, succeed


def test_version_option_prints_the_version() -> None:
    assert succeed("--version").strip() == __version__


def test_a_report_of_a_fault_has_versions_and_settings_without_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENBOOKING_METRICS_TOKEN", "s3cret")
    monkeypatch.setenv("OPENBOOKING_DATABASE", "postgresql://desk:s3cret@db.example.com/openbooking")
    told = dict(line.split("\t") for line in succeed("--version", "--verbose").splitlines())
    assert told["openbooking:"] == __version__
    assert told["Python:"].startswith(platform.python_version())
    assert {"platform:", "SQLite:", "asyncpg:", "psycopg:", "sqlalchemy:", "uvicorn:"} <= told.keys()
    assert "pytest:" not in told
    assert told["OPENBOOKING_DATABASE:"] == "postgresql://desk@db.example.com/openbooking"
    assert told["OPENBOOKING_METRICS_TOKEN:"] == "(set, and not shown)"
    assert "OPENBOOKING_PORT:" not in told


def test_a_report_of_a_fault_has_the_error_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_LEASING", "maybe")
    assert "settings:\tleasing (OPENBOOKING_LEASING) is 'maybe'." in succeed("--version", "--verbose")


def test_verbose_goes_with_version_only() -> None:
    assert "'--verbose': It goes with --version only." in misuse("--verbose", "settings")


def test_the_tab_key_completes_commands_in_bash() -> None:
    """Bash calls the program with these variables when the Tab key is pressed."""
    asked = {"_OPENBOOKING_COMPLETE": "complete_bash", "COMP_WORDS": "openbooking order ca", "COMP_CWORD": "2"}
    done = subprocess.run([OPENBOOKING], env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["cancel"]


def test_completion_is_installed_for_bash(tmp_path: Path) -> None:
    home = {**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = [OPENBOOKING, "--install-completion", "bash"]
    done = subprocess.run(script, env=home, capture_output=True, text=True, check=True)
    assert "completion installed" in done.stdout
    assert "_OPENBOOKING_COMPLETE=complete_bash" in next(tmp_path.rglob("openbooking.sh")).read_text()


def test_help_names_every_command() -> None:
    told = succeed("--help")
    assert all(name in told for name in ("serve", "demo", "migrate", "doctor", "settings", "seller", "partner"))


def test_help_loads_no_slow_library() -> None:
    """A command loads slow modules when it runs."""
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", OPENBOOKING, "--help"], capture_output=True, text=True, check=True
    )
    assert not re.search(r"\\b(joserfc|cryptography|sqlalchemy|starlette)$", seen.stderr, re.MULTILINE)


def test_help_of_a_command_loads_no_server() -> None:
    command = [sys.executable, "-X", "importtime", OPENBOOKING, "import", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "PATH|URL" in done.stdout
    assert not [library for library in ("httpx2", "sqlalchemy", "openbooking.system") if f" {library}\n" in done.stderr]
