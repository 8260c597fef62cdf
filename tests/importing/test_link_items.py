"""Drafts joined with their parents: inherited properties, limits of spaces, and remarks."""

import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.importing.link_items import MAX_REMARKS, Imported, link
from openbooking.importing.reading.entries import read_entry
from openbooking.importing.reading.items import read_item
from openbooking.importing.reading.source import named_source
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import EventStatus
from support.builders import PLACE
from support.importing.published_items import course, event, facility, on_demand_event, series, session, slot
from support.parties import CENTRE


def linked(item: Any, *parents: Opportunity) -> Imported:
    """Return the last thing of an item, joined with these parents."""
    reading = read_item(read_entry(msgspec.Raw(json.dumps(item).encode()), named_source("source"), "here"))
    draft = reading.drafts[-1]
    return link(draft, draft.opportunity.path, parents, CENTRE)


def parent(item: Any, **changes: Any) -> Opportunity:
    return replace(linked(item).opportunity, **changes)


COURT = {"@type": "IndividualFacilityUse", "@id": "https://provider.example.com/courts/1", "name": "Court 1"}


@pytest.mark.spec("OB-BKBL-32")
def test_a_session_inherits_the_status_and_duration_that_it_does_not_state() -> None:
    cancelled = parent(series(duration="PT90M"), status=EventStatus.CANCELLED)
    imported = linked(session(duration=None), cancelled)
    made = imported.opportunity
    assert made.status is EventStatus.CANCELLED
    assert made.start
    assert made.end
    assert (made.end - made.start).total_seconds() == 5400
    assert imported.remarks == ("status of its parent taken", "duration of its parent taken")
    own = linked(session(eventStatus="EventScheduled"), cancelled)
    assert (own.opportunity.status, own.remarks) == (EventStatus.SCHEDULED, ())


@pytest.mark.spec("OB-BKBL-33")
def test_a_slot_of_an_individual_facility_has_one_space() -> None:
    whole = parent(facility())
    court = parent(COURT, parent=whole.path)
    imported = linked(slot(remainingUses=4), court, whole)
    assert imported.opportunity.capacity == 1
    assert "1 taken" in imported.remarks[0]
    assert linked(slot(remainingUses=4), whole).opportunity.capacity == 4
    assert linked(slot(remainingUses=0), court, whole).opportunity.capacity == 0


@pytest.mark.parametrize(
    ("own", "above", "capacity"),
    [({}, 3, 3), ({}, "3", 3), ({}, 9, 5), ({}, "?", 5), ({"maximumAttendeeCapacity": 4}, 3, 4)],
)
def test_the_spaces_of_a_session_are_limited_to_the_maximum_of_its_series(own: Any, above: Any, capacity: int) -> None:
    imported = linked(session(**own), parent(series(maximumAttendeeCapacity=above)))
    assert imported.opportunity.capacity == capacity
    assert len(imported.remarks) == (capacity < 5)


@pytest.mark.parametrize(
    ("item", "above", "remarks"),
    [
        (series(), None, []),
        (facility(), None, []),
        (session(), series(), []),
        (COURT, facility(), []),
        (series(activity=None, url=None), None, ["no url, activity"]),
        (series(eventSchedule=None, offers=None), None, ["no eventSchedule, offers"]),
        (
            facility(facilityType=None, activity="Squash"),
            None,
            ["no facilityType", "activity: fac", "activity: no @id"],
        ),
        (slot(duration=None), facility(), ["no duration"]),
        (event(location=None), None, ["no location"]),
        (event(name=None, location=None), course(), []),
        (course(eventSchedule=None, subEvent=[{"@type": "Event"}]), None, ["no eventSchedule", "subEvent: no "]),
        (on_demand_event(url=None, offers=None), None, ["no url, offers"]),
        (
            series(location={**PLACE, "address": {"@type": "PostalAddress"}}),
            None,
            ["location.address: no streetAddress"],
        ),
        (series(image={"@type": "ImageObject"}), None, ["image: no url"]),
    ],
)
def test_missing_properties_are_remarked(item: Any, above: Any, remarks: list[str]) -> None:
    told = linked(item, *([parent(above)] if above else [])).remarks
    assert len(told) == len(remarks)
    assert all(found.startswith(expected) for found, expected in zip(told, remarks, strict=True))


def test_the_number_of_remarks_is_limited() -> None:
    told = linked(series(image=[{"@type": "ImageObject", "name": "x"}] * 500)).remarks
    assert len(told) == MAX_REMARKS + 1


def test_parents_come_before_their_children() -> None:
    depths = {type_: type_.depth for type_ in OpportunityType}
    assert depths[OpportunityType.SESSION_SERIES] == depths[OpportunityType.FACILITY_USE] == 0
    assert depths[OpportunityType.INDIVIDUAL_FACILITY_USE] == depths[OpportunityType.SCHEDULED_SESSION] == 1
    assert depths[OpportunityType.SLOT] == 2
