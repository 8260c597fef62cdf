"""The paths and the source of Opportunities of a timetable."""

from datetime import UTC, datetime

from openbooking.booking.model.timetable import EntryKey
from openbooking.booking.rules.opportunities.ownership import publisher_of
from openbooking.openactive.ids import is_key, key_of
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.identity import fits, occurrence_path, path_of

SPIN = EntryKey("centre", "spin")
START = datetime(2026, 12, 1, 18, 15, tzinfo=UTC)


def test_a_path_is_made_of_seller_entry_court_start_and_length() -> None:
    assert path_of(OpportunityType.FACILITY_USE, SPIN) == "facility-uses/centre.spin"
    assert path_of(OpportunityType.INDIVIDUAL_FACILITY_USE, SPIN, "c1") == "individual-facility-uses/centre.spin.c1"
    path = occurrence_path(OpportunityType.SLOT, SPIN, START, 60, "c1")
    assert path == "slots/centre.spin.c1.20261201T1815Z.60"
    assert is_key(key_of(path))


def test_no_two_sellers_share_a_path() -> None:
    """A Seller's key may have dots; those of entries and courts have none."""
    paths = {
        occurrence_path(OpportunityType.SLOT, EntryKey(seller, key), START, 60, court)
        for seller, key, court in (
            ("a", "b", "c"),
            ("a.b", "c", ""),
            ("a.", "b", "c"),
            ("a..b", "c", ""),
            ("a", "b", ""),
        )
    }
    assert len(paths) == 5


def test_a_source_belongs_to_one_entry() -> None:
    assert SPIN.source == publisher_of(SPIN.source) == "timetable:centre/spin"


def test_a_key_fits_up_to_128_characters() -> None:
    key = "k" * (128 - len("centre." + ".20261201T1815Z.1440"))
    assert fits(EntryKey("centre", key), minutes=1440)
    assert not fits(EntryKey("centre", key + "k"), minutes=1440)
    assert not fits(EntryKey("centre", key), "1", 1440)
