"""Services as Open Referral UK, from published items."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbooking.jsonld.write_open_referral import uuid_of, write_organization, write_service, write_summary

URL = "https://booking.example.com/api/identifiers/session-series/yoga"
SELLER = {
    "@type": "Organization",
    "@id": "https://booking.example.com/api/identifiers/sellers/centre",
    "name": "Riverside Centre",
    "legalName": "Riverside Leisure Trust",
    "email": "desk@riverside.example.com",
    "url": "https://riverside.example.com/",
    "logo": {"@type": "ImageObject", "url": "https://riverside.example.com/logo.png"},
}
PLACE = {
    "@type": "Place",
    "name": "Hall",
    "geo": {"@type": "GeoCoordinates", "latitude": 51.5, "longitude": -0.1},
    "address": {"@type": "PostalAddress", "streetAddress": "1 High Street", "postalCode": "TE5 7AB"},
}
YOGA: dict[str, Any] = {
    "@type": "SessionSeries",
    "@id": URL,
    "name": "Yoga",
    "description": "Stretch.",
    "url": "https://example.com/yoga",
    "ageRange": {"@type": "QuantitativeValue", "minValue": 16, "maxValue": 99},
    "organizer": SELLER,
    "location": PLACE,
    "offers": [{"@type": "Offer", "@id": f"{URL}#/offers/1", "name": "Adult", "price": 12.5, "priceCurrency": "GBP"}],
    "activity": [
        {
            "@type": "Concept",
            "@id": "https://openactive.io/activity-list#yoga",
            "prefLabel": "Yoga",
            "inScheme": "https://openactive.io/activity-list",
        }
    ],
}


def service(**changes: Any) -> dict[str, Any]:
    """Return the service of the class with changes."""
    written = write_service({**YOGA, **changes})
    assert written
    return written


def schedule(**properties: Any) -> dict[str, Any]:
    """Return the schedule that is made from an `eventSchedule`."""
    (written,) = service(eventSchedule=[{"@type": "PartialSchedule", **properties}])["schedules"]
    assert (written.pop("id"), written.pop("service_id")) == (uuid_of(f"{URL}#/schedules/0"), uuid_of(URL))
    assert written.pop("schedule_link") == YOGA["url"]
    found: dict[str, Any] = written
    return found


def test_a_service_has_its_organization_place_price_and_activity() -> None:
    written = service()
    id_ = uuid_of(URL)
    assert (written["id"], written["name"], written["description"], written["status"]) == (
        id_,
        "Yoga",
        "Stretch.",
        "active",
    )
    assert (written["minimum_age"], written["maximum_age"], written["email"]) == (16, 99, SELLER["email"])
    assert written["organization"] == {
        "id": written["organization_id"],
        "name": "Riverside Centre",
        "description": "Riverside Leisure Trust",
        "email": SELLER["email"],
        "website": SELLER["url"],
        "logo": "https://riverside.example.com/logo.png",
        "uri": SELLER["@id"],
    }
    (at,) = written["service_at_locations"]
    assert (at["service_id"], at["location_id"]) == (id_, at["location"]["id"])
    assert (at["location"]["latitude"], at["location"]["longitude"]) == (51.5, -0.1)
    (address,) = at["location"]["addresses"]
    assert (address["address_1"], address["city"], address["postal_code"], address["country"]) == (
        "1 High Street",
        "",
        "TE5 7AB",
        "GB",
    )
    (cost,) = written["cost_options"]
    assert (cost["option"], cost["amount"], cost["currency"]) == ("Adult", 12.5, "GBP")
    (attribute,) = written["attributes"]
    assert (attribute["link_id"], attribute["taxonomy_term"]["name"]) == (id_, "Yoga")
    assert attribute["taxonomy_term"]["term_uri"] == "https://openactive.io/activity-list#yoga"


def test_a_summary_has_no_lists() -> None:
    assert write_summary(service()).keys() == service().keys() - {
        "service_at_locations",
        "cost_options",
        "attributes",
        "schedules",
    }


def test_a_cancelled_service_is_inactive() -> None:
    assert service(eventStatus="https://schema.org/EventCancelled")["status"] == "inactive"


def test_places_with_an_id_are_shared() -> None:
    place = {**PLACE, "@id": "https://example.com/hall"}
    one, other = service(location=place), service(**{"@id": f"{URL}2", "location": place})
    assert one["service_at_locations"][0]["location"] == other["service_at_locations"][0]["location"]
    assert one["service_at_locations"][0]["id"] != other["service_at_locations"][0]["id"]


def test_a_weekly_schedule() -> None:
    assert schedule(
        repeatFrequency="P1W",
        startDate="2027-03-01",
        endDate="2027-06-30",
        startTime="19:15",
        endTime="20:15:00",
        byDay=["https://schema.org/Monday", "schema:Friday", "https://schema.org/Sunday"],
        scheduleTimezone="Europe/London",
    ) == {
        "freq": "WEEKLY",
        "interval": 1,
        "byday": "MO,SU",
        "dtstart": "2027-03-01",
        "valid_from": "2027-03-01",
        "valid_to": "2027-06-30",
        "opens_at": "19:15",
        "closes_at": "20:15",
        "notes": "Times are those of Europe/London.",
    }


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"repeatFrequency": "P14D", "byDay": "MO"}, {"freq": "WEEKLY", "interval": 2, "byday": "MO"}),
        ({"repeatFrequency": "P1D"}, {"freq": "WEEKLY", "interval": 1, "byday": "MO,TU,WE,TH,FR,SA,SU"}),
        ({"repeatFrequency": "P1M", "byDay": ["2MO"]}, {"freq": "MONTHLY", "interval": 1, "byday": "2MO"}),
        ({"repeatFrequency": "P1M", "byMonthDay": [1, 15]}, {"freq": "MONTHLY", "interval": 1, "bymonthday": "1,15"}),
        ({"repeatFrequency": "P3D", "startTime": "10:00"}, {"opens_at": "10:00"}),
        ({"repeatFrequency": "P0W"}, {}),
        ({"repeatFrequency": 7, "byDay": "every day", "startTime": "noon"}, {}),
    ],
)
def test_other_schedules(properties: dict[str, Any], expected: dict[str, Any]) -> None:
    assert schedule(**properties) == expected


def test_opening_hours_are_schedules() -> None:
    hours = [{"opens": "07:00", "closes": "22:00", "dayOfWeek": ["https://schema.org/Saturday"]}]
    (written,) = service(hoursAvailable=hours)["schedules"]
    assert (written["freq"], written["byday"], written["opens_at"], written["closes_at"]) == (
        "WEEKLY",
        "SA",
        "07:00",
        "22:00",
    )


def test_a_single_event_has_its_date() -> None:
    (written,) = service(startDate="2027-03-03T12:00:00Z", endDate="2027-03-03T13:30:00+01:00")["schedules"]
    assert (written["dtstart"], written["valid_to"]) == ("2027-03-03", "2027-03-03")
    assert (written["opens_at"], written["closes_at"]) == ("12:00Z", "13:30+01:00")
    assert "freq" not in written


@pytest.mark.parametrize("name", ["@id", "name"])
def test_a_nameless_item_is_no_service(name: str) -> None:
    assert write_service({key: value for key, value in YOGA.items() if key != name}) is None
    assert write_service({**YOGA, name: 7}) is None
    assert write_organization({**SELLER, name: ""}) is None


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from([*YOGA, *PLACE, *SELLER, "eventSchedule", "price", "byDay"]), values, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*YOGA, "eventSchedule", "hoursAvailable", "startDate", "provider"]), _json))
def test_anything_published_gives_a_service_or_nothing(item: dict[str, Any]) -> None:
    """Providers may publish any value."""
    written = write_service({**item, "@id": URL, "name": "x"})
    assert written
    assert written["status"] in ("active", "inactive")
    assert {"id", "name", "status"} <= written.keys()
