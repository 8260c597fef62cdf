"""Feeds that are followed: items that wait for parents, deletions, other processes, faults and Orders."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.identity.import_records import WaitingItems
from openbooking.importing.following import waiting_room
from openbooking.importing.following.page_import import FollowOptions
from support.feeds.answers import Answer
from support.feeds.server import Site, serving
from support.http_system import World
from support.importing.followers import Machine
from support.importing.made_up_imports import SESSIONS, book, feed, import_, item_of
from support.importing.published_items import deleted, rpde, series, session
from support.parties import CENTRE

pytestmark = pytest.mark.anyio
A, B = "/a", "/b"
LATE = "2027-06-01T10:00:00Z"


class Provider:
    """Feeds by their paths. Each feed has its pages in order; the last page has no items."""

    def __init__(self) -> None:
        self.feeds: dict[str, list[list[Any]]] = {A: [], B: []}
        self.faults: dict[str, Answer] = {}

    def answer(self, path: str) -> Answer:
        name, _, number = path.partition("?page=")
        if name in self.faults:
            return self.faults[name]
        pages, here = self.feeds[name], int(number or 0)
        items = pages[here] if here < len(pages) else []
        following = f"{name}?page={here + bool(items)}"
        return Answer(json.dumps({"items": items, "next": following}).encode())


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def site(provider: Provider) -> AsyncIterator[Site]:
    with serving(provider.answer) as running:
        yield running


@pytest.fixture
def machine(world: World, site: Site) -> Machine:
    """Return a machine that follows both feeds, and whose clock is that of the Booking System."""
    machine = Machine(world, [site.url + A, site.url + B])
    machine.wrong = world.clock() - machine.now()
    return machine


async def test_an_item_waits_until_its_parent_comes_in_another_feed(
    world: World, provider: Provider, machine: Machine
) -> None:
    provider.feeds[A] = [[rpde(session(1))], [rpde(session(2))]]
    followed = await machine.follow_until_first(waiting=2)
    assert await feed(world, SESSIONS) == {}
    assert (followed.items, followed.not_imported) == (2, 0)
    assert len(await world.identity.find(WaitingItems)) == 2
    provider.feeds[B] = [[rpde(series())]]
    await machine.follow_to_the_end()
    assert len(await feed(world, SESSIONS)) == 2
    assert await world.identity.find(WaitingItems) == []


async def test_only_the_latest_version_of_an_item_waits(world: World, provider: Provider, machine: Machine) -> None:
    """Items that are deleted or changed while they wait are not imported as they were."""
    named = [session(number, remainingAttendeeCapacity=9) for number in (1, 2, 3)]
    provider.feeds[A] = [
        [rpde(data) for data in named],
        [deleted(named[0]), rpde(session(2, remainingAttendeeCapacity=4), modified=2)],
        [deleted(named[2], kind="")],
    ]
    await machine.follow_until_first(items=6, waiting=1)
    provider.feeds[B] = [[rpde(series())]]
    await machine.follow_to_the_end()
    assert [data["remainingAttendeeCapacity"] for data in (await feed(world, SESSIONS)).values()] == [4]


async def test_items_that_wait_for_a_week_are_given_up(world: World, provider: Provider, machine: Machine) -> None:
    provider.feeds[A] = [[rpde(session(startDate=LATE))]]
    await machine.follow_until_first(waiting=1)
    machine.wrong += waiting_room.KEPT * 2
    # The feed is read again after so long, so that the item waits again.
    await machine.follow_until_first(waiting=1, not_imported=1)


async def test_a_feed_is_not_read_on_while_too_many_items_wait(
    world: World, provider: Provider, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_room, "MOST_ITEMS", 2)
    provider.feeds[A] = [[rpde(session(number))] for number in range(1, 6)]
    fault = "2 items wait for their parents; the feed is not read on"
    assert (await machine.follow_until_first(waiting=2, fault=fault)).items == 2
    provider.feeds[B] = [[rpde(series())]]
    await machine.follow_to_the_end()
    assert len(await feed(world, SESSIONS)) == 5


async def test_a_deletion_withdraws_an_item_of_its_kind_only(
    world: World, provider: Provider, machine: Machine
) -> None:
    """A feed may give one id to items of two kinds, which come on different pages."""
    provider.feeds[A] = [[rpde(series(), id="1")], [rpde(session(1), id="1")], [rpde(session(2), id="2")]]
    await machine.follow_to_the_end()
    assert len(await feed(world, SESSIONS)) == 2
    provider.feeds[A] += [[deleted(session(1), id="1")], [deleted(series(), id="2")]]
    await machine.follow_to_the_end()
    assert len(await feed(world, SESSIONS)) == 1
    provider.feeds[A] += [[deleted(session(2), id="2", kind="Unknown")]]
    await machine.follow_to_the_end()
    assert await feed(world, SESSIONS) == {}


async def test_a_feed_that_fails_does_not_stop_another(world: World, provider: Provider, machine: Machine) -> None:
    provider.faults[B] = Answer(status=403, headers=(("Retry-After", "7200"),))
    provider.feeds[A] = [[rpde(series()), rpde(session())]]
    await machine.follow_until_first(items=2)
    assert len(await feed(world, SESSIONS)) == 1
    (read, failed) = await machine.feeds()
    assert (read.fault, failed.fault) == ("", "it was answered with status 403")
    assert failed.next_try
    assert 7_100 < (failed.next_try - machine.now()).total_seconds() <= 7_200
    del provider.faults[B]
    await machine.follow_to_the_end()


async def test_a_page_that_cancels_too_many_orders_is_not_imported(
    world: World, provider: Provider, site: Site, machine: Machine
) -> None:
    provider.feeds[A] = [[rpde(series()), rpde(session())]]
    await machine.follow_to_the_end()
    told = await import_(world.store, rpde(session()), source=site.url + A)
    uuid = await book(world, told)
    cancelled = session(eventStatus="https://schema.org/EventCancelled")
    provider.feeds[A] += [[rpde(cancelled, modified=2)]]
    careful = Machine(world, [site.url + A], FollowOptions(CENTRE.key, confirm=lambda orders: orders < 1))
    careful.wrong = machine.wrong
    fault = "Nothing was imported: it would have cancelled 1 Orders."
    await careful.follow_until_first(fault=fault)
    assert (await item_of(world, uuid))["orderItemStatus"].endswith("OrderItemConfirmed")
    await machine.follow_to_the_end()
    assert (await item_of(world, uuid))["orderItemStatus"].endswith("SellerCancelled")


async def test_a_second_process_that_follows_the_feed_stops_one_of_them(
    world: World, provider: Provider, machine: Machine
) -> None:
    async def disturb() -> bool:
        feeds = await machine.feeds()
        if feeds:
            await world.identity.save(replace(feeds[0], pages=99))
        return any("Another process follows" in line for line in machine.told)

    provider.feeds[A] = [[rpde(series())]]
    await machine.follow_until(disturb)
    assert (await machine.feeds())[0].pages == 99


async def test_items_that_are_missing_after_another_reading_are_withdrawn(
    world: World, provider: Provider, machine: Machine
) -> None:
    far = [session(number, startDate=LATE) for number in (1, 2)]
    provider.feeds[A] = [[rpde(series())], [rpde(data) for data in far]]
    await machine.follow_to_the_end()
    await import_(world.store, rpde(series(**{"@id": "x:1"})), rpde(session(3, superEvent="x:1", startDate=LATE)))
    assert len(await feed(world, SESSIONS)) == 3
    provider.feeds[A] = [[rpde(series()), rpde(far[1])]]
    machine.wrong += waiting_room.KEPT
    await machine.follow_to_the_end()
    assert len(await feed(world, SESSIONS)) == 2


async def test_a_feed_that_is_read_again_brings_back_the_children_of_a_parent_that_came_back(
    world: World, provider: Provider, site: Site, machine: Machine
) -> None:
    provider.feeds[A] = [[rpde(session())]]
    for version, sessions in ((rpde(series()), 1), (deleted(series()), 0), (rpde(series(), modified=3), 0)):
        provider.feeds[B] += [[version]]
        await machine.follow_to_the_end()
        assert len(await feed(world, SESSIONS)) == sessions
    again = Machine(world, [site.url + A], FollowOptions(CENTRE.key, again=True))
    again.wrong = machine.wrong
    await again.follow_until_first(items=2, rereads=False)
    assert len(await feed(world, SESSIONS)) == 1
