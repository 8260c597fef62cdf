"""OrderProposals after a change: another status, a note of the Seller, or closed (OB 5.5.5)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import OrderKey, Proposal
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.erasure import without_people
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.terms import OrderProposalStatus

SELLER_NOTES_EVERY = timedelta(minutes=5)


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
