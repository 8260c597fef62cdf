"""The message types are the source of the JSON Schemas of an OpenAPI document."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from openbooking.openactive import messages
from openbooking.openactive.messages.base import Message
from support.official_examples import FOLDER, TYPES

Json = Mapping[str, Any]
ALL = [found for name in messages.__all__ if isinstance(found := getattr(messages, name), type)]
STRUCTS = [found for found in ALL if issubclass(found, Message) and found is not Message]
ORDERS = (messages.OrderQuote, messages.OrderProposal, messages.Order)

_OF_JSON: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def schemas() -> tuple[tuple[Json, ...], Json]:
    found = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    return tuple(found[0]), found[1]


def components() -> Json:
    return schemas()[1]


def problems(value: Any, schema: Json, known: Json, path: str = "$") -> Iterator[str]:
    """Yield a text for each part of a value that does not fit a schema made by msgspec."""
    if "$ref" in schema:
        yield from problems(value, known[schema["$ref"].rpartition("/")[2]], known, path)
    elif "anyOf" in schema:
        if all(list(problems(value, option, known, path)) for option in schema["anyOf"]):
            yield f"{path} fits none of {schema['anyOf']}"
    elif "enum" in schema:
        if value not in schema["enum"]:
            yield f"{path} is not one of {schema['enum']}"
    elif "type" in schema and not isinstance(value, _OF_JSON[schema["type"]]):
        yield f"{path} is no {schema['type']}"
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from problems(member, schema.get("items", {}), known, f"{path}[{index}]")
    elif isinstance(value, dict):
        yield from _problems_of_object(value, schema, known, path)


def _problems_of_object(value: Json, schema: Json, known: Json, path: str) -> Iterator[str]:
    yield from (f"{path} lacks {name}" for name in schema.get("required", ()) if name not in value)
    properties = schema.get("properties", {})
    yield from (f"{path}.{name} is unknown" for name in value if properties and name not in properties)
    for name in value.keys() & properties.keys():
        yield from problems(value[name], properties[name], known, f"{path}.{name}")


@pytest.mark.parametrize("type_", STRUCTS, ids=[struct.__name__ for struct in STRUCTS])
def test_every_message_type_has_a_schema_with_the_names_of_the_specification(type_: type[Message]) -> None:
    schema = components()[type_.__name__]
    names = {field.encode_name for field in msgspec.structs.fields(type_)}
    assert names == schema["properties"].keys() - ({"@type"} - names)
    assert "@type" in schema["properties"]


def test_every_reference_of_the_schemas_is_resolved() -> None:
    made, known = schemas()
    written = json.dumps([made, known])
    referred = {part.partition('"')[0] for part in written.split("#/components/schemas/")[1:]}
    assert referred == known.keys()
    assert len(made) == len(STRUCTS)


def test_schema_of_a_reply_requires_the_type_of_the_reply() -> None:
    for type_ in ORDERS:
        schema = components()[type_.__name__]
        assert schema["properties"]["@type"] == {"enum": [type_.__name__]}
        assert "@type" in schema["required"]


@pytest.mark.parametrize(("name", "type_"), TYPES.items(), ids=list(TYPES))
def test_official_example_fits_its_schema(name: str, type_: type[Message]) -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"no official examples to judge: {FOLDER} is not there")
    sent = json.loads((FOLDER / f"{name}.json").read_bytes())
    sent = sent["items"][0]["data"] if "items" in sent else sent
    known = components()
    assert list(problems(sent, known[type_.__name__], known)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"@type": "Order"}, "$.@type is not one of ['OrderQuote']"),
        ({"orderedItem": {}}, "$.orderedItem is no array"),
        ({"orderRequiresApproval": "no"}, "$.orderRequiresApproval fits none of"),
        ({"orderedItems": []}, "$.orderedItems is unknown"),
    ],
)
def test_schema_refuses_a_reply_that_is_wrong(changes: Json, expected: str) -> None:
    sound = {"@context": "https://openactive.io/", "@type": "OrderQuote", "orderedItem": []}
    known = components()
    assert list(problems(sound, known["OrderQuote"], known)) == []
    (found,) = problems({**sound, **changes}, known["OrderQuote"], known)
    assert found.startswith(expected)
