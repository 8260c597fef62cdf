"""Checks of typed contact details."""

import pytest

from openbooking.openactive.contact_details import is_country, is_email, is_vat_number


@pytest.mark.parametrize(
    ("text", "valid"),
    [("a@b.example", True), ("a@b", False), ("@b.example", False), ("a b@c.example", False), ("", False)],
)
def test_an_email_address_has_a_name_and_a_domain(text: str, valid: bool) -> None:
    assert is_email(text) is valid


@pytest.mark.parametrize(("text", "valid"), [("GB", True), ("gb", False), ("GBR", False), ("ÉÉ", False)])
def test_a_country_is_two_capital_letters(text: str, valid: bool) -> None:
    assert is_country(text) is valid


@pytest.mark.parametrize(("text", "valid"), [("GB 123 4567 89", True), ("GB", False), ("GB-1", False), ("", False)])
def test_a_vat_number_has_letters_and_digits_alone(text: str, valid: bool) -> None:
    assert is_vat_number(text) is valid
