"""What a Customer must still be asked: details of attendees and questions of intake forms (OB 5.6.2, 5.6.3).

A quote says what is asked for each item. The answers are checked before they are sent, and put into the items.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.broker.api.replies import by_position
from openbooking.broker.errors import ItemsRefusedError, Reply
from openbooking.openactive.contact_details import is_email
from openbooking.openactive.errors import BrokerError
from openbooking.openactive.messages import FormFieldSpecification, IntakeFormAnswer, OrderItem, OrderItemRequest
from openbooking.openactive.terms import FormFieldType

# The answers by position of the item, and by key of the question.
Answers = Mapping[int, Mapping[str, Any]]

_NAMESPACES = re.compile(r"https?://(?:schema\.org|openactive\.io)/|(?:schema|oa):")
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TRUE_TEXTS = ("true", "yes", "on", "1")
_FALSE_TEXTS = ("false", "no", "off", "0")


class QuestionKind(StrEnum):
    """How a question is answered."""

    TEXT = "text"
    PARAGRAPH = "paragraph"
    CHOICE = "choice"
    YES_NO = "yes or no"
    EMAIL = "e-mail address"
    TELEPHONE = "telephone number"
    DATE = "date"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question about one item of an Order.

    Attributes:
        position: The position of the item.
        key: The URI of the property of the attendee, or the `@id` of the question in the intake form.
        label: The question, for people.
        kind: How the question is answered. A `YES_NO` is answered with True or False, all others with text.
        required: Whether the item cannot be booked without an answer.
        options: The answers of which a `CHOICE` allows one.
        help: A further explanation; empty if there is none.
        attendee: Whether the answer is a detail of the attendee; otherwise it belongs to the intake form.
    """

    position: int
    key: str
    label: str
    kind: QuestionKind = QuestionKind.TEXT
    required: bool = False
    options: tuple[str, ...] = ()
    help: str = ""
    attendee: bool = False


class AnswerFault(NamedTuple):
    """A question whose answer is missing or not allowed, and what is wrong, in words for people."""

    question: Question
    message: str


class AnswersError(BrokerError):
    """Answers are missing or not allowed.

    Attributes:
        faults: The faults.
    """

    def __init__(self, faults: Sequence[AnswerFault]) -> None:
        super().__init__("; ".join(f"item {f.question.position}, {f.question.label}: {f.message}" for f in faults))
        self.faults = tuple(faults)

    @property
    def positions(self) -> tuple[int, ...]:
        """The positions of the items whose answers are at fault."""
        return tuple(sorted({fault.question.position for fault in self.faults}))


_ATTENDEE_DETAILS: Mapping[str, tuple[str, QuestionKind]] = {
    "givenName": ("First name", QuestionKind.TEXT),
    "familyName": ("Last name", QuestionKind.TEXT),
    "name": ("Name", QuestionKind.TEXT),
    "email": ("E-mail address", QuestionKind.EMAIL),
    "telephone": ("Telephone number", QuestionKind.TELEPHONE),
    "birthDate": ("Date of birth", QuestionKind.DATE),
}
_FORM_KINDS: Mapping[FormFieldType, QuestionKind] = {
    FormFieldType.SHORT_ANSWER: QuestionKind.TEXT,
    FormFieldType.PARAGRAPH: QuestionKind.PARAGRAPH,
    FormFieldType.DROPDOWN: QuestionKind.CHOICE,
    FormFieldType.BOOLEAN: QuestionKind.YES_NO,
}


def questions_of(reply: Reply) -> tuple[Question, ...]:
    """Return all questions of a quote, in the order of its items: first the attendee, then the intake form."""
    return tuple(
        question
        for position, item in sorted(by_position(reply).items(), key=lambda pair: pair[0])
        for question in (*_attendee_questions(position, item), *_form_questions(position, item))
    )


def unanswered(questions: Iterable[Question], answers: Answers) -> tuple[Question, ...]:
    """Return the required questions that have no answer yet."""
    return tuple(question for question in questions if question.required and _answer(question, answers) is None)


def faults_of(questions: Iterable[Question], answers: Answers, *, complete: bool) -> tuple[AnswerFault, ...]:
    """Return the questions whose answers are not allowed, and if `complete` those that lack a required answer."""
    found = []
    for question in questions:
        answer = _answer(question, answers)
        message = _fault(question, answer) if answer is not None else ""
        if answer is None and question.required and complete:
            message = "An answer is needed."
        if message:
            found.append(AnswerFault(question, message))
    return tuple(found)


