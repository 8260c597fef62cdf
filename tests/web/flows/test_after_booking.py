"""Changes by Sellers after a booking. Brokers see each change as one version of one Order (OB 8.3.3, 8.4)."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify, RecordAttendance, RenewAccess, SellerCancel
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.opportunity import AccessRules, Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.terms import OPENACTIVE, SCHEMA, EventStatus
from support.builders import UUID, session
from support.http_system import COURSE, COURT, FESTIVAL, HALL, RUN, SITE, TALK, YOGA, Follower, World
from support.parties import MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
B = f"orders/{UUID}"
KEY = OrderKey("alice", UUID)
ORDERS = "/api/orders-rpde"
OPEN = ("session-series", "scheduled-sessions", "facility-uses", "individual-facility-uses", "slots", "events")
GUARDED = session("guarded", access=AccessRules(code=True, pass_image="https://example.com/{code}.png"))
CHEAPER = session("cheaper", price=GUARDED[0].offers[0].price - 3)
SECOND = frozenset({2})
CANCELLED = f"{OPENACTIVE}CustomerCancelled"


class FeedFollowers:
    """Harvesters of the Orders feed of one partner and of all open feeds."""

    def __init__(self, world: World) -> None:
        self._orders = Follower(world, ORDERS)
        self._open = [Follower(world, f"/feeds/{name}") for name in OPEN]

    async def news(self) -> tuple[dict[str, Json], dict[str, Json]]:
        """Return the new items of the Orders feed and of the open feeds."""
        found = [await follower.news() for follower in self._open]
        return await self._orders.news(), {key: entry for feed in found for key, entry in feed.items()}


@pytest.fixture
async def stocked(world: World) -> World:
    """A Booking System with access codes, and with Opportunities that can replace others."""
    for family in (GUARDED, CHEAPER):
        await world.store.execute(Publish(tuple(family), actor=MANAGER))
    return world


async def book_each(world: World, *families: list[Opportunity], partner: str = "alice") -> Json:
    """Book one space of each of these Opportunities, and return the Order."""
    items = [world.item(family, position) for position, family in enumerate(families)]
    reply = await world.call("PUT", B, world.order(*items, total=12 * len(items)), partner)
    assert reply.status_code == 201
    order: Json = reply.json()
    return order


def differences(before: Json, after: Json) -> set[str]:
    """Return the names of the properties that differ between two versions of an Order, and of its items by number."""
    found = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} - {"orderedItem"}
    for number, (was, now) in enumerate(zip(before["orderedItem"], after["orderedItem"], strict=True), 1):
        found |= {f"{number} {name}" for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    return found


TOTALS = {"totalPaymentDue", "totalPaymentTax"}
CHANGES: dict[str, tuple[Command[Any], set[str], set[str]]] = {
    "cancelled": (
        SellerCancel(order=KEY, numbers=SECOND, message="Flood.", actor=MANAGER),
        {"2 orderItemStatus", "2 cancellationMessage", *TOTALS},
        {"guarded"},
    ),
    "cancelled without a word": (
        SellerCancel(order=KEY, numbers=SECOND, actor=MANAGER),
        {"2 orderItemStatus", *TOTALS},
        {"guarded"},
    ),
    "all cancelled": (
        SellerCancel(order=KEY, actor=MANAGER),
        {"1 orderItemStatus", "2 orderItemStatus", "3 orderItemStatus", *TOTALS},
        {"guarded", "hall"},
    ),
    "notified": (
        Notify(order=KEY, notice="Bring a mat.", actor=MANAGER),
        {f"{n} customerNotice" for n in (1, 2, 3)},
        set(),
    ),
    "attended": (
        RecordAttendance(order=KEY, numbers=SECOND, attended=True, actor=MANAGER),
        {"2 orderItemStatus"},
        set(),
    ),
    "missed": (
        RecordAttendance(order=KEY, numbers=SECOND, attended=False, actor=MANAGER),
        {"2 orderItemStatus"},
        set(),
    ),
    "code renewed": (
        RenewAccess(order=KEY, nonce="n", code=True, actor=MANAGER),
        {"1 accessCode", "2 accessCode"},
        set(),
    ),
    "pass renewed": (
        RenewAccess(order=KEY, numbers=SECOND, nonce="n", passes=True, actor=MANAGER),
        {"2 accessPass"},
        set(),
    ),
    "replaced": (
        Replace(order=KEY, number=2, opportunity=CHEAPER[-1].path, offer=CHEAPER[0].offers[0].ref, actor=MANAGER),
        {f"2 {n}" for n in ("orderedItem", "acceptedOffer", "unitTaxSpecification", "accessCode", "accessPass")}
        | TOTALS,
        {"guarded", "cheaper"},
    ),
}


@pytest.mark.spec(
    "OB-OF-02", "OB-OF-06", "OB-OF-07", "OB-OF-08", "OB-OF-14", "OB-OF-15", "OB-OF-22", "OB-OF-27", "OB-OF-28"
)
@pytest.mark.spec(
    "OB-SEL-01", "OB-SEL-02", "OB-SEL-03", "OB-SEL-04", "OB-SEL-05", "OB-SEL-09", "OB-SEL-10", "OB-OST-04"
)
@pytest.mark.spec("OB-NOTIF-01", "OB-NOTIF-02", "OB-NOTIF-07", "OB-NOTIF-08", "OB-NOTIF-10", "OB-OF-09", "OB-OF-18")
@pytest.mark.parametrize("what", CHANGES)
async def test_each_change_is_one_complete_version_of_the_order(
    stocked: World, validator: Validator, what: str
) -> None:
    command, changed, published = CHANGES[what]
    await book_each(stocked, GUARDED, GUARDED, HALL)
    await book_each(stocked, GUARDED, partner="bob")
    before = (await stocked.call("GET", B)).json()
    onlookers = FeedFollowers(stocked)
    await onlookers.news()
    await stocked.store.execute(command)
    orders, opportunities = await onlookers.news()
    assert (list(orders), set(opportunities)) == ([UUID], published)
    assert await stocked.read_feed(ORDERS, "bob") == {}
    after = (await stocked.call("GET", B)).json()
    assert differences(before, after) == changed
    data = orders[UUID]["data"]
    assert validator.failures("OrdersFeed", data) == []
    for now, shown in zip(after["orderedItem"], data["orderedItem"], strict=True):
        told = {name: value for name, value in now.items() if name != "orderedItem"}
        assert {**shown, "orderedItem": None} == {**told, "orderedItem": None}
        assert shown["orderedItem"] == now["orderedItem"]["@id"]
    assert (data["totalPaymentDue"], data.get("totalPaymentTax")) == (
        after["totalPaymentDue"],
        after.get("totalPaymentTax"),
    )
    assert after["totalPaymentDue"]["price"] <= before["totalPaymentDue"]["price"]
    if not isinstance(command, Replace):
        await stocked.store.execute(command)
        assert await onlookers.news() == ({}, {})


@pytest.mark.spec("OB-SEL-01", "OB-BKBL-11", "OB-OF-08", "OB-NOTIF-04", "OB-VAL-18")
@pytest.mark.parametrize("family", [YOGA, RUN, FESTIVAL, TALK, COURSE], ids=lambda family: family[-1].path)
async def test_a_cancelled_opportunity_is_cancelled_in_all_orders_at_once(
    sqlite_world: World, validator: Validator, family: list[Opportunity]
) -> None:
    await cancel_slot(sqlite_world, validator, family)


@pytest.mark.spec("OB-SEL-01", "OB-BKBL-11", "OB-OF-08", "OB-VAL-18")
async def test_a_slot_is_cancelled_on_every_store(world: World, validator: Validator) -> None:
    await cancel_slot(world, validator, HALL)


async def cancel_slot(world: World, validator: Validator, family: list[Opportunity]) -> None:
    other = RUN if family is YOGA else YOGA
    await book_each(world, family, other)
    await book_each(world, other, family, partner="bob")
    onlookers = FeedFollowers(world)
    await onlookers.news()
    await world.store.execute(CancelOpportunity(opportunity=family[-1].path, message="Flood.", actor=MANAGER))
    orders, opportunities = await onlookers.news()
    published = opportunities[family[-1].path.rpartition("/")[2]]["data"]
    assert validator.failures("BookableRPDEFeed", published) == []
    if family is HALL:
        assert published["remainingUses"] == 0
    else:
        assert published["eventStatus"] == f"{SCHEMA}EventCancelled"
    bobs = await world.read_feed(ORDERS, "bob")
    for feed, number in ((orders, 0), (bobs, 1)):
        data = feed[UUID]["data"]
        assert validator.failures("OrdersFeed", data) == []
        off, on = data["orderedItem"][number], data["orderedItem"][1 - number]
        assert (off["orderItemStatus"], off["cancellationMessage"]) == (f"{OPENACTIVE}SellerCancelled", "Flood.")
        assert on["orderItemStatus"] == f"{OPENACTIVE}OrderItemConfirmed"
        assert data["totalPaymentDue"]["price"] == 12
    quote = await world.call("PUT", f"order-quote-templates/{UUID[:-1]}9", world.quote(world.item(family)))
    assert quote.status_code == 409
    with pytest.raises(NothingToCancelError):
        await world.store.execute(CancelOpportunity(opportunity=family[-1].path, message="Flood.", actor=MANAGER))
    await world.store.execute(Publish((replace(family[-1], status=EventStatus.CANCELLED),), actor=MANAGER))
    assert await onlookers.news() == ({}, {})


def inherited(opportunity: Json) -> Json:
    """Return an Opportunity together with the properties that it inherits from its parent."""
    belongs = opportunity.get("superEvent") or opportunity.get("facilityUse") or opportunity.get("aggregateFacilityUse")
    return {**(inherited(belongs) if isinstance(belongs, dict) else {}), **opportunity}


ELSEWHERE = {
    "@type": "Place",
    "name": "Town Hall",
    "address": {
        "@type": "PostalAddress",
        "streetAddress": "2 Low Street",
        "addressLocality": "Testford",
        "addressRegion": "Testshire",
        "postalCode": "TE5 7AB",
        "addressCountry": "GB",
    },
}


def new_time(family: list[Opportunity]) -> Json:
    start, end = family[-1].start, family[-1].end
    assert start is not None
    assert end is not None
    return {"start": start.replace(day=10), "end": end.replace(day=11 if end.day < 11 else 30)}


@pytest.mark.spec(
    "OB-NOTIF-04", "OB-NOTIF-05", "OB-NOTIF-06", "OB-NOTIF-10", "OB-OF-07", "OB-OF-15", "OB-OF-17", "OB-BKBL-38"
)
@pytest.mark.parametrize("what", ["time", "name", "place"])
@pytest.mark.parametrize("family", [YOGA, HALL, COURT, RUN, FESTIVAL, TALK, COURSE], ids=lambda family: family[-1].path)
async def test_a_change_of_logistics_reaches_every_order_and_the_open_feeds(
    sqlite_world: World, validator: Validator, family: list[Opportunity], what: str
) -> None:
    await change_logistics(sqlite_world, validator, family, what)


@pytest.mark.spec("OB-NOTIF-06")
@pytest.mark.parametrize(("family", "what"), [(COURT, "name"), (TALK, "time")], ids=["court", "talk"])
async def test_a_change_of_logistics_reaches_orders_on_every_store(
    world: World, validator: Validator, family: list[Opportunity], what: str
) -> None:
    await change_logistics(world, validator, family, what)


@pytest.mark.spec("OB-NOTIF-06", "OB-OF-17", "OB-OST-04")
@pytest.mark.parametrize("described", [0, -1], ids=["series", "session"])
async def test_a_republished_opportunity_reaches_its_orders_on_every_store(
    world: World, validator: Validator, described: int
) -> None:
    await book_each(world, YOGA, RUN)
    onlookers = FeedFollowers(world)
    await onlookers.news()
    for family in (YOGA, RUN):
        await world.store.execute(Publish(tuple(family), actor=MANAGER))
    assert await onlookers.news() == ({}, {})
    before = (await world.call("GET", B)).json()
    told = {"name": "Tango", "location": ELSEWHERE}
    changes = {"properties": {**YOGA[described].properties, **told}} | (new_time(YOGA) if described else {})
    new = [*YOGA]
    new[described] = replace(YOGA[described], **changes)
    for _ in range(2):
        await world.store.execute(Publish((*new, *RUN), actor=MANAGER))
    orders, opportunities = await onlookers.news()
    assert (list(orders), list(opportunities)) == ([UUID], [new[described].path.rpartition("/")[2]])
    assert differences(before, (await world.call("GET", B)).json()) == {"1 orderedItem"}
    data = orders[UUID]["data"]
    assert validator.failures("OrdersFeed", data) == []
    shown = inherited(data["orderedItem"][0]["orderedItem"])
    in_feed = opportunities[new[described].path.rpartition("/")[2]]["data"]
    for name in ("name", "location", *(("startDate", "endDate") if described else ())):
        assert shown[name] == in_feed[name]
    await world.store.execute(Publish(tuple(new), actor=MANAGER))
    assert await onlookers.news() == ({}, {})


async def change_logistics(world: World, validator: Validator, family: list[Opportunity], what: str) -> None:
    changes = {"time": new_time(family), "name": {"name": "Tango"}, "place": {"location": ELSEWHERE}}[what]
    other = RUN if family is YOGA else YOGA
    partners = ["alice"] if family is COURT else ["alice", "bob"]
    for partner in partners:
        await book_each(world, family, other, partner=partner)
    before = (await world.call("GET", B)).json()
    onlookers = FeedFollowers(world)
    await onlookers.news()
    await world.store.execute(ChangeLogistics(opportunity=family[-1].path, actor=MANAGER, **changes))
    orders, opportunities = await onlookers.news()
    assert list(orders) == [UUID]
    described = family[-2] if family in (HALL, COURT) and what != "time" else family[-1]
    assert described.path.rpartition("/")[2] in opportunities
    for entry in opportunities.values():
        assert validator.failures("BookableRPDEFeed", entry["data"]) == []
    properties = {"time": {"startDate", "endDate", "duration"}, "name": {"name"}, "place": {"location"}}[what]
    after = (await world.call("GET", B)).json()
    assert differences(before, after) == {"1 orderedItem"}
    was, now = (inherited(order["orderedItem"][0]["orderedItem"]) for order in (before, after))
    changed = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    assert changed - {"superEvent", "facilityUse", "aggregateFacilityUse"} <= properties
    assert changed & properties
    for partner in partners:
        data = (await world.read_feed(ORDERS, partner))[UUID]["data"]
        assert validator.failures("OrdersFeed", data) == []
        moved, unmoved = data["orderedItem"]
        shown = inherited(moved["orderedItem"])
        assert {name: shown.get(name) for name in properties} == {name: now.get(name) for name in properties}
        assert unmoved["orderedItem"]["@id"] == world.ids.opportunity(other[-1].path)
        assert {item["orderItemStatus"] for item in data["orderedItem"]} == {f"{OPENACTIVE}OrderItemConfirmed"}
        assert not {"customerNotice"} & moved.keys()
    await world.store.execute(ChangeLogistics(opportunity=family[-1].path, actor=MANAGER, **changes))
    assert await onlookers.news() == ({}, {})


@pytest.mark.spec("OB-OF-16", "OB-NOTIF-03", "OB-CAN-16", "OB-OF-07")
async def test_withdrawn_opportunities_leave_the_feed(stocked: World, validator: Validator) -> None:
    order = await book_each(stocked, GUARDED, HALL)
    await stocked.store.execute(Notify(order=KEY, notice="Bring a mat.", actor=MANAGER))
    item = {"@type": "OrderItem", "@id": order["orderedItem"][0]["@id"], "orderItemStatus": CANCELLED}
    body = {"@context": OPENACTIVE, "@type": "Order", "orderedItem": [item]}
    assert (await stocked.call("PATCH", B, body)).status_code == 204
    data = (await stocked.read_feed(ORDERS))[UUID]["data"]
    assert validator.failures("OrdersFeed", data) == []
    cancelled, kept = data["orderedItem"]
    assert (cancelled["orderItemStatus"], kept["customerNotice"]) == (CANCELLED, "Bring a mat.")
    assert not {"customerNotice", "cancellationMessage"} & cancelled.keys()
    await stocked.store.execute(
        Replace(order=KEY, number=2, opportunity=YOGA[-1].path, offer=YOGA[0].offers[0].ref, actor=MANAGER)
    )
    data = (await stocked.read_feed(ORDERS))[UUID]["data"]
    assert data["orderedItem"][1]["orderedItem"] == f"{SITE}/api/identifiers/scheduled-sessions/yoga"


@pytest.mark.spec("OB-SEL-05", "OB-SEL-08", "OB-SEL-10", "OB-OF-18", "OB-SEL-06", "OB-SEL-07")
async def test_replacements_and_cancellations_never_raise_the_total(stocked: World, validator: Validator) -> None:
    order = await book_each(stocked, GUARDED, YOGA)
    dues, ids = [order["totalPaymentDue"]["price"]], [order["orderedItem"][0]["orderedItem"]["@id"]]
    swim = session("swim", price=CHEAPER[0].offers[0].price - 1)
    await stocked.store.execute(Publish(tuple(swim), actor=MANAGER))
    commands: tuple[Command[Any], ...] = (
        Replace(order=KEY, number=1, opportunity=CHEAPER[-1].path, offer=CHEAPER[0].offers[0].ref, actor=MANAGER),
        Replace(order=KEY, number=1, opportunity=swim[-1].path, offer=swim[0].offers[0].ref, actor=MANAGER),
        SellerCancel(order=KEY, numbers=frozenset({1}), actor=MANAGER),
    )
    for command in commands:
        await stocked.store.execute(command)
        data = (await stocked.read_feed(ORDERS))[UUID]["data"]
        assert validator.failures("OrdersFeed", data) == []
        dues.append(data["totalPaymentDue"]["price"])
        ids.append(data["orderedItem"][0]["orderedItem"])
    assert dues == [24, 21, 20, 12]
    keys = [id_.rpartition("/")[2] for id_ in ids]
    assert keys == ["guarded", "cheaper", "swim", "swim"]
    assert data["orderedItem"][0]["acceptedOffer"]["price"] == 8
