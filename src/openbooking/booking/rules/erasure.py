"""Erasure of the personal data of an Order, while the Order itself remains (retention).

Items, capacity, totals and tax stay. Personal data is erased, with barcodes of the Broker's own and the fingerprint of
the request.
"""

from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import Access, OrderItem
from openbooking.booking.model.record import ItemState, Record, RecordKind

_Has = TypeVar("_Has", OrderItem, ItemState)


def is_due(record: Record, over_before: datetime) -> bool:
    """Whether the record is an Order with personal data that was over by then."""
    over_at = kept_from(record)
    return over_at is not None and over_at <= over_before


def kept_from(record: Record) -> datetime | None:
    """When the retention period of an Order's personal data begins; None if it has none.

    It begins at the end of the last session, as the items stand now, or at B if no item has a date. Retention does not
    apply to proposals, whose personal data is erased once they are rejected.
    """
    if record.kind is not RecordKind.ORDER or record.order is None or record.order.personal is None:
        return None
    ends = (item.opportunity.over_at for item, _ in record.items() if item.opportunity)
    return max(filter(None, ends), default=record.order.personal.told_at)


def without_people(record: Record, stamp: Stamp) -> Record:
    """The record without personal data."""
    order, proposal = record.order, record.proposal
    return replace(
        record,
        order=order and replace(order, personal=None, items=_without_own_passes(order.items)),
        proposal=proposal and replace(proposal, items=_without_own_passes(proposal.items)),
        states=tuple(_bare(state) for state in _without_own_passes(record.states)),
        fingerprint=None,
        erased=stamp,
    )


def _bare(state: ItemState) -> ItemState:
    if state.replacement is None:
        return state
    (replacement,) = _without_own_passes((state.replacement,))
    return replace(state, replacement=replacement)


def _without_own_passes(holders: tuple[_Has, ...]) -> tuple[_Has, ...]:
    """The items or states without barcodes that the Broker sent."""
    return tuple(replace(one, access=_granted_here(one.access)) if one.access else one for one in holders)


def _granted_here(access: Access) -> Access | None:
    granted = replace(access, own_passes=())
    return None if granted == Access() else granted
