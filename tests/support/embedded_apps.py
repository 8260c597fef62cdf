"""Bookings over HTTP in the example applications, which a gateway authenticates."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.settings import AccessMode, Settings
from openbooking.store.migrate import prepare
from openbooking.system import use_store
from support.builders import new_uuid
from support.parties import BROKER, CENTRE, CUSTOMER, MANAGER

_WAIT_SECONDS = 60


def made_settings(database: str, site_url: str) -> Settings:
    """Return the settings of an example: a gateway names the Booking Partner in a header."""
    return Settings(database=database, site_url=site_url, access=AccessMode.HEADERS, trusted_partner_header="X-Partner")


async def stock(settings: Settings, *opportunities: Any) -> None:
    """Publish a Seller and Opportunities in the database of the settings."""
    await asyncio.to_thread(prepare, settings.database)
    async with use_store(settings) as store:
        await store.execute(PublishSeller(CENTRE, actor=MANAGER))
        await store.execute(Publish(tuple(opportunities), actor=MANAGER))


class Gateway:
    """Sends requests of the Booking Partner `acme`."""

    def __init__(self, client: httpx2.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._ids = Identifiers(settings.base_uri)
        self._base = settings.base_uri

    async def send(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        """Send a request to the API."""
        headers = {"X-Partner": "acme", "Content-Type": BOOKING_MEDIA_TYPE}
        return await self._client.request(method, f"{self._base}/{path}", json=body, headers=headers)

    async def book(self, family: Any) -> str:
        """Book the last Opportunity of a family; return the UUID of the Order."""
        offer = next(offered for member in reversed(family) for offered in member.offers)
        item = {
            "@type": "OrderItem",
            "position": 0,
            "orderedItem": self._ids.opportunity(family[-1].path),
            "acceptedOffer": self._ids.offer(offer.ref),
        }
        order = {
            "@context": "https://openactive.io/",
            "@type": "Order",
            "brokerRole": "https://openactive.io/AgentBroker",
            "broker": BROKER,
            "seller": self._ids.seller(CENTRE.key),
            "customer": CUSTOMER,
            "orderedItem": [item],
            "totalPaymentDue": {"@type": "PriceSpecification", "price": 12, "priceCurrency": "GBP"},
            "payment": {"@type": "Payment", "identifier": "payment-1"},
        }
        uuid = new_uuid()
        reply = await self.send("PUT", f"orders/{uuid}", order)
        assert reply.status_code == 201, reply.text
        return uuid


async def wait_for(look: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a look succeeds, and at most a minute."""
    async with asyncio.timeout(_WAIT_SECONDS):
        while not await look():
            await asyncio.sleep(0.05)
