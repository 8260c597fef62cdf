"""The auditor: compares all acknowledged requests with the database after a race."""

import asyncio
from collections import Counter
from typing import Any, NamedTuple, Self

from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import ORDERS, Feed
from openbooking.store.sql import SqlStore
from openbooking.testing.samples import SESSIONS
from support import builders
from support.races.brokers import BrokerOrder, Brokers
from support.races.harvesters import Harvester, harvested_at_rest
from support.servers.served_system import PARTNERS, Plan

_AT_ONCE = 32


async def audit(
    plan: Plan, brokers: Brokers, harvesters: dict[Feed, list[Harvester]], by_seller: set[OrderKey]
) -> list[str]:
    """Return every difference, as text; `by_seller` are the Orders that the Seller may have changed."""
    store = plan.open_store()
    try:
        wrong = [f"{about} {what}" for about, what in await store.check_integrity()]
        wrong += [f"{asked}: {reply.status} {reply.body[:200]!r}" for asked, reply in brokers.surprises]
        few_at_once = asyncio.Semaphore(_AT_ONCE)
        orders = await asyncio.gather(*(_of_order(brokers, order, by_seller, few_at_once) for order in brokers.orders))
        wrong += [line for lines, _ in orders for line in lines]
        wrong += await _of_spaces(plan, store, Counter(key for _, held in orders for key in held))
        wrong += await _of_feeds(store, harvesters)
    finally:
        await store.close()
    return wrong


async def _of_order(
    brokers: Brokers, order: BrokerOrder, by_seller: set[OrderKey], few_at_once: asyncio.Semaphore
) -> tuple[list[str], list[str]]:
    """Return the differences of one Order, and the keys of the sessions where it has spaces."""
    async with few_at_once:
        reply = await brokers.status(order)
        repeat = await brokers.repeat(order) if reply.status == 200 and order.booked else None
    about = f"Order {order.uuid} of {order.partner}"
    wrong = [] if len(order.answers) <= 1 else [f"{about} was answered in {len(order.answers)} ways"]
    if reply.status != 200 or reply.json["@type"] == "OrderQuote":
        if order.booked and not order.asked_to_delete:
            wrong.append(f"{about} was acknowledged and is lost: {reply.status}")
        if order.deleted and reply.status != 410:
            wrong.append(f"{about} was deleted and answers with {reply.status}")
        return wrong, []
    if order.deleted:
        wrong.append(f"{about} was deleted and is there")
    if not order.asked_to_book:
        wrong.append(f"{about} was never asked for and is there")
    if repeat and repeat.body not in order.answers:
        wrong.append(f"{about} is answered otherwise when asked for again: {repeat.status}")
    items = [_Item.read(item) for item in reply.json["orderedItem"]]
    by_the_seller = OrderKey(order.partner, order.uuid) in by_seller
    wrong += [f"{about} {what}" for what in _of_items(order, items, by_seller=by_the_seller)]
    return wrong, [item.key for item in items if item.status == "OrderItemConfirmed"]


class _Item(NamedTuple):
    """The session of an OrderItem, and its status."""

    key: str
    status: str

    @classmethod
    def read(cls, item: Any) -> Self:
        """Read an item of a reply."""
        return cls(item["orderedItem"]["@id"].rpartition("/")[2], item["orderItemStatus"].rpartition("/")[2])


def _of_items(order: BrokerOrder, items: list[_Item], *, by_seller: bool) -> list[str]:
    """Return the differences of the items; the Seller may have cancelled them and replaced the first."""
    wrong = []
    keys, statuses = [item.key for item in items], [item.status for item in items]
    if len(items) != len(order.keys):
        wrong.append(f"is there by half: {statuses}")
    may_be_replaced = 1 if by_seller else 0
    if keys[may_be_replaced:] != order.keys[may_be_replaced:]:
        wrong.append(f"is for {order.keys} and has {keys}")
    customer = order.asked_to_cancel and statuses[0] == "CustomerCancelled"
    if order.cancelled and not (customer or (by_seller and statuses[0] == "SellerCancelled")):
        wrong.append(f"was cancelled and is {statuses[0]}")
    rest = set(statuses[1:] if customer else statuses)
    if rest - ({"OrderItemConfirmed", "SellerCancelled"} if by_seller else {"OrderItemConfirmed"}):
        wrong.append(f"is {statuses}")
    return wrong


async def _of_spaces(plan: Plan, store: SqlStore, held: Counter[str]) -> list[str]:
    """Return the sessions that are oversold, or whose feed item shows a wrong number of spaces."""
    wrong = []
    shown = await harvested_at_rest(store, SESSIONS)
    for key, capacity in plan.capacities.items():
        if held[key] > capacity:
            wrong.append(f"{key} has {capacity} spaces and is sold {held[key]} times")
        _, data = shown[builders.session(key)[1].path]
        left: Any = data["remainingAttendeeCapacity"]
        if left != max(capacity - held[key], 0):
            wrong.append(f"{key} shows {left} spaces left, of {capacity} of which {held[key]} are sold")
    return wrong


async def _of_feeds(store: SqlStore, harvesters: dict[Feed, list[Harvester]]) -> list[str]:
    """Return the harvesters whose copy differs from the database."""
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
