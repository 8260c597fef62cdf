"""A Broker that books in the sandbox, whose answers OpenActive's validators check."""

import uuid
from functools import cached_property
from typing import Any

import httpx2

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OrderType
from openbooking.sandbox.client import Sandbox
from openbooking.sandbox.guided_booking import PAYMENT, Choice, b_body, c1_body, c2_body
from support.message_judge import judge

Json = dict[str, Any]
ORDERS, PROPOSALS = "orders-rpde", "order-proposals-rpde"
SERIES, COURSE = "riverbank-trust.early-lanes", "badminton-course"


class SandboxBroker:
    """A Broker with the API key of the sandbox, or with another one."""

    def __init__(self, sandbox: Sandbox, key: str = "") -> None:
        self._answers: list[httpx2.Response] = []
        headers = {"Authorization": f"Bearer {key or sandbox.api_key}", "Content-Type": BOOKING_MEDIA_TYPE}
        hooks = {"response": [self._answers.append]}
        self.client = httpx2.Client(
            base_url=f"{sandbox.api}/", headers=headers, timeout=10, trust_env=False, event_hooks=hooks
        )
        self._site = sandbox.url

    def close(self) -> None:
        """Close the connections, and judge the answers of the booking API. Those of the demo judge its open feeds."""
        self.client.close()
        judged = [answer for answer in self._answers if answer.request.url.path.startswith("/api/")]
        assert [fault for answer in judged for fault in judge().faults(answer)] == []

    @cached_property
    def session(self) -> Choice:
        """A session that can be booked and cancelled."""
        items = self.read_feed(f"{self._site}/feeds/scheduled-sessions")
        found = [item for item in items if SERIES in item["superEvent"]]
        chosen = sorted(found, key=lambda item: str(item["startDate"]))[3]
        return self._choice(chosen["@id"], "session-series", SERIES)

    @cached_property
    def course(self) -> Choice:
        """A course whose Offer asks for approval and allows negotiation and messages."""
        return self._choice("", "events", COURSE)

    def _choice(self, opportunity: str, feed: str, key: str) -> Choice:
        items = self.read_feed(f"{self._site}/feeds/{feed}")
        described = next(item for item in items if item["@id"].endswith(f"/{key}"))
        offer, seller = described["offers"][0]["@id"], described["organizer"]["@id"]
        return Choice(opportunity or described["@id"], offer, seller, key)

    def c1(self, order: str, choice: Choice | None = None) -> httpx2.Response:
        """Send C1."""
        return self.client.put(f"order-quote-templates/{order}", json=c1_body(choice or self.session))

    def c2(self, order: str, choice: Choice | None = None) -> httpx2.Response:
        """Send C2."""
        return self.client.put(f"order-quotes/{order}", json=c2_body(choice or self.session))

    def b(self, order: str, **changes: Any) -> httpx2.Response:
        """Send B for the session."""
        return self.client.put(f"orders/{order}", json=self.body_of_b() | changes)

    def body_of_b(self) -> Json:
        """Return the body of B for the session."""
        return b_body(self.session, {"@type": "PriceSpecification", "price": 5.4, "priceCurrency": "GBP"})

    def book(self) -> str:
        """Send C2 and B; return the UUID of the Order."""
        order = str(uuid.uuid4())
        self.c2(order).raise_for_status()
        self.b(order).raise_for_status()
        return order

    def propose(self) -> tuple[str, str]:
        """Send C2 and P for the course; return the UUID and the version of the OrderProposal."""
        order = str(uuid.uuid4())
        quote = self.c2(order, self.course).raise_for_status().json()
        due = {name: quote["totalPaymentDue"][name] for name in ("@type", "price", "priceCurrency")}
        body = {**b_body(self.course, due), "@type": OrderType.PROPOSAL.value}
        told = self.client.put(f"order-proposals/{order}", json=body).raise_for_status().json()
        return order, told["orderProposalVersion"]

    def book_proposal(self, order: str, version: str) -> httpx2.Response:
        """Send B for an accepted OrderProposal."""
        body = {"@context": "https://openactive.io/", "@type": "Order", "orderProposalVersion": version}
        return self.client.put(f"orders/{order}", json={**body, "payment": PAYMENT})

    def read_feed(self, url: str) -> list[Json]:
        """Follow a feed to its end, and return the data of the last version of each item that is not deleted."""
        found: dict[str, Json | None] = {}
        while True:
            page = self.client.get(url).raise_for_status().json()
            found |= {str(item["id"]): item.get("data") for item in page["items"]}
            if page["next"] == url or not page["items"]:
                return [data for data in found.values() if data]
            url = page["next"]

    def feed(self, name: str) -> list[Json]:
        """Return what one of the feeds of the Broker shows."""
        return self.read_feed(f"{self.client.base_url}{name}")


def new_uuid() -> str:
    """Return a UUID that was not used before."""
    return str(uuid.uuid4())
