"""The auditor: compares everything that was acknowledged with the database, when all is over."""

import asyncio
from collections import Counter
from typing import Any

import builders
from openbooking.booking.order import OrderKey
from openbooking.booking.store import ORDERS, Feed
from openbooking.store.sql import SqlStore
from openbooking.testing.samples import SESSIONS
from races.brokers import Brokers, Told
from races.harvesters import Harvester, harvested_at_rest
from races.served import PARTNERS, Plan

_AT_ONCE = 32


async def audit(
    plan: Plan, brokers: Brokers, harvesters: dict[Feed, list[Harvester]], by_seller: set[OrderKey]
) -> list[str]:
    """All that is wrong; `by_seller` are the Orders that the Seller may have cancelled."""
    store = plan.open_store()
    try:
        wrong = [f"{about} {what}" for about, what in await store.audit()]
        wrong += [f"{asked}: {reply.status} {reply.body[:200]!r}" for asked, reply in brokers.surprises]
        few_at_once = asyncio.Semaphore(_AT_ONCE)
        orders = await asyncio.gather(*(_of_order(brokers, told, by_seller, few_at_once) for told in brokers.told))
        wrong += [line for lines, _ in orders for line in lines]
        wrong += await _of_places(plan, store, Counter(key for _, held in orders for key in held))
        wrong += await _of_feeds(store, harvesters)
    finally:
        await store.close()
    return wrong


async def _of_order(
    brokers: Brokers, told: Told, by_seller: set[OrderKey], few_at_once: asyncio.Semaphore
) -> tuple[list[str], list[str]]:
    """What is wrong with one Order, and the sessions it holds a place of."""
    async with few_at_once:
        reply = await brokers.status(told)
        repeat = await brokers.repeat(told) if reply.status == 200 and told.booked else None
    about = f"Order {told.uuid} of {told.partner}"
    wrong = [] if len(told.answers) <= 1 else [f"{about} was answered in {len(told.answers)} ways"]
    if reply.status != 200 or reply.json["@type"] == "OrderQuote":
        if told.booked and not told.asked_to_delete:
            wrong.append(f"{about} was acknowledged and is lost: {reply.status}")
        if told.deleted and reply.status != 410:
            wrong.append(f"{about} was deleted and answers with {reply.status}")
        return wrong, []
    if told.deleted:
        wrong.append(f"{about} was deleted and is there")
    if not told.asked_to_book:
        wrong.append(f"{about} was never asked for and is there")
    statuses = [item["orderItemStatus"].rpartition("/")[2] for item in reply.json["orderedItem"]]
    if len(statuses) != len(told.keys):
        wrong.append(f"{about} is there by half: {statuses}")
    customer = told.asked_to_cancel and statuses[0] == "CustomerCancelled"
    seller = OrderKey(told.partner, told.uuid) in by_seller
    if told.cancelled and not (customer or (seller and statuses[0] == "SellerCancelled")):
        wrong.append(f"{about} was cancelled and is {statuses[0]}")
    rest = set(statuses[1:] if customer else statuses)
    if rest - ({"OrderItemConfirmed", "SellerCancelled"} if seller else {"OrderItemConfirmed"}):
        wrong.append(f"{about} is {statuses}")
    if repeat and repeat.body not in told.answers:
        wrong.append(f"{about} is answered otherwise when asked for again: {repeat.status}")
    return wrong, [key for key, status in zip(told.keys, statuses, strict=False) if status == "OrderItemConfirmed"]


async def _of_places(plan: Plan, store: SqlStore, held: Counter[str]) -> list[str]:
    """Whether no session is sold beyond its capacity, and each feed item tells how many places are left."""
    wrong = []
    shown = await harvested_at_rest(store, SESSIONS)
    for key, capacity in plan.capacities.items():
        if held[key] > capacity:
            wrong.append(f"{key} has {capacity} places and is sold {held[key]} times")
        _, data = shown[builders.session(key)[1].path]
        left: Any = data["remainingAttendeeCapacity"]
        if left != max(capacity - held[key], 0):
            wrong.append(f"{key} shows {left} places left, of {capacity} of which {held[key]} are sold")
    return wrong


async def _of_feeds(store: SqlStore, harvesters: dict[Feed, list[Harvester]]) -> list[str]:
    """Whether each harvester ends with exactly what the database holds."""
    wrong = []
    for feed, copies in harvesters.items():
        at_rest = await harvested_at_rest(store, feed)
        for harvester in copies:
            wrong += harvester.disorder
            differing = [
                id_ for id_ in at_rest.keys() | harvester.copy.keys() if at_rest.get(id_) != harvester.copy.get(id_)
            ]
            if differing:
                wrong.append(f"A harvester of {feed.name} has missed {len(differing)} of {len(at_rest)} items")
    return wrong


FEEDS = [SESSIONS, *(Feed(ORDERS, partner) for partner in PARTNERS)]
