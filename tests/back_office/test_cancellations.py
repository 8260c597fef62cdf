"""The number of Orders that the cancellation of an Opportunity cancels."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbooking.back_office.plans.cancellations import cancellation_effect
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.policy import Policy
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.store.memory import MemoryStore
from openbooking.testing.samples import Clock
from support.builders import (
    NOW,
    book,
    event,
    headline_event,
    item,
    new_uuid,
    on_demand_event,
    propose,
    request,
    session,
)
from support.parties import ALICE, BOB, CENTRE, MANAGER
from support.proposals import TRIP, places

pytestmark = pytest.mark.anyio

SERIES, FIRST = session("yoga")
SECOND = replace(FIRST, path=f"{FIRST.path}-2", start=NOW + timedelta(days=9), end=NOW + timedelta(days=9, hours=1))
FESTIVAL = headline_event("festival")
TALK = event("talk", parent=FESTIVAL)
VIDEO = on_demand_event("video")


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the store."""
    return Clock()


@pytest.fixture
async def store(clock: Clock) -> MemoryStore:
    """Return a store in which Alice and Bob have booked yoga, and Alice a talk and a video."""
    writer = JsonLdFeedWriter(Writer(Identifiers("https://booking.example.com/api")))
    made = MemoryStore(policy=Policy(), writer=writer, clock=clock)
    await made.execute(PublishSeller(CENTRE, actor=MANAGER))
    await made.execute(Publish((SERIES, FIRST, SECOND, *TALK, *VIDEO), actor=MANAGER))
    for family, caller in (([SERIES, FIRST], ALICE), ([SERIES, SECOND], BOB), (TALK, ALICE), (VIDEO, ALICE)):
        await made.execute(book(request(item(family)), caller, new_uuid()))
    return made


@pytest.mark.parametrize(
    ("opportunity", "occurrences", "orders"),
    [
        (FIRST, 1, {"alice": 1}),
        (SECOND, 1, {"bob": 1}),
        (SERIES, 2, {"alice": 1, "bob": 1}),
        (FESTIVAL[0], 2, {"alice": 1}),
        (VIDEO[0], 1, {"alice": 1}),
    ],
    ids=["session", "another session", "series", "headline event", "video"],
)
async def test_orders_of_an_opportunity_and_below_it_are_counted(
    store: MemoryStore, opportunity: Opportunity, occurrences: int, orders: dict[str, int]
) -> None:
    effect = await cancellation_effect(store, opportunity.path, MANAGER)
    assert (effect.occurrences, dict(effect.orders), effect.proposals) == (occurrences, orders, 0)


async def test_the_effect_counts_no_occurrence_that_is_over_or_cancelled(store: MemoryStore, clock: Clock) -> None:
    clock.move(timedelta(days=4))
    effect = await cancellation_effect(store, SERIES.path, MANAGER)
    assert (effect.occurrences, dict(effect.orders)) == (1, {"bob": 1})
    await store.execute(CancelOpportunity(opportunity=SECOND.path, actor=MANAGER))
    with pytest.raises(NothingToCancelError):
        await cancellation_effect(store, SERIES.path, MANAGER)


async def test_a_proposal_for_two_spaces_counts_once(store: MemoryStore) -> None:
    await store.execute(Publish(tuple(TRIP), actor=MANAGER))
    await store.execute(propose(places(TRIP, TRIP)))
    effect = await cancellation_effect(store, TRIP[0].path, MANAGER)
    assert (effect.occurrences, effect.orders.total(), effect.proposals) == (1, 0, 1)
    assert [booking.spaces for booking in effect.bookings] == [2]
