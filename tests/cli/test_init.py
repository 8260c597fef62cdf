"""The `openbooking` command: version, help, and the libraries that help loads."""

import re
import subprocess
import sys

from openbooking import __version__
from support.command_line import OPENBOOKING, succeed


def test_version_option_prints_the_version() -> None:
    assert succeed("--version").strip() == __version__


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
