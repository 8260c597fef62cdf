"""The periods of published things: start, end and duration."""

import json
from typing import Any

import msgspec
import pytest

from openbooking.importing.reading.entries import read_entry
from openbooking.importing.reading.items import Draft, read_item
from openbooking.importing.reading.source import named_source
from support.importing.published_items import (
    course,
    session,
)


def read_one(item: Any, source: str = "source") -> Draft:
    reading = read_item(read_entry(msgspec.Raw(json.dumps(item).encode()), named_source(source), "here"))
    assert reading.faults == []
    (draft,) = reading.drafts
    return draft


@pytest.mark.parametrize(
    ("changes", "minutes", "remarks"),
    [
        ({"endDate": "2027-03-04T20:00:00Z", "duration": "PT2H"}, 120, []),
        ({"endDate": "2027-03-04T20:00:00Z", "duration": "PT1H"}, 120, ["its duration does not match"]),
        ({"endDate": "2027-03-04T17:00:00Z", "duration": None}, None, ["its end is not after its start"]),
        ({"endDate": "2027-03-04T17:00:00Z"}, 60, ["its end is not after its start: its duration is used"]),
        ({"endDate": "2027-03-04T18:00:00Z", "duration": "PT1.5H"}, 90, ["its end is not after its start"]),
        ({"endDate": "2027-03-04T24:00:00Z", "duration": None}, 360, []),
        ({"duration": "PT0S"}, None, ["its duration is zero"]),
        ({"duration": "long"}, None, ["duration: long is no duration"]),
        ({"endDate": "later"}, 60, ["endDate: later is no date"]),
        ({"startDate": "2027-03-04T18:00:00"}, 60, ["2027-03-04T18:00:00 has no time zone"]),
        ({"startDate": "2027-03-04", "endDate": "2027-03-05", "duration": None}, 2880, ["2027-03-04 has no time"] * 2),
        ({"startDate": "2027-03-04", "duration": None}, 1440, ["2027-03-04 has no time"]),
        ({"startDate": "2027-03-04", "duration": "PT1H"}, 1440, ["2027-03-04 has no time"] * 2),
        ({"startDate": "2027-03-04", "duration": "P2D"}, 2880, ["2027-03-04 has no time"]),
    ],
)
def test_the_period_of_a_session_is_read(changes: dict[str, Any], minutes: int | None, remarks: list[str]) -> None:
    draft = read_one(session(**changes))
    made = draft.opportunity
    lasts = (made.end - made.start).total_seconds() / 60 if made.start and made.end else None
    assert lasts == minutes
    assert len(draft.remarks) == len(remarks)
    assert draft.remarks[0].startswith(remarks[0]) if remarks else not draft.remarks


@pytest.mark.spec("OB-BKBL-35")
def test_a_course_dated_in_days_ends_within_its_last_day() -> None:
    draft = read_one(course(duration="PT1H"))
    made = draft.opportunity
    assert (str(made.start), str(made.end)) == ("2027-03-04 00:00:00+00:00", "2027-03-11 23:59:59+00:00")
    assert "eventSchedule" in made.properties
    assert draft.remarks == ()
    in_summer = read_one(course(startDate="2027-07-01", endDate="2027-07-01")).opportunity
    assert (str(in_summer.start), str(in_summer.end)) == ("2027-07-01 00:00:00+01:00", "2027-07-01 23:59:59+01:00")
