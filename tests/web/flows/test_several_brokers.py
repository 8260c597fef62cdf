"""A Booking Partner can book for several Brokers, and a Broker can use several partners (OB 11.7.2)."""

import pytest

from support.builders import new_uuid
from support.http_system import YOGA, World
from support.parties import BROKER

pytestmark = pytest.mark.anyio

OTHER_BROKER = {"@type": "Organization", "name": "Another app, never heard of before"}
PAYMENT = {"@type": "Payment", "identifier": "payment-1", "name": "Points", "accountId": "SN1"}


@pytest.mark.spec("OB-AUTH-16", "OB-AUTH-17", "OB-AUTH-18", "OB-AUTH-22", "OB-AUTH-23")
async def test_a_partner_books_for_brokers_without_registering_them(world: World) -> None:
    booked = {}
    for partner in ("alice", "bob"):
        for broker in (BROKER, OTHER_BROKER):
            order_uuid = new_uuid()
            body = world.order(world.item(YOGA), broker=broker, payment=PAYMENT)
            reply = await world.call("PUT", f"orders/{order_uuid}", body, partner=partner)
            assert (reply.status_code, reply.json()["broker"]) == (201, broker)
            booked[order_uuid] = partner
    for order_uuid, owner in booked.items():
        for partner in ("alice", "bob"):
            reply = await world.call("GET", f"orders/{order_uuid}", partner=partner)
            assert reply.status_code == (200 if partner == owner else 404)
