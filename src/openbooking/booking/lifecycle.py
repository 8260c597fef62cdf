"""Everything that may happen to the record behind an Order UUID, and to a booked OrderItem, as tables (OB 9.1.1).

The record begins as nothing (None). What is not in the table is refused with the error of the event and the kind.
"""

from enum import StrEnum

from openbooking.booking.order import Record, RecordKind
from openbooking.spec.errors import GoneError, OpenBookingError, OrderAlreadyExistsError, UnknownOrderError
from openbooking.spec.terms import OrderItemStatus


class Event(StrEnum):
    """What a Broker asks of the record."""

    QUOTE = "quote"
    BOOK = "book"
    UPDATE = "update"
    DELETE = "delete"
    READ = "read"


_TRANSITIONS: dict[Event, dict[RecordKind | None, RecordKind]] = {
    Event.QUOTE: {None: RecordKind.QUOTE, RecordKind.QUOTE: RecordKind.QUOTE},
    Event.BOOK: {None: RecordKind.ORDER, RecordKind.QUOTE: RecordKind.ORDER},
    Event.UPDATE: {RecordKind.ORDER: RecordKind.ORDER},
    Event.DELETE: {RecordKind.ORDER: RecordKind.DELETED, RecordKind.DELETED: RecordKind.DELETED},
    Event.READ: {RecordKind.ORDER: RecordKind.ORDER, RecordKind.QUOTE: RecordKind.QUOTE},
}

_REFUSALS: dict[Event, dict[RecordKind | None, type[OpenBookingError]]] = {
    Event.QUOTE: {RecordKind.ORDER: OrderAlreadyExistsError, RecordKind.DELETED: OrderAlreadyExistsError},
    Event.BOOK: {RecordKind.ORDER: OrderAlreadyExistsError, RecordKind.DELETED: OrderAlreadyExistsError},
    Event.UPDATE: {None: UnknownOrderError, RecordKind.QUOTE: UnknownOrderError, RecordKind.DELETED: GoneError},
    Event.DELETE: {None: UnknownOrderError, RecordKind.QUOTE: UnknownOrderError},
    Event.READ: {None: UnknownOrderError, RecordKind.DELETED: GoneError},
}

ITEM_TRANSITIONS: dict[OrderItemStatus, frozenset[OrderItemStatus]] = {
    OrderItemStatus.CONFIRMED: frozenset({OrderItemStatus.CUSTOMER_CANCELLED, OrderItemStatus.SELLER_CANCELLED}),
    OrderItemStatus.CUSTOMER_CANCELLED: frozenset(),
    OrderItemStatus.SELLER_CANCELLED: frozenset(),
}


def after(record: Record | None, event: Event) -> RecordKind:
    """The kind of the record after the event, or raise the error the specification has for it."""
    kind = record.kind if record else None
    following = _TRANSITIONS[event].get(kind)
    if following is None:
        raise _REFUSALS[event][kind]
    return following


def existing(record: Record | None, event: Event) -> Record:
    """The record, which the event cannot do without, or raise the error the specification has for it."""
    after(record, event)
    assert record is not None, f"{event} is refused where there is no record"  # noqa: S101 - by the table
    return record
