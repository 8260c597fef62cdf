"""`python -m openbooking` is the `openbooking` command."""

import subprocess
import sys

from openbooking import __version__


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "openbooking", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{__version__}\n"


def test_help_of_the_module_names_the_command() -> None:
    command = [sys.executable, "-m", "openbooking", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Usage: openbooking [OPTIONS] COMMAND" in done.stdout
