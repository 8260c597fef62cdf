"""RPDE pages as JSON, and the bounds of a page."""

import json

import pytest

from openbooking.openactive.rpde import PAGE_BYTES, PAGE_SIZE, Item, encode_page, is_full

URL = "https://example.com/feeds/slots"
SLOT = Item("1", "FacilityUse/Slot", 7, b'{"@type":"Slot"}')
DELETED = Item("2", "FacilityUse/Slot", 9, None)


@pytest.mark.spec("OB-FEED-07")
def test_a_page_has_updated_and_deleted_items_and_a_next_url() -> None:
    assert json.loads(encode_page(URL, f"{URL}?afterChangeNumber=3", [SLOT, DELETED], licensed=True)) == {
        "next": f"{URL}?afterChangeNumber=9",
        "items": [
            {"state": "updated", "kind": "FacilityUse/Slot", "id": "1", "modified": 7, "data": {"@type": "Slot"}},
            {"state": "deleted", "kind": "FacilityUse/Slot", "id": "2", "modified": 9},
        ],
        "license": "https://creativecommons.org/licenses/by/4.0/",
    }


@pytest.mark.spec("OB-FEED-16")
def test_the_last_page_has_the_requested_url_as_next() -> None:
    requested = f"{URL}?afterChangeNumber=9&x=1"
    assert json.loads(encode_page(URL, requested, [], licensed=False)) == {"next": requested, "items": []}


def test_a_page_is_full_at_its_limit_of_items_or_bytes() -> None:
    assert not is_full([])
    assert not is_full([SLOT] * (PAGE_SIZE - 1))
    assert is_full([SLOT] * PAGE_SIZE)
    assert is_full([SLOT._replace(data=b"x" * PAGE_BYTES)])
    assert not is_full([SLOT._replace(data=b"x" * (PAGE_BYTES - 1)), DELETED])
