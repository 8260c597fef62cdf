"""The report of an import: whether items are bookable, and the Orders that they affect."""

from typing import Any

import pytest

from support.builders import PLACE
from support.http_system import World
from support.importing.made_up_imports import book, import_, item_of
from support.importing.published_items import (
    OFFER,
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

pytestmark = pytest.mark.anyio


async def test_offers_left_out_are_reported(world: World) -> None:
    told = await import_(world.store, series(offers=[OFFER, {"@type": "beta:IndicativeOffer", "name": "Guess"}]))
    assert told[0]["remarks"] == ["Offer 'Guess' left out: beta:IndicativeOffer is no Offer that can be booked"]


CANCELLED = "https://schema.org/EventCancelled"


@pytest.mark.spec("OB-BKBL-31")
@pytest.mark.parametrize(
    ("item", "above", "why_not"),
    [
        (session(), series(), None),
        (session(), series(offers=None), "no Offer"),
        (session(offers=[OFFER]), series(offers=None), None),
        (session(offers=[{**OFFER, "price": "£12.50"}]), series(), "no Offer"),
        (session(offers=[{**OFFER, "price": "£12.50"}, OFFER]), series(offers=None), None),
        (session(remainingAttendeeCapacity=0), series(), "no spaces left"),
        (session(remainingAttendeeCapacity=None), series(), "capacity is not known"),
        (session(eventStatus="https://schema.org/EventCancelled"), series(), "cancelled or postponed"),
        (session(offers=[{**OFFER, "eligibleQuantity": 6}]), series(), "for 6 spaces or more"),
        (session(offers=[{**OFFER, "eligibleQuantity": 5}]), series(), None),
        (session(offers=[{**OFFER, "eligibleQuantity": {"maxValue": 2}}]), series(), None),
        (on_demand_event(offers=[{**OFFER, "eligibleQuantity": 2}]), None, None),
        (session(offers=[{**OFFER, "validThrough": "2027-02-28"}]), series(), "not valid any more"),
        (session(startDate="2027-03-01T10:30:00Z"), series(), "has ended"),
        (slot(), facility(), None),
        (event(), None, None),
        (event(offers=None), course(), "no Offer"),
        (event(), course(), None),
        (course(), None, None),
        (on_demand_event(), None, None),
        (slot(offers=None), facility(offers=[OFFER]), "no Offer"),
        (slot(offers=[{**OFFER, "openBookingInAdvance": "Unavailable"}]), facility(), "cannot be booked in advance"),
        (slot(offers=[{**OFFER, "openBookingInAdvance": "Unavailable"}, OFFER]), facility(), None),
    ],
)
async def test_a_line_states_whether_an_opportunity_is_bookable_and_why_not(
    world: World, item: Any, above: Any, why_not: str | None
) -> None:
    *_, line = await import_(world.store, *([above] if above else []), item)
    assert line["outcome"] == ("bookable" if why_not is None else "not bookable")
    assert (why_not or "") in line.get("reason", "")


async def test_a_full_opportunity_is_reported_as_not_bookable(world: World) -> None:
    one = rpde(session(remainingAttendeeCapacity=1))
    told = await import_(world.store, rpde(series()), one)
    await book(world, told)
    line = (await import_(world.store, rpde(series()), one))[-1]
    assert (line["outcome"], line["reason"]) == (
        "not bookable",
        "It has no spaces left: 1 are booked and 0 are leased here.",
    )


async def test_lines_state_the_number_of_changed_orders(world: World) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    for _ in range(2):
        await book(world, told)
    later = rpde(session(startDate="2027-03-05T18:00:00Z"), modified=2)
    assert (await import_(world.store, later))[-1]["orders"] == {"changed": 2}
    assert "orders" not in (await import_(world.store, later))[-1]
    named = await import_(world.store, rpde(series(location={**PLACE, "name": "Town Hall"}), modified=2))
    assert named[-1]["orders"] == {"changed": 2}
    off = await import_(world.store, rpde(session(eventStatus=CANCELLED), modified=3))
    assert (off[-1]["outcome"], off[-1]["orders"]) == ("not bookable", {"cancelled": 2})
    gone = await import_(world.store, deleted(session(), modified=4))
    assert (gone[-1]["outcome"], gone[-1].get("orders")) == ("withdrawn", None)


async def test_sessions_that_are_no_longer_embedded_are_reported_with_their_orders(world: World) -> None:
    embedded = [{**session(number), "superEvent": None} for number in (1, 2)]
    told = await import_(world.store, rpde(series(subEvent=embedded)))
    uuid = await book(world, told)
    again = await import_(world.store, rpde(series(subEvent=embedded[1:]), modified=2))
    assert again[-1] == {
        "outcome": "withdrawn",
        "item": "ScheduledSession",
        "path": told.path("sessions/1"),
        "reason": "its item no longer holds it",
        "orders": {"kept": 1},
    }
    assert (await item_of(world, uuid))["orderItemStatus"].endswith("OrderItemConfirmed")
