"""C1 and C2: the quotes, and the Leases they may hold (OB 5.4.3, 9.2.1, 9.2.2)."""

from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.dry_run import Checkpoint, dry_run, order_needs
from openbooking.booking.order import OrderRequest, Record, RecordKind
from openbooking.booking.policy import Leasing, Policy
from openbooking.booking.situation import Needs, RecordSet, Situation


class Quote(OrderCommand, frozen=True, kw_only=True):
    """C1 or C2: price and availability of the items, and a Lease of their places where leasing is on."""

    checkpoint: Checkpoint
    request: OrderRequest

    def needs(self, policy: Policy) -> Needs:
        """The record behind the UUID, and what the items name."""
        needs = order_needs(super().needs(policy), self.request)
        return replace(needs, look_first=not self._leases(policy))

    def decide(self, situation: Situation) -> Decision:
        """Answer with the quote; hold its places only if none of its items is at fault (OB-LEASE-15).

        A Lease that there is already follows the items, whichever checkpoint asks for others (OB-LEASE-12).
        """
        record = situation.records.get(self.key)
        lifecycle.after(record, lifecycle.Event.QUOTE)
        quote = dry_run(situation, self.checkpoint, self.caller, self.uuid, self.request)
        if quote.has_errors or not (self._leases(situation.policy) or situation.live(record)):
            return Decision(reply=quote)
        expires = situation.now + situation.policy.lease_duration
        quote = replace(quote, lease_expires=expires)
        held = Record(
            partner=self.caller.partner,
            uuid=self.uuid,
            kind=RecordKind.QUOTE,
            seller=quote.seller.key,
            order=replace(quote, personal=None),
            lease_expires=expires,
        )
        return Decision(reply=quote, changes=(RecordSet(self.key, held),))

    def _leases(self, policy: Policy) -> bool:
        named = policy.leasing is Leasing.NAMED and self.checkpoint is Checkpoint.C2
        return named or policy.leasing is Leasing.ANONYMOUS
