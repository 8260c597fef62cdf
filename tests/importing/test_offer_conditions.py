"""Imported Offers with conditions: bookings at C1, C2, P and B, and the Offers in the feeds."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.builders import NOW, new_uuid
from support.http_system import World, open_world
from support.importing import published_items as published
from support.importing.made_up_imports import Told, feed, import_
from support.importing.published_items import OFFER, event, series, session, slot
from support.parties import CUSTOMER

pytestmark = pytest.mark.anyio
EVENTS = "/feeds/events"
NOT_BOOKABLE = "OpportunityOfferPairNotBookableError"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System whose replies are all validated."""
    async with open_world("sqlite", tmp_path) as opened:
        yield opened


def case(world: World, name: str) -> list[dict[str, Any]]:
    """Return the items of a stored case. They are incomplete, so replies about them are not validated."""
    if not published.CASES.is_dir():
        pytest.skip(f"no inputs: {published.CASES} is not there")
    world.judged = False
    items: list[dict[str, Any]] = json.loads((published.CASES / f"{name}.json").read_bytes())
    return items


async def offers_of(world: World, told: Told, name: str, path: str = EVENTS) -> dict[str, dict[str, Any]]:
    """Return the Offers of an item in a feed, by their names."""
    shown = (await feed(world, path))[told.path(name)]
    return {offer["name"]: offer for offer in shown.get("offers", ())}


async def errors_at(world: World, path: str, offer: str, spaces: int = 1, price: float = 5.5) -> dict[str, list[str]]:
    """Request spaces with an Offer, and return the types of the item errors at C1, C2, P and B."""
    items = [
        {
            "@type": "OrderItem",
            "position": position,
            "orderedItem": world.ids.opportunity(path),
            "acceptedOffer": offer,
        }
        for position in range(spaces)
    ]
    total = spaces * price
    proposal = world.order(*items, total=total) | {"@type": "OrderProposal"}
    answers = {
        "C1": await world.call("PUT", f"order-quote-templates/{new_uuid()}", world.quote(*items)),
        "C2": await world.call("PUT", f"order-quotes/{new_uuid()}", world.quote(*items, customer=CUSTOMER)),
        "P": await world.call("PUT", f"order-proposals/{new_uuid()}", proposal),
        "B": await world.call("PUT", f"orders/{new_uuid()}", world.order(*items, total=total)),
    }
    return {
        name: [error["@type"] for item in answer.json().get("orderedItem", ()) for error in item.get("error", ())]
        for name, answer in answers.items()
    }


def of_all(error: str | None) -> dict[str, list[str]]:
    return {name: [error] if error else [] for name in ("C1", "C2", "P", "B")}


async def test_offers_with_unknown_conditions_are_not_sold(world: World) -> None:
    told = await import_(world.store, *case(world, "02-offers-with-conditions-not-understood"))
    assert told.outcomes() == ["not bookable"]
    shown = await offers_of(world, told, "e/1")
    assert list(shown) == ["early bird, over"]
    (offer,) = shown.values()
    assert await errors_at(world, told.path("e/1"), offer["@id"], price=40) == of_all(NOT_BOOKABLE)
    remarks = " ".join(told[0]["remarks"])
    assert "eligibleEntitlementType" in remarks
    assert "SoldOut" in remarks


@pytest.mark.spec("OB-VAL-18")
async def test_an_offer_is_sold_while_it_is_valid(world: World) -> None:
    begins, ends = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    offer = {**OFFER, "validFrom": begins.isoformat(), "validThrough": ends.isoformat()}
    told = await import_(world.store, event(offers=[offer]))
    assert (told[0]["outcome"], told[0]["reason"]) == ("not bookable", "The Offer is not valid yet.")
    shown = (await offers_of(world, told, "events/1"))["Adult"]
    assert (shown["validFrom"], shown["validThrough"]) == ("2027-03-01T13:00:00Z", "2027-03-01T14:00:00Z")
    for hours, error in ((0, NOT_BOOKABLE), (1, None), (2, NOT_BOOKABLE)):
        world.clock.time = NOW + timedelta(hours=hours)
        assert await errors_at(world, told.path("events/1"), shown["@id"]) == of_all(error)


