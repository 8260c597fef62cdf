"""Publishing what is sold."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.errors import UnpayableOfferError
from openbooking.booking.model.opportunity import Opportunity, Seller, parents_among
from openbooking.booking.model.report import OpportunityReport, OrdersReached, Reports
from openbooking.booking.model.situation import (
    Change,
    Needs,
    OpportunitySet,
    SellerSet,
    Situation,
    evolve,
)
from openbooking.booking.rules.cancellation_effects import cancel_bookings, reject_without_spaces
from openbooking.booking.rules.capacity import max_spaces
from openbooking.booking.rules.inheritance import inherit, keep_cancellation
from openbooking.booking.rules.lifecycle import sale_when_published
from openbooking.booking.rules.logistics import changed_paths, update_orders
from openbooking.booking.rules.matching_keys import with_matching_keys
from openbooking.booking.rules.ownership import check_ownership, check_same_as_booked, check_source
from openbooking.booking.rules.payable import can_be_paid
from openbooking.booking.rules.prepayment import with_sound_prepayment
from openbooking.booking.rules.pricing import Pricing
from openbooking.booking.rules.reports import orders_reached, why_not_bookable_now
from openbooking.booking.rules.size_limits import check_published
from openbooking.openactive.errors import NotFoundError, SellerNotFoundError
from openbooking.openactive.terms import EventStatus


class PublishSeller(ActorCommand, frozen=True):
    """A Seller is added, or replaces what it was: from the same source, or by whoever runs the system."""

    stores_more: ClassVar[bool] = True

    seller: Seller

    def needs(self) -> Needs:
        """Nothing but the Seller itself."""
        return Needs(sellers=frozenset({self.seller.key}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Save it; it stays with the source that it came from first."""
        known = situation.sellers.get(self.seller.key)
        check_published(known, self.seller, situation.policy)
        if known is None:
            return Decision(reply=None, changes=(SellerSet(self.seller),))
        if self.seller.source:
            check_source(f"Seller {known.name}", self.seller.source, known.source)
        return Decision(reply=None, changes=(SellerSet(replace(self.seller, source=known.source)),))


