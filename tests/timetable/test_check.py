"""The faults of rules, each at its field."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.model.timetable import (
    ChangeFrom,
    Closure,
    Concept,
    Court,
    Nation,
    OccurrenceTerms,
    OpeningHours,
    PriceBand,
    Terms,
    TimetableRule,
)
from openbooking.timetable.check import bank_holiday_warning, check, check_removal
from support.timetables import (
    ADULT,
    BEGINNERS,
    EVERY_DAY,
    FILM,
    HALL,
    JUNIOR,
    OPEN_DAY,
    SPIN,
    SQUASH,
    VENUE,
    YOGA,
    closed,
    entry,
)

OTHERS = [entry(VENUE, "riverside"), entry(SQUASH, "squash"), entry(SPIN, "old-spin")]
CLOSED = closed("2026-11-02T09:00", "2026-11-02T10:00", venue="riverside", entry="squash", court="1")
HOLIDAYS = Closure(name="Bank holidays", bank_holidays=Nation.WALES)


def faults(rule: TimetableRule, key: str = "new") -> list[str]:
    return [fault.field for fault in check(entry(rule, key), OTHERS, "")]


@pytest.mark.parametrize("rule", [VENUE, SPIN, SQUASH, HALL, OPEN_DAY, BEGINNERS, FILM, CLOSED, HOLIDAYS])
def test_a_right_rule_has_no_faults(rule: TimetableRule) -> None:
    assert check(entry(rule, "new"), OTHERS, "") == ()


def weekly(**changes: Any) -> dict[str, Any]:
    return {"times": (replace(SPIN.times[0], **changes),)}


def price(**changes: Any) -> dict[str, Any]:
    return {"prices": (replace(ADULT, **changes),)}


def single(local: str = "2026-11-02T18:15", court: str = "", **terms: Any) -> dict[str, Any]:
    return {"single": (OccurrenceTerms(datetime.fromisoformat(local), Terms(**terms), court),)}


def change(*days: date, **terms: Any) -> dict[str, Any]:
    return {"changes": tuple(ChangeFrom(day, Terms(**terms)) for day in days)}


DAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"description": "x" * 10_001}, "description"),
        ({"url": ""}, "url"),
        ({"url": "javascript:alert()"}, "url"),
        ({"venue": ""}, "venue"),
        ({"venue": "elsewhere"}, "venue"),
        ({"venue": "squash"}, "venue"),
        ({"concepts": ()}, "concepts"),
        ({"concepts": (YOGA, Concept("https://openactive.io/activity-list#x", "Yoga"))}, "concepts.1"),
        ({"concepts": SQUASH.concepts}, "concepts.0"),
        ({"minimum_age": -1}, "minimum_age"),
        ({"minimum_age": 17, "maximum_age": 16}, "maximum_age"),
        ({"maximum_age": 121}, "maximum_age"),
        ({"properties": {"offers": []}}, "properties"),
        ({"times": ()}, "times"),
        (weekly(days=()), "times.0.days"),
        (weekly(days=(7,)), "times.0.days"),
        (weekly(days=(-1,)), "times.0.days"),
        (weekly(days=(1, 1)), "times.0.days"),
        (weekly(minutes=0), "times.0.minutes"),
        (weekly(minutes=1441), "times.0.minutes"),
        (weekly(start=time(18, 15, 1)), "times.0.start"),
        (weekly(start=time(18, 15, tzinfo=UTC)), "times.0.start"),
        ({"last": date(2026, 9, 30)}, "last"),
        ({"last": date(2100, 1, 1)}, "last"),
        ({"first": date(1999, 12, 31)}, "first"),
        ({"without": (date(1999, 12, 31),)}, "without.0"),
        ({"without": (DAY,) * 367}, "without"),
        ({"capacity": -1}, "capacity"),
        ({"capacity": 100_001}, "capacity"),
        ({"prices": ()}, "prices"),
        (price(name=""), "prices.0.name"),
        ({"prices": (ADULT, replace(JUNIOR, name="adult!"))}, "prices.1.name"),
        (price(amount=Decimal("-0.01")), "prices.0.amount"),
        (price(amount=Decimal("0.001")), "prices.0.amount"),
        (price(opens_before=timedelta(days=-1)), "prices.0.opens_before"),
        (price(cancel_before=timedelta(days=367)), "prices.0.cancel_before"),
        (price(opens_before=timedelta(days=1), closes_before=timedelta(days=1)), "prices.0.closes_before"),
        (change(DAY), "changes.0.terms"),
        (change(DAY, capacity=-1), "changes.0.terms.capacity"),
        (change(DAY, prices=()), "changes.0.terms.prices"),
        (change(DAY, DAY, capacity=1), "changes.1.date"),
        (change(date(1999, 1, 1), capacity=1), "changes.0.date"),
        (single(), "single.0.terms"),
        (single("2026-11-02T18:15:30", capacity=1), "single.0.start"),
        (single(court="1", capacity=1), "single.0.court"),
        ({"single": single(capacity=1)["single"] * 2}, "single"),
    ],
)
def test_a_fault_of_a_class_is_at_its_field(changes: dict[str, Any], field: str) -> None:
    assert faults(replace(SPIN, **changes)) == [field]


def hours(*given: OpeningHours) -> dict[str, Any]:
    return {"hours": given}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (hours(), "hours"),
        (hours(OpeningHours((), time(9), time(10))), "hours.0.days"),
        (hours(OpeningHours((9,), time(9), time(10))), "hours.0.days"),
        (hours(OpeningHours(EVERY_DAY, time(9, 0, 1), time(10))), "hours.0.opens"),
        (hours(OpeningHours(EVERY_DAY, time(9), time(10, 0, 1))), "hours.0.closes"),
        ({"lengths": ()}, "lengths"),
        ({"lengths": (60, 60)}, "lengths"),
        ({"lengths": (0,)}, "lengths.0"),
        ({"lengths": (60, 240)}, "lengths.1"),
        ({"lengths": (1441,)}, "lengths.0"),
        ({"step": 4}, "step"),
        ({"step": 1441}, "step"),
        ({"uses": 0}, "uses"),
        ({"last": date(2026, 9, 30)}, "last"),
        ({"courts": (Court(key="A", name="A"),)}, "courts.0.key"),
        ({"courts": (Court(key="a", name=""),)}, "courts.0.name"),
        ({"courts": (Court(key="a", name="A"), Court(key="a", name="B"))}, "courts"),
        ({"courts": (Court(key="a", name="A"), Court(key="b", name="A"))}, "courts"),
        (
            {"courts": (Court(key="a", name="A", hours=(OpeningHours((), time(9), time(10)),)),)},
            "courts.0.hours.0.days",
        ),
        ({"concepts": (YOGA,)}, "concepts.0"),
        ({"prices": ()}, "prices"),
        ({"prices": (PriceBand(()),)}, "prices.0.prices"),
        ({"prices": (PriceBand((ADULT,), minutes=45), PriceBand((ADULT,)))}, "prices.0.minutes"),
        ({"prices": (PriceBand((ADULT,), days=(8,)),)}, "prices.0.days"),
        ({"prices": (PriceBand((ADULT,), begins=time(12), ends=time(9)),)}, "prices.0.ends"),
        ({"prices": (PriceBand((ADULT,), begins=time(10)),)}, "prices"),
        ({"prices": (PriceBand((ADULT,), minutes=60),), "lengths": (60, 90)}, "prices"),
        (single(court="3", capacity=0), "single.0.court"),
        (single(capacity=0), "single.0.court"),
        (single(court="1", capacity=2), "single.0.terms.capacity"),
        (change(DAY, capacity=2), "changes.0.terms.capacity"),
        (
            {"lengths": (1,), "hours": (OpeningHours(EVERY_DAY, time(0), time(0)),), "courts": SQUASH.courts * 3},
            "courts",
        ),
    ],
)
def test_a_fault_of_a_facility_is_at_its_field(changes: dict[str, Any], field: str) -> None:
    assert faults(replace(SQUASH, **changes))[0] == field


def test_a_facility_has_a_limit_of_slots_a_week() -> None:
    courts = tuple(Court(key=f"c{number}", name=f"Court {number}") for number in range(10))
    assert faults(replace(SQUASH, courts=courts, hours=(OpeningHours(EVERY_DAY, time(0), time(0)),), lengths=(1,))) == [
        "step"
    ]


def test_a_fault_of_a_price_names_the_slot_that_has_none() -> None:
    [fault] = check(entry(replace(SQUASH, prices=(PriceBand((ADULT,), begins=time(10)),)), "new"), OTHERS, "")
    assert fault.text == "There is no price for a Slot of 60 minutes at 09:00 on Monday."


@pytest.mark.parametrize(
    ("rule", "changes", "field"),
    [
        (OPEN_DAY, {"minutes": 0}, "minutes"),
        (OPEN_DAY, {"start": datetime(2027, 3, 28, 10, tzinfo=UTC)}, "start"),
        (OPEN_DAY, {"capacity": -1}, "capacity"),
        (OPEN_DAY, {"prices": ()}, "prices"),
        (BEGINNERS, {"dates": 0}, "dates"),
        (BEGINNERS, {"dates": 366}, "dates"),
        (BEGINNERS, {"times": ()}, "times"),
        (BEGINNERS, {"prices": ()}, "prices"),
        (FILM, {"venue": "riverside"}, "venue"),
        (FILM, price(opens_before=timedelta(days=1)), "prices.0.opens_before"),
        (VENUE, {"name": ""}, "name"),
        (VENUE, {"street": ""}, "street"),
        (VENUE, {"town": ""}, "town"),
        (VENUE, {"region": ""}, "region"),
        (VENUE, {"postcode": " "}, "postcode"),
        (VENUE, {"country": "UKK"}, "country"),
        (VENUE, {"latitude": None}, "longitude"),
        (VENUE, {"latitude": 91}, "latitude"),
        (VENUE, {"longitude": -181}, "longitude"),
        (CLOSED, {"name": ""}, "name"),
        (CLOSED, {"start": None}, "start"),
        (CLOSED, {"end": None}, "end"),
        (CLOSED, {"end": CLOSED.start}, "end"),
        (CLOSED, {"venue": "squash"}, "venue"),
        (CLOSED, {"entry": "riverside", "court": ""}, "entry"),
        (CLOSED, {"court": "3"}, "court"),
        (CLOSED, {"entry": ""}, "court"),
        (CLOSED, {"entry": "old-spin"}, "court"),
        (CLOSED, {"bank_holidays": Nation.ENGLAND}, "start"),
    ],
)
def test_a_fault_of_another_rule_is_at_its_field(rule: Any, changes: dict[str, Any], field: str) -> None:
    assert set(faults(replace(rule, **changes))) - {"prices.0.cancel_before"} == {field}


@pytest.mark.parametrize("key", ["", "Spin", "a.b", "a_b", "-a", "a-", "a--b", "x" * 61])
def test_a_key_has_small_letters_digits_and_hyphens(key: str) -> None:
    assert faults(SPIN, key) == ["key"]


def test_a_key_is_short_enough_for_the_key_of_the_seller() -> None:
    assert [fault.field for fault in check(entry(SPIN, "k" * 60, "s" * 100), OTHERS, "")] == ["key"]
    courts = replace(SQUASH, courts=(Court(key="c" * 40, name="C"),))
    assert [fault.field for fault in check(entry(courts, "k" * 10, "s" * 60), OTHERS, "")] == ["courts.0.key"]


def test_a_rule_may_have_the_web_page_of_the_seller() -> None:
    without = entry(replace(SPIN, url=""), "new")
    assert check(without, OTHERS, "https://centre.example.org/") == ()
    assert [fault.field for fault in check(without, OTHERS, "centre.example.org")] == ["url"]


def test_an_ended_entry_cannot_be_named() -> None:
    others = [replace(OTHERS[0], ended=True)]
    assert [fault.field for fault in check(entry(SPIN), others, "")] == ["venue"]


def test_each_fault_is_a_sentence() -> None:
    wrong = replace(SPIN, name="", url="", venue="", concepts=(), times=(), prices=(), capacity=-1)
    found = check(entry(wrong, "?"), OTHERS, "")
    assert len(found) == 8
    assert all(fault.text[0].isupper() and fault.text.endswith(".") for fault in found)


@pytest.mark.parametrize(
    ("key", "names"),
    [("riverside", ["squash", "old-spin", "closed"]), ("squash", ["closed"]), ("old-spin", [])],
)
def test_an_entry_that_another_names_cannot_be_removed(key: str, names: list[str]) -> None:
    entries = [*OTHERS, entry(CLOSED, "closed"), replace(entry(SPIN, "gone"), ended=True)]
    removed = next(each for each in entries if each.key == key)
    assert [fault.text.split()[0] for fault in check_removal(removed, entries)] == names


@pytest.mark.parametrize(
    ("closures", "until", "warned"),
    [
        ([HOLIDAYS], date(2029, 1, 1), False),
        ([HOLIDAYS], date(2029, 1, 2), True),
        ([CLOSED], date(2029, 1, 2), False),
    ],
)
def test_dates_after_the_last_known_bank_holiday_are_warned_of(
    closures: list[Closure], until: date, warned: bool
) -> None:
    warning = bank_holiday_warning(closures, until)
    assert (warning is not None) is warned
    assert not warning or "31 December 2028" in warning
