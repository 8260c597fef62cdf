"""The sweeper: it removes holds that have ended. Capacity does not depend on it, since an ended hold never counts."""

from msgspec.structs import replace

from openbooking.booking.command import BaseCommand, Decision
from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.record import ProposalRecord, QuoteRecord, Record
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.holding import SPENT_FOR, is_spent
from openbooking.openactive.terms import OrderProposalStatus

SWEEPER = Actor(ActorKind.SYSTEM, "sweeper")
_TOO_LATE = "The proposal was not booked in time."


class ExpireLeases(BaseCommand, frozen=True):
    """The sweeper: what quotes and proposals have held too long returns to the open feeds.

    The reply is how many records it has changed: not all at once, so to be repeated until there are none.
    """

    @property
    def actor(self) -> Actor:
        """The system itself."""
        return SWEEPER

    def needs(self) -> Needs:
        """Some of the records whose hold or lifetime has ended."""
        return Needs(expired=True)

    def decide(self, situation: Situation) -> Decision[int]:
        """Remove the quotes; reject the proposals on the Seller's behalf (OB-APP-28), and close what is rejected."""
        stamp = self.stamp(situation)
        changes = tuple(RecordSet(record.key, _after(situation, record, stamp)) for record in situation.expired())
        return Decision(reply=len(changes), changes=changes)


def _after(situation: Situation, record: Record, stamp: Stamp) -> Record | None:
    if not isinstance(record, ProposalRecord):
        return _after_quote(situation, record)
    if record.proposal.expires and record.proposal.expires > situation.now:
        return replace(record, lease_expires=None, changed=stamp)
    if lifecycle.is_open(record.proposal):
        record = lifecycle.with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, _TOO_LATE)
    return lifecycle.closed(record, stamp)


def _after_quote(situation: Situation, record: Record) -> Record | None:
    """None, or a record without a Lease that marks the UUID as spent."""
    if not isinstance(record, QuoteRecord) or record.lease is None or not is_spent(situation, record):
        return None
    return replace(record, lease=None, lease_expires=None, spent_until=situation.now + SPENT_FOR)
