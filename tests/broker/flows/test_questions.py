"""Attendee details and intake forms against a Booking System: what is asked, and how answers are checked."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.model.opportunity import FormField
from openbooking.broker import AnswersError, ItemErrorType, Order, Payment, Person, QuestionKind, read_text
from openbooking.openactive.terms import SCHEMA, FormFieldType
from support.broker.systems import Served, carry_out
from support.builders import session
from support.http_system import YOGA
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

FORM = (
    FormField(key="level", type=FormFieldType.SHORT_ANSWER, name="Level", description="How good?", required=True),
    FormField(key="story", type=FormFieldType.PARAGRAPH, name="Story", description="Why?"),
    FormField(
        key="age", type=FormFieldType.DROPDOWN, name="Age", description="?", required=True, options=("0-18", "30+")
    ),
    FormField(key="photo", type=FormFieldType.BOOLEAN, name="Photos", description="May we?"),
)
DIVE = session("dive", offered={"attendee_details": (f"{SCHEMA}givenName", f"{SCHEMA}email"), "intake_form": FORM})
SAM = Person(email="sam@example.com")


@pytest.mark.spec("OB-CUST-13", "OB-CUST-16", "OB-FORM-06", "OB-FORM-07", "OB-FORM-08")
async def test_questions_are_asked_checked_and_answered(system: Served, broker: Any) -> None:
    await system.world.store.execute(Publish(tuple(DIVE), actor=MANAGER))
    basket = await broker.basket([system.choice(YOGA), system.choice(DIVE)], customer_key="sam")
    quote = await basket.quote()
    assert [(question.position, question.label, question.kind, question.required) for question in quote.questions] == [
        (1, "First name", QuestionKind.TEXT, True),
        (1, "E-mail address", QuestionKind.EMAIL, True),
        (1, "Level", QuestionKind.TEXT, True),
        (1, "Story", QuestionKind.PARAGRAPH, False),
        (1, "Age", QuestionKind.CHOICE, True),
        (1, "Photos", QuestionKind.YES_NO, False),
    ]
    by_label = {question.label: question for question in quote.questions}
    assert [question.label for question in quote.unanswered] == ["First name", "E-mail address", "Level", "Age"]

    # C2 without answers reports what is missing.
    missing = await basket.set_customer(SAM)
    assert {fault.type for fault in missing.faults} == {
        ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS,
        ItemErrorType.INCOMPLETE_INTAKE_FORM,
    }
    assert missing.questions == quote.questions
    with pytest.raises(AnswersError):
        basket._flows.booking_request()

    # Answers that are not allowed are not sent, and not kept.
    wrong = {"E-mail address": "Ann", "Age": "20", "Photos": "maybe", "Level": 7}
    with pytest.raises(AnswersError) as caught:
        await basket.answer({1: {by_label[label].key: answer for label, answer in wrong.items()}})
    assert {fault.question.label for fault in caught.value.faults} == set(wrong)

    texts = {"First name": "Ann", "E-mail address": "ann@example.com", "Level": " good ", "Age": "30+", "Photos": "no"}
    given = {by_label[label].key: read_text(by_label[label], text) for label, text in texts.items()}
    quote = await basket.answer({1: given})
    assert (quote.is_bookable, quote.unanswered) == (True, ())
    api = await carry_out(broker, broker._flows.api(basket._flows.owned.seller))
    request = replace(basket._flows.booking_request(), payment=Payment(type="Payment", identifier="p-1"))
    order: Order = await carry_out(broker, api.book(basket.order, request))
    yoga, dive = order.ordered_item
    assert (yoga.attendee, yoga.order_item_intake_form_response) == (None, ())
    assert dive.attendee == {"@type": "Person", "givenName": "Ann", "email": "ann@example.com"}
    answers = {answer["propertyID"]: answer["value"] for answer in dive.order_item_intake_form_response}
    assert answers == {by_label["Level"].key: "good", by_label["Age"].key: "30+", by_label["Photos"].key: False}
