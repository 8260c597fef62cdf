"""The terms by which people in Orders are searched, and how a text is read."""

import pytest

from openbooking.booking.model.order import PersonalData
from openbooking.booking.rules.orders.search_terms import (
    CUSTOMER,
    Match,
    SearchTerms,
    first_match,
    lookups,
    normal_name,
    normal_telephone,
    search_terms,
    terms_of,
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("020 7946 0123", "02079460123"),
        ("+44 20 7946 0123", "02079460123"),
        ("+44 (0)20-7946.0123", "02079460123"),
        ("0044 20 7946 0123", "02079460123"),
        ("447700900123", "07700900123"),
        ("4477009001", "4477009001"),
        ("+33 1 23 45 67 89", "0033123456789"),
        ("ext. none", ""),
        ("\u0660\u0661\u0662\u0663\u0664", ""),
    ],
)
def test_telephone_numbers_are_compared_by_their_digits(text: str, normal: str) -> None:
    assert normal_telephone(text) == normal


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("  Zo\u00eb   \u00c5STR\u00d6M ", "zoe astrom"),
        ("O\u2019Brien", "o'brien"),
        ("Stra\u00dfe", "strasse"),
        ("\u0141ukasz\0", "\u0142ukasz"),
        ("\uff21nn", "ann"),
    ],
)
def test_names_are_compared_without_case_and_accents(name: str, normal: str) -> None:
    assert normal_name(name) == normal


@pytest.mark.parametrize(
    ("customer", "terms"),
    [
        (None, SearchTerms()),
        ({"@type": "Person", "givenName": "Ann", "familyName": "Lee"}, SearchTerms("lee", "ann")),
        ({"@type": "Person", "name": "Mary Ann Lee"}, SearchTerms("lee", "mary ann")),
        ({"@type": "Person", "name": "Cher"}, SearchTerms("cher")),
        ({"@type": "Organization", "name": "The Harriers"}, SearchTerms("the harriers")),
        ({"email": " Ann@Example.com ", "telephone": ["1"]}, SearchTerms(email="ann@example.com")),
        ({"familyName": "x" * 3000, "email": "x" * 3000}, SearchTerms("x" * 100, None, "x" * 100)),
        ({"familyName": 7, "givenName": None}, SearchTerms()),
    ],
)
def test_the_terms_are_those_of_the_customer(customer: dict[str, object] | None, terms: SearchTerms) -> None:
    assert terms_of(customer) == terms
    assert search_terms(PersonalData(customer=customer)) == {CUSTOMER: terms}
    assert search_terms(None) == {CUSTOMER: SearchTerms()}


def test_an_attendee_has_a_number_if_somebody_else_has_not_all_terms() -> None:
    """Most attendees are the Customer, and repeated attendees occur. They cost no further row."""
    ann = {"givenName": "Ann", "familyName": "Lee", "email": "ann@example.com"}
    attendees = {
        1: ann,
        2: {"familyName": "LEE"},
        3: {"email": "bob@example.com", "name": "Lee"},
        4: {"email": "bob@example.com"},
        5: {},
        6: {"givenName": "Bob", "familyName": "Lee"},
    }
    assert search_terms(PersonalData(customer=ann, attendees=attendees)) == {
        CUSTOMER: SearchTerms("lee", "ann", "ann@example.com"),
        3: SearchTerms("lee", None, "bob@example.com"),
        6: SearchTerms("lee", "bob"),
    }


def test_the_first_match_is_that_of_the_first_way_and_term() -> None:
    ways = lookups("lee")
    assert first_match(ways, [SearchTerms(None, "lee"), SearchTerms("leeson"), SearchTerms("lees")]) == Match(0, "lees")
    assert first_match(ways, [SearchTerms("low", "leela"), SearchTerms("low", "lee")]) == Match(1, "lee")
    assert first_match(ways, [SearchTerms("low")]) is None
    assert first_match((), [SearchTerms("lee")]) is None


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("\u0301", []),
        ("ann@example.com", ["email"]),
        ("0207", ["family_name", "given_name"]),
        ("(020) 7946", ["telephone"]),
        ("lee", ["family_name", "given_name"]),
        ("ann lee", ["family_name", "family_name", "given_name"]),
    ],
)
def test_a_text_is_read_as_one_kind_of_term(text: str, terms: list[str]) -> None:
    assert [way.term for way in lookups(text)] == terms


def test_a_full_name_finds_both_orders_of_its_parts_in_one_person_only() -> None:
    full, *_ = lookups("Ann Lee")
    assert full.finds(SearchTerms("lee", "ann"))
    assert full.finds(SearchTerms("leeson", "anna"))
    assert not full.finds(SearchTerms("lee", "bob"))
    assert not full.finds(SearchTerms("lee"))
    assert not full.finds(SearchTerms(None, "ann"))


def test_an_email_address_must_be_whole() -> None:
    (way,) = lookups("ann@example.com")
    assert way.finds(SearchTerms(email="ann@example.com"))
    assert not way.finds(SearchTerms(email="ann@example.com.au"))
