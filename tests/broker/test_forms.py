"""Questions of quotes: what is asked, which answers are allowed, and how answers are sent."""

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from openbooking.broker.errors import ItemFault, ItemsRefusedError
from openbooking.broker.forms import (
    AnswerFault,
    AnswersError,
    Question,
    QuestionKind,
    faults_in,
    faults_of,
    questions_of,
    read_text,
    unanswered,
    with_answers,
)
from openbooking.openactive.messages import FormFieldSpecification, OrderItem, OrderItemRequest, OrderQuote
from openbooking.openactive.terms import FormFieldType

FIELD = "https://x.example/fields"


def field(type_: FormFieldType, key: str, **changes: Any) -> FormFieldSpecification:
    return FormFieldSpecification(type=type_, id=f"{FIELD}/{key}", name=key.title(), **changes)


def quote(*items: OrderItem) -> OrderQuote:
    return OrderQuote(context="https://openactive.io/", type="OrderQuote", ordered_item=items)


def question(kind: QuestionKind = QuestionKind.TEXT, **changes: Any) -> Question:
    return Question(**{"position": 0, "key": "k", "label": "Q", "kind": kind, "required": True, **changes})


def test_details_of_the_attendee_are_asked_by_their_names() -> None:
    uris = (
        "https://schema.org/givenName",
        "http://schema.org/telephone",
        "schema:birthDate",
        "https://openactive.io/healthConditions",
        "https://other.example/terms#shoeSize",
        "https://schema.org/givenName",
    )
    found = questions_of(quote(OrderItem(position=3, attendee_details_required=uris)))
    assert [(each.label, each.kind) for each in found] == [
        ("First name", QuestionKind.TEXT),
        ("Telephone number", QuestionKind.TELEPHONE),
        ("Date of birth", QuestionKind.DATE),
        ("Health conditions", QuestionKind.TEXT),
        ("Shoe size", QuestionKind.TEXT),
    ]
    assert all(each.required and each.attendee and each.position == 3 for each in found)
    given = {3: {each.key: str(number) for number, each in enumerate(found)}}
    (item,) = with_answers([OrderItemRequest(position=3, attendee={"identifier": "a-1"})], found, given)
    assert item.attendee == {
        "@type": "Person",
        "identifier": "a-1",
        "givenName": "0",
        "telephone": "1",
        "birthDate": "2",
        "healthConditions": "3",
        "https://other.example/terms#shoeSize": "4",
    }


@pytest.mark.spec("OB-FORM-02", "OB-FORM-05", "OB-FORM-06", "OB-FORM-07")
def test_questions_of_forms_have_kinds_and_options() -> None:
    form = (
        field(FormFieldType.BOOLEAN, "photo", value_required=True),
        field(FormFieldType.DROPDOWN, "age", value_option=("0-18", "30+"), value_required=True),
        field(FormFieldType.DROPDOWN, "size"),
        field(FormFieldType.PARAGRAPH, "story", description="Why?"),
    )
    items = OrderItem(position=1, order_item_intake_form=form), OrderItem(position=0)
    photo, age, size, story = questions_of(quote(*items))
    assert (photo.kind, photo.required) == (QuestionKind.YES_NO, False)
    assert (age.kind, age.required, age.options) == (QuestionKind.CHOICE, True, ("0-18", "30+"))
    assert size.kind is QuestionKind.TEXT
    assert (story.kind, story.help, story.required) == (QuestionKind.PARAGRAPH, "Why?", False)


