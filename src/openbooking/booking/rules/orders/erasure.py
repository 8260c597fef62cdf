"""Where the erasure of personal data is decided: when it is due or allowed, and which data is erased.

The Customer, attendees, answers, barcodes that the Broker sent and the fingerprint of the request are erased. The texts
of the Seller (notices, messages about cancellations, notes) are erased, too, because they may name the Customer. The
items, totals and tax of the Order stay, and its spaces stay sold. The setting `retention_days` says how long data is
kept after `retention_start`. The commands of `commands.erase_personal_data` erase the data of all Orders that are due,
and of one person in chosen Orders.
"""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import TypeVar

from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import Access, BookedItem, PersonalData, Proposal
from openbooking.booking.model.record import ItemState, OrderRecord, ProposalRecord, Record
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.search_terms import CUSTOMER


class SystemNote(StrEnum):
    """The notes about proposals that this system writes in place of the Seller; they hold no personal data."""

    TOO_LATE = "The proposal was not booked in time."
    NOT_TAKING_PLACE = "This does not take place."
    FULL = "There are no longer enough spaces for this."


_Personal = TypeVar("_Personal", OrderRecord, ProposalRecord)
_WithAccess = TypeVar("_WithAccess", BookedItem, ItemState)


def is_erasure_due(record: Record, over_before: datetime) -> bool:
    """Return whether the record is an Order with personal data and its retention period began by `over_before`."""
    since = retention_start(record)
    return since is not None and since <= over_before


def retention_start(record: Record) -> datetime | None:
    """Return when the retention period of an Order begins, or None for a record to which retention does not apply.

    The period begins at the end of the last session among the current items, or at B if no item has a date. Retention
    does not apply to Orders without personal data, nor to proposals: `lifecycle.close_proposal` erases the data of
    rejected proposals.
    """
    if not isinstance(record, OrderRecord) or record.order.personal is None:
        return None
    ends = (item.opportunity.over_at for item, _ in record.items())
    return max(filter(None, ends), default=record.order.personal.received_at)


def bookings_ahead(situation: Situation, record: OrderRecord, numbers: frozenset[int]) -> list[BookedItem]:
    """Return the current items that are neither over nor cancelled. What has no date is never ahead.

    Args:
        situation: The situation, with the present dates of Opportunities.
        record: The Order.
        numbers: The numbers of the items that count. With CUSTOMER among them, all items count.
    """
    ahead = []
    for item, state in record.items():
        if not {CUSTOMER, item.number} & numbers:
            continue
        opportunity = situation.opportunity_of(item)
        if opportunity.over_at and not opportunity.is_over(situation.now) and not state.status.cancelled:
            ahead.append(item.set_opportunity(opportunity, item.parents))
    return ahead


def describe_bookings(bookings: Iterable[tuple[OrderRecord, BookedItem]], zone: tzinfo) -> str:
    """Return a sentence for people that names bookings which are ahead, with their times in the time zone."""
    named = dict.fromkeys(f"{_describe_item(item, zone)} (booking {record.uuid})" for record, item in bookings)
    return f"Cancel these bookings first, or wait until they are over: {', '.join(named)}."


def describe_proposals(proposals: Iterable[ProposalRecord], zone: tzinfo) -> str:
    """Return a sentence for people that names open OrderProposals, with their times in the time zone."""
    named = [f"{_describe_item(record.items()[0][0], zone)} (proposal {record.uuid})" for record in proposals]
    return f"Reject these proposals first, or wait until they have ended: {', '.join(named)}."


def _describe_item(item: BookedItem, zone: tzinfo) -> str:
    names = (member.properties.get("name") for member in (item.opportunity, *item.parents))
    name = next((str(name) for name in names if name), item.opportunity.path)
    start = item.opportunity.start
    if start is None:
        return name
    local = start.astimezone(zone)
    return f"{name} on {local.day} {local:%B %Y} at {local:%H:%M}"


def erase_personal_data(record: _Personal, stamp: Stamp) -> _Personal:
    """Return the record without personal data and without texts of the Seller, with the stamp of the erasure."""
    order = replace(record.order, personal=None, items=_without_own_passes(record.order.items))
    erased = replace(record, order=order, fingerprint=None, erased=stamp)
    if isinstance(record, ProposalRecord):
        proposal = replace(_without_note(record.proposal), items=_without_own_passes(record.proposal.items))
        return replace(erased, proposal=proposal)
    # The proposal of a booked Order has no items (`lifecycle.new_order_record`).
    states = tuple(map(_erase_from_state, _without_own_passes(record.states)))
    return replace(erased, states=states, proposal=record.proposal and _without_note(record.proposal))


def erase_attendees(record: OrderRecord, numbers: frozenset[int]) -> OrderRecord:
    """Return the Order without the personal data of the attendees of some items. The data of the others stays.

    Answers to intake forms, barcodes that the Broker sent and texts of the Seller for these items are erased, too. The
    fingerprint of the request is erased, because with the data that stays a guess about the erased data could be
    confirmed by it.

    Args:
        record: The Order, with personal data.
        numbers: The numbers of the items.
    """
    order = record.order
    kept = (order.personal or PersonalData()).select_items({item.number for item in order.items} - numbers)
    items = tuple(_without_own_pass(item) if item.number in numbers else item for item in order.items)
    states = tuple(
        _erase_from_state(_without_own_pass(state)) if item.number in numbers else state
        for item, state in zip(order.items, record.states, strict=True)
    )
    order = replace(order, personal=replace(kept, fingerprint_key=""), items=items)
    return replace(record, order=order, fingerprint=None, states=states)


def _without_note(proposal: Proposal) -> Proposal:
    """Return the proposal without the Seller's note. A note of this system stays, because it names nobody."""
    return replace(proposal, seller_note=None) if has_note_of_seller(proposal) else proposal


def has_note_of_seller(proposal: Proposal) -> bool:
    """Return whether the last note was written by the Seller, and not by this system."""
    return proposal.seller_note is not None and proposal.seller_note not in set(SystemNote)


def _erase_from_state(state: ItemState) -> ItemState:
    """Return the state without texts and barcodes. Its stamps stay, because the item itself does not change."""
    state = replace(state, cancellation_message=None, customer_notice=None)
    if state.replacement is None:
        return state
    return replace(state, replacement=_without_own_pass(state.replacement))


def _without_own_passes(holders: tuple[_WithAccess, ...]) -> tuple[_WithAccess, ...]:
    """Return the items or states without the barcodes that the Broker sent."""
    return tuple(map(_without_own_pass, holders))


def _without_own_pass(holder: _WithAccess) -> _WithAccess:
    return replace(holder, access=_access_without_own_passes(holder.access)) if holder.access else holder


def _access_without_own_passes(access: Access) -> Access | None:
    granted = replace(access, own_passes=())
    return None if granted == Access() else granted
