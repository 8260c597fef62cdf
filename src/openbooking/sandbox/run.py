"""The run of the demo: it creates and fills a database, serves it, and prints how to use it."""

import asyncio
import json
import logging
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Offer, Opportunity
from openbooking.jsonld.scalars import write_price
from openbooking.openactive.ids import Identifiers
from openbooking.sandbox.database import Filled, claim_file, fill
from openbooking.sandbox.guide import Address, guide
from openbooking.sandbox.guided_booking import Choice, JsonObject, book_something
from openbooking.sandbox.sellers import TRUST
from openbooking.sandbox.timetable import TIME_ZONE
from openbooking.serving.listening import listen
from openbooking.serving.logs import configure_logs
from openbooking.serving.server import Stop, interrupt_on_sigterm, run_server
from openbooking.settings import Settings
from openbooking.web.api.dataset_site import DATASET_PATH
from openbooking.web.api.feeds import FEEDS_PATH

# The proposed session can still be cancelled after the booking, and has spaces for several attempts.
_AHEAD = timedelta(days=2)
_LEAST_SPACES = 10

Show = Callable[[str], None]


def run_demo(settings: Settings, database: Path | None, show: Show, *, book: bool) -> None:
    """Run the demo until SIGINT or SIGTERM, or until it has made one booking.

    Args:
        settings: Where to listen.
        database: The path of the new SQLite file; None for one that is removed at the end.
        show: Called with each line to print.
        book: Whether to make one booking as a Broker would, and stop.

    Raises:
        DemoDatabaseError: The file exists and is not of a demo, or cannot be created.
        DemoBookingError: The booking failed.
        ListenError: The address is taken.
    """
    configure_logs(logging.WARNING)
    interrupt_on_sigterm()
    with _file(database) as path:
        listener, settings = listen(replace(settings, database=str(path)))
        with listener:
            claim_file(path)
            filled = asyncio.run(fill(settings, datetime.now(ZoneInfo(TIME_ZONE)).date()))
            if book:
                _book_and_stop(settings, filled, listener, show)
            else:
                run_server(settings, listener, lambda _: _print_guide(settings, filled, show))


@contextmanager
def _file(wanted: Path | None) -> Iterator[Path]:
    """Yield the path of the database; a file in a temporary folder if no path is given."""
    if wanted:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="openbooking-demo-") as folder:
        yield Path(folder) / "demo.sqlite3"


def _book_and_stop(settings: Settings, filled: Filled, listener: socket.socket, show: Show) -> None:
    """Serve while a Broker makes one booking, and stop."""

    def show_step(step: str, status: int, essentials: str) -> None:
        show(f"{step:<22} {status}  {essentials}")

    bookings: list[Future[JsonObject]] = []

    def book(stop: Stop) -> JsonObject:
        try:
            with httpx2.Client(trust_env=False) as client:
                return book_something(client, settings.site, filled.demo_key, show_step)
        finally:
            stop()

    with ThreadPoolExecutor(1, "broker") as broker:
        run_server(settings, listener, lambda stop: bookings.append(broker.submit(book, stop)))
    for line in json.dumps(bookings[0].result(), indent=2).splitlines():
        show(line)


def _print_guide(settings: Settings, filled: Filled, show: Show) -> None:
    ids = Identifiers(settings.base_uri)
    session, offer, name = _proposed(filled.opportunities, datetime.now(UTC) + _AHEAD)
    choice = Choice(ids.opportunity(session.path), ids.offer(offer.ref), ids.seller(session.seller), name)
    addresses = [
        Address("Dataset site", settings.site + DATASET_PATH),
        Address("Open feeds", f"{settings.site}{FEEDS_PATH}/scheduled-sessions, and those the dataset site lists"),
        Address("Booking API", settings.base_uri),
        Address("API key", f"{filled.demo_key} of Demo Broker, which may book for both Sellers"),
        Address("Another API key", f"{filled.studio_key} of Studio App, which may book for Willow Studio only"),
        Address("Database", settings.database),
    ]
    # The prices of this Seller include tax, so the price is the total.
    total: JsonObject = {
        "@type": "PriceSpecification",
        "price": write_price(offer.price),
        "priceCurrency": offer.currency,
    }
    for text in guide(addresses, settings.base_uri, filled.demo_key, choice, total):
        for line in text.split("\n"):
            show(line)


def _proposed(opportunities: list[Opportunity], earliest: datetime) -> tuple[Opportunity, Offer, str]:
    """Return a session for the proposed booking, with its Offer and name.

    The session is paid with tax in its price, open for booking, and can be cancelled for free.
    """
    by_path = {item.path: item for item in opportunities}
    return next(
        (item, offer, f"{by_path[offer.owner].properties['name']} on {item.start:%d %B}")
        for item in opportunities
        if item.seller == TRUST.key and item.parent and item.start and item.start > earliest
        for offer in by_path[item.parent].offers
        if (item.capacity or 0) >= _LEAST_SPACES
        and offer.price > 0
        and offer.full_refund_on_cancellation
        and offer.valid_from_before_start is None
    )
