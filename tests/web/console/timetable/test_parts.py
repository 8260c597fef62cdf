"""Forms of rules: how a rule fills them in, and how a rule is read from them."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from msgspec.structs import replace

from openbooking.booking.model.timetable import (
    Course,
    Event,
    OnDemandItem,
    Price,
    PriceAudience,
    TimetableRule,
    WeeklyTime,
)
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability
from openbooking.timetable.checking.faults import Fault
from openbooking.web.console.timetable.parts import Shown, fill, read, show, tidied
from openbooking.web.console.timetable.rule_forms import FORMS, RuleKind, kind_of
from support.random_timetables import CLASSES, CLOSURES, FACILITIES
from support.timetables import ADULT, MONDAY, SPIN, SQUASH, VENUE, YOGA

FULL_PRICE = Price(
    name="Member",
    amount=Decimal("0.50"),
    audience=PriceAudience.PROVEN,
    vat=VatTreatment.EXEMPT,
    prepayment=Availability.OPTIONAL,
    opens_before=timedelta(days=7),
    closes_before=timedelta(minutes=30),
    cancel_before=timedelta(hours=24),
)
FREE = Price(name="Free", amount=Decimal(0), prepayment=None)
OTHERS: list[TimetableRule] = [
    VENUE,
    replace(SPIN, description="One\nTwo", levels=("Beginner", "Expert"), prices=(FULL_PRICE, FREE)),
    Event(name="Fete", start=datetime(2027, 3, 6, 14), minutes=60, capacity=5, prices=(ADULT,)),  # noqa: DTZ001
    Course(
        name="Swim",
        concepts=(YOGA,),
        times=(WeeklyTime((MONDAY,), time(18), 30),),
        first=date(2027, 3, 1),
        dates=6,
        without=(date(2027, 3, 8), date(2027, 3, 15)),
        capacity=8,
        prices=(ADULT,),
    ),
    OnDemandItem(name="Film", prices=(FREE,)),
]


def is_kept(rule: TimetableRule) -> bool:
    """Return whether the form of a rule stands for the same rule."""
    part = FORMS[kind_of(rule)].part
    return read(part, tidied(part, fill(part, rule)), rule) == (rule, [])


@pytest.mark.parametrize("rule", OTHERS, ids=lambda rule: type(rule).__name__)
def test_a_form_stands_for_the_rule_that_has_filled_it_in(rule: TimetableRule) -> None:
    assert is_kept(rule)


@given(CLASSES | FACILITIES | CLOSURES)
def test_a_form_stands_for_a_random_rule_that_has_filled_it_in(rule: TimetableRule) -> None:
    assert is_kept(rule)


def test_rows_are_numbered_again_and_empty_ones_left_out() -> None:
    form = {"prices.7.name": "Adult", "prices.7.vat": "standard", "prices.2.vat": "standard", "prices.x.name": "No"}
    assert tidied(FORMS[RuleKind.EVENT].part, {**form, f"prices.{'9' * 5000}.name": "No"}) == {
        "prices.0.name": "Adult",
        "prices.0.vat": "standard",
    }


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("start", "tomorrow", "Enter a date and a time."),
        ("start", "2027-03-06T14:00Z", "Enter a date and a time."),
        ("start", "0001-01-01T00:00", "Enter a date and a time."),
        ("minutes", "-5", "Enter a whole number."),
        ("minutes", "", "Enter a whole number."),
        ("capacity", "1" * 5000, "Enter a whole number."),
        ("prices.0.amount", "7.505", "Enter an amount in pounds, such as 7.50, or 0."),
        ("prices.0.amount", "NaN", "Enter an amount in pounds, such as 7.50, or 0."),
        ("prices.0.cancel_before", "a day", "Enter a number of hours, such as 24."),
        ("prices.0.vat", "40%", "Choose from the list."),
    ],
)
def test_a_text_without_a_value_is_a_fault(field: str, text: str, message: str) -> None:
    part = FORMS[RuleKind.EVENT].part
    form = {**fill(part, OTHERS[2]), field: text}
    _, faults = read(part, tidied(part, form))
    assert faults == [Fault(field, message)]


def test_a_court_keeps_its_key_under_another_name() -> None:
    part = FORMS[RuleKind.FACILITY].part
    form = {**fill(part, SQUASH), "courts.0.name": "Centre court", "courts.2.name": "Third court"}
    rule, _ = read(part, tidied(part, form))
    assert [(court.key, court.name) for court in rule.courts] == [
        ("1", "Centre court"),
        ("2", "Court 2"),
        ("third-court", "Third court"),
    ]


def test_a_form_has_empty_rows_and_more_of_them_if_asked() -> None:
    part = FORMS[RuleKind.EVENT].part
    form = tidied(part, fill(part, OTHERS[2]))
    for more, count in (("", 3), ("prices", 5)):
        (prices,) = show(part, form, Shown(more=more)).groups
        assert len(prices.rows) == count
