"""Checks of typed contact details."""

import pytest

from openbooking.openactive.contact_details import is_ascii_email, is_country, is_email, is_vat_number


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("a@b.example", True),
        ("zoë.o'neil+x@café.example", True),
        ("desk@localhost", True),
        ("a@b", False),
        ("a@b..example", False),
        ("a@-b.example", False),
        ("a.@b.example", False),
        ("a@b@c.example", False),
        ("@b.example", False),
        ("a b@c.example", False),
        (f"{'a' * 250}@b.example", False),
        ("", False),
    ],
)
def test_an_email_address_has_a_name_and_a_domain(text: str, valid: bool) -> None:
    assert is_email(text) is valid


@pytest.mark.parametrize(("text", "valid"), [("GB", True), ("UK", False), ("gb", False), ("GBR", False), ("", False)])
def test_a_country_has_a_code_in_iso_3166(text: str, valid: bool) -> None:
    assert is_country(text) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("GB 123 4567 89", True),
        ("gb123456789", True),
        ("123 4567 89", True),
        ("XI123456789", True),
        ("IE1X23456Y", True),
        ("ESX1234567R", True),
        ("GB123456789001", True),
        ("GBGD001", True),
        ("GB12345678", False),
        ("GB", False),
        ("GB-1", False),
        ("nonsense", False),
        ("nonsense1", False),
        ("GB123456789/2", False),
        ("GB12345678901234", False),
        ("", False),
    ],
)
def test_a_vat_number_has_a_country_and_at_least_five_digits(text: str, valid: bool) -> None:
    assert is_vat_number(text) is valid


@pytest.mark.parametrize(("text", "valid"), [("a@b.example", True), ("zoë@b.example", False), ("a@b", False)])
def test_this_system_sends_to_addresses_in_ascii(text: str, valid: bool) -> None:
    assert is_ascii_email(text) is valid
