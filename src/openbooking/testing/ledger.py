"""Booking requests and their replies, which are compared with the store afterwards."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.order import Order
from openbooking.booking.model.record import Record
from openbooking.booking.store import Store, StoreUnavailableError
from openbooking.openactive.errors import UnknownOrderError
from openbooking.openactive.ids import key_of
from openbooking.testing.samples import SESSIONS, read_feed


class Entry(NamedTuple):
    """A booking request and its reply; `reply` is None if the reply is not known."""

    command: Book
    reply: Order | None

    @property
    def keys(self) -> Counter[str]:
        """The number of requested spaces of each session, by key."""
        return Counter(key_of(item.opportunity or "") for item in self.command.request.items)

    @property
    def acknowledged(self) -> bool:
        """Whether the reply says that the spaces are booked."""
        return self.reply is not None and not self.reply.has_errors


async def book_in(store: Store, command: Book) -> Entry:
    """Execute the command, and return it with its reply, which is None if the store is unavailable."""
    try:
        reply: Any = await store.execute(command)
    except StoreUnavailableError:
        return Entry(command, None)
    assert isinstance(reply, Order), f"The store has answered {command} with {reply}, which is no Order."
    return Entry(command, reply)


async def order_in(store: Store, command: Book) -> Order | None:
    """Return the Order that the store holds for the command, or None."""
    try:
        record: Any = await store.execute(GetOrder(caller=command.caller, uuid=command.uuid))
    except UnknownOrderError:
        return None
    assert isinstance(record, Record)
    return record.order


async def check_bookings(store: Store, entries: list[Entry], capacities: Mapping[str, int]) -> None:
    """Check that the store holds all acknowledged Orders, and that no session is sold beyond its capacity.

    Args:
        store: The store, opened after all processes have ended.
        entries: All bookings of these sessions.
        capacities: The capacity of each session, by key.

    Raises:
        AssertionError: An Order is missing or differs, or a session has a wrong number of spaces.
    """
    acknowledged: Counter[str] = sum((entry.keys for entry in entries if entry.acknowledged), Counter())
    for key, capacity in capacities.items():
        assert acknowledged[key] <= capacity, (
            f"{acknowledged[key]} spaces of session {key} were sold, and its capacity is {capacity}."
        )
    kept: Counter[str] = Counter()
    for entry in entries:
        order = await order_in(store, entry.command)
        about = f"Order {entry.command.uuid} for {dict(entry.keys)}"
        if entry.acknowledged:
            assert order is not None, f"{about} was acknowledged, and the store has lost it."
            assert order == entry.reply, f"{about} was acknowledged as {entry.reply}, and the store holds {order}."
        elif entry.reply is not None:
            assert order is None, f"{about} was refused, and the store holds it."
        kept += entry.keys if order else Counter()
    feed = await read_feed(store, SESSIONS)
    for key, capacity in capacities.items():
        assert kept[key] <= capacity, f"The store holds {kept[key]} bookings of {key}, whose capacity is {capacity}."
        left = feed[key]["remainingAttendeeCapacity"]
        assert left == capacity - kept[key], (
            f"The feed says that {key} has {left} spaces left; {kept[key]} of its {capacity} are booked."
        )
