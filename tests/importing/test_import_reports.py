"""What an import reports is true: what can be booked, what was cancelled, and which Orders were told."""

from typing import Any

import pytest

from openbooking.booking.commands.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.importing.errors import NotConfirmedError
from support.builders import PLACE
from support.http_system import Follower, World
from support.imports import EVENTS, SESSIONS, book, feed, import_, item_of
from support.parties import MANAGER, STUDIO
from support.published_items import (
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
        (session(startDate="2020-03-04T18:00:00Z"), series(), "has ended"),
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
async def test_whether_it_can_be_booked_and_why_not(world: World, item: Any, above: Any, why_not: str | None) -> None:
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


async def test_sessions_that_their_series_embeds_no_more_are_reported_with_their_orders(world: World) -> None:
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


@pytest.mark.parametrize("explicit", [None, "https://schema.org/EventScheduled"])
async def test_a_price_import_does_not_put_on_sale_again_what_its_seller_cancelled(
    world: World, explicit: str | None
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuid = await book(world, told)
    await world.store.execute(CancelOpportunity(opportunity=told.path("sessions/1"), actor=MANAGER))
    dearer = rpde(session(offers=[{**OFFER, "price": 9}], eventStatus=explicit), modified=2)
    for _ in range(2):
        line = (await import_(world.store, dearer))[-1]
        assert (line["outcome"], line["reason"]) == ("not bookable", "The Opportunity is cancelled or postponed.")
        assert line["remarks"][-1] == "it was cancelled or postponed before, and stays so"
    assert (await feed(world, SESSIONS))[told.path("sessions/1")]["eventStatus"] == CANCELLED
    assert (await item_of(world, uuid))["orderItemStatus"].endswith("SellerCancelled")


@pytest.mark.parametrize("alone", [True, False])
async def test_a_series_does_not_put_on_sale_again_the_session_that_its_seller_cancelled(
    world: World, alone: bool
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    await world.store.execute(CancelOpportunity(opportunity=told.path("sessions/1"), actor=MANAGER))
    for number in (2, 3):
        again = [rpde(series(name=f"Yoga {number}"), modified=number), rpde(session(), modified=number)]
        await import_(world.store, *again[: 1 if alone else 2])
        await book(world, told, status=409)
        assert (await feed(world, SESSIONS))[told.path("sessions/1")]["eventStatus"] == CANCELLED


@pytest.mark.parametrize("explicit", [None, "https://schema.org/EventScheduled"])
async def test_a_seller_cancellation_survives_deletion_and_return(world: World, explicit: str | None) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuid = await book(world, told)
    await world.store.execute(CancelOpportunity(opportunity=told.path("sessions/1"), actor=MANAGER))
    for number in (3, 5):
        await import_(world.store, deleted(series()), deleted(session()))
        assert await feed(world, SESSIONS) == {}
        again = (rpde(series(), modified=number), rpde(session(eventStatus=explicit), modified=number))
        assert (await import_(world.store, *again)).outcomes() == ["parent", "not bookable"]
        await book(world, told, status=409)
    assert (await item_of(world, uuid))["orderItemStatus"].endswith("SellerCancelled")


@pytest.mark.parametrize("status", [CANCELLED, "https://schema.org/EventPostponed"])
async def test_a_provider_cancellation_ends_only_with_a_published_status(world: World, status: str) -> None:
    told = await import_(world.store, rpde(event(eventStatus=status)))
    assert (await import_(world.store, rpde(event(), modified=2))).outcomes() == ["not bookable"]
    assert (await feed(world, EVENTS))[told[0]["path"]]["eventStatus"] == status
    again = await import_(world.store, rpde(event(eventStatus="EventScheduled"), modified=3))
    assert again.outcomes() == ["bookable"]


CHANGES: dict[str, list[Any]] = {
    "nothing": [rpde(series()), rpde(session())],
    "another time": [rpde(series()), rpde(session(startDate="2027-03-05T18:00:00Z"))],
    "cancelled": [rpde(series()), rpde(session(eventStatus=CANCELLED))],
    "cancelled with its series": [rpde(series(eventStatus=CANCELLED))],
    "cancelled with its series and again itself": [rpde(series(eventStatus=CANCELLED)), rpde(session())],
    "another name": [rpde(series(name="Judo")), rpde(session())],
    "deleted": [deleted(series()), deleted(session())],
    "series deleted, session not understood": [deleted(series()), rpde(session(eventStatus="Maybe"))],
    "series cancelled, session deleted": [rpde(series(eventStatus=CANCELLED)), deleted(session())],
    "not understood": [rpde(series()), rpde(session(eventStatus="Maybe"))],
    "new below new": [
        rpde(series(**{"@id": "x:s"})),
        rpde(session(7, superEvent="x:s")),
        rpde(facility()),
        rpde(slot()),
    ],
    "orphan": [rpde(session(8, superEvent="x:nobody"))],
    "another that nobody knows": [
        rpde(event(), id="5"),
        rpde(facility(), id="5"),
        {"state": "deleted", "kind": "x", "id": "5", "modified": 3},
    ],
    "other kind": [{"state": "deleted", "kind": "x", "id": session()["@id"], "modified": 3}],
}


@pytest.mark.parametrize("items", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seller", ["centre", None])
async def test_a_dry_run_reports_the_same_and_changes_nothing(
    world: World, items: list[Any], seller: str | None
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()), seller=seller)
    if seller:
        await book(world, told)
    orders = Follower(world, "/api/orders-rpde")
    before = [await world.read_feed(path) for path in (SESSIONS, "/feeds/session-series", EVENTS)]
    sellers = await world.store.sellers()
    await orders.news()
    dry = await import_(world.store, *items, seller=seller, dry_run=True)
    assert [await world.read_feed(path) for path in (SESSIONS, "/feeds/session-series", EVENTS)] == before
    assert (await orders.news(), await world.store.sellers()) == ({}, sellers)
    assert dry == await import_(world.store, *items, seller=seller)


@pytest.mark.parametrize("unpublished", ["series/1", "sessions/1", None])
async def test_a_dry_run_of_handing_over_reports_the_same(world: World, unpublished: str | None) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    if unpublished:
        state = SetSaleState(opportunity=told.path(unpublished), sale=SaleState.UNPUBLISHED, actor=MANAGER)
        await world.store.execute(state)
    items = (rpde(series()), rpde(session()))
    dry = await import_(world.store, *items, seller=STUDIO.key, hand_over=True, dry_run=True)
    assert dry == await import_(world.store, *items, seller=STUDIO.key, hand_over=True)


@pytest.mark.parametrize("last", [[], [rpde(session(2, startDate=None))], [deleted(session(2))]])
async def test_sessions_missing_after_a_hand_over_are_reported(world: World, last: list[Any]) -> None:
    """Its Orders stay, but nobody can book it any more."""
    told = await import_(world.store, rpde(series()), rpde(session(1)), rpde(session(2)))
    await book(world, told, "sessions/2")
    items = (rpde(series()), rpde(session(1)), *last)
    dry = await import_(world.store, *items, seller=STUDIO.key, hand_over=True, dry_run=True)
    again = await import_(world.store, *items, seller=STUDIO.key, hand_over=True)
    assert dry == again
    assert again[-1] == {
        "outcome": "withdrawn",
        "item": "ScheduledSession",
        "path": told.path("sessions/2"),
        "reason": "it was withdrawn for the hand-over, and not imported again",
        "orders": {"kept": 1},
    }


@pytest.mark.parametrize("items", [CHANGES["cancelled"], CHANGES["cancelled with its series"]])
async def test_confirmation_is_asked_with_the_number_of_orders_before_any_change(
    world: World, items: list[Any]
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuids = [await book(world, told) for _ in range(3)]
    asked: list[int] = []

    def answer(orders: int) -> bool:
        asked.append(orders)
        return len(asked) > 1

    with pytest.raises(NotConfirmedError, match="it would have cancelled 3 Orders"):
        await import_(world.store, *items, confirm=answer)
    assert (await item_of(world, uuids[0]))["orderItemStatus"].endswith("OrderItemConfirmed")
    await import_(world.store, *items, confirm=answer)
    assert asked == [3, 3]
    assert (await item_of(world, uuids[0]))["orderItemStatus"].endswith("SellerCancelled")
    await import_(world.store, *items, confirm=answer)
    assert asked == [3, 3]


async def test_an_item_that_takes_too_much_room_is_left_out_with_the_setting_that_says_so(world: World) -> None:
    told = await import_(world.store, series(), session(), event(description="x" * 260_000))
    assert sorted(told.outcomes()) == ["bookable", "not imported", "parent"]
    (reason,) = told.reasons()
    assert "max_published_bytes allows 250,000" in reason
    assert await feed(world, EVENTS) == {}
