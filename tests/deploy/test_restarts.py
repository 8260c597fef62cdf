"""Servers behind a proxy are replaced one after the other while Brokers book: no booking fails, and none is lost.

`make test` replaces one of two servers behind nginx, on SQLite. `make deployment` replaces both, also behind Caddy and
on PostgreSQL.
"""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.order import Caller
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.builders import new_uuid
from support.deployment.proxies import SITE, free_port, running_proxy
from support.parties import CENTRE
from support.races.brokers import order_body
from support.servers.served_system import Plan, Served

pytestmark = pytest.mark.anyio
BROKERS = 4
# As long as nginx leaves out a server that did not answer.
LEFT_OUT_SECONDS = 2.5
# Caddy asks every two seconds whether a server is ready. nginx does not ask.
DRAIN_SECONDS = {"nginx": "0.2", "caddy": "5"}


class Broker:
    """Books through the proxy until it is told to stop."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.statuses: dict[str, int] = {}
        self.stopped = False

    async def book(self) -> None:
        headers = {"Authorization": "Bearer obk_alice", "Content-Type": BOOKING_MEDIA_TYPE}
        body = order_body(Identifiers(f"https://{SITE}/api"), ["yoga"])
        while not self.stopped:
            uuid = new_uuid()
            reply = await self._client.put(f"/api/orders/{uuid}", headers=headers, json=body)
            self.statuses[uuid] = reply.status_code
            await asyncio.sleep(0.01)


async def test_no_booking_fails_or_is_lost_while_servers_are_replaced(
    kind_of_proxy: str, database: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    plan = Plan(database, 1, {"yoga": 100_000})
    await plan.stock()
    drain = DRAIN_SECONDS[kind_of_proxy]
    is_long = pytestconfig.getoption("--deployment")
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        running = [stack.enter_context(Served(plan, port=str(port), drain_seconds=drain)) for port in ports]
        proxy = stack.enter_context(running_proxy(kind_of_proxy, tmp_path, ports))
        async with proxy.async_client() as client:
            broker = Broker(client)
            bookings = [asyncio.create_task(broker.book()) for _ in range(BROKERS)]
            for served, port in list(zip(running, ports, strict=True))[: len(ports) if is_long else 1]:
                await asyncio.sleep(LEFT_OUT_SECONDS if is_long else 0)
                await asyncio.to_thread(served.stop)
                stack.enter_context(await asyncio.to_thread(Served, plan, port=str(port)))
            broker.stopped = True
            await asyncio.gather(*bookings)
    assert set(broker.statuses.values()) == {201}
    assert len(broker.statuses) > BROKERS
    store = plan.open_store()
    for uuid in broker.statuses:
        await store.execute(GetOrder(caller=Caller("alice", frozenset({CENTRE.key})), uuid=uuid))
    await store.close()
