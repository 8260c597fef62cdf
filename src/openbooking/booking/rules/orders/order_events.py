"""The order events that a change of a record leads to (`openbooking.booking.model.order_event`).

The events follow from the records before and after a batch of commands. So an Order that is booked and cancelled in one
batch has two events, and an Order that is changed twice in one batch has one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from openbooking.booking.model.actor import UNKNOWN, Stamp
from openbooking.booking.model.order import BookedItem
from openbooking.booking.model.order_event import (
    AnyOrderEvent,
    AttendanceRecorded,
    EventItem,
    OrderBooked,
    OrderCancelled,
    OrderChanged,
    OrderDeleted,
    OrderProposed,
    PersonalDataErased,
    ProposalChanged,
)
from openbooking.booking.model.record import DeletedRecord, ItemState, OrderRecord, ProposalRecord, Record
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.fingerprint import personal_data_of

_Items = Mapping[int, tuple[BookedItem, ItemState]]


def order_events(before: Situation, record: Record) -> list[AnyOrderEvent]:
    """Return the events of one changed record, in their order. Each event has a new id.

    Args:
        before: The situation before the change, with the former record, if there was one.
        record: The record as it is now.
    """
    change = _RecordChange(before, before.records.get(record.key))
    match record:
        case OrderRecord():
            return [*change.of_order(record), *change.of_personal_data(record)]
        case ProposalRecord():
            return [*change.of_proposal(record), *change.of_personal_data(record)]
        case DeletedRecord():
            return [*change.of_deletion(record)]
        case _:
            return []


class _RecordChange(NamedTuple):
    """A record before its change; None if it is new."""

    before: Situation
    known: Record | None

    def of_order(self, record: OrderRecord) -> Iterator[AnyOrderEvent]:
        items = record.items_by_number()
        known = self.known if isinstance(self.known, OrderRecord) else None
        old: _Items = known.items_by_number() if known else {}
        if known is None:
            yield OrderBooked(**self._common(record, record.booked, _items(items, items)))
        groups: dict[type[OrderChanged | OrderCancelled | AttendanceRecorded], list[int]] = {
            OrderChanged: [],
            AttendanceRecorded: [],
            OrderCancelled: [],
        }
        for number, (item, state) in items.items():
            was_item, was = old.get(number, (item, ItemState(changed=state.changed)))
            if state.status is not was.status:
                groups[OrderCancelled if state.status.cancelled else AttendanceRecorded].append(number)
            elif self._is_changed(record, (was_item, was), (item, state)):
                groups[OrderChanged].append(number)
        for type_, numbers in groups.items():
            has_paid = type_ is OrderChanged and known is not None and known.payments != record.payments
            if numbers or has_paid:
                yield type_(**self._common(record, record.changed, _items(items, numbers, old)))

    def of_proposal(self, record: ProposalRecord) -> Iterator[AnyOrderEvent]:
        items = record.items_by_number()
        if not isinstance(self.known, ProposalRecord):
            yield OrderProposed(**self._common(record, record.proposed, _items(items, items)))
        elif _shown(self.known) != _shown(record):
            fields = self._common(record, record.changed, _items(items, items))
            yield ProposalChanged(status=record.proposal.status, **fields)

    def of_deletion(self, record: DeletedRecord) -> Iterator[AnyOrderEvent]:
        if isinstance(self.known, OrderRecord):
            items = self.known.items_by_number()
            freed = [number for number, (_, state) in items.items() if not state.status.cancelled]
            yield OrderDeleted(**self._common(record, record.deleted, _items(items, freed)))

    def of_personal_data(self, record: OrderRecord | ProposalRecord) -> Iterator[AnyOrderEvent]:
        if self._is_erased(record):
            yield PersonalDataErased(**self._common(record, record.erased, ()))
        elif gone := self._erased_attendees(record):
            items = record.items_by_number()
            yield PersonalDataErased(**self._common(record, record.changed, _items(items, sorted(gone & items.keys()))))

    def _is_changed(self, record: Record, old: tuple[BookedItem, ItemState], new: tuple[BookedItem, ItemState]) -> bool:
        """Return whether an item has changed. The erasure of its texts and codes is not a change."""
        if self._is_erased(record) or self._erased_attendees(record):
            return old[1].changed != new[1].changed
        return old[1] != new[1]

    def _is_erased(self, record: Record) -> bool:
        return self.known is not None and record.erased != self.known.erased

    def _erased_attendees(self, record: Record) -> frozenset[int]:
        """Return the numbers of the items whose attendees were erased, while other personal data stays."""
        old, new = personal_data_of(self.known) if self.known else None, personal_data_of(record)
        return frozenset(old.attendees.keys() - new.attendees.keys()) if old and new else frozenset()

    def _common(self, record: Record, stamp: Stamp | None, items: tuple[EventItem, ...]) -> dict[str, Any]:
        stamp = stamp or UNKNOWN
        return {
            "id": uuid4().hex,
            "at": stamp.at or self.before.now,
            "actor": stamp.actor,
            "order": record.key,
            "seller": record.seller,
            "items": items,
        }


def _shown(record: ProposalRecord) -> object:
    """Return the properties of a proposal whose change is an event."""
    return record.proposal.version, record.proposal.status, record.proposal.seller_note_at


def _items(items: _Items, numbers: Iterable[int], old: _Items | None = None) -> tuple[EventItem, ...]:
    return tuple(_item(number, *items[number], former=(old or {}).get(number)) for number in numbers)


def _item(number: int, item: BookedItem, state: ItemState, former: tuple[BookedItem, ItemState] | None) -> EventItem:
    path = item.opportunity.path
    replaced = former[0].opportunity.path if former and former[0].opportunity.path != path else None
    return EventItem(number=number, opportunity=path, status=state.status, replaced=replaced)
