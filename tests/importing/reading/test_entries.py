"""Items of documents, with and without an RPDE envelope. An unreadable item does not affect others."""

import json
from typing import Any

import msgspec
import pytest

from openbooking.harvest.documents import MAX_NESTING, read_page
from openbooking.importing.reading.entries import MAX_ITEM_BYTES, read_entry
from openbooking.importing.reading.items import read_item
from openbooking.importing.reading.source import named_source
from openbooking.openactive.published.values import MAX_DEPTH, UnreadableError
from support.importing.published_items import deleted, page, rpde, series

SOURCE = named_source("source")


def entries(body: bytes) -> list[Any]:
    """Return the data of each item, or the reason why the item cannot be read."""
    found: list[Any] = []
    for item in read_page(body).items:
        try:
            found.append(read_entry(item, SOURCE, "here").data)
        except UnreadableError as fault:
            found.append(str(fault))
    return found


@pytest.mark.parametrize(
    ("body", "data", "next_", "is_rpde"),
    [
        (page(rpde({"@type": "A"}), {"data": {"@type": "B"}}, next_="x"), [{"@type": "A"}, {"@type": "B"}], "x", True),
        (page({"@type": "A"}, next_=None), [{"@type": "A"}], None, True),
        (b'{"items": [], "next": 5}', [], None, True),
        (b'[{"@type": "A"}, {"type": "B"}]', [{"@type": "A"}, {"type": "B"}], None, False),
        (b'{"@type": "A"}', [{"@type": "A"}], None, False),
        (b'{"@type": "List", "items": [1]}', [{"@type": "List", "items": [1]}], None, False),
        (b'{"items": {"@type": "A"}}', [{"items": {"@type": "A"}}], None, False),
        (b"\xef\xbb\xbf \n" + json.dumps(rpde({"@type": "A"})).encode(), [{"@type": "A"}], None, False),
        (b"[]", [], None, False),
    ],
)
def test_documents_of_each_form_are_split_into_items(
    body: bytes, data: list[Any], next_: str | None, is_rpde: bool
) -> None:
    read = read_page(body)
    assert (entries(body), read.next, read.is_rpde) == (data, next_, is_rpde)


@pytest.mark.parametrize(
    "spoilt",
    [
        b'{"@type": "A", "name": "\xff\xfe"}',
        b'{"@type": "A", "price": 1e999}',
        b'{"@type": "A", "price": 1' + b"0" * 5000 + b"}",
        b"5",
        b'"text"',
        b"null",
        b"[]",
        b'{"state": "deleted", "kind": "A"}',
        b'{"@type": "A", "name": "' + b"x" * MAX_ITEM_BYTES + b'"}',
        rb'{"@type": "A", "name": "x\ud800"}',
        rb'{"@type": "A", "name": "\uDFFFx\uDBFFx"}',
        rb'{"@type": "A", "\udc00\ud800": 1}',
    ],
)
def test_an_unreadable_item_does_not_affect_other_items(spoilt: bytes) -> None:
    before, why, after = entries(b'{"items": [{"@type": "A"}, ' + spoilt + b', {"@type": "B"}]}')
    assert (before, after) == ({"@type": "A"}, {"@type": "B"})
    assert isinstance(why, str)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"x": ', b"}"), (b'[{"[\\"{": ', b'}, "]}"]')])
def test_an_item_nested_too_deeply_does_not_affect_other_items(opening: bytes, closing: bytes) -> None:
    deep = b'{"@type": "A", "x": ' + opening * 30_000 + b"5" + closing * 30_000 + b', "y": "]}"}'
    body = b'{"items": [{"@type": "A"}, ' + deep + rb', "\ud800", {"@type": "B", "x": [[]]}], "next": "there"}'
    read = read_page(body)
    before, spoilt, after = (read_item(read_entry(read.items[number], SOURCE, "here")) for number in (0, 1, 3))
    assert isinstance(entries(body)[2], str)
    assert spoilt.faults[0].reason == "it is nested too deeply"
    assert [reading.label for reading in (before, after)] == ["A here", "B here"]
    assert read.next == "there"


@pytest.mark.parametrize("text", [rb"\ud83d\ude00", rb"\\ud800", rb"\\\ud83d\uDE00", rb"\"\\"])
def test_items_beside_an_unreadable_item_are_unchanged(text: bytes) -> None:
    item = b'{"name": "' + text + b'"}'
    assert entries(b"[" + item + rb', "\ud800"]')[0] == json.loads(item)


def test_an_envelope_is_read_with_its_deletion_and_numeric_id() -> None:
    raw = msgspec.Raw(json.dumps(deleted(series(), id=111, kind="Session")).encode())
    entry = read_entry(raw, SOURCE, "here")
    assert (entry.deleted, entry.kind, entry.id, entry.modified, entry.data) == (True, "Session", "111", 2, None)
    again = read_entry(msgspec.Raw(json.dumps(rpde(series(), id="111", kind="Session")).encode()), SOURCE, "there")
    assert again.source.item(again.kind, again.id) == entry.source.item(entry.kind, entry.id)


def test_an_item_of_the_greatest_depth_is_read_whole() -> None:
    # An item is nested three levels below its page.
    assert MAX_DEPTH + 3 < MAX_NESTING
