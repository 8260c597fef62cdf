"""Which people of an Order have an e-mail address or telephone number."""

from typing import Any

import pytest

from openbooking.booking.model.order import PersonalData
from openbooking.booking.rules.orders.search_terms import CUSTOMER, has_contact, is_contact, numbers_of

LONG = "a" * 120 + "@example.com"


@pytest.mark.parametrize(
    ("customer", "contact", "has"),
    [
        ({"email": "Geoff@Example.com"}, " geoff@example.com", True),
        ({"email": "geoff@example.com"}, "eoff@example.com", False),
        ({"email": LONG}, LONG, True),
        ({"email": LONG}, "a" * 119 + "@example.com", False),
        ({"email": LONG}, LONG + ".au", False),
        ({"email": 7}, "7@", False),
        ({"telephone": "+44 (0)20 811 8055"}, "020 811 8055", True),
        ({"telephone": "020 811 8055"}, "020 811 80551", False),
        ({"name": "geoff@example.com"}, "geoff@example.com", False),
        (None, "geoff@example.com", False),
    ],
)
def test_a_customer_has_exactly_the_contact_that_it_states(
    customer: dict[str, Any] | None, contact: str, has: bool
) -> None:
    assert has_contact(customer, contact) is has
    assert numbers_of(PersonalData(customer=customer), contact) == ({CUSTOMER} if has else set())
    assert numbers_of(PersonalData(attendees={2: customer or {}, 3: {}}), contact) == ({2} if has else set())
    assert numbers_of(None, contact) == set()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a@b.example", True),
        ("020 811 8055", True),
        ("1234", False),
        ("Geoff", False),
        ("", False),
        ("12 High St", False),
    ],
)
def test_a_contact_is_an_address_or_a_number(text: str, is_one: bool) -> None:
    assert is_contact(text) is is_one
