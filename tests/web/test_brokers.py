"""Whoever the `broker` says it is decides nothing: credentials do (OB 11.7.2)."""

from pathlib import Path
from typing import Any

import pytest

from builders import new_uuid
from world import YOGA, World, open_world

pytestmark = pytest.mark.anyio

RECONCILED = {"name": "Points", "accountId": "SN1593", "paymentProviderId": "STRIPE"}


def broker(name: str) -> dict[str, Any]:
    return {"@type": "Organization", "name": name, "url": f"https://{name.lower()}.example.com"}


async def book(world: World, partner: str, name: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    """An Order that a partner makes for a Broker of this name."""
    uuid = new_uuid()
    body = world.order(world.item(YOGA), broker=broker(name), **changes)
    reply = await world.call("PUT", f"orders/{uuid}", body, partner)
    assert reply.status_code == 201
    return uuid, reply.json()


@pytest.mark.spec("OB-AUTH-16", "OB-AUTH-17")
async def test_one_partner_acts_for_many_brokers_that_nobody_has_heard_of(world: World) -> None:
    uuids = []
    for name in ("Alpha", "Beta", "Gamma"):
        uuid, order = await book(world, "alice", name)
        assert order["broker"]["name"] == name
        uuids.append(uuid)
    for uuid in uuids:
        assert (await world.call("GET", f"orders/{uuid}")).status_code == 200
        assert (await world.call("DELETE", f"orders/{uuid}")).status_code == 204


@pytest.mark.spec("OB-AUTH-18")
async def test_one_broker_with_two_credentials_is_two(world: World) -> None:
    uuid, _ = await book(world, "alice", "Alpha")
    await book(world, "bob", "Alpha")
    for method in ("GET", "DELETE"):
        assert (await world.call(method, f"orders/{uuid}", partner="bob")).status_code == 404


@pytest.mark.spec("OB-AUTH-23")
async def test_the_same_payment_details_serve_many_credentials_and_brokers(tmp_path: Path) -> None:
    reconciliation = {
        "reconciliation_name": RECONCILED["name"],
        "reconciliation_account_id": RECONCILED["accountId"],
        "reconciliation_payment_provider_id": RECONCILED["paymentProviderId"],
    }
    payment = {"@type": "Payment", "identifier": "payment-1", **RECONCILED}
    async with open_world("sqlite", tmp_path, **reconciliation) as world:
        for partner, name in (("alice", "Alpha"), ("alice", "Beta"), ("bob", "Alpha"), ("bob", "Beta")):
            _, order = await book(world, partner, name, payment=payment)
            assert order["payment"] == payment
