"""The run of `openbooking demo`: create and fill a database, serve it, and print the guide or make a booking."""

import asyncio
import json
import logging
import secrets
import shlex
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
from msgspec.structs import replace

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.booking.model.opportunity import Offer, Opportunity
from openbooking.jsonld.scalars import write_price
from openbooking.openactive.ids import Identifiers
from openbooking.sandbox.broker_app.app import Config
from openbooking.sandbox.database import PASSWORD, DemoContent, create_file, fill_database
from openbooking.sandbox.guide import Address, guide
from openbooking.sandbox.guided_booking import Choice, JsonObject, book_something
from openbooking.sandbox.sellers import TRUST
from openbooking.sandbox.serving_beside import serve_beside
from openbooking.sandbox.timetable import DAYS, TIME_ZONE, series_path
from openbooking.serving.listening import ListenError, listen
from openbooking.serving.logs import configure_logs
from openbooking.serving.server import Stop, interrupt_on_sigterm, run_server
from openbooking.settings import Settings
from openbooking.web.api.dataset_site import DATASET_PATH
from openbooking.web.api.feeds import FEEDS_PATH

# The session in the guide can still be cancelled after the booking.
_AHEAD = timedelta(days=2)
_LAST_PORT = 65_535

Show = Callable[[str], None]


def run_demo(settings: Settings, database: Path | None, show: Show, *, book: bool) -> None:
    """Run the demo until SIGINT or SIGTERM, or until it has made one booking.

    Args:
        settings: The settings of the server.
        database: The path of the new SQLite file; None for a file that is removed at the end.
        show: Called with each line to print.
        book: Whether to make one booking as a Broker does, and stop.

    Raises:
        DemoDatabaseError: The file exists and belongs to another program, or cannot be created.
        DemoBookingError: The booking failed.
        ListenError: The address of the settings is in use or does not exist.
    """
    configure_logs(logging.WARNING)
    interrupt_on_sigterm()
    with _database_path(database) as path:
        listener, settings = listen(replace(settings, database=str(path), publish_ahead_days=DAYS, time_zone=TIME_ZONE))
        with listener:
            create_file(path)
            content = asyncio.run(fill_database(settings, datetime.now(ZoneInfo(TIME_ZONE)).date()))
            if book:
                _book_and_stop(settings, content, listener, show)
            else:
                _serve_with_app(settings, content, listener, show)


@contextmanager
def _database_path(wanted: Path | None) -> Iterator[Path]:
    """Yield the given path, or the path of a file in a folder that is removed at the end."""
    if wanted:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="openbooking-demo-") as folder:
        yield Path(folder) / "demo.sqlite3"


def _book_and_stop(settings: Settings, content: DemoContent, listener: socket.socket, show: Show) -> None:
    """Serve while a Broker makes one booking, and stop."""

    def show_step(step: str, status: int, summary: str) -> None:
        show(f"{step:<22} {status}  {summary}")

    bookings: list[Future[JsonObject]] = []

    def book(stop: Stop) -> JsonObject:
        try:
            with httpx2.Client(trust_env=False) as client:
                return book_something(client, settings.site, content.demo_key, show_step)
        finally:
            stop()

    with ThreadPoolExecutor(1, "broker") as broker:
        run_server(settings, listener, lambda stop: bookings.append(broker.submit(book, stop)))
    for line in json.dumps(bookings[0].result(), indent=2).splitlines():
        show(line)


def _serve_with_app(settings: Settings, content: DemoContent, listener: socket.socket, show: Show) -> None:
    """Serve, and serve the sample app of a Broker at a port of its own. Its database is removed at the end."""
    app_listener, app_settings = _listen_beside(settings)
    with (
        tempfile.TemporaryDirectory(prefix="openbooking-demo-app-") as folder,
        app_listener,
        ExitStack() as stack,
    ):
        config = Config(
            site=settings.site + DATASET_PATH,
            api_key=content.demo_key,
            database=Path(folder) / "app.sqlite3",
            secret=secrets.token_bytes(32),
        )

        def ready(_: Stop) -> None:
            stack.enter_context(serve_beside(config, app_listener))
            _print_guide(settings, content, app_settings.site, show)

        run_server(settings, listener, ready)


def _listen_beside(settings: Settings) -> tuple[socket.socket, Settings]:
    """Listen at the next port, or at any free port if another program has it; return the settings with the port."""
    try:
        return listen(replace(settings, port=min(settings.port + 1, _LAST_PORT), site_url=""))
    except ListenError:
        return listen(replace(settings, port=0, site_url=""))


def _print_guide(settings: Settings, content: DemoContent, app: str, show: Show) -> None:
    """Print the addresses of the server, and a booking to paste into a shell."""
    ids = Identifiers(settings.base_uri)
    session, offer, name = _session_to_book(content.opportunities, datetime.now(UTC) + _AHEAD)
    choice = Choice(ids.opportunity(session.path), ids.offer(offer.ref), ids.seller(session.seller), name)
    addresses = [
        Address("Console", f"{settings.site}{CONSOLE_PATH}, the pages of Riverbank Leisure Centre"),
        Address("Sign in", f"as sam (manager) or robin (staff), with the password: {PASSWORD}"),
        Address("Sample app", f"{app}, the web site of a Broker, to book there and see it in the console"),
        Address("Dataset site", settings.site + DATASET_PATH),
        Address("Open feeds", f"{settings.site}{FEEDS_PATH}/scheduled-sessions, and those the dataset site lists"),
        Address("Booking API", settings.base_uri),
        Address("API key", f"{content.demo_key} of Demo Broker, which may book for both Sellers"),
        Address("Another API key", f"{content.studio_key} of Studio App, which may book for Willow Studio only"),
        Address("Database", settings.database),
        Address("Commands", f"in another shell: {_exports(settings)}; openbooking order list --seller {TRUST.key}"),
    ]
    # The prices of this Seller include tax, so the price is the total.
    total: JsonObject = {
        "@type": "PriceSpecification",
        "price": write_price(offer.price),
        "priceCurrency": offer.currency,
    }
    for text in guide(addresses, settings.base_uri, content.demo_key, choice, total):
        for line in text.split("\n"):
            show(line)


def _exports(settings: Settings) -> str:
    """Return the shell command after which other commands use the demo."""
    database, site = shlex.quote(settings.database), shlex.quote(settings.site)
    return f"export OPENBOOKING_SITE_URL={site} OPENBOOKING_DATABASE={database}"


def _session_to_book(opportunities: list[Opportunity], earliest: datetime) -> tuple[Opportunity, Offer, str]:
    """Return a session to book, with its Offer and name.

    The session has a price that includes tax, can be booked now, and can be cancelled with a full refund.
    """
    by_path = {item.path: item for item in opportunities}
    series = by_path[series_path("early-lanes")]
    session = next(
        item for item in opportunities if item.parent == series.path and item.start and item.start > earliest
    )
    return session, series.offers[0], f"{series.properties['name']} on {session.start:%d %B}"
