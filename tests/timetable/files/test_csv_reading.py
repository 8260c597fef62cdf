"""CSV files of venues, classes and courts are read as the same entries as TOML."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.model.timetable import (
    Court,
    Facility,
    OpeningHours,
    Price,
    PriceBand,
    TimetableRule,
    Venue,
    WeeklyClass,
    WeeklyTime,
)
from openbooking.openactive.money import VatTreatment
from openbooking.timetable.files.content import SourceFile, read_files
from openbooking.timetable.files.documents import TimetableFileError
from support.timetables import ADULT, MEMBER, SQUASH, SQUASH_COURT, VENUE, WITHOUT_SITE, YOGA

# A Seller whose prices have VAT.
REGISTERED = replace(WITHOUT_SITE, vat=VatTreatment.STANDARD)
STORED: dict[str, TimetableRule] = {"riverside": VENUE}
URL = "https://centre.example.org/"
VENUES = (
    "key,name,street,town,region,postcode,latitude,longitude\npark,Park,1 Road,Oxford,Oxfordshire,OX1 1AA,51.5,-1.25\n"
)
CLASSES = f"""\
key,name,url,venue,activities,days,start,minutes,first,without,capacity,prices,cancel_before
spin,Spin,{URL},riverside,Yoga,Mon Wed,18:15,45,2026-10-01,2026-12-28; 2026-12-30,18,Adult 7.50; Member 2 proven,4 hours
spin,,,,,Sat,9:00,60,,,18,,
walk,"Walk, long",{URL},riverside,Yoga,Sun,09:00,60,2026-10-01,,20,Free 0
"""
COURTS = f"""\
key,name,url,venue,types,court,court_name,days,opens,closes,lengths,step,prices,peak_from,peak_prices,first
squash,Squash,{URL},riverside,Squash Court,1,Court 1,,,,60; 90,30,,,,2026-10-01
squash,,,,,2,Court 2,Sun,10:00,12:00,,,Adult 7.50
squash,,,,,,,Mon-Fri,07:00,24:00,,,Adult 7.50,17:00,Peak 10.50
squash,,,,,,,Sun,09:00,18:00,,,Adult 7.50
"""


def read(text: str) -> dict[str, TimetableRule]:
    return read_files(REGISTERED, [SourceFile("file.csv", text.encode())], STORED)


def faults(text: str) -> list[str]:
    with pytest.raises(TimetableFileError) as caught:
        read(text)
    return [str(fault) for fault in caught.value.faults]


def test_venues_are_read() -> None:
    assert read(VENUES) == {
        "park": Venue(
            name="Park",
            street="1 Road",
            town="Oxford",
            region="Oxfordshire",
            postcode="OX1 1AA",
            latitude=51.5,
            longitude=-1.25,
        )
    }


def test_each_row_of_a_class_adds_a_time() -> None:
    site: dict[str, Any] = {"url": URL, "venue": "riverside", "concepts": (YOGA,), "first": date(2026, 10, 1)}
    assert read(CLASSES) == {
        "spin": WeeklyClass(
            **site,
            name="Spin",
            times=(WeeklyTime((0, 2), time(18, 15), 45), WeeklyTime((5,), time(9), 60)),
            without=(date(2026, 12, 28), date(2026, 12, 30)),
            capacity=18,
            prices=(ADULT, replace(MEMBER, cancel_before=ADULT.cancel_before)),
        ),
        "walk": WeeklyClass(
            **site,
            name="Walk, long",
            times=(WeeklyTime((6,), time(9), 60),),
            capacity=20,
            prices=(Price(name="Free", amount=Decimal(0)),),
        ),
    }


def test_rows_of_a_facility_add_courts_hours_and_prices() -> None:
    adult = replace(ADULT, cancel_before=None)
    weekdays, sunday = tuple(range(5)), (6,)
    assert read(COURTS) == {
        "squash": Facility(
            name="Squash",
            url=URL,
            venue="riverside",
            concepts=(SQUASH_COURT,),
            courts=(
                Court(key="1", name="Court 1"),
                Court(key="2", name="Court 2", hours=(OpeningHours(sunday, time(10), time(12)),)),
            ),
            hours=(OpeningHours(weekdays, time(7), time()), OpeningHours(sunday, time(9), time(18))),
            lengths=(60, 90),
            step=30,
            prices=(
                PriceBand((adult,), days=sunday),
                PriceBand((Price(name="Peak", amount=Decimal("10.50")),), days=weekdays, begins=time(17)),
                PriceBand((adult,), days=weekdays),
            ),
            first=SQUASH.first,
        )
    }


def test_prices_can_differ_by_the_length_of_slots() -> None:
    text = COURTS.replace("peak_prices,", "peak_prices,price_minutes,").replace("Court 1,,,,", "Court 1,,,,")
    rows = "squash,,,,,,,Sat,09:00,12:00,,,Short 5,,,60\nsquash,,,,,,,,,,,,Long 7,,,90\n"
    text = text.replace(",60; 90,30,,,,2026-10-01", ",60; 90,30,,,,,2026-10-01") + rows
    (rule,) = read(text).values()
    assert isinstance(rule, Facility)
    assert [(band.prices[0].name, band.days, band.minutes) for band in rule.prices[-2:]] == [
        ("Short", (5,), 60),
        ("Long", (), 90),
    ]


@pytest.mark.parametrize(
    ("text", "changed", "fault"),
    [
        ("18:15", "25:15", 'line 2, column start: Give a time from "00:00" to "24:00".'),
        (",60,,,18", ",0,,,18", "line 3, column minutes: Give a length from 1 to 1,440 minutes."),
        ("Sat", "Sturday", 'line 3, column days: Give days such as "Mon Wed" or "Mon-Fri".'),
        (",60,,,18", ",60,,,19", "line 3, column capacity: Line 2 has another capacity for spin."),
        ("Free 0", "Free", 'line 4, column prices: Give prices such as "Adult 7.50; Junior 4.00; Member 5.00 proven".'),
        ("Adult 7.50", "Adult 7.505", "line 2, column prices: Give an amount in pounds and whole pence, not below 0."),
        ("4 hours", "4", 'line 2, column cancel_before: Give a length of time such as "8 days" or "4 hours".'),
        ("; 2026-12-30", "; 2026", "line 2, column without: Give a date such as 2026-12-05."),
        ("Free 0", "Free 0,,x", "line 4: This line has 14 cells, and there are 13 columns."),
        ("\nwalk", "\n", "line 4, column key: Give the key of the entry."),
        (",capacity", ",seats", "line 1, column seats: A file of classes has no column seats. The columns are: key,"),
        (",capacity", ",first", "line 1, column first: Two columns have this name."),
        ("key,", "x,", "line 1, column x: A file of classes has no column x."),
        (",start,", ",begin,", "line 1: Name the columns in the first line, such as postcode for venues, start"),
        (',"Walk, long"', ',"Walk, long', "line 4: The file is no CSV: unexpected end of data."),
        ("Sun,", ",", "line 4, column days: Give days."),
    ],
)
def test_a_fault_names_its_line_and_column(text: str, changed: str, fault: str) -> None:
    assert CLASSES.count(text) >= 1
    found = faults(CLASSES.replace(text, changed, 1))
    assert any(each.startswith(f"file.csv, {fault}") for each in found), found


def test_a_fault_of_a_court_names_the_cell() -> None:
    assert faults(COURTS.replace("24:00", "7")) == ['file.csv, line 4, column closes: Give a time such as "18:15".']
    assert faults(COURTS.replace("Court 2", "Court 1")) == [
        "file.csv, line 2, column court: Two names of courts are the same."
    ]
    assert faults(COURTS.replace("17:00,Peak 10.50", "17:00,Peak 10.505")) == [
        "file.csv, line 4, column peak_prices: Give an amount in pounds and whole pence, not below 0."
    ]


def test_an_empty_file_is_a_fault() -> None:
    assert faults("") == ["file.csv: The file is empty. Give the names of the columns first."]


def test_lines_without_text_are_skipped() -> None:
    assert read(CLASSES + "\n,,,,\n") == read(CLASSES)
