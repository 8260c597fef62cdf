"""The fields of published things: status, spaces, and properties that are published unchanged."""

import json
from typing import Any

import msgspec
import pytest

from openbooking.importing.reading.entries import read_entry
from openbooking.importing.reading.items import Draft, ReadItem, read_item
from openbooking.importing.reading.source import named_source
from openbooking.openactive.terms import EventStatus
from support.importing.published_items import (
    course,
    event,
    series,
    session,
    slot,
)


def read(item: Any, source: str = "source") -> ReadItem:
    return read_item(read_entry(msgspec.Raw(json.dumps(item).encode()), named_source(source), "here"))


IMAGE = "https://provider.example.com/image.png"


def read_one(item: Any, source: str = "source") -> Draft:
    reading = read(item, source)
    assert reading.faults == []
    (draft,) = reading.drafts
    return draft


@pytest.mark.spec("OB-BKBL-12")
@pytest.mark.parametrize(
    ("told", "capacity", "remarks"),
    [(None, None, 0), ("plenty", None, 1), (-1, 0, 0), (3, 3, 0), ("3", 3, 0), (2**64, 2**31 - 1, 1)],
)
def test_an_absent_or_unreadable_number_of_spaces_is_unknown(told: Any, capacity: int | None, remarks: int) -> None:
    draft = read_one(slot(remainingUses=told))
    assert (draft.opportunity.capacity, len(draft.remarks)) == (capacity, remarks)


@pytest.mark.spec("OB-BKBL-12")
@pytest.mark.parametrize(
    ("made", "left", "most"),
    [
        (session, "remainingAttendeeCapacity", "maximumAttendeeCapacity"),
        (event, "remainingAttendeeCapacity", "maximumAttendeeCapacity"),
        (course, "remainingAttendeeCapacity", "maximumAttendeeCapacity"),
        (slot, "remainingUses", "maximumUses"),
    ],
)
def test_remaining_spaces_are_cut_to_the_maximum(made: Any, left: str, most: str) -> None:
    draft = read_one(made(**{left: 7, most: 5}))
    assert draft.opportunity.capacity == 5
    assert f"{left} 7 is more than {most}: 5 taken" in draft.remarks
    assert read_one(made(**{left: 5, most: 7})).opportunity.capacity == 5
    unreadable = read_one(made(**{left: 7, most: "many"}))
    assert (unreadable.opportunity.capacity, len(unreadable.remarks)) == (7, 1)


@pytest.mark.parametrize(
    "told",
    [
        "EventCancelled",
        "schema:EventCancelled",
        "http://schema.org/EventCancelled",
        "https://www.schema.org/EventCancelled",
        "oa:EventCancelled",
        ["https://schema.org/EventCancelled"],
        ["EventCancelled", "schema:EventCancelled"],
        {"@id": "schema:EventCancelled"},
        [{"id": "https://schema.org/EventCancelled"}],
        {"@type": "EventStatusType", "@id": "EventCancelled"},
        {"@value": "EventCancelled"},
    ],
)
@pytest.mark.parametrize("name", ["eventStatus", "schema:eventStatus", "https://schema.org/eventStatus"])
def test_a_status_is_read_in_every_form(name: str, told: Any) -> None:
    draft = read_one(event(**{name: told}))
    assert (draft.opportunity.status, draft.opportunity.inherited) == (EventStatus.CANCELLED, None)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("EventMovedOnline", EventStatus.SCHEDULED),
        ("schema:EventMovedOnline", EventStatus.SCHEDULED),
        ([{"@id": "http://schema.org/EventMovedOnline"}], EventStatus.SCHEDULED),
        (["EventRescheduled", "EventMovedOnline"], EventStatus.RESCHEDULED),
        (["EventScheduled", "schema:EventScheduled"], EventStatus.SCHEDULED),
    ],
)
def test_an_event_that_moved_online_is_scheduled(told: Any, status: EventStatus) -> None:
    draft = read_one(event(eventStatus=told))
    assert (draft.opportunity.status, draft.opportunity.inherited) == (status, None)


