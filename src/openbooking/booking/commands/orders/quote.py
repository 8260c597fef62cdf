"""C1 and C2: quotes and their Leases (OB 5.4.3, 9.2.1, 9.2.2).

The end of a Lease is set here (`Quote._hold`). `commands.expire_leases` removes Leases that have ended.
"""

from collections.abc import Mapping
from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.order import LeasedTerms, Order
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import Leasing
from openbooking.booking.model.record import QuoteRecord, Record
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.dry_run import Checkpoint, dry_run, order_needs
from openbooking.booking.rules.orders.holding import bound_of_quote, guaranteed_terms, lease_of, still_wanted_spaces


class Quote(OrderCommand, frozen=True, kw_only=True):
    """Quote the prices and availability of items, and hold their spaces if the policy says so.

    Attributes:
        checkpoint: C1 or C2.
        request: The request.
        holds: Whether the quote may hold spaces. A caller passes False if the policy holds no spaces at the checkpoint
            (`may_hold`). The store then loads no holdings, and decides the command without locks.
    """

    stores_more: ClassVar[bool] = True

    checkpoint: Checkpoint
    request: OrderRequest
    holds: bool = True

    def needs(self) -> Needs:
        """Return the record behind the UUID, the requested Opportunities, and the holdings of the Booking Partner."""
        needs = order_needs(super().needs(), self.request)
        if not self.holds:
            return replace(needs, likely_read_only=True)
        return replace(needs, holders=frozenset({self.caller.partner}))

    def decide(self, situation: Situation) -> Decision[Order]:
        """Return the quote, and hold its spaces if no item has an error (OB-LEASE-15).

        A new quote replaces the items of the Lease and extends the Lease (OB-LEASE-12). A quote that may not hold
        spaces, because of the policy or a bound, only removes items from the Lease. The end of the Lease does not
        change then (AMB-72).

        Raises:
            OpenBookingError: The request as a whole is at fault.
        """
        record = situation.records.get(self.key)
        lifecycle.check_event(record, lifecycle.Event.QUOTE)
        bound = None
        if leases := self.holds and may_hold(situation.policy.leasing, self.checkpoint):
            seller = self.request.seller or ""
            terms = self.caller.terms_with(seller)
            bound = bound_of_quote(situation, self.key, seller, self.request.items, terms)
        extends = leases and bound is None
        guaranteed = guaranteed_terms(situation, record, self.request.items, renews=extends)
        quote = dry_run(situation, self.checkpoint, self.caller, self.uuid, self.request, guaranteed)
        if quote.has_errors:
            return Decision(reply=quote)
        if extends:
            return self._hold(situation, record, quote, guaranteed)
        return self._reduce_lease(situation, record, replace(quote, not_held=bound))

    def _hold(
        self, situation: Situation, record: Record | None, quote: Order, guaranteed: Mapping[int, LeasedTerms]
    ) -> Decision[Order]:
        """Hold all items for `Policy.lease_duration`; a UUID may hold for `quote_duration` without a break at most."""
        live = situation.holds_spaces(record)
        since = record.lease.since if record and record.lease and live else situation.now
        expires = min(situation.now + situation.policy.lease_duration, since + situation.policy.bounds.quote_duration)
        held = QuoteRecord(
            partner=self.caller.partner,
            uuid=self.uuid,
            seller=quote.seller.key,
            lease=lease_of(quote, guaranteed, since, situation.now),
            lease_expires=expires,
        )
        return Decision(reply=replace(quote, lease_expires=expires), changes=(RecordSet(self.key, held),))

    def _reduce_lease(self, situation: Situation, record: Record | None, quote: Order) -> Decision[Order]:
        """Release the leased spaces that are not requested any more. Terms and end of the Lease do not change."""
        if not isinstance(record, QuoteRecord) or record.lease is None or not situation.holds_spaces(record):
            return Decision(reply=quote)
        items = still_wanted_spaces(record.lease, quote.items)
        if not items:
            return Decision(reply=quote, changes=(RecordSet(self.key, None),))
        reply = replace(quote, lease_expires=record.lease_expires)
        if items == record.lease.items:
            return Decision(reply=reply)
        reduced = replace(record, lease=replace(record.lease, items=items))
        return Decision(reply=reply, changes=(RecordSet(self.key, reduced),))


def may_hold(leasing: Leasing, checkpoint: Checkpoint) -> bool:
    """Return whether quotes at this checkpoint hold spaces (OB 5.4.3)."""
    return leasing is Leasing.ANONYMOUS or (leasing is Leasing.NAMED and checkpoint is Checkpoint.C2)
