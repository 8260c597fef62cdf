"""Published items, with or without an RPDE envelope: the envelope is taken off."""

from typing import Any, NamedTuple

import msgspec

from openbooking.harvest.documents import DocumentError, is_enveloped, parse
from openbooking.importing.reading.source import Source
from openbooking.openactive.published.values import UnreadableError, display_text, read_text

MAX_ITEM_BYTES = 8_000_000

# If an item cannot be read as a whole, only its shorter members are read. Ids are short.
_MAX_MEMBER_BYTES = 10_000
_STATES = (None, "updated", "deleted")

_decode = msgspec.json.Decoder().decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Entry(NamedTuple):
    """One item of a page.

    Attributes:
        source: The source from which the item is imported.
        position: The position of the item in its source, for reports.
        data: The JSON-LD of the item. If the item cannot be read as a whole, its readable members.
        kind: The RPDE `kind`; empty without an RPDE envelope.
        id: The RPDE `id`; empty without an RPDE envelope.
        modified: The RPDE `modified`, as published.
        deleted: Whether the RPDE `state` is `deleted`.
        fault: Why the item cannot be read as a whole; empty if it can.
    """

    source: Source
    position: str
    data: Any
    kind: str = ""
    id: str = ""
    modified: Any = None
    deleted: bool = False
    fault: str = ""


def read_entry(item: msgspec.Raw, source: Source, position: str) -> Entry:
    """Return an item without its RPDE envelope.

    Args:
        item: The item as bytes.
        source: The source from which the item is imported.
        position: The position of the item in its source, for reports.

    Raises:
        UnreadableError: The item cannot be read as a whole, and no readable member identifies it; or the item is
            deleted and has no id.
    """
    try:
        value, fault = _whole(item), ""
    except UnreadableError as unreadable:
        value, fault = _members(item), str(unreadable)
        if not any(read_text(value.get(name)) for name in ("id", "@id", "identifier")):
            raise
    if not is_enveloped("@type" in value or "type" in value, "data" in value or "state" in value):
        return Entry(source, position, value, fault=fault)
    state = value.get("state")
    if state not in _STATES:
        fault = fault or f"its state {display_text(state)} is not known"
    entry = Entry(
        source,
        position,
        value.get("data"),
        kind=read_text(value.get("kind")) or "",
        id=read_text(value.get("id")) or "",
        modified=value.get("modified"),
        deleted=state == "deleted",
        fault=fault,
    )
    if entry.deleted and not entry.id:
        raise UnreadableError("it is deleted, but has no id")
    return entry


def _whole(item: msgspec.Raw) -> dict[str, Any]:
    """Return the decoded item. Raise UnreadableError if it is too large or no valid JSON object."""
    if len(item) > MAX_ITEM_BYTES:
        raise UnreadableError(f"it is larger than {MAX_ITEM_BYTES:,} bytes")
    try:
        value = parse(_decode, item)
    except DocumentError as fault:
        raise UnreadableError(str(fault)) from fault
    if not isinstance(value, dict):
        raise UnreadableError("it is no JSON object")
    return value


def _members(item: msgspec.Raw) -> dict[str, Any]:
    """Return the members of an item, None for each unreadable member. Without a JSON object there are no members."""
    try:
        found: dict[str, msgspec.Raw] = parse(_decode_members, item)
    except DocumentError:
        return {}
    return {name: _member(value) for name, value in found.items()}


def _member(value: msgspec.Raw) -> Any:
    """Return a decoded member; None if it is too long or unreadable."""
    if len(value) > _MAX_MEMBER_BYTES:
        return None
    try:
        return parse(_decode, value)
    except DocumentError:
        return None
