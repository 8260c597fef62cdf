"""The entries of the activity log that a decision leads to."""

from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import (
    Change,
    EntrySet,
    OpportunityRemoved,
    OpportunitySet,
    RecordSet,
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
    match change:
        case RecordSet(key, record):
            before = situation.records.get(key)
            known = record or before
            if known is None:
                return None
            changed = _changed_items(before, record) if record else ()
            return Activity(at=situation.now, actor=actor, action=action, seller=known.seller, order=key, items=changed)
        case OpportunitySet(opportunity):
            seller, path = opportunity.seller, opportunity.path
        case OpportunityRemoved(path):
            seller = situation.opportunities[path].seller
        case EntrySet(key, entry):
            stored = situation.timetable.get(key)
            if entry and stored and (entry.rule, entry.ended) == (stored.rule, stored.ended):
                return None
            return Activity(at=situation.now, actor=actor, action=action, seller=key.seller, entry=key.key)
        case _:
            return None
    return Activity(at=situation.now, actor=actor, action=action, seller=seller, opportunity=path)


def _changed_items(before: Record | None, after: Record) -> tuple[int, ...]:
    """Return the numbers of the items that the record has in another state than before."""
    known = {item.number: (item, state) for item, state in before.items()} if before else {}
    return tuple(item.number for item, state in after.items() if known.get(item.number) != (item, state))
