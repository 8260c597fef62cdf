"""Changes of an Opportunity's name, time or location, and their effect on Orders (OB 8.4.9, OB-NOTIF-06, AMB-19).

The change is a Seller's decision or a new version that a provider publishes. `update_orders` treats both alike. An
OrderProposal does not change: B takes the current Opportunity.
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
from openbooking.booking.rules.opportunities.sale_states import publish_sale_state
from openbooking.booking.rules.orders.lifecycle import set_item_states
from openbooking.booking.rules.size_limits import check_record

_DESCRIBED_BY = ("name", "location")


def changed_paths(known: Mapping[str, Opportunity], announced: Iterable[Opportunity]) -> set[str]:
    """Return the paths of the announced Opportunities with a change that concerns their Orders or children.

    These are changes of name, time, location, parent and sale state, and for a parent changes of the properties that
    its children inherit (`rules.inheritance`). An unknown Opportunity counts as changed, because it may have Orders
    from before it was withdrawn.
    """
    return {new.path for new in announced if _differs(known.get(new.path), new)}


def update_orders(situation: Situation, changed: AbstractSet[str], stamp: Stamp) -> list[Change]:
    """Return the changes that replace outdated names, times and locations in Orders. Cancelled items do not change.

    Args:
        situation: The situation after the change of the Opportunities.
        changed: The paths of the changed Opportunities. Only items at these paths or below can be outdated.
        stamp: The actor and the time of the change.

    Raises:
        RequestTooLargeError: An Order would take more bytes than the policy allows.
    """
    changes: list[Change] = []
    for record in situation.records.values():
        if not isinstance(record, OrderRecord):
            continue
        outdated = {
            item.number: replace(state, logistics_changed=True, replacement=current)
            for item, state in record.items()
            if not state.status.cancelled and (current := _with_current_logistics(situation, item, changed))
        }
        if outdated:
            updated = set_item_states(record, outdated, stamp)
            check_record(record, updated, situation.policy)
            changes.append(RecordSet(record.key, updated))
    return changes


def _differs(known: Opportunity | None, new: Opportunity) -> bool:
    if known is None or known.withdrawn or known.parent != new.parent or known.inherited != new.inherited:
        return True
    if known.sale is not publish_sale_state(known, new).sale:
        return True
    return _logistics(known) != _logistics(new) or (new.type.has_children and _inheritable(known) != _inheritable(new))


def _inheritable(parent: Opportunity) -> tuple[Any, ...]:
    """Return the properties that children may inherit. Slots inherit no Offers from their facility."""
    offers = parent.offers if parent.type.gives_offers else ()
    return (parent.status, parent.start, parent.end, parent.properties.get("duration"), offers)


def _with_current_logistics(situation: Situation, item: BookedItem, changed: AbstractSet[str]) -> BookedItem | None:
    """Return the item with the current Opportunity and parents, or None if it shows their name, time and location.

    An item does not change either if another Seller sells its Opportunity now.
    """
    opportunity = situation.opportunity_of(item)
    if opportunity is item.opportunity:
        return None
    parents = situation.parents(opportunity)
    if changed.isdisjoint(member.path for member in (opportunity, *parents)):
        return None
    shown = [_logistics(member) for member in (item.opportunity, *item.parents)]
    if shown == [_logistics(member) for member in (opportunity, *parents)]:
        return None
    return item.set_opportunity(opportunity, parents)


def _logistics(member: Opportunity) -> tuple[Any, ...]:
    """Return name, location and time; of a parent only name and location, because its children have their own times."""
    described = tuple(member.properties.get(name) for name in _DESCRIBED_BY)
    return (*described, member.start, member.end) if member.type.bookable else described
