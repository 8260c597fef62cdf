"""A timetable that is written as TOML is read back as the same timetable."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from openbooking.booking.model.timetable import (
    Closure,
    Concept,
    Nation,
    Price,
    PriceAudience,
    TimetableRule,
    Venue,
    WeeklyClass,
)
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability
from openbooking.timetable.concepts import Vocabulary, entries
from openbooking.timetable.files.content import SourceFile, read_files
from openbooking.timetable.files.rule_reading import read_rule
from openbooking.timetable.files.shapes import kind_of
from openbooking.timetable.files.toml_writing import write_toml
from support.histories.lengths import examples
from support.random_timetables import CLASSES, CLOSURES, FACILITIES
from support.timetable_entries import COURSE, EVENT, FILM
from support.timetables import SPIN, SQUASH, VENUE, WITHOUT_SITE

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DURATIONS = st.none() | st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))
PRICES = st.builds(
    Price,
    name=TEXTS,
    amount=st.decimals(0, 1000, places=2) | st.integers(0, 99).map(Decimal),
    audience=st.sampled_from(PriceAudience),
    vat=st.sampled_from(VatTreatment),
    prepayment=st.none() | st.sampled_from(Availability),
    opens_before=DURATIONS,
    closes_before=DURATIONS,
    cancel_before=DURATIONS,
)
CONCEPTS = st.sampled_from([entry.concept for entry in entries(Vocabulary.ACTIVITIES)[:20]]) | st.builds(
    Concept, id=TEXTS, label=TEXTS
)
JSON = st.recursive(
    st.booleans() | st.integers(-(2**50), 2**50) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
    max_leaves=5,
)
DESCRIPTIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "description": TEXTS,
        "leader": TEXTS,
        "levels": st.lists(TEXTS, max_size=2).map(tuple),
        "concepts": st.lists(CONCEPTS, max_size=2).map(tuple),
        "minimum_age": st.none() | st.integers(0, 99),
        "properties": st.dictionaries(TEXTS, JSON, max_size=2),
    }
)


def described(rules: st.SearchStrategy[Any]) -> st.SearchStrategy[TimetableRule]:
    """Return rules with random descriptions and prices."""
    return st.builds(lambda rule, changes: replace(rule, **changes), rules, DESCRIPTIONS)


def priced(rules: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    prices = st.lists(PRICES, max_size=3).map(tuple)
    return st.builds(lambda rule, found: replace(rule, prices=found), rules, prices)


FLOATS = st.none() | st.floats(-180, 180)
RULES = st.one_of(
    described(priced(CLASSES)),
    described(FACILITIES).filter(lambda rule: all(each.id != "" for each in getattr(rule, "concepts", ()))),
    described(priced(st.sampled_from([EVENT, COURSE, FILM]))),
    CLOSURES,
    st.builds(Closure, name=TEXTS, bank_holidays=st.sampled_from(Nation), venue=TEXTS, entry=TEXTS, court=TEXTS),
    st.builds(Venue, name=TEXTS, street=TEXTS, country=TEXTS, latitude=FLOATS, longitude=FLOATS),
)


def read_back(
    rules: Mapping[str, TimetableRule], vat: VatTreatment = VatTreatment.STANDARD
) -> dict[str, TimetableRule | None]:
    """Return the rules of the document of these rules; no fault may be found."""
    data = tomllib.loads(write_toml(rules, vat), parse_float=Decimal)
    faults: list[object] = []
    found = {
        key: read_rule(kind, part, (), lambda *fault: faults.append(fault), vat)
        for kind, parts in data.items()
        for key, part in parts.items()
    }
    assert faults == []
    return found


@settings(max_examples=examples(100))
@given(st.dictionaries(TEXTS, RULES, max_size=3), st.sampled_from(VatTreatment))
def test_random_entries_are_read_back(rules: dict[str, TimetableRule], vat: VatTreatment) -> None:
    assert read_back(rules, vat) == rules


def test_a_checked_timetable_is_read_back_from_its_file() -> None:
    rules: dict[str, TimetableRule] = {"riverside": VENUE, "spin": SPIN, "squash": SQUASH}
    content = write_toml(rules, WITHOUT_SITE.default_vat).encode()
    assert read_files(WITHOUT_SITE, [SourceFile("centre.toml", content)], {}) == rules


def test_the_document_is_written_for_people() -> None:
    assert write_toml({"spin": SPIN}, VatTreatment.STANDARD) == (
        """\
[class.spin]
name = "Spin"
description = "Indoor cycling."
url = "https://centre.example.org/spin"
venue = "riverside"
activities = ["Yoga"]
leader = "Mo Farrow"
levels = ["Beginner"]
minimum_age = 16
times = [{ days = "Mon Wed", start = "18:15", minutes = 45 }]
first = 2026-10-01
capacity = 18
prices = [
  { name = "Adult", amount = 7.50, cancel_before = "4 hours" },
  { name = "Member", amount = 2.00, audience = "proven" },
]
"""
    )


@pytest.mark.parametrize("kind", ["venue", "class", "facility", "event", "course", "on-demand", "closure"])
def test_each_kind_of_entry_has_its_own_table(kind: str) -> None:
    rules: tuple[TimetableRule, ...] = (
        VENUE,
        SPIN,
        SQUASH,
        EVENT,
        COURSE,
        FILM,
        Closure(name="Closed", bank_holidays=Nation.WALES),
    )
    rule = next(rule for rule in rules if kind_of(rule) == kind)
    assert write_toml({"a-key": rule}, VatTreatment.STANDARD).startswith(f"[{kind}.a-key]\n")
    assert read_back({"a-key": rule}) == {"a-key": rule}


def test_properties_without_a_value_are_left_out() -> None:
    rule: WeeklyClass = replace(SPIN, properties={"isCoached": None, "accessibilityInformation": "Ramp."})
    (found,) = read_back({"spin": rule}).values()
    assert found == replace(rule, properties={"accessibilityInformation": "Ramp."})
