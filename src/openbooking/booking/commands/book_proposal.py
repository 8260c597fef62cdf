"""B after P: an approved proposal becomes an Order (OB 5.5.6, 9.2.6)."""

from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.order import (
    Order,
    OrderItem,
    Payment,
    PersonalData,
    fingerprint_of,
)
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import ItemState, Record, RecordKind
from openbooking.booking.model.situation import Needs, RecordSet, Situation, Spaces
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.access import grant_access
from openbooking.booking.rules.bookability import CONDITIONS_AFTER_APPROVAL, Pair, why_not_bookable
from openbooking.booking.rules.cancellation_effects import sell
from openbooking.booking.rules.capacity import has_room
from openbooking.booking.rules.fingerprint import fingerprint_key, is_known_by, keyed
from openbooking.booking.rules.payment import check_consistent, check_details, check_payment, reflected_payment
from openbooking.booking.rules.pricing import current_totals
from openbooking.booking.rules.proposal_changes import with_status
from openbooking.openactive.errors import (
    InvalidPaymentDetailsError,
    OpenBookingError,
    OpportunityHasInsufficientCapacityError,
    OrderCreationFailedError,
    OrderProposalVersionOutdatedError,
)
from openbooking.openactive.terms import OrderProposalStatus, OrderType


class BookProposal(OrderCommand, frozen=True, kw_only=True):
    """B after P: an approved proposal becomes an Order, in the version the Customer agreed to (OB 9.2.6)."""

    stores_more: ClassVar[bool] = True

    version: str | None
    payment: Payment | None = None
    nonce: str = ""

    def needs(self, policy: Policy) -> Needs:
        """The record behind the UUID, and the other proposals that wait for its spaces."""
        return replace(super().needs(policy), fills_of=frozenset({self.key}))

    def decide(self, situation: Situation) -> Decision:
        """Answer a repeat from the record, else book; a proposal whose spaces are gone is rejected (OB-APP-33)."""
        record = situation.records.get(self.key)
        fingerprint = fingerprint_of((self.version, self.payment))
        if record and record.kind is RecordKind.ORDER and is_known_by(record, fingerprint):
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=record.order)
        record = lifecycle.existing(record, lifecycle.Event.BOOK_PROPOSAL)
        self.caller.check_may_act_for(record.seller)
        proposal, order = record.proposal, record.order
        assert proposal is not None  # noqa: S101 - every proposal's record has both
        assert order is not None  # noqa: S101
        if self.version != proposal.version:
            raise OrderProposalVersionOutdatedError
        if proposal.status is not OrderProposalStatus.ACCEPTED:
            raise OrderCreationFailedError(f"The OrderProposal is {proposal.status.rpartition('/')[2]}.")
        payment = self._payment(situation.policy, record, order)
        obstacle, stamp = _obstacle(situation, record), self.stamp(situation)
        if obstacle:
            rejected = with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, obstacle.description)
            return Decision(reply=obstacle, changes=(RecordSet(self.key, rejected),))
        booked = self._booked(situation, record, order, payment)
        became = replace(
            record,
            kind=RecordKind.ORDER,
            order=booked,
            fingerprint=keyed(fingerprint_key(self.nonce), fingerprint),
            lease_expires=None,
            states=tuple(ItemState() for _ in booked.items),
            proposal=replace(proposal, items=()),
            booked=stamp,
            changed=stamp,
        )
        return Decision(reply=booked, changes=sell(situation, became))

    def _payment(self, policy: Policy, record: Record, order: Order) -> Payment | None:
        """The payment as it was proposed, or as it has been authorised anew (OB-APP-29)."""
        check_details(self.payment, policy, self.caller.terms_with(record.seller))
        if self.payment and self.payment.dynamic != order.dynamic:
            raise InvalidPaymentDetailsError("The OrderProposal was made for another kind of payment.")
        offers = [item.offer for item, _ in record.items() if item.offer]
        payment = self.payment or reflected_payment(order.payment, offers, policy, OrderType.ORDER)
        check_consistent(payment, record)
        check_payment(payment, offers)
        return reflected_payment(payment, offers, policy, OrderType.ORDER)

    def _booked(self, situation: Situation, record: Record, order: Order, payment: Payment | None) -> Order:
        """The Order as proposed, or amended, with the Opportunities as they are now."""
        items = tuple(self._booked_item(situation, item) for item, _ in record.items())
        told = (order.personal or PersonalData()).about(item.number for item in items)
        return replace(
            order,
            type=OrderType.ORDER,
            items=items,
            totals=current_totals(record),
            payment=payment,
            proposal=None,
            lease_expires=None,
            personal=replace(told, told_at=situation.now, fingerprint_key=fingerprint_key(self.nonce)),
        )

    def _booked_item(self, situation: Situation, item: OrderItem) -> OrderItem:
        assert item.opportunity is not None  # noqa: S101 - proposed items have one
        opportunity = situation.opportunities[item.opportunity.path]
        access = grant_access(opportunity.access, self.nonce, item.number, item.own_passes)
        return replace(item.at(opportunity, situation.parents(opportunity)), position=None, access=access)


def _obstacle(situation: Situation, record: Record) -> OpenBookingError | None:
    """The error if an accepted proposal cannot be booked any more: no spaces are left, or an item is not bookable."""
    live = situation.live(record)
    for path, wanted in record.wanted().items():
        own = Spaces(0, wanted if live else 0)
        spaces = situation.spaces.get(path, Spaces())
        if not has_room(situation.opportunities.get(path), wanted, spaces, own):
            return OpportunityHasInsufficientCapacityError("The spaces are no longer available.")
    reasons = (_why_not_any_more(situation, item) for item, _ in record.items())
    reason = next((reason for reason in reasons if reason), None)
    return OrderCreationFailedError(reason) if reason else None


def _why_not_any_more(situation: Situation, item: OrderItem) -> str | None:
    assert item.opportunity is not None  # noqa: S101 - proposed items have both
    assert item.offer is not None  # noqa: S101
    opportunity = situation.opportunities[item.opportunity.path]
    pair = Pair(opportunity, item.offer, situation.sellers[opportunity.seller], situation.parents(opportunity))
    return why_not_bookable(pair, situation.now, CONDITIONS_AFTER_APPROVAL)
