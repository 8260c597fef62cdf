"""B after P: book an accepted OrderProposal (OB 5.5.6, 9.2.6)."""

from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand, Refusal
from openbooking.booking.model.order import BookedItem, BookedOrder, Order, Payment, PersonalData
from openbooking.booking.model.order_request import fingerprint_of
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.opportunities.bookability import CONDITIONS_AFTER_APPROVAL, Pair, why_not_bookable
from openbooking.booking.rules.opportunities.cancellation_effects import sell
from openbooking.booking.rules.opportunities.capacity import first_without_spaces
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.access import grant_access
from openbooking.booking.rules.orders.fingerprint import fingerprint_key, keyed_fingerprint, matches_fingerprint
from openbooking.booking.rules.orders.payment import check_consistent, check_details, check_payment, reflected_payment
from openbooking.booking.rules.orders.pricing import current_totals
from openbooking.openactive.errors import (
    InvalidPaymentDetailsError,
    OpenBookingError,
    OpportunityHasInsufficientCapacityError,
    OrderCreationFailedError,
    OrderProposalVersionOutdatedError,
)
from openbooking.openactive.terms import OrderProposalStatus, OrderType


class BookProposal(OrderCommand, frozen=True, kw_only=True):
    """Book an accepted OrderProposal, in the version that the Customer agreed to (OB 9.2.6).

    Attributes:
        version: The version that the Broker sent.
        payment: The payment details that the Broker sends at B; None for the payment details of P.
        nonce: A fresh secret, which is not stored. Access codes and the key of the fingerprint are derived from it.
    """

    stores_more: ClassVar[bool] = True

    version: str | None
    payment: Payment | None = None
    nonce: str = ""

    def needs(self) -> Needs:
        """Return the record behind the UUID, and the other OrderProposals for its Opportunities."""
        return replace(super().needs(), fills_of=frozenset({self.key}))

    def decide(self, situation: Situation) -> Decision[Order] | Refusal:
        """Book the OrderProposal, and return the Order. A repeat gets the reply of the first request.

        An OrderProposal that lacks spaces, or cannot be booked any more, is rejected (OB-APP-33).

        Raises:
            OrderProposalVersionOutdatedError: The OrderProposal has another version.
            OrderCreationFailedError: The OrderProposal is not accepted.
            OpenBookingError: No OrderProposal has the UUID, or the payment is at fault.
        """
        record = situation.records.get(self.key)
        fingerprint = fingerprint_of((self.version, self.payment))
        if isinstance(record, OrderRecord) and matches_fingerprint(record, fingerprint):
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=record.order)
        record = lifecycle.proposal_to_book(situation, self.key)
        self.caller.check_may_act_for(record.seller)
        if self.version != record.proposal.version:
            raise OrderProposalVersionOutdatedError
        status = record.proposal.status
        if status is not OrderProposalStatus.ACCEPTED:
            raise OrderCreationFailedError(f"The OrderProposal is {status.rpartition('/')[2]}.")
        payment = self._payment(situation.policy, record)
        obstacle, stamp = _obstacle(situation, record), self.stamp(situation)
        if obstacle:
            rejected = lifecycle.set_proposal_status(
                situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, obstacle.description
            )
            return Refusal(obstacle, changes=(RecordSet(self.key, rejected),))
        booked = self._booked_order(situation, record, payment)
        fingerprint = keyed_fingerprint(fingerprint_key(self.nonce), fingerprint)
        order = lifecycle.new_order_record(self.key, booked, fingerprint, stamp, proposed=record)
        return Decision(reply=booked, changes=sell(situation, order))

    def _payment(self, policy: Policy, record: ProposalRecord) -> Payment | None:
        """Return the payment of the request, or if it has no payment, the payment of P (OB-APP-29)."""
        check_details(self.payment, policy, self.caller.terms_with(record.seller))
        if self.payment and self.payment.dynamic != record.order.dynamic:
            raise InvalidPaymentDetailsError("The OrderProposal was made for another kind of payment.")
        offers = [item.offer for item, _ in record.items()]
        payment = self.payment or reflected_payment(record.order.payment, offers, policy, OrderType.ORDER)
        check_consistent(payment, record)
        check_payment(payment, offers)
        return reflected_payment(payment, offers, policy, OrderType.ORDER)

    def _booked_order(self, situation: Situation, record: ProposalRecord, payment: Payment | None) -> BookedOrder:
        """Return the Order with the items of the current version and the current Opportunities."""
        items = tuple(self._booked_item(situation, item) for item, _ in record.items())
        personal = (record.order.personal or PersonalData()).select_items(item.number for item in items)
        return replace(
            record.order,
            type=OrderType.ORDER,
            items=items,
            totals=current_totals(record),
            payment=payment,
            proposal=None,
            lease_expires=None,
            personal=replace(personal, received_at=situation.now, fingerprint_key=fingerprint_key(self.nonce)),
        )

    def _booked_item(self, situation: Situation, item: BookedItem) -> BookedItem:
        opportunity = situation.opportunities[item.opportunity.path]
        access = grant_access(opportunity.access, self.nonce, item.number, item.own_passes)
        return replace(item.set_opportunity(opportunity, situation.parents(opportunity)), position=None, access=access)


def _obstacle(situation: Situation, record: ProposalRecord) -> OpenBookingError | None:
    """Return why the OrderProposal cannot be booked any more, or None if it can be booked."""
    if first_without_spaces(situation, record.wanted(), situation.released_hold(record)):
        return OpportunityHasInsufficientCapacityError("The spaces are no longer available.")
    reasons = (_why_not_bookable_any_more(situation, item) for item, _ in record.items())
    reason = next((reason for reason in reasons if reason), None)
    return OrderCreationFailedError(reason) if reason else None


def _why_not_bookable_any_more(situation: Situation, item: BookedItem) -> str | None:
    opportunity = situation.opportunities[item.opportunity.path]
    pair = Pair(opportunity, item.offer, situation.sellers[opportunity.seller], situation.parents(opportunity))
    return why_not_bookable(pair, situation.now, CONDITIONS_AFTER_APPROVAL)
