"""A whole timetable is checked, and the faults that a change causes are told apart from older ones."""

from msgspec.structs import replace

from openbooking.booking.model.timetable import TimetableRule, Venue
from openbooking.timetable.checking.faults import Fault
from openbooking.timetable.whole_check import check_whole, new_faults
from support.timetables import SPIN, SQUASH, VENUE, WITHOUT_SITE, closed

RULES: dict[str, TimetableRule] = {"riverside": VENUE, "spin": SPIN, "squash": SQUASH}
NO_VENUE = Fault("venue", "There is no venue riverside.")


def test_a_right_timetable_has_no_faults() -> None:
    assert check_whole(WITHOUT_SITE, RULES) == {}


def test_each_entry_is_checked_with_all_others() -> None:
    without_venue = {key: rule for key, rule in RULES.items() if key != "riverside"}
    assert check_whole(WITHOUT_SITE, without_venue) == {"spin": (NO_VENUE,), "squash": (NO_VENUE,)}


def test_only_new_faults_are_those_of_a_change() -> None:
    closure = closed("2026-10-19T00:00", "2026-10-20T00:00", entry="squash", court="2")
    before: dict[str, TimetableRule] = {**RULES, "repair": closure, "park": Venue(name="Park")}
    after = {**before, "squash": replace(SQUASH, courts=SQUASH.courts[:1])}
    assert "park" in check_whole(WITHOUT_SITE, after)
    assert new_faults(WITHOUT_SITE, before, before) == {}
    assert new_faults(WITHOUT_SITE, before, after) == {
        "repair": (Fault("court", "Give the key of a court of the facility."),)
    }
