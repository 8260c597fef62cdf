"""The properties that a published child inherits from its parent, and those that it does not inherit."""

from typing import Any

import pytest

from openbooking.openactive.inheritance import inherits_dates, with_inherited
from openbooking.openactive.opportunity_types import OpportunityType

SERIES, SESSION = OpportunityType.SESSION_SERIES, OpportunityType.SCHEDULED_SESSION
HEADLINE, COURSE, EVENT = OpportunityType.HEADLINE_EVENT, OpportunityType.COURSE_INSTANCE, OpportunityType.EVENT
START, END = {"startDate": "2027-03-03T10:00:00Z"}, {"endDate": "2027-03-03T12:00:00Z"}
DURATION = {"duration": "PT2H"}
OFFERS: dict[str, Any] = {"offers": [{"@type": "Offer", "price": 5}]}


@pytest.mark.spec("OB-BKBL-32")
def test_values_of_a_child_replace_values_of_its_parent() -> None:
    parent = {"name": "Yoga", "description": "Slow", "location": {"@type": "Place"}}
    inherited = with_inherited({"name": "Yoga on Monday"}, parent, SESSION, SERIES)
    assert inherited == {"name": "Yoga on Monday", "description": "Slow", "location": {"@type": "Place"}}


@pytest.mark.spec("OB-BKBL-32")
@pytest.mark.parametrize(
    "name",
    [
        "@context", "@type", "@id", "url", "identifier", "eventSchedule", "superEvent", "subEvent", "facilityUse",
        "aggregateFacilityUse", "individualFacilityUse", "event", "remainingAttendeeCapacity", "remainingUses",
    ],
)  # fmt: skip
@pytest.mark.parametrize(("type_", "parent_type"), [(SESSION, SERIES), (EVENT, HEADLINE), (EVENT, None)])
def test_names_links_and_spaces_left_are_not_inherited(
    name: str, type_: OpportunityType, parent_type: OpportunityType | None
) -> None:
    assert with_inherited({}, {name: "x", "maximumAttendeeCapacity": 9}, type_, parent_type) == {
        "maximumAttendeeCapacity": 9
    }


@pytest.mark.spec("OB-BKBL-31")
@pytest.mark.parametrize(
    ("type_", "parent_type", "inherits"),
    [
        (SESSION, SERIES, True),
        (SESSION, None, False),
        (EVENT, HEADLINE, False),
        (EVENT, COURSE, False),
        (EVENT, None, False),
        (OpportunityType.SLOT, OpportunityType.FACILITY_USE, False),
    ],
)
def test_only_sessions_of_a_series_inherit_offers(
    type_: OpportunityType, parent_type: OpportunityType | None, inherits: bool
) -> None:
    assert with_inherited({}, OFFERS, type_, parent_type) == (OFFERS if inherits else {})


@pytest.mark.spec("OB-BKBL-31")
def test_a_session_with_offers_of_its_own_inherits_none() -> None:
    own = {"offers": [{"@type": "Offer", "price": 0}]}
    assert with_inherited(own, OFFERS, SESSION, SERIES) == own


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ({}, {**START, **END, **DURATION}),
        (START, {**START, **DURATION}),
        ({**START, **END}, {**START, **END}),
        ({**START, "duration": "PT1H"}, {**START, "duration": "PT1H"}),
    ],
)
def test_a_part_of_an_event_without_a_start_takes_place_when_the_event_does(
    child: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert with_inherited(child, {**START, **END, **DURATION}, EVENT, HEADLINE) == expected


@pytest.mark.parametrize(("type_", "parent_type"), [(SESSION, SERIES), (EVENT, COURSE), (EVENT, None)])
def test_series_and_courses_give_no_start(type_: OpportunityType, parent_type: OpportunityType | None) -> None:
    assert with_inherited({}, {**START, **END, **DURATION}, type_, parent_type) == {}


def test_a_session_without_an_end_lasts_as_long_as_its_series_says() -> None:
    assert with_inherited(START, {**END, **DURATION}, SESSION, SERIES) == {**START, **DURATION}
    assert with_inherited(START, {**END, **DURATION}, EVENT, None) == START


def test_dates_are_inherited_only_by_events_from_headline_events() -> None:
    pairs = [(type_, parent) for type_ in OpportunityType for parent in type_.parents if inherits_dates(type_, parent)]
    assert pairs == [(EVENT, HEADLINE)]
