"""The output of lists: --json, --csv, and columns on a terminal."""

import os
import pty
import subprocess
from io import FileIO
from pathlib import Path

from support.command_line import OPENBOOKING, fail, read_screen
from support.seller_office import ORDER


def test_json_and_csv_are_not_given_together(bookings: Path) -> None:
    assert "either --json or --csv" in fail(1, "order", "list", "--seller", "centre", "--json", "--csv")


def test_a_narrow_terminal_shows_whole_references(bookings: Path) -> None:
    terminal, shown_on = pty.openpty()
    environment = os.environ | {"COLUMNS": "60", "TERM": "xterm"}
    command = [OPENBOOKING, "order", "list", "--seller", "centre", "--search", "geoff"]
    with subprocess.Popen(command, stdout=shown_on, env=environment):
        os.close(shown_on)
        shown = b""
        with FileIO(terminal) as screen:
            while chunk := read_screen(screen):
                shown += chunk
    assert ORDER.encode() in shown
    assert b"\t" not in shown
