"""The settings of a process that serves."""

import sys
from pathlib import Path

import pytest

from openbooking.clock import SystemClock
from openbooking.serving import server
from openbooking.settings import Settings


def test_the_event_loop_of_a_server_waits_briefly_for_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads make pages of the console while bookings are made."""
    asked: list[float] = []
    monkeypatch.setattr(server, "tune_memory", lambda: None)
    monkeypatch.setattr(sys, "setswitchinterval", asked.append)
    server.make_app(Settings(database=str(tmp_path / "served.sqlite3")), SystemClock(), lambda: False)
    assert asked == [pytest.approx(0.0005)]
