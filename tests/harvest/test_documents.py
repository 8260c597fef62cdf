"""Documents split into items, and the RPDE envelopes of items."""

import json
from typing import Any

import msgspec
import pytest

from openbooking.harvest.documents import (
    DocumentError,
    Envelope,
    LargeDocumentError,
    is_later,
    read_envelope,
    read_page,
)
from support.feeds.answers import item


def envelope(thing: Any) -> Envelope | None:
    return read_envelope(msgspec.Raw(thing if isinstance(thing, bytes) else json.dumps(thing).encode()))


@pytest.mark.spec("OB-FEED-20")
@pytest.mark.parametrize(
    ("thing", "id_", "modified", "deleted"),
    [
        (item(5, "a"), "a", b"5", False),
        (item(5, "a", state="deleted"), "a", b"5", True),
        (item(18446744073709551617, 18446744073709551618), "18446744073709551618", b"18446744073709551617", False),
        (b'{"id": 1.50, "kind": "Event", "state": "updated", "modified": 1.0000000000000000000001}',
         "1.50", b"1.0000000000000000000001", False),
        (item("2026-01-01T00:00:00Z", " a "), "a", b'"2026-01-01T00:00:00Z"', False),
        (b'{"id": "a", "kind": "Event", "data": {"deep": ' + b"[" * 400 + b"]" * 400 + b"}}", "a", b"null", False),
        (b'{"id": "a", "kind": "Event", "data": {"name": "\xff"}}', "a", b"null", False),
    ],
)  # fmt: skip
def test_an_envelope_is_read_without_decoding_its_data(thing: Any, id_: str, modified: bytes, *, deleted: bool) -> None:
    assert envelope(thing) == Envelope(id_, "Event", modified, deleted)


@pytest.mark.parametrize(
    "thing",
    [
        item(5, None), item(5, ""), {"id": "a", "@type": "Event"}, {"id": "a", "data": {}, "@type": "Event"}, [], "a",
        {"id": "a", "kind": "Event"}, b'{"id": "\xff", "data": {}}', b'{"id": 1e999, "data": {}}', b"{",
    ],
)  # fmt: skip
def test_an_item_without_an_id_has_no_envelope(thing: Any) -> None:
    assert envelope(thing) is None


@pytest.mark.parametrize(
    "before",
    [b"", b'"next": "/a", ', b'"next": "/a", "license": "' + b" " * 1_000_000 + b'", '],
    ids=["unusual", "usual", "large"],
)
def test_a_page_with_too_many_items_is_refused(before: bytes) -> None:
    most = 1_000
    full = b"{" + before + b'"items": [' + b",".join([b'{"a": [1, "],["]}'] * most) + b"]}"
    assert len(read_page(full, most).items) == most
    with pytest.raises(LargeDocumentError, match="more than 1,000 items"):
        read_page(full.replace(b"]}]}", b"]}, 1]}"), most)
    with pytest.raises(LargeDocumentError):
        read_page(b"[" + b"1," * most + b"1]", most)


def test_items_keep_their_numbers_when_others_are_left_out() -> None:
    whole = read_page(b"[1, 2, 3]")
    assert [number for number, _ in whole.numbered()] == [1, 2, 3]
    assert whole._replace(items=whole.items[1:], numbers=(2, 3)).numbered() == [
        (2, whole.items[1]),
        (3, whole.items[2]),
    ]


@pytest.mark.parametrize("next_", [rb'"\ud800"', b'"\xff"', b"1e999"])
def test_items_are_not_lost_with_a_next_that_cannot_be_read(next_: bytes) -> None:
    body = b'{"items": [{"@type": "A"}], "next": ' + next_ + b"}"
    assert [bytes(member) for member in read_page(body).items] == [b'{"@type": "A"}']
    assert "its next cannot be read: it is not valid JSON" in read_page(body).next_fault


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not valid JSON"),
        (b"<html>", "not valid JSON"),
        (b'{"items": [{"@type": "A"}', "not valid JSON"),
        (b'{"items": [{"name": "a\nb"}]}', "not valid JSON"),
        (b'{"items": [{"name": "\\ud800"}, {"name": }]}', "not valid JSON"),
        (b"5", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[" * 100_000 + b"]" * 99_999, "not valid JSON"),
        (b'"' + b'\\"' * 100_000, "not valid JSON"),
    ],
)
def test_bytes_that_are_no_json_document_are_refused(body: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        read_page(body)


@pytest.mark.parametrize(
    ("modified", "than", "later"),
    [
        (2, 1, True), (1, 2, False), (1, 1, True), ("10", "9", True), (10, "9", True), ("9", "10", False),
        ("2027-01-02T00:00:00Z", "2027-01-01T00:00:00Z", True), ("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z", False),
        (None, None, True), ({}, [], True), (1e308, 1, True), ("9" * 10_000, 1, True),
    ],
)  # fmt: skip
def test_the_second_version_is_later_unless_its_modified_is_lower(modified: Any, than: Any, later: bool) -> None:
    assert is_later(modified, than) is later
