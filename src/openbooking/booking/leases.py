"""The end of Leases. That an ended lease holds nothing is decided wherever capacity is read; this clears it away."""

import msgspec

from openbooking.booking.command import Decision
from openbooking.booking.policy import Policy
from openbooking.booking.situation import Needs, RecordSet, Situation


class ExpireLeases(msgspec.Struct, frozen=True):
    """The sweeper: quotes whose lease has ended are removed, and the freed places return to the open feeds."""

    def needs(self, policy: Policy) -> Needs:
        """The records whose lease has ended."""
        del policy
        return Needs(expired=True)

    def decide(self, situation: Situation) -> Decision:
        """Remove them."""
        return Decision(changes=tuple(RecordSet(record.key, None) for record in situation.expired()))
