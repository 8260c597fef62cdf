"""The base classes of all message types, and conversions of open objects (explained in `messages/__init__.py`)."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

JsonObject = Mapping[str, Any]

# In the JSON Schema of an open object: the names of the schemas with the properties that the specification defines.
KNOWN_PROPERTIES = "x-known-properties"


def open_like(*names: str) -> msgspec.Meta:
    """Return what the JSON Schema of an open object says: which types have the properties of the specification."""
    return msgspec.Meta(extra_json_schema={KNOWN_PROPERTIES: list(names)})


# The `@context`: a URL, an object that defines terms, or an array of both.
Context = str | tuple[str | JsonObject, ...] | JsonObject
# The `@id` of an object, or the object itself (AMB-07).
Reference = JsonObject | str
OpenParty = Annotated[JsonObject, open_like("Organization", "Person")]
OpenOrganization = Annotated[JsonObject, open_like("Organization")]
OpenPerson = Annotated[JsonObject, open_like("Person")]
OpenAnswer = Annotated[JsonObject, open_like("IntakeFormAnswer")]
OpenPass = Annotated[JsonObject, open_like("Barcode", "ImageObject")]
OpenChannel = Annotated[JsonObject, open_like("VirtualLocation")]
OfferReference = Annotated[Reference, open_like("Offer", "OfferOverride")]
OpportunityReference = Annotated[Reference, open_like("Opportunity")]
PartyReference = Annotated[Reference, open_like("Organization", "Person")]
# Systems send whole numbers, decimal fractions and decimal text (AMB-31).
Price = int | float | str
Identifier = int | str | JsonObject | tuple[JsonObject, ...]
Instant = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Duration = Annotated[str, msgspec.Meta(extra_json_schema={"format": "duration"})]
Uri = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uri"})]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A message, or an object within a message. Absent properties are not encoded (OB-MT-09)."""


class TypedMessage(Message, frozen=True, kw_only=True, tag_field="@type", tag=True):
    """A message whose `@type` is the `tag` of its class, which is the name of the class by default."""


AnyMessage = TypeVar("AnyMessage", bound=Message)


def open_object(known: Message, properties: JsonObject) -> dict[str, Any]:
    """Return an open object: the members of a struct together with further properties.

    Args:
        known: The struct with the properties that the specification defines.
        properties: Further properties. They replace members of the same name. Those that are None are left out
            (OB-MT-09).
    """
    members: dict[str, Any] = msgspec.to_builtins(known)
    members.update(properties)
    if None in properties.values():
        return {name: value for name, value in members.items() if value is not None}
    return members


def known_part(value: JsonObject, type_: type[AnyMessage]) -> AnyMessage:
    """Return the properties of an open object that the specification defines.

    Raises:
        msgspec.ValidationError: A property has a value that the specification does not allow, or a required property
            is missing. The text names the path of the property.
    """
    return msgspec.convert(value, type_)