def faults_in(refusal: ItemsRefusedError, questions: Iterable[Question]) -> tuple[AnswerFault, ...]:
    """Return the questions whose answers the Booking System refuses, with its reasons (OB-CUST-14, OB-FORM-10)."""
    asked = {(question.position, _same_key(question.key)): question for question in questions}
    return tuple(
        AnswerFault(asked[key], fault.description or "This answer is not accepted.")
        for fault in refusal.faults
        if (key := (fault.position, _same_key(fault.instance or ""))) in asked
    )


def with_answers(
    items: Iterable[OrderItemRequest], questions: Sequence[Question], answers: Answers
) -> tuple[OrderItemRequest, ...]:
    """Return the items of a request with the attendees and the answers to their intake forms."""
    return tuple(
        _with_answers(item, [question for question in questions if question.position == item.position], answers)
        for item in items
    )


def read_text(question: Question, text: str) -> str | bool | None:
    """Return the answer that a text from a form or a terminal gives; None if it is empty.

    The text of a `YES_NO` is "yes", "no", "true", "false", "on", "off", "1" or "0". Other texts stay as they are, and
    are faults.
    """
    stripped = text.strip()
    if not stripped:
        return None
    if question.kind is QuestionKind.YES_NO and stripped.lower() in (*_TRUE_TEXTS, *_FALSE_TEXTS):
        return stripped.lower() in _TRUE_TEXTS
    return stripped


def _attendee_questions(position: int, item: OrderItem) -> Iterator[Question]:
    for uri in dict.fromkeys(item.attendee_details_required):
        name = _property(uri)
        label, kind = _ATTENDEE_DETAILS.get(name, (_words(name), QuestionKind.TEXT))
        yield Question(position=position, key=uri, label=label, kind=kind, required=True, attendee=True)


def _form_questions(position: int, item: OrderItem) -> Iterator[Question]:
    for field in item.order_item_intake_form:
        yield Question(
            position=position,
            key=field.id,
            label=field.name,
            kind=_kind(field),
            # A box that must be answered would be one that must be ticked (OB-FORM-07).
            required=bool(field.value_required) and field.type is not FormFieldType.BOOLEAN,
            options=field.value_option,
            help=field.description or "",
        )


def _kind(field: FormFieldSpecification) -> QuestionKind:
    """Return the kind of a question. A dropdown without options can only be answered with text."""
    kind = _FORM_KINDS[field.type]
    return QuestionKind.TEXT if kind is QuestionKind.CHOICE and not field.value_option else kind


def _answer(question: Question, answers: Answers) -> Any:
    """Return the answer to a question; None if there is none, or an empty text."""
    answer = answers.get(question.position, {}).get(question.key)
    return None if isinstance(answer, str) and not answer.strip() else answer


def _fault(question: Question, answer: Any) -> str:
    """Return what is wrong with an answer; empty if nothing is."""
    if question.kind is QuestionKind.YES_NO:
        return "" if isinstance(answer, bool) else "Answer with yes or no."
    if not isinstance(answer, str):
        return "Answer with text."
    if question.kind is QuestionKind.CHOICE and answer not in question.options:
        return f"Choose one of: {', '.join(question.options)}."
    is_valid, message = _CHECKS.get(question.kind, (bool, ""))
    return "" if is_valid(answer.strip()) else message


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


_CHECKS: Mapping[QuestionKind, tuple[Callable[[str], bool], str]] = {
    QuestionKind.EMAIL: (is_email, "This is no e-mail address."),
    QuestionKind.TELEPHONE: (lambda text: any(map(str.isdigit, text)), "This is no telephone number."),
    QuestionKind.DATE: (_is_date, "Give the date as 2015-03-31."),
}


def _with_answers(item: OrderItemRequest, questions: Sequence[Question], answers: Answers) -> OrderItemRequest:
    given = {question.key: _answer(question, answers) for question in questions}
    details = {
        _property(question.key): given[question.key]
        for question in questions
        if question.attendee and given[question.key] is not None
    }
    responses = tuple(
        msgspec.to_builtins(IntakeFormAnswer(property_id=question.key, value=given[question.key]))
        for question in questions
        if not question.attendee and given[question.key] is not None
    )
    attendee = {"@type": "Person", **(item.attendee or {}), **details} if details else item.attendee
    return replace(
        item, attendee=attendee, order_item_intake_form_response=responses or item.order_item_intake_form_response
    )


def _property(uri: str) -> str:
    """Return the name of a property in JSON; a property of an unknown namespace is named by its URI."""
    return _NAMESPACES.sub("", uri) if _NAMESPACES.match(uri) else uri


def _same_key(uri: str) -> str:
    """Return a key that is the same for `http://schema.org/` and `https://schema.org/`."""
    return uri.replace("http://", "https://", 1)


def _words(name: str) -> str:
    """Return the name of a property as words: `Health conditions` for `healthConditions`."""
    return _WORD.sub(" ", re.split(r"[/#:]", name)[-1]).capitalize()
