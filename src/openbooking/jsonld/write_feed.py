"""Items of the open feeds and of the Orders feed (OB 8.4.4, MOD)."""

from collections.abc import Sequence

import msgspec

from openbooking.booking.opportunity import Opportunity, Seller
from openbooking.booking.order import ItemState, OrderItem, Record
from openbooking.booking.pricing import standing_totals
from openbooking.booking.situation import Places
from openbooking.jsonld.write import FEED_CONTEXT, JsonObject, Writer
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
        items = [
            self._order_item(record, item, state) | self._writer.state(state) | self._writer.access(item.access)
            for item, state in record.items()
        ]
        return msgspec.json.encode(self._record(record, OrderType.ORDER, items))

    def proposal(self, record: Record) -> bytes:
        """An OrderProposal as it stands (OB-OPF-02, OB-OPF-05, AMB-24)."""
        proposal = record.proposal
        assert proposal is not None  # noqa: S101 - only proposals are written
        items = [self._order_item(record, item, state) for item, state in record.items()]
        written = self._record(record, OrderType.PROPOSAL, items)
        return msgspec.json.encode(written | self._writer.proposal(record.uuid, proposal))

    def _record(self, record: Record, type_: OrderType, items: list[JsonObject]) -> JsonObject:
        return {
            "@context": FEED_CONTEXT,
            "@type": type_,
            "@id": self._writer.ids.order(type_, record.uuid),
            "identifier": record.uuid,
            "orderedItem": items,
            **self._writer.totals(standing_totals(record)),
        }

    def _order_item(self, record: Record, item: OrderItem, state: ItemState) -> JsonObject:
        assert item.opportunity is not None  # noqa: S101 - booked items have both
        assert item.offer is not None  # noqa: S101
        full = self._writer.opportunity_with_parents(item.opportunity, item.parents, None) if state.moved else None
        return {
            "@type": "OrderItem",
            "@id": self._writer.ids.order_item(OrderItemRef(record.uuid, item.number)),
            "unitTaxSpecification": self._writer.tax(item.tax),
            "orderedItem": full or self._writer.ids.opportunity(item.opportunity.path),
            "acceptedOffer": self._writer.offer(item.offer, in_feed=False),
        }
