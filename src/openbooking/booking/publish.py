"""Publishing and withdrawing what is sold."""

from collections import Counter

from msgspec.structs import replace

from openbooking.booking.called_off import call_off, reject_for, turn_away
from openbooking.booking.capacity import most_places
from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.delete import stub
from openbooking.booking.logistics import changed_paths, tell_orders
from openbooking.booking.opportunity import Offer, Opportunity, Seller, sale_when_published
from openbooking.booking.ownership import check_ownership, check_source
from openbooking.booking.payable import can_be_paid
from openbooking.booking.policy import Policy
from openbooking.booking.pricing import Pricing
from openbooking.booking.record import RecordKind
from openbooking.booking.situation import (
    Change,
    Needs,
    OpportunityRemoved,
    OpportunitySet,
    RecordSet,
    SellerSet,
    Situation,
    evolve,
)
from openbooking.booking.whereabouts import with_whereabouts
from openbooking.spec.errors import NotFoundError, OpenBookingError, SellerNotFoundError
from openbooking.spec.terms import Availability, EventStatus


class PublishSeller(ActorCommand, frozen=True):
    """A Seller is added, or replaces what it was: from the same source, or by whoever runs the system."""

    seller: Seller

    def needs(self, policy: Policy) -> Needs:
        """Nothing but the Seller itself."""
        del policy
        return Needs(sellers=frozenset({self.seller.key}))

    def decide(self, situation: Situation) -> Decision:
        """Save it; it stays with the source that it came from first."""
        known = situation.sellers.get(self.seller.key)
        if known is None:
            return Decision(changes=(SellerSet(self.seller),))
        if self.seller.source:
            check_source(f"Seller {known.name}", self.seller.source, known.source)
        return Decision(changes=(SellerSet(replace(self.seller, source=known.source)),))


class Publish(ActorCommand, frozen=True):
    """Opportunities and their parents are published: all of them or none.

    What was sold of them stays sold; but what is now cancelled is cancelled in every Order too, every Order tells of
    another name, time or place, and proposals for which there is no room any more are rejected. What is there already
    stays with its source and its Seller, and children with the Seller of their parent. What was unpublished stays so,
    whoever publishes it. `own_only` says that nobody has confirmed in whose name they are sold: then it is only in that
    of Sellers, and below parents, from where they come from.
    """

    opportunities: tuple[Opportunity, ...]
    own_only: bool = False

    def needs(self, policy: Policy) -> Needs:
        """The Opportunities as they are, their parents and Sellers, children that embed them, Orders they change."""
        del policy
        paths = {opportunity.path for opportunity in self.opportunities}
        parents = {opportunity.parent for opportunity in self.opportunities if opportunity.parent}
        return Needs(
            opportunities=frozenset(paths | parents),
            children=frozenset(item.path for item in self.opportunities if item.type.embedded),
            claims_on=self._cancelled(),
            announced=self.opportunities,
            proposed_at=frozenset(item.path for item in self.opportunities if item.capacity is not None),
            sellers=frozenset(opportunity.seller for opportunity in self.opportunities),
        )

    def decide(self, situation: Situation) -> Decision:
        """Refuse what names an unknown Seller or parent, or one path twice, what nobody can pay, what is others'."""
        counted = Counter(opportunity.path for opportunity in self.opportunities)
        twice = [path for path, count in counted.items() if count > 1]
        if twice:
            raise NotFoundError(f"Published twice at once: {', '.join(twice)}.")
        known = {**situation.opportunities, **{item.path: item for item in self.opportunities}}
        for opportunity in self.opportunities:
            seller = situation.sellers.get(opportunity.seller)
            if seller is None:
                raise SellerNotFoundError(f"{opportunity.path} names an unknown Seller.")
            _check_prices(opportunity, seller)
            parent = known.get(opportunity.parent) if opportunity.parent else None
            if opportunity.parent and not parent:
                raise NotFoundError(f"{opportunity.path} names an unknown parent.")
            check_ownership(situation, opportunity, parent, own_only=self.own_only)
        prepayment = situation.policy.prepayment
        changes: list[Change] = [
            OpportunitySet(
                replace(
                    _as_sold(item, known.get(item.parent or ""), prepayment=prepayment),
                    sale=sale_when_published(situation.opportunities.get(item.path), item),
                )
            )
            for item in self.opportunities
        ]
        stamp = self.stamp(situation)
        changes += call_off(situation, self._cancelled(), stamp)
        changed = changed_paths(situation.opportunities, self.opportunities)
        for change in changes:
            situation = evolve(situation, change)
        told = tell_orders(situation, changed, stamp)
        return Decision(changes=(*changes, *told, *turn_away(situation, counted, stamp)))

    def _cancelled(self) -> frozenset[str]:
        return frozenset(item.path for item in self.opportunities if item.status is EventStatus.CANCELLED)


