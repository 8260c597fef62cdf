"""The spaces that a quote or proposal may hold, for how long, and at which terms (OB 5.4.3, AMB-72, AMB-73).

A Lease guarantees its terms to the spaces that it holds. The first n items of an Opportunity and Offer pair, by
position, take the n leased terms; further items take the terms of the moment. Bounds limit what one Booking Partner
holds without buying it. They never limit what it can book.
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from openbooking.booking.grant_terms import GrantTerms
from openbooking.booking.opportunity import Opportunity
from openbooking.booking.order import (
    HoldingBound,
    ItemRequest,
    Lease,
    LeasedItem,
    LeasedTerms,
    Order,
    OrderItem,
    OrderKey,
)
from openbooking.booking.policy import HoldingBounds
from openbooking.booking.record import Record, RecordKind
from openbooking.booking.situation import Holdings, Situation
from openbooking.spec.ids import OfferRef

# How long a UUID that has used up its hold time gets no new Lease.
SPENT_FOR = timedelta(days=1)


def guaranteed_terms(
    situation: Situation, own: Record | None, items: Sequence[ItemRequest], *, renews: bool
) -> Mapping[int, LeasedTerms]:
    """The leased terms that items of a request keep, by item number (OB-LEASE-10).

    A quote that `renews` the Lease keeps terms only for as long as the policy guarantees them. A dynamic quote has no
    price to guarantee, and an Offer override is named again in each request.
    """
    if own is None or own.lease is None or not situation.live(own) or (own.payment and own.payment.dynamic):
        return {}
    oldest = situation.now - situation.policy.guarantee_duration if renews else None
    left: dict[tuple[str, OfferRef], deque[LeasedTerms]] = defaultdict(deque)
    for leased in own.lease.items:
        terms = own.lease.terms_of(leased)
        if not terms.offer.override and (oldest is None or terms.since > oldest):
            left[leased.opportunity, terms.offer.ref].append(terms)
    kept: dict[int, LeasedTerms] = {}
    for number, item in sorted(enumerate(items, 1), key=lambda numbered: numbered[1].position):
        if item.opportunity and item.offer and left.get((item.opportunity, item.offer)):
            kept[number] = left[item.opportunity, item.offer].popleft()
    return kept


def lease_of(
    quote: Order, items: Sequence[OrderItem], kept: Mapping[int, LeasedTerms], since: datetime, now: datetime
) -> Lease:
    """The Lease of these items of a quote, at the terms that they keep, or at those quoted now."""
    table: dict[tuple[OfferRef, datetime], list[int]] = defaultdict(list)
    terms: list[LeasedTerms] = []
    leased: list[LeasedItem] = []
    for item in items:
        if item.opportunity is None or item.offer is None:
            continue
        found = kept.get(item.number) or LeasedTerms(offer=item.offer, since=now)
        alike = table[found.offer.ref, found.since]
        index = next((index for index in alike if terms[index].offer == found.offer), None)
        if index is None:
            index = len(terms)
            terms.append(found)
            alike.append(index)
        leased.append(LeasedItem(item.opportunity.path, index))
    return Lease(
        since=since,
        items=tuple(leased),
        terms=tuple(terms),
        broker_role=quote.broker_role,
        broker=quote.broker,
        payment=quote.payment,
        tax=quote.tax,
    )


def items_held_before(quote: Order, lease: Lease) -> tuple[OrderItem, ...]:
    """The items of a quote for which the Lease holds a space already, by position."""
    left: dict[str, int] = defaultdict(int)
    for leased in lease.items:
        left[leased.opportunity] += 1
    held: set[int] = set()
    for item in sorted(quote.items, key=lambda item: item.position or 0):
        path = item.opportunity.path if item.opportunity else ""
        if left[path] > 0:
            left[path] -= 1
            held.add(item.number)
    return tuple(item for item in quote.items if item.number in held)


def is_spent(situation: Situation, own: Record | None) -> bool:
    """Whether the UUID has held spaces for as long as it may."""
    if own is None or own.kind is not RecordKind.QUOTE:
        return False
    if own.lease is None:
        return own.spent_until is not None and own.spent_until > situation.now
    longest = own.lease.since + situation.policy.bounds.quote_duration
    held_until = situation.now if situation.live(own) else own.lease_expires
    return held_until is not None and held_until >= longest


def bound_reached(situation: Situation, key: OrderKey, order: Order, terms: GrantTerms) -> HoldingBound | None:
    """The bound that keeps a quote or proposal from being held, or None if it may be held.

    The `terms` with the Seller may replace the policy's numbers of open quotes and proposals.
    """
    own = situation.records.get(key)
    bounds = replace(
        situation.policy.bounds,
        quotes=situation.policy.bounds.quotes if terms.open_quotes is None else terms.open_quotes,
        proposals=situation.policy.bounds.proposals if terms.open_proposals is None else terms.open_proposals,
    )
    if order.proposal is None and is_spent(situation, own):
        return HoldingBound.TIME
    if _exceeds_share(situation, key, order):
        return HoldingBound.SHARE
    return _open_bound(situation.holdings.get(key.partner, Holdings()), bounds, own, order)


def _open_bound(holdings: Holdings, bounds: HoldingBounds, own: Record | None, order: Order) -> HoldingBound | None:
    """The bound on all that the partner has open; a quote with a Lease is counted in it already."""
    if order.proposal is not None:
        return HoldingBound.OPEN_PROPOSALS if holdings.proposals >= bounds.proposals else None
    if own is not None and own.lease is not None:
        return None
    if holdings.quotes >= bounds.quotes:
        return HoldingBound.OPEN_QUOTES
    return HoldingBound.BYTES if holdings.size >= bounds.bytes else None


def _exceeds_share(situation: Situation, key: OrderKey, order: Order) -> bool:
    held_here = situation.spaces_held(situation.records.get(key))
    wanted: dict[str, int] = defaultdict(int)
    found: dict[str, Opportunity] = {}
    for item in order.items:
        if item.opportunity:
            wanted[item.opportunity.path] += 1
            found[item.opportunity.path] = item.opportunity
    for path, spaces in wanted.items():
        most = _most_held(found[path], situation.policy.bounds)
        elsewhere = situation.held.get((path, key.partner), 0) - held_here.get(path, 0)
        if most is not None and elsewhere + spaces > most:
            return True
    return False


def _most_held(opportunity: Opportunity, bounds: HoldingBounds) -> int | None:
    """How many spaces of the Opportunity one partner may hold; None for any number."""
    if opportunity.capacity is None or opportunity.capacity <= bounds.share_above:
        return None
    return int(opportunity.capacity * bounds.share)
