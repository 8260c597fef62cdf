"""Name, time and place of Opportunities, and the Orders that tell of them (OB 8.4.9, OB-NOTIF-06, AMB-19).

Whoever changes one of these, by a change of it alone or by publishing all of it anew, changes the Orders for it by the
same rule. Proposals learn of it when they are booked.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.opportunity import Opportunity, sale_when_published
from openbooking.booking.model.order import OrderItem
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.situation import Change, RecordSet, Situation
from openbooking.booking.rules.order_changes import with_states
from openbooking.booking.rules.size_limits import check_record

_DESCRIBED_BY = ("name", "location")


def changed_paths(known: Mapping[str, Opportunity], announced: Iterable[Opportunity]) -> set[str]:
    """Which of the Opportunities announced differ from those known in what Orders show or children inherit.

    That is name, time, place, parent and sale state, and of parents what they hand down (`booking.inheritance`). What
    is not known differs too, for it may come back after it was withdrawn, and its Orders with it.
    """
    return {new.path for new in announced if _differs(known.get(new.path), new)}


def tell_orders(situation: Situation, changed: AbstractSet[str], stamp: Stamp) -> list[Change]:
    """The Orders with an item at one of the changed Opportunities or below, where it shows another one than there is.

    Items that are cancelled stay as they were. RequestTooLargeError if an Order would take too much room.
    """
    changes: list[Change] = []
    for record in situation.records.values():
        if record.kind is not RecordKind.ORDER:
            continue
        moved = {
            item.number: replace(state, logistics_changed=True, replacement=current)
            for item, state in record.items()
            if not state.status.cancelled and (current := _as_it_is_now(situation, item, changed))
        }
        if moved:
            told = with_states(record, moved, stamp)
            check_record(record, told, situation.policy)
            changes.append(RecordSet(record.key, told))
    return changes


def _differs(known: Opportunity | None, new: Opportunity) -> bool:
    if known is None or known.withdrawn or known.parent != new.parent or known.inherited != new.inherited:
        return True
    if known.sale is not sale_when_published(known, new):
        return True
    return _logistics(known) != _logistics(new) or (new.type.has_children and _handed_down(known) != _handed_down(new))


def _handed_down(parent: Opportunity) -> tuple[Any, ...]:
    """What children may inherit; of Offers that is only what sessions do, for a facility has too many Slots."""
    offers = parent.offers if parent.type.gives_offers else ()
    return (parent.status, parent.start, parent.end, parent.properties.get("duration"), offers)


def _as_it_is_now(situation: Situation, item: OrderItem, changed: AbstractSet[str]) -> OrderItem | None:
    """The item with its Opportunity and parents as they are now, if that tells another name, time or place."""
    assert item.opportunity is not None  # noqa: S101 - booked items have one
    opportunity = situation.opportunities.get(item.opportunity.path)
    if opportunity is None:
        return None
    parents = situation.parents(opportunity)
    if changed.isdisjoint(member.path for member in (opportunity, *parents)):
        return None
    shown = [_logistics(member) for member in (item.opportunity, *item.parents)]
    if shown == [_logistics(member) for member in (opportunity, *parents)]:
        return None
    return item.at(opportunity, parents)


def _logistics(member: Opportunity) -> tuple[Any, ...]:
    """Name, place and time; the dates of a series only tell when its sessions begin and end, as each does itself."""
    described = tuple(member.properties.get(name) for name in _DESCRIBED_BY)
    return (*described, member.start, member.end) if member.type.bookable else described
