"""P: propose an Order that the Seller must approve (OB 5.5, 9.2.4).

The lifetime of an OrderProposal and the end of its hold are set here (`_lifetime_ends`, `_held_until`).
`rules.lifecycle` changes both when the OrderProposal is accepted or rejected.
"""

from datetime import datetime
from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.order import BookedItem, BookedOrder, Order, PersonalData, Proposal, to_booked_order
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.model.policy import Leasing
from openbooking.booking.model.record import ProposalRecord
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.access import grant_access
from openbooking.booking.rules.orders.dry_run import Checkpoint, dry_run, order_needs, personal_data
from openbooking.booking.rules.orders.fingerprint import fingerprint_key, keyed_fingerprint, matches_fingerprint
from openbooking.booking.rules.orders.holding import bound_of_proposal, guaranteed_terms
from openbooking.booking.rules.orders.payment import check_payment, check_total
from openbooking.openactive.errors import (
    OrderCreationFailedError,
)
from openbooking.openactive.terms import FlowRequirement


class Propose(OrderCommand, frozen=True, kw_only=True):
    """Propose an Order to the Seller. If leasing is on, the OrderProposal holds its spaces (AMB-75).

    Attributes:
        request: The request.
        version: A fresh UUID, the version of the OrderProposal.
        nonce: A fresh secret, which is not stored. The key of the fingerprint is derived from it.
    """

    stores_more: ClassVar[bool] = True

    request: OrderRequest
    version: str
    nonce: str = ""

    def needs(self) -> Needs:
        """Return the record behind the UUID, the requested Opportunities, and the holdings of the Booking Partner."""
        return replace(order_needs(super().needs(), self.request), holders=frozenset({self.caller.partner}))

    def decide(self, situation: Situation) -> Decision[Order]:
        """Propose the items, and return the OrderProposal. A repeat gets the reply of the first request (OB-APP-16).

        Raises:
            OpenBookingError: The request as a whole is at fault, or no Offer requires approval.
        """
        record = situation.records.get(self.key)
        fingerprint = self.request.fingerprint()
        if isinstance(record, ProposalRecord) and self._is_repeat(record, fingerprint):
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=self._repeated_reply(record))
        lifecycle.check_event(record, lifecycle.Event.PROPOSE)
        guaranteed = guaranteed_terms(situation, record, self.request.items, renews=False)
        order = dry_run(situation, Checkpoint.P, self.caller, self.uuid, self.request, guaranteed)
        if order.has_errors:
            return Decision(reply=order)
        if not order.requires_approval:
            raise OrderCreationFailedError("This Order needs no approval: book it.")
        check_payment(self.request.payment, order.offers)
        check_total(self.request, order)
        proposal = Proposal(made=situation.now, version=self.version, expires=_lifetime_ends(situation, order))
        proposed = self._proposed_order(situation, to_booked_order(order), proposal)
        leases = situation.policy.leasing is not Leasing.OFF
        terms = self.caller.terms_with(order.seller.key)
        bound = bound_of_proposal(situation, self.key, order, terms) if leases else None
        if leases and bound is None:
            proposed = replace(proposed, lease_expires=_held_until(situation, proposal))
        made = ProposalRecord(
            partner=self.caller.partner,
            uuid=self.uuid,
            seller=order.seller.key,
            order=proposed,
            fingerprint=keyed_fingerprint(fingerprint_key(self.nonce), fingerprint),
            lease_expires=proposed.lease_expires,
            proposal=proposal,
            proposed=self.stamp(situation),
            changed=self.stamp(situation),
        )
        return Decision(reply=replace(proposed, not_held=bound), changes=(RecordSet(self.key, made),))

    def _is_repeat(self, record: ProposalRecord, fingerprint: str) -> bool:
        """Return whether this request is a repeat of the request that made the proposal.

        Once the personal data of the proposal is erased, a request with the same items and total is a repeat.
        """
        order = record.order
        if order.personal:
            return matches_fingerprint(record, fingerprint)
        asked = self.request
        dynamic = asked.payment is not None and asked.payment.dynamic
        same_total = order.dynamic or asked.total_payment_due == order.totals.price
        same_seller = asked.seller == order.seller.key
        items = zip(asked.items, order.items, strict=False)
        same_items = len(asked.items) == len(order.items) and all(_asks_for(*pair) for pair in items)
        return dynamic == order.dynamic and same_total and same_seller and same_items

    def _repeated_reply(self, record: ProposalRecord) -> Order:
        """Return the reply to P with the personal data of the repeat, because stored personal data may be erased."""
        return replace(record.order, personal=self._personal_data(record.order, record.proposal.made))

    def _personal_data(self, order: Order, made: datetime) -> PersonalData:
        """Return the personal data of the request. It has a note only if an Offer allows messages (OB-APP-18)."""
        note = self.request.customer_note if order.asks_for(FlowRequirement.MESSAGE_EXCHANGE) else None
        sent = personal_data(self.request, Checkpoint.P)
        return replace(sent, customer_note=note, received_at=made, fingerprint_key=fingerprint_key(self.nonce))

    def _proposed_order(self, situation: Situation, order: BookedOrder, proposal: Proposal) -> BookedOrder:
        """Return the Order with the proposal, the personal data and the barcodes that the Broker sent."""
        return replace(
            order,
            items=tuple(
                replace(item, remaining=None, access=grant_access(None, "", item.number, asked.access_passes))
                for item, asked in zip(order.items, self.request.items, strict=True)
            ),
            proposal=proposal,
            personal=self._personal_data(order, situation.now),
        )


def _asks_for(asked: ItemRequest, item: BookedItem) -> bool:
    """Return whether a requested item has the references of a proposed item, and the price if the Broker sets it."""
    sent = (asked.position, asked.opportunity_id, asked.offer_id)
    named = asked.override and asked.override.price
    known = item.offer.price if item.offer.override else None
    return sent == (item.position, item.opportunity_id, item.offer_id) and named == known


def _lifetime_ends(situation: Situation, order: Order) -> datetime:
    """Return the end of the lifetime, which is not after the end of any of the Opportunities (OB-APP-26)."""
    ends = [item.opportunity.over_at for item in order.items if item.opportunity]
    return min([situation.now + situation.policy.proposal_duration, *filter(None, ends)])


def _held_until(situation: Situation, proposal: Proposal) -> datetime:
    """Return the end of the hold, which is not after the end of the lifetime (OB-LEASE-22)."""
    longest = situation.now + situation.policy.bounds.proposal_duration
    return min(longest, proposal.expires or longest)
