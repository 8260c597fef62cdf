"""The base of all message types, and open objects."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

JsonObject = Mapping[str, Any]

# A URL, or URLs and objects that define terms. Readers accept every form.
Context = str | tuple[str | JsonObject, ...] | JsonObject
# The `@id` of an object, or the object itself (AMB-07).
Reference = JsonObject | str
# Whole numbers, decimal fractions and decimal text are all in use (AMB-31).
Price = int | float | str
Identifier = int | str | JsonObject | tuple[JsonObject, ...]
Instant = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Duration = Annotated[str, msgspec.Meta(extra_json_schema={"format": "duration"})]
Uri = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uri"})]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A message, or an object within one. Properties that are absent are not encoded (OB-MT-09)."""


class TypedMessage(Message, frozen=True, kw_only=True, tag_field="@type", tag=True):
    """A message whose `@type` is the name of its class, unless the class names another."""


AnyMessage = TypeVar("AnyMessage", bound=Message)


def open_object(known: Message, properties: JsonObject) -> dict[str, Any]:
    """Return the members of `known` together with further properties, which take precedence.

    Members that are null are left out (OB-MT-09).
    """
    members: dict[str, Any] = msgspec.to_builtins(known)
    members.update(properties)
    if None in properties.values():
        return {name: value for name, value in members.items() if value is not None}
    return members


def known_part(value: JsonObject, type_: type[AnyMessage]) -> AnyMessage:
    """Return the properties of an open object that the specification defines.

    Raises:
        msgspec.ValidationError: a property has a value that the specification does not allow, or a required one is
            missing. The message names its path.
    """
    return msgspec.convert(value, type_)
