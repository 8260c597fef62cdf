"""Request bodies as JSON objects."""

import pytest

from openbooking.jsonld.read import check_type, read_object, read_reference
from openbooking.openactive.errors import OpenBookingError, UnexpectedOrderTypeError


def test_object_is_read() -> None:
    assert read_object(b'{"a": [1, "\xc3\xa9"]}') == {"a": [1, "é"]}


@pytest.mark.parametrize(
    ("body", "description"),
    [
        (b"", "The body is not valid JSON"),
        (b'{"a": NaN}', "The body is not valid JSON"),
        (b'{"a": "\xff"}', "The body is not valid JSON"),
        (b"[]", "The body is not a JSON object."),
        (b"null", "The body is not a JSON object."),
        (rb'{"a": "\u0000"}', "The body contains a NUL character."),
        (rb'{"a": [{"\u0000": 1}]}', "The body contains a NUL character."),
        (b'{"a": ' + b"[" * 65 + b"]" * 65 + b"}", "The body is nested too deeply."),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "The body is not valid JSON"),
    ],
    ids=["empty", "NaN", "no UTF-8", "array", "null", "NUL", "NUL in a name", "deep", "very deep"],
)
def test_body_that_is_not_a_valid_object_is_refused(body: bytes, description: str) -> None:
    with pytest.raises(OpenBookingError) as fault:
        read_object(body)
    assert str(fault.value.description).startswith(description)


def test_escaped_backslash_before_u0000_is_no_nul_character() -> None:
    assert read_object(rb'{"a": "\\u0000"}') == {"a": "\\u0000"}


def test_object_with_many_members_is_not_refused_as_deep() -> None:
    assert len(read_object(b'{"a": [' + b"{}," * 200 + b"{}]}")["a"]) == 201


@pytest.mark.spec("OB-VAL-01")
@pytest.mark.parametrize("type_", ["OrderQuote", None, 5, ["Order"]])
def test_type_of_another_endpoint_is_refused(type_: object) -> None:
    check_type({"@type": "Order"}, "Order")
    with pytest.raises(UnexpectedOrderTypeError):
        check_type({"@type": type_}, "Order")


@pytest.mark.spec("OB-MT-16")
@pytest.mark.parametrize(
    ("value", "expected"),
    [("x", "x"), ({"@type": "Offer", "@id": "x"}, "x"), ("", None), ({}, None), ({"@id": 5}, None), (["x"], None)],
)
def test_reference_is_read_in_both_forms(value: object, expected: str | None) -> None:
    assert read_reference(value) == expected
