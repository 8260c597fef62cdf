"""Questions as fields of a form."""

from openbooking.broker import AnswerFault, Question, QuestionKind, field_errors, form_fields, read_form

NAME = Question(position=0, key="name", label="Name", required=True)
SWIMS = Question(position=0, key="swims", label="Swims", kind=QuestionKind.YES_NO)
OTHER = Question(position=1, key="name", label="Name", required=True)
QUESTIONS = (NAME, SWIMS, OTHER)


def test_fields_show_what_is_known_and_what_was_typed() -> None:
    answers = {0: {"name": "Ann", "swims": False}}
    assert [(field.name, field.value) for field in form_fields(QUESTIONS, answers)] == [
        ("q0", "Ann"),
        ("q1", "no"),
        ("q2", ""),
    ]
    assert [field.value for field in form_fields(QUESTIONS, answers, {"q0": "", "q2": "Bo"})] == ["", "no", "Bo"]


def test_form_is_read_by_position_and_key() -> None:
    filled = read_form(QUESTIONS, {"q0": " Ann ", "q1": "yes", "q9": "x"})
    assert filled.answers == {0: {"name": "Ann", "swims": True}, 1: {"name": None}}
    assert filled.missing == {"q2": "An answer is needed."}


def test_errors_are_at_their_fields() -> None:
    faults = [AnswerFault(OTHER, "Too long."), AnswerFault(Question(position=7, key="x", label="X"), "Gone.")]
    assert field_errors(QUESTIONS, faults) == {"q2": "Too long.", "": "Gone."}
