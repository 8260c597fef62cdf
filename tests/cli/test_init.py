"""The `openbooking` command itself: version, help and the time to load it."""

import re
import subprocess
import sys

from openbooking import __version__
from support.command_line import OPENBOOKING, succeed


def test_version() -> None:
    assert succeed("--version").strip() == __version__


def test_help_names_every_command() -> None:
    told = succeed("--help")
    assert all(name in told for name in ("serve", "demo", "migrate", "doctor", "settings", "seller", "partner"))


def test_help_is_quick_to_load() -> None:
    """Modules that are slow to load are loaded when they are needed."""
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", OPENBOOKING, "--help"], capture_output=True, text=True, check=True
    )
    assert not re.search(r"\\b(joserfc|cryptography|sqlalchemy|starlette)$", seen.stderr, re.MULTILINE)


def test_help_of_a_command_loads_no_server() -> None:
    command = [sys.executable, "-X", "importtime", OPENBOOKING, "import", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "PATH|URL" in done.stdout
    assert not [library for library in ("httpx2", "sqlalchemy", "openbooking.system") if f" {library}\n" in done.stderr]
