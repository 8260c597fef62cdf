"""A request body as JSON: an object, or a fault the Broker can understand."""

from collections.abc import Mapping
from typing import Any

import msgspec

from openbooking.openactive.errors import OpenBookingError, UnexpectedOrderTypeError

JsonObject = Mapping[str, Any]

_MAX_DEPTH = 64
_NUL = b"\\u0000"  # the only way to write one: JSON has no raw control characters in its strings


def read_object(body: bytes) -> JsonObject:
    """The JSON object in the body, or raise OpenBookingError: malformed, too deep, with NUL characters, no object."""
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
    """Raise UnexpectedOrderTypeError unless the body's `@type` is the one of the endpoint (OB-VAL-01)."""
    if body.get("@type") != expected:
        raise UnexpectedOrderTypeError(f"The @type must be {expected}.")


def read_reference(value: Any) -> str | None:
    """The `@id` of a reference, compact or as an object (AMB-07), or None where there is none."""
    if isinstance(value, dict):
        value = value.get("@id")
    return value if isinstance(value, str) and value else None
