"""One run of the whole flow, which is the same each time, with all its requests and replies as examples.

The document shows the examples (`openbooking/web/openapi/examples.json`); `tests/openapi_examples.py` records them.
"""

import uuid
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.seller_decisions import Notify, SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.opportunity_types import OPEN_FEEDS
from openbooking.openactive.terms import OPENACTIVE
from openbooking.web.openapi.examples import RECORDED_VERSION, Example
from support.approval_flow import PARTY, TRIP, booking_of, patch, proposal_of
from support.builders import session
from support.http_system import PILATES, YOGA, World, open_world
from support.parties import CENTRE, CUSTOMER, MANAGER

Json = dict[str, Any]
EXAMPLES = Path(__file__).parents[3] / "src" / "openbooking" / "web" / "openapi" / "examples.json"
FULL = session("spin", capacity=0)
BOOKED, PROPOSED, REJECTED, UNKNOWN = (f"00000000-0000-4000-8000-00000000000{number}" for number in range(1, 5))
_CREATE = {
    "@context": [OPENACTIVE, f"{OPENACTIVE}test-interface"],
    "@type": "ScheduledSession",
    "superEvent": {"@type": "SessionSeries"},
    "test:testOpportunityCriteria": f"{OPENACTIVE}test-interface#TestOpportunityBookable",
    "test:testOpenBookingFlow": f"{OPENACTIVE}test-interface#OpenBookingSimpleFlow",
}