def _check_prices(opportunity: Opportunity, seller: Seller) -> None:
    """Raise OpenBookingError for an Offer whose price can never be paid, or that does not tell in which currency."""
    for offer in opportunity.offers:
        if not can_be_paid(offer, Pricing(seller.tax_mode)) or (offer.price and offer.currency is None):
            raise OpenBookingError(f"Offer {offer.key} of {opportunity.path} has a price that cannot be paid.")


def _as_sold(opportunity: Opportunity, parent: Opportunity | None, *, prepayment: bool) -> Opportunity:
    """The Opportunity with no more places than there can be, its venue, and Offers that do not contradict themselves.

    They tell of prepayment only where this system supports it (OB-PREP-02), there is something to pay (OB-BKBL-21) and
    they can be booked in advance at all (OB-BKBL-23).
    """
    offers = tuple(
        offer if prepayment and offer.price and offer.in_advance is not Availability.UNAVAILABLE else _silent(offer)
        for offer in opportunity.offers
    )
    return with_whereabouts(replace(opportunity, offers=offers, capacity=most_places(opportunity, parent)))


def _silent(offer: Offer) -> Offer:
    return replace(offer, prepayment=None)


class Withdraw(ActorCommand, frozen=True, kw_only=True):
    """Everything from these sources is withdrawn but what is to `keep`, with all that lies below it.

    With `orders`, the Orders for it are deleted too; else they stay, and their places stay taken should it come back.
    """

    sources: frozenset[str]
    keep: frozenset[str] = frozenset()
    orders: bool = False

    def needs(self, policy: Policy) -> Needs:
        """All Opportunities of the sources and below, with the records that claim them."""
        del policy
        return Needs(sources=self.sources)

    def decide(self, situation: Situation) -> Decision:
        """Remove the Opportunities; quotes for them end."""
        gone, stamp = self._gone(situation), self.stamp(situation)
        changes: list[Change] = []
        for record in situation.records.values():
            if not any(claim.opportunity in gone for claim in record.claims()):
                continue
            if record.kind is RecordKind.QUOTE:
                changes.append(RecordSet(record.key, None))
            elif self.orders:
                changes.append(RecordSet(record.key, stub(record, stamp)))
            else:
                changes.extend(reject_for(situation, record, gone, stamp))
        changes.extend(OpportunityRemoved(path) for path in sorted(gone))
        return Decision(changes=tuple(changes))

    def _gone(self, situation: Situation) -> set[str]:
        opportunities = situation.opportunities
        found = {path for path, item in opportunities.items() if item.source in self.sources} - self.keep
        gone: set[str] = set()
        while found:
            gone |= found
            found = {path for path, item in opportunities.items() if item.parent in found} - gone
        return gone


class GetOpportunity(ActorCommand, frozen=True):
    """An Opportunity as it is published."""

    path: str

    def needs(self, policy: Policy) -> Needs:
        """The Opportunity."""
        del policy
        return Needs(opportunities=frozenset({self.path}), look_first=True)

    def decide(self, situation: Situation) -> Decision:
        """Answer with it, or raise NotFoundError."""
        opportunity = situation.opportunities.get(self.path)
        if opportunity is None:
            raise NotFoundError("There is no such Opportunity.")
        return Decision(reply=opportunity)
