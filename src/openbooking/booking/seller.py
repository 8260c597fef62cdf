"""What a Seller does to Orders after they were booked: one set of decisions, whoever asks for them (OB 8.3.3, 8.4)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.accepted import unpriced
from openbooking.booking.access import grant_access
from openbooking.booking.bookable import Pair, why_not_bookable
from openbooking.booking.called_off import call_off
from openbooking.booking.cancel import booked, with_states
from openbooking.booking.capacity import has_room
from openbooking.booking.command import Decision
from openbooking.booking.opportunity import Offer, Opportunity, applicable_offers
from openbooking.booking.order import Access, ItemState, Order, OrderItem, OrderKey, Proposal, RecordKind
from openbooking.booking.policy import Policy
from openbooking.booking.pricing import due, prepayment_of, pricing_of, tax_charges
from openbooking.booking.proposal import may_write, open_proposal, with_note, with_status
from openbooking.booking.situation import Change, Needs, OpportunitySet, Places, RecordSet, Situation
from openbooking.spec.errors import (
    CancellationNotPermittedError,
    NotFoundError,
    OpenBookingError,
    UnacceptableReplacementError,
)
from openbooking.spec.ids import OfferRef
from openbooking.spec.terms import EventStatus, FlowRequirement, OpportunityType, OrderItemStatus, OrderProposalStatus
from openbooking.spec.values import round_money


class SellerCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A change to every item of an Order that is not cancelled, or to those of these numbers."""

    order: OrderKey
    numbers: frozenset[int] | None = None

    def needs(self, policy: Policy) -> Needs:
        """The record of the Order."""
        del policy
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision:
        """Change the items; one version of the Order enters the Orders feed, with the whole effect."""
        record, _ = booked(situation, self.order)
        items = record.numbered()
        chosen = items.keys() if self.numbers is None else self.numbers
        if not items.keys() >= chosen:
            raise NotFoundError("The Order has no such item.")
        standing = {number: items[number] for number in chosen if not items[number][1].status.cancelled}
        for item, _ in standing.values():
            self.check(situation, item)
        moved = {number: self.change(item, state) for number, (item, state) in standing.items()}
        changed = {number: state for number, state in moved.items() if state != standing[number][1]}
        return Decision(changes=(RecordSet(self.order, with_states(record, changed)),) if changed else ())

    def check(self, situation: Situation, item: OrderItem) -> None:
        """Raise an error if it cannot be done to this item, and so to none."""

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """What becomes of one item."""
        raise NotImplementedError


class SellerCancel(SellerCommand, frozen=True, kw_only=True):
    """The Seller cancels, with a message to the Customer or none; the Broker refunds in full (OB-SEL-01, OB-SEL-02)."""

    message: str | None = None

    def check(self, situation: Situation, item: OrderItem) -> None:
        """Raise CancellationNotPermittedError once it is over: refunds are agreed on elsewhere then (OB-SEL-12)."""
        assert item.opportunity is not None  # noqa: S101 - booked items have one
        if situation.opportunities.get(item.opportunity.path, item.opportunity).is_over(situation.now):
            raise CancellationNotPermittedError("This has taken place already.")

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """Cancel the item."""
        del item
        return replace(state, status=OrderItemStatus.SELLER_CANCELLED, cancellation_message=self.message or None)


class Notify(SellerCommand, frozen=True, kw_only=True):
    """The Seller has something to tell the Customer, through the Broker (OB-NOTIF-02)."""

    notice: str

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """Set the notice, or take it back with an empty one; none where nobody came (OB-NOTIF-03)."""
        del item
        return replace(state, customer_notice=self.notice or None) if state.status in lifecycle.NOTIFIED else state


class RecordAttendance(SellerCommand, frozen=True, kw_only=True):
    """The attendees came, or did not (OB-NOTIF-07)."""

    attended: bool

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """Set the status."""
        del item
        return replace(state, status=OrderItemStatus.ATTENDED if self.attended else OrderItemStatus.ABSENT)