class Recorder:
    """Sends the requests of the story, and keeps them with their replies."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.examples: list[Example] = []

    async def call(
        self, operation: str, name: str, summary: str, request: tuple[str, str], body: Any = None, **more: str
    ) -> Json:
        """Send a request to the API as `alice`, and return the body of the reply."""
        method, path = request
        headers = {"X-Request-ID": "example", **more}
        partner = headers.pop("partner", "alice")
        if path.startswith("/"):
            reply = await self.world.client.request(method, path, headers=headers)
            path = path.removeprefix("/api/") if path.startswith("/api/") else path
        else:
            reply = await self.world.call(method, path, body, partner, **headers)
        return self._keep(operation, name, summary, reply, body)

    def _keep(self, operation: str, name: str, summary: str, reply: httpx2.Response, body: Any) -> Json:
        is_json = "json" in reply.headers.get("content-type", "")
        found: Any = reply.json() if is_json else reply.text
        sent = str(reply.request.url.raw_path, "ascii")
        self.examples.append(
            Example(
                operation=operation,
                name=name,
                summary=summary,
                path=sent,
                request=body,
                status=reply.status_code,
                reply=found or None,
            )
        )
        return found if is_json else {}


async def record(folder: Path) -> list[Example]:
    """Return the examples of the whole story."""
    number = 0

    def next_uuid() -> uuid.UUID:
        nonlocal number
        number += 1
        return uuid.UUID(int=0x00000000_0000_4000_9000_000000000000 + number)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("openbooking.system.__version__", RECORDED_VERSION)
        patched.setattr("openbooking.web.api.booking.uuid4", next_uuid)
        patched.setattr("openbooking.web.api.booking._new_nonce", lambda: "example")
        patched.setattr("uuid.uuid4", next_uuid)
        async with open_world("memory", folder, test_interface=True, sweep_seconds=3600) as world:
            for family in (FULL, TRIP, PARTY):
                await world.store.execute(Publish(tuple(family), actor=MANAGER))
            recorder = Recorder(world)
            await _quote_and_book(recorder)
            await _change(recorder)
            await _propose(recorder)
            await _fail(recorder)
            await _read_feeds(recorder)
            await _end(recorder)
        async with open_world("memory", folder, access="openid", sweep_seconds=3600) as world:
            provider = Recorder(world)
            configuration = ("GET", "/.well-known/openid-configuration")
            await provider.call("describeProvider", "provider", "The provider describes itself.", configuration)
    return recorder.examples + provider.examples


def written(examples: list[Example]) -> bytes:
    """Return the examples as the file has them."""
    return msgspec.json.format(msgspec.json.encode(examples), indent=1) + b"\n"


async def _quote_and_book(story: Recorder) -> None:
    world, quote = story.world, story.world.quote(story.world.item(YOGA))
    c1, c2, b = (f"{path}/{BOOKED}" for path in ("order-quote-templates", "order-quotes", "orders"))
    await story.call("quoteAnonymously", "available", "A session with spaces.", ("PUT", c1), quote)
    full = world.quote(world.item(FULL))
    await story.call("quoteAnonymously", "full", "A session without spaces.", ("PUT", c1), full)
    held = {**quote, "customer": CUSTOMER}
    await story.call("quote", "held", "A quote whose spaces are held.", ("PUT", c2), held)
    await story.call("orderStatus", "held", "A quote that holds spaces.", ("GET", b))
    await story.call("deleteQuote", "released", "The spaces of a quote are released.", ("DELETE", c2))
    items = [world.item(YOGA, position) for position in range(2)]
    await story.call("book", "booked", "Two spaces of a session.", ("PUT", b), world.order(*items, total=24))
    await story.call("orderStatus", "booked", "An Order.", ("GET", b))
    other = f"orders/{UNKNOWN}"
    await story.call("book", "full", "A session without spaces.", ("PUT", other), world.order(world.item(FULL)))


async def _change(story: Recorder) -> None:
    order, path = OrderKey("alice", BOOKED), f"orders/{BOOKED}"
    await story.world.store.execute(Notify(order=order, notice="Please come ten minutes early.", actor=MANAGER))
    item = {"@type": "OrderItem", "@id": f"{story.world.settings.base_uri}/{path}#/orderedItem/1"}
    body = {
        "@context": OPENACTIVE,
        "@type": "Order",
        "orderedItem": [{**item, "orderItemStatus": f"{OPENACTIVE}CustomerCancelled"}],
    }
    await story.call("cancel", "cancelled", "The Customer cancels one of two items.", ("PATCH", path), body)
    await story.call("cancel", "excessive", "A PATCH of a total.", ("PATCH", path), {**body, "totalPaymentDue": 0})
    await story.world.store.execute(SellerCancel(order=order, message="The instructor is ill.", actor=MANAGER))
    await story.call("orderStatus", "cancelled", "An Order whose items are cancelled.", ("GET", path))
    await story.call("readOrders", "cancelled", "A page with the changed Order.", ("GET", "orders-rpde"))


async def _propose(story: Recorder) -> None:
    world = story.world
    for uuid_, family in ((PROPOSED, TRIP), (REJECTED, PARTY)):
        name = "proposed" if uuid_ == PROPOSED else "simple"
        path = f"order-proposals/{uuid_}"
        body = proposal_of(world, family)
        proposal = await story.call("propose", name, "A space that the Seller must approve.", ("PUT", path), body)
        if uuid_ == REJECTED:
            break
        await story.call("orderStatus", "proposed", "An OrderProposal.", ("GET", f"orders/{uuid_}"))
        await world.store.execute(DecideProposal(order=OrderKey("alice", uuid_), accept=True, actor=MANAGER))
        feed = ("GET", "order-proposals-rpde")
        await story.call("readOrderProposals", "accepted", "A page with an accepted OrderProposal.", feed)
        booked = booking_of(proposal)
        await story.call("book", "approved", "B after P.", ("PUT", f"orders/{uuid_}"), booked)
    rejection = patch(orderProposalStatus=f"{OPENACTIVE}CustomerRejected")
    rejected = ("PATCH", f"order-proposals/{REJECTED}")
    await story.call("updateProposal", "rejected", "The Customer does not want it any more.", rejected, rejection)


async def _fail(story: Recorder) -> None:
    world = story.world
    c2, b = ("PUT", f"order-quotes/{UNKNOWN}"), ("PUT", f"orders/{UNKNOWN}")
    order = world.order(world.item(YOGA))
    await story.call("quote", "noCustomer", "C2 without a Customer.", c2, world.quote(world.item(YOGA)))
    await story.call("book", "wrongTotal", "Another total than that of the quote.", b, {**order, **_total(9)})
    await story.call("book", "otherSeller", "A session of another Seller.", b, world.order(world.item(PILATES)))
    used = ("PUT", f"orders/{BOOKED}")
    await story.call("book", "uuidInUse", "A UUID that is used already.", used, order)
    await story.call("orderStatus", "unknown", "No Order has the UUID.", ("GET", f"orders/{UNKNOWN}"))
    await story.call("readOrders", "noKey", "No API key.", ("GET", "/api/orders-rpde"))
    await story.call("readOrders", "wrongKey", "A wrong API key.", ("GET", "orders-rpde"), partner="nobody")
    wrong = ("GET", "/feeds/slots?afterChangeNumber=x")
    await story.call("read-slots", "noNumber", "A wrong change number.", wrong)


def _total(price: int) -> Json:
    return {"totalPaymentDue": {"@type": "PriceSpecification", "price": price, "priceCurrency": "GBP"}}


async def _read_feeds(story: Recorder) -> None:
    for name in OPEN_FEEDS:
        whole = (await story.world.client.get(f"/feeds/{name}")).json()["items"]
        after = whole[-2]["modified"] if len(whole) > 1 else 0
        path = f"/feeds/{name}?afterChangeNumber={after}"
        await story.call(f"read-{name}", "page", "A page of one item.", ("GET", path))


async def _end(story: Recorder) -> None:
    await story.call("deleteOrder", "deleted", "An Order is deleted.", ("DELETE", f"orders/{BOOKED}"))
    await story.call("orderStatus", "deleted", "The Order was deleted.", ("GET", f"orders/{BOOKED}"))
    calendar = ("GET", "/calendar/session-series/series-yoga.ics")
    await story.call("readCalendar", "class", "The calendar of a class.", calendar)
    await story.call("checkHealth", "alive", "The process runs.", ("GET", "/healthz"))
    await story.call("checkReadiness", "ready", "All parts are ready.", ("GET", "/readyz"))
    organizer = {"@type": "Organization", "@id": story.world.ids.seller(CENTRE.key)}
    body = {**_CREATE, "superEvent": {"@type": "SessionSeries", "organizer": organizer}}
    create = ("POST", "test-interface/datasets/example/opportunities")
    await story.call("createTestOpportunity", "bookable", "A session that can be booked.", create, body)
    action = {
        "@type": "test:CustomerNoticeSimulateAction",
        "object": f"{story.world.settings.base_uri}/orders/{PROPOSED}",
    }
    act = ("POST", "test-interface/actions")
    await story.call("simulateAction", "notice", "The Seller sends a notice.", act, action)
    delete = ("DELETE", "test-interface/datasets/example")
    await story.call("deleteTestDataset", "deleted", "The test data is deleted.", delete)
