"""Invariants of every history of commands, checked without the rules of the code under test."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import OrderKey, PersonalData
from openbooking.booking.model.record import ItemState, OrderRecord, ProposalRecord, Record, RecordKind
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.cancellation_effects import SOLD_OUT
from openbooking.booking.rules.orders.pricing import current_totals
from openbooking.openactive.terms import EventStatus, OrderItemStatus, OrderProposalStatus

CANCELLED = (OrderItemStatus.CUSTOMER_CANCELLED, OrderItemStatus.SELLER_CANCELLED)
REJECTED = (OrderProposalStatus.SELLER_REJECTED, OrderProposalStatus.CUSTOMER_REJECTED)


class ItemView(NamedTuple):
    """The session, the price and the status of one item."""

    path: str
    price: Decimal
    status: OrderItemStatus


def items_of(record: Record) -> dict[int, ItemView]:
    """Return the items by number: as requested, as amended in a proposal, or as replaced after B."""
    if record.lease is not None:
        leased = ((item.opportunity, record.lease.terms[item.terms].offer.price) for item in record.lease.items)
        status = OrderItemStatus.CONFIRMED
        return {number: ItemView(path, price, status) for number, (path, price) in enumerate(leased, 1)}
    if record.order is None:
        return {}
    items = record.order.items
    if record.kind is RecordKind.PROPOSAL and record.proposal and record.proposal.items:
        items = record.proposal.items
    found = {}
    for position, item in enumerate(items):
        state = record.states[position] if record.states else ItemState()
        now = state.replacement or item
        assert now.opportunity is not None
        assert now.offer is not None
        found[item.number] = ItemView(now.opportunity.path, now.offer.price, state.status)
    return found


def cost(record: Record) -> Decimal:
    """Return the price of all items that are not cancelled; prices include tax."""
    return sum((item.price for item in items_of(record).values() if item.status not in CANCELLED), Decimal(0))


Taken = dict[str, dict[OrderKey, Spaces]]


def taken(state: Situation) -> Taken:
    """Return the booked and leased spaces of each Opportunity now, by the key of the Order."""
    found: Taken = {}
    for key, record in state.records.items():
        sold = record.kind is RecordKind.ORDER
        if not sold and not (record.lease_expires and record.lease_expires > state.now):
            continue
        for item in items_of(record).values():
            if item.status not in CANCELLED:
                holders = found.setdefault(item.path, {})
                held = holders.get(key, Spaces())
                holders[key] = Spaces(held.booked + sold, held.leased + (not sold))
    return found


def counted(state: Situation) -> dict[str, Spaces]:
    """Return the number of booked and leased spaces of each Opportunity."""
    return {
        path: Spaces(sum(held.booked for held in who.values()), sum(held.leased for held in who.values()))
        for path, who in taken(state).items()
    }


def free(state: Situation, path: str) -> int:
    """Return the number of spaces left; below 0 if the capacity was reduced below the number of spaces taken."""
    spaces, opportunity = counted(state).get(path, Spaces()), state.opportunities.get(path)
    return ((opportunity and opportunity.capacity) or 0) - spaces.booked - spaces.leased


def on_sale(state: Situation, path: str) -> bool:
    """Return whether a session exists and is on sale, and its series too."""
    family = [state.opportunities[path]] if path in state.opportunities else []
    family += [state.opportunities[one.parent] for one in family[:] if one.parent]
    return bool(family) and {(one.sale, one.withdrawn) for one in family} == {(SaleState.ON_SALE, False)}


def check(before: Situation, after: Situation) -> None:
    """Check what holds after every command, granted or refused."""
    assert {path: held for path, held in after.spaces.items() if held != Spaces()} == counted(after)
    _check_granted(before, after)
    _check_open_proposals(after)
    for key, record in before.records.items():
        assert record.kind is RecordKind.QUOTE or key in after.records
    for key, record in after.records.items():
        if record is not before.records.get(key):
            check_one(before.records.get(key), record)


def _check_open_proposals(after: Situation) -> None:
    """Check that no open proposal needs more spaces than are unsold (OB-APP-27)."""
    sold = {path: held.booked for path, held in counted(after).items()}
    for record in after.records.values():
        if record.kind is RecordKind.PROPOSAL and record.proposal and record.proposal.status not in REJECTED:
            wanted = Counter(item.path for item in items_of(record).values())
            for path, spaces in wanted.items():
                opportunity = after.opportunities.get(path)
                assert opportunity is None or spaces <= (opportunity.capacity or 0) - sold.get(path, 0)


def _check_granted(before: Situation, after: Situation) -> None:
    """Check that additional spaces are at an Opportunity that is scheduled, on sale and within its capacity.

    After a smaller capacity was published more spaces may be taken than exist; then nobody gets more.
    """
    had = taken(before)
    for path, who in taken(after).items():
        if any(_sum(held) > _sum(had.get(path, {}).get(key, Spaces())) for key, held in who.items()):
            opportunity = after.opportunities[path]
            assert opportunity.status is EventStatus.SCHEDULED
            assert on_sale(after, path)
            assert opportunity.end
            assert opportunity.end > after.now
            assert free(after, path) >= 0


def _sum(spaces: Spaces) -> int:
    return spaces.booked + spaces.leased


BECOMES: Mapping[RecordKind, tuple[RecordKind, ...]] = {
    RecordKind.QUOTE: (RecordKind.QUOTE, RecordKind.PROPOSAL, RecordKind.ORDER),
    RecordKind.PROPOSAL: (RecordKind.PROPOSAL, RecordKind.ORDER, RecordKind.DELETED),
    RecordKind.ORDER: (RecordKind.ORDER, RecordKind.DELETED),
    RecordKind.DELETED: (RecordKind.DELETED,),
}


def check_one(before: Record | None, after: Record) -> None:
    """What one record may become."""
    if isinstance(after, OrderRecord | ProposalRecord):
        assert current_totals(after).price == cost(after)
    if before is None:
        assert after.kind is not RecordKind.DELETED
        return
    assert after.kind in BECOMES[before.kind]
    if before.kind is RecordKind.PROPOSAL and after.kind is not RecordKind.DELETED:
        _check_proposal(before, after)
    if before.kind is after.kind is RecordKind.ORDER:
        was, now = items_of(before), items_of(after)
        assert now.keys() == was.keys()
        assert cost(after) <= cost(before)
        for number, item in now.items():
            assert item.price <= was[number].price
            assert item.status is was[number].status or was[number].status not in CANCELLED


def _check_proposal(before: Record, after: Record) -> None:
    """Check that a rejected proposal stays rejected, and that a booking is what was accepted."""
    assert before.proposal
    assert after.proposal
    if after.kind is RecordKind.ORDER:
        assert before.proposal.status is OrderProposalStatus.ACCEPTED
        assert after.proposal.version == before.proposal.version
        assert items_of(after) == items_of(before)
    elif before.proposal.status in REJECTED:
        assert after.proposal.status is before.proposal.status


def check_stamps(before: Situation, after: Situation, stamp: Stamp) -> None:
    """Check that changed records have the stamp of the command, and other records the stamps they had."""
    for key, record in after.records.items():
        known = before.records.get(key)
        if record.kind is RecordKind.QUOTE:
            assert _without_stamps(record) == record
        elif known is None or _without_stamps(known) != _without_stamps(record):
            by = _expected_stamp(known, record, stamp)
            assert record.changed == by
            _check_milestones(known, record, by)
        else:
            assert known == record


def _expected_stamp(before: Record | None, after: Record, stamp: Stamp) -> Stamp:
    """Return the stamp of the command, or that of the system if the proposal was rejected because it was sold out."""
    sold_out = Stamp(SOLD_OUT, stamp.at)
    turned_away = before and after.changed == sold_out and after.kind is before.kind is RecordKind.PROPOSAL
    if turned_away and after.proposal and after.proposal.status in REJECTED:
        return sold_out
    return stamp


def _personal(record: Record) -> PersonalData | None:
    return record.order.personal if record.order else None


def _check_milestones(before: Record | None, after: Record, stamp: Stamp) -> None:
    """Check the stamps of the states of the Order and its items."""
    kind = before and before.kind
    for became, was, now in (
        (RecordKind.PROPOSAL, before and before.proposed, after.proposed),
        (RecordKind.ORDER, before and before.booked, after.booked),
        (RecordKind.DELETED, before and before.deleted, after.deleted),
    ):
        assert now == (stamp if after.kind is became is not kind else was)
    had = _states(before) if before and before.kind is after.kind else {}
    for number, left in _states(after).items():
        state = left
        was_state = had.get(number, ItemState())
        if before and _personal(before) != _personal(after):
            # The erasure of personal data also erases texts. It is no change of the item.
            state, was_state = (
                replace(each, customer_notice=None, cancellation_message=None) for each in (state, was_state)
            )
        untouched = replace(state, changed=None) == replace(was_state, changed=None)
        assert state.changed == (was_state.changed if untouched else stamp)
        newly = state.status in CANCELLED and was_state.status not in CANCELLED
        assert state.cancelled == (stamp if newly else was_state.cancelled)
    if after.proposal and after.kind is RecordKind.PROPOSAL:
        fresh = replace(after.proposal, status=OrderProposalStatus.AWAITING, decided=None, amended=None)
        old = (before and before.proposal) or fresh
        decided = stamp if after.proposal.status is not OrderProposalStatus.AWAITING else None
        assert after.proposal.decided == (decided if after.proposal.status is not old.status else old.decided)
        offered = (after.proposal.version, after.proposal.items)
        assert after.proposal.amended == (old.amended if offered == (old.version, old.items) else stamp)


def _states(record: Record) -> dict[int, ItemState]:
    items = record.order.items if record.order else ()
    return {item.number: state for item, state in zip(items, record.states, strict=False)}


def _without_stamps(record: Record) -> Record:
    proposal = record.proposal and replace(record.proposal, decided=None, amended=None)
    states = tuple(replace(state, changed=None, cancelled=None) for state in record.states)
    stamps = dict.fromkeys(("proposed", "booked", "changed", "deleted"))
    without = {"proposal": proposal, "states": states, **stamps}
    return replace(record, **{name: value for name, value in without.items() if name in record.__struct_fields__})
