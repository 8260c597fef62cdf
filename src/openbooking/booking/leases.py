"""The end of Leases. That an ended lease holds nothing is decided wherever capacity is read; this clears it away."""

import msgspec

from openbooking.booking import lifecycle
from openbooking.booking.command import Decision
from openbooking.booking.order import Record, RecordKind
from openbooking.booking.policy import Policy
from openbooking.booking.proposal import closed, with_status
from openbooking.booking.situation import Needs, RecordSet, Situation
from openbooking.spec.terms import OrderProposalStatus

_TOO_LATE = "The proposal was not booked in time."


class ExpireLeases(msgspec.Struct, frozen=True):
    """The sweeper: quotes and proposals whose lease has ended give up their places, which return to the open feeds."""

    def needs(self, policy: Policy) -> Needs:
        """The records whose lease has ended."""
        del policy
        return Needs(expired=True)

    def decide(self, situation: Situation) -> Decision:
        """Remove the quotes; reject the proposals on the Seller's behalf (OB-APP-28), and close what is rejected."""
        ended = situation.expired()
        return Decision(changes=tuple(RecordSet(record.key, _after(situation, record)) for record in ended))


def _after(situation: Situation, record: Record) -> Record | None:
    if record.kind is not RecordKind.PROPOSAL or record.proposal is None:
        return None
    if lifecycle.is_open(record.proposal):
        record = with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, _TOO_LATE)
    return closed(record, situation.now)
