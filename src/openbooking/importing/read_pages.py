"""RPDE items and single JSON-LD items, as providers publish them."""

from typing import Any, NamedTuple

import msgspec

from openbooking.harvest.documents import DocumentError, is_enveloped, parse
from openbooking.importing.read_values import UnreadableError, read_text
from openbooking.importing.source import Source

MAX_ITEM_BYTES = 8_000_000

_decode = msgspec.json.Decoder().decode


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


def read_entry(item: msgspec.Raw, source: Source, where: str) -> Entry:
    """The item, or raise UnreadableError."""
    if len(item) > MAX_ITEM_BYTES:
        raise UnreadableError(f"it is larger than {MAX_ITEM_BYTES:,} bytes")
    try:
        value = parse(_decode, item)
    except DocumentError as fault:
        raise UnreadableError(str(fault)) from fault
    if not isinstance(value, dict):
        raise UnreadableError("it is no JSON object")
    if not is_enveloped("@type" in value or "type" in value, "data" in value or "state" in value):
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
