"""Events of every type: in their feed, and from booking to cancellation."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.openactive.terms import EventStatus
from support.builders import UUID, course, event, headline_event
from support.http_system import COURSE, FESTIVAL, LESSON, RUN, TALK, VIDEO, World
from support.parties import MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio


@pytest.mark.spec("OB-BKBL-03", "OB-BKBL-31", "OB-BKBL-32", "OB-BKBL-35", "OB-DISC-20")
async def test_the_events_feed_has_every_type_of_event_and_embeds_headline_events(world: World) -> None:
    feed = await world.read_feed("/feeds/events")
    kinds = {entry["id"]: entry["kind"] for entry in feed.values()}
    assert {kinds[family[-1].path] for family in (RUN, FESTIVAL, COURSE)} == {
        "Event",
        "HeadlineEvent",
        "CourseInstance",
    }
    talk, lesson = feed["talk"]["data"], feed["lesson"]["data"]
    assert talk["superEvent"]["@id"] == world.ids.opportunity(TALK[0].path)
    assert talk["superEvent"]["@type"] == "HeadlineEvent"
    assert lesson["superEvent"]["eventSchedule"]
    assert talk["offers"][0]["@id"].startswith(talk["@id"])
    assert "superEvent" not in feed["run"]["data"]


@pytest.mark.spec("OB-BKBL-34", "OB-BKBL-35")
async def test_the_days_of_a_course_are_in_the_time_zone_of_its_location(world: World) -> None:
    data = (await world.read_feed("/feeds/events"))["course"]["data"]
    assert (data["startDate"], data["endDate"], data["duration"]) == ("2027-03-03", "2027-03-24", "P21D")


@pytest.mark.spec("OB-FEED-21", "OB-BKBL-38")
async def test_a_change_of_an_event_changes_its_subevents(world: World) -> None:
    before = await world.read_feed("/feeds/events")
    await world.store.execute(ChangeLogistics(opportunity=TALK[0].path, name="Congress", actor=MANAGER))
    after = await world.read_feed("/feeds/events")
    assert after["talk"]["data"]["superEvent"]["name"] == "Congress"
    assert after["conference"]["data"]["name"] == "Congress"
    changed = {key for key in before if before[key]["modified"] != after[key]["modified"]}
    assert changed == {"talk", "conference"}
    await world.store.execute(Publish((TALK[0],), actor=MANAGER))
    assert (await world.read_feed("/feeds/events"))["talk"]["data"]["superEvent"]["name"] == "Run"


@pytest.mark.spec("OB-BKBL-10", "OB-CAN-05", "OB-CAN-09")
async def test_an_on_demand_event_never_ends_and_can_be_cancelled(world: World, validator: Validator) -> None:
    world.pass_time(days=4000)
    items = [world.item(VIDEO, position) for position in range(30)]
    order = await world.call("PUT", f"orders/{UUID}", world.order(*items, total=360))
    assert order.status_code == 201
    assert "remainingAttendeeCapacity" not in order.json()["orderedItem"][0]["orderedItem"]
    patch = {
        "@context": "https://openactive.io/",
        "@type": "Order",
        "orderedItem": [
            {
                "@type": "OrderItem",
                "@id": order.json()["orderedItem"][0]["@id"],
                "orderItemStatus": "https://openactive.io/CustomerCancelled",
            }
        ],
    }
    assert (await world.call("PATCH", f"orders/{UUID}", patch)).status_code == 204
    data = (await world.read_feed("/api/orders-rpde"))[UUID]["data"]
    assert validator.failures("OrdersFeed", data) == []


@pytest.mark.spec("OB-SEL-01", "OB-SEL-02", "OB-BKBL-11", "OB-VAL-18")
async def test_a_cancelled_festival_is_cancelled_in_feed_and_orders(world: World, validator: Validator) -> None:
    order = world.order(world.item(FESTIVAL, 0), world.item(LESSON, 1), total=24)
    assert (await world.call("PUT", f"orders/{UUID}", order)).status_code == 201
    await world.store.execute(
        CancelOpportunity(opportunity=FESTIVAL[-1].path, message="The field is flooded.", actor=MANAGER)
    )
    feed = (await world.read_feed("/feeds/events"))["festival"]["data"]
    assert feed["eventStatus"] == EventStatus.CANCELLED
    data = (await world.read_feed("/api/orders-rpde"))[UUID]["data"]
    assert validator.failures("OrdersFeed", data) == []
    first, second = data["orderedItem"]
    assert first["orderItemStatus"] == "https://openactive.io/SellerCancelled"
    assert first["cancellationMessage"] == "The field is flooded."
    assert second["orderItemStatus"] == "https://openactive.io/OrderItemConfirmed"
    assert data["totalPaymentDue"]["price"] == 12
    quote = await world.call(
        "PUT", "order-quote-templates/315cb117-232b-42b2-80dc-61bb20154e7d", world.quote(world.item(FESTIVAL))
    )
    assert quote.status_code == 409


async def test_the_spaces_of_a_subevent_are_its_own(world: World) -> None:
    whole = headline_event("gala", capacity=2)
    part = event("heat", parent=whole, capacity=1)
    await world.store.execute(Publish(tuple(part), actor=MANAGER))
    assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(part)))).status_code == 201
    feed = await world.read_feed("/feeds/events")
    assert feed["heat"]["data"]["remainingAttendeeCapacity"] == 0
    assert feed["gala"]["data"]["remainingAttendeeCapacity"] == 2


async def test_a_course_can_be_booked_until_its_last_day_is_over(world: World) -> None:
    (late,) = course("late")
    await world.store.execute(
        Publish((replace(late, start=late.start, end=world.clock() + timedelta(days=5)),), actor=MANAGER)
    )
    world.pass_time(days=4)
    assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item([late])))).status_code == 201