@pytest.mark.parametrize(
    "told",
    [
        "https://schema.org/EventCanceled",
        "Cancelled",
        "eventcancelled",
        "https://example.com/EventCancelled",
        ["EventScheduled", "EventCancelled"],
        ["EventScheduled", 5],
        ["EventMovedOnline", "EventCancelled"],
        {"name": "EventCancelled"},
        5,
        False,
    ],
)
def test_an_unknown_status_is_refused(told: Any) -> None:
    (fault,) = read(event(eventStatus=told)).faults
    assert fault.reason.startswith("its eventStatus: ")


def test_integers_beyond_2_53_are_kept_as_text() -> None:
    large = 2**70
    draft = read_one(event(identifier=large, name=large, image=[{"url": IMAGE, "width": -large}]))
    properties = draft.opportunity.properties
    assert (properties["identifier"], properties["name"]) == (str(large), str(large))
    assert properties["image"] == [{"url": IMAGE, "width": str(-large)}]
    assert draft.remarks == ("name, width: a number beyond 2^53 is kept as text",)


@pytest.mark.spec("OB-BKBL-29")
def test_a_schedule_is_left_out_of_a_session_and_kept_on_a_series() -> None:
    draft = read_one(session(eventSchedule=[{"@type": "Schedule"}]))
    assert "eventSchedule" not in draft.opportunity.properties
    assert draft.remarks == ("eventSchedule left out",)
    assert "eventSchedule" in read_one(series()).opportunity.properties


@pytest.mark.spec("OB-BKBL-31", "OB-BKBL-32")
@pytest.mark.parametrize("above", ["EventSeries", "https://schema.org/EventSeries", "Festival"])
def test_an_event_inherits_properties_of_an_event_series(above: str) -> None:
    parent = event(**{"@type": above}, description="Every week", startDate="2020-01-01", name="Runs")
    draft = read_one(event(**{"@id": "https://x.example/run"}, superEvent=parent, offers=None, organizer=None))
    made = draft.opportunity
    assert (made.properties["description"], made.properties["name"]) == ("Every week", "Run")
    assert (made.offers, draft.parents, bool(draft.seller)) == ((), (), True)
    assert str(made.start) == "2027-03-04 18:00:00+00:00"
    assert draft.remarks == (f"properties of its {above.rpartition('/')[2]} taken over",)


@pytest.mark.parametrize(("told", "read_as"), [(True, True), (False, False), (["yes"], None), (None, None)])
def test_is_accessible_for_free_is_read(told: Any, read_as: bool | None) -> None:
    made = read_one(series(isAccessibleForFree=told)).opportunity
    assert made.accessible_for_free is read_as
    assert "isAccessibleForFree" not in made.properties


def test_properties_of_unknown_vocabularies_are_left_out() -> None:
    draft = read_one(series(**{"x:a": 1, "beta:b": 2, "image": [{"url": IMAGE, "x:c": {"d": 1}, "beta:e": 3}]}))
    properties = draft.opportunity.properties
    assert (properties["beta:b"], properties["image"]) == (2, [{"url": IMAGE, "beta:e": 3}])
    assert draft.remarks == ("x:a, x:c left out",)


def test_links_that_are_no_web_addresses_are_left_out() -> None:
    script = "javascript:alert(1)"
    place = {"@type": "Place", "name": "Hall", "url": script}
    draft = read_one(series(url=script, location=place, sameAs=[IMAGE, script], image=[{"url": IMAGE}, script]))
    properties = draft.opportunity.properties
    assert not {"url", "sameAs", "image"} & properties.keys()
    assert properties["location"] == {"@type": "Place", "name": "Hall"}
    told = ", ".join(f"{name} that is no web address" for name in ("image", "sameAs", "url"))
    assert draft.remarks == (f"{told} left out",)


def test_activities_in_plain_text_become_concepts() -> None:
    draft = read_one(series(activity="Table Tennis"))
    assert draft.opportunity.properties["activity"] == [{"@type": "Concept", "prefLabel": "Table Tennis"}]


@pytest.mark.parametrize(
    ("status", "read_as"),
    [
        ("https://schema.org/EventMovedOnline", EventStatus.SCHEDULED),
        ("EventRescheduled", EventStatus.RESCHEDULED),
        (None, EventStatus.SCHEDULED),
    ],
)
def test_an_absent_status_is_inherited(status: str | None, read_as: EventStatus) -> None:
    draft = read_one(session(eventStatus=status))
    untold = draft.opportunity.inherited is not None and draft.opportunity.inherited.status
    assert (draft.opportunity.status, untold) == (read_as, status is None)
