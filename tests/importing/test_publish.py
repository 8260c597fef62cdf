"""Publication of imported items: refused items, and sale states and cancellations that an import does not undo."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.store import Store, StoreUnavailableError
from openbooking.openactive.errors import NotFoundError
from support.http_system import World
from support.importing.made_up_imports import EVENTS, SESSIONS, book, feed, import_, item_of
from support.importing.published_items import (
    OFFER,
    deleted,
    event,
    rpde,
    series,
    session,
)
from support.parties import MANAGER

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("unpublished", ["series/1", "sessions/1"])
async def test_an_import_does_not_publish_an_unpublished_opportunity(world: World, unpublished: str) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    state = SetSaleState(opportunity=told.path(unpublished), sale=SaleState.UNPUBLISHED, actor=MANAGER)
    await world.store.execute(state)
    again = [rpde(series(name="Tango"), modified=2), rpde(session(remainingAttendeeCapacity=9), modified=2)]
    await import_(world.store, *again)
    assert await feed(world, SESSIONS) == {}
    await world.store.execute(replace(state, sale=SaleState.ON_SALE))
    ((path, data),) = (await feed(world, SESSIONS)).items()
    assert (path, data["remainingAttendeeCapacity"]) == (told.path("sessions/1"), 9)


class RefusingStore:
    """A store that raises an error when a command publishes one path."""

    def __init__(self, store: Store, path: str, fault: Exception) -> None:
        self._store, self._path, self._fault = store, path, fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def execute(self, command: Command[Any]) -> Any:
        if isinstance(command, Publish) and any(item.path == self._path for item in command.opportunities):
            raise self._fault
        return await self._store.execute(command)


async def test_a_refused_item_does_not_affect_others_of_its_batch(world: World) -> None:
    items = (series(), session(1), session(2), session(3))
    path = (await import_(world.store, *items)).path("sessions/2")
    told = await import_(RefusingStore(world.store, path, NotFoundError("Refused.")), *items)
    assert sorted(told.outcomes()) == ["bookable", "bookable", "not imported", "off sale", "parent"]
    assert told.reasons() == ["Refused."]
    assert path not in await feed(world, SESSIONS)


async def test_an_unreachable_database_ends_the_import(world: World) -> None:
    path = (await import_(world.store, series())).path("series/1")
    with pytest.raises(StoreUnavailableError):
        await import_(RefusingStore(world.store, path, StoreUnavailableError("gone")), series())


@pytest.mark.parametrize("first", ["unpublished", "not understood"])
@pytest.mark.parametrize("unpublished", ["series/1", "sessions/1"])
async def test_a_republished_item_is_on_sale_only_if_its_latest_version_is_understood(
    world: World, unpublished: str, first: str
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    off = SetSaleState(opportunity=told.path(unpublished), sale=SaleState.UNPUBLISHED, actor=MANAGER)
    on = replace(off, sale=SaleState.ON_SALE)
    unreadable = rpde(series(eventStatus="Maybe")) if unpublished == "series/1" else rpde(session(startDate=None))
    if first == "unpublished":
        await world.store.execute(off)
        await import_(world.store, unreadable)
    else:
        await import_(world.store, unreadable)
        await world.store.execute(off)
    for state in (on, off, on):
        await world.store.execute(state)
        assert await feed(world, SESSIONS) == {}
    await import_(world.store, rpde(series()), rpde(session()))
    assert set(await feed(world, SESSIONS)) == {told.path("sessions/1")}


@pytest.mark.parametrize("unpublished", ["series/1", "sessions/1"])
async def test_an_unpublished_item_stays_unpublished_after_deletion_and_return(world: World, unpublished: str) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuid = await book(world, told)
    state = SetSaleState(opportunity=told.path(unpublished), sale=SaleState.UNPUBLISHED, actor=MANAGER)
    await world.store.execute(state)
    for _ in range(2):
        await import_(world.store, deleted(series()), deleted(session()))
        back = await import_(world.store, rpde(series(), modified=3), rpde(session(), modified=3))
        assert back.outcomes() == ["parent", "not bookable"]
        assert await feed(world, SESSIONS) == {}
    await world.store.execute(replace(state, sale=SaleState.ON_SALE))
    assert (await feed(world, SESSIONS))[told.path("sessions/1")]["remainingAttendeeCapacity"] == 4
    assert (await item_of(world, uuid))["orderItemStatus"].endswith("OrderItemConfirmed")


CANCELLED = "https://schema.org/EventCancelled"


@pytest.mark.parametrize("explicit", [None, "https://schema.org/EventScheduled"])
async def test_an_import_of_a_price_does_not_reopen_a_session_that_its_seller_cancelled(
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
async def test_an_import_of_a_series_does_not_reopen_a_session_that_its_seller_cancelled(
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


async def test_an_item_larger_than_max_published_bytes_is_not_imported(world: World) -> None:
    told = await import_(world.store, series(), session(), event(description="x" * 260_000))
    assert sorted(told.outcomes()) == ["bookable", "not imported", "parent"]
    (reason,) = told.reasons()
    assert "max_published_bytes allows 250,000" in reason
    assert await feed(world, EVENTS) == {}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_children_of_a_parent_not_understood_are_not_reported_as_bookable(world: World, dry_run: bool) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    later = (rpde(series(eventStatus="Maybe"), modified=2), rpde(session(), modified=2))
    again = await import_(world.store, *later, dry_run=dry_run)
    assert again.outcomes() == ["not imported", "not bookable", "off sale"]
    assert again[1]["reason"] == "Its parent is not understood."
    if not dry_run:
        await book(world, told, status=409)
        assert await feed(world, SESSIONS) == {}
