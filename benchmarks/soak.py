"""A server's memory during 200,000 ordinary requests on each kind of store: `make soak`.

The requests are those of a usual day: quotes, bookings, Order Status, cancellations, deletions, continued reads of
Orders feeds, the pages of an open feed, and requests that are refused. The memory at the end is compared with the
memory after the first quarter, in which caches fill.
"""

import asyncio
import random
import sys
import uuid
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from callers import Caller
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import OPENACTIVE
from openbooking.testing.postgres import PostgresServer
from stage import HOST, folder, free_port, memory_mb, server
from stock import CUSTOMER, headers, order_body, settings_of, stock

REQUESTS = 200_000
WARM_UP = 50_000
TOLD_EVERY = 10_000
CALLERS = 8
SESSIONS = 5_000
KINDS = ("SQLite", "PostgreSQL")
# The requests, and how many of a hundred each makes up.
SHARES = {
    "C1": 20,
    "C2": 15,
    "B": 20,
    "refused": 3,
    "status": 10,
    "cancel": 5,
    "delete": 5,
    "open feed": 12,
    "own feed": 8,
    "page": 2,
}
PUTS = {
    "C1": ("order-quote-templates", "OrderQuote"),
    "C2": ("order-quotes", "OrderQuote"),
    "B": ("orders", "Order"),
    "refused": ("orders", "OrderQuote"),
}
_KNOWN_ORDERS = 1_000


class Day:
    """The requests of callers, one after the other."""

    def __init__(self, ids: Identifiers) -> None:
        self._ids = ids
        self._chance = random.Random(1)  # noqa: S311 - the same day each time
        self._orders: list[tuple[str, str]] = []
        self._own_feed = 0
        self.answers = Counter[tuple[str, int]]()

    async def ask(self, caller: Caller) -> None:
        """Send one request and record its outcome."""
        (what,) = self._chance.choices(list(SHARES), list(SHARES.values()))
        answered = await caller.ask(self._request(what))
        self.answers[what, answered.status] += 1
        if what == "B" and answered.status == HTTPStatus.CREATED:
            order = msgspec.json.decode(answered.body)
            self._orders.append((urlsplit(order["@id"]).path, order["orderedItem"][0]["@id"]))
            del self._orders[:-_KNOWN_ORDERS]
        elif what == "own feed":
            items = msgspec.json.decode(answered.body)["items"]
            self._own_feed = max([self._own_feed, *(entry["modified"] for entry in items)])

    def _request(self, what: str) -> bytes:
        if what in PUTS:
            return self._put(*PUTS[what])
        path, item = self._chance.choice(self._orders) if self._orders else (f"/api/orders/{uuid.uuid4()}", "")
        if what == "cancel":
            cancelled = {"@type": "OrderItem", "@id": item, "orderItemStatus": f"{OPENACTIVE}CustomerCancelled"}
            body = {"@context": OPENACTIVE, "@type": "Order", "orderedItem": [cancelled]}
            return _request("PATCH", path, msgspec.json.encode(body))
        after = self._chance.randrange(SESSIONS)
        paths = {
            "status": path,
            "delete": path,
            "open feed": f"/feeds/scheduled-sessions?afterChangeNumber={after}",
            "own feed": f"/api/orders-rpde?afterChangeNumber={self._own_feed}",
            "page": "/openactive",
        }
        return _request("DELETE" if what == "delete" else "GET", paths[what])

    def _put(self, collection: str, type_: str) -> bytes:
        sessions = self._chance.sample(range(SESSIONS), self._chance.choice((1, 1, 2, 3)))
        body = order_body(self._ids, sessions, type_)
        if collection == "order-quotes":
            body = msgspec.json.encode({**msgspec.json.decode(body), "customer": CUSTOMER})
        return _request("PUT", f"/api/{collection}/{uuid.uuid4()}", body)


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    sent = {"Host": HOST, "Content-Length": str(len(body)), **headers()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def soak(kind: str, port: int, pid: int, ids: Identifiers) -> float:
    """Return the memory at the end as a share of the memory after the warm-up."""
    day, held = Day(ids), {0: memory_mb(pid)}
    callers = [await Caller.connect(port) for _ in range(CALLERS)]

    async def ask(caller: Caller) -> None:
        for _ in range(TOLD_EVERY // CALLERS):
            await day.ask(caller)

    for asked in range(TOLD_EVERY, REQUESTS + 1, TOLD_EVERY):
        async with asyncio.TaskGroup() as group:
            for caller in callers:
                group.create_task(ask(caller))
        held[asked] = memory_mb(pid)
        print(f"{kind:<11} {asked:>8,} requests  {held[asked]:>7,.1f} MB", flush=True)
    for caller in callers:
        caller.writer.close()
    for (what, status), number in sorted(day.answers.items()):
        print(f"  {what:<10} {status}  {number:>7,}")
    return held[REQUESTS] / held[WARM_UP]


def measure(kind: str, place: Path, running: PostgresServer | None) -> None:
    """Run the requests on this kind of store and print the result."""
    port = free_port()
    database = running.new_database() if running else str(place / "soak.sqlite3")
    settings = settings_of(database, port)
    asyncio.run(stock(settings, sessions=SESSIONS))
    with server(database, port) as pid:
        ratio = asyncio.run(soak(kind, port, pid, Identifiers(settings.base_uri)))
    print(f"{kind:<11} memory after {REQUESTS:,} requests of that after {WARM_UP:,}: {ratio:.2f}", flush=True)


def main() -> None:
    """Run the requests on each kind of store, or on the named one."""
    for kind in sys.argv[1:] or KINDS:
        server_: AbstractContextManager[PostgresServer | None] = (
            PostgresServer() if kind == "PostgreSQL" else nullcontext()
        )
        with folder() as place, server_ as running:
            measure(kind, place, running)


if __name__ == "__main__":
    main()
