"""A database that commit a3d1fe2 wrote, and the Booking System over it after its migration.

`store/databases/` holds its rows, and the replies of that version. Tests send all requests by HTTP, so that they do not
depend on the names in stored documents.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
from sqlalchemy import Connection

from openbooking.openactive.ids import key_of
from openbooking.openactive.terms import OPENACTIVE
from openbooking.settings import Settings, load_settings
from openbooking.system import open_identity_store, open_store
from openbooking.testing.samples import Clock
from support.databases.earlier_schemas import upgrade_to
from support.http_system import SITE, World, serving
from support.simulated_seller import CONTEXT

Json = dict[str, Any]
FOLDER = Path(__file__).parents[2] / "store" / "databases"
KEPT: Json = json.loads((FOLDER / "a3d1fe2.json").read_text(encoding="utf-8"))
ROWS = (FOLDER / "a3d1fe2.sql").read_text(encoding="utf-8").splitlines()
REVISION_THEN = "0003"
AGE = timedelta(seconds=KEPT["age_seconds"], minutes=1)
UUIDS: dict[str, str] = KEPT["uuids"]
SHOWN: Json = KEPT["shown"]
REPEATS: dict[str, Json] = {repeat["name"]: repeat for repeat in KEPT["repeats"]}
ORDERS, PROPOSALS = "/api/orders-rpde", "/api/order-proposals-rpde"
QUOTES: dict[str, Json] = KEPT["quotes"]
REJECTED = f"{OPENACTIVE}SellerRejected"
YOGA, RUN, RACE, RELAY, GALA, LANES = (
    ("/feeds/scheduled-sessions", "yoga"),
    ("/feeds/events", "run"),
    ("/feeds/slots", "race"),
    ("/feeds/scheduled-sessions", "relay"),
    ("/feeds/scheduled-sessions", "gala"),
    ("/feeds/scheduled-sessions", key_of(next(p for name, p in KEPT["imported"]["paths"].items() if "7/1" in name))),
)


def load(connection: Connection, rows: Sequence[str] = ROWS) -> None:
    """Create the schema of that version, and insert its rows."""
    upgrade_to(REVISION_THEN, connection)
    blob = connection.dialect.name == "postgresql"
    if blob:
        connection.exec_driver_sql("CREATE DOMAIN blob AS bytea")
    for statement in rows:
        connection.exec_driver_sql(statement)
    if blob:
        connection.exec_driver_sql("DROP DOMAIN blob")


def settings(database: str) -> Settings:
    """Return the settings of that version."""
    return load_settings({}, **KEPT["settings"] | {"sweep_seconds": 0.02}, site_url=SITE, database=database)


def clock() -> Clock:
    """Return a clock that shows the time a minute after the last write of that version."""
    turned = Clock()
    turned.move(AGE)
    return turned


@asynccontextmanager
async def reopened(database: str) -> AsyncIterator[World]:
    """Yield the Booking System over the database, after it has removed ended Leases and quotes.

    At the end the integrity check of the database must find nothing.
    """
    made, turned = settings(database), clock()
    store = open_store(made, turned)
    async with serving(made, turned, store, open_identity_store(made)) as world:
        await until(lambda: has_swept(world))
        yield world
        assert await store.check_integrity() == []


async def has_swept(world: World) -> bool:
    """Return whether everything that had ended before is removed by now."""
    proposal = (await world.read_feed(PROPOSALS)).get(UUIDS["ended"])
    rejected = proposal is not None and proposal["data"]["orderProposalStatus"] == REJECTED
    return rejected and [await spaces(world, where) for where in (RELAY, RACE)] == [3, 7]


async def until(tell: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a background task of the system has made the condition true."""
    while not await tell():
        await anyio.sleep(0.02)


async def spaces(world: World, where: tuple[str, str]) -> int:
    """Return the number of spaces of an Opportunity that are left according to the open feed."""
    feed, key = where
    data = (await world.read_feed(feed))[key]["data"]
    left = next(value for name, value in data.items() if name.startswith("remaining"))
    assert isinstance(left, int)
    return left


async def standing(world: World, name: str, partner: str = "alice", status: int = 200) -> Json:
    """Return the reply to GET of the Order with this name."""
    reply = await world.call("GET", f"orders/{UUIDS[name]}", partner=partner)
    assert reply.status_code == status
    body: Json = reply.json()
    return body


async def act(world: World, name: str, action: str, type_: str = "Order", partner: str = "alice") -> None:
    """Send this action of the Seller for the Order with this name to the test interface."""
    path = "order-proposals" if type_ == "OrderProposal" else "orders"
    thing = {"@type": type_, "@id": f"{SITE}/api/{path}/{UUIDS[name]}"}
    body = {"@context": CONTEXT, "@type": f"test:{action}SimulateAction", "object": thing}
    reply = await world.call("POST", "test-interface/actions", body, partner)
    assert reply.status_code == 204, reply.text


async def put(world: World, path: str, body: Json, partner: str = "alice", status: int = 201) -> Json:
    reply = await world.call("PUT", path, body, partner)
    assert reply.status_code == status, reply.text
    answer: Json = reply.json()
    return answer


async def book_proposal(world: World, name: str, partner: str = "alice", status: int = 201) -> Json:
    """Send B of the proposal, with the version that is in its feed."""
    shown = (await world.read_feed(PROPOSALS, partner))[UUIDS[name]]["data"]
    body = {"@context": OPENACTIVE, "@type": "Order", "orderProposalVersion": shown["orderProposalVersion"]}
    return await put(world, f"orders/{UUIDS[name]}", body, partner, status)
