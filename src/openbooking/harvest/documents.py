"""Splits a document into items without decoding the `data` of the items.

Each item is kept as bytes, so that an item that cannot be read does not affect the other items.
"""

import re
from typing import Any, Literal, NamedTuple

import msgspec

# RPDE suggests 500 items a page. Each item needs memory for an object, and 25 MB can hold twelve million short items.
MAX_PAGE_ITEMS = 100_000

# If a document is nested too deeply for the decoder, values below this depth are removed. Real items are less deep.
MAX_NESTING = 128

# A document of this size can be split before its items are counted: at most half a million of them, in 30 MB of memory.
_MOST_UNCOUNTED_BYTES = 1_000_000

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BRACKET = ord("[")
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_BRACKETS = re.compile(_TEXT + rb"|(?P<opening>[\[{])|(?P<closing>[\]}])", re.DOTALL)
_MARKS = re.compile(_TEXT + rb"|(?P<opening>[\[{])|(?P<closing>[\]}])|(?P<comma>,)", re.DOTALL)
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<unpaired>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_NOTHING = msgspec.Raw()
# What the decoders of the usual types raise for others.
_NOT_USUAL = (msgspec.MsgspecError, ValueError, RecursionError)


class DocumentError(Exception):
    """A document cannot be split into items; the message says why."""


class LargeDocumentError(DocumentError):
    """A document has too many items."""


class _TooDeepError(DocumentError):
    """A document is nested too deeply for the decoder."""


class Page(NamedTuple):
    """The items of a document, each as bytes.

    Attributes:
        items: The items, in the order of the document.
        next: The `next` of an RPDE page, as published.
        is_rpde: Whether the document is an RPDE page. Other documents are an array of items or a single item.
        next_fault: Why `next` cannot be read; empty otherwise.
        numbers: The numbers of the items within their page, from 1. Empty if `items` are all items of the page.
    """

    items: list[msgspec.Raw]
    next: str | None = None
    is_rpde: bool = False
    next_fault: str = ""
    numbers: tuple[int, ...] = ()

    def numbered(self) -> list[tuple[int, msgspec.Raw]]:
        """Return each item with its number within its page."""
        return list(zip(self.numbers or range(1, len(self.items) + 1), self.items, strict=True))


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """The RPDE envelope of an item (RPDE "item").

    Attributes:
        id: The `id` as text. A number is kept as it was written.
        kind: The `kind`; empty if absent.
        modified: The `modified` as JSON text, because it may have more digits than a float keeps.
        deleted: Whether the item is deleted.
    """

    id: str
    kind: str
    modified: bytes
    deleted: bool


class _UsualPage(msgspec.Struct):
    """An RPDE page whose properties have the usual types, which is split in one pass."""

    items: list[msgspec.Raw]
    next: str
    type: msgspec.Raw = _NOTHING
    prefixed_type: msgspec.Raw = msgspec.field(default=_NOTHING, name="@type")


class _Document(msgspec.Struct):
    items: msgspec.Raw = _NOTHING
    next: msgspec.Raw = _NOTHING
    type: msgspec.Raw = _NOTHING
    prefixed_type: msgspec.Raw = msgspec.field(default=_NOTHING, name="@type")


class _Item(msgspec.Struct):
    id: msgspec.Raw = _NOTHING
    kind: msgspec.Raw = _NOTHING
    modified: msgspec.Raw = _NOTHING
    state: msgspec.Raw = _NOTHING
    data: msgspec.Raw = _NOTHING
    type: msgspec.Raw = _NOTHING
    prefixed_type: msgspec.Raw = msgspec.field(default=_NOTHING, name="@type")


class _UsualItem(msgspec.Struct, gc=False):
    """An item whose envelope has the usual types, which is read several times faster than others."""

    id: str
    state: Literal["updated", "deleted"]
    kind: str = ""
    modified: msgspec.Raw = _NOTHING
    type: msgspec.Raw = _NOTHING
    prefixed_type: msgspec.Raw = msgspec.field(default=_NOTHING, name="@type")


_decode = msgspec.json.Decoder().decode
_decode_usual_page = msgspec.json.Decoder(_UsualPage).decode
_decode_usual_item = msgspec.json.Decoder(_UsualItem).decode
_decode_members = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_document = msgspec.json.Decoder(_Document).decode
_decode_item = msgspec.json.Decoder(_Item).decode


