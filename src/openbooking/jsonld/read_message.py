"""Conversion of JSON objects to messages, which tolerates mistakes (OB-MT-10).

- An unknown property, which the message type does not have, is ignored. Open objects keep unknown properties
  (`openactive/messages/__init__.py`), and PATCHes refuse them (`read_order.py`).
- An optional property of the wrong type counts as absent, unless the caller passes a function for the property. The
  function returns another value, or raises the error class for the mistake.
- A required property that is missing or of the wrong type needs such a function; otherwise ValidationError is raised.

The functions, and so the error classes for faults of a message, are in `read_order.py`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from openbooking.openactive.messages.base import AnyMessage, JsonObject

Readers = Mapping[str, Callable[[Any], Any]]


def read_message(value: JsonObject, type_: type[AnyMessage], readers: Readers) -> AnyMessage:
    """Return an object as a message.

    Args:
        value: The object.
        type_: The type of the message.
        readers: Functions for properties of the wrong type, by the names of the properties in JSON. A function is
            called with the value of its property, or with None if a required property is missing.

    Raises:
        msgspec.ValidationError: A required property is missing or of the wrong type, and has no function.
        OpenBookingError: One of the functions raised the error.
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as fault:
        return _read_members(value, type_, readers, fault)


def _read_members(
    value: JsonObject, type_: type[AnyMessage], readers: Readers, fault: msgspec.ValidationError
) -> AnyMessage:
    """Return a message read property by property, because the object as a whole does not fit the type."""
    members: dict[str, Any] = {}
    for field in msgspec.structs.fields(type_):
        name, sent = field.encode_name, value.get(field.encode_name)
        if name in value:
            try:
                members[field.name] = msgspec.convert(sent, field.type)
                continue
            except msgspec.ValidationError:
                pass
        elif not field.required:
            continue
        if name in readers:
            members[field.name] = readers[name](sent)
        elif field.required:
            raise fault
    return type_(**members)


def keep_value(value: Any) -> Any:
    """Return the value unchanged: a reader for properties that a command checks."""
    return value
