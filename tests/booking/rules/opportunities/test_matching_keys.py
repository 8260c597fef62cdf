"""The matching keys: venue and activities, from published properties or from a parent."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import OpportunitySet
from openbooking.booking.rules.opportunities.matching_keys import activities_of, set_matching_keys, venue_of
from support.builders import ACTIVITY, FACILITY_TYPE, PLACE, after, event, on_demand_event, session, situation, slot
from support.parties import MANAGER

RUN = event("run")[0]
HALL = "https://example.com/places/1"
YOGA = "https://openactive.io/activity-list#bf1a5e00-cdcf-465d-8c5a-6f57040b7f7e"
YOGA_CONCEPT = {"@type": "Concept", "@id": YOGA, "prefLabel": "Yoga"}


def published(**properties: Any) -> Opportunity:
    """The stored Opportunity after it was published with these properties."""
    decision = Publish((replace(RUN, properties=properties),), actor=MANAGER).decide(situation())
    (change,) = decision.changes
    assert isinstance(change, OpportunitySet)
    return change.opportunity


@pytest.mark.parametrize(
    ("location", "venue"),
    [
        (None, ""),
        ({}, ""),
        ("", ""),
        (17, "17"),
        (True, ""),
        ([], ""),
        (HALL, HALL),
        ({"@id": HALL, "identifier": "1", "name": "Hall"}, HALL),
        ({"id": HALL}, HALL),
        ({"@type": "Place", "identifier": 1, "name": "Hall"}, "1"),
        ({"identifier": [{"@type": "PropertyValue", "propertyID": "x", "value": " 1 "}], "name": "Hall"}, "1"),
        ({"identifier": [], "name": "Hall"}, "Hall"),
        ({"name": " The \n Hall ", "address": {"postalCode": "te5  7ab"}}, "The Hall, TE5 7AB"),
        ({"name": "Hall", "address": "1 High Street"}, "Hall"),
        ({"name": "Hall", "address": {"postalCode": []}}, "Hall"),
        ({"name": "Hall", "address": [{"postalCode": "TE5 7AB"}]}, "Hall, TE5 7AB"),
        ({"address": {"postalCode": "TE5 7AB"}}, ""),
        ({"name": ["Hall"]}, "Hall"),
        ([{}, {"name": "Hall"}, {"name": "Annex"}], "Hall"),
    ],
)
def test_the_key_of_a_venue_is_its_best_identifier(location: Any, venue: str) -> None:
    for written in (location,) if isinstance(location, list) else (location, [location], (location,)):
        assert published(location=written).venue == venue


@pytest.mark.parametrize(
    ("properties", "activities"),
    [
        ({}, ()),
        ({"activity": None}, ()),
        ({"activity": "Yoga"}, ("Yoga",)),
        ({"activity": YOGA}, (YOGA,)),
        ({"activity": YOGA_CONCEPT}, (YOGA,)),
        ({"activity": {"@type": "Concept", "prefLabel": " Hot  Yoga "}}, ("Hot Yoga",)),
        ({"activity": [YOGA_CONCEPT, "Yoga", {"prefLabel": "Yoga"}, {}, None, 1.5, YOGA_CONCEPT]}, (YOGA, "Yoga")),
        ({"facilityType": FACILITY_TYPE}, (FACILITY_TYPE["@id"],)),
        ({"activity": [ACTIVITY], "facilityType": ["Court"]}, (ACTIVITY["@id"], "Court")),
        ({"activity": {"@id": YOGA.replace("https", "http").replace("#", "/#")}}, (YOGA,)),
    ],
)
def test_the_keys_of_activities_are_their_ids_or_labels(
    properties: dict[str, Any], activities: tuple[str, ...]
) -> None:
    assert published(**properties).activities == activities


def test_matching_keys_in_a_publication_are_ignored() -> None:
    """The keys are always made of the published properties."""
    stale = replace(RUN, venue="elsewhere", activities=("Chess",))
    for properties, venue in ((RUN.properties, "Riverside Centre, TE5 7AB"), ({}, "")):
        (change,) = Publish((replace(stale, properties=properties),), actor=MANAGER).decide(situation()).changes
        assert isinstance(change, OpportunitySet)
        assert (change.opportunity.venue, bool(change.opportunity.activities)) == (venue, bool(properties))


@pytest.mark.parametrize("family", [session(), slot(), slot(individual=False), event(parent=event("whole"))])
def test_matching_keys_are_inherited_from_the_nearest_parent_that_has_any(family: list[Opportunity]) -> None:
    child, *parents = reversed(family)
    bare = set_matching_keys(replace(child, properties={}))
    assert (bare.venue, bare.activities) == ("", ())
    assert venue_of((bare, *parents)) == "Riverside Centre, TE5 7AB"
    assert activities_of((bare, *parents)) in ((ACTIVITY["@id"],), (FACILITY_TYPE["@id"],))
    own = set_matching_keys(replace(child, properties={"location": "Annex", "activity": "Chess"}))
    assert (venue_of((own, *parents)), activities_of((own, *parents))) == ("Annex", ("Chess",))


def test_an_opportunity_without_a_location_has_no_venue() -> None:
    assert venue_of(on_demand_event()) == ""


@pytest.mark.parametrize("family", [session("yoga"), slot("court"), event("run")], ids=lambda family: family[-1].path)
def test_a_change_of_location_changes_the_venue(family: list[Opportunity]) -> None:
    location = {**PLACE, "@id": HALL}
    where = after(situation(family), ChangeLogistics(opportunity=family[-1].path, location=location, actor=MANAGER))
    opportunity = where.opportunities[family[-1].path]
    assert venue_of((opportunity, *where.parents(opportunity))) == HALL
    renamed = after(where, ChangeLogistics(opportunity=family[-1].path, name="Other", actor=MANAGER))
    assert venue_of((opportunity, *renamed.parents(opportunity))) == HALL


def test_a_family_without_activities_has_none() -> None:
    assert activities_of([replace(RUN, activities=())]) == ()
