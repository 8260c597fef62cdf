"""The Slots of facilities and courts."""

from datetime import date, datetime, time

import pytest
from msgspec.structs import replace

from openbooking.booking.model.timetable import (
    ChangeFrom,
    Court,
    Facility,
    OccurrenceTerms,
    OpeningHours,
    PriceBand,
    Terms,
)
from openbooking.timetable.occurrences import undated_opportunities
from support.timetables import (
    ADULT,
    EVERY_DAY,
    HALL,
    JUNIOR,
    MONDAY,
    SATURDAY,
    SQUASH,
    SUNDAY,
    around,
    days,
    entry,
    local_starts,
    occurrences_of,
)

MONDAYS = days(date(2026, 11, 2), 1)
OPEN_ALL_DAY = (OpeningHours(EVERY_DAY, time(0), time(0)),)


def test_a_facility_has_its_courts_as_individual_facility_uses() -> None:
    whole, *courts = undated_opportunities(entry(SQUASH, "squash"), around())
    assert whole.path == "facility-uses/centre.squash"
    assert whole.properties["facilityType"][0]["prefLabel"] == "Squash Court"
    assert [court.path for court in courts] == [
        "individual-facility-uses/centre.squash.1",
        "individual-facility-uses/centre.squash.2",
    ]
    assert {court.parent for court in courts} == {whole.path}


def test_a_slot_of_a_court_has_the_path_of_its_court_start_and_length() -> None:
    first = occurrences_of(SQUASH, MONDAYS)[0]
    assert first.path == "slots/centre.spin.1.20261102T0900Z.60"
    assert first.parent == first.court == "individual-facility-uses/centre.spin.1"
    assert (first.capacity, [offer.ref.owner for offer in first.offers]) == (1, [first.path])


def test_slots_of_several_lengths_share_the_hall() -> None:
    found = occurrences_of(HALL, MONDAYS)
    assert local_starts(found) == [
        *("11-02 09:00", "11-02 09:00", "11-02 09:30", "11-02 09:30", "11-02 10:00", "11-02 10:00"),
        *("11-02 10:30", "11-02 10:30", "11-02 11:00"),
    ]
    assert {item.court for item in found} == {item.parent for item in found} == {"facility-uses/centre.spin"}
    assert {item.capacity for item in found} == {4}
    assert found[0].path == "slots/centre.spin.20261102T0900Z.60"


def test_a_court_has_opening_hours_of_its_own() -> None:
    late = Court(key="late", name="Late", hours=(OpeningHours((MONDAY,), time(20), time(21)),))
    found = occurrences_of(replace(SQUASH, courts=(late,)), days(date(2026, 11, 2)))
    assert local_starts(found) == ["11-02 20:00"]


def test_opening_hours_after_midnight_belong_to_the_day_before() -> None:
    night = replace(SQUASH, courts=(), hours=(OpeningHours((SATURDAY,), time(23), time(2)),), last=date(2026, 11, 7))
    assert local_starts(occurrences_of(night, days(date(2026, 11, 7), 1))) == ["11-07 23:00"]
    assert local_starts(occurrences_of(night, days(date(2026, 11, 8), 1))) == ["11-08 00:00", "11-08 01:00"]
    assert local_starts(occurrences_of(night, days(date(2026, 11, 8), 90))) == ["11-08 00:00", "11-08 01:00"]


@pytest.mark.parametrize(("day", "count"), [(date(2027, 3, 28), 23), (date(2026, 10, 25), 24), (date(2027, 3, 29), 24)])
def test_the_hour_that_clocks_skip_is_not_sold_and_the_hour_that_they_repeat_is_sold_once(
    day: date, count: int
) -> None:
    found = occurrences_of(replace(SQUASH, courts=(), hours=OPEN_ALL_DAY), days(day, 1))
    assert len(found) == len(set(local_starts(found))) == count


def test_no_slot_ends_after_closing_when_clocks_go_forward() -> None:
    night = replace(SQUASH, courts=(), hours=(OpeningHours((SATURDAY,), time(23), time(2)),))
    assert local_starts(occurrences_of(night, days(date(2027, 3, 27), 2))) == ["03-27 23:00", "03-28 00:00"]


def test_slots_of_one_length_that_overlap_when_clocks_go_forward_share_the_hall() -> None:
    hall = replace(HALL, lengths=(45,), step=None, hours=(OpeningHours((SUNDAY,), time(0, 45), time(4)),))
    found = occurrences_of(hall, days(date(2027, 3, 28), 1))
    times = [item.court_time for item in found]
    assert any(one and other and one != other and one.overlaps(other) for one in times for other in times)


def test_the_first_price_band_that_fits_a_slot_counts() -> None:
    peak = PriceBand((ADULT,), days=(MONDAY,), begins=time(10), ends=time(11), minutes=60)
    banded = replace(SQUASH, courts=(), prices=(peak, PriceBand((JUNIOR,))), lengths=(60, 90))
    found = occurrences_of(banded, MONDAYS)
    prices = {
        f"{start} {item.path[-2:]}": item.offers[0].name for item, start in zip(found, local_starts(found), strict=True)
    }
    assert prices == {
        "11-02 09:00 60": "Junior",
        "11-02 09:00 90": "Junior",
        "11-02 10:00 60": "Adult",
        "11-02 10:30 90": "Junior",
        "11-02 11:00 60": "Junior",
    }


def test_no_slot_without_a_price_is_made() -> None:
    morning = replace(SQUASH, courts=(), prices=(PriceBand((ADULT,), ends=time(10)),))
    assert local_starts(occurrences_of(morning, MONDAYS)) == ["11-02 09:00"]


def test_terms_change_slots_from_a_date_on_and_single_slots_of_a_court() -> None:
    at_ten = datetime.fromisoformat("2026-11-02T10:00")
    changed = replace(
        SQUASH,
        changes=(ChangeFrom(date(2026, 11, 3), Terms(prices=(JUNIOR,))),),
        single=(OccurrenceTerms(at_ten, Terms(capacity=0), "2"),),
    )
    found = occurrences_of(changed, days(date(2026, 11, 2), 2))
    assert [item.path for item in found if item.capacity == 0] == ["slots/centre.spin.2.20261102T1000Z.60"]
    assert {(item.start.day, item.offers[0].name) for item in found if item.start} == {(2, "Adult"), (3, "Junior")}


@pytest.mark.parametrize(("rule", "most"), [(SQUASH, 1), (HALL, 4)])
def test_terms_give_no_more_spaces_than_there_are(rule: Facility, most: int) -> None:
    more = replace(rule, changes=(ChangeFrom(date(2026, 11, 1), Terms(capacity=9)),))
    assert {item.capacity for item in occurrences_of(more, MONDAYS)} == {most}
