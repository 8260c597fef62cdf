"""The approval flow: P, what Seller and Customer make of a proposal, and B after it (OB 5.5)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.access import grant_access
from openbooking.booking.actor import Stamp
from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.dry_run import Checkpoint, dry_run, order_needs, personal_data
from openbooking.booking.erasure import without_people
from openbooking.booking.fingerprint import fingerprint_key, is_known_by, keyed, personal_data_of
from openbooking.booking.holding import bound_of_proposal, guaranteed_terms
from openbooking.booking.order import (
    Caller,
    ItemRequest,
    Order,
    OrderItem,
    OrderKey,
    OrderRequest,
    PersonalData,
    Proposal,
)
from openbooking.booking.payment import check_payment, check_total
from openbooking.booking.policy import Leasing, Policy
from openbooking.booking.record import Record, RecordKind
from openbooking.booking.situation import Needs, RecordSet, Situation
from openbooking.spec.errors import (
    OpenBookingError,
    OrderCreationFailedError,
    PatchNotAllowedOnPropertyError,
)
from openbooking.spec.terms import FlowRequirement, OrderProposalStatus

SELLER_NOTES_EVERY = timedelta(minutes=5)


class Propose(OrderCommand, frozen=True, kw_only=True):
    """P: an Order is put before the Seller; with leasing its spaces are held meanwhile (AMB-75).

    `version` is a fresh UUID. `nonce` is a fresh secret, of which the key of the fingerprint is made; it is not kept.
    """

    request: OrderRequest
    version: str
    nonce: str = ""

    def needs(self, policy: Policy) -> Needs:
        """The record behind the UUID, what the items name, and what the Booking Partner holds."""
        return replace(order_needs(super().needs(policy), self.request), holders=frozenset({self.caller.partner}))

    def decide(self, situation: Situation) -> Decision:
        """Answer a repeat from the record (OB-APP-16), else propose what the dry run finds bookable."""
        record = situation.records.get(self.key)
        fingerprint = self.request.fingerprint()
        if record and record.kind is RecordKind.PROPOSAL and self._made(record, fingerprint):
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=self._answered_again(record))
        lifecycle.after(record, lifecycle.Event.PROPOSE)
        kept = guaranteed_terms(situation, record, self.request.items, renews=False)
        order = dry_run(situation, Checkpoint.P, self.caller, self.uuid, self.request, kept)
        if order.has_errors:
            return Decision(reply=order)
        if not order.requires_approval:
            raise OrderCreationFailedError("This Order needs no approval: book it.")
        check_payment(self.request.payment, order.offers)
        check_total(self.request, order)
        order = self._proposed(situation, order)
        leases = situation.policy.leasing is not Leasing.OFF
        terms = self.caller.terms_with(order.seller.key)
        bound = bound_of_proposal(situation, self.key, order, terms) if leases else None
        if leases and bound is None:
            order = replace(order, lease_expires=_held_until(situation, order))
        proposed = Record(
            partner=self.caller.partner,
            uuid=self.uuid,
            kind=RecordKind.PROPOSAL,
            seller=order.seller.key,
            order=order,
            fingerprint=keyed(fingerprint_key(self.nonce), fingerprint),
            lease_expires=order.lease_expires,
            proposal=order.proposal,
            proposed=self.stamp(situation),
            changed=self.stamp(situation),
        )
        return Decision(reply=replace(order, not_held=bound), changes=(RecordSet(self.key, proposed),))

    def _made(self, record: Record, fingerprint: str) -> bool:
        """Whether this request made the proposal; once its personal data is erased, whether it asks for the same."""
        order = record.order
        if personal_data_of(record) or order is None:
            return is_known_by(record, fingerprint)
        asked = self.request
        dynamic = asked.payment is not None and asked.payment.dynamic
        same_total = order.dynamic or asked.total_payment_due == order.totals.price
        same_seller = asked.seller == order.seller.key
        items = zip(asked.items, order.items, strict=False)
        same_items = len(asked.items) == len(order.items) and all(_asks_for(*pair) for pair in items)
        return dynamic == order.dynamic and same_total and same_seller and same_items

    def _answered_again(self, record: Record) -> Order | None:
        """The first answer, with the personal data of the repeat, since that of the first may have been erased."""
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
            proposal=Proposal(made=situation.now, version=self.version, expires=_lifetime_ends(situation, order)),
            personal=self._personal_data(order, situation.now),
        )


def _asks_for(asked: ItemRequest, item: OrderItem) -> bool:
    """Whether an item is asked for in the same words as it was before, and at the same price if the Broker names it."""
    sent = (asked.position, asked.opportunity_id, asked.offer_id)
    named = asked.override and asked.override.price
    known = item.offer.price if item.offer and item.offer.override else None
    return sent == (item.position, item.opportunity_id, item.offer_id) and named == known


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
        """Reject, and replace the note before by this one; a repeat changes nothing (OB-AMEND-12).

        The note is not kept if the proposal is closed, since its personal data has been erased.
        """
        before, proposal = open_proposal(situation, self.key)
        self.caller.check_may_act_for(before.seller)
        record, stamp = before, self.stamp(situation)
        if self.reject and proposal.status is not OrderProposalStatus.CUSTOMER_REJECTED:
            if not lifecycle.is_open(proposal):
                raise PatchNotAllowedOnPropertyError("The OrderProposal has been rejected already.")
            record = with_status(situation, record, OrderProposalStatus.CUSTOMER_REJECTED, stamp)
        if self.note is not None and record.order and record.ends:
            personal = replace(record.order.personal or PersonalData(), customer_note=self.note)
            record = replace(record, order=replace(record.order, personal=personal))
        return Decision(changes=() if record == before else (RecordSet(self.key, replace(record, changed=stamp)),))


def open_proposal(situation: Situation, key: OrderKey) -> tuple[Record, Proposal]:
    """The record and the proposal behind the key, or raise UnknownOrderError or GoneError."""
    record = lifecycle.existing(situation.records.get(key), lifecycle.Event.UPDATE_PROPOSAL)
    assert record.proposal is not None  # noqa: S101 - every proposal's record has one
    return record, record.proposal


def with_status(
    situation: Situation, record: Record, status: OrderProposalStatus, stamp: Stamp, note: str | None = None
) -> Record:
    """The record with the proposal in this status, and with that in its feed; `stamp` tells who has decided so.

    Accepted, it lives, and holds what it holds, for at least as long as a quote would, so that it can be booked;
    rejected, for no longer, so that its spaces come back soon, but not between one call of the Broker and its next.
    """
    proposal = record.proposal
    assert proposal is not None  # noqa: S101 - asked for only of proposals
    if status not in lifecycle.PROPOSAL_TRANSITIONS[proposal.status]:
        raise OpenBookingError(f"The OrderProposal is {proposal.status.rpartition('/')[2]} for good.")
    decided = stamp if status is not OrderProposalStatus.AWAITING else None
    if status is proposal.status:
        decided = proposal.decided
    moved = replace(record, proposal=replace(proposal, status=status, updated=True, decided=decided))
    if status is not OrderProposalStatus.AWAITING:
        moved = _ending(situation, moved, max if status is OrderProposalStatus.ACCEPTED else min)
    if note and may_write(situation, proposal):
        return with_note(situation, moved, note, stamp)
    return record if moved == record else replace(moved, changed=stamp)


def _ending(situation: Situation, record: Record, nearest: Callable[[datetime, datetime], datetime]) -> Record:
    """The record with other ends of its lifetime and its hold, as far as they have not come yet."""
    soon = situation.now + situation.policy.lease_duration
    proposal = record.proposal
    if proposal and proposal.expires and proposal.expires > situation.now:
        record = replace(record, proposal=replace(proposal, expires=nearest(proposal.expires, soon)))
    if record.lease_expires and situation.live(record):
        record = replace(record, lease_expires=nearest(record.lease_expires, soon))
    return record


def closed(record: Record, stamp: Stamp) -> Record:
    """The rejected proposal without its spaces and its personal data.

    It stays behind its UUID, and in its feed, as it was rejected.
    """
    bare = without_people(record, stamp)
    proposal = bare.proposal and replace(bare.proposal, expires=None)
    return replace(bare, lease_expires=None, proposal=proposal, changed=stamp)


def with_note(situation: Situation, record: Record, note: str, stamp: Stamp) -> Record:
    """The record with this note of the Seller in place of the one before, and with that in its feed (OB-AMEND-10)."""
    assert record.proposal is not None  # noqa: S101 - asked for only of proposals
    noted = replace(record.proposal, seller_note=note, seller_note_at=situation.now, updated=True)
    return replace(record, proposal=noted, changed=stamp)


def may_write(situation: Situation, proposal: Proposal) -> bool:
    """Whether the Seller's last note is old enough not to be lost to the Broker by the next (OB-AMEND-11)."""
    return proposal.seller_note_at is None or situation.now - proposal.seller_note_at >= SELLER_NOTES_EVERY


def _lifetime_ends(situation: Situation, order: Order) -> datetime:
    """After the lifetime of proposals, but no later than there is something to book (OB-APP-26)."""
    ends = [item.opportunity.over_at for item in order.items if item.opportunity]
    return min([situation.now + situation.policy.proposal_duration, *filter(None, ends)])


def _held_until(situation: Situation, order: Order) -> datetime:
    """For as long as a proposal may hold spaces, but no longer than it lives (OB-LEASE-22)."""
    longest = situation.now + situation.policy.bounds.proposal_duration
    lifetime = order.proposal.expires if order.proposal else None
    return min(longest, lifetime or longest)
