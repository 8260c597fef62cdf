"""Examples of all messages: real ones, recorded while a Broker books at a system in memory with a fixed clock."""

import asyncio
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from structlog.testing import capture_logs

from openbooking.booking.commands.opportunities.publish import Publish
from support.approval_flow import ACCEPT, ORDERS, PROPOSALS, REJECTION, TRIP, B, P, booking_of, proposal_of
from support.builders import UUID
from support.http_system import HALL, YOGA, World, open_world
from support.parties import CUSTOMER, MANAGER

_CANCELLED = "https://openactive.io/CustomerCancelled"
_HEADERS = ("content-type", "location", "retry-after", "cache-control")
# Those after `#` are of published vocabularies.
_UUID = re.compile(r"(?<![#\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_OTHER = "2ba4a04e-1c44-4f0b-9e43-0d3a7f5c0f11"


class _Recorder:
    """Sends requests, and writes each with its answer as a section of the page."""

    def __init__(self, world: World, sections: list[str]) -> None:
        self._world = world
        self._sections = sections

    async def send(self, title: str, meaning: str, method: str, path: str, body: Any = None) -> Any:
        """Send a request of a Booking Partner below the Base URI, and return the message of the answer."""
        reply = await self._world.call(method, path, body, **{"X-Request-ID": f"example-{len(self._sections) + 1}"})
        self._record(title, meaning, f"{method} /api/{path}", body, reply)
        return json.loads(reply.content) if reply.content else None

    async def read(self, title: str, meaning: str, path: str) -> None:
        """Read a page of an open feed without credentials."""
        reply = await self._world.client.get(path)
        self._record(title, meaning, f"GET {path}", None, reply)

    def note(self, title: str, meaning: str, message: Any) -> None:
        """Write a message that is part of a page."""
        self._sections.append(f"## {title}\n\n{meaning}\n\n{_json(message)}")

    def _record(self, title: str, meaning: str, line: str, body: Any, reply: httpx2.Response) -> None:
        head = "\n".join(f"{name}: {reply.headers[name]}" for name in _HEADERS if name in reply.headers)
        sent = f"{_json(body)}\n" if body is not None else ""
        answer = f"{reply.status_code} {reply.reason_phrase}\n{head}".strip()
        received = f"\n{_json(json.loads(reply.content))}" if reply.content else ""
        self._sections.append(
            f"## {title}\n\n{meaning}\n\n```http\n{line}\n```\n\n{sent}\nReply:\n\n```http\n{answer}\n```\n{received}"
        )


def _json(message: Any) -> str:
    return f"```json\n{json.dumps(message, indent=2, ensure_ascii=False)}\n```\n"


def message_examples() -> str:
    """Return a section for each message: the request, and the answer with its main headers."""
    with capture_logs():
        return asyncio.run(_record_all())


async def _record_all() -> str:
    sections = list[str]()
    for story in (_open_data, _booking, _errors, _approval, _rejection):
        with tempfile.TemporaryDirectory() as folder:
            async with open_world("memory", Path(folder)) as world:
                # The tests of the flows check messages with OpenActive's validators.
                world.judged = False
                await world.store.execute(Publish(tuple(TRIP), actor=MANAGER))
                await story(_Recorder(world, sections), world)
    return _with_numbered_ids("\n".join(sections))


def _with_numbered_ids(text: str) -> str:
    """Return the text with numbers in place of the UUIDs that the systems made up, so that it is always the same."""
    made = [uuid for uuid in dict.fromkeys(_UUID.findall(text)) if uuid not in (UUID, _OTHER)]
    for number, uuid in enumerate(made, 1):
        text = text.replace(uuid, f"00000000-0000-4000-8000-{number:012}")
    return text


async def _open_data(recorder: _Recorder, world: World) -> None:
    site = (await world.client.get("/openactive")).text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', site, re.DOTALL)
    assert found
    recorder.note(
        "Dataset site",
        "The page `/openactive` has this JSON-LD, in which programs find the feeds and the Base URI.",
        json.loads(found[1]),
    )
    await recorder.read(
        "Open feed", "The first page of an open feed. `next` is the address of the next page.", "/feeds/session-series"
    )
    await recorder.read(
        "Open feed of bookable items", "The sessions, each with its series.", "/feeds/scheduled-sessions"
    )
    last = (await world.client.get("/feeds/scheduled-sessions")).json()["next"]
    await recorder.read(
        "End of a feed",
        "The last page has no items, and its `next` is its own address.",
        last.removeprefix(world.settings.site),
    )


async def _booking(recorder: _Recorder, world: World) -> None:
    items = world.item(YOGA, 0), world.item(HALL, 1)
    quote = world.quote(*items)
    await recorder.send("C1", "A quote without the Customer.", "PUT", f"order-quote-templates/{UUID}", quote)
    known = {**quote, "customer": CUSTOMER}
    c2 = await recorder.send(
        "C2", "A quote for a Customer, which holds the spaces.", "PUT", f"order-quotes/{UUID}", known
    )
    order = world.order(*items, total=c2["totalPaymentDue"]["price"])
    b = await recorder.send("B", "The booking of all items.", "PUT", f"orders/{UUID}", order)
    await recorder.send("Order Status", "The Order as it is now.", "GET", f"orders/{UUID}")
    cancelled = {"@type": "OrderItem", "@id": b["orderedItem"][0]["@id"], "orderItemStatus": _CANCELLED}
    patch = {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": [cancelled]}
    await recorder.send("Cancellation", "The Customer cancels an item.", "PATCH", f"orders/{UUID}", patch)
    await recorder.send(
        "Orders feed", "The Orders of the Booking Partner that have changed.", "GET", ORDERS.removeprefix("/api/")
    )
    await recorder.send("Deletion of a quote", "The end of a quote and its Lease.", "DELETE", f"order-quotes/{UUID}")
    await recorder.send("Deletion of an Order", "The Order is deleted.", "DELETE", f"orders/{UUID}")


async def _errors(recorder: _Recorder, world: World) -> None:
    wrong = world.order(world.item(YOGA), total=1)
    await recorder.send(
        "Error of a request", "The total is not that of the last quote.", "PUT", f"orders/{_OTHER}", wrong
    )
    unknown = {**world.item(YOGA), "orderedItem": world.ids.opportunity("scheduled-sessions/none")}
    await recorder.send(
        "Error of an OrderItem",
        "An item cannot be booked, so nothing is booked. The item has the error.",
        "PUT",
        f"order-quotes/{_OTHER}",
        world.quote(unknown, customer=CUSTOMER),
    )


async def _approval(recorder: _Recorder, world: World) -> None:
    proposal = await recorder.send(
        "P", "The proposal of an Order that the Seller must approve.", "PUT", P, proposal_of(world, TRIP)
    )
    await world.store.execute(ACCEPT)
    await recorder.send(
        "OrderProposals feed", "The Seller has accepted the proposal.", "GET", PROPOSALS.removeprefix("/api/")
    )
    await recorder.send("B after P", "The booking of an accepted proposal.", "PUT", B, booking_of(proposal))


async def _rejection(recorder: _Recorder, world: World) -> None:
    await world.call("PUT", P, proposal_of(world, TRIP))
    await recorder.send("Update of a proposal", "The Customer rejects the proposal.", "PATCH", P, REJECTION)