@pytest.mark.spec("OB-VAL-18")
async def test_an_offer_for_groups_is_sold_only_to_groups(world: World) -> None:
    quantity = {"@type": "QuantitativeValue", "minValue": 2, "maxValue": 3}
    told = await import_(
        world.store, event(remainingAttendeeCapacity=50, offers=[{**OFFER, "eligibleQuantity": quantity}])
    )
    assert told.outcomes() == ["bookable"]
    shown = (await offers_of(world, told, "events/1"))["Adult"]
    assert shown["eligibleQuantity"] == quantity
    for spaces in (1, 2, 3, 4):
        errors = [] if spaces in (2, 3) else [NOT_BOOKABLE] * spaces
        found = await errors_at(world, told.path("events/1"), shown["@id"], spaces)
        assert found == dict.fromkeys(("C1", "C2", "P", "B"), errors)


@pytest.mark.spec("OB-BKBL-32")
async def test_a_session_whose_offers_are_all_left_out_is_not_sold_at_an_offer_of_its_series(world: World) -> None:
    own = session(offers=[{**OFFER, "eligibleCustomerType": "Business"}])
    told = await import_(world.store, series(), own)
    assert told.outcomes() == ["parent", "not bookable"]
    adult = (await offers_of(world, told, "series/1", "/feeds/session-series"))["Adult"]
    assert await errors_at(world, told.path("sessions/1"), adult["@id"]) == of_all("UnacceptableOfferError")


async def test_harmless_properties_are_valid_in_feeds_and_replies(world: World) -> None:
    offer = {
        **OFFER,
        "identifier": "A1",
        "description": "For adults.",
        "url": "https://provider.example.com/adult",
        "acceptedPaymentMethod": ["http://purl.org/goodrelations/v1#Cash"],
        "ageRestriction": {"@type": "QuantitativeValue", "minValue": 16},
        "availability": "schema:InStock",
        "availableChannel": ["oa:OpenBookingPrepayment"],
        "category": "Adult",
        "validThrough": "2027-12-31",
    }
    told = await import_(world.store, slot(offers=[offer]), event(offers=[offer]), published.facility())
    shown = (await offers_of(world, told, "events/1"))["Adult"]
    assert {"identifier", "description", "url", "ageRestriction"} <= shown.keys()
    assert not {"availability", "availableChannel"} & shown.keys()
    assert await errors_at(world, told.path("events/1"), shown["@id"]) == of_all(None)


async def test_an_all_day_event_can_be_booked_until_the_day_ends(world: World) -> None:
    (item,) = case(world, "09-whole-day")
    told = await import_(world.store, item | {"startDate": NOW.date().isoformat()})
    assert told.outcomes() == ["bookable"]
    shown = (await offers_of(world, told, "e/1"))["A"]
    late = datetime(2027, 3, 1, 23, 59, 59, tzinfo=UTC)
    for time, error in ((late, None), (late + timedelta(seconds=1), NOT_BOOKABLE)):
        world.clock.time = time
        assert await errors_at(world, told.path("e/1"), shown["@id"], price=5) == of_all(error)


async def test_spaces_left_are_cut_to_the_maximum_capacity(world: World) -> None:
    told = await import_(world.store, *case(world, "13-more-left-than-maximum"))
    shown = (await feed(world, EVENTS))[told.path("e/1")]
    assert (shown["remainingAttendeeCapacity"], shown["maximumAttendeeCapacity"]) == (5, 5)
    six = await errors_at(world, told.path("e/1"), shown["offers"][0]["@id"], 6, price=5)
    assert six["B"] == ["OpportunityHasInsufficientCapacityError"]


async def test_an_offer_with_id_and_context_alone_is_a_reference(world: World) -> None:
    named = [{"@context": "https://openactive.io/", "@type": "Offer", "@id": OFFER["@id"]}]
    assert (await import_(world.store, series(), session(offers=named))).outcomes() == ["parent", "bookable"]
