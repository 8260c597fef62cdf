"""Values as providers publish them, read or refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from openbooking.openactive.ids import is_key
from openbooking.openactive.published.values import (
    UnreadableError,
    clean,
    derive_key,
    display_text,
    read_count,
    read_duration,
    read_flag,
    read_instant,
    read_price,
    read_term,
    read_text,
    type_names,
)
from openbooking.openactive.terms import Availability, EventStatus


@pytest.mark.parametrize(
    ("published", "at", "assumed"),
    [
        ("2027-03-04T18:00:00Z", "2027-03-04T18:00:00Z", False),
        ("2027-03-04t18:00:00.123456z", "2027-03-04T18:00:00Z", False),
        (" 2027-07-04T18:00:00+01:00 ", "2027-07-04T17:00:00Z", False),
        ("2027-07-04T18:00+0100", "2027-07-04T17:00:00Z", False),
        ("2027-07-04 18:00-05", "2027-07-04T23:00:00Z", False),
        ("2027-07-04T18:00:00", "2027-07-04T17:00:00Z", True),
        ("2027-01-04T18:00:00", "2027-01-04T18:00:00Z", True),
        ("2027-07-04", "2027-07-03T23:00:00Z", True),
        ("2027-07-04T24:00:00Z", "2027-07-05T00:00:00Z", False),
        ("2027-07-04T24:00", "2027-07-04T23:00:00Z", True),
        ("2027-12-31T24:00:00+01:00", "2027-12-31T23:00:00Z", False),
        ("2027-03-04T18:00:00,5Z", "2027-03-04T18:00:00Z", False),
        ("20270304T180000Z", "2027-03-04T18:00:00Z", False),
        ("2027-W09-4T18:00:00Z", "2027-03-04T18:00:00Z", False),
        ("2027-03-04 18:00:00 UTC", "2027-03-04T18:00:00Z", False),
        ("2027-03-04 18:00:00 +0100", "2027-03-04T17:00:00Z", False),
        ("2027w094", "2027-03-04T00:00:00Z", True),
    ],
)
def test_an_instant_is_read(published: str, at: str, assumed: bool) -> None:
    read = read_instant(published)
    assert (read.at, bool(read.assumed)) == (datetime.fromisoformat(at), assumed)


def test_a_day_ends_at_local_midnight_when_clocks_change() -> None:
    day = read_instant("2027-10-31")
    assert day.until - day.at == timedelta(hours=25)
    assert day.until == datetime(2027, 11, 1, tzinfo=UTC)


def test_a_duration_is_added_to_the_instant_not_to_local_time() -> None:
    before_the_change = read_instant("2027-10-31T00:30:00").at
    assert before_the_change + timedelta(hours=2) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "published",
    [
        "",
        "tomorrow",
        "04/03/2027",
        "2027-02-30",
        "2027-03-04T25:00",
        "2027-03-04T24:00:01Z",
        "2027-W54-1",
        "1066-10-14",
        "9999-12-31",
        "\uff12\uff10\uff12\uff17-03-04",
        20270304,
        None,
    ],
)
def test_an_invalid_instant_is_refused(published: Any) -> None:
    with pytest.raises(UnreadableError, match="no date and time"):
        read_instant(published)


@pytest.mark.parametrize(
    ("published", "minutes"),
    [
        ("PT1H", 60),
        ("PT1H0M", 60),
        ("pt90m", 90),
        ("P1D", 1440),
        ("P0Y0M1DT1H", 1500),
        ("P1W", 10080),
        ("PT60S", 1),
        ("PT1.5H", 90),
        ("PT0,5H", 30),
        ("pt1h0.5m", 60.5),
        ("P0.5D", 720),
        ("P1.5W", 15120),
        ("PT59.6S", 1),
    ],
)
def test_a_duration_is_read(published: str, minutes: float) -> None:
    assert read_duration(published) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "published", ["P", "PT", "P1Y", "P1M", "-PT1H", "PT1.5H30M", "PT.5H", "PT1.H", "1 hour", "P99999D", 60, None]
)
def test_a_duration_without_a_fixed_length_is_refused(published: Any) -> None:
    with pytest.raises(UnreadableError, match="no duration"):
        read_duration(published)


@pytest.mark.parametrize(
    ("published", "count"),
    [
        (5, 5),
        ("5", 5),
        (5.0, 5),
        (0, 0),
        (-3, 0),
        ("-0003", 0),
        ("005", 5),
        ("5.0", 5),
        (2**31 - 1, 2**31 - 1),
        (2**31, 2**31 - 1),
        (1e300, 2**31 - 1),
        ("9" * 9999, 2**31 - 1),
    ],
)
def test_a_number_of_spaces_is_read(published: Any, count: int) -> None:
    assert read_count(published) == count


@pytest.mark.parametrize("published", [True, None, "many", 1.5, float("nan"), float("inf"), "\uff11", [], {}])
def test_an_invalid_number_of_spaces_is_refused(published: Any) -> None:
    with pytest.raises(UnreadableError, match="no number of spaces"):
        read_count(published)


@pytest.mark.parametrize(("published", "price"), [(5, "5"), (5.5, "5.5"), ("5.50", "5.50"), (0, "0"), ("0.00", "0")])
def test_a_price_is_read(published: Any, price: str) -> None:
    assert read_price(published) == Decimal(price)


@pytest.mark.parametrize("published", [True, None, "free", "£5", -1, 1e300, "1" * 10, "1." + "1" * 99, "NaN", [5]])
def test_an_invalid_price_is_refused(published: Any) -> None:
    with pytest.raises(UnreadableError, match="no price"):
        read_price(published)


@pytest.mark.parametrize(
    ("published", "text"),
    [
        *(
            ("a", "a"),
            (" a ", "a"),
            (7, "7"),
            (7.0, "7"),
            (["a", "b"], "a"),
            ({"@type": "PropertyValue", "value": "a"}, "a"),
        ),
        *(("", None), (" ", None), (None, None), (True, None), (1.5, None), ([], None), ({}, None), ([None], None)),
    ],
)
def test_a_name_is_read_as_text(published: Any, text: str | None) -> None:
    assert read_text(published) == text


@pytest.mark.parametrize(
    "published",
    [
        "https://schema.org/EventCancelled",
        "http://schema.org/EventCancelled",
        "schema:EventCancelled",
        "EventCancelled",
    ],
)
def test_a_term_is_read_with_and_without_namespace(published: str) -> None:
    assert read_term(published, EventStatus) is EventStatus.CANCELLED


@pytest.mark.parametrize(
    ("published", "flag"),
    [
        *((True, True), (False, False), ("true", True), ("False", False), ([True], True)),
        *(("schema:True", True), ("https://schema.org/False", False), ({"@id": "http://schema.org/True"}, True)),
    ],
)
def test_a_flag_is_read(published: Any, flag: bool) -> None:
    assert read_flag(published) is flag


@pytest.mark.parametrize("published", ["yes", 1, 0, None, [], [True, False], {}, "https://example.com/True"])
def test_an_invalid_truth_value_is_refused(published: Any) -> None:
    with pytest.raises(UnreadableError, match="neither true nor false"):
        read_flag(published)


@pytest.mark.parametrize(
    "published", ["https://example.com/Required", "required", None, 1, "", [], ["Required", "Optional"]]
)
def test_an_unknown_term_is_refused(published: Any) -> None:
    with pytest.raises(UnreadableError, match="is not known"):
        read_term(published, Availability)


def test_types_are_read_without_namespace() -> None:
    assert type_names({"@type": ["https://openactive.io/Slot", "schema:Event", 1, " oa:X "]}) == ["Slot", "Event", "X"]
    assert type_names({}) == []


@pytest.mark.spec("OB-BKBL-27")
@pytest.mark.parametrize(
    ("published", "cleaned"),
    [
        ({"name": "a", "x": None, "y": "", "z": " ", "list": [], "deep": {"x": [{}, None]}}, {"name": "a"}),
        ({"type": "Slot", "id": " x "}, {"@type": "Slot", "@id": "x"}),
        ({"type": "Slot", "@type": "Event"}, {"@type": "Event"}),
        ({"dayOfWeek": "http://schema.org/Sunday"}, {"dayOfWeek": ["https://schema.org/Sunday"]}),
        ({"image": {"url": "http://example.com/"}}, {"image": [{"url": "http://example.com/"}]}),
        ({"genderRestriction": ["a"], "name": ["a", "b"]}, {"genderRestriction": "a", "name": ["a", "b"]}),
        ({"a": 0, "b": False, "c": 1.5}, {"a": 0, "b": False, "c": 1.5}),
        ([], None),
        ({"a": [[], ""]}, None),
        ({"schema:name": "a", "https://openactive.io/ns#leader": "b"}, {"name": "a", "leader": ["b"]}),
        ({"https://openactive.io/ns-beta#a": 1, "beta:b": 2}, {"beta:a": 1, "beta:b": 2}),
        ({"oa:a": 1, "a": 1}, {"a": 1}),
        ({"schema:a": 1, "a": 2}, {"a": [1, 2]}),
        ({"a": {"@value": 0}, "b": {"@value": "x", "@language": "en"}, "c": {"@value": None}}, {"a": 0, "b": "x"}),
    ],
)
def test_clean_removes_empty_values_and_namespaces(published: Any, cleaned: Any) -> None:
    assert clean(published) == cleaned


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("published", "why"),
    [
        ({"name": "a\0b"}, "NUL"),
        ({"a\0b": 1}, "NUL"),
        (nested(100), "too deeply"),
    ],
)
def test_a_value_that_cannot_be_published_is_refused(published: Any, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        clean(published)


def test_display_text_is_short_and_without_control_characters() -> None:
    assert display_text("a\x1b[2J\nb") == "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}b"
    assert len(display_text("x" * 50_000_000)) == 200
    assert display_text({"a": 1}) == "{'a': 1}"


@pytest.mark.spec("OB-ID-01", "OB-BKBL-28")
def test_derived_keys_depend_on_all_parts_and_fit_into_identifiers() -> None:
    key = derive_key("@id", "https://example.com/1")
    assert key == "zjemitdjylwbkqcqsytggypwuzeowvdj"
    assert is_key(key)
    assert len({key, derive_key("@id", "https://example.com/2"), derive_key("@idhttps://example.com/1")}) == 3
