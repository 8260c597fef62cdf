"""The approval flow: P, what Seller and Customer make of a proposal, and B after it (OB 5.5)."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.access import grant_access
from openbooking.booking.bookable import CONDITIONS_AFTER_APPROVAL, Pair, why_not_bookable
from openbooking.booking.capacity import has_room
from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.dry_run import Checkpoint, dry_run, order_needs, personal_data
from openbooking.booking.erasure import without_people
from openbooking.booking.fingerprint import fingerprint_key, is_known_by, keyed, personal_data_of
from openbooking.booking.order import (
    Caller,
    ItemState,
    Order,
    OrderItem,
    OrderKey,
    OrderRequest,
    Payment,
    PersonalData,
    Proposal,
    Record,
    RecordKind,
    fingerprint_of,
)
from openbooking.booking.payment import check_consistent, check_details, check_payment, check_total, reflected_payment
from openbooking.booking.policy import Policy
from openbooking.booking.pricing import standing_totals
from openbooking.booking.situation import Needs, Places, RecordSet, Situation
from openbooking.spec.errors import (
    InvalidPaymentDetailsError,
    OpenBookingError,
    OpportunityHasInsufficientCapacityError,
    OrderCreationFailedError,
    OrderProposalVersionOutdatedError,
    PatchNotAllowedOnPropertyError,
)
from openbooking.spec.terms import FlowRequirement, OrderProposalStatus, OrderType

SELLER_NOTES_EVERY = timedelta(minutes=5)


class Propose(OrderCommand, frozen=True, kw_only=True):
    """P: an Order is put before the Seller; its places are held meanwhile.

    `version` is a fresh UUID. `nonce` is a fresh secret, of which the key of the fingerprint is made; it is not kept.
    """

    request: OrderRequest
    version: str
    nonce: str = ""

    def needs(self, policy: Policy) -> Needs:
        """The record behind the UUID, and what the items name."""
        return order_needs(super().needs(policy), self.request)

    def decide(self, situation: Situation) -> Decision:
        """Answer a repeat from the record (OB-APP-16), else propose what the dry run finds bookable."""
        record = situation.records.get(self.key)
        fingerprint = self.request.fingerprint()
        if record and record.kind is RecordKind.PROPOSAL and self._made(record, fingerprint):
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=self._answered_again(record))
        lifecycle.after(record, lifecycle.Event.PROPOSE)
        order = dry_run(situation, Checkpoint.P, self.caller, self.uuid, self.request)
        if order.has_errors:
            return Decision(reply=order)
        if not order.requires_approval:
            raise OrderCreationFailedError("This Order needs no approval: book it.")
        check_payment(self.request.payment, order.offers)
        check_total(self.request, order)
        order = self._proposed(situation, order)
        proposed = Record(
            partner=self.caller.partner,
            uuid=self.uuid,
            kind=RecordKind.PROPOSAL,
            seller=order.seller.key,
            order=order,
            fingerprint=keyed(fingerprint_key(self.nonce), fingerprint),
            lease_expires=order.lease_expires,
            proposal=order.proposal,
            asked=self.request.impersonal_fingerprint(),
        )
        return Decision(reply=order, changes=(RecordSet(self.key, proposed),))

    def _made(self, record: Record, fingerprint: str) -> bool:
        """Whether this request made the proposal; once its personal data is erased, whether one for the same did."""
        if personal_data_of(record):
            return is_known_by(record, fingerprint)
        return record.asked == self.request.impersonal_fingerprint()

    def _answered_again(self, record: Record) -> Order | None:
        """The first answer; what it told about people, which may have been erased since, the repeat tells itself."""
        made = record.proposal.made if record.proposal else None
        return record.order and replace(record.order, personal=self._personal_data(record.order, made))

    def _personal_data(self, order: Order, made: datetime | None) -> PersonalData:
        """What is told about people. A note is taken only where an Offer allows messages (OB-APP-18)."""
        note = self.request.customer_note if order.asks_for(FlowRequirement.MESSAGE_EXCHANGE) else None
        told = personal_data(self.request, Checkpoint.P)
        return replace(told, customer_note=note, told_at=made, fingerprint_key=fingerprint_key(self.nonce))

    def _proposed(self, situation: Situation, order: Order) -> Order:
        """The Order as a proposal."""
        return replace(
            order,
            items=tuple(
                replace(item, remaining=None, access=grant_access(None, "", item.number, asked.access_passes))
                for item, asked in zip(order.items, self.request.items, strict=True)
            ),
            proposal=Proposal(made=situation.now, version=self.version),
            lease_expires=_held_until(situation, order),
            personal=self._personal_data(order, situation.now),
        )


class ProposalPatch(NamedTuple):
    """What a PATCH of an OrderProposal asks, as it was sent."""

    status: Any
    note: Any


def proposal_update(caller: Caller, uuid: str, patch: ProposalPatch) -> "UpdateProposal":
    """The command that a PATCH comes to: a Customer can withdraw, write, or both (OB-OPU-01, OB-OPU-02, OB-OPU-04)."""
    status, note = patch
    if status is None and note is None:
        raise OpenBookingError("The PATCH changes nothing.")
    if status not in (None, OrderProposalStatus.CUSTOMER_REJECTED):
        allowed = OrderProposalStatus.CUSTOMER_REJECTED
        raise PatchNotAllowedOnPropertyError(f"orderProposalStatus can only become {allowed}.")
    if note is not None and not isinstance(note, str):
        raise PatchNotAllowedOnPropertyError("orderCustomerNote must be a text.")
    return UpdateProposal(caller=caller, uuid=uuid, reject=status is not None, note=note)


class UpdateProposal(OrderCommand, frozen=True, kw_only=True):
    """The Customer withdraws, writes to the Seller, or both (OB 9.2.5)."""

    reject: bool = False
    note: str | None = None

    def decide(self, situation: Situation) -> Decision:
        """Reject, and keep the note in place of the one before; what is said already changes nothing (OB-AMEND-12).

        Of a proposal that is closed nothing is kept that a person has told.
        """
        before, proposal = open_proposal(situation, self.key)
        self.caller.check_may_act_for(before.seller)
        record = before
        if self.reject and proposal.status is not OrderProposalStatus.CUSTOMER_REJECTED:
            if not lifecycle.is_open(proposal):
                raise PatchNotAllowedOnPropertyError("The OrderProposal has been rejected already.")
            record = with_status(situation, record, OrderProposalStatus.CUSTOMER_REJECTED)
        if self.note is not None and record.order and record.lease_expires:
            personal = replace(record.order.personal or PersonalData(), customer_note=self.note)
            record = replace(record, order=replace(record.order, personal=personal))
        return Decision(changes=() if record == before else (RecordSet(self.key, record),))


class BookProposal(OrderCommand, frozen=True, kw_only=True):
    """B after P: an approved proposal becomes an Order, in the version the Customer agreed to (OB 9.2.6)."""

    version: str | None
    payment: Payment | None = None
    nonce: str = ""

    def decide(self, situation: Situation) -> Decision:
        """Answer a repeat from the record, else book; a proposal whose places are gone is rejected (OB-APP-33)."""
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
        obstacle = _obstacle(situation, record)
        if obstacle:
            rejected = with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, obstacle.description)
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
            asked="",
        )
        return Decision(reply=booked, changes=(RecordSet(self.key, became),))

    def _payment(self, policy: Policy, record: Record, order: Order) -> Payment | None:
        """The payment as it was proposed, or as it has been authorised anew (OB-APP-29)."""
        check_details(self.payment, policy)
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
            totals=standing_totals(record),
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


def open_proposal(situation: Situation, key: OrderKey) -> tuple[Record, Proposal]:
    """The record and the proposal behind the key, or raise UnknownOrderError or GoneError."""
    record = lifecycle.existing(situation.records.get(key), lifecycle.Event.UPDATE_PROPOSAL)
    assert record.proposal is not None  # noqa: S101 - every proposal's record has one
    return record, record.proposal


def with_status(situation: Situation, record: Record, status: OrderProposalStatus, note: str | None = None) -> Record:
    """The record with the proposal in this status, and with that in its feed.

    Accepted, it holds its places for at least as long as a quote would, so that it can be booked; rejected, for no
    longer, so that they come back soon, but not between one call of the Broker and its next.
    """
    proposal = record.proposal
    assert proposal is not None  # noqa: S101 - asked for only of proposals
    if status not in lifecycle.PROPOSAL_TRANSITIONS[proposal.status]:
        raise OpenBookingError(f"The OrderProposal is {proposal.status.rpartition('/')[2]} for good.")
    moved = replace(record, proposal=replace(proposal, status=status, updated=True))
    if situation.live(record) and record.lease_expires and status is not OrderProposalStatus.AWAITING:
        nearest = max if status is OrderProposalStatus.ACCEPTED else min
        moved = replace(
            moved, lease_expires=nearest(record.lease_expires, situation.now + situation.policy.lease_duration)
        )
    return with_note(situation, moved, note) if note and may_write(situation, proposal) else moved


def closed(record: Record, now: datetime) -> Record:
    """The rejected proposal without its places, and without what it tells about people, which nobody needs any more.

    It stays behind its UUID, and in its feed, as it was rejected.
    """
    return replace(without_people(record, now), lease_expires=None)


def with_note(situation: Situation, record: Record, note: str) -> Record:
    """The record with this note of the Seller in place of the one before, and with that in its feed (OB-AMEND-10)."""
    assert record.proposal is not None  # noqa: S101 - asked for only of proposals
    noted = replace(record.proposal, seller_note=note, seller_note_at=situation.now, updated=True)
    return replace(record, proposal=noted)


def may_write(situation: Situation, proposal: Proposal) -> bool:
    """Whether the Seller's last note is old enough not to be lost to the Broker by the next (OB-AMEND-11)."""
    return proposal.seller_note_at is None or situation.now - proposal.seller_note_at >= SELLER_NOTES_EVERY


