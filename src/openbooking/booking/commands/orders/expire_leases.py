"""Where Leases end: the sweeper removes ended quotes, and closes OrderProposals whose lifetime has ended.

A Lease that has ended takes no spaces, even before the sweeper removes the Lease. The open feeds show these spaces as
free after the sweeper has run.
"""

from msgspec.structs import replace

from openbooking.booking.command import BaseCommand, Decision
from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.record import ProposalRecord, QuoteRecord, Record
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.erasure import SystemNote
from openbooking.booking.rules.orders.holding import SPENT_FOR, is_spent
from openbooking.openactive.terms import OrderProposalStatus

SWEEPER = Actor(ActorKind.SYSTEM, "sweeper")


class ExpireLeases(BaseCommand, frozen=True):
    """Remove ended quotes and ended holds, and close OrderProposals whose lifetime has ended.

    A store loads some of the ended records at once. The reply is the number of changed records. The caller repeats the
    command until the reply is 0.
    """

    @property
    def actor(self) -> Actor:
        """The sweeper."""
        return SWEEPER

    def needs(self) -> Needs:
        """Return some of the records whose hold or lifetime has ended."""
        return Needs(expired=True)

    def decide(self, situation: Situation) -> Decision[int]:
        """Remove ended quotes and holds. Reject and close proposals at the end of their lifetime (OB-APP-28)."""
        stamp = self.stamp(situation)
        changes = tuple(
            RecordSet(record.key, _record_after(situation, record, stamp)) for record in situation.expired()
        )
        return Decision(reply=len(changes), changes=changes)


def _record_after(situation: Situation, record: Record, stamp: Stamp) -> Record | None:
    """Return the record as the sweeper leaves it, or None if the sweeper removes it."""
    if not isinstance(record, ProposalRecord):
        return _quote_record_after(situation, record)
    if record.proposal.expires and record.proposal.expires > situation.now:
        return replace(record, lease_expires=None, changed=stamp)
    if lifecycle.is_open(record.proposal):
        record = lifecycle.set_proposal_status(
            situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, SystemNote.TOO_LATE
        )
    return lifecycle.close_proposal(record, stamp)


def _quote_record_after(situation: Situation, record: Record) -> Record | None:
    """Return None, or a record without a Lease if the UUID has used up its hold time."""
    if not isinstance(record, QuoteRecord) or record.lease is None or not is_spent(situation, record):
        return None
    return replace(record, lease=None, lease_expires=None, spent_until=situation.now + SPENT_FOR)
