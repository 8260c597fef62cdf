"""The progress of a harvest on a terminal: a line for each feed, whatever its name."""

import os
import pty
import subprocess
import sys

SCRIPT = """
from openbooking.cli.output import reporting
with reporting() as report:
    report("[/bold] Slot", "12 pages, 340 items")
    report("SessionSeries\\x1b[2J", "1 pages, 2 items")
"""


def test_progress_has_a_line_for_each_feed() -> None:
    terminal, shown_on = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=shown_on, stderr=shown_on, env=os.environ)
    os.close(shown_on)
    shown = b""
    while chunk := _read(terminal):
        shown += chunk
    assert process.wait() == 0, shown
    text = shown.decode(errors="replace")
    assert "[/bold] Slot" in text
    assert "340 items" in text
    assert "\x1b[2J" not in text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 100_000)
    except OSError:
        return b""
