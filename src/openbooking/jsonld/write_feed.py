"""Items of the open feeds and of the Orders feed (OB 8.4.4, MOD)."""

from collections.abc import Sequence

import msgspec

from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import BookedItem, Order
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.model.situation import Spaces
from openbooking.booking.rules.capacity import spaces_left
from openbooking.booking.rules.pricing import charged, current_totals, pricing_of
from openbooking.jsonld.write import FEED_CONTEXT, JsonObject, Writer
from openbooking.openactive.ids import OrderItemRef
from openbooking.openactive.terms import TaxTreatment


class JsonLdFeedWriter:
    """Writes the `data` of feed items."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def opportunity(
        self, opportunity: Opportunity, spaces: Spaces, parents: Sequence[Opportunity], seller: Seller
    ) -> bytes:
        """An Opportunity, or a parent of such, as its open feed shows it."""
        return msgspec.json.encode(
            {"@context": FEED_CONTEXT, **self._opportunity(opportunity, spaces, parents, seller)}
        )

    def opportunity_id(self, path: str) -> str:
        """The `@id` of an Opportunity."""
        return self._writer.ids.opportunity(path)

    def _opportunity(
        self, opportunity: Opportunity, spaces: Spaces, parents: Sequence[Opportunity], seller: Seller
    ) -> JsonObject:
        written = self._writer.opportunity(opportunity, spaces_left(opportunity, spaces))
        if opportunity.offers:
            written["offers"] = [self._writer.offer(offer, in_feed=True) for offer in opportunity.offers]
        if opportunity.type.shows_seller:
            written[opportunity.type.row.seller_property] = self._writer.seller(seller, in_feed=True)
        link = opportunity.type.parent_property
        if link and parents:
            written[link] = (
                self._opportunity(parents[0], Spaces(), parents[1:], seller)
                if opportunity.type.embeds_parent
                else self._writer.ids.opportunity(parents[0].path)
            )
        return written

    def order(self, record: OrderRecord) -> bytes:
        """An Order as it stands, without personal data and what cannot change after B (OB-OF-09 to OB-OF-23)."""
        # A Broker can only tell what has changed if it finds every item as it was at B.
        in_full = any(state.logistics_changed for state in record.states)
        items = [
            self._order_item(record.order, item, in_full=in_full)
            | self._writer.state(state)
            | self._writer.access(item.access)
            for item, state in record.items()
        ]
        return msgspec.json.encode(self._record(record, items))

    def proposal(self, record: ProposalRecord) -> bytes:
        """An OrderProposal as it stands: with the questions that are asked, without what a person answered (AMB-24)."""
        items = [
            self._order_item(record.order, item, in_full=False) | self._writer.intake_form(item.offer)
            for item, _ in record.items()
        ]
        written = self._record(record, items)
        return msgspec.json.encode(written | self._writer.proposal(record.uuid, record.proposal))

    def _record(self, record: OrderRecord | ProposalRecord, items: list[JsonObject]) -> JsonObject:
        order = record.order
        written: JsonObject = {
            "@context": FEED_CONTEXT,
            "@type": order.type,
            "@id": self._writer.ids.order(order.type, record.uuid),
            "identifier": record.uuid,
            "orderedItem": items,
        }
        if order.tax is TaxTreatment.EXCLUDED:
            written["taxCalculationExcluded"] = True
        return written if order.dynamic else written | self._writer.totals(current_totals(record))

    def _order_item(self, order: Order, item: BookedItem, *, in_full: bool) -> JsonObject:
        written: JsonObject = {
            "@type": "OrderItem",
            "@id": self._writer.ids.order_item(OrderItemRef(order.uuid, item.number)),
            "orderedItem": self._in_full(order, item)
            if in_full
            else self._writer.ids.opportunity(item.opportunity.path),
        }
        if item.tax:
            written["unitTaxSpecification"] = self._writer.tax(item.tax)
        if not order.dynamic:
            written["acceptedOffer"] = self._writer.offer(charged(item.offer, pricing_of(order)), in_feed=False)
        return written

    def _in_full(self, order: Order, item: BookedItem) -> JsonObject:
        """The Opportunity in full, its facility with the provider that the validator wants there (AMB-19)."""
        written = self._writer.opportunity_with_parents(item.opportunity, item.parents, None)
        child, shown = item.opportunity.type, written
        for parent in item.parents:
            shown = shown[str(child.parent_property)]
            if parent.type.is_facility:
                shown[parent.type.row.seller_property] = self._writer.seller(order.seller, in_feed=True)
            child = parent.type
        return written
