"""Items of the open feeds and of the Orders feed (OB 8.4.4, MOD)."""

from collections.abc import Sequence

import msgspec

from openbooking.booking.opportunity import Opportunity, Seller
from openbooking.booking.order import Record
from openbooking.booking.pricing import totals
from openbooking.booking.situation import Places
from openbooking.jsonld.write import CONTEXT, FEED_CONTEXT, JsonObject, Writer
from openbooking.spec.ids import OrderItemRef
from openbooking.spec.terms import OpportunityType, OrderType

_PARENTS = (OpportunityType.SESSION_SERIES, OpportunityType.FACILITY_USE, OpportunityType.INDIVIDUAL_FACILITY_USE)


class JsonLdFeedWriter:
    """Writes the `data` of feed items."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def opportunity(
        self, opportunity: Opportunity, places: Places, parents: Sequence[Opportunity], seller: Seller
    ) -> bytes:
        """An Opportunity, or a parent of such, as its open feed shows it."""
        return msgspec.json.encode(
            {"@context": FEED_CONTEXT, **self._opportunity(opportunity, places, parents, seller)}
        )

    def _opportunity(
        self, opportunity: Opportunity, places: Places, parents: Sequence[Opportunity], seller: Seller
    ) -> JsonObject:
        left = None if opportunity.capacity is None else max(opportunity.capacity - places.booked - places.leased, 0)
        written = self._writer.opportunity(opportunity, left)
        if opportunity.offers:
            written["offers"] = [self._writer.offer(offer, in_feed=True) for offer in opportunity.offers]
        if opportunity.type in _PARENTS:
            role = "provider" if opportunity.type.is_facility else "organizer"
            written[role] = self._writer.seller(seller, in_feed=True)
        link = self._writer.parent_property(opportunity.type)
        if link and parents:
            # The validator wants the FacilityUse within its IndividualFacilityUse; other parents are joined from feeds.
            embedded = opportunity.type is OpportunityType.INDIVIDUAL_FACILITY_USE
            written[link] = (
                self._opportunity(parents[0], Places(), parents[1:], seller)
                if embedded
                else self._writer.ids.opportunity(parents[0].path)
            )
        return written

    def order(self, record: Record) -> bytes:
        """An Order as it stands, without personal data and what cannot change after B (OB-OF-09 to OB-OF-23)."""
        order = record.order
        assert order is not None  # noqa: S101 - only booked Orders are written
        standing = [item for item, state in zip(order.items, record.states, strict=True) if not state.status.cancelled]
        publish_prepayment = order.totals.prepayment is not None
        written: JsonObject = {
            "@context": CONTEXT,
            "@type": "Order",
            "@id": self._writer.ids.order(OrderType.ORDER, record.uuid),
            "identifier": record.uuid,
            "orderedItem": [],
            **self._writer.totals(totals(standing, order.seller.tax_mode, publish_prepayment=publish_prepayment)),
        }
        for item, state in zip(order.items, record.states, strict=True):
            entry: JsonObject = {
                "@type": "OrderItem",
                "@id": self._writer.ids.order_item(OrderItemRef(record.uuid, item.number)),
                "orderItemStatus": state.status,
                "unitTaxSpecification": self._writer.tax(item.tax),
            }
            if item.opportunity and item.offer:
                entry["orderedItem"] = self._writer.ids.opportunity(item.opportunity.path)
                entry["acceptedOffer"] = self._writer.offer(item.offer, in_feed=False)
            if state.cancellation_message:
                entry["cancellationMessage"] = state.cancellation_message
            written["orderedItem"].append(entry)
        return msgspec.json.encode(written)
