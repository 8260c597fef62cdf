"""The OpenAPI document as the page at /docs shows it: subjects, operations, replies and schemas."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup, escape

Json = dict[str, Any]

_CODE = re.compile(r"`([^`]+)`")
# Where an item of a list begins. All items of a block are numbered, or none is.
_ITEM = re.compile(r"^(?:- |\d+\. )", re.MULTILINE)
_NUMBERED = re.compile(r"^\d+\. ", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")


class Part(NamedTuple):
    """A part of the type of a value: a text, and the name of the schema to which it links, if any."""

    text: str
    schema: str = ""


class Value(NamedTuple):
    """A parameter, a header or a property.

    Attributes:
        name: The name.
        place: Where a parameter stands: `path`, `query` or `header`; empty for others.
        type: The type.
        required: Whether it is always there.
        description: What it means.
    """

    name: str
    place: str
    type: tuple[Part, ...]
    required: bool
    description: str


class Sample(NamedTuple):
    """An example, as text."""

    name: str
    summary: str
    text: str


class Content(NamedTuple):
    """A body."""

    media_type: str
    type: tuple[Part, ...]
    samples: tuple[Sample, ...]


class Response(NamedTuple):
    """The responses with one status."""

    status: str
    description: str
    headers: tuple[Value, ...]
    contents: tuple[Content, ...]


class ShownOperation(NamedTuple):
    """An operation."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    credentials: tuple[str, ...]
    parameters: tuple[Value, ...]
    contents: tuple[Content, ...]
    responses: tuple[Response, ...]


class ShownSchema(NamedTuple):
    """A schema of a message."""

    name: str
    description: str
    type: tuple[Part, ...]
    properties: tuple[Value, ...]


class ShownSubject(NamedTuple):
    """A subject with its operations."""

    name: str
    description: str
    operations: tuple[ShownOperation, ...]


def subjects_of(document: Mapping[str, Any]) -> list[ShownSubject]:
    """Return the subjects of a document, each with its operations."""
    operations = list(_operations(document))
    return [
        ShownSubject(
            tag["name"],
            tag["description"],
            tuple(shown for subject, shown in operations if subject == tag["name"]),
        )
        for tag in document["tags"]
    ]


def schemas_of(document: Mapping[str, Any]) -> list[ShownSchema]:
    """Return the schemas of a document."""
    return [
        ShownSchema(name, schema.get("description", ""), _type(schema), tuple(_properties(schema)))
        for name, schema in document["components"]["schemas"].items()
    ]


def prose(text: str) -> Markup:
    """Return a description as HTML: paragraphs, lists, links and code."""
    blocks = [block for block in text.strip().split("\n\n") if block]
    return Markup("\n").join(_block(block) for block in blocks)


def _block(block: str) -> Markup:
    """Return a paragraph with its list, if it has one."""
    head, *items = _ITEM.split(block)
    paragraph = Markup("<p>{}</p>").format(_inline(head)) if head.strip() else Markup()
    if not items:
        return paragraph
    listed = Markup("<ol>{}</ol>") if _NUMBERED.search(block) else Markup("<ul>{}</ul>")
    return paragraph + listed.format(Markup().join(Markup("<li>{}</li>").format(_inline(item)) for item in items))


def _inline(text: str) -> Markup:
    marked = _CODE.sub(r"<code>\1</code>", str(escape(" ".join(text.split()))))
    return Markup(_LINK.sub(r'<a href="\2">\1</a>', marked))  # noqa: S704 - escaped on the line before


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, ShownOperation]]:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield (
                described["tags"][0],
                ShownOperation(
                    id=described["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=described["summary"],
                    description=described["description"],
                    credentials=tuple(" and ".join(each) for each in described["security"]),
                    parameters=tuple(_parameter(each) for each in described["parameters"]),
                    contents=tuple(_contents(described.get("requestBody", {}))),
                    responses=tuple(_response(status, each) for status, each in described["responses"].items()),
                ),
            )


def _parameter(described: Json) -> Value:
    return Value(
        described["name"],
        described["in"],
        _type(described["schema"]),
        described.get("required", False),
        described.get("description", ""),
    )


def _response(status: str, described: Json) -> Response:
    headers = (Value(name, "", (), False, each["description"]) for name, each in described["headers"].items())  # noqa: FBT003
    return Response(status, described["description"], tuple(headers), tuple(_contents(described)))


def _contents(described: Json) -> Iterator[Content]:
    for media_type, content in described.get("content", {}).items():
        samples = (
            Sample(name, example["summary"], _text(example["value"]))
            for name, example in content.get("examples", {}).items()
        )
        yield Content(media_type, _type(content["schema"]), tuple(samples))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _properties(schema: Json) -> Iterator[Value]:
    required = schema.get("required", ())
    for name, described in schema.get("properties", {}).items():
        yield Value(name, "", _type(described), name in required, described.get("description", ""))


def _type(schema: Json) -> tuple[Part, ...]:
    """Return the type that a schema describes, in words, with links to other schemas."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return (Part(name, name),)
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return (Part(" or ".join(json.dumps(each) for each in values)),)
    if "allOf" in schema:
        return _join(schema["allOf"], " and ")
    if "anyOf" in schema:
        return _join([each for each in schema["anyOf"] if each.get("type") != "null"], " or ")
    if schema.get("type") == "array":
        return (Part("array of "), *_type(schema.get("items", {})))
    return (Part(schema.get("format") or schema.get("type") or "any value"),)


def _join(schemas: list[Json], word: str) -> tuple[Part, ...]:
    first, *others = schemas
    parts = list(_type(first))
    for each in others:
        parts += [Part(word), *_type(each)]
    return tuple(parts)
