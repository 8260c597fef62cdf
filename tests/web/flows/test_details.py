"""Details of Customer and attendees: which details replies require, and how given details are returned (OB 5.6)."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.seller_decisions import Notify
from openbooking.booking.model.opportunity import FormField
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.terms import SCHEMA, FormFieldType
from support.builders import UUID, session, slot
from support.http_system import SITE, YOGA, World
from support.parties import ADDRESS, CUSTOMER, MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
C1, C2, B = f"order-quote-templates/{UUID}", f"order-quotes/{UUID}", f"orders/{UUID}"
FORM = (
    FormField(key="level", type=FormFieldType.SHORT_ANSWER, name="Level", description="How good?", required=True),
    FormField(key="story", type=FormFieldType.PARAGRAPH, name="Story", description="Why?"),
    FormField(
        key="age",
        type=FormFieldType.DROPDOWN,
        name="Age",
        description="How old?",
        required=True,
        options=("0-18", "30+"),
    ),
    FormField(key="photo", type=FormFieldType.BOOLEAN, name="Photos", description="May we?"),
)
REQUIRED = [f"{SCHEMA}givenName", f"{SCHEMA}email"]
DIVE = session("dive", offered={"attendee_details": tuple(REQUIRED), "intake_form": FORM})
CLIMB = slot("climb", individual=False, capacity=5, offered={"intake_form": FORM[2:]})
FIELDS = f"{SITE}/api/identifiers/session-series/series-dive#/offers/adult/fields"
ANN = {"@type": "Person", "givenName": "Ann", "email": "ann@example.com", "identifier": "a-1"}


def answer(field: str, value: Any) -> Json:
    return {"@type": "PropertyValue", "propertyID": f"{FIELDS}/{field}", "value": value}


ANSWERS = [answer("level", "Twice 🏸, bin schön gut, 十分"), answer("age", "30+"), answer("photo", False)]
DETAILS: Json = {"attendee": ANN, "orderItemIntakeFormResponse": ANSWERS}


@pytest.fixture
async def asking(world: World) -> World:
    """A Booking System with Opportunities that require details."""
    for family in (DIVE, CLIMB):
        await world.store.execute(Publish(tuple(family), actor=MANAGER))
    return world


async def replies_to(world: World, *items: Json, **changes: Any) -> dict[str, tuple[int, Json]]:
    """Send C1, C2 and B with these items, and return the status and body of each reply."""
    quote = world.quote(*items)
    replies = {
        "C1": await world.call("PUT", C1, quote),
        "C2": await world.call("PUT", C2, {"customer": CUSTOMER, **quote, **changes}),
        "B": await world.call("PUT", B, world.order(*items, total=12 * len(items), **changes)),
    }
    return {name: (reply.status_code, reply.json()) for name, reply in replies.items()}


@pytest.mark.spec("OB-FORM-01", "OB-FORM-02", "OB-FORM-03", "OB-FORM-04", "OB-FORM-05", "OB-FORM-06", "OB-FORM-07")
@pytest.mark.spec("OB-FORM-08", "OB-FORM-14", "OB-CUST-09", "OB-CUST-10", "OB-CUST-11", "OB-CUST-12", "OB-CUST-17")
async def test_required_details_stay_the_same_and_given_details_come_back(asking: World, validator: Validator) -> None:
    items = [{**asking.item(DIVE), **DETAILS}, asking.item(YOGA, 1)]
    form: list[Json] = [
        {
            "@type": "ShortAnswerFormFieldSpecification",
            "name": "Level",
            "description": "How good?",
            "valueRequired": True,
        },
        {"@type": "ParagraphFormFieldSpecification", "name": "Story", "description": "Why?", "valueRequired": False},
        {
            "@type": "DropdownFormFieldSpecification",
            "name": "Age",
            "description": "How old?",
            "valueRequired": True,
            "valueOption": ["0-18", "30+"],
        },
        {"@type": "BooleanFormFieldSpecification", "name": "Photos", "description": "May we?"},
    ]
    asked: Json = {
        "attendeeDetailsRequired": REQUIRED,
        "orderItemIntakeForm": [
            {**field, "@id": f"{FIELDS}/{known.key}"} for field, known in zip(form, FORM, strict=True)
        ],
    }
    replies = await replies_to(asking, *items)
    for name, (status, reply) in replies.items():
        assert (status, validator.failures(f"{name}Response", reply)) == (201 if name == "B" else 200, []), name
        diving, yoga = reply["orderedItem"]
        assert diving.items() >= asked.items()
        assert not {*asked, *DETAILS} & yoga.keys()
    for name in ("C2", "B"):
        assert replies[name][1]["orderedItem"][0].items() >= DETAILS.items()
    assert "orderItemIntakeFormResponse" not in replies["C1"][1]["orderedItem"][0]
    status = (await asking.call("GET", B)).json()
    assert status["orderedItem"][0].items() >= DETAILS.items()


@pytest.mark.spec("OB-OF-20", "OB-OF-23", "OB-OF-19")
async def test_no_details_are_in_the_orders_feed(asking: World, validator: Validator) -> None:
    assert (await replies_to(asking, {**asking.item(DIVE), **DETAILS}))["B"][0] == 201
    await asking.store.execute(Notify(order=OrderKey("alice", UUID), notice="Bring fins.", actor=MANAGER))
    data = (await asking.read_feed("/api/orders-rpde"))[UUID]["data"]
    assert validator.failures("OrdersFeed", data) == []
    asked = {"attendeeDetailsRequired", "attendee", "orderItemIntakeForm", "orderItemIntakeFormResponse"}
    assert not asked & data["orderedItem"][0].keys()
    assert not [word for word in ("Ann", "ann@", "schön", "30+", "Geoff") if word in str(data)]


@pytest.mark.spec("OB-CUST-14", "OB-CUST-15", "OB-FORM-09", "OB-FORM-10", "OB-FORM-11", "OB-FORM-12", "OB-FORM-13")
@pytest.mark.spec("OB-C1-12", "OB-VAL-12", "OB-VAL-44", "E-20", "E-22", "E-23")
async def test_missing_and_wrong_details_are_reported_at_c2_and_b(asking: World, validator: Validator) -> None:
    wrong = {
        "attendee": {"@type": "Person", "givenName": "Ann"},
        "orderItemIntakeFormResponse": [answer("age", "31"), answer("photo", "yes"), answer("story", True)],
    }
    items = [{**asking.item(DIVE), **wrong}, asking.item(DIVE, 1), asking.item(YOGA, 2)]
    replies = await replies_to(asking, *items)
    assert replies["C1"][0] == 200
    for name in ("C2", "B"):
        status, reply = replies[name]
        assert status == 409
        assert validator.failures(f"{name}ResponseOrderItemError", reply) == []
        first, second, third = ([(e["@type"], e["instance"]) for e in i.get("error", [])] for i in reply["orderedItem"])
        assert first == [
            ("IncompleteAttendeeDetailsError", "http://schema.org/email"),
            ("IncompleteIntakeFormError", f"{FIELDS}/level"),
            ("InvalidIntakeFormError", f"{FIELDS}/story"),
            ("InvalidIntakeFormError", f"{FIELDS}/age"),
            ("InvalidIntakeFormError", f"{FIELDS}/photo"),
        ]
        assert [type_ for type_, _ in second] == ["IncompleteAttendeeDetailsError"] * 2 + [
            "IncompleteIntakeFormError"
        ] * 2
        assert third == []
        assert all(error["description"] for error in reply["orderedItem"][0]["error"])
        assert reply["totalPaymentDue"]["price"] == 24
    assert (await asking.call("GET", B)).status_code == 404


@pytest.mark.spec("OB-FORM-08", "OB-FORM-14")
async def test_an_answer_to_the_form_of_another_offer_is_ignored(asking: World) -> None:
    replies = await replies_to(asking, {**asking.item(CLIMB), "orderItemIntakeFormResponse": [answer("age", "30+")]})
    status, reply = replies["C2"]
    assert status == 409
    (error,) = reply["orderedItem"][0]["error"]
    expected = f"{SITE}/api/identifiers/slots/climb#/offers/adult/fields/age"
    assert (error["@type"], error["instance"]) == ("IncompleteIntakeFormError", expected)


@pytest.mark.spec("OB-CUST-01", "OB-CUST-02", "OB-CUST-03", "OB-CUST-04")
@pytest.mark.parametrize(
    "customer",
    [
        {"@type": "Person", "email": "a@example.com"},
        {
            "@type": "Person",
            "email": "geoff.capes@example.com",
            "givenName": "Geoff",
            "familyName": "Capes – Smith 十",  # noqa: RUF001 - people are called all sorts of things
            "telephone": "+44 (0)20 811 8055",
            "identifier": "0012",
        },
        {"@type": "Organization", "email": "org@example.com", "name": "Gym & Co", "address": ADDRESS, "identifier": 7},
    ],
    ids=["least", "full", "business"],
)
async def test_a_customer_is_returned_as_sent(sqlite_world: World, validator: Validator, customer: Json) -> None:
    replies = await replies_to(sqlite_world, sqlite_world.item(YOGA), customer=customer)
    for name in ("C2", "B"):
        assert validator.failures(f"{name}Response", replies[name][1]) == []
        assert replies[name][1]["customer"] == customer
    assert (await sqlite_world.call("GET", B)).json()["customer"] == customer


@pytest.mark.spec("OB-CUST-08", "OB-CUST-07", "OB-CUST-06")
async def test_partners_do_not_see_customers_of_each_other(world: World) -> None:
    one, other = ({**CUSTOMER, "givenName": name, "identifier": "member-1"} for name in ("Geoff", "Gill"))
    for partner, customer in (("alice", one), ("bob", other)):
        reply = await world.call("PUT", B, world.order(world.item(YOGA), customer=customer), partner)
        assert reply.json()["customer"] == customer
    for partner, customer in (("alice", one), ("bob", other)):
        assert (await world.call("GET", B, None, partner)).json()["customer"] == customer


@pytest.mark.parametrize(
    ("details", "status"),
    [
        ({"orderItemIntakeFormResponse": {"propertyID": "x", "value": "y"}}, 400),
        ({"orderItemIntakeFormResponse": ["Good"]}, 400),
        ({"orderItemIntakeFormResponse": [{"value": "Good"}, {"propertyID": 7, "value": "Good"}, {}]}, 409),
        ({**DETAILS, "attendee": "Ann"}, 409),
        ({**DETAILS, "attendee": [ANN]}, 409),
        ({**DETAILS, "attendee": {**ANN, "givenName": {"first": "Ann"}}}, 409),
    ],
)
async def test_malformed_details_are_refused_and_cause_no_internal_error(
    sqlite_world: World, details: Json, status: int
) -> None:
    await sqlite_world.store.execute(Publish(tuple(DIVE), actor=MANAGER))
    quote = sqlite_world.quote({**sqlite_world.item(DIVE), **details}, customer=CUSTOMER)
    assert (await sqlite_world.call("PUT", C2, quote)).status_code == status


async def test_long_answers_are_kept_up_to_the_size_of_a_request(sqlite_world: World) -> None:
    family = [
        replace(DIVE[0], offers=(replace(DIVE[0].offers[0], attendee_details=(), intake_form=FORM[1:2]),)),
        DIVE[1],
    ]
    await sqlite_world.store.execute(Publish(tuple(family), actor=MANAGER))
    for length, status in ((900_000, 201), (1_000_000, 413)):
        story = answer("story", "Ü" * (length // 2))
        body = sqlite_world.order({**sqlite_world.item(family), "orderItemIntakeFormResponse": [story]})
        reply = await sqlite_world.call("PUT", B, body)
        assert reply.status_code == status
        if status == 201:
            assert reply.json()["orderedItem"][0]["orderItemIntakeFormResponse"] == [story]
