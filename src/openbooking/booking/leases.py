"""The end of Leases. That an ended lease holds nothing is decided wherever capacity is read; this clears it away."""

from openbooking.booking import lifecycle
from openbooking.booking.actor import Actor, ActorKind, Stamp
from openbooking.booking.command import BaseCommand, Decision
from openbooking.booking.order import Record, RecordKind
from openbooking.booking.policy import Policy
from openbooking.booking.proposal import closed, with_status
from openbooking.booking.situation import Needs, RecordSet, Situation
from openbooking.spec.terms import OrderProposalStatus

SWEEPER = Actor(ActorKind.SYSTEM, "sweeper")
_TOO_LATE = "The proposal was not booked in time."


class ExpireLeases(BaseCommand, frozen=True):
    """The sweeper: quotes and proposals whose lease has ended give up their places, which return to the open feeds."""

    @property
    def actor(self) -> Actor:
        """The system itself."""
        return SWEEPER

    def needs(self, policy: Policy) -> Needs:
        """The records whose lease has ended."""
        del policy
        return Needs(expired=True)

    def decide(self, situation: Situation) -> Decision:
        """Remove the quotes; reject the proposals on the Seller's behalf (OB-APP-28), and close what is rejected."""
        ended, stamp = situation.expired(), self.stamp(situation)
        return Decision(changes=tuple(RecordSet(record.key, _after(situation, record, stamp)) for record in ended))


def _after(situation: Situation, record: Record, stamp: Stamp) -> Record | None:
    if record.kind is not RecordKind.PROPOSAL or record.proposal is None:
        return None
    if lifecycle.is_open(record.proposal):
        record = with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, _TOO_LATE)
    return closed(record, stamp)
