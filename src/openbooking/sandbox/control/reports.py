"""What the control shows: the state, the exchanges with their remarks, and the Orders of the Broker under test."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from openbooking.booking.model.record import OrderRecord
from openbooking.booking.views import OrderQuery, StoreWithViews
from openbooking.sandbox.advice.advise import advise
from openbooking.sandbox.advice.remark import Remark
from openbooking.sandbox.control.actions import tag_of
from openbooking.sandbox.control.doing import Doing
from openbooking.sandbox.control.instance import BROKER, Instance
from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.system import System


def state_of(instance: Instance) -> dict[str, Any]:
    """Return the addresses, the API keys, the clock, the plans of faults and the actions that wait."""
    settings = instance.settings
    return {
        "site": settings.site,
        "api": settings.base_uri,
        "keys": dict(instance.keys),
        "clock": instance.clock().isoformat(),
        "turned_seconds": instance.clock.turned.total_seconds(),
        "requests": len(instance.watch.record.all()),
        "faults": [msgspec.to_builtins(plan) for plan in instance.watch.plans.all()],
        "waiting": [doing_of(doing) for doing in instance.waiting()],
    }


def doing_of(doing: Doing) -> dict[str, Any]:
    """Return an action with what came of it."""
    told = {"do": tag_of(doing.action), "due": doing.due.isoformat()}
    outcome = {"done": doing.done, "refused": doing.refused}
    return told | {name: text for name, text in outcome.items() if text}


def remarks_by_number(exchanges: Sequence[Exchange]) -> Mapping[int, list[Remark]]:
    """Return the remarks on exchanges, by the numbers of the exchanges."""
    found: dict[int, list[Remark]] = defaultdict(list)
    for remark in advise(exchanges):
        found[remark.number].append(remark)
    return found


def exchange_of(exchange: Exchange, remarks: Sequence[Remark]) -> dict[str, Any]:
    """Return an exchange with the remarks on it, as JSON."""
    told: dict[str, Any] = msgspec.to_builtins(exchange)
    del told["began"]
    return {**told, "wrong": [remark_of(remark) for remark in remarks]}


def remark_of(remark: Remark) -> dict[str, Any]:
    """Return a remark as JSON."""
    return {"request": remark.number, "requirement": remark.requirement, "text": remark.text}


async def orders_of(system: System, partner: str = BROKER) -> list[OrderRecord]:
    """Return the Orders of a Booking Partner that are stored and not deleted, of all Sellers."""
    assert isinstance(system.store, StoreWithViews)  # noqa: S101 - the sandbox has a database
    found: list[OrderRecord] = []
    for seller in await system.store.sellers():
        views, cursor = system.store.views.of(seller.key), ""
        while True:
            page = await views.orders(OrderQuery(partner=partner), cursor)
            found += page.rows
            if page.next is None:
                break
            cursor = page.next
    return found


def order_of(record: OrderRecord) -> dict[str, Any]:
    """Return an Order as JSON: its UUID, its Seller, and the statuses of its items."""
    states = {number: state.status for number, (_, state) in record.items_by_number().items()}
    items = [{"number": number, "status": status.value.rpartition("/")[2]} for number, status in sorted(states.items())]
    return {"uuid": record.key.uuid, "seller": record.seller, "items": items}