def read_page(body: bytes, max_items: int | None = None) -> Page:
    """Split a document into items. The document is an RPDE page, an array of items, or a single item.

    Args:
        body: The document.
        max_items: The most items that it may have; None for any number.

    Raises:
        LargeDocumentError: The document has more items than `max_items`.
        DocumentError: The document is no JSON object or array.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK).strip()
    try:
        return _split(body, max_items)
    except LargeDocumentError:
        raise
    except DocumentError as fault:
        passable = (
            _without_deep_values(body) if isinstance(fault, _TooDeepError) else _without_unpaired_surrogates(body)
        )
        if passable == body:
            raise
        return read_page(passable, max_items)


def read_envelope(item: msgspec.Raw) -> Envelope | None:
    """Return the RPDE envelope of an item; None if the envelope cannot be read or has no `id`."""
    try:
        usual = _decode_usual_item(item)
    except _NOT_USUAL:
        return _read_unusual_envelope(item)
    return _envelope(usual)


def _envelope(usual: _UsualItem) -> Envelope | None:
    id_, kind = usual.id.strip(), usual.kind.strip()
    if not id_ or usual.type or usual.prefixed_type:
        return None
    return Envelope(id_, kind, bytes(usual.modified) or b"null", usual.state == "deleted")


def _read_unusual_envelope(item: msgspec.Raw) -> Envelope | None:
    try:
        read = parse(_decode_item, item)
        if not is_enveloped(read.type or read.prefixed_type, read.data or read.state):
            return None
        id_, kind = _as_text(read.id), _as_text(read.kind)
        deleted = bool(read.state) and parse(_decode, read.state) == "deleted"
    except DocumentError:
        return None
    return Envelope(id_, kind, bytes(read.modified) or b"null", deleted) if id_ else None


def is_enveloped(type_: Any, data_or_state: Any) -> bool:
    """Return whether an item has an RPDE envelope: it has `data` or a `state`, and no `@type` as JSON-LD has."""
    return not type_ and bool(data_or_state)


def is_later(modified: Any, than: Any) -> bool:
    """Return whether an item is a later version than an earlier item of the feed: its `modified` is not lower."""
    if isinstance(modified, str) and isinstance(than, str) and not (modified.isdigit() and than.isdigit()):
        return modified >= than
    try:
        return int(modified) >= int(than)
    except (TypeError, ValueError, OverflowError):
        return True


def is_too_deep(json: bytes) -> bool:
    """Return whether JSON is nested more deeply than `MAX_NESTING`.

    The depth that msgspec can decode and encode depends on the depth of the Python stack. JSON that was decoded once
    may therefore be refused later, unless its depth is limited.
    """
    if json.count(b"[") + json.count(b"{") <= MAX_NESTING:
        return False
    depth = 0
    for found in _BRACKETS.finditer(json):
        if found["opening"]:
            depth += 1
            if depth > MAX_NESTING:
                return True
        elif found["closing"]:
            depth -= 1
    return False


def parse(decode: Any, json: Any) -> Any:
    """Decode JSON with a decoder. Raise DocumentError if the JSON is not valid."""
    try:
        return decode(json)
    except RecursionError as fault:
        raise _TooDeepError("it is nested too deeply") from fault
    except UnicodeDecodeError as fault:
        raise DocumentError("it is not valid JSON: it contains text that is not Unicode") from fault
    except (msgspec.MsgspecError, ValueError) as fault:
        raise DocumentError(f"it is not valid JSON: {fault}") from fault


def _split(body: bytes, max_items: int | None) -> Page:
    """Return the page of a document. Raise DocumentError if the document is not valid."""
    return _split_usual(body, max_items) or _split_any(body, max_items)


def _split_usual(body: bytes, max_items: int | None) -> Page | None:
    """Return the page of a document whose properties have the usual types; None for others."""
    most = len(body) if max_items is None else max_items
    # A document with fewer commas than the limit cannot have too many items.
    if len(body) > _MOST_UNCOUNTED_BYTES and body.count(b",") >= most:
        return None
    try:
        page = _decode_usual_page(body)
    except _NOT_USUAL:
        return None
    is_usual = not page.type and not page.prefixed_type and len(page.items) <= most
    return Page(page.items, page.next, is_rpde=True) if is_usual else None


def _split_any(body: bytes, max_items: int | None) -> Page:
    if body[:1] == b"[":
        return Page(_members(body, max_items))
    document = parse(_decode_document, body)
    is_array = bool(document.items) and memoryview(document.items)[0] == _BRACKET
    if not is_array or document.type or document.prefixed_type:
        return Page([msgspec.Raw(body)])
    page = Page(_members(document.items, max_items), is_rpde=True)
    try:
        next_ = parse(_decode, document.next) if document.next else None
    except DocumentError as fault:
        return page._replace(next_fault=f"its next cannot be read: {fault}")
    return page._replace(next=next_ if isinstance(next_, str) else None)


def _members(array: msgspec.Raw | bytes, most: int | None) -> list[msgspec.Raw]:
    if most is not None:
        _check_count(memoryview(array), most)
    members: list[msgspec.Raw] = parse(_decode_members, array)
    return members


def _check_count(array: memoryview, most: int) -> None:
    """Raise LargeDocumentError if an array has too many members. The members are counted without decoding them."""
    # An array with fewer commas than the limit cannot have too many members.
    if bytes(array).count(b",") < most:
        return
    depth = count = 0
    for found in _MARKS.finditer(array):
        kind = found.lastgroup
        if kind == "comma":
            count += depth == 1
            if count >= most:
                raise LargeDocumentError(f"it has more than {most:,} items")
        elif kind:
            depth += 1 if kind == "opening" else -1


def _as_text(json: msgspec.Raw) -> str:
    """Return a JSON text. A number or another value is returned as it was written."""
    value = parse(_decode, json) if json else None
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else bytes(json).decode()


def _without_unpaired_surrogates(body: bytes) -> bytes:
    """Return the document with an invalid byte in place of each unpaired surrogate.

    Unpaired surrogates are valid JSON, but the decoder cannot skip them. It can skip an invalid byte, so that only the
    item with the surrogate is refused.
    """
    return _ESCAPES.sub(lambda found: b"\xff" if found["unpaired"] else found[0], body)


def _without_deep_values(body: bytes) -> bytes:
    """Return the document with 0 in place of each value that is nested more deeply than `MAX_NESTING`."""
    kept = bytearray()
    depth = end = 0
    for found in _BRACKETS.finditer(body):
        if found["opening"]:
            depth += 1
            if depth == MAX_NESTING:
                kept += body[end : found.start()]
                end = len(body)
        elif found["closing"]:
            if depth == MAX_NESTING:
                kept += b"0"
                end = found.end()
            depth -= 1
    return bytes(kept + body[end:])
