"""Order Status: return an Order, an OrderProposal or a leased OrderQuote (OB 9.2.10)."""

from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.order import Lease, Order, OrderItem
from openbooking.booking.model.record import OrderRecord, ProposalRecord, QuoteRecord, ShownQuote, ShownRecord
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.rules.opportunities.capacity import spaces_left
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.pricing import Pricing, tax_charges, totals
from openbooking.openactive.errors import UnknownOrderError
from openbooking.openactive.terms import FlowRequirement, OrderType


class GetOrder(OrderCommand, frozen=True):
    """Return the current Order, OrderProposal or leased OrderQuote with the UUID (OB-OST-02)."""

    def needs(self) -> Needs:
        """Return the record behind the UUID."""
        return replace(super().needs(), likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[ShownRecord]:
        """Return the record. A quote without a Lease is unknown, and so is a quote with an ended Lease (OB-LEASE-20).

        Raises:
            UnknownOrderError: The UUID has no Order, no OrderProposal and no leased quote.
            GoneError: The Order was deleted.
        """
        record = situation.records.get(self.key)
        lifecycle.check_event(record, lifecycle.Event.READ)
        if isinstance(record, QuoteRecord) and record.lease and situation.holds_spaces(record):
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=_shown_quote(situation, record, record.lease))
        if isinstance(record, OrderRecord | ProposalRecord):
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=record)
        raise UnknownOrderError


def _shown_quote(situation: Situation, record: QuoteRecord, lease: Lease) -> ShownQuote:
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return ShownQuote(**fields | {"order": _leased_quote(situation, record, lease)})


def _leased_quote(situation: Situation, record: QuoteRecord, lease: Lease) -> Order:
    """Return the OrderQuote of a Lease, with the current Opportunities and the leased Offers and prices."""
    seller = situation.sellers[record.seller]
    pricing = Pricing(seller.tax_mode, lease.tax, situation.policy.prepayment)
    dynamic = lease.payment is not None and lease.payment.dynamic
    released = situation.released_hold(record)
    items = []
    for number, leased in enumerate(lease.items, 1):
        offer, opportunity = lease.terms_of(leased).offer, situation.opportunities[leased.opportunity]
        taken = situation.spaces_taken(leased.opportunity, released)
        item = OrderItem(
            number=number,
            offer=offer,
            remaining=spaces_left(opportunity, taken),
            tax=() if dynamic else tax_charges(offer, pricing),
        )
        items.append(item.set_opportunity(opportunity, situation.parents(opportunity)))
    return Order(
        type=OrderType.QUOTE,
        uuid=record.uuid,
        seller=seller,
        broker_role=lease.broker_role,
        broker=lease.broker,
        items=tuple(items),
        totals=totals(items, pricing),
        tax=lease.tax,
        payment=lease.payment,
        requires_approval=any(FlowRequirement.APPROVAL in terms.offer.flow for terms in lease.terms),
        lease_expires=record.lease_expires,
    )
