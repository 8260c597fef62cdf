"""How many spaces a quote or proposal may hold, for how long, and with which terms (OB 5.4.3, AMB-72, AMB-73).

A Lease guarantees its terms for the spaces that it holds. If it holds n spaces of an Opportunity with an Offer, the
first n items with this Opportunity and Offer, by position, have the leased terms. Further items have the current terms.

Bounds limit how many spaces a Booking Partner holds before it books; they never limit its bookings.

Where holds end: `commands.quote` sets the end of a Lease, `commands.propose` the end of the hold and the lifetime of an
OrderProposal, and `commands.expire_leases` removes ended Leases.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import HoldingBound, Lease, LeasedItem, LeasedTerms, Order, OrderItem, OrderKey
from openbooking.booking.model.order_request import ItemRequest
from openbooking.booking.model.policy import HoldingBounds
from openbooking.booking.model.record import QuoteRecord, Record
from openbooking.booking.model.situation import Holdings, Situation
from openbooking.openactive.ids import OfferRef

# For this time a UUID gets no new Lease after it has used up its hold time (`HoldingBounds.quote_duration`).
SPENT_FOR = timedelta(days=1)


def guaranteed_terms(
    situation: Situation, own: Record | None, items: Sequence[ItemRequest], *, renews: bool
) -> Mapping[int, LeasedTerms]:
    """Return the terms that the Lease guarantees to the items of a request, by their numbers (OB-LEASE-10).

    A quote with a dynamic payment guarantees nothing, because it has no prices. An OfferOverride is not guaranteed,
    because the Broker sends it again with each request.

    Args:
        situation: The situation of the decision.
        own: The record behind the UUID of the request.
        items: The requested items.
        renews: Whether the request extends the Lease. In this case terms that are older than
            `Policy.guarantee_duration` are not guaranteed.
    """
    if own is None or own.lease is None or not situation.holds_spaces(own) or (own.payment and own.payment.dynamic):
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


def lease_of(quote: Order, guaranteed: Mapping[int, LeasedTerms], since: datetime, now: datetime) -> Lease:
    """Return the Lease of a quote. Items without guaranteed terms are leased with their current terms.

    Args:
        quote: The quote.
        guaranteed: The guaranteed terms, by the numbers of the items.
        since: When the UUID began to hold spaces.
        now: The time of the decision.
    """
    table: dict[tuple[OfferRef, datetime], list[int]] = defaultdict(list)
    terms: list[LeasedTerms] = []
    leased: list[LeasedItem] = []
    for item in sorted(quote.items, key=lambda item: item.position or 0):
        if item.opportunity is None or item.offer is None:
            continue
        found = guaranteed.get(item.number) or LeasedTerms(offer=item.offer, since=now)
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


def still_wanted_spaces(lease: Lease, items: Sequence[OrderItem]) -> tuple[LeasedItem, ...]:
    """Return the leased spaces that the items still need.

    Items are matched with leased spaces by Opportunity and Offer first, and then by Opportunity alone.
    """
    references = [(item.opportunity.path, item.offer.ref) for item in items if item.opportunity and item.offer]
    by_offer, by_path = Counter(references), Counter(path for path, _ in references)
    kept: set[int] = set()
    for same_offer in (True, False):
        for index, leased in enumerate(lease.items):
            reference = (leased.opportunity, lease.terms_of(leased).offer.ref)
            wanted = by_path[leased.opportunity] > 0 and (by_offer[reference] > 0 or not same_offer)
            if wanted and index not in kept:
                kept.add(index)
                by_path[leased.opportunity] -= 1
                by_offer[reference] -= 1
    return tuple(leased for index, leased in enumerate(lease.items) if index in kept)


def is_spent(situation: Situation, own: Record | None) -> bool:
    """Return whether the UUID of the record has used up its hold time, so that it gets no new Lease for a day."""
    if not isinstance(own, QuoteRecord):
        return False
    if own.lease is None:
        return own.spent_until is not None and own.spent_until > situation.now
    longest = own.lease.since + situation.policy.bounds.quote_duration
    held_until = situation.now if situation.holds_spaces(own) else own.lease_expires
    return held_until is not None and held_until >= longest


def bound_of_quote(
    situation: Situation, key: OrderKey, seller: str, items: Sequence[ItemRequest], terms: GrantTerms
) -> HoldingBound | None:
    """Return the bound that keeps a quote of these items from holding spaces, or None if it may hold them."""
    own, bounds = situation.records.get(key), situation.policy.bounds
    if is_spent(situation, own):
        return HoldingBound.TIME
    if _exceeds_share(situation, key, Counter(item.opportunity for item in items if item.opportunity)):
        return HoldingBound.SHARE
    all_, here = _holdings(situation, key.partner, seller)
    if not situation.holds_spaces(own) and _exceeds(all_.quotes, bounds.quotes, here.quotes, terms.open_quotes):
        return HoldingBound.OPEN_QUOTES
    return HoldingBound.BYTES if all_.size >= bounds.bytes else None


def bound_of_proposal(situation: Situation, key: OrderKey, order: Order, terms: GrantTerms) -> HoldingBound | None:
    """Return the bound that keeps a proposal from holding spaces, or None if it may hold them."""
    if _exceeds_share(situation, key, Counter(item.opportunity.path for item in order.items if item.opportunity)):
        return HoldingBound.SHARE
    all_, here = _holdings(situation, key.partner, order.seller.key)
    most = situation.policy.bounds.proposals
    return HoldingBound.OPEN_PROPOSALS if _exceeds(all_.proposals, most, here.proposals, terms.open_proposals) else None


def _holdings(situation: Situation, partner: str, seller: str) -> tuple[Holdings, Holdings]:
    """Return the holdings of a partner with all Sellers, and those with one Seller."""
    by_seller = situation.holdings.get(partner, {})
    all_ = Holdings(
        quotes=sum(held.quotes for held in by_seller.values()),
        proposals=sum(held.proposals for held in by_seller.values()),
        size=sum(held.size for held in by_seller.values()),
    )
    return all_, by_seller.get(seller, Holdings())


def _exceeds(held: int, most: int, held_here: int, most_here: int | None) -> bool:
    """Return whether one more quote or proposal would exceed the setting, or the terms with the Seller.

    Args:
        held: The number with all Sellers.
        most: The largest such number, by the settings.
        held_here: The number with the Seller.
        most_here: The largest such number, by the terms; None for no limit.
    """
    return held >= most or (most_here is not None and held_here >= most_here)


def _exceeds_share(situation: Situation, key: OrderKey, wanted: Mapping[str, int]) -> bool:
    own = situation.records.get(key)
    held_here = (
        {claim.opportunity: claim.spaces for claim in own.claims()} if own and situation.holds_spaces(own) else {}
    )
    for path, spaces in wanted.items():
        most = _most_held(situation.opportunities.get(path), situation.policy.bounds)
        elsewhere = situation.held.get((path, key.partner), 0) - held_here.get(path, 0)
        if most is not None and elsewhere + spaces > most:
            return True
    return False


def _most_held(opportunity: Opportunity | None, bounds: HoldingBounds) -> int | None:
    """Return how many spaces of the Opportunity one partner may hold, or None for any number."""
    if opportunity is None or opportunity.capacity is None or opportunity.capacity <= bounds.share_above:
        return None
    return int(opportunity.capacity * bounds.share)