class Publish(ActorCommand, frozen=True):
    """Opportunities and their parents are published: all of them or none.

    What was sold of them stays sold; but what is now cancelled is cancelled in every Order too, every Order tells of
    another name, time or place, and proposals for which there is no room any more are rejected. What is there already
    stays with its source and its Seller, and children with the Seller of their parent. What was unpublished stays so,
    whoever publishes it. `own_only` says that nobody has confirmed in whose name they are sold: then it is only in that
    of Sellers, and below parents, from where they come from. `keep_cancelled_here` says that what its Seller has
    cancelled here stays cancelled, because whoever publishes it may not know. `known_by_feed` are the paths of those
    that nothing but an `id` of their feed identifies, which it may give to another thing: while there are Orders for
    what shares neither name nor start with them, they are refused.
    """

    stores_more: ClassVar[bool] = True

    opportunities: tuple[Opportunity, ...]
    own_only: bool = False
    keep_cancelled_here: bool = False
    known_by_feed: frozenset[str] = frozenset()

    def needs(self) -> Needs:
        """The Opportunities as they are, their parents and Sellers, children that embed them, Orders they change."""
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

    def decide(self, situation: Situation) -> Decision[Reports]:
        """Refuse what names an unknown Seller or parent, or one path twice, what is unpayable, too large, or others'.

        The reply reports on each Opportunity.
        """
        self._check(situation)
        before, stamp = situation, self.stamp(situation)
        changes = list(self._published(situation))
        situation = _evolved(situation, changes)
        called_off = cancel_bookings(situation, _newly_off(before, situation), stamp)
        situation = _evolved(situation, called_off)
        told = update_orders(situation, changed_paths(before.opportunities, self.opportunities), stamp)
        situation = _evolved(situation, told)
        paths = [item.path for item in self.opportunities]
        rejected = reject_without_spaces(situation, paths, stamp)
        changes += (*called_off, *told, *rejected)
        return Decision(reply=_reports(before, _evolved(situation, rejected), changes, paths), changes=tuple(changes))

    def _check(self, situation: Situation) -> None:
        counted = Counter(opportunity.path for opportunity in self.opportunities)
        twice = [path for path, count in counted.items() if count > 1]
        if twice:
            raise NotFoundError(f"Published twice at once: {', '.join(twice)}.")
        known = {**situation.opportunities, **{item.path: item for item in self.opportunities}}
        for opportunity in self.opportunities:
            seller = situation.sellers.get(opportunity.seller)
            if seller is None:
                raise SellerNotFoundError(f"{opportunity.path} names an unknown Seller.")
            check_published(situation.opportunities.get(opportunity.path), opportunity, situation.policy)
            _check_prices(opportunity, seller)
            parent = known.get(opportunity.parent) if opportunity.parent else None
            if opportunity.parent and not parent:
                raise NotFoundError(f"{opportunity.path} names an unknown parent.")
            check_ownership(situation, opportunity, parent, own_only=self.own_only)
            if opportunity.path in self.known_by_feed:
                check_same_as_booked(situation, opportunity)

    def _published(self, situation: Situation) -> Iterator[Change]:
        """What is published, parents first, and stored children that inherit something else from now on."""
        known = situation.opportunities
        now = {**known, **{item.path: item for item in self.opportunities}}
        named = {item.path for item in self.opportunities}
        for path in sorted(now, key=lambda path: (len(parents_among(now, now[path])), path)):
            parents = parents_among(now, now[path])
            if path in named:
                kept = keep_cancellation(known.get(path), now[path], keep_cancelled_here=self.keep_cancelled_here)
                sale = sale_when_published(known.get(path), kept.sale)
                now[path] = _as_sold(replace(kept, sale=sale), parents, prepayment=situation.policy.prepayment)
            elif any(parent is not known.get(parent.path) for parent in parents):
                now[path] = inherit(now[path], parents)
            if now[path] != known.get(path) or path in named:
                yield OpportunitySet(now[path])

    def _cancelled(self) -> frozenset[str]:
        return frozenset(item.path for item in self.opportunities if item.status is EventStatus.CANCELLED)


def _check_prices(opportunity: Opportunity, seller: Seller) -> None:
    """Raise UnpayableOfferError for an Offer whose price can never be paid, or that does not tell in which currency."""
    for offer in opportunity.offers:
        if not can_be_paid(offer, Pricing(seller.tax_mode)) or (offer.price and offer.currency is None):
            raise UnpayableOfferError(f"Offer {offer.key} of {opportunity.path} has a price that cannot be paid.")


def _as_sold(opportunity: Opportunity, parents: tuple[Opportunity, ...], *, prepayment: bool) -> Opportunity:
    """The Opportunity with what it inherits, no more spaces than there can be, its venue, and sound Offers.

    They tell of prepayment only where this system supports it (OB-PREP-02), there is something to pay (OB-BKBL-21) and
    they can be booked in advance at all (OB-BKBL-23).
    """
    opportunity = inherit(opportunity, parents)
    offers = tuple(with_sound_prepayment(offer, supported=prepayment) for offer in opportunity.offers)
    capacity = max_spaces(opportunity, parents[0] if parents else None)
    return with_matching_keys(replace(opportunity, offers=offers, capacity=capacity))


def _evolved(situation: Situation, changes: Iterable[Change]) -> Situation:
    for change in changes:
        situation = evolve(situation, change)
    return situation


def _newly_off(before: Situation, after: Situation) -> frozenset[str]:
    """The paths of what is cancelled from now on, and of what is published as cancelled again."""
    return frozenset(
        path
        for path, member in after.opportunities.items()
        if member.status is EventStatus.CANCELLED and member is not before.opportunities.get(path)
    )


def _reports(before: Situation, after: Situation, changes: Sequence[Change], paths: Collection[str]) -> Reports:
    reached = orders_reached(before, changes, paths)
    return {
        path: OpportunityReport(
            opportunity=after.opportunities[path],
            why_not=why_not_bookable_now(after, after.opportunities[path]),
            orders=reached.get(path, OrdersReached()),
        )
        for path in paths
    }
