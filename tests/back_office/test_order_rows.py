"""References of Orders."""

import pytest

from openbooking.back_office.rows.order_rows import order_reference, parse_order_reference
from openbooking.booking.model.order import OrderKey
from support.builders import UUID


def test_reference_of_an_order_is_read_back() -> None:
    key = OrderKey("acme", UUID)
    assert parse_order_reference(order_reference(key)) == key
    assert parse_order_reference(f"acme/{UUID.upper()}") == key
    assert parse_order_reference(f"a/b/{UUID}") == OrderKey("a/b", UUID)


@pytest.mark.parametrize("text", ["", UUID, f"/{UUID}"])
def test_text_without_a_partner_is_no_reference(text: str) -> None:
    assert parse_order_reference(text) is None
