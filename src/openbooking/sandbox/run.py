"""The demo as it runs: a database made and filled, a server on it, and someone told what to do with it."""

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
from openbooking.sandbox.guide import Place, guide
from openbooking.sandbox.guided_booking import Choice, JsonObject, book_something
from openbooking.sandbox.sellers import TRUST
from openbooking.sandbox.timetable import TIME_ZONE
from openbooking.serving.listening import listen
from openbooking.serving.logs import configure_logs
from openbooking.serving.server import Stop, interrupt_on_sigterm, run_server
from openbooking.settings import Settings
from openbooking.web.api.dataset_site import DATASET_PATH
from openbooking.web.api.feeds import FEEDS_PATH

# What is proposed for booking can still be cancelled when it is, and a few people may try.
_AHEAD = timedelta(days=2)
_ROOM = 10

Show = Callable[[str], None]


def run_demo(settings: Settings, database: Path | None, show: Show, *, book: bool) -> None:
    """Run the demo until it is told to stop, or until it has made one booking.

    Args:
        settings: Where to listen.
        database: The path of the new SQLite file; None for one that is removed at the end.
        show: Called with each line to print.
        book: Whether to make one booking as a Broker would, and stop.

    Raises:
        DemoDatabaseError: The file is there already and is not a demo's, or cannot be made.
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
    """The file that is wanted, or one that is gone afterwards."""
    if wanted:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="openbooking-demo-") as folder:
        yield Path(folder) / "demo.sqlite3"


def _book_and_stop(settings: Settings, filled: Filled, listener: socket.socket, show: Show) -> None:
    """Serve for as long as a Broker takes to make one booking."""

    def show_step(step: str, status: int, essentials: str) -> None:
        show(f"{step:<22} {status}  {essentials}")

    walks: list[Future[JsonObject]] = []

    def walk(stop: Stop) -> JsonObject:
        try:
            with httpx2.Client(trust_env=False) as client:
                return book_something(client, settings.site, filled.demo_key, show_step)
        finally:
            stop()

    with ThreadPoolExecutor(1, "broker") as broker:
        run_server(settings, listener, lambda stop: walks.append(broker.submit(walk, stop)))
    for line in json.dumps(walks[0].result(), indent=2).splitlines():
        show(line)


def _print_guide(settings: Settings, filled: Filled, show: Show) -> None:
    ids = Identifiers(settings.base_uri)
    session, offer, name = _proposed(filled.opportunities, datetime.now(UTC) + _AHEAD)
    choice = Choice(ids.opportunity(session.path), ids.offer(offer.ref), ids.seller(session.seller), name)
    places = [
        Place("Dataset site", settings.site + DATASET_PATH),
        Place("Open feeds", f"{settings.site}{FEEDS_PATH}/scheduled-sessions, and those the dataset site lists"),
        Place("Booking API", settings.base_uri),
        Place("API key", f"{filled.demo_key} of Demo Broker, which may book for both Sellers"),
        Place("Another API key", f"{filled.studio_key} of Studio App, which may book for Willow Studio only"),
        Place("Database", settings.database),
    ]
    # The Seller's prices include tax, so that the price is what is due.
    total: JsonObject = {
        "@type": "PriceSpecification",
        "price": write_price(offer.price),
        "priceCurrency": offer.currency,
    }
    for text in guide(places, settings.base_uri, filled.demo_key, choice, total):
        for line in text.split("\n"):
            show(line)


def _proposed(opportunities: list[Opportunity], earliest: datetime) -> tuple[Opportunity, Offer, str]:
    """A session to try a booking with: paid, with tax in its price, open for booking already, free to cancel."""
    by_path = {item.path: item for item in opportunities}
    return next(
        (item, offer, f"{by_path[offer.owner].properties['name']} on {item.start:%d %B}")
        for item in opportunities
        if item.seller == TRUST.key and item.parent and item.start and item.start > earliest
        for offer in by_path[item.parent].offers
        if (item.capacity or 0) >= _ROOM
        and offer.price > 0
        and offer.full_refund_on_cancellation
        and offer.valid_from_before_start is None
    )