class RenewAccess(SellerCommand, frozen=True, kw_only=True):
    """Codes, passes or channels are given out anew; what is not named stays (OB-NOTIF-08)."""

    nonce: str
    code: bool = False
    passes: bool = False
    channel: bool = False

    def change(self, item: OrderItem, state: ItemState) -> ItemState:
        """Renew what is named."""
        rules = item.opportunity.access if item.opportunity else None
        old = item.access or Access()
        new = grant_access(rules, self.nonce, item.number) or Access()
        renewed = replace(
            old,
            code=new.code if self.code else old.code,
            passes=new.passes if self.passes else old.passes,
            channel=new.channel if self.channel else old.channel,
        )
        return state if renewed == old else replace(state, access=renewed)


class Replace(msgspec.Struct, frozen=True, kw_only=True):
    """The Seller gives another Opportunity in place of the one booked, at the same price or less (OB-SEL-06)."""

    order: OrderKey
    number: int
    opportunity: str
    offer: OfferRef
    nonce: str = ""

    def needs(self, policy: Policy) -> Needs:
        """The record of the Order, and what is given instead."""
        del policy
        return Needs(
            records=frozenset({self.order}),
            opportunities=frozenset({self.opportunity}),
            looked_at=frozenset({self.offer.owner}),
        )

    def decide(self, situation: Situation) -> Decision:
        """Replace the item if the new pair can be booked, belongs to the Seller and costs no more (OB-SEL-07)."""
        record, order = booked(situation, self.order)
        found = record.numbered().get(self.number)
        if found is None:
            raise NotFoundError(f"The Order has no item {self.number}.")
        item, state = found
        if state.status is not OrderItemStatus.CONFIRMED:
            raise UnacceptableReplacementError("Only a confirmed item can be replaced.")
        opportunity, offer = self._pair(situation, order)
        self._check(situation, order, item, opportunity, offer)
        replacement = replace(
            item.at(opportunity, situation.parents(opportunity)),
            offer=offer,
            tax=() if order.dynamic else tax_charges(offer, pricing_of(order)),
            access=grant_access(opportunity.access, self.nonce, item.number, item.own_passes),
        )
        changed = with_states(record, {self.number: replace(state, replacement=replacement, access=None, moved=False)})
        return Decision(changes=(RecordSet(self.order, changed),))

    def _check(
        self, situation: Situation, order: Order, item: OrderItem, opportunity: Opportunity, offer: Offer
    ) -> None:
        """Raise UnacceptableReplacementError unless the pair can be given for the same or less (OB-SEL-07)."""
        assert item.opportunity is not None  # noqa: S101 - booked items have both
        assert item.offer is not None  # noqa: S101
        here = opportunity.path == item.opportunity.path
        if here and offer.ref == item.offer.ref:
            raise UnacceptableReplacementError("The replacement is what is booked already.")
        pricing = pricing_of(order)
        dearer = offer.price > item.offer.price or due(offer, pricing) > due(item.offer, pricing)
        otherwise = prepayment_of(offer) is not prepayment_of(item.offer) or offer.currency != item.offer.currency
        if dearer or otherwise:
            raise UnacceptableReplacementError("The replacement costs more, or is paid otherwise.")
        reason = why_not_bookable(Pair(opportunity, offer, order.seller), situation.now)
        if reason:
            raise UnacceptableReplacementError(reason)
        own = Places(booked=1 if here else 0)
        if not has_room(opportunity, 1, situation.places.get(opportunity.path, Places()), own):
            raise UnacceptableReplacementError("The replacement is full.")

    def _pair(self, situation: Situation, order: Order) -> tuple[Opportunity, Offer]:
        opportunity = situation.opportunities.get(self.opportunity)
        if opportunity is None or opportunity.seller != order.seller.key:
            raise UnacceptableReplacementError("The Seller has no such Opportunity.")
        offers = applicable_offers(opportunity, situation.parents(opportunity))
        offer = next((offered for offered in offers if offered.ref == self.offer), None)
        if offer is None:
            raise UnacceptableReplacementError("The Offer does not apply to the Opportunity.")
        return opportunity, unpriced(offer) if order.dynamic else offer


