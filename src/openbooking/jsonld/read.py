"""Request bodies as JSON objects; the `@id` in a reference, and the check of the `@type`."""

from typing import Any

import msgspec

from openbooking.openactive.errors import OpenBookingError, UnexpectedOrderTypeError
from openbooking.openactive.messages import JsonObject

_MAX_DEPTH = 64
_NUL = b"\\u0000"  # valid JSON can contain a NUL character only in this form


def read_object(body: bytes) -> JsonObject:
    """Return the JSON object in a body.

    Raises:
        OpenBookingError: The body is not valid JSON, is not an object, is nested more than 64 levels deep, or contains
            a NUL character, which PostgreSQL cannot store.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError) as fault:
        raise OpenBookingError(f"The body is not valid JSON: {fault}.") from fault
    if not isinstance(value, dict):
        raise OpenBookingError("The body is not a JSON object.")
    if _NUL in body or body.count(b"{") + body.count(b"[") > _MAX_DEPTH:
        _check_content(value)
    return value


def _check_content(value: Any, depth: int = 0) -> None:
    """Raise OpenBookingError if a value contains a NUL character or is nested too deeply."""
    if depth > _MAX_DEPTH:
        raise OpenBookingError("The body is nested too deeply.")
    if isinstance(value, str):
        if "\0" in value:
            raise OpenBookingError("The body contains a NUL character.")
    elif isinstance(value, dict):
        for key, member in value.items():
            _check_content(key, depth + 1)
            _check_content(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _check_content(member, depth + 1)


def check_type(body: JsonObject, expected: str) -> None:
    """Raise UnexpectedOrderTypeError unless the body has the expected `@type` (OB-VAL-01)."""
    if body.get("@type") != expected:
        raise UnexpectedOrderTypeError(f"The @type must be {expected}.")


def read_reference(value: Any) -> str | None:
    """Return the `@id` in a reference, which is a text or an object with an `@id` (AMB-07); None without `@id`."""
    if isinstance(value, dict):
        value = value.get("@id")
    return value if isinstance(value, str) and value else None
