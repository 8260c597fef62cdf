"""JSON Schemas, from the types of messages, the error classes and the table of Opportunity types."""

import inspect
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from openbooking.identity.oauth.errors import OAuthError
from openbooking.openactive import messages
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.item_errors import ITEM_ERROR_STATUS, ItemErrorType
from openbooking.openactive.messages.base import KNOWN_PROPERTIES
from openbooking.openactive.opportunity_row import Dates
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import EventStatus
from openbooking.web.operation import AnyError

Json = dict[str, Any]

OPPORTUNITY, ITEM_ERROR, OTHER_ERROR = "Opportunity", "OrderItemError", "OtherError"
_REFERENCE = "#/components/schemas/"
_REFERENCE_IN_JSON = re.compile(rf'"{_REFERENCE}([^"]+)"')
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The name of a type with a parameter, such as `Page[OrderFeedData]`, and the names in the parameter of an open object.
_GENERIC = re.compile(r"(\w+)\[(.*)\]", re.DOTALL)
_KNOWN_NAMES = re.compile(rf"'{KNOWN_PROPERTIES}': \[(.*?)\]")


class Schemas:
    """The JSON Schemas of types.

    Args:
        types: The types, besides the messages of the specification.
    """

    def __init__(self, types: Iterable[Any]) -> None:
        self._types = list(dict.fromkeys([*types, *_messages()]))
        made, components = msgspec.json.schema_components(self._types, ref_template=f"{_REFERENCE}{{name}}")
        names = {name: _readable_name(schema) or name for name, schema in components.items()}
        renamed = [(f"{_REFERENCE}{old}", f"{_REFERENCE}{new}") for old, new in names.items() if old != new]
        self._references = dict(zip(map(repr, self._types), _rename(made, renamed), strict=True))
        written = {names[name]: schema for name, schema in _rename(components, renamed).items()}
        self.components: dict[str, Json] = {name: _complete(schema) for name, schema in written.items()}
        for name, schema in self.components.items():
            schema["title"] = name
            if "description" in schema:
                schema["description"] = inspect.cleandoc(schema["description"])
        self.components |= _opportunities() | _item_errors()
        self._refer_to_item_errors()

    def reference(self, type_: Any) -> Json:
        """Return the schema of one of the types: a reference to a component if the type has a name."""
        found: Json = _complete(self._references[repr(type_)])
        return found

    def error(self, error: AnyError) -> Json:
        """Return a reference to the schema of an error class, which becomes a component."""
        name, schema = _oauth_error(error) if issubclass(error, OAuthError) else _error(error)
        self.components[name] = schema
        return {"$ref": _REFERENCE + name}

    def _refer_to_item_errors(self) -> None:
        """Let the `error` of an OrderItem refer to the errors of OrderItems."""
        item = self.components[messages.OrderItem.__name__]
        item["properties"]["error"]["items"] = {"$ref": _REFERENCE + ITEM_ERROR}


def _messages() -> list[type[messages.Message]]:
    """Return the types of all messages of the specification."""
    found = (getattr(messages, name) for name in messages.__all__)
    types = (type_ for type_ in found if inspect.isclass(type_) and issubclass(type_, messages.Message))
    return [type_ for type_ in types if type_ is not messages.Message]


def _readable_name(schema: Mapping[str, Any]) -> str | None:
    """Return a name for the schema of a type with a parameter: `PageOfSlot`. None if the type has no parameter."""
    generic = _GENERIC.fullmatch(schema.get("title", ""))
    if not generic:
        return None
    known = _KNOWN_NAMES.search(generic[2])
    parameter = "Or".join(re.findall(r"'(\w+)'", known[1])) if known else generic[2].rpartition(".")[2]
    return f"{generic[1]}Of{parameter}"


def _rename(value: Any, renamed: Iterable[tuple[str, str]]) -> Any:
    """Return a value with other references."""
    text = msgspec.json.encode(value).decode()
    for old, new in renamed:
        text = text.replace(f'"{old}"', f'"{new}"')
    return msgspec.json.decode(text)


