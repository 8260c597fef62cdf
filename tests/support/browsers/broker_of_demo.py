"""A Broker of the demo that books for people, and reads in its feeds what the Seller does about them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller
from openbooking.booking.model.order_request import OrderRequest
from openbooking.identity.partner_administration import NewPartner
from openbooking.identity.records import EVERY_SELLER
from openbooking.sandbox.bookings import DemoClock
from openbooking.sandbox.database import DEMO
from openbooking.sandbox.sellers import TRUST
from openbooking.sandbox.timetable import TIME_ZONE
from openbooking.system import System
from support.browsers.browser import Site
from support.builders import PRICE, item, new_uuid, request, session

Json = dict[str, Any]
KEY = "town-app"
TOLD_WITHIN_SECONDS = 2.0
ORDERS, PROPOSALS = "orders-rpde", "order-proposals-rpde"
ZONE = ZoneInfo(TIME_ZONE)


class BrokerOfDemo:
    """A new Booking Partner of the demo."""

    def __init__(self, site: Site) -> None:
        self._site = site
        new = NewPartner(key=KEY, name="Town App", sellers=(EVERY_SELLER,))
        key = site.do(lambda system: system.identity.partner_administration.add(new, DEMO))
        self._client = httpx2.Client(base_url=f"{site.url}/api/", headers={"Authorization": f"Bearer {key}"})

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()

    def publish(self, name: str, start: datetime, **changes: Any) -> list[Opportunity]:
        """Publish a session of one hour, and return it with its series."""
        key = f"{name.lower()}-{start:%Y%m%d%H%M}"
        described: Json = {"start": start, "end": start + timedelta(hours=1), "properties": {"name": name}}
        family = session(key, seller=TRUST, **described, **changes)
        self._execute(datetime.now(UTC), Publish(tuple(family), actor=DEMO))
        return family

    def book(self, name: str, *families: list[Opportunity], at: datetime | None = None, propose: bool = False) -> str:
        """Book or propose one space of each session for a person, and return the UUID of the Order.

        Args:
            name: The first and the last name of the person, who has an e-mail address made of both.
            families: The sessions.
            at: The time of the booking; by default one minute ago.
            propose: Whether to make an OrderProposal.
        """
        uuid, wanted = new_uuid(), _request(name, families)
        command: Command[Any] = Book(caller=Caller(KEY), uuid=uuid, request=wanted, nonce=uuid)
        if propose:
            command = Propose(caller=Caller(KEY), uuid=uuid, request=wanted, version=uuid, nonce=uuid)
        self._execute(at or datetime.now(UTC) - timedelta(minutes=1), command)
        return uuid

    def _execute(self, now: datetime, command: Command[Any]) -> None:
        async def work(system: System) -> None:
            await system.store.execute(command)

        self._site.do(work, DemoClock(now))

    def order(self, uuid: str) -> Json:
        """Return an Order, as the Booking System answers."""
        reply: Json = self._client.get(f"orders/{uuid}").raise_for_status().json()
        return reply

    def follow(self, feed: str) -> "FollowedFeed":
        """Read a feed to its end, to see later what is new."""
        return FollowedFeed(self._client, feed)


class FollowedFeed:
    """A feed that was read to its end, and what is new in it since then."""

    def __init__(self, client: httpx2.Client, feed: str) -> None:
        self._client, self._next = client, feed
        self._read()
        self._new: list[Json] = []

    def wait_for(self, uuid: str, is_told: Callable[[Json], bool]) -> Json:
        """Return the Order as soon as the feed has it in the wanted state; fail if this takes too long."""
        until = time.monotonic() + TOLD_WITHIN_SECONDS
        while True:
            self._new += self._read()
            for entry in self._new:
                if entry["id"] == uuid and is_told(entry["data"]):
                    data: Json = entry["data"]
                    return data
            assert time.monotonic() < until, self._new
            time.sleep(0.02)

    def _read(self) -> list[Json]:
        """Read to the end of the feed, and return what is new."""
        found: list[Json] = []
        while True:
            page: Json = self._client.get(self._next).raise_for_status().json()
            if not page["items"]:
                return found
            self._next = page["next"]
            found += page["items"]


def _request(name: str, families: tuple[list[Opportunity], ...]) -> OrderRequest:
    given, family = name.split()
    email = f"{given}.{family}@example.com".lower()
    return request(
        *(item(each, position) for position, each in enumerate(families)),
        seller=TRUST.key,
        seller_id=f"id:{TRUST.key}",
        customer={"@type": "Person", "givenName": given, "familyName": family, "email": email},
        total_payment_due=PRICE * Decimal(len(families)),
    )
