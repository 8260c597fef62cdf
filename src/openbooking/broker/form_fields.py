"""Questions as the fields of a form on a web page: their names, what stands in them, and what is wrong.

The field of the first question is `q0`, that of the second `q1`, and so on.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from openbooking.broker.forms import AnswerFault, Answers, Question, read_text


class FormField(NamedTuple):
    """A field of a form.

    Attributes:
        name: The name of the field.
        question: The question.
        value: The text that stands in the field.
    """

    name: str
    question: Question
    value: str


class FilledForm(NamedTuple):
    """What a Customer has filled in.

    Attributes:
        answers: The answers by position and key, as `Basket.answer` takes them.
        missing: What is wrong with required fields that are empty, by name of the field.
    """

    answers: dict[int, dict[str, Any]]
    missing: dict[str, str]


def form_fields(
    questions: Iterable[Question], answers: Answers, typed: Mapping[str, str] | None = None
) -> tuple[FormField, ...]:
    """Return the fields of a form.

    Args:
        questions: The questions, such as `Quote.questions`.
        answers: The answers that are known, such as `Basket.contents.answers`.
        typed: What was typed, by name of the field, if the form is shown again.
    """
    return tuple(
        FormField(name, question, (typed or {}).get(name, _text(answers.get(question.position, {}).get(question.key))))
        for name, question in _named(questions)
    )


def read_form(questions: Iterable[Question], form: Mapping[str, str]) -> FilledForm:
    """Return what a Customer has filled in.

    Args:
        questions: The questions, in the same order.
        form: What was sent, by name of the field.
    """
    filled = FilledForm({}, {})
    for name, question in _named(questions):
        answer = read_text(question, form.get(name, ""))
        filled.answers.setdefault(question.position, {})[question.key] = answer
        if question.required and answer is None:
            filled.missing[name] = "An answer is needed."
    return filled


def field_errors(questions: Sequence[Question], faults: Iterable[AnswerFault]) -> dict[str, str]:
    """Return what is wrong with answers by the names of their fields; by an empty name if there is no such field."""
    names = {question: name for name, question in _named(questions)}
    return {names.get(fault.question, ""): fault.message for fault in faults}


def _named(questions: Iterable[Question]) -> Iterable[tuple[str, Question]]:
    return ((f"q{number}", question) for number, question in enumerate(questions))


def _text(answer: Any) -> str:
    return {True: "yes", False: "no", None: ""}.get(answer, str(answer))
