"""Order Status (OB 9.2.10)."""

from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.order import RecordKind
from openbooking.booking.policy import Policy
from openbooking.booking.situation import Needs, Situation
from openbooking.spec.errors import UnknownOrderError


class GetOrder(OrderCommand, frozen=True):
    """What is stored under the UUID, as it stands now: an Order, or a leased OrderQuote (OB-OST-02)."""

    def needs(self, policy: Policy) -> Needs:
        """The record behind the UUID."""
        return replace(super().needs(policy), look_first=True)

    def decide(self, situation: Situation) -> Decision:
        """Answer with the record; a quote whose lease has ended is no more (OB-LEASE-20)."""
        record = lifecycle.existing(situation.records.get(self.key), lifecycle.Event.READ)
        if record.kind is RecordKind.QUOTE and not situation.live(record):
            raise UnknownOrderError
        self.caller.check_may_act_for(record.seller)
        return Decision(reply=record)
