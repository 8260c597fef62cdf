"""The entries of the activity log that a decision leads to."""

from functools import partial

from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import (
    Change,
    EntrySet,
    OpportunityRemoved,
    OpportunitySet,
    OrderRead,
    RecordSet,
    SellerSet,
    Situation,
)


def activities(action: Action, actor: Actor, situation: Situation, changes: tuple[Change, ...]) -> tuple[Activity, ...]:
    """Return the entries for the changes of one decision.

    Args:
        action: The kind of the decision.
        actor: The actor who gave the command.
        situation: The situation before the decision.
        changes: The changes of the decision.
    """
    found = (_activity(action, actor, situation, change) for change in changes)
    return tuple(activity for activity in found if activity)


def _activity(action: Action, actor: Actor, situation: Situation, change: Change) -> Activity | None:
    entry = partial(Activity, at=situation.now, actor=actor, action=action)
    match change:
        case RecordSet(key, record):
            before = situation.records.get(key)
            known = record or before
            changed = _changed_items(before, record) if record else ()
            return entry(seller=known.seller, order=key, items=changed) if known else None
        case OrderRead(key):
            return entry(seller=situation.records[key].seller, order=key)
        case OpportunitySet(opportunity):
            return entry(seller=opportunity.seller, opportunity=opportunity.path)
        case OpportunityRemoved(path):
            return entry(seller=situation.opportunities[path].seller, opportunity=path)
        case SellerSet(seller):
            is_changed = situation.sellers.get(seller.key) not in (None, seller)
            return entry(seller=seller.key) if is_changed else None
        case EntrySet(key, new):
            stored = situation.timetable.get(key)
            is_same = new is not None and stored is not None and (new.rule, new.ended) == (stored.rule, stored.ended)
            return None if is_same else entry(seller=key.seller, entry=key.key)


def _changed_items(before: Record | None, after: Record) -> tuple[int, ...]:
    """Return the numbers of the items that the record has in another state than before."""
    known = {item.number: (item, state) for item, state in before.items()} if before else {}
    return tuple(item.number for item, state in after.items() if known.get(item.number) != (item, state))
