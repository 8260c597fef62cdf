"""Orders after a change: new states of their items, or the stub that deletion leaves."""

from collections.abc import Mapping

from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import Order, OrderKey
from openbooking.booking.model.record import ItemState, Record, RecordKind
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules import lifecycle
from openbooking.openactive.errors import CancellationNotPermittedError


def booked(situation: Situation, key: OrderKey) -> tuple[Record, Order]:
    """The booked Order behind the key, or raise UnknownOrderError or GoneError."""
    record = lifecycle.existing(situation.records.get(key), lifecycle.Event.UPDATE)
    assert record.order is not None  # noqa: S101 - only stubs have none, and they are gone
    return record, record.order


def with_states(record: Record, states: Mapping[int, ItemState], stamp: Stamp) -> Record:
    """The record with new states of the items of these numbers, and with that in the Orders feed (OB-OF-08)."""
    moved = tuple(
        _moved(state, states[item.number], stamp) if item.number in states else state for item, state in record.items()
    )
    return replace(record, states=moved, updated=True, changed=stamp)


def _moved(state: ItemState, new: ItemState, stamp: Stamp) -> ItemState:
    if new.status is not state.status and new.status not in lifecycle.ITEM_TRANSITIONS[state.status]:
        raise CancellationNotPermittedError("This booking can no longer be cancelled.")
    if new.status.cancelled and not state.status.cancelled:
        new = replace(new, cancelled=stamp)
    notice = new.customer_notice if new.status in lifecycle.NOTIFIED else None
    return replace(new, customer_notice=notice, changed=stamp)


def stub(record: Record, stamp: Stamp) -> Record:
    """What remains of a deleted Order: that it was, whether the Orders feed has shown it, and who did what when."""
    return Record(
        partner=record.partner,
        uuid=record.uuid,
        kind=RecordKind.DELETED,
        seller=record.seller,
        updated=record.updated,
        proposed=record.proposed,
        booked=record.booked,
        changed=stamp,
        deleted=stamp,
    )