class CancelOpportunity(msgspec.Struct, frozen=True, kw_only=True):
    """The whole Opportunity does not take place: it is cancelled, and so is every booking of it (OB 8.3.3).

    With it goes what lies below: the sessions of a series, the Slots of a facility, the parts of an event.
    """

    opportunity: str
    message: str | None = None

    def needs(self, policy: Policy) -> Needs:
        """The Opportunity and what lies below, with the records that claim any of it."""
        del policy
        return Needs(families=frozenset({self.opportunity}))

    def decide(self, situation: Situation) -> Decision:
        """Publish what is still to come as cancelled, and tell every Order and proposal concerned."""
        if self.opportunity not in situation.opportunities:
            raise NotFoundError("There is no such Opportunity.")
        off = [
            member
            for member in situation.opportunities.values()
            if member.type.bookable and not member.is_over(situation.now) and self._holds(situation, member)
        ]
        if not off:
            raise OpenBookingError("Nothing of it is still to come.")
        cancelled = (OpportunitySet(replace(member, status=EventStatus.CANCELLED)) for member in off)
        return Decision(changes=(*cancelled, *call_off(situation, {member.path for member in off}, self.message)))

    def _holds(self, situation: Situation, member: Opportunity) -> bool:
        return any(one.path == self.opportunity for one in (member, *situation.parents(member)))


class ChangeLogistics(msgspec.Struct, frozen=True, kw_only=True):
    """Name, time or place of an Opportunity change, and every Order for it tells so (OB-NOTIF-06, AMB-19).

    A Slot has its name and place from the facility it belongs to, so that all Slots of that facility change with it.
    """

    opportunity: str
    name: str | None = None
    location: Mapping[str, Any] | None = None
    start: datetime | None = None
    end: datetime | None = None

    def needs(self, policy: Policy) -> Needs:
        """The whole family of the Opportunity, with the records that claim any of it."""
        del policy
        return Needs(families=frozenset({self.opportunity}))

    def decide(self, situation: Situation) -> Decision:
        """Publish the change, and bring the Orders concerned into their feeds."""
        opportunity = situation.opportunities.get(self.opportunity)
        if opportunity is None:
            raise NotFoundError("There is no such Opportunity.")
        moved = self._moved(opportunity)
        described = situation.parents(moved)[0] if moved.type is OpportunityType.SLOT else moved
        given = {"name": self.name, "location": self.location}
        told = {name: value for name, value in given.items() if value}
        named = replace(described, properties={**described.properties, **told})
        new = {now.path: now for now in (moved, named) if now != situation.opportunities[now.path]}
        published: list[Change] = [OpportunitySet(changed) for changed in new.values()]
        return Decision(changes=(*published, *self._orders(situation, new)))

    def _moved(self, opportunity: Opportunity) -> Opportunity:
        """The Opportunity at its new time, if that changes."""
        if self.start is None and self.end is None:
            return opportunity
        start, end = self.start or opportunity.start, self.end or opportunity.end
        if opportunity.over_at is None or start is None or (end and end <= start):
            raise OpenBookingError("The Opportunity has no date, or its end would not be after its start.")
        return replace(opportunity, start=start, end=end)

    def _orders(self, situation: Situation, new: Mapping[str, Opportunity]) -> list[Change]:
        """The Orders with an item at a changed Opportunity, or below a changed parent."""
        changes: list[Change] = []
        for record in situation.records.values():
            if record.kind is not RecordKind.ORDER:
                continue
            moved = {
                item.number: replace(state, moved=True, replacement=_with_new(item, new))
                for item, state in record.items()
                if not state.status.cancelled and _concerns(item, new)
            }
            if moved:
                changes.append(RecordSet(record.key, with_states(record, moved)))
        return changes


def _concerns(item: OrderItem, new: Mapping[str, Opportunity]) -> bool:
    family = (item.opportunity, *item.parents)
    return any(member is not None and member.path in new for member in family)


def _with_new(item: OrderItem, new: Mapping[str, Opportunity]) -> OrderItem:
    """The item with its Opportunity and parents as they are now."""
    assert item.opportunity is not None  # noqa: S101 - booked items have one
    current = (new.get(member.path, member) for member in (item.opportunity, *item.parents))
    opportunity, *parents = current
    return item.at(opportunity, tuple(parents))


