"""The run of a sandbox: make its start state, and serve it (`serve_sandbox`)."""

import asyncio
import logging
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from openbooking.sandbox.control.app import make_control_app
from openbooking.sandbox.control.instance import Instance, Start
from openbooking.sandbox.database import create_file, fill_database
from openbooking.sandbox.faults.connection import CuttableConnection
from openbooking.sandbox.timetable import TIME_ZONE
from openbooking.serving.listening import listen
from openbooking.serving.logs import configure_logs
from openbooking.serving.server import Stop, interrupt_on_sigterm, serve_app
from openbooking.settings import Settings

# Fewer days than the demo has, so that a test does not wait for long.
DAYS = 14

Ready = Callable[[Instance, Stop], None]


def serve_sandbox(settings: Settings, ready: Ready) -> None:
    """Serve a sandbox until SIGINT or SIGTERM, or until it is stopped.

    Args:
        settings: The settings of the server. The database is a file that is removed at the end.
        ready: Called once the server answers. Its second argument is a function that stops the server.

    Raises:
        ListenError: The address of the settings is in use or does not exist.
    """
    configure_logs(logging.ERROR)
    interrupt_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="openbooking-sandbox-") as folder:
        database = str(Path(folder) / "sandbox.sqlite3")
        listener, settings = listen(
            replace(settings, database=database, publish_ahead_days=DAYS, time_zone=TIME_ZONE, workers=1)
        )
        with listener:
            instance = Instance(settings, make_start(settings, Path(folder) / "start.sqlite3"))
            app = make_control_app(instance)
            serve_app(settings, app, listener, lambda stop: ready(instance, stop), CuttableConnection)


def make_start(settings: Settings, path: Path) -> Start:
    """Make a database with the Sellers, their Opportunities and the Booking Partners, and without bookings."""
    create_file(path)
    today = datetime.now(ZoneInfo(TIME_ZONE)).date()
    filled = replace(settings, database=str(path))
    content = asyncio.run(fill_database(filled, today, days=settings.publish_ahead_days, booked=False))
    return Start(path, content.keys)
