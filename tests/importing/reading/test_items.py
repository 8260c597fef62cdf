"""Items and what they embed, as drafts of what is to be sold."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openbooking.importing.reading.entries import read_entry
from openbooking.importing.reading.items import MAX_THING_BYTES, Draft, ReadItem, read_item
from openbooking.importing.reading.source import named_source
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import EventStatus
from support.builders import PLACE
from support.published_items import (
    FACILITY_ID,
    OFFER,
    SERIES_ID,
    course,
    deleted,
    event,
    facility,
    on_demand_event,
    rpde,
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


def paths(item: Any, source: str = "source") -> list[str]:
    return [draft.opportunity.path for draft in read(item, source).drafts]


def test_a_session_is_read_whole() -> None:
    draft = read_one(session(eventStatus="http://schema.org/EventPostponed", name="Evening yoga", endDate=None))
    made = draft.opportunity
    assert (made.type, made.capacity, made.status) == (OpportunityType.SCHEDULED_SESSION, 5, EventStatus.POSTPONED)
    assert made.start == datetime.fromisoformat("2027-03-04T18:00:00Z")
    assert made.end == datetime.fromisoformat("2027-03-04T19:00:00Z")
    assert made.properties == {"name": "Evening yoga"}
    assert draft.parents == tuple(paths(series()))
    assert draft.remarks == ()


@pytest.mark.spec("OB-ID-01", "OB-BKBL-28", "OB-BKBL-32")
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (series(), series(name="Pilates", url="https://example.com/other"), True),
        (series(), rpde(series()), True),
        (series(), series(**{"@id": "https://example.com/other"}), False),
        (rpde(series(**{"@id": None}), id="a"), rpde(series(**{"@id": None}, name="Pilates"), id="a"), True),
        (rpde(series(**{"@id": None}), id="a"), rpde(series(**{"@id": None}), id="b"), False),
        (series(**{"@id": None}, identifier=7), series(**{"@id": None}, identifier=7, url="https://x.example"), True),
        (series(**{"@id": None}), series(**{"@id": None}, url="https://x.example"), True),
        (series(**{"@id": None}), series(**{"@id": None}, name="Pilates"), False),
        (event(**{"@id": None}), event(**{"@id": None}, startDate="2027-03-04T19:00:00Z"), False),
    ],
)
def test_the_path_is_derived_from_the_ids_of_the_item(one: Any, other: Any, same: bool) -> None:
    assert (paths(one) == paths(other)) is same


def test_an_absolute_id_holds_everywhere_and_any_other_within_its_source() -> None:
    assert paths(series(), "a") == paths(series(), "b")
    for item in (series(**{"@id": "7"}), series(**{"@id": None}), rpde(series(**{"@id": None}), id="7")):
        assert paths(item, "a") != paths(item, "b")


def test_embedded_objects_become_things_of_their_own() -> None:
    court = {"@type": "IndividualFacilityUse", "@id": "https://example.com/court", "name": "Court 1"}
    own = {name: value for name, value in slot(2).items() if name != "facilityUse"}
    item = facility(event=[slot(1), "https://example.com/by-reference"], individualFacilityUse={**court, "event": own})
    whole, individual, inner, outer = (draft for draft in read(item).drafts)
    assert [draft.opportunity.type for draft in (whole, individual, inner, outer)] == [
        "FacilityUse",
        "IndividualFacilityUse",
        "Slot",
        "Slot",
    ]
    assert individual.parents == outer.parents == (whole.opportunity.path,)
    assert inner.parents == (individual.opportunity.path,)
    assert {draft.opportunity.source for draft in (whole, individual, inner, outer)} == {whole.opportunity.source}
    assert [draft.embedded for draft in (whole, individual, inner, outer)] == [False, True, True, True]
    assert "event" not in whole.opportunity.properties


@pytest.mark.parametrize("id_", ["https://provider.example.com/slots/1", None])
def test_an_embedded_thing_is_known_again(id_: str | None) -> None:
    def item(**changes: Any) -> dict[str, Any]:
        return facility(event=[slot(1, **{"@id": id_, **changes}), slot(2, **{"@id": None}, startDate="2027-03-05")])

    assert paths(item()) == paths(item(remainingUses=0))
    assert len(set(paths(item()))) == 3


def test_things_that_cannot_be_distinguished_are_not_merged() -> None:
    reading = read(facility(event=[slot(1, **{"@id": None})] * 3))
    assert len(reading.drafts) == 1
    assert [fault.reason for fault in reading.faults] == [
        f"3 event of FacilityUse {FACILITY_ID} cannot be distinguished"
    ]


def test_a_parent_within_its_child_outlives_the_child() -> None:
    parent, child = read(session(superEvent=series(subEvent=[session(1), session(2)]))).drafts
    assert child.parents == (parent.opportunity.path,)
    assert (parent.copy, parent.embedded, child.embedded) == (True, True, False)
    assert parent.opportunity.source != child.opportunity.source
    assert parent.opportunity.path == paths(series())[0]


def test_a_slot_may_belong_to_a_facility_or_to_a_part_of_one() -> None:
    part = {"@type": "IndividualFacilityUse", "@id": FACILITY_ID, "name": "Court 1"}
    assert read_one(slot(1)).parents == (*paths(facility()), *paths(part))


@pytest.mark.parametrize("reference", [SERIES_ID, {"@id": SERIES_ID}, {"@type": "SessionSeries", "@id": SERIES_ID}])
def test_references_of_every_form(reference: Any) -> None:
    assert read_one(session(superEvent=reference)).parents == tuple(paths(series()))


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"name": "x", "@id": "x"}, "no @type"),
        ({"@type": "Zumba", "@id": "x"}, "none that is sold here: Zumba"),
        ({"@type": "FacilityUse"}, "nothing identifies it"),
        (session(startDate=None), "no startDate"),
        (session(startDate="soon"), "no date and time"),
        (session(superEvent=None), "no superEvent"),
        (session(superEvent=5.5), "superEvent is unreadable"),
        (session(eventStatus="https://schema.org/EventWhatever"), "is not known"),
        (session(name="a\0b"), "NUL"),
        (session(description="x" * (MAX_THING_BYTES + 1)), "larger than"),
        (rpde(series(), data=None), "no data"),
        (rpde(series(), data=[]), "no data"),
        (rpde(series(), data=["x"]), "no JSON object"),
    ],
)
def test_things_that_cannot_be_imported_are_reported(item: Any, why: str) -> None:
    reading = read(item)
    assert reading.drafts == []
    assert why in reading.faults[-1].reason


def test_a_fault_of_an_embedded_thing_does_not_affect_others() -> None:
    reading = read(facility(event=[slot(1, startDate=None), 5, slot(2)]))
    assert [fault.reason for fault in reading.faults] == ["it has no startDate", "5 is no JSON object"]
    assert len(reading.drafts) == 2
    assert reading.sources


@pytest.mark.parametrize(
    ("changes", "minutes", "remarks"),
    [
        ({"endDate": "2027-03-04T20:00:00Z", "duration": "PT2H"}, 120, []),
        ({"endDate": "2027-03-04T20:00:00Z", "duration": "PT1H"}, 120, ["its duration does not lead"]),
        ({"endDate": "2027-03-04T17:00:00Z", "duration": None}, None, ["its end is not after its start"]),
        ({"endDate": "2027-03-04T17:00:00Z"}, 60, ["its end is not after its start: its duration taken"]),
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
def test_when_it_takes_place(changes: dict[str, Any], minutes: int | None, remarks: list[str]) -> None:
    draft = read_one(session(**changes))
    made = draft.opportunity
    lasts = (made.end - made.start).total_seconds() / 60 if made.start and made.end else None
    assert lasts == minutes
    assert len(draft.remarks) == len(remarks)
    assert draft.remarks[0].startswith(remarks[0]) if remarks else not draft.remarks


@pytest.mark.spec("OB-BKBL-12")
@pytest.mark.parametrize(
    ("told", "capacity", "remarks"),
    [(None, None, 0), ("plenty", None, 1), (-1, 0, 0), (3, 3, 0), ("3", 3, 0), (2**64, 2**31 - 1, 1)],
)
def test_spaces_that_are_not_stated_are_not_guessed(told: Any, capacity: int | None, remarks: int) -> None:
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
def test_an_event_that_moved_online_takes_place(told: Any, status: EventStatus) -> None:
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


def test_two_names_of_one_property_that_do_not_agree_are_not_understood() -> None:
    (fault,) = read(event(**{"eventStatus": "EventScheduled", "schema:eventStatus": "EventCancelled"})).faults
    assert "EventCancelled" in fault.reason
    both = read_one(event(**{"schema:name": "Run", "oa:remainingAttendeeCapacity": 7}, remainingAttendeeCapacity=5))
    assert (both.opportunity.properties["name"], both.opportunity.capacity) == ("Run", None)


def test_names_of_properties_are_read_in_every_form() -> None:
    made = {
        "@type": {"@id": "schema:Event"},
        "@id": "https://provider.example.com/events/1",
        "https://schema.org/name": "Run",
        "schema:startDate": "2027-03-04T18:00:00Z",
        "http://schema.org/duration": "PT1H",
        "oa:remainingAttendeeCapacity": {"@value": "5"},
        "https://openactive.io/isAccessibleForFree": "schema:False",
        "https://openactive.io/ns-beta#b": 1,
        "offers": [{"type": ["schema:Offer"], "schema:price": "5", "https://schema.org/priceCurrency": ["GBP"]}],
    }
    opportunity = read_one(made).opportunity
    assert (opportunity.type, opportunity.capacity, opportunity.accessible_for_free) == (
        OpportunityType.EVENT,
        5,
        False,
    )
    assert opportunity.properties == {"name": "Run", "beta:b": 1}
    assert [(offer.price, offer.currency) for offer in opportunity.offers] == [(Decimal(5), "GBP")]


def test_integers_that_are_not_exact_everywhere_are_kept_as_text() -> None:
    large = 2**70
    draft = read_one(event(identifier=large, name=large, image=[{"url": IMAGE, "width": -large}]))
    properties = draft.opportunity.properties
    assert (properties["identifier"], properties["name"]) == (str(large), str(large))
    assert properties["image"] == [{"url": IMAGE, "width": str(-large)}]
    assert draft.remarks == ("name, width: a number beyond 2^53 is kept as text",)


def changed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**OFFER, **changes}.items() if value is not None}


UNREADABLE = {
    "no number": changed(price="£12.50"),
    "less than nothing": changed(price=-3),
    "more than there is": changed(price=1e300),
    "no price": changed(price=None),
    "no currency": changed(priceCurrency=None),
    "indicative": changed(**{"@type": "beta:IndicativeOffer"}, price=12.5),
    "no object": 5,
}


@pytest.mark.spec("OB-BKBL-31", "OB-BKBL-32")
@pytest.mark.parametrize("offer", UNREADABLE.values(), ids=UNREADABLE)
def test_of_offers_of_its_own_those_that_are_understood_count_or_none(offer: Any) -> None:
    draft = read_one(session(offers=[offer]))
    made = draft.opportunity
    assert (made.offers, made.offers_unknown) == ((), True)
    assert "left out: " in draft.remarks[0]
    some = read_one(session(offers=[offer, OFFER])).opportunity
    assert (len(some.offers), some.offers_unknown, some.capacity) == (1, False, 5)
    without_parents_offers = read_one(slot(offers=offer)).opportunity
    assert (without_parents_offers.offers_unknown, without_parents_offers.capacity) == (True, 2)


@pytest.mark.spec("OB-BKBL-27", "OB-BKBL-31")
@pytest.mark.parametrize("nothing", [None, [], {}, [{}], ""])
def test_empty_offers_are_no_offers_of_its_own(nothing: Any) -> None:
    made = read_one(session(offers=nothing)).opportunity
    assert (made.offers_unknown, made.capacity) == (False, 5)


@pytest.mark.spec("OB-BKBL-29")
def test_a_session_has_no_schedule_and_parents_keep_theirs() -> None:
    draft = read_one(session(eventSchedule=[{"@type": "Schedule"}]))
    assert "eventSchedule" not in draft.opportunity.properties
    assert draft.remarks == ("eventSchedule left out",)
    assert "eventSchedule" in read_one(series()).opportunity.properties


@pytest.mark.spec("OB-BKBL-35")
def test_a_course_is_given_in_days_and_ends_within_the_last() -> None:
    draft = read_one(course(duration="PT1H"))
    made = draft.opportunity
    assert (str(made.start), str(made.end)) == ("2027-03-04 00:00:00+00:00", "2027-03-11 23:59:59+00:00")
    assert "eventSchedule" in made.properties
    assert draft.remarks == ()
    in_summer = read_one(course(startDate="2027-07-01", endDate="2027-07-01")).opportunity
    assert (str(in_summer.start), str(in_summer.end)) == ("2027-07-01 00:00:00+01:00", "2027-07-01 23:59:59+01:00")


@pytest.mark.parametrize("type_", ["CourseInstance", "HeadlineEvent"])
def test_of_the_parts_of_a_whole_those_with_an_offer_are_sold_by_themselves(type_: str) -> None:
    sold = event(**{"@id": "https://x.example/heat"}, url=None)
    whole = event(**{"@type": type_, "@id": "https://x.example/gala"}, subEvent=[sold, {"startDate": "2027-03-05"}])
    first, second = read(whole).drafts
    assert (second.opportunity.type, second.parents) == (OpportunityType.EVENT, (first.opportunity.path,))
    kept = first.opportunity.properties["subEvent"]
    assert [part["startDate"] for part in kept] == [sold["startDate"], "2027-03-05"]
    assert not [part for part in kept if "offers" in part or "@id" in part]


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


def test_an_on_demand_event_has_no_date_and_no_location() -> None:
    draft = read_one(on_demand_event(location=PLACE, startDate="whenever"))
    made = draft.opportunity
    assert (made.start, made.capacity, made.accessible_for_free) == (None, None, None)
    assert "location" not in made.properties
    assert draft.remarks == ("location left out",)


@pytest.mark.parametrize(("told", "read_as"), [(True, True), (False, False), (["yes"], None), (None, None)])
def test_is_accessible_for_free_is_read(told: Any, read_as: bool | None) -> None:
    made = read_one(series(isAccessibleForFree=told)).opportunity
    assert made.accessible_for_free is read_as
    assert "isAccessibleForFree" not in made.properties


def test_vocabularies_that_are_not_known_are_left_out() -> None:
    draft = read_one(series(**{"x:a": 1, "beta:b": 2, "image": [{"url": IMAGE, "x:c": {"d": 1}, "beta:e": 3}]}))
    properties = draft.opportunity.properties
    assert (properties["beta:b"], properties["image"]) == (2, [{"url": IMAGE, "beta:e": 3}])
    assert draft.remarks == ("x:a, x:c left out",)


def test_links_to_no_web_page_are_left_out() -> None:
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
def test_statuses(status: str | None, read_as: EventStatus) -> None:
    draft = read_one(session(eventStatus=status))
    untold = draft.opportunity.inherited is not None and draft.opportunity.inherited.status
    assert (draft.opportunity.status, untold) == (read_as, status is None)


def test_of_a_deleted_item_only_its_name_is_known() -> None:
    reading = read(deleted(series()))
    assert (reading.drafts, reading.faults, reading.sources) == ([], [], read(rpde(series())).sources)


def test_the_kind_of_the_envelope_stands_in_for_a_missing_type() -> None:
    draft = read_one({"kind": "https://openactive.io/FacilityUse", "id": "1", "data": facility(**{"@type": None})})
    assert draft.opportunity.type is OpportunityType.FACILITY_USE
    assert draft.remarks == ("no @type: taken for a FacilityUse",)
