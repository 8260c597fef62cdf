"""Required details of Customer and attendees, intake forms, and errors in the answers (OB 5.6)."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import FormField, Offer
from openbooking.booking.model.order import Order, OrderKey
from openbooking.booking.model.order_request import IntakeAnswer, ItemRequest
from openbooking.booking.rules.orders.required_details import (
    check_broker,
    check_customer,
    detail_errors,
    missing_details,
)
from openbooking.openactive.errors import IncompleteBrokerDetailsError, IncompleteCustomerDetailsError
from openbooking.openactive.ids import FormFieldRef, OfferRef
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.terms import SCHEMA, BrokerRole, FlowRequirement, FormFieldType
from support.builders import (
    PRICE,
    UUID,
    after,
    book,
    item,
    new_uuid,
    offer,
    propose,
    quote,
    request,
    session,
    situation,
)
from support.parties import ADDRESS, BROKER, CUSTOMER

ATTENDEE, FORM, WRONG = (
    ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS,
    ItemErrorType.INCOMPLETE_INTAKE_FORM,
    ItemErrorType.INVALID_INTAKE_FORM,
)
SHORT = FormField(key="level", type=FormFieldType.SHORT_ANSWER, name="Level", description="How good?", required=True)
LONG = FormField(key="story", type=FormFieldType.PARAGRAPH, name="Story", description="Why?", required=True)
CHOICE = FormField(
    key="age", type=FormFieldType.DROPDOWN, name="Age", description="How old?", required=True, options=("0-18", "30+")
)
TICK = FormField(key="photo", type=FormFieldType.BOOLEAN, name="Photos", description="May we?")
FIELDS = {field.type: field for field in (SHORT, LONG, CHOICE, TICK)}
OWNER = "session-series/series-yoga"
REF = OfferRef(OWNER, "adult")
HUGE = "Because. " * 50_000


def answer(key: str, value: Any, ref: OfferRef = REF) -> IntakeAnswer:
    return IntakeAnswer(field=FormFieldRef(ref, key), sent={"@type": "PropertyValue", "value": value})


def asked(**changes: Any) -> ItemRequest:
    return replace(item(session("yoga")), **changes)


def errors_of(field: FormField, *answers: IntakeAnswer) -> list[ItemErrorType]:
    found = detail_errors(offer(OWNER, intake_form=(field,)), asked(intake_answers=answers))
    assert {error.field for error in found} <= {field.key}
    return [error.type for error in found]


@pytest.mark.spec("OB-FORM-01", "OB-FORM-05", "OB-FORM-09", "OB-FORM-10", "OB-FORM-11")
@pytest.mark.parametrize(
    ("type_", "value", "error"),
    [
        (FormFieldType.SHORT_ANSWER, "Twice 🏸: bin schön gut, 十分", None),
        (FormFieldType.SHORT_ANSWER, "0", None),
        (FormFieldType.SHORT_ANSWER, "", FORM),
        (FormFieldType.SHORT_ANSWER, " \n\u2003", FORM),
        (FormFieldType.SHORT_ANSWER, None, FORM),
        (FormFieldType.SHORT_ANSWER, [], FORM),
        (FormFieldType.SHORT_ANSWER, 7, WRONG),
        (FormFieldType.SHORT_ANSWER, False, WRONG),
        (FormFieldType.SHORT_ANSWER, ["Twice"], WRONG),
        pytest.param(FormFieldType.PARAGRAPH, HUGE, None, id="huge paragraph"),
        (FormFieldType.PARAGRAPH, "\t", FORM),
        (FormFieldType.PARAGRAPH, {"text": "Because."}, WRONG),
        (FormFieldType.PARAGRAPH, 0, WRONG),
        (FormFieldType.DROPDOWN, "30+", None),
        (FormFieldType.DROPDOWN, "", FORM),
        (FormFieldType.DROPDOWN, "30", WRONG),
        (FormFieldType.DROPDOWN, "30+ ", WRONG),
        (FormFieldType.DROPDOWN, ["30+"], WRONG),
        pytest.param(FormFieldType.DROPDOWN, HUGE, WRONG, id="huge choice"),
        (FormFieldType.DROPDOWN, 1, WRONG),
        (FormFieldType.BOOLEAN, True, None),
        (FormFieldType.BOOLEAN, False, None),
        (FormFieldType.BOOLEAN, None, None),
        (FormFieldType.BOOLEAN, "true", WRONG),
        (FormFieldType.BOOLEAN, 1, WRONG),
        (FormFieldType.BOOLEAN, 0, WRONG),
    ],
)
@pytest.mark.spec("OB-FORM-06", "OB-FORM-07", "OB-FORM-12")
def test_each_kind_of_field_takes_its_kind_of_answer(
    type_: FormFieldType, value: Any, error: ItemErrorType | None
) -> None:
    field = FIELDS[type_]
    assert errors_of(field, answer(field.key, value)) == ([error] if error else [])


@pytest.mark.spec("OB-FORM-05", "OB-FORM-09", "OB-FORM-07")
@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.type)
def test_only_required_questions_must_be_answered_and_a_checkbox_never(field: FormField) -> None:
    required, optional = replace(field, required=True), replace(field, required=False)
    assert errors_of(required) == ([] if field is TICK else [FORM])
    assert errors_of(optional) == []
    assert errors_of(optional, answer(field.key, "")) == []
    assert errors_of(optional, answer(field.key, {"odd": "value"})) == [WRONG]


@pytest.mark.spec("OB-FORM-10")
def test_the_error_describes_the_right_answer() -> None:
    form = offer(OWNER, intake_form=(SHORT, CHOICE, TICK))
    wrong = tuple(answer(field.key, 7) for field in form.intake_form)
    descriptions = [error.description or "" for error in detail_errors(form, asked(intake_answers=wrong))]
    assert [text.partition(" wants ")[2] for text in descriptions] == ["a text.", "one of: 0-18, 30+.", "yes or no."]
    missing = detail_errors(form, asked())
    assert [error.description for error in missing] == ["Please answer “Level”.", "Please answer “Age”."]


@pytest.mark.spec("OB-FORM-08", "OB-FORM-09")
@pytest.mark.parametrize(
    "stray",
    [
        answer("level", "Good", OfferRef(OWNER, "junior")),
        answer("level", "Good", OfferRef("session-series/other", "adult")),
        answer("levels", "Good"),
        IntakeAnswer(field=None, sent={"propertyID": "https://elsewhere.example.com/level", "value": "Good"}),
    ],
    ids=["another Offer", "another owner", "no such field", "no field of ours"],
)
def test_an_answer_to_another_question_does_not_count(stray: IntakeAnswer) -> None:
    assert errors_of(SHORT, stray) == [FORM]
    assert errors_of(SHORT, stray, answer("level", "Good")) == []
    assert errors_of(replace(SHORT, required=False), stray) == []


@pytest.mark.spec("OB-FORM-10", "OB-FORM-12")
@pytest.mark.parametrize("field", [CHOICE, replace(CHOICE, required=False), TICK], ids=["must", "may", "tick"])
@pytest.mark.parametrize("values", [("zzz", "30+"), ("30+", "zzz"), ("30+", "30+"), (None, "30+"), (True, False)])
def test_a_question_has_one_answer(field: FormField, values: tuple[Any, ...]) -> None:
    assert errors_of(field, *(answer(field.key, value) for value in values)) == [WRONG]


NAMES = ("givenName", "familyName", "email")
NAMED = offer(OWNER, attendee_details=tuple(f"{SCHEMA}{name}" for name in NAMES))
ANN = {"@type": "Person", "givenName": "Ann", "familyName": "Lee", "email": "ann@example.com"}


@pytest.mark.spec("OB-CUST-09", "OB-CUST-14", "OB-CUST-16", "OB-CUST-10")
@pytest.mark.parametrize(
    ("attendee", "missing"),
    [
        (ANN, ()),
        ({**ANN, "telephone": "020 811 8055", "identifier": "a-1"}, ()),
        ({name: value for name, value in ANN.items() if name != "email"}, ("email",)),
        ({**ANN, "@type": None}, ()),
        ({**ANN, "email": ""}, ("email",)),
        ({**ANN, "familyName": "  "}, ("familyName",)),
        ({**ANN, "givenName": None, "familyName": []}, ("givenName", "familyName")),
        ({**ANN, "givenName": {"first": "Ann"}, "email": 7}, ("givenName", "email")),
        ({}, NAMES),
        (None, NAMES),
    ],
)
def test_each_property_that_is_asked_for_and_missing_is_an_error_of_its_own(
    attendee: dict[str, Any] | None, missing: tuple[str, ...]
) -> None:
    found = detail_errors(NAMED, asked(attendee=attendee))
    assert [(error.type, error.instance) for error in found] == [(ATTENDEE, f"{SCHEMA}{name}") for name in missing]


@pytest.mark.spec("OB-CUST-05", "OB-CUST-12", "OB-CUST-16")
def test_an_offer_without_requirements_needs_no_details_of_attendees() -> None:
    assert detail_errors(offer(OWNER), asked()) == ()
    assert detail_errors(offer(OWNER), asked(attendee={"@type": "Person", "givenName": "Ann"})) == ()


@pytest.mark.spec("OB-CUST-13", "OB-CUST-15")
@pytest.mark.parametrize("type_", ["Organization", "person", "", ["Person"], {"a": 1}])
@pytest.mark.parametrize("sold", [NAMED, offer(OWNER)], ids=["asked for", "not asked for"])
def test_an_attendee_is_a_person(sold: Offer, type_: Any) -> None:
    (found,) = detail_errors(sold, asked(attendee={**ANN, "@type": type_}))
    assert (found.type, found.description) == (ATTENDEE, "The attendee must be a Person.")


@pytest.mark.spec("OB-CUST-13", "OB-FORM-14", "OB-FORM-08")
def test_each_item_has_its_own_attendee_and_answers() -> None:
    family = session("yoga", offered={"attendee_details": NAMED.attendee_details, "intake_form": (SHORT,)})
    mine = item(family, 0, attendee=ANN, intake_answers=(answer("level", "Good"),))
    order = quote(request(mine, item(family, 1))).decide(situation(family)).reply
    assert isinstance(order, Order)
    assert [[error.type for error in found.errors] for found in order.items] == [[], [ATTENDEE] * 3 + [FORM]]
    assert [error.field for error in order.items[1].errors] == [None, None, None, "level"]
    both = request(mine, replace(mine, position=1), total_payment_due=PRICE * 2)
    booked = after(situation(family), book(both)).records[OrderKey("alice", UUID)].order
    assert booked is not None
    assert booked.personal is not None
    assert booked.personal.attendees == {1: ANN, 2: ANN}
    assert list(booked.personal.intake_answers) == [1, 2]


@pytest.mark.spec("OB-VAL-12", "OB-CUST-14", "OB-FORM-09", "OB-FORM-10")
@pytest.mark.parametrize(
    ("attendee", "value", "errors", "total"),
    [
        (None, "30+", {ATTENDEE}, PRICE),
        (ANN, "", {FORM}, PRICE),
        (None, None, {ATTENDEE, FORM}, PRICE),
        (ANN, "31", {WRONG}, Decimal(0)),
        (None, "31", {ATTENDEE, WRONG}, Decimal(0)),
    ],
)
def test_an_incomplete_item_counts_in_the_total(
    attendee: dict[str, str] | None, value: str | None, errors: set[ItemErrorType], total: Decimal
) -> None:
    family = session("yoga", offered={"attendee_details": NAMED.attendee_details, "intake_form": (CHOICE,)})
    wanted = item(family, attendee=attendee, intake_answers=(answer("age", value),))
    order = quote(request(wanted)).decide(situation(family)).reply
    assert isinstance(order, Order)
    assert {error.type for error in order.items[0].errors} == errors
    assert (order.totals.price, bool(order.totals.tax)) == (total, bool(total))


@pytest.mark.spec("OB-CUST-15", "OB-FORM-13")
@pytest.mark.parametrize("flow", [(), (FlowRequirement.APPROVAL,)], ids=["B", "P"])
def test_details_are_required_at_p_and_b(flow: tuple[FlowRequirement, ...]) -> None:
    family = session(
        "yoga", offered={"flow": flow, "attendee_details": NAMED.attendee_details[:1], "intake_form": (CHOICE,)}
    )
    make = propose if flow else book
    decision = make(request(item(family, intake_answers=(answer("age", "31"),)))).decide(situation(family))
    assert isinstance(decision.reply, Order)
    assert [error.type for error in decision.reply.items[0].errors] == [ATTENDEE, WRONG]
    assert decision.changes == ()


@pytest.mark.spec("OB-CUST-06", "OB-CUST-07", "OB-CUST-08")
def test_a_customer_is_stored_only_in_its_orders() -> None:
    """A second Order of the same Customer stores the details again."""
    family = session("yoga")
    customer = {**CUSTOMER, "identifier": "member-1"}
    first = after(situation(family), book(request(item(family), customer=customer)))
    where = after(first, book(request(item(family), customer=customer), uuid=new_uuid()))
    assert (where.sellers, where.opportunities) == (first.sellers, first.opportunities)
    orders = [record.order for record in where.records.values()]
    assert [order.personal.customer for order in orders if order and order.personal] == [customer, customer]


def test_an_item_with_another_error_has_no_errors_of_details() -> None:
    family = session("yoga", capacity=0, offered={"intake_form": (SHORT,)})
    order = quote(request(item(family))).decide(situation(family)).reply
    assert isinstance(order, Order)
    assert order.items[0].errors == (ItemError(type=ItemErrorType.OPPORTUNITY_IS_FULL),)


@pytest.mark.spec("OB-CUST-14")
def test_the_broker_learns_which_detail_of_the_attendee_is_missing() -> None:
    found = detail_errors(NAMED, asked(attendee={"@type": "Person", "givenName": "Ann", "email": "ann@example.com"}))
    assert [error.description for error in found] == ["The attendee needs familyName."]


@pytest.mark.spec("OB-FORM-10")
def test_the_broker_learns_which_question_has_several_answers() -> None:
    twice = (answer("level", "Good"), answer("level", "Bad"))
    found = detail_errors(offer(OWNER, intake_form=(SHORT,)), asked(intake_answers=twice))
    assert [error.description for error in found] == ["“Level” wants one answer only."]


@pytest.mark.spec("OB-CUST-14", "OB-FORM-09")
def test_a_replaced_offer_asks_for_the_details_that_were_not_asked_for_before() -> None:
    new = offer(OWNER, attendee_details=NAMED.attendee_details, intake_form=(SHORT, replace(LONG, required=False)))
    before = offer(OWNER, intake_form=(CHOICE,))
    attendee = {name: value for name, value in ANN.items() if name != "email"}
    found = missing_details(new, before, attendee)
    assert [(error.type, error.instance, error.field) for error in found] == [
        (ATTENDEE, f"{SCHEMA}email", None),
        (FORM, None, "level"),
    ]


@pytest.mark.spec("OB-FORM-09")
def test_a_replaced_offer_asks_no_question_again() -> None:
    new = offer(OWNER, intake_form=(SHORT, LONG))
    found = missing_details(new, offer(OWNER, intake_form=(SHORT,)), None)
    assert [error.field for error in found] == ["story"]


@pytest.mark.parametrize(
    ("name", "value", "complete"),
    [
        ("address", {"postalCode": "TE5 7AB"}, True),
        ("address", {}, False),
        ("telephone", {"number": "1"}, False),
        ("telephone", "020 811 8055", True),
    ],
)
def test_an_address_may_be_an_object_and_a_telephone_number_is_a_text(name: str, value: Any, complete: bool) -> None:
    sold = offer(OWNER, attendee_details=(f"{SCHEMA}{name}",))
    assert (detail_errors(sold, asked(attendee={"@type": "Person", name: value})) == ()) is complete


ASKED = (item(session()),)


@pytest.mark.spec("OB-VAL-06", "OB-ROLE-03", "OB-ROLE-05")
@pytest.mark.parametrize(
    ("role", "broker", "accepted"),
    [
        (BrokerRole.AGENT, BROKER, True),
        (BrokerRole.RESELLER, BROKER, True),
        (BrokerRole.NO_BROKER, None, True),
        (BrokerRole.NO_BROKER, BROKER, False),
        (BrokerRole.AGENT, None, False),
        (BrokerRole.RESELLER, None, False),
        (BrokerRole.AGENT, {**BROKER, "@type": "Person"}, False),
        (BrokerRole.AGENT, {**BROKER, "name": " "}, False),
        (BrokerRole.AGENT, {**BROKER, "name": 1}, False),
    ],
)
def test_a_broker_is_an_organization_with_a_name_unless_the_role_has_none(
    role: BrokerRole, broker: Any, accepted: bool
) -> None:
    asked = request(*ASKED, broker_role=role, broker=broker)
    if accepted:
        check_broker(asked)
        assert asked.broker == broker
    else:
        with pytest.raises(IncompleteBrokerDetailsError):
            check_broker(asked)


ORGANIZATION = {"@type": "Organization", "name": "Club", "email": "club@example.com", "address": ADDRESS}


@pytest.mark.spec("OB-CUST-02", "OB-CUST-03")
@pytest.mark.parametrize(
    ("role", "customer", "missing"),
    [
        (BrokerRole.AGENT, CUSTOMER, None),
        (BrokerRole.AGENT, ORGANIZATION, None),
        (BrokerRole.AGENT, {**ORGANIZATION, "address": "1 High Street"}, None),
        (BrokerRole.RESELLER, None, None),
        (BrokerRole.AGENT, None, "missing"),
        (BrokerRole.NO_BROKER, None, "missing"),
        (BrokerRole.AGENT, {**CUSTOMER, "@type": "Dog"}, "Person or an Organization"),
        (BrokerRole.AGENT, {**CUSTOMER, "email": ""}, "lacks email"),
        (BrokerRole.AGENT, {**ORGANIZATION, "name": " ", "address": {}}, "lacks name, address"),
        (BrokerRole.RESELLER, {**ORGANIZATION, "email": None}, "lacks email"),
        (BrokerRole.AGENT, {**CUSTOMER, "email": {"work": "a@example.com"}}, "lacks email"),
        (BrokerRole.AGENT, {**ORGANIZATION, "address": " "}, "lacks address"),
    ],
)
def test_a_customer_has_the_details_of_its_type(role: BrokerRole, customer: Any, missing: str | None) -> None:
    asked = request(*ASKED, broker_role=role, customer=customer)
    if missing is None:
        check_customer(asked)
        assert asked.customer == customer
    else:
        with pytest.raises(IncompleteCustomerDetailsError, match=missing):
            check_customer(asked)


@pytest.mark.spec("OB-VAL-07", "OB-CUST-03")
@pytest.mark.parametrize("name", ["email", "name"])
@pytest.mark.parametrize("value", [{"a": 1}, ["a@example.com"], 7, True, " "])
def test_details_of_a_customer_are_texts_except_the_address(name: str, value: Any) -> None:
    check_customer(request(*ASKED, customer=ORGANIZATION))
    for customer in ({**ORGANIZATION, name: value}, {"@type": "Person", "email": value}):
        with pytest.raises(IncompleteCustomerDetailsError):
            check_customer(request(*ASKED, customer=customer))
