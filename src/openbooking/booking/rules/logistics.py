"""Name, time and location of Opportunities, and the Orders that show them (OB 8.4.9, OB-NOTIF-06, AMB-19).

A Seller changes them by a decision, and a provider by a new version of the Opportunity. In both cases the Orders change
by the same rule. OrderProposals take the current Opportunity when they are booked.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import BookedItem
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Change, RecordSet, Situation
from openbooking.booking.rules.lifecycle import publish_sale_state, set_item_states
from openbooking.booking.rules.size_limits import check_record

_DESCRIBED_BY = ("name", "location")


def changed_paths(known: Mapping[str, Opportunity], announced: Iterable[Opportunity]) -> set[str]:
    """Return the paths of the announced Opportunities that differ in properties that Orders show or children inherit.

    These are name, time, location, parent and sale state, and for a parent the properties that its children inherit
    (`rules.inheritance`). An unknown Opportunity differs, too, because it may have Orders from before it was withdrawn.
    """
    return {new.path for new in announced if _differs(known.get(new.path), new)}


def update_orders(situation: Situation, changed: AbstractSet[str], stamp: Stamp) -> list[Change]:
    """Return the Orders with items that show an outdated name, time or location, with the current ones.

    Cancelled items stay as they are.

    Args:
        situation: The situation, in which the Opportunities are changed.
        changed: The paths of the changed Opportunities; items at these paths or below are compared.
        stamp: Who changes them, and when.

    Raises:
        RequestTooLargeError: An Order would take more bytes than one may.
    """
    changes: list[Change] = []
    for record in situation.records.values():
        if not isinstance(record, OrderRecord):
            continue
        moved = {
            item.number: replace(state, logistics_changed=True, replacement=current)
            for item, state in record.items()
            if not state.status.cancelled and (current := _with_current_logistics(situation, item, changed))
        }
        if moved:
            told = set_item_states(record, moved, stamp)
            check_record(record, told, situation.policy)
            changes.append(RecordSet(record.key, told))
    return changes


def _differs(known: Opportunity | None, new: Opportunity) -> bool:
    if known is None or known.withdrawn or known.parent != new.parent or known.inherited != new.inherited:
        return True
    if known.sale is not publish_sale_state(known, new).sale:
        return True
    return _logistics(known) != _logistics(new) or (new.type.has_children and _inheritable(known) != _inheritable(new))


def _inheritable(parent: Opportunity) -> tuple[Any, ...]:
    """Return the properties that children may inherit; of a facility no Offers, because it has too many Slots."""
    offers = parent.offers if parent.type.gives_offers else ()
    return (parent.status, parent.start, parent.end, parent.properties.get("duration"), offers)


def _with_current_logistics(situation: Situation, item: BookedItem, changed: AbstractSet[str]) -> BookedItem | None:
    """Return the item with the current Opportunity and parents, if their name, time or location has changed."""
    opportunity = situation.opportunities.get(item.opportunity.path)
    if opportunity is None:
        return None
    parents = situation.parents(opportunity)
    if changed.isdisjoint(member.path for member in (opportunity, *parents)):
        return None
    shown = [_logistics(member) for member in (item.opportunity, *item.parents)]
    if shown == [_logistics(member) for member in (opportunity, *parents)]:
        return None
    return item.set_opportunity(opportunity, parents)


def _logistics(member: Opportunity) -> tuple[Any, ...]:
    """Return name, location and time; the dates of a parent do not count, because its children have their own."""
    described = tuple(member.properties.get(name) for name in _DESCRIBED_BY)
    return (*described, member.start, member.end) if member.type.bookable else described