class DecideProposal(msgspec.Struct, frozen=True, kw_only=True):
    """The Seller accepts or rejects a proposal, with a note to the Customer or none (OB 5.5.5.1)."""

    order: OrderKey
    accept: bool
    note: str | None = None

    def needs(self, policy: Policy) -> Needs:
        """The record of the proposal."""
        del policy
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision:
        """Set the status; the version stays (OB-APP-25)."""
        record, proposal = open_proposal(situation, self.order)
        _check_note(situation, proposal, self.note)
        status = OrderProposalStatus.ACCEPTED if self.accept else OrderProposalStatus.SELLER_REJECTED
        decided = with_status(situation, record, status, self.note)
        return Decision(changes=(RecordSet(self.order, decided),))


class AmendProposal(msgspec.Struct, frozen=True, kw_only=True):
    """The Seller offers a proposal anew, in a new version, where an Offer in it allows negotiation (OB 5.5.5.2).

    `version` is a fresh UUID; the items of the numbers in `without` are left out from now on, and those in `prices` are
    offered at another price.
    """

    order: OrderKey
    version: str
    note: str | None = None
    without: frozenset[int] = frozenset()
    prices: Mapping[int, Decimal] = {}

    def needs(self, policy: Policy) -> Needs:
        """The record of the proposal."""
        del policy
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision:
        """Set the new version, which waits for acceptance again (AMB-17)."""
        record, open_ = open_proposal(situation, self.order)
        assert record.order is not None  # noqa: S101 - every proposal's record has one
        _check_note(situation, open_, self.note)
        if not record.order.asks_for(FlowRequirement.NEGOTIATION):
            raise OpenBookingError("No Offer in this OrderProposal allows negotiation.")
        known = record.numbered()
        if not known.keys() >= self.without | self.prices.keys():
            raise NotFoundError("The OrderProposal has no such item.")
        items = tuple(
            self._offered(item, record.order) for item, _ in known.values() if item.number not in self.without
        )
        if not items:
            raise OpenBookingError("An amendment leaves at least one item: reject the OrderProposal instead.")
        amended = with_status(situation, record, OrderProposalStatus.AWAITING, self.note)
        assert amended.proposal is not None  # noqa: S101 - with_status keeps it
        proposal = replace(amended.proposal, version=self.version, items=items)
        return Decision(changes=(RecordSet(self.order, replace(amended, proposal=proposal)),))

    def _offered(self, item: OrderItem, order: Order) -> OrderItem:
        price = self.prices.get(item.number)
        if price is None or item.offer is None:
            return item
        if order.dynamic or price < 0 or price != round_money(price):
            raise OpenBookingError(f"{price} cannot be the price of an item in this OrderProposal.")
        currency = item.offer.currency or order.totals.currency
        if price and currency is None:
            raise OpenBookingError("Nothing in this OrderProposal tells in which currency to pay.")
        offer = replace(item.offer, price=price, currency=currency if price else None)
        return replace(item, offer=offer, tax=tax_charges(offer, pricing_of(order)))


class WriteToCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """The Seller writes about an open proposal, where its Offers allow it, once in five minutes (OB 5.5.5.3)."""

    order: OrderKey
    note: str

    def needs(self, policy: Policy) -> Needs:
        """The record of the proposal."""
        del policy
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision:
        """Set the note in place of the one before; status and version stay (OB-AMEND-09, OB-AMEND-10)."""
        record, proposal = open_proposal(situation, self.order)
        assert record.order is not None  # noqa: S101 - every proposal's record has one
        if (
            not self.note
            or not lifecycle.is_open(proposal)
            or not record.order.asks_for(FlowRequirement.MESSAGE_EXCHANGE)
        ):
            raise OpenBookingError("No messages are exchanged about this OrderProposal.")
        _check_note(situation, proposal, self.note)
        return Decision(changes=(RecordSet(self.order, with_note(situation, record, self.note)),))


def _check_note(situation: Situation, proposal: Proposal, note: str | None) -> None:
    """Raise OpenBookingError for a note that follows the last too soon; a decision can be made without one."""
    if note and not may_write(situation, proposal):
        raise OpenBookingError("Only one message in five minutes can be written.")
