"""JSON objects as messages, read leniently (OB-MT-10).

Most mistakes in a request do not keep it from being answered, and the others have error classes of their own. A caller
therefore names functions for members that do not fit their types. Such a function returns another value, or raises the
error. A member without a function counts as absent.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from openbooking.openactive.messages.base import AnyMessage, JsonObject

Readers = Mapping[str, Callable[[Any], Any]]


def read_message(value: JsonObject, type_: type[AnyMessage], readers: Readers) -> AnyMessage:
    """Return the object as a message.

    Args:
        value: the object.
        type_: the type of the message.
        readers: functions for members that do not fit their types, by the names of the members in JSON. A function is
            called with the value of the member, or None where a required member is missing.

    Raises:
        msgspec.ValidationError: a required member is missing or does not fit, and there is no function for it.
        OpenBookingError: a function raised it.
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as fault:
        return _read_members(value, type_, readers, fault)


def _read_members(
    value: JsonObject, type_: type[AnyMessage], readers: Readers, fault: msgspec.ValidationError
) -> AnyMessage:
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


def as_sent(value: Any) -> Any:
    """Return the value unchanged, for members that a command checks itself."""
    return value
