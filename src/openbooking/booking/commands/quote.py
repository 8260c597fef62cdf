"""C1 and C2: the quotes, and the Leases they may hold (OB 5.4.3, 9.2.1, 9.2.2)."""

from collections.abc import Mapping
from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.order import (
    LeasedTerms,
    Order,
    OrderRequest,
)
from openbooking.booking.model.policy import Leasing
from openbooking.booking.model.record import QuoteRecord, Record
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.dry_run import Checkpoint, dry_run, order_needs
from openbooking.booking.rules.holding import bound_of_quote, guaranteed_terms, lease_of, still_wanted


class Quote(OrderCommand, frozen=True, kw_only=True):
    """C1 or C2: price and availability of the items, and a Lease of their spaces where leasing is on."""

    stores_more: ClassVar[bool] = True

    checkpoint: Checkpoint
    request: OrderRequest
    holds: bool = True

    def needs(self) -> Needs:
        """The record behind the UUID, what the items name, and what the Booking Partner holds."""
        needs = order_needs(super().needs(), self.request)
        if not self.holds:
            return replace(needs, likely_read_only=True)
        return replace(needs, holders=frozenset({self.caller.partner}))

    def decide(self, situation: Situation) -> Decision[Order]:
        """Answer with the quote; hold its spaces only if none of its items is at fault (OB-LEASE-15).

        A Lease that there is already follows the items (OB-LEASE-12). Some quotes may not hold more than before: C1
        with named leasing, and any beyond a bound. They remove from the Lease what is not asked for any more, add
        nothing, and leave it its end (AMB-72).
        """
        record = situation.records.get(self.key)
        lifecycle.check_event(record, lifecycle.Event.QUOTE)
        bound = None
        if leases := self.holds and may_hold(situation.policy.leasing, self.checkpoint):
            seller = self.request.seller or ""
            terms = self.caller.terms_with(seller)
            bound = bound_of_quote(situation, self.key, seller, self.request.items, terms)
        extends = leases and bound is None
        kept = guaranteed_terms(situation, record, self.request.items, renews=extends)
        quote = dry_run(situation, self.checkpoint, self.caller, self.uuid, self.request, kept)
        if quote.has_errors:
            return Decision(reply=quote)
        if extends:
            return self._held(situation, record, quote, kept)
        return self._reduced(situation, record, replace(quote, not_held=bound))

    def _held(
        self, situation: Situation, record: Record | None, quote: Order, kept: Mapping[int, LeasedTerms]
    ) -> Decision[Order]:
        """Hold all items for the duration of a Lease, but no longer than the UUID may hold without a break."""
        live = situation.holds_spaces(record)
        since = record.lease.since if record and record.lease and live else situation.now
        expires = min(situation.now + situation.policy.lease_duration, since + situation.policy.bounds.quote_duration)
        held = QuoteRecord(
            partner=self.caller.partner,
            uuid=self.uuid,
            seller=quote.seller.key,
            lease=lease_of(quote, kept, since, situation.now),
            lease_expires=expires,
        )
        return Decision(reply=replace(quote, lease_expires=expires), changes=(RecordSet(self.key, held),))

    def _reduced(self, situation: Situation, record: Record | None, quote: Order) -> Decision[Order]:
        """Keep of the Lease only what is still asked for, at its terms and until its present end."""
        if not isinstance(record, QuoteRecord) or record.lease is None or not situation.holds_spaces(record):
            return Decision(reply=quote)
        items = still_wanted(record.lease, quote.items)
        if not items:
            return Decision(reply=quote, changes=(RecordSet(self.key, None),))
        reply = replace(quote, lease_expires=record.lease_expires)
        if items == record.lease.items:
            return Decision(reply=reply)
        reduced = replace(record, lease=replace(record.lease, items=items))
        return Decision(reply=reply, changes=(RecordSet(self.key, reduced),))


def may_hold(leasing: Leasing, checkpoint: Checkpoint) -> bool:
    """Whether quotes at this checkpoint hold spaces (OB 5.4.3)."""
    return leasing is Leasing.ANONYMOUS or (leasing is Leasing.NAMED and checkpoint is Checkpoint.C2)
