"""The rule which Offers can be booked: each condition of OB 8.1 by itself."""

import json
from datetime import timedelta
from typing import Any

import pytest

from openbooking.broker.catalogue.bookable import Terms, bookable_offers
from openbooking.openactive.opportunity_types import TYPE_OF_NAME
from openbooking.openactive.published.values import clean, read_instant
from openbooking.openactive.terms import FlowRequirement
from support.importing.published_items import (
    OFFER,
    PUBLISHED_ITEMS,
    SELLER,
    START,
    course,
    event,
    on_demand_event,
    slot,
)

OPEN = {**SELLER, "isOpenBookingAllowed": True}
STARTS = read_instant(START).at
BEFORE = STARTS - timedelta(days=1)
APPROVAL, ATTENDEES = FlowRequirement.APPROVAL.value, FlowRequirement.ATTENDEE_DETAILS.value


def offers(thing: dict[str, Any], terms: Terms | None = None) -> list[str]:
    """Return the names of the Offers that can be booked."""
    type_ = TYPE_OF_NAME[thing["@type"]]
    found = bookable_offers(clean({"organizer": OPEN, **thing}), type_, terms or Terms(BEFORE))
    return [offer.name for offer in found]


def sold(offer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an event with one Offer, some of whose properties are changed; None leaves a property out."""
    changed = {name: value for name, value in {**OFFER, **offer}.items() if value is not None}
    return event(**{"organizer": OPEN, "offers": [changed], **changes})


@pytest.mark.spec("OB-BKBL-02")
def test_a_usual_event_is_bookable() -> None:
    assert offers(sold({})) == ["Adult"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"@id": None}, "no @id", marks=pytest.mark.spec("OB-BKBL-08")),
        pytest.param({"organizer": {**OPEN, "@id": ""}}, "no Seller @id", marks=pytest.mark.spec("OB-BKBL-09")),
        pytest.param({"organizer": {**OPEN, "taxMode": ""}}, "no taxMode", marks=pytest.mark.spec("OB-BKBL-09")),
        pytest.param({"organizer": "Riverside Centre"}, "only a name", marks=pytest.mark.spec("OB-BKBL-09")),
        pytest.param(
            {"eventStatus": "https://schema.org/EventCancelled"}, "cancelled", marks=pytest.mark.spec("OB-BKBL-11")
        ),
        pytest.param(
            {"eventStatus": "https://schema.org/EventPostponed"}, "postponed", marks=pytest.mark.spec("OB-BKBL-11")
        ),
        pytest.param({"remainingAttendeeCapacity": 0}, "full", marks=pytest.mark.spec("OB-BKBL-12")),
        pytest.param({"remainingAttendeeCapacity": None}, "unknown spaces", marks=pytest.mark.spec("OB-BKBL-12")),
        pytest.param(
            {"organizer": {**OPEN, "isOpenBookingAllowed": False}}, "not allowed", marks=pytest.mark.spec("OB-BKBL-40")
        ),
        pytest.param({"organizer": SELLER}, "does not say", marks=pytest.mark.spec("OB-BKBL-40")),
        pytest.param({"startDate": None}, "no date", marks=pytest.mark.spec("OB-BKBL-10")),
        pytest.param({"@type": "SessionSeries"}, "a parent", marks=pytest.mark.spec("OB-BKBL-03")),
    ],
)
def test_an_opportunity_is_not_bookable(changes: dict[str, Any], why: str) -> None:
    assert offers(sold({}, **changes)) == [], why


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        pytest.param({"@id": None}, "no @id", marks=pytest.mark.spec("OB-BKBL-04")),
        pytest.param({"price": None}, "no price", marks=pytest.mark.spec("OB-BKBL-20")),
        pytest.param({"priceCurrency": None}, "no currency", marks=pytest.mark.spec("OB-BKBL-20")),
        pytest.param(
            {"openBookingInAdvance": "https://openactive.io/Unavailable"}, "", marks=pytest.mark.spec("OB-BKBL-06")
        ),
        pytest.param({"advanceBooking": "https://openactive.io/Unavailable"}, "", marks=pytest.mark.spec("OB-BKBL-06")),
        pytest.param({"validFromBeforeStartDate": "PT12H"}, "too early", marks=pytest.mark.spec("OB-BKBL-07")),
        pytest.param({"validFromBeforeStartDate": "P1M"}, "unreadable", marks=pytest.mark.spec("OB-BKBL-07")),
        pytest.param({"validThroughBeforeStartDate": "P1D"}, "too late", marks=pytest.mark.spec("OB-BKBL-41")),
        pytest.param({"validFrom": "2027-03-04T00:00:00Z"}, "not yet", marks=pytest.mark.spec("OB-BKBL-02")),
        pytest.param({"validThrough": "2027-03-02"}, "not any more", marks=pytest.mark.spec("OB-BKBL-02")),
        pytest.param({"openBookingFlowRequirement": [APPROVAL]}, "", marks=pytest.mark.spec("OB-BRK-16")),
        pytest.param(
            {"openBookingFlowRequirement": ["https://example.com/New"]}, "", marks=pytest.mark.spec("OB-BRK-16")
        ),
        pytest.param({"@type": "beta:IndicativeOffer"}, "no Offer", marks=pytest.mark.spec("OB-BKBL-02")),
    ],
)
def test_an_offer_is_not_bookable(offer: dict[str, Any], why: str) -> None:
    assert offers(sold(offer)) == [], why


@pytest.mark.parametrize(
    "offer",
    [
        pytest.param({"price": 0, "priceCurrency": None}, marks=pytest.mark.spec("OB-BKBL-22")),
        pytest.param({"price": "5.50"}),
        pytest.param({"openBookingInAdvance": "https://openactive.io/Required"}, marks=pytest.mark.spec("OB-BKBL-06")),
        pytest.param({"validFromBeforeStartDate": "P1D"}, marks=pytest.mark.spec("OB-BKBL-07")),
        pytest.param({"validThroughBeforeStartDate": "PT12H"}, marks=pytest.mark.spec("OB-BKBL-41")),
    ],
)
def test_an_offer_is_bookable(offer: dict[str, Any]) -> None:
    assert offers(sold(offer)) == ["Adult"]


@pytest.mark.spec("OB-BRK-16")
def test_an_offer_needs_all_its_requirements_to_be_supported() -> None:
    thing = sold({"openBookingFlowRequirement": [APPROVAL, ATTENDEES]})
    assert offers(thing, Terms(BEFORE, frozenset({APPROVAL}))) == []
    assert offers(thing, Terms(BEFORE, frozenset({APPROVAL, ATTENDEES}))) == ["Adult"]


@pytest.mark.spec("OB-BKBL-12")
def test_the_last_spaces_are_bookable() -> None:
    assert offers(sold({}), Terms(BEFORE, spaces=5)) == ["Adult"]
    assert offers(sold({}), Terms(BEFORE, spaces=6)) == []


@pytest.mark.spec("OB-BKBL-10")
def test_an_opportunity_is_bookable_until_its_end() -> None:
    assert offers(sold({}), Terms(STARTS + timedelta(minutes=59))) == ["Adult"]
    assert offers(sold({}), Terms(STARTS + timedelta(minutes=60))) == []
    last_day = read_instant("2027-03-11T20:00:00Z").at
    assert offers(course(organizer=OPEN), Terms(last_day)) == ["Adult"]
    assert offers(course(organizer=OPEN), Terms(last_day + timedelta(days=1))) == []


@pytest.mark.spec("OB-BKBL-03")
def test_slots_and_events_at_any_time_are_bookable() -> None:
    assert offers(slot(provider=OPEN)) == ["Adult"]
    assert offers(on_demand_event(organizer=OPEN)) == ["Adult"]


@pytest.mark.spec("OB-BKBL-05")
def test_a_channel_of_earlier_versions_opens_an_offer_if_the_seller_does_not_say() -> None:
    channel = {"availableChannel": ["https://openactive.io/OpenBookingPrepayment"]}
    assert offers(sold(channel, organizer=SELLER)) == ["Adult"]
    assert offers(sold(channel, organizer={**OPEN, "isOpenBookingAllowed": False})) == []
    assert offers(sold({"availableChannel": "https://openactive.io/TelephonePrepayment"}, organizer=SELLER)) == []


@pytest.mark.skipif(not PUBLISHED_ITEMS.exists(), reason="the real items are not on this machine")
@pytest.mark.parametrize("path", sorted(PUBLISHED_ITEMS.glob("*.json")), ids=lambda path: path.stem)
def test_real_items_of_sellers_without_open_booking_are_not_bookable(path: Any) -> None:
    document = json.loads(path.read_bytes())
    thing = clean(document.get("data", document))
    assert bookable_offers(thing, TYPE_OF_NAME[thing["@type"]], Terms(read_instant("2018-01-01T00:00:00Z").at)) == ()
