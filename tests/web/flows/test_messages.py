"""The properties that messages of the booking flow must have, and the properties that they must not have."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.seller_decisions import Notify, RenewAccess
from openbooking.booking.model.opportunity import AccessRules, FormField, Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.messages import (
    Message,
    Offer,
    OpenBookingError,
    Order,
    OrderFeedData,
    OrderItemPatch,
    OrderItemRequest,
    OrderPatch,
    OrderQuote,
    OrderRequest,
    Payment,
    PriceSpecification,
    known_part,
)
from openbooking.openactive.terms import (
    OPENACTIVE,
    SCHEMA,
    Availability,
    BrokerRole,
    FlowRequirement,
    FormFieldType,
    OrderType,
)
from support.builders import UUID, offer, session, slot
from support.http_system import COURSE, COURT, FESTIVAL, HALL, SITE, YOGA, World
from support.parties import BROKER, CUSTOMER, MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
CANCELLED = f"{OPENACTIVE}CustomerCancelled"
ACCESS = frozenset({"accessCode", "accessPass", "accessChannel"})


async def messages(world: World, family: list[Opportunity]) -> dict[str, Json]:
    """Book and cancel one space, and return all messages about it by name."""
    quote = world.quote(world.item(family), payment={"@type": "Payment", "name": "AcmeBroker Points"})
    replies = {
        "C1": await world.call("PUT", f"order-quote-templates/{UUID}", quote),
        "C2": await world.call("PUT", f"order-quotes/{UUID}", {**quote, "customer": CUSTOMER}),
        "B": await world.call("PUT", f"orders/{UUID}", world.order(world.item(family))),
        "status": await world.call("GET", f"orders/{UUID}"),
    }
    found: dict[str, Json] = {name: reply.json() for name, reply in replies.items()}
    await cancel(world, found["B"])
    found["feed"] = (await world.read_feed("/api/orders-rpde"))[UUID]["data"]
    return found


async def cancel(world: World, order: Json) -> None:
    item = {"@type": "OrderItem", "@id": order["orderedItem"][0]["@id"], "orderItemStatus": CANCELLED}
    body = {"@context": OPENACTIVE, "@type": "Order", "orderedItem": [item]}
    assert (await world.call("PATCH", f"orders/{UUID}", body)).status_code == 204


def empties(value: Any, path: str = "$") -> Iterator[str]:
    """Yield the paths of nulls, empty strings, empty arrays and empty objects."""
    if value is None or value in ("", [], {}):
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from empties(member, f"{path}.{name}")


TYPES: dict[str, type[Message]] = {
    "C1": OrderQuote,
    "C2": OrderQuote,
    "B": Order,
    "status": Order,
    "feed": OrderFeedData,
}


@pytest.mark.parametrize("family", [YOGA, COURT, HALL], ids=["session", "court", "hall"])
async def test_messages_are_the_same_after_a_client_has_decoded_and_encoded_them(
    sqlite_world: World, family: list[Opportunity]
) -> None:
    found = await messages(sqlite_world, family)
    for name, type_ in TYPES.items():
        decoded = msgspec.convert(found[name], type_)
        assert msgspec.json.decode(msgspec.json.encode(decoded)) == found[name], name
    offer_id = found["B"]["orderedItem"][0]["acceptedOffer"]["@id"]
    accepted = msgspec.convert(found["B"], Order).ordered_item[0].accepted_offer
    assert isinstance(accepted, dict)
    assert known_part(accepted, Offer).id == offer_id


async def test_client_sends_requests_that_it_builds_of_message_types(sqlite_world: World) -> None:
    sent = sqlite_world.item(YOGA)
    item = OrderItemRequest(position=1, ordered_item=sent["orderedItem"], accepted_offer=sent["acceptedOffer"])
    request = OrderRequest(
        context=OPENACTIVE,
        type=OrderType.ORDER,
        seller=sqlite_world.ids.seller("centre"),
        broker_role=BrokerRole.AGENT,
        broker=BROKER,
        customer=CUSTOMER,
        ordered_item=(item,),
        total_payment_due=PriceSpecification(price=12, price_currency="GBP"),
        payment=Payment(type="Payment", identifier="payment-1"),
    )
    reply = await sqlite_world.call("PUT", f"orders/{UUID}", msgspec.json.encode(request))
    assert reply.status_code == 201
    order = msgspec.json.decode(reply.content, type=Order)
    booked = order.ordered_item[0]
    assert (booked.position, booked.order_item_status) == (1, f"{OPENACTIVE}OrderItemConfirmed")
    patch = OrderPatch(ordered_item=(OrderItemPatch(id=booked.id, order_item_status=CANCELLED),))
    assert (await sqlite_world.call("PATCH", f"orders/{UUID}", msgspec.json.encode(patch))).status_code == 204
    refused = await sqlite_world.call("PATCH", f"orders/{UUID}", b"{}")
    error = msgspec.json.decode(refused.content, type=OpenBookingError)
    assert (error.type, error.status_code) == ("UnexpectedOrderTypeError", refused.status_code)


@pytest.mark.spec("OB-MT-09", "OB-BKBL-27")
@pytest.mark.parametrize("family", [YOGA, COURT, HALL], ids=["session", "court", "hall"])
async def test_no_message_has_empty_members(sqlite_world: World, family: list[Opportunity]) -> None:
    for name, message in (await messages(sqlite_world, family)).items():
        assert list(empties(message)) == [], name
    for feed in ("session-series", "scheduled-sessions", "facility-uses", "individual-facility-uses", "slots"):
        for entry in (await sqlite_world.read_feed(f"/feeds/{feed}")).values():
            assert list(empties(entry)) == [], feed


@pytest.mark.spec("OB-VAL-46", "OB-VAL-47", "OB-C2-05", "OB-C1-10", "OB-C1-11", "OB-ACC-15")
async def test_quotes_have_no_properties_of_bookings(sqlite_world: World) -> None:
    found = await messages(sqlite_world, YOGA)
    booked_only = {"@id", "orderItemStatus", "cancellationMessage", "customerNotice", *ACCESS}
    for name in ("C1", "C2"):
        (item,) = found[name]["orderedItem"]
        assert not booked_only & item.keys()
        assert "identifier" not in found[name].get("payment", {})
    assert "customer" not in found["C1"]


@pytest.mark.spec("OB-VAL-27", "OB-VAL-28", "OB-OF-21", "OB-OST-05")
async def test_positions_are_only_in_replies_to_requests(sqlite_world: World) -> None:
    found = await messages(sqlite_world, YOGA)
    assert {name for name, message in found.items() if "position" in message["orderedItem"][0]} == {"C1", "C2", "B"}


@pytest.mark.spec("OB-VAL-36", "OB-MT-12")
@pytest.mark.parametrize(
    ("family", "capacities"),
    [
        (YOGA, {"maximumAttendeeCapacity": 10, "remainingAttendeeCapacity": 10}),
        (HALL, {"maximumUses": 5, "remainingUses": 5}),
    ],
    ids=["session", "hall"],
)
async def test_recommended_properties_are_supplied(
    sqlite_world: World, family: list[Opportunity], capacities: dict[str, int]
) -> None:
    quote = (await messages(sqlite_world, family))["C1"]
    (item,) = quote["orderedItem"]
    opportunity = item["orderedItem"]
    assert (opportunity["endDate"], opportunity["duration"]) == ("2027-03-03T13:00:00Z", "PT1H")
    assert opportunity.items() >= capacities.items()
    assert item["acceptedOffer"]["name"] == "Adult"
    assert quote["seller"]["url"]


@pytest.mark.spec("OB-VAL-36", "OB-PRIV-03", "OB-BKBL-24", "OB-BKBL-37", "OB-EXT-05")
async def test_restrictions_and_instructions_are_shown_as_published_and_not_enforced(sqlite_world: World) -> None:
    restrictions = {
        "ageRange": {"@type": "QuantitativeValue", "minValue": 50},
        "genderRestriction": f"{OPENACTIVE}FemaleOnly",
        "additionalAdmissionRestriction": ["Members of the library only"],
        "attendeeInstructions": "The link comes by email; have a mat ready.",
    }
    family = session("restricted")
    family[0] = replace(family[0], properties={**family[0].properties, **restrictions})
    await sqlite_world.store.execute(Publish(tuple(family), actor=MANAGER))
    published = (await sqlite_world.read_feed("/feeds/session-series"))["series-restricted"]["data"]
    assert published.items() >= restrictions.items()
    booked = (await messages(sqlite_world, family))["B"]
    assert booked["orderedItem"][0]["orderedItem"]["superEvent"].items() >= restrictions.items()


@pytest.mark.spec("OB-BKBL-35")
async def test_headline_events_and_courses_show_their_times(sqlite_world: World) -> None:
    events = await sqlite_world.read_feed("/feeds/events")
    data = {entry["data"]["@id"]: entry["data"] for entry in events.values()}
    headline, course = (data[sqlite_world.ids.opportunity(family[-1].path)] for family in (FESTIVAL, COURSE))
    assert "startDate" in headline
    assert "eventSchedule" not in headline
    assert "eventSchedule" in course or "subEvent" in course


QUESTION = FormField(key="age", type=FormFieldType.SHORT_ANSWER, name="Age", description="How old are you?")
FLOWS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "nothing": ({}, set()),
    "attendee": ({"attendee_details": (f"{SCHEMA}givenName",)}, {"OpenBookingAttendeeDetails"}),
    "form": ({"intake_form": (QUESTION,)}, {"OpenBookingIntakeForm"}),
    "approval": ({"flow": (FlowRequirement.APPROVAL,)}, {"OpenBookingApproval"}),
    "negotiation": (
        {"flow": (FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION)},
        {"OpenBookingApproval", "OpenBookingNegotiation"},
    ),
    "messages": (
        {"flow": (FlowRequirement.APPROVAL, FlowRequirement.MESSAGE_EXCHANGE), "intake_form": (QUESTION,)},
        {"OpenBookingApproval", "OpenBookingMessageExchange", "OpenBookingIntakeForm"},
    ),
}


@pytest.mark.spec("OB-BKBL-13", "OB-VAL-39")
@pytest.mark.parametrize(
    "what",
    [
        "nothing",
        pytest.param("attendee", marks=pytest.mark.spec("OB-BKBL-14")),
        pytest.param("form", marks=pytest.mark.spec("OB-BKBL-15")),
        pytest.param("approval", marks=pytest.mark.spec("OB-BKBL-16")),
        pytest.param("negotiation", marks=pytest.mark.spec("OB-BKBL-17")),
        pytest.param("messages", marks=pytest.mark.spec("OB-BKBL-18")),
    ],
)
async def test_the_feed_shows_booking_requirements_of_offers_and_replies_do_not(
    sqlite_world: World, validator: Validator, what: str
) -> None:
    changes, expected = FLOWS[what]
    path = "slots/asking"
    family = slot("asking", individual=False, offers=(offer(path, **changes),))
    await sqlite_world.store.execute(Publish(tuple(family), actor=MANAGER))
    published = (await sqlite_world.read_feed("/feeds/slots"))["asking"]["data"]
    assert validator.failures("BookableRPDEFeed", published) == []
    (shown,) = published["offers"]
    assert {uri.removeprefix(OPENACTIVE) for uri in shown.pop("openBookingFlowRequirement", [])} == expected
    quote = sqlite_world.quote(sqlite_world.item(family))
    reply = (await sqlite_world.call("PUT", f"order-quote-templates/{UUID}", quote)).json()
    assert reply["orderedItem"][0]["acceptedOffer"] == shown
    assert reply["orderRequiresApproval"] is ("OpenBookingApproval" in expected)


@pytest.mark.spec("OB-VAL-39", "OB-OF-18", "OB-OF-09")
async def test_offer_is_the_same_in_every_message(sqlite_world: World) -> None:
    path = "slots/full"
    rich = offer(
        path,
        in_advance=Availability.OPTIONAL,
        prepayment=Availability.OPTIONAL,
        valid_from_before_start=timedelta(days=7),
        valid_through_before_start=timedelta(hours=1),
        latest_cancellation_before_start=timedelta(hours=3),
        properties={"ageRestriction": {"@type": "QuantitativeValue", "minValue": 18}},
    )
    family = slot("full", individual=False, offers=(rich,))
    await sqlite_world.store.execute(Publish(tuple(family), actor=MANAGER))
    (published,) = (await sqlite_world.read_feed("/feeds/slots"))["full"]["data"]["offers"]
    assert published == {
        "@type": "Offer",
        "@id": f"{SITE}/api/identifiers/slots/full#/offers/adult",
        "name": "Adult",
        "price": 12,
        "priceCurrency": "GBP",
        "openBookingInAdvance": f"{OPENACTIVE}Optional",
        "openBookingPrepayment": f"{OPENACTIVE}Optional",
        "validFromBeforeStartDate": "P7D",
        "validThroughBeforeStartDate": "PT1H",
        "allowCustomerCancellationFullRefund": True,
        "latestCancellationBeforeStartDate": "PT3H",
        "ageRestriction": {"@type": "QuantitativeValue", "minValue": 18},
    }
    for name, message in (await messages(sqlite_world, family)).items():
        assert message["orderedItem"][0]["acceptedOffer"] == published, name


@pytest.mark.spec("OB-BKBL-21", "OB-BKBL-23")
@pytest.mark.parametrize(
    "changes",
    [{"price": Decimal(0), "currency": None}, {"in_advance": Availability.UNAVAILABLE}],
    ids=["free", "not in advance"],
)
async def test_messages_without_prepayment_have_no_prepayment_property(
    sqlite_world: World, changes: dict[str, Any]
) -> None:
    contradicting = replace(offer("slots/odd", prepayment=Availability.REQUIRED), **changes)
    await sqlite_world.store.execute(
        Publish(tuple(slot("odd", individual=False, offers=(contradicting,))), actor=MANAGER)
    )
    (published,) = (await sqlite_world.read_feed("/feeds/slots"))["odd"]["data"]["offers"]
    assert "openBookingPrepayment" not in published


@pytest.mark.spec("OB-B-13", "OB-B-19", "OB-VAL-42", "OB-VAL-41")
async def test_an_order_shows_its_payment_without_properties_of_other_types(sqlite_world: World) -> None:
    found = await messages(sqlite_world, YOGA)
    assert found["B"]["payment"] == {"@type": "Payment", "identifier": "payment-1"}
    foreign = {"orderProposalVersion", "orderProposalStatus", "orderRequiresApproval", "lease", "orderStatus"}
    for name in ("B", "status", "feed"):
        assert not (foreign | {"orderCreationStatus"}) & found[name].keys(), name


@pytest.mark.spec("OB-ID-05", "OB-OST-01", "OB-OST-04")
async def test_order_status_returns_the_reply_of_b(sqlite_world: World) -> None:
    found = await messages(sqlite_world, YOGA)
    (booked,), (now,) = found["B"].pop("orderedItem"), found["status"].pop("orderedItem")
    del booked["position"]
    assert (found["status"], now) == (found["B"], booked)


@pytest.mark.spec("OB-OF-06", "OB-OF-07", "OB-OF-15", "OB-OF-16", "OB-OF-22", "OB-OF-28")
async def test_the_orders_feed_shows_each_change_with_the_whole_order(sqlite_world: World) -> None:
    family = session("guarded", access=AccessRules(code=True))
    await sqlite_world.store.execute(Publish(tuple(family), actor=MANAGER))
    order = (await sqlite_world.call("PUT", f"orders/{UUID}", sqlite_world.order(sqlite_world.item(family)))).json()
    key, seen = OrderKey("alice", UUID), []
    for command in (
        Notify(order=key, notice="Bring a mat.", actor=MANAGER),
        RenewAccess(order=key, nonce="n", code=True, actor=MANAGER),
    ):
        await sqlite_world.store.execute(command)
        seen.append((await sqlite_world.read_feed("/api/orders-rpde"))[UUID])
    await cancel(sqlite_world, order)
    seen.append((await sqlite_world.read_feed("/api/orders-rpde"))[UUID])
    numbers = [entry["modified"] for entry in seen]
    assert numbers == sorted(set(numbers))
    for entry in seen:
        (item,) = entry["data"]["orderedItem"]
        assert item["accessCode"]
        assert item["@id"] == order["orderedItem"][0]["@id"]
        assert item["acceptedOffer"] == order["orderedItem"][0]["acceptedOffer"]
        assert item["unitTaxSpecification"] == order["orderedItem"][0]["unitTaxSpecification"]
        assert not {"cancellationMessage", "additionalProperty"} & item.keys()
    notices = [entry["data"]["orderedItem"][0].get("customerNotice") for entry in seen]
    assert (item["orderItemStatus"], notices) == (CANCELLED, ["Bring a mat.", "Bring a mat.", None])


@pytest.mark.spec("OB-B-23", "OB-CAN-11")
async def test_items_of_an_order_stay_the_same_after_b(sqlite_world: World) -> None:
    one, other = sqlite_world.item(YOGA), sqlite_world.item(HALL)
    order = (await sqlite_world.call("PUT", f"orders/{UUID}", sqlite_world.order(one))).json()
    for items, total in (([other], 12), ([one, {**other, "position": 1}], 24), ([{**one, "position": 1}], 12)):
        reply = await sqlite_world.call("PUT", f"orders/{UUID}", sqlite_world.order(*items, total=total))
        assert (reply.status_code, reply.json()["@type"]) == (500, "OrderAlreadyExistsError")
    patched = {"@id": order["orderedItem"][0]["@id"], "orderItemStatus": CANCELLED}
    for change in ({"orderedItem": other["orderedItem"]}, {"acceptedOffer": other["acceptedOffer"]}):
        body = {"@context": OPENACTIVE, "@type": "Order", "orderedItem": [{**patched, **change}]}
        reply = await sqlite_world.call("PATCH", f"orders/{UUID}", body)
        assert (reply.status_code, reply.json()["@type"]) == (400, "PatchContainsExcessivePropertiesError")
    status = (await sqlite_world.call("GET", f"orders/{UUID}")).json()
    assert [item["@id"] for item in status["orderedItem"]] == [item["@id"] for item in order["orderedItem"]]
    assert status["orderedItem"][0]["orderItemStatus"] == f"{OPENACTIVE}OrderItemConfirmed"


@pytest.mark.spec("OB-VAL-29", "OB-PRIV-04", "OB-VAL-33")
async def test_the_broker_is_returned_as_sent(sqlite_world: World) -> None:
    broker = {**BROKER, "email": "help@example.com", "identifier": "b-1", "telephone": "020 811 8000"}
    quote = sqlite_world.quote(sqlite_world.item(YOGA), broker=broker)
    reply = (await sqlite_world.call("PUT", f"order-quote-templates/{UUID}", quote)).json()
    assert (reply["broker"], reply["brokerRole"]) == (broker, f"{OPENACTIVE}AgentBroker")


@pytest.mark.spec("OB-OPF-02", "OB-OPF-03", "OB-OPF-04", "OB-OPF-05", "OB-OPF-06", "OB-OF-23")
async def test_the_proposals_feed_shows_the_state_without_customer_data(
    sqlite_world: World, validator: Validator
) -> None:
    flow = (FlowRequirement.APPROVAL, FlowRequirement.MESSAGE_EXCHANGE)
    asking = offer("slots/asking", flow=flow, attendee_details=(f"{SCHEMA}givenName",), intake_form=(QUESTION,))
    family = slot("asking", individual=False, offers=(asking,))
    await sqlite_world.store.execute(Publish(tuple(family), actor=MANAGER))
    item = {**sqlite_world.item(family), "attendee": {"@type": "Person", "givenName": "Ann"}}
    body = {**sqlite_world.order(item), "@type": "OrderProposal", "orderCustomerNote": "Is there a lift?"}
    proposal = (await sqlite_world.call("PUT", f"order-proposals/{UUID}", body)).json()
    key = OrderKey("alice", UUID)
    await sqlite_world.store.execute(DecideProposal(order=key, accept=True, note="There is.", actor=MANAGER))
    entry = (await sqlite_world.read_feed("/api/order-proposals-rpde"))[UUID]
    data = entry["data"]
    assert validator.failures("OrderProposalsFeed", data) == []
    assert (entry["id"], data["@type"], data["@id"]) == (UUID, "OrderProposal", proposal["@id"])
    assert data["orderProposalStatus"] == f"{OPENACTIVE}SellerAccepted"
    assert data["orderProposalVersion"] == proposal["orderProposalVersion"]
    assert data["orderSellerNote"] == "There is."
    assert data["totalPaymentDue"] == proposal["totalPaymentDue"]
    private = {"customer", "broker", "brokerRole", "seller", "payment", "bookingService", "orderCustomerNote"}
    assert not private & data.keys()
    text = str(data).lower()
    assert not [name for name in ("ann", "geoff", "lift") if name in text]
    assert not {"attendee", "attendeeDetailsRequired", "orderItemStatus", "position"} & data["orderedItem"][0].keys()
    assert await sqlite_world.read_feed("/api/orders-rpde") == {}