@pytest.mark.parametrize(
    ("kind", "allowed", "refused"),
    [
        (QuestionKind.TEXT, ["x", "十"], [7, True, ["x"]]),
        (QuestionKind.PARAGRAPH, ["a\nb"], [7]),
        (QuestionKind.CHOICE, ["a"], ["b", "A", 7]),
        (QuestionKind.YES_NO, [True, False], ["yes", 1]),
        (QuestionKind.EMAIL, ["a@example.com", " a@example.com "], ["a@b", "a.example.com", 7]),
        (QuestionKind.TELEPHONE, ["020 811", "+44 1"], ["none", 7]),
        (QuestionKind.DATE, ["2015-03-31"], ["31.3.2015", "2015-02-30"]),
    ],
)
@pytest.mark.spec("OB-FORM-12")
def test_answers_are_checked_by_kind(kind: QuestionKind, allowed: list[Any], refused: list[Any]) -> None:
    asked = question(kind, options=("a",))
    for answer in allowed:
        assert faults_of([asked], {0: {"k": answer}}, complete=True) == ()
    for answer in refused:
        (fault,) = faults_of([asked], {0: {"k": answer}}, complete=False)
        assert fault.question is asked
        assert fault.message


@pytest.mark.parametrize("answers", [{}, {0: {}}, {0: {"k": "  "}}, {0: {"k": None}}, {1: {"k": "x"}}])
def test_a_missing_answer_is_a_fault_once_all_are_needed(answers: Any) -> None:
    asked = question()
    assert unanswered([asked], answers) == (asked,)
    assert faults_of([asked], answers, complete=False) == ()
    assert len(faults_of([asked], answers, complete=True)) == 1
    assert unanswered([question(required=False)], answers) == ()
    assert faults_of([question(required=False)], answers, complete=True) == ()


@pytest.mark.spec("OB-FORM-08")
def test_answers_are_sent_with_their_items_only() -> None:
    asked = [
        question(key="a"),
        question(QuestionKind.YES_NO, key="b"),
        question(position=1, key="a"),
        question(key="c"),
    ]
    items = [OrderItemRequest(position=position) for position in (0, 1, 2)]
    first, second, third = with_answers(
        items, asked, {0: {"a": "x", "b": False, "c": " "}, 1: {"a": "y"}, 2: {"a": "z"}}
    )
    assert first.order_item_intake_form_response == (
        {"@type": "PropertyValue", "propertyID": "a", "value": "x"},
        {"@type": "PropertyValue", "propertyID": "b", "value": False},
    )
    assert second.order_item_intake_form_response == ({"@type": "PropertyValue", "propertyID": "a", "value": "y"},)
    assert third == items[2]
    assert {first.attendee, second.attendee, third.attendee} == {None}


@pytest.mark.spec("OB-CUST-14", "OB-FORM-10")
def test_refused_answers_are_matched_with_their_questions() -> None:
    email = question(key="https://schema.org/email", position=1)
    level = question(key=f"{FIELD}/level")
    faults = (
        ItemFault(1, "IncompleteAttendeeDetailsError", "Missing", "http://schema.org/email"),
        ItemFault(0, "InvalidIntakeFormError", None, f"{FIELD}/level"),
        ItemFault(0, "OpportunityIsFullError", "Full", None),
    )
    found = faults_in(ItemsRefusedError(faults, quote(), reply_status=409), [email, level])
    assert found == (AnswerFault(email, "Missing"), AnswerFault(level, "This answer is not accepted."))
    assert "item 1, Q: Missing" in str(AnswersError(found))


@pytest.mark.parametrize(
    ("kind", "text", "answer"),
    [
        (QuestionKind.YES_NO, "Yes", True),
        (QuestionKind.YES_NO, "on", True),
        (QuestionKind.YES_NO, "0", False),
        (QuestionKind.YES_NO, "perhaps", "perhaps"),
        (QuestionKind.YES_NO, "", None),
        (QuestionKind.TEXT, " yes ", "yes"),
        (QuestionKind.TEXT, " ", None),
    ],
)
def test_texts_become_answers(kind: QuestionKind, text: str, answer: Any) -> None:
    assert read_text(question(kind), text) == answer


@hypothesis.given(st.text(), st.sampled_from(QuestionKind))
def test_any_text_is_an_answer_a_fault_or_nothing(text: str, kind: QuestionKind) -> None:
    asked = question(kind, options=("a",))
    answers = {0: {"k": read_text(asked, text)}}
    assert len(faults_of([asked], answers, complete=True)) <= 1
    assert (unanswered([asked], answers) == (asked,)) == (not text.strip())
