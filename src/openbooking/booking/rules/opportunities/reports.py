"""The reports of publishing and withdrawing: whether an Opportunity can be booked, and the effects on its Orders.

Imports and their trial runs print the reports.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity, applicable_offers
from openbooking.booking.model.order import OrderItem, OrderKey
from openbooking.booking.model.record import OrderRecord, ProposalRecord, Record
from openbooking.booking.model.report import AffectedOrders, OpportunityReport
from openbooking.booking.model.situation import Change, RecordSet, Situation
from openbooking.booking.rules.opportunities.bookability import Pair, why_not_bookable, why_wrong_quantity
from openbooking.booking.rules.opportunities.capacity import spaces_left
from openbooking.openactive.terms import OrderProposalStatus

_NO_ORDERS = AffectedOrders()


def why_not_bookable_now(situation: Situation, opportunity: Opportunity) -> str | None:
    """Return why the Opportunity cannot be booked now with any of its Offers, or None if it can be booked."""
    parents = situation.parents(opportunity)
    offers = applicable_offers(opportunity, parents)
    if not offers:
        return "It has no Offer that can be booked."
    seller = situation.sellers[opportunity.seller]
    reasons = [why_not_bookable(Pair(opportunity, offer, seller, parents), situation.now) for offer in offers]
    if None not in reasons:
        return reasons[0]
    if opportunity.capacity == 0:
        return "It has no spaces left."
    spaces = situation.spaces_taken(opportunity.path)
    left = spaces_left(opportunity, spaces)
    if left == 0:
        return f"It has no spaces left: {spaces.booked} are booked and {spaces.leased} are leased here."
    bookable = (offer for offer, reason in zip(offers, reasons, strict=True) if reason is None)
    too_few = [why_wrong_quantity(replace(offer, max_quantity=None), left or offer.min_quantity) for offer in bookable]
    return None if None in too_few else too_few[0]


def affected_orders(before: Situation, changes: Iterable[Change], paths: Collection[str]) -> dict[str, AffectedOrders]:
    """Return the Orders and OrderProposals that the changes affect, by the paths of the Opportunities.

    An item counts for its Opportunity. If the Opportunity is not in `paths`, the item counts for its nearest parent in
    `paths`.

    Args:
        before: The situation before the changes.
        changes: The changes of the command.
        paths: The paths of the reported Opportunities.
    """
    found: dict[str, dict[str, set[OrderKey]]] = defaultdict(lambda: defaultdict(set))
    for change in changes:
        if isinstance(change, RecordSet) and change.record is not None:
            for item, how in _affected_items(before.records.get(change.key), change.record):
                path = _path_among(paths, item)
                if path is not None:
                    found[path][how].add(change.key)
    return {
        path: AffectedOrders(**{how: frozenset(keys) for how, keys in effects.items()})
        for path, effects in found.items()
    }


def _orders_for(situation: Situation, path: str) -> frozenset[OrderKey]:
    """Return the keys of the Orders that have a space of the Opportunity."""
    orders = (record for record in situation.records.values() if isinstance(record, OrderRecord))
    return frozenset(record.key for record in orders if any(claim.opportunity == path for claim in record.claims()))


def withdrawal_report(situation: Situation, path: str, affected: AffectedOrders = _NO_ORDERS) -> OpportunityReport:
    """Return the report on an Opportunity that leaves the open feeds.

    Args:
        situation: The situation before the command.
        path: The path of the Opportunity.
        affected: The Orders and OrderProposals that the command changes. The Orders that do not change are added.
    """
    orders = replace(affected, kept=_orders_for(situation, path))
    return OpportunityReport(opportunity=situation.opportunities[path], orders=orders)


def _affected_items(known: Record | None, record: Record) -> Iterator[tuple[OrderItem, str]]:
    """Yield the changed items of a record, each with the field of AffectedOrders to which the change belongs."""
    if isinstance(record, ProposalRecord):
        if not _is_rejected(known) and _is_rejected(record):
            yield from ((item, "rejected") for item, _ in record.items())
        return
    before = {item.number: state for item, state in known.items()} if known else {}
    for item, state in record.items():
        was = before.get(item.number, state)
        if state.status.cancelled and not was.status.cancelled:
            yield item, "cancelled"
        elif state.replacement != was.replacement:
            yield item, "changed"


def _is_rejected(record: Record | None) -> bool:
    proposal = record.proposal if record else None
    return proposal is not None and proposal.status is OrderProposalStatus.SELLER_REJECTED


def _path_among(paths: Collection[str], item: OrderItem) -> str | None:
    members = (item.opportunity, *item.parents)
    return next((member.path for member in members if member and member.path in paths), None)
