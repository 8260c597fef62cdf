"""The clocks of real servers are wrong by ten days for six seconds. This must change nothing.

The same requests are sent twice: to a server whose clock is right, and to one whose clock jumps meanwhile. A process is
killed while its clock is wrong, so that a new one starts. All replies and all stored data are compared.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, Feed
from openbooking.identity.records import Attempts, Authorization, Session, SigningKey
from openbooking.identity.scopes import Scope
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import FlowRequirement
from openbooking.store.sql import SqlStore
from openbooking.system import open_identity_store
from openbooking.testing.samples import SESSIONS
from support import builders
from support.identity_provider import signing_key
from support.parties import CENTRE, CUSTOMER, MANAGER
from support.races.brokers import order_body
from support.races.harvesters import harvested_at_rest
from support.races.requests import Reply, ask, request
from support.servers.faulty_server import turn_clock
from support.servers.served_system import Plan, Served

TEN_DAYS = 864_000.0
WRONG_FOR_SECONDS = 6
SECONDS_TO_SWEEP = 1
WRONG_AT_THE_START_SECONDS = 3
CAPACITIES = {"yoga": 40, "spin": 15}
WORKERS = 2
DATABASES = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])

pytestmark = pytest.mark.anyio


class State(NamedTuple):
    """The replies to Brokers, and the stored data afterwards."""

    statuses: list[tuple[str, int | None]]
    open_feed: dict[str, Any]
    orders: dict[str, Any]
    leases: tuple[int, int]
    identity: dict[str, int]
    faults: list[Any]


class Script:
    """Requests that are the same in each run, with the same UUIDs."""

    def __init__(self, plan: Plan, served: Served) -> None:
        self._ids = Identifiers(plan.settings.base_uri)
        self._base = plan.settings.base_uri
        self._served = served
        self.statuses: list[tuple[str, int | None]] = []

    async def book(self, number: int, *keys: str, again: bool = False) -> None:
        """Send B, which may be a repeat."""
        await self._put("orders", number, keys, again=again)

    async def lease(self, number: int, *keys: str) -> None:
        """Send C2."""
        await self._put("order-quotes", number, keys, type="OrderQuote", customer=CUSTOMER)

    async def propose(self, number: int) -> None:
        """Send P for one space at the session that requires approval."""
        await self._put("order-proposals", number, ["party"], type="OrderProposal")

    async def cancel(self, number: int) -> None:
        """Cancel the first item of an Order."""
        item = {
            "@type": "OrderItem",
            "@id": f"{self._base}/orders/{_uuid(number)}#/orderedItem/1",
            "orderItemStatus": "https://openactive.io/CustomerCancelled",
        }
        body = {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": [item]}
        await self._ask("PATCH", f"orders/{_uuid(number)}", body)

    async def delete(self, number: int) -> None:
        """Delete an Order."""
        await self._ask("DELETE", f"orders/{_uuid(number)}")

    async def _put(self, what: str, number: int, keys: Any, *, again: bool = False, **changes: Any) -> None:
        body = order_body(self._ids, list(keys))
        if "type" in changes:
            body["@type"] = changes.pop("type")
        await self._ask("PUT", f"{what}/{_uuid(number)}", body | changes, "repeat of " if again else "")

    async def _ask(self, method: str, path: str, body: Any = None, remark: str = "") -> Reply:
        """Send the request until the reply is definite, because a process may have been killed."""
        while not (reply := await ask(self._served.port, request(method, f"/api/{path}", "alice", body))).definite:
            await asyncio.sleep(0.05)
        self.statuses.append((f"{remark}{method} {path}", reply.status))
        return reply


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


async def state_after(database: str, clock: Path, jump: float | None) -> State:
    """Run the script while the clock jumps by `jump` seconds, or does not jump; return the state afterwards."""
    plan = Plan(database, WORKERS, CAPACITIES, f"clock {clock} 0")
    await stock(plan)
    with Served(plan, access="openid", lease_seconds="3600", requests_per_minute="1000") as served:
        script = Script(plan, served)
        await script.book(1, "yoga", "spin")
        await script.book(2, "yoga", "yoga")
        await script.book(3, "spin")
        await script.lease(4, "spin", "spin")
        await script.lease(5, "yoga")
        await script.propose(6)
        await asyncio.sleep(SECONDS_TO_SWEEP)
        async with wrong_clock(clock, jump):
            await script.book(1, "yoga", "spin", again=True)
            await script.cancel(2)
            await script.delete(3)
            await script.book(4, "spin", "spin")
            served.kill_a_worker()
            await script.lease(7, "yoga")
            await script.propose(8)
            await script.book(9, "spin")
        await script.book(10, "yoga")
        await script.book(9, "spin", again=True)
        await asyncio.sleep(SECONDS_TO_SWEEP)
    return await state_of(plan, script)


@asynccontextmanager
async def wrong_clock(clock: Path, jump: float | None) -> AsyncIterator[None]:
    """Let the clock be wrong for six seconds, or do nothing if `jump` is None."""
    if jump is None:
        yield
        return
    turn_clock(clock, jump)
    right_again = asyncio.create_task(asyncio.sleep(WRONG_FOR_SECONDS))
    yield
    await right_again
    turn_clock(clock, 0)


async def stock(plan: Plan) -> None:
    """Publish the sessions of the script, and store one record of each kind that expires, but not during the test."""
    await plan.stock()
    store, identity = plan.open_store(), open_identity_store(plan.settings)
    now = datetime.now(UTC)
    start, later = now.replace(microsecond=0) + timedelta(days=2), now + timedelta(hours=12)
    dated: dict[str, Any] = {"start": start, "end": start + timedelta(hours=1)}
    party = builders.session("party", offered={"flow": (FlowRequirement.APPROVAL,)}, **dated)
    await store.execute(Publish(tuple(party), actor=MANAGER))
    gone = tuple(replace(item, source="gone") for item in builders.session("gone", **dated))
    await store.execute(Publish(gone, actor=MANAGER))
    await store.execute(Withdraw(sources=frozenset({"gone"}), actor=MANAGER))
    key, scopes = replace(signing_key(), created=now - timedelta(days=1)), frozenset({Scope.OPENBOOKING})
    kept = (
        Session(digest="s", username="ann", started=now, expires=later),
        Authorization(id="a", partner="alice", seller=CENTRE.key, user="ann", scopes=scopes, issued=now, expires=later),
        Attempts(subject="account:ann", failures=1, blocked_until=now, expires=later),
        key,
        replace(key, kid="newest", created=now - timedelta(minutes=1)),
    )
    assert await identity.save(*kept)
    await identity.close()
    await store.close()


async def state_of(plan: Plan, script: Script) -> State:
    """Return the stored data without values that differ between runs, such as times."""
    store, identity = plan.open_store(), open_identity_store(plan.settings)
    try:
        figures = await store.figures({})
        kinds: tuple[type[Any], ...] = (Session, Authorization, Attempts, SigningKey)
        return State(
            script.statuses,
            {id_: data and data.get("remainingAttendeeCapacity") for id_, data in (await shown(store, SESSIONS))},
            {
                f"{feed} {id_}": data and _statuses(data)
                for feed in (ORDERS, ORDER_PROPOSALS)
                for id_, data in await shown(store, Feed(feed, "alice"))
            },
            (figures.leases, figures.ended_leases),
            {kind.__name__: len(await identity.find(kind)) for kind in kinds},
            await store.check_integrity(),
        )
    finally:
        await store.close()
        await identity.close()


def _statuses(order: Any) -> list[str | None]:
    """Return the status of the proposal, if it is one, and of each item."""
    items = (item.get("orderItemStatus") for item in order["orderedItem"])
    return [order.get("orderProposalStatus"), *items]


async def shown(store: SqlStore, feed: Feed) -> list[tuple[str, Any]]:
    """Return the newest data of each item of a feed."""
    return [(id_, data) for id_, (_, data) in (await harvested_at_rest(store, feed)).items()]


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """The file with the number of seconds that the clock of the server is ahead."""
    turn_clock(tmp_path / "clock", 0)
    return tmp_path / "clock"


@pytest.fixture
def jumps(kind: str, is_long_run: bool) -> list[float]:
    """The jumps: ahead and back in a long run, and in a short run one of them for each kind of database."""
    if is_long_run:
        return [TEN_DAYS, -TEN_DAYS]
    return [TEN_DAYS if kind == "sqlite" else -TEN_DAYS]


@pytest.mark.spec("OB-FEED-19")
@DATABASES
async def test_a_clock_jump_of_ten_days_changes_nothing(
    new_database: Callable[[], str], kind: str, clock: Path, jumps: list[float]
) -> None:
    undisturbed = await state_after(new_database(), clock, None)
    assert undisturbed.faults == []
    assert {status for _, status in undisturbed.statuses} == {200, 201, 204}
    assert list(undisturbed.open_feed.values()).count(None) == 1
    for jump in jumps:
        assert await state_after(new_database(), clock, jump) == undisturbed


@pytest.mark.spec("OB-FEED-19")
@DATABASES
async def test_a_server_that_starts_with_a_wrong_clock_removes_nothing(
    new_database: Callable[[], str], kind: str, clock: Path, jumps: list[float]
) -> None:
    for jump in jumps:
        plan = Plan(new_database(), 1, CAPACITIES, f"clock {clock} 0")
        await stock(plan)
        with Served(plan, access="openid", lease_seconds="3600") as served:
            script = Script(plan, served)
            await script.lease(4, "spin", "spin")
            await script.propose(6)
        before = await state_of(plan, script)
        turn_clock(clock, jump)
        with Served(plan, access="openid", lease_seconds="3600"):
            await asyncio.sleep(WRONG_AT_THE_START_SECONDS)
            turn_clock(clock, 0)
            await asyncio.sleep(SECONDS_TO_SWEEP)
        assert await state_of(plan, script) == before
