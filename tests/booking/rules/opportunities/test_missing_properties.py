"""The properties that apps want and that are not published, by the type of the Opportunity."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.rules.opportunities.missing_properties import missing_properties
from openbooking.openactive.opportunity_types import OpportunityType
from support.builders import PLACE, course, event, headline_event, on_demand_event, session, slot

YOGA, COURT, RUN = session("yoga"), slot("court"), event("run")
GEO = {"@type": "GeoCoordinates", "latitude": 51.5, "longitude": 0.0}
DESCRIBED = {
    "description": "For all.",
    "image": [{"@type": "ImageObject", "url": "https://example.com/yoga.png"}],
    "ageRange": {"@type": "QuantitativeValue", "minValue": 18},
    "location": {**PLACE, "geo": GEO},
}


def missing(family: list[Opportunity]) -> tuple[str, ...]:
    """Return what the last of the family lacks."""
    return missing_properties(family[-1], tuple(reversed(family[:-1])))


def with_properties(family: list[Opportunity], **properties: Any) -> list[Opportunity]:
    """Return the family, whose first member has these properties, too."""
    first, *others = family
    return [replace(first, properties={**first.properties, **properties}), *others]


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        (YOGA, ("description", "image", "location.geo", "ageRange")),
        (YOGA[:1], ("description", "image", "location.geo", "ageRange")),
        (COURT, ("description", "image", "location.geo")),
        (COURT[:1], ("description", "image", "location.geo")),
        (COURT[:2], ("description", "image", "location.geo")),
        (RUN, ("description", "image", "location.geo", "ageRange")),
        (headline_event("gala"), ("description", "image", "location.geo", "ageRange")),
        (course("course"), ("description", "image", "location.geo", "ageRange")),
        (event("lesson", parent=course("lessons")), ("description", "image", "location.geo", "ageRange")),
        (on_demand_event("video"), ("description", "image", "ageRange")),
    ],
    ids=lambda value: value[-1].type if isinstance(value, list) else "",
)
def test_the_missing_properties_depend_on_the_type(family: list[Opportunity], expected: tuple[str, ...]) -> None:
    assert missing(family) == expected


@pytest.mark.parametrize("family", [YOGA, COURT, RUN, course("course"), on_demand_event("video")])
def test_a_full_description_has_no_missing_properties(family: list[Opportunity]) -> None:
    """The parents describe their children."""
    assert missing(with_properties(family, **DESCRIBED)) == ()


@pytest.mark.parametrize("name", ["name", "description", "image", "url", "location", "activity", "ageRange"])
@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_an_empty_property_is_missing(name: str, empty: Any) -> None:
    assert missing(with_properties(YOGA, **{**DESCRIBED, name: empty})) == (name,)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ({"@type": "Place", "name": "Hall", "geo": GEO}, ("location.address",)),
        ({**PLACE, "geo": {"@type": "GeoCoordinates", "latitude": 51.5}}, ("location.geo",)),
        (
            {"@type": "Place", "geo": GEO, "address": {"@type": "PostalAddress", "streetAddress": "1 High Street"}},
            ("location.address.addressLocality", "location.address.postalCode"),
        ),
        ("https://example.com/hall", ("location",)),
    ],
)
def test_a_location_needs_an_address_and_coordinates(location: Any, expected: tuple[str, ...]) -> None:
    assert missing(with_properties(YOGA, **{**DESCRIBED, "location": location})) == expected


def test_an_online_session_needs_no_location() -> None:
    online = {**DESCRIBED, "location": None, "beta:virtualLocation": {"@type": "VirtualLocation", "name": "Zoom"}}
    assert missing(with_properties(YOGA, **online)) == ()


def test_offers_and_dates_are_missing() -> None:
    series, made = with_properties(YOGA, **DESCRIBED)
    assert missing([replace(series, offers=()), made]) == ("offers",)
    assert missing([replace(series, offers=())]) == ("offers",)
    assert missing([series, replace(made, end=None)]) == ("endDate",)
    assert missing([series, replace(made, start=None, end=None)]) == ("startDate", "endDate")
    facility, court, game = with_properties(COURT, **DESCRIBED)
    assert missing([facility, court, replace(game, offers=())]) == ("offers",)


@pytest.mark.parametrize("type_", OpportunityType)
def test_a_property_that_a_type_cannot_have_is_not_missing(type_: OpportunityType) -> None:
    bare = Opportunity(path=f"{type_.collection}/x", type=type_, seller="centre")
    names = {name.partition(".")[0] for name in missing_properties(bare, ())}
    assert {"name", "image"} <= names
    assert names.isdisjoint(type_.row.excluded)
