"""A whole timetable is checked, and the faults that a change causes are told apart from older ones."""

from msgspec.structs import replace

from openbooking.booking.model.timetable import TimetableRule, Venue
from openbooking.timetable.checking.faults import Fault
from openbooking.timetable.whole_check import check_whole, new_faults
from support.timetables import SPIN, SQUASH, VENUE, closed

RULES: dict[str, TimetableRule] = {"riverside": VENUE, "spin": SPIN, "squash": SQUASH}
NO_VENUE = Fault("venue", "There is no venue riverside.")


def test_a_right_timetable_has_no_faults() -> None:
    assert check_whole("centre", RULES) == {}


def test_each_entry_is_checked_with_all_others() -> None:
    without_venue = {key: rule for key, rule in RULES.items() if key != "riverside"}
    assert check_whole("centre", without_venue) == {"spin": (NO_VENUE,), "squash": (NO_VENUE,)}


def test_only_new_faults_are_those_of_a_change() -> None:
    closure = closed("2026-10-19T00:00", "2026-10-20T00:00", entry="squash", court="2")
    before: dict[str, TimetableRule] = {**RULES, "repair": closure, "park": Venue(name="Park")}
    after = {**before, "squash": replace(SQUASH, courts=SQUASH.courts[:1])}
    assert "park" in check_whole("centre", after)
    assert new_faults("centre", before, before) == {}
    assert new_faults("centre", before, after) == {
        "repair": (Fault("court", "Give the key of a court of the facility."),)
    }
