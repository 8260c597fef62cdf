"""Brokers that book, repeat requests, cancel, delete and let Leases end, and that remember the replies."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from openbooking.openactive.ids import Identifiers
from support import builders
from support.parties import BROKER, CENTRE, CUSTOMER
from support.races.requests import Reply, ask, request
from support.servers.served_system import PARTNERS, Plan

_PAUSE_SECONDS = 0.05
_EXPECTED = {200, 201, 204, 404, 409, 410, 500, None, 503}


@dataclass
class BrokerOrder:
    """The requests of a Broker for one UUID, and the replies.

    Attributes:
        answers: The bodies of the replies to B.
        cancelled: Whether a cancellation was acknowledged.
        deleted: Whether a deletion was acknowledged.
        asked_to_book: Whether B was sent, acknowledged or not; `asked_to_cancel` and `asked_to_delete` alike.
    """

    partner: str
    uuid: str
    keys: list[str]
    body: dict[str, Any]
    answers: set[bytes] = field(default_factory=set)
    asked_to_book: bool = False
    cancelled: bool = False
    asked_to_cancel: bool = False
    deleted: bool = False
    asked_to_delete: bool = False

    @property
    def booked(self) -> bool:
        """Whether B was acknowledged."""
        return bool(self.answers)


class Brokers:
    """Several Brokers at the same time; each sends one request after the other."""

    def __init__(self, plan: Plan, port: int, chance: random.Random) -> None:
        self._plan = plan
        self._port = port
        self._chance = chance
        self._ids = Identifiers(plan.settings.base_uri)
        self._stopping = False
        self.orders: list[BrokerOrder] = []
        self.surprises: list[tuple[str, Reply]] = []

    async def run(self, count: int) -> None:
        """Run this number of Brokers until `stop` is called."""
        await asyncio.gather(*(self._broker() for _ in range(count)))

    def stop(self) -> None:
        """Let each Broker finish its current Order and stop."""
        self._stopping = True

    def tally(self) -> str:
        """Return a summary in numbers."""
        kinds = {
            name: sum(getattr(order, name) for order in self.orders) for name in ("booked", "cancelled", "deleted")
        }
        return f"Of {len(self.orders)} Orders " + ", ".join(f"{count} {name}" for name, count in kinds.items())

    async def repeat(self, order: BrokerOrder) -> Reply:
        """Send B again until the reply is definite, and return the reply."""
        return await self._until_definite("PUT", f"orders/{order.uuid}", order, order.body)

    async def status(self, order: BrokerOrder) -> Reply:
        """Return the reply to Order Status."""
        return await self._until_definite("GET", f"orders/{order.uuid}", order)

    async def _broker(self) -> None:
        while not self._stopping:
            order = self._think_of_an_order()
            if self._chance.random() < 0.4:
                await self._lease(order)
                if self._chance.random() < 0.3:
                    continue  # the Lease ends by itself
            await self._book(order)
            if order.booked and self._chance.random() < 0.4:
                await self._cancel(order)
            if order.booked and self._chance.random() < 0.2:
                await self._delete(order)

    def _think_of_an_order(self) -> BrokerOrder:
        keys = self._chance.choices(list(self._plan.capacities), k=self._chance.randint(1, 3))
        order = BrokerOrder(self._chance.choice(PARTNERS), builders.new_uuid(), keys, order_body(self._ids, keys))
        self.orders.append(order)
        return order

    async def _lease(self, order: BrokerOrder) -> None:
        quote = {**order.body, "@type": "OrderQuote"}
        await self._ask("PUT", f"order-quotes/{order.uuid}", order, quote)
        if self._chance.random() < 0.2:
            await self._ask("DELETE", f"order-quotes/{order.uuid}", order)

    async def _book(self, order: BrokerOrder) -> None:
        order.asked_to_book = True
        times = 2 if self._chance.random() < 0.3 else 1
        for reply in await asyncio.gather(*(self.repeat(order) for _ in range(times))):
            if reply.status == 201:
                order.answers.add(reply.body)

    async def _cancel(self, order: BrokerOrder) -> None:
        order.asked_to_cancel = True
        item = {
            "@type": "OrderItem",
            "@id": f"{self._plan.settings.base_uri}/orders/{order.uuid}#/orderedItem/1",
            "orderItemStatus": "https://openactive.io/CustomerCancelled",
        }
        body = {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": [item]}
        reply = await self._until_definite("PATCH", f"orders/{order.uuid}", order, body)
        order.cancelled = reply.status == 204

    async def _delete(self, order: BrokerOrder) -> None:
        order.asked_to_delete = True
        reply = await self._until_definite("DELETE", f"orders/{order.uuid}", order)
        order.deleted = reply.status == 204

    async def _until_definite(self, method: str, path: str, order: BrokerOrder, body: Any = None) -> Reply:
        while not (reply := await self._ask(method, path, order, body)).definite:
            await asyncio.sleep(_PAUSE_SECONDS)
        return reply

    async def _ask(self, method: str, path: str, order: BrokerOrder, body: Any = None) -> Reply:
        reply = await ask(self._port, request(method, f"/api/{path}", order.partner, body))
        if reply.status not in _EXPECTED or b"InternalApplicationError" in reply.body:
            self.surprises.append((f"{method} {path}", reply))
        return reply


def order_body(ids: Identifiers, keys: list[str]) -> dict[str, Any]:
    """Return the body of B for one space at each of these sessions; a key named twice asks for two."""
    return {
        "@context": "https://openactive.io/",
        "@type": "Order",
        "brokerRole": "https://openactive.io/AgentBroker",
        "broker": BROKER,
        "customer": CUSTOMER,
        "seller": ids.seller(CENTRE.key),
        "orderedItem": [_item(ids, position, key) for position, key in enumerate(keys)],
        "totalPaymentDue": {"@type": "PriceSpecification", "price": 12 * len(keys), "priceCurrency": "GBP"},
        "payment": {"@type": "Payment", "identifier": "payment-1"},
    }


def _item(ids: Identifiers, position: int, key: str) -> dict[str, Any]:
    series, session = builders.session(key)
    return {
        "@type": "OrderItem",
        "position": position,
        "orderedItem": ids.opportunity(session.path),
        "acceptedOffer": ids.offer(series.offers[0].ref),
    }
