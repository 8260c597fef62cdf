"""Brokers that book, repeat themselves, cancel, delete and let Leases end, and remember what they were told."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from openbooking.openactive.ids import Identifiers
from support import builders
from support.parties import BROKER, CENTRE, CUSTOMER
from support.race_requests import Reply, ask, request
from support.served_system import PARTNERS, Plan

_PAUSE_SECONDS = 0.05
_EXPECTED = {200, 201, 204, 404, 409, 410, 500, None, 503}


@dataclass
class Told:
    """What a Broker asked for under one UUID, and what it was told.

    `cancelled` and `deleted` are what was acknowledged; what was asked but never acknowledged is in `asked_…` only.
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
    """So many Brokers at once, each doing one thing after the other until it is told to stop."""

    def __init__(self, plan: Plan, port: int, chance: random.Random) -> None:
        self._plan = plan
        self._port = port
        self._chance = chance
        self._ids = Identifiers(plan.settings.base_uri)
        self._stopping = False
        self.told: list[Told] = []
        self.surprises: list[tuple[str, Reply]] = []

    async def run(self, count: int) -> None:
        """Until `stop` is called."""
        await asyncio.gather(*(self._broker() for _ in range(count)))

    def stop(self) -> None:
        """Let each Broker finish what it is at."""
        self._stopping = True

    def tally(self) -> str:
        """What came of it, in numbers."""
        kinds = {name: sum(getattr(told, name) for told in self.told) for name in ("booked", "cancelled", "deleted")}
        return f"Of {len(self.told)} Orders " + ", ".join(f"{count} {name}" for name, count in kinds.items())

    async def repeat(self, told: Told) -> Reply:
        """B once more, until it is answered."""
        return await self._until_definite("PUT", f"orders/{told.uuid}", told, told.body)

    async def status(self, told: Told) -> Reply:
        """What the Order is now."""
        return await self._until_definite("GET", f"orders/{told.uuid}", told)

    async def _broker(self) -> None:
        while not self._stopping:
            told = self._think_of_an_order()
            if self._chance.random() < 0.4:
                await self._lease(told)
                if self._chance.random() < 0.3:
                    continue  # the Lease ends by itself
            await self._book(told)
            if told.booked and self._chance.random() < 0.4:
                await self._cancel(told)
            if told.booked and self._chance.random() < 0.2:
                await self._delete(told)

    def _think_of_an_order(self) -> Told:
        keys = self._chance.choices(list(self._plan.capacities), k=self._chance.randint(1, 3))
        told = Told(self._chance.choice(PARTNERS), builders.new_uuid(), keys, order_body(self._ids, keys))
        self.told.append(told)
        return told

    async def _lease(self, told: Told) -> None:
        quote = {**told.body, "@type": "OrderQuote"}
        await self._ask("PUT", f"order-quotes/{told.uuid}", told, quote)
        if self._chance.random() < 0.2:
            await self._ask("DELETE", f"order-quotes/{told.uuid}", told)

    async def _book(self, told: Told) -> None:
        told.asked_to_book = True
        times = 2 if self._chance.random() < 0.3 else 1
        for reply in await asyncio.gather(*(self.repeat(told) for _ in range(times))):
            if reply.status == 201:
                told.answers.add(reply.body)

    async def _cancel(self, told: Told) -> None:
        told.asked_to_cancel = True
        item = {
            "@type": "OrderItem",
            "@id": f"{self._plan.settings.base_uri}/orders/{told.uuid}#/orderedItem/1",
            "orderItemStatus": "https://openactive.io/CustomerCancelled",
        }
        body = {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": [item]}
        reply = await self._until_definite("PATCH", f"orders/{told.uuid}", told, body)
        told.cancelled = reply.status == 204

    async def _delete(self, told: Told) -> None:
        told.asked_to_delete = True
        reply = await self._until_definite("DELETE", f"orders/{told.uuid}", told)
        told.deleted = reply.status == 204

    async def _until_definite(self, method: str, path: str, told: Told, body: Any = None) -> Reply:
        while not (reply := await self._ask(method, path, told, body)).definite:
            await asyncio.sleep(_PAUSE_SECONDS)
        return reply

    async def _ask(self, method: str, path: str, told: Told, body: Any = None) -> Reply:
        reply = await ask(self._port, request(method, f"/api/{path}", told.partner, body))
        if reply.status not in _EXPECTED or b"InternalApplicationError" in reply.body:
            self.surprises.append((f"{method} {path}", reply))
        return reply


def order_body(ids: Identifiers, keys: list[str]) -> dict[str, Any]:
    """B of one place at each of these sessions; a key named twice asks for two."""
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
