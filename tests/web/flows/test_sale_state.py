"""Opportunities that are not on sale, in feeds, quotes and Orders."""

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from support.builders import UUID, new_uuid, session
from support.http_system import World
from support.parties import CUSTOMER, MANAGER

pytestmark = pytest.mark.anyio

YOGA = session("yoga")
FEEDS = ("/feeds/session-series", "/feeds/scheduled-sessions")


@pytest.mark.spec("OB-FEED-18", "OB-VAL-18", "OB-B-10")
async def test_unpublished_items_leave_the_feeds_and_cannot_be_booked_and_orders_stay(world: World) -> None:
    """The repeat of an earlier B and Order Status return the same bytes as before."""
    await world.store.execute(Publish(tuple(YOGA), actor=MANAGER))
    asked = world.order(world.item(YOGA))
    booked = await world.call("PUT", f"orders/{UUID}", asked)
    status = await world.call("GET", f"orders/{UUID}")
    assert (booked.status_code, status.status_code) == (201, 200)
    unpublish = SetSaleState(opportunity=YOGA[0].path, sale=SaleState.UNPUBLISHED, actor=MANAGER)
    await world.store.execute(unpublish)
    for feed, key in zip(FEEDS, ("series-yoga", "yoga"), strict=True):
        assert (await world.read_feed(feed))[key]["state"] == "deleted"
    asked_before = world.quote(world.item(YOGA), customer=CUSTOMER)
    for checkpoint in ("order-quote-templates", "order-quotes"):
        quoted = await world.call("PUT", f"{checkpoint}/{new_uuid()}", asked_before)
        assert quoted.status_code == 409
        (error,) = quoted.json()["orderedItem"][0]["error"]
        assert error["@type"] == "OpportunityOfferPairNotBookableError"
    assert (await world.call("PUT", f"orders/{new_uuid()}", asked)).status_code == 409
    assert (await world.call("PUT", f"orders/{UUID}", asked)).content == booked.content
    assert (await world.call("GET", f"orders/{UUID}")).content == status.content
    await world.store.execute(replace(unpublish, sale=SaleState.ON_SALE))
    assert (await world.read_feed(FEEDS[1]))["yoga"]["data"]["remainingAttendeeCapacity"] == 9
    assert (await world.call("PUT", f"orders/{new_uuid()}", asked)).status_code == 201
