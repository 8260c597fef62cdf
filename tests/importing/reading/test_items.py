"""Items and the things that they embed, read as drafts of Opportunities."""

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
from support.importing.published_items import (
    FACILITY_ID,
    OFFER,
    SERIES_ID,
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


def test_a_session_becomes_a_draft_with_all_fields() -> None:
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


def test_an_absolute_id_identifies_a_thing_in_all_sources_and_a_relative_id_in_one() -> None:
    assert paths(series(), "a") == paths(series(), "b")
    for item in (series(**{"@id": "7"}), series(**{"@id": None}), rpde(series(**{"@id": None}), id="7")):
        assert paths(item, "a") != paths(item, "b")


def test_embedded_objects_become_drafts() -> None:
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
def test_an_embedded_thing_keeps_its_path(id_: str | None) -> None:
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


def test_an_embedded_parent_has_a_source_of_its_own() -> None:
    parent, child = read(session(superEvent=series(subEvent=[session(1), session(2)]))).drafts
    assert child.parents == (parent.opportunity.path,)
    assert (parent.copy, parent.embedded, child.embedded) == (True, True, False)
    assert parent.opportunity.source != child.opportunity.source
    assert parent.opportunity.path == paths(series())[0]


def test_a_slot_may_have_a_facility_or_an_individual_facility_as_parent() -> None:
    part = {"@type": "IndividualFacilityUse", "@id": FACILITY_ID, "name": "Court 1"}
    assert read_one(slot(1)).parents == (*paths(facility()), *paths(part))


@pytest.mark.parametrize("reference", [SERIES_ID, {"@id": SERIES_ID}, {"@type": "SessionSeries", "@id": SERIES_ID}])
def test_a_reference_of_any_form_names_the_parent(reference: Any) -> None:
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


def test_one_property_with_two_names_and_values_is_not_understood() -> None:
    (fault,) = read(event(**{"eventStatus": "EventScheduled", "schema:eventStatus": "EventCancelled"})).faults
    assert "EventCancelled" in fault.reason
    both = read_one(event(**{"schema:name": "Run", "oa:remainingAttendeeCapacity": 7}, remainingAttendeeCapacity=5))
    assert (both.opportunity.properties["name"], both.opportunity.capacity) == ("Run", None)


def test_property_names_are_read_in_every_form() -> None:
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
def test_a_session_with_unreadable_offers_alone_has_unknown_offers(offer: Any) -> None:
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
def test_empty_offers_count_as_absent(nothing: Any) -> None:
    made = read_one(session(offers=nothing)).opportunity
    assert (made.offers_unknown, made.capacity) == (False, 5)


@pytest.mark.parametrize("type_", ["CourseInstance", "HeadlineEvent"])
def test_a_part_of_an_event_with_an_offer_becomes_an_opportunity(type_: str) -> None:
    sold = event(**{"@id": "https://x.example/heat"}, url=None)
    whole = event(**{"@type": type_, "@id": "https://x.example/gala"}, subEvent=[sold, {"startDate": "2027-03-05"}])
    first, second = read(whole).drafts
    assert (second.opportunity.type, second.parents) == (OpportunityType.EVENT, (first.opportunity.path,))
    kept = first.opportunity.properties["subEvent"]
    assert [part["startDate"] for part in kept] == [sold["startDate"], "2027-03-05"]
    assert not [part for part in kept if "offers" in part or "@id" in part]


def test_an_on_demand_event_has_no_date_and_no_location() -> None:
    draft = read_one(on_demand_event(location=PLACE, startDate="whenever"))
    made = draft.opportunity
    assert (made.start, made.capacity, made.accessible_for_free) == (None, None, None)
    assert "location" not in made.properties
    assert draft.remarks == ("location left out",)


def test_a_deleted_item_has_sources_and_no_drafts() -> None:
    reading = read(deleted(series()))
    assert (reading.drafts, reading.faults, reading.sources) == ([], [], read(rpde(series())).sources)


def test_the_rpde_kind_replaces_a_missing_type() -> None:
    draft = read_one({"kind": "https://openactive.io/FacilityUse", "id": "1", "data": facility(**{"@type": None})})
    assert draft.opportunity.type is OpportunityType.FACILITY_USE
    assert draft.remarks == ("no @type: taken for a FacilityUse",)
