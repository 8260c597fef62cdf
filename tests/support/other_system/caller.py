"""A Broker that books at the other Booking System without our client, and our readers applied to its replies."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx2
import msgspec

from openbooking.harvest.client import HarvestOptions, harvest, sync_client
from openbooking.harvest.copy import Copy
from openbooking.harvest.reader import End
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.other_system.catalogue import LEVEL, SHOES, Opportunity
from support.other_system.feeds import OPEN_FEEDS
from support.other_system.system import OtherSystem, other_system

CUSTOMER = {"@type": "Person", "email": "ada@example.com", "givenName": "Ada"}
# The form that our Booking System has.
OURS: dict[str, Any] = {
    "charset": False,
    "context": "text",
    "dates": "utc",
    "errors": "full",
    "extra_properties": False,
    "item_order": "sent",
    "numeric_ids": False,
    "prices": "number",
    "references": "text",
}


class Caller:
    """A Broker that sends requests to the other system, and reads its feed of Orders."""

    def __init__(self, system: OtherSystem) -> None:
        self.system = system
        self.client = httpx2.Client(base_url=system.endpoint, timeout=5, verify=False)
        self.headers = {"Authorization": f"Bearer {system.api_key}", "Content-Type": BOOKING_MEDIA_TYPE}
        self._cursor = f"{system.endpoint}orders-rpde"

    def call(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        return self.client.request(method, path, json=body, headers=self.headers)

    def body(self, type_: str, *keys: str, **changes: Any) -> dict[str, Any]:
        found = [self.system.opportunity(key) for key in keys]
        made = {
            "@context": "https://openactive.io/",
            "@type": type_,
            "brokerRole": "https://openactive.io/AgentBroker",
            "broker": {"@type": "Organization", "name": "App"},
            "seller": found[0].seller,
            "customer": CUSTOMER,
            "orderedItem": [_item(position, opportunity) for position, opportunity in enumerate(found)],
        }
        if type_ != "OrderQuote":
            total = sum(float(opportunity.price) for opportunity in found)
            made["totalPaymentDue"] = {"@type": "PriceSpecification", "price": total, "priceCurrency": "GBP"}
            made |= {"payment": {"@type": "Payment", "identifier": "p-1"}} if total else {}
        return made | changes

    def quote(self, *keys: str) -> httpx2.Response:
        return self.call("PUT", f"order-quotes/{uuid4()}", self.body("OrderQuote", *keys))

    def book(self, *keys: str) -> tuple[str, httpx2.Response]:
        uuid = str(uuid4())
        return uuid, self.call("PUT", f"orders/{uuid}", self.body("Order", *keys))

    def news(self) -> list[dict[str, Any]]:
        """Return the items of the Orders feed that have changed since the last call."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.client.get(self._cursor, headers=self.headers).json()
            if not page["items"]:
                return found
            found += page["items"]
            self._cursor = page["next"]


def _item(position: int, found: Opportunity) -> dict[str, Any]:
    made = {"@type": "OrderItem", "position": position, "orderedItem": found.id, "acceptedOffer": found.offer_id}
    if found.key != "climbing":
        return made
    answers = [{"@type": "PropertyValue", "propertyID": LEVEL, "value": "6b"}]
    answers.append({"@type": "PropertyValue", "propertyID": SHOES, "value": "40½"})
    attendee = {"@type": "Person", "givenName": "Ben", "familyName": "Aÿ"}
    return made | {"attendee": attendee, "orderItemIntakeFormResponse": answers}


@contextmanager
def calling(**differences: Any) -> Iterator[Caller]:
    """Run an other system and a Broker."""
    with other_system(**differences) as system:
        caller = Caller(system)
        with caller.client:
            yield caller


def feeds(system: OtherSystem) -> list[str]:
    return [system.url.replace("openactive", f"feeds/{name}") for name in OPEN_FEEDS]


def decoded(response: httpx2.Response, type_: Any) -> Any:
    return msgspec.json.decode(response.content, type=type_)


def harvested(url: str, headers: dict[str, str] | None = None) -> list[Any]:
    """Return the items of a feed, read by our reader."""
    with Copy() as copy, sync_client() as client:
        *_, end = harvest(url, copy, client, HarvestOptions(headers=headers), lambda _: None)
        assert isinstance(end, End)
        assert end.fault == ""
        return [json.loads(item.content) for item in copy.items()]
