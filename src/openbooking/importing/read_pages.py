"""RPDE pages, RPDE items and single JSON-LD items, as providers publish them."""

import re
from typing import Any, NamedTuple

import msgspec

from openbooking.importing.read_values import MAX_DEPTH, JsonObject, UnreadableError, read_text
from openbooking.importing.source import Source

MAX_ITEM_BYTES = 8_000_000

# Whatever of an item lies deeper in the document is too deep in the item too.
_DEEPEST = 2 * MAX_DEPTH

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BRACKET = ord("[")
_decode_members = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode = msgspec.json.Decoder().decode
_BRACKETS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|(?P<opening>[\[{])|(?P<closing>[\]}])', re.DOTALL)
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class _TooDeepError(UnreadableError):
    """Something is nested more deeply than the decoder can follow."""


class Page(NamedTuple):
    """What a document holds, each item still as bytes, so that one that cannot be read spoils no other.

    `next` is where an RPDE page says that its feed goes on; `next_fault` tells why that cannot be read.
    """

    items: list[msgspec.Raw]
    next: str | None = None
    is_rpde: bool = False
    next_fault: str = ""


class Entry(NamedTuple):
    """One item of a page: its data and, if it has an RPDE envelope, what that tells.

    `source` is that of all that is imported together, `where` the place in it that the item was found at.
    """

    source: Source
    where: str
    data: Any
    kind: str = ""
    id: str = ""
    modified: Any = None
    deleted: bool = False


def read_page(body: bytes) -> Page:
    """The items in a document, or raise UnreadableError."""
    body = body.removeprefix(_BYTE_ORDER_MARK).strip()
    try:
        return _take_apart(body)
    except UnreadableError as fault:
        passable = _cut_off(body) if isinstance(fault, _TooDeepError) else _without_halves(body)
        if passable == body:
            raise
        return read_page(passable)


def _take_apart(body: bytes) -> Page:
    if body[:1] == b"[":
        return Page(_parse(_decode_members, body))
    document = _parse(_decode_object, body)
    items = document.get("items")
    if items is None or memoryview(items)[0] != _BRACKET or _has_type(document):
        return Page([msgspec.Raw(body)])
    page = Page(_parse(_decode_members, items), is_rpde=True)
    try:
        next_ = _parse(_decode, document.get("next", b"null"))
    except UnreadableError as fault:
        return page._replace(next_fault=f"its next cannot be read: {fault}")
    return page._replace(next=next_ if isinstance(next_, str) else None)


def _without_halves(body: bytes) -> bytes:
    """The document with bytes that are no text in place of halves of surrogate pairs.

    The decoder cannot pass over those, though they are valid JSON; now it can, and refuses the item that has them.
    """
    return _ESCAPES.sub(lambda found: b"\xff" if found["half"] else found[0], body)


def _cut_off(body: bytes) -> bytes:
    """The document without what is nested more deeply than the decoder can pass over, and than any item may be."""
    kept = bytearray()
    depth = end = 0
    for found in _BRACKETS.finditer(body):
        if found["opening"]:
            depth += 1
            if depth == _DEEPEST:
                kept += body[end : found.start()]
                end = len(body)
        elif found["closing"]:
            if depth == _DEEPEST:
                kept += b"0"
                end = found.end()
            depth -= 1
    return bytes(kept + body[end:])


def read_entry(item: msgspec.Raw, source: Source, where: str) -> Entry:
    """The item, or raise UnreadableError."""
    if len(item) > MAX_ITEM_BYTES:
        raise UnreadableError(f"it is larger than {MAX_ITEM_BYTES:,} bytes")
    value = _parse(_decode, item)
    if not isinstance(value, dict):
        raise UnreadableError("it is no JSON object")
    # Some leave out all of the envelope but `data`.
    if _has_type(value) or not ("data" in value or "state" in value):
        return Entry(source, where, value)
    entry = Entry(
        source,
        where,
        value.get("data"),
        kind=read_text(value.get("kind")) or "",
        id=read_text(value.get("id")) or "",
        modified=value.get("modified"),
        deleted=value.get("state") == "deleted",
    )
    if entry.deleted and not entry.id:
        raise UnreadableError("it is deleted, but has no id")
    return entry


def is_later(modified: Any, than: Any) -> bool:
    """Whether what comes second in a feed is the later version; so it is, unless `modified` says otherwise."""
    if isinstance(modified, str) and isinstance(than, str) and not (modified.isdigit() and than.isdigit()):
        return modified >= than
    try:
        return int(modified) >= int(than)
    except (TypeError, ValueError, OverflowError):
        return True


def _parse(decode: Any, json: Any) -> Any:
    try:
        return decode(json)
    except RecursionError as fault:
        raise _TooDeepError("it is nested too deeply") from fault
    except UnicodeDecodeError as fault:
        raise UnreadableError("it is not valid JSON: it contains text that is not Unicode") from fault
    except (msgspec.MsgspecError, ValueError) as fault:
        raise UnreadableError(f"it is not valid JSON: {fault}") from fault


def _has_type(thing: JsonObject) -> bool:
    return "@type" in thing or "type" in thing