def _held_until(situation: Situation, order: Order) -> datetime:
    """For as long as proposals are held, but no longer than there is something to book (OB-APP-26)."""
    ends = [item.opportunity.over_at for item in order.items if item.opportunity]
    return min([situation.now + situation.policy.proposal_duration, *filter(None, ends)])


def _obstacle(situation: Situation, record: Record) -> OpenBookingError | None:
    """What keeps an accepted proposal from being booked: its places are gone, or there is nothing left to go to."""
    live = situation.live(record)
    for claim in record.claims():
        own = Places(0, claim.places if live else 0)
        places = situation.places.get(claim.opportunity, Places())
        if not has_room(situation.opportunities.get(claim.opportunity), claim.places, places, own):
            return OpportunityHasInsufficientCapacityError("The places are no longer available.")
    reasons = (_why_not_any_more(situation, item) for item, _ in record.items())
    reason = next((reason for reason in reasons if reason), None)
    return OrderCreationFailedError(reason) if reason else None


def _why_not_any_more(situation: Situation, item: OrderItem) -> str | None:
    assert item.opportunity is not None  # noqa: S101 - proposed items have both
    assert item.offer is not None  # noqa: S101
    opportunity = situation.opportunities[item.opportunity.path]
    pair = Pair(opportunity, item.offer, situation.sellers[opportunity.seller])
    return why_not_bookable(pair, situation.now, CONDITIONS_AFTER_APPROVAL)