def _complete(schema: Any) -> Any:
    """Return a schema in which open objects refer to the schemas with the properties of the specification."""
    if isinstance(schema, list):
        return [_complete(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    known = schema.get(KNOWN_PROPERTIES)
    completed = {name: _complete(member) for name, member in schema.items() if name != KNOWN_PROPERTIES}
    if known is None:
        return completed
    others = completed.pop("anyOf", None) or [{"type": completed.pop("type")}]
    return {**completed, "anyOf": [*({"$ref": _REFERENCE + name} for name in known), *others]}


def meaning(error: AnyError) -> str:
    """Return what an error class means: the first paragraph of its docstring."""
    return (inspect.getdoc(error) or "").partition("\n\n")[0]


def _error(error: type[OpenBookingError]) -> tuple[str, Json]:
    """Return the name and the schema of an error class. Outside the specification, the `@type` is that of the base."""
    name = OTHER_ERROR if error is OpenBookingError else error.__name__
    described = {
        "@type": {"const": error.reported_name()},
        "name": {"const": error.name},
        "statusCode": {"const": error.status},
    }
    return name, {
        "title": name,
        "description": meaning(error) if error is not OpenBookingError else error.name,
        "allOf": [{"$ref": _REFERENCE + messages.OpenBookingError.__name__}],
        "properties": described,
        "required": ["@type", "statusCode"],
    }


def _oauth_error(error: type[OAuthError]) -> tuple[str, Json]:
    code = error.code
    name = f"OAuth{error.__name__}"
    return name, {
        "title": name,
        "description": meaning(error),
        "type": "object",
        "properties": {"error": {"const": code}, "error_description": {"type": "string"}},
        "required": ["error", "error_description"],
    }


def _item_errors() -> dict[str, Json]:
    """Return the schema of the errors of an OrderItem."""
    return {
        ITEM_ERROR: {
            "title": ITEM_ERROR,
            "description": "\n".join(f"- `{type_}`: {type_.error_name}" for type_ in ItemErrorType),
            "allOf": [{"$ref": _REFERENCE + messages.OpenBookingError.__name__}],
            "properties": {
                "@type": {"enum": list(ItemErrorType)},
                "name": {"enum": [type_.error_name for type_ in ItemErrorType]},
                "statusCode": {"const": ITEM_ERROR_STATUS},
            },
            "required": ["@type", "statusCode"],
        }
    }


@cache
def _opportunities() -> dict[str, Json]:
    """Return the schemas of Opportunities and of their parents, which are open objects."""
    bookable = [{"$ref": _REFERENCE + type_} for type_ in OpportunityType if type_.row.bookable]
    described = {"title": OPPORTUNITY, "description": "An Opportunity that can be booked.", "anyOf": bookable}
    return {OPPORTUNITY: described} | {str(type_): _opportunity(type_) for type_ in OpportunityType}


def _opportunity(type_: OpportunityType) -> Json:
    row = type_.row
    properties: Json = {
        "@type": {"const": str(type_)},
        "@id": {"type": "string", "format": "uri"},
        "isAccessibleForFree": {"type": "boolean"},
        "offers": {"type": "array", "items": {"anyOf": [{"$ref": _REFERENCE + "Offer"}, {"type": "object"}]}},
    }
    if row.dates is not Dates.NONE:
        format_ = "date" if row.dates is Dates.DAYS else "date-time"
        properties |= {name: {"type": "string", "format": format_} for name in ("startDate", "endDate")}
        properties["duration"] = {"type": "string", "format": "duration"}
    if row.has_status:
        properties["eventStatus"] = {"enum": list(EventStatus)}
    if row.capacity:
        properties[row.capacity.maximum] = {"description": "How many spaces there are in all."}
        properties[row.capacity.remaining] = {"type": "integer", "description": "How many spaces are left."}
    if row.parent:
        parents = [{"$ref": _REFERENCE + name} for name in row.parent.types]
        properties[row.parent.property] = {"anyOf": [*parents, {"type": "object"}, {"type": "string"}]}
    if type_.shows_seller:
        properties[row.seller_property] = {
            "anyOf": [{"$ref": _REFERENCE + "Organization"}, {"$ref": _REFERENCE + "Person"}, {"type": "object"}]
        }
    kind = "is booked" if row.bookable else "is a parent of what is booked"
    return {
        "title": str(type_),
        "description": f"An item of the feed `{row.feed}`, which {kind}. The publisher may add properties.",
        "type": "object",
        "properties": properties,
        "required": ["@type", "@id"],
    }


def make_schema_files(document: Mapping[str, Any]) -> dict[str, str]:
    """Return a file with a JSON Schema for each schema of an OpenAPI document, by its name.

    A reference to another schema names the file of that schema.
    """
    files = {}
    for name, schema in document["components"]["schemas"].items():
        whole = {"$schema": _DIALECT, "$id": f"{name}.json", **schema}
        text = _REFERENCE_IN_JSON.sub(r'"\1.json"', msgspec.json.encode(whole).decode())
        files[f"{name}.json"] = msgspec.json.format(text, indent=2) + "\n"
    return files
