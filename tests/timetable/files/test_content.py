"""Files are read whole, and each fault names its file, line and column."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openbooking.booking.model.timetable import Closure, Nation, TimetableRule, Venue, WeeklyClass
from openbooking.openactive.money import VatTreatment
from openbooking.timetable.files.content import SourceFile, read_files
from openbooking.timetable.files.documents import TimetableFileError
from openbooking.timetable.files.toml_writing import write_toml
from support.parties import CENTRE
from support.timetables import ADULT, SPIN, SQUASH, VENUE, WITHOUT_SITE

STORED: dict[str, TimetableRule] = {"riverside": VENUE}
CLASS = """\
[class.spin]
name = "Spin"
url = "https://centre.example.org/spin"
venue = "riverside"
activities = ["Yoga"]
first = 2026-10-01
capacity = 18
times = [
  { days = "Mon Wed", start = "18:15", minutes = 45 },
]
prices = [{ name = "Adult", amount = 7.50, cancel_before = "4 hours" }]
"""


def read(*texts: str, stored: dict[str, TimetableRule] = STORED, replaces: bool = False) -> dict[str, TimetableRule]:
    files = [SourceFile(f"{number}.toml", text.encode()) for number, text in enumerate(texts)]
    return read_files(WITHOUT_SITE, files, stored, replace=replaces)


def faults(*texts: str, stored: dict[str, TimetableRule] = STORED, replaces: bool = False) -> list[str]:
    with pytest.raises(TimetableFileError) as caught:
        read(*texts, stored=stored, replaces=replaces)
    return [str(fault) for fault in caught.value.faults]


def test_a_class_is_read() -> None:
    assert read(CLASS) == {
        "spin": WeeklyClass(
            name="Spin",
            url="https://centre.example.org/spin",
            venue="riverside",
            concepts=SPIN.concepts,
            times=SPIN.times,
            first=SPIN.first,
            capacity=18,
            prices=(replace(ADULT, vat=VatTreatment.OUTSIDE_SCOPE),),
        )
    }


@pytest.mark.parametrize(
    ("registered", "vat"), [({}, VatTreatment.OUTSIDE_SCOPE), ({"vatID": "GB123456789"}, VatTreatment.STANDARD)]
)
def test_a_price_gets_the_vat_treatment_of_its_seller(registered: dict[str, str], vat: VatTreatment) -> None:
    seller = replace(WITHOUT_SITE, properties=registered)
    rule = read_files(seller, [SourceFile("club.toml", CLASS.encode())], STORED)["spin"]
    assert isinstance(rule, WeeklyClass)
    assert [price.vat for price in rule.prices] == [vat]
    assert "vat" not in write_toml({"spin": rule}, seller.default_vat)
    assert f'vat = "{vat}"' in write_toml({"spin": rule}, VatTreatment.EXEMPT)


@pytest.mark.parametrize(
    ("text", "other", "place", "told"),
    [
        ('"Spin"', "7", "line 2, column 1", "Give a text in quotation marks."),
        ("capacity = 18", "capacity = 1.5", "line 7, column 1", "Give a whole number."),
        ("capacity = 18", "capacity = 1e999", "line 7, column 1", "Give a whole number."),
        ("capacity = 18", "capacity = true", "line 7, column 1", "Give a number."),
        ("capacity = 18", "capacity = -1", "line 7, column 1", "Give a number from 0 to 100,000."),
        ("capacity", "capacty", "line 1, column 1", "Give capacity."),
        ('"riverside"', '"lakeside"', "line 4, column 1", "There is no venue lakeside."),
        ('["Yoga"]', '"Yoga"', "line 5, column 1", "Give a list in square brackets."),
        ('["Yoga"]', '["Yogha"]', "line 5, column 15", "There is no 'Yogha' in OpenActive's list."),
        ('["Yoga"]', '["Badminton", "Hatha"]', "line 5, column 28", 'Similar ones are "Hatha Yoga"'),
        ("2026-10-01", "20", "line 6, column 1", "Give a date such as 2026-12-05."),
        ("2026-10-01", '"2026-13-01"', "line 6, column 1", "Give a date such as 2026-12-05."),
        ("2026-10-01", "1926-10-01", "line 6, column 1", "Give a date from 2000 to 2099."),
        ('"Mon Wed"', '["Mon"]', "line 9, column 5", 'Give days such as "Mon Wed" or "Mon-Fri".'),
        ('"Mon Wed"', '"Mon T"', "line 9, column 5", 'Give days such as "Mon Wed" or "Mon-Fri".'),
        ('"Mon Wed"', '"Mon Mon"', "line 9, column 5", "Give each day once."),
        ('"18:15"', '"18.15"', "line 9, column 23", 'Give a time such as "18:15".'),
        ('"18:15"', '"25:15"', "line 9, column 23", 'Give a time from "00:00" to "24:00".'),
        ('"18:15"', "18:15:30", "line 9, column 23", "Give the time in whole minutes."),
        ("minutes = 45", "minutes = 0", "line 9, column 40", "Give a length from 1 to 1,440 minutes."),
        (", minutes = 45", "", "line 9, column 3", "Give minutes."),
        ("{ days", "7, { days", "line 9, column 3", "Give a table with keys."),
        ("7.50", "7.505", "line 11, column 29", "Give an amount in pounds and whole pence, not below 0."),
        ('"4 hours"', '"4 fortnights"', "line 11, column 44", "Give a length of time such as"),
        ('"4 hours"', '"999999999 weeks"', "line 11, column 44", "Give a shorter length of time."),
        ("cancel_before", "vat = 'free', cancel_before", "line 11, column 44", "Give one of standard, reduced"),
        ("cancel_before", "until", "line 11, column 44", "There is no key 'until' here. The keys are: name, amount"),
        ("[class.spin]", "[class.Spin]", "line 1, column 1", "Use at most 60 small letters"),
        ("[class.spin]", "[lesson.spin]", "line 1, column 1", "There is no kind 'lesson' of entries. The kinds are:"),
        ("[class.spin]", "[class]", "line 1, column 1", "such as [class.my-class]."),
        ("first", "properties = { a = 2026-01-01 }\nfirst", "line 6, column 1", "Write dates as texts."),
        ("first", "properties = { url = 'x' }\nfirst", "line 6, column 1", "Leave out url"),
        ("= 18", "", "line 7, column 10", "The file is no TOML: Expected '=' after a key"),
    ],
)
def test_a_fault_names_its_line_and_column(text: str, other: str, place: str, told: str) -> None:
    assert text in CLASS
    found = faults(CLASS.replace(text, other, 1))
    assert any(fault.startswith(f"0.toml, {place}: ") and told in fault for fault in found), found


def test_all_faults_of_all_files_are_told() -> None:
    second = CLASS.replace("spin", "yoga").replace('"Mon Wed"', '"M"')
    found = faults(CLASS.replace("18\n", '"many"\n').replace("7.50", "true"), second)
    assert [fault.partition(": ")[0] for fault in found] == [
        "0.toml, line 7, column 1",
        "0.toml, line 11, column 29",
        "1.toml, line 9, column 5",
    ]


def test_two_entries_with_one_key_are_a_fault() -> None:
    venue = '[venue.spin]\nname = "Spin"\n'
    (fault,) = faults(CLASS, f"\n{venue}")
    assert (
        fault == "1.toml, line 2, column 1: Another entry has the key spin: 0.toml, line 1, column 1. Use another key."
    )


def test_an_entry_keeps_its_kind() -> None:
    (fault,) = faults(CLASS, stored={**STORED, "spin": SQUASH})
    assert fault == "0.toml, line 1, column 1: There is a facility spin already. Use another key."


def test_a_file_may_name_the_entries_of_another_file() -> None:
    assert read(CLASS, write_toml(STORED, WITHOUT_SITE.default_vat), stored={}).keys() == {"spin", "riverside"}


def test_stored_entries_must_stay_right() -> None:
    closed = Closure(name="Repair", bank_holidays=Nation.WALES, entry="squash", court="2")
    stored: dict[str, TimetableRule] = {**STORED, "squash": SQUASH, "repair": closed}
    one = write_toml({"squash": replace(SQUASH, courts=SQUASH.courts[:1])}, WITHOUT_SITE.default_vat)
    assert faults(one, stored=stored) == ["stored closure repair, court: Give the key of a court of the facility."]
    assert read(one + write_toml(STORED, WITHOUT_SITE.default_vat), stored=stored, replaces=True).keys() == {
        "squash",
        "riverside",
    }


def test_a_fault_that_a_stored_entry_has_already_does_not_count() -> None:
    assert read(CLASS, stored={**STORED, "park": Venue(name="Park")}).keys() == {"spin"}


def test_replacing_files_must_have_all_that_they_name() -> None:
    (fault,) = faults(CLASS, replaces=True)
    assert "There is no venue riverside." in fault


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.toml", b'\n\nname = "\xff"', "a.toml, line 3: The file is not in UTF-8. Save it in this encoding."),
        ("a.xlsx", b"", "a.xlsx: Give a file whose name ends in .toml or .csv."),
        ("a.toml", b"a = " + b"[" * 5000, "a.toml: The file is no TOML"),
        ("a.toml", b"a = 1e99999999999999999999", "a.toml: The file is no TOML"),
        ("a.toml", b"a = " + b"9" * 5000, "a.toml: The file is no TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault(name: str, content: bytes, told: str) -> None:
    with pytest.raises(TimetableFileError) as caught:
        read_files(WITHOUT_SITE, [SourceFile(name, content)], {})
    (fault,) = caught.value.faults
    assert str(fault).startswith(told)


def test_a_byte_order_mark_and_carriage_returns_are_accepted() -> None:
    content = ("\N{ZERO WIDTH NO-BREAK SPACE}" + CLASS.replace("\n", "\r\n")).encode()
    assert read_files(WITHOUT_SITE, [SourceFile("A.TOML", content)], STORED) == read(CLASS)


LINES = st.lists(st.sampled_from([*CLASS.splitlines(), "]", "[[class]]", "[class.spin.times]", "key = {}", "[venue]"]))


@given(LINES.map("\n".join) | st.text())
def test_no_text_raises_another_error(text: str) -> None:
    for name in ("a.toml", "a.csv"):
        with suppress(TimetableFileError):
            assert read_files(WITHOUT_SITE, [SourceFile(name, text.encode("utf-8", "replace"))], STORED) == {}


def test_a_class_may_have_the_web_page_of_the_seller() -> None:
    content = CLASS.replace('url = "https://centre.example.org/spin"\n', "").encode()
    (rule,) = read(CLASS).values()
    (without,) = read_files(CENTRE, [SourceFile("club.toml", content)], STORED).values()
    assert without == replace(rule, url="")
    assert "web page" in faults(content.decode())[0]
