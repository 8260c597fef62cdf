"""Publish Sellers and Opportunities, and change the Orders and OrderProposals for them."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.commands.opportunities.timetable import revised
from openbooking.booking.model.activity import Action
from openbooking.booking.model.errors import SellerChangedError, UnpayableOfferError
from openbooking.booking.model.opportunity import CourtTime, Opportunity, Seller, parents_among
from openbooking.booking.model.report import AffectedOrders, OpportunityReport, Reports
from openbooking.booking.model.situation import (
    Change,
    EntrySet,
    Needs,
    OpportunitySet,
    SellerSet,
    Situation,
    evolve_all,
)
from openbooking.booking.model.timetable import Described
from openbooking.booking.rules.opportunities.cancellation_effects import cancel_bookings, reject_without_spaces
from openbooking.booking.rules.opportunities.capacity import court_of, max_spaces
from openbooking.booking.rules.opportunities.inheritance import inherit, keep_cancellation
from openbooking.booking.rules.opportunities.logistics import changed_paths, update_orders
from openbooking.booking.rules.opportunities.matching_keys import set_matching_keys
from openbooking.booking.rules.opportunities.ownership import check_ownership, check_same_as_booked, check_source
from openbooking.booking.rules.opportunities.reports import affected_orders, why_not_bookable_now
from openbooking.booking.rules.opportunities.sale_states import keep_over, publish_sale_state
from openbooking.booking.rules.orders.prepayment import drop_invalid_prepayment
from openbooking.booking.rules.orders.pricing import Pricing, can_be_paid
from openbooking.booking.rules.size_limits import check_published
from openbooking.openactive.errors import NotFoundError, SellerNotFoundError
from openbooking.openactive.terms import EventStatus


class PublishSeller(ActorCommand, frozen=True):
    """Add or replace a Seller. Only the source of its first publication or an administrator can replace a Seller.

    Attributes:
        seller: The Seller.
        expected: The stored Seller as the actor saw it before the decision; None to replace any version.
    """

    stores_more: ClassVar[bool] = True

    seller: Seller
    expected: Seller | None = None

    @property
    def action(self) -> Action:
        """The kind of its entry in the activity log."""
        return Action.SELLER_CHANGED

    def needs(self) -> Needs:
        """Return the Seller and its timetable."""
        key = frozenset({self.seller.key})
        return Needs(changed_sellers=key, timetables=key)

    def decide(self, situation: Situation) -> Decision[None]:
        """Store the Seller. The source of its first publication does not change.

        If its web page changes, the entries of its timetable without one of their own are published again.

        Raises:
            BelongsToAnotherError: The Seller belongs to another source.
            RequestTooLargeError: The Seller takes too many bytes.
            SellerChangedError: The stored Seller is not the expected one.
        """
        known = situation.sellers.get(self.seller.key)
        if self.expected is not None and known != self.expected:
            raise SellerChangedError
        check_published(known, self.seller, situation.policy)
        if known is None:
            return Decision(reply=None, changes=(SellerSet(self.seller),))
        if self.seller.source:
            check_source(f"Seller {known.name}", self.seller.source, known.source)
        stored = SellerSet(replace(self.seller, source=known.source))
        return Decision(reply=None, changes=(stored, *self._with_web_page(known, situation)))

    def _with_web_page(self, known: Seller, situation: Situation) -> Iterator[EntrySet]:
        """Yield the changes of the entries of the timetable that have the web page of the Seller, if it changes."""
        if known.properties.get("url") == self.seller.properties.get("url"):
            return
        for key, entry in situation.timetable.items():
            if isinstance(entry.rule, Described) and not entry.rule.url and not entry.ended:
                yield EntrySet(key, revised(entry, self.actor))


class Publish(ActorCommand, frozen=True):
    """Publish Opportunities and their parents: all of them, or none of them.

    Effects on Orders and OrderProposals: Sold spaces stay sold. A cancelled Opportunity is cancelled in all Orders. All
    Orders show a new name, time or location. OrderProposals for which too few spaces are unsold are rejected.

    Rules of publication: An Opportunity stays with its source and its Seller. A child has the Seller of its parent. An
    unpublished Opportunity stays unpublished.

    Attributes:
        opportunities: The Opportunities.
        own_only: Whether the Seller and the parents must have the same publisher as the Opportunity. It is True if
            nobody has confirmed the Seller.
        keep_cancelled_here: Whether an Opportunity that its Seller cancelled here stays cancelled. It is True if the
            publisher may not know of the cancellation.
        known_by_feed: The paths of Opportunities with an `id` that their feed may use again for another Opportunity.
            They are refused if an Order with the path has another name and another start.
        without_over: Whether an Opportunity that would leave the open feeds by now is left out, unless it is stored.
            The reports do not name it.
    """

    stores_more: ClassVar[bool] = True

    opportunities: tuple[Opportunity, ...]
    own_only: bool = False
    keep_cancelled_here: bool = False
    known_by_feed: frozenset[str] = frozenset()
    without_over: bool = False

    def needs(self) -> Needs:
        """Return the stored Opportunities, their parents, children and Sellers, and the records that they affect."""
        paths = {opportunity.path for opportunity in self.opportunities}
        parents = {opportunity.parent for opportunity in self.opportunities if opportunity.parent}
        return Needs(
            opportunities=frozenset(paths | parents),
            children=frozenset(item.path for item in self.opportunities if item.type.embedded),
            claims_on=self._cancelled_paths(),
            announced=self.opportunities,
            court_times=self._court_times(),
            proposed_at=frozenset(item.path for item in self.opportunities if item.capacity is not None),
            sellers=frozenset(opportunity.seller for opportunity in self.opportunities),
        )

    def decide(self, situation: Situation) -> Decision[Reports]:
        """Publish the Opportunities, and report on each of them.

        Raises:
            NotFoundError: A parent is unknown, or two of the Opportunities have the same path.
            SellerNotFoundError: A Seller is unknown.
            UnpayableOfferError: The price of an Offer cannot be paid.
            BelongsToAnotherError: An Opportunity belongs to another source or Seller.
            IdReusedError: A feed uses the `id` of a booked Opportunity for another Opportunity.
            RequestTooLargeError: An Opportunity, or an Order that changes, takes too many bytes.
        """
        if self.without_over:
            return replace(self, opportunities=self._wanted(situation), without_over=False).decide(situation)
        self._check(situation)
        before, stamp = situation, self.stamp(situation)
        changes = list(self._publications(situation))
        situation = evolve_all(situation, changes)
        cancelled = cancel_bookings(situation, _newly_cancelled_paths(before, situation), stamp)
        situation = evolve_all(situation, cancelled)
        updated = update_orders(situation, changed_paths(before.opportunities, self.opportunities), stamp)
        situation = evolve_all(situation, updated)
        paths = [item.path for item in self.opportunities]
        rejected = reject_without_spaces(situation, paths, stamp)
        changes += (*cancelled, *updated, *rejected)
        situation = evolve_all(situation, rejected)
        return Decision(reply=_reports(before, situation, changes, paths), changes=tuple(changes))

    def _wanted(self, situation: Situation) -> tuple[Opportunity, ...]:
        """Return the Opportunities without those that are over and not stored."""
        return tuple(
            item
            for item in self.opportunities
            if _is_stored(situation, item.path) or not _has_left(item, situation.now)
        )

    def _check(self, situation: Situation) -> None:
        counted = Counter(opportunity.path for opportunity in self.opportunities)
        twice = [path for path, count in counted.items() if count > 1]
        if twice:
            raise NotFoundError(f"Published twice in one command: {', '.join(twice)}.")
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

    def _publications(self, situation: Situation) -> Iterator[Change]:
        """Yield the published Opportunities, parents first, and the stored children that inherit new properties."""
        known = situation.opportunities
        now = {**known, **{item.path: item for item in self.opportunities}}
        named = {item.path for item in self.opportunities}
        for path in sorted(now, key=lambda path: (len(parents_among(now, now[path])), path)):
            parents = parents_among(now, now[path])
            if path in named:
                kept = keep_cancellation(known.get(path), now[path], keep_cancelled_here=self.keep_cancelled_here)
                kept = publish_sale_state(known.get(path), keep_over(known.get(path), kept, situation.now))
                prepared = _prepare_for_sale(kept, parents, prepayment=situation.policy.prepayment)
                now[path] = _set_published_late(known.get(path), prepared, situation.now)
            elif any(parent is not known.get(parent.path) for parent in parents):
                now[path] = inherit(now[path], parents)
            if now[path] != known.get(path) or path in named:
                yield OpportunitySet(now[path])

    def _court_times(self) -> frozenset[CourtTime]:
        """Return the times for which the published Slots will take their courts."""
        slots = (replace(item, court=court_of(item)) for item in self.opportunities)
        return frozenset(slot.court_time for slot in slots if slot.court_time)

    def _cancelled_paths(self) -> frozenset[str]:
        return frozenset(item.path for item in self.opportunities if item.status is EventStatus.CANCELLED)


def _is_stored(situation: Situation, path: str) -> bool:
    known = situation.opportunities.get(path)
    return known is not None and not known.withdrawn


def _has_left(opportunity: Opportunity, now: datetime) -> bool:
    """Return whether an Opportunity would leave the open feeds by now, if it were published when it ended."""
    leaves_at = opportunity.leaves_feed_at
    return leaves_at is not None and leaves_at <= now


def _check_prices(opportunity: Opportunity, seller: Seller) -> None:
    """Raise UnpayableOfferError if the price of an Offer cannot be paid, or has no currency."""
    for offer in opportunity.offers:
        if not can_be_paid(offer, Pricing(seller.tax_mode)) or (offer.price and offer.currency is None):
            raise UnpayableOfferError(f"Offer {offer.key} of {opportunity.path} has a price that cannot be paid.")


def _set_published_late(known: Opportunity | None, opportunity: Opportunity, now: datetime) -> Opportunity:
    """Return the Opportunity, with the time of its last publication with a change if it is over by then."""
    if not opportunity.is_over(now):
        return opportunity
    repeated = known is not None and replace(opportunity, published_late=known.published_late) == known
    return replace(opportunity, published_late=known.published_late if known and repeated else now)


def _prepare_for_sale(opportunity: Opportunity, parents: tuple[Opportunity, ...], *, prepayment: bool) -> Opportunity:
    """Return the Opportunity to store, with inherited properties, matching keys, and corrected Offers and capacity.

    Args:
        opportunity: The published Opportunity.
        parents: Its parents, nearest first.
        prepayment: Whether the policy publishes `openBookingPrepayment`.
    """
    opportunity = inherit(opportunity, parents)
    offers = tuple(drop_invalid_prepayment(offer, supported=prepayment) for offer in opportunity.offers)
    capacity = max_spaces(opportunity, parents[0] if parents else None)
    return set_matching_keys(replace(opportunity, offers=offers, capacity=capacity, court=court_of(opportunity)))


def _newly_cancelled_paths(before: Situation, after: Situation) -> frozenset[str]:
    """Return the paths of the Opportunities that this command publishes as cancelled."""
    return frozenset(
        path
        for path, member in after.opportunities.items()
        if member.status is EventStatus.CANCELLED and member is not before.opportunities.get(path)
    )


def _reports(before: Situation, after: Situation, changes: Sequence[Change], paths: Collection[str]) -> Reports:
    reached = affected_orders(before, changes, paths)
    return {
        path: OpportunityReport(
            opportunity=after.opportunities[path],
            why_not=why_not_bookable_now(after, after.opportunities[path]),
            orders=reached.get(path, AffectedOrders()),
        )
        for path in paths
    }
