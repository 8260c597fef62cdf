"""Writes the `data` of items in the open feeds and the Orders feeds (OB 8.4.4, MOD).

`openactive/rpde.py` makes pages of the items, and `web/api/feeds.py` serves the pages.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import BookedItem, Order
from openbooking.booking.model.record import ItemState, OrderRecord, ProposalRecord
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.capacity import spaces_left
from openbooking.booking.rules.orders.pricing import charged_offer, current_totals, pricing_of
from openbooking.jsonld.write import BETA_CONTEXT, JsonObject, Writer, access_channel, access_codes, access_passes
from openbooking.openactive import messages
from openbooking.openactive.ids import OrderItemRef
from openbooking.openactive.terms import TaxTreatment


class JsonLdFeedWriter:
    """Writes the `data` of feed items.

    Args:
        writer: Writes the parts that replies and feeds share.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def opportunity(
        self, opportunity: Opportunity, spaces: Spaces, parents: Sequence[Opportunity], seller: Seller
    ) -> bytes:
        """Return the `data` of an item in an open feed.

        Args:
            opportunity: The Opportunity, which may be a parent of others.
            spaces: The numbers of its booked and leased spaces.
            parents: The parents, nearest first.
            seller: The Seller.
        """
        return msgspec.json.encode(
            {"@context": BETA_CONTEXT, **self._opportunity(opportunity, spaces, parents, seller)}
        )

    def opportunity_id(self, path: str) -> str:
        """Return the `@id` of the Opportunity with this path."""
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
        """Return the `data` of an Order in the Orders feed, with all changes since B (OB-OF-09 to OB-OF-23).

        Personal data, and properties that never change, are left out.
        """
        order = record.order
        # After a change of logistics all items embed their Opportunity, and the Broker compares them with those of B.
        in_full = any(state.logistics_changed for state in record.states)
        items = tuple(self._order_item(order, item, state=state, in_full=in_full) for item, state in record.items())
        return msgspec.json.encode(messages.OrderFeedData(**self._common(record, order, items), type="Order"))

    def proposal(self, record: ProposalRecord) -> bytes:
        """Return the `data` of an OrderProposal in its feed, with its intake forms, without the answers (AMB-24)."""
        proposal = record.proposal
        order = record.order
        items = tuple(self._order_item(order, item) for item, _ in record.items())
        written = messages.OrderProposalFeedData(
            **self._common(record, order, items),
            type="OrderProposal",
            order_proposal_version=self._writer.ids.proposal_version(record.uuid, proposal.version),
            order_proposal_status=proposal.status,
            order_seller_note=proposal.seller_note,
        )
        return msgspec.json.encode(written)

    def _common(
        self, record: OrderRecord | ProposalRecord, order: Order, items: tuple[messages.OrderItem, ...]
    ) -> dict[str, Any]:
        totals = None if order.dynamic else current_totals(record)
        return {
            "context": BETA_CONTEXT,
            "id": self._writer.ids.order(order.type, record.uuid),
            "identifier": record.uuid,
            "ordered_item": items,
            "tax_calculation_excluded": True if order.tax is TaxTreatment.EXCLUDED else None,
            "total_payment_due": self._writer.total_due(totals) if totals else None,
            "total_payment_tax": self._writer.tax(totals.tax) if totals else (),
        }

    def _order_item(
        self, order: Order, item: BookedItem, *, state: ItemState | None = None, in_full: bool = False
    ) -> messages.OrderItem:
        """Return one OrderItem.

        Args:
            order: The Order or OrderProposal.
            item: The item.
            state: The changes of the item since B; None for an item of an OrderProposal.
            in_full: Whether the item embeds its Opportunity; otherwise it refers to the Opportunity by `@id`.
        """
        charged = None if order.dynamic else charged_offer(item.offer, pricing_of(order))
        offer = self._writer.offer(charged, in_feed=False) if charged else None
        access = item.access if state else None
        return messages.OrderItem(
            id=self._writer.ids.order_item(OrderItemRef(order.uuid, item.number)),
            order_item_status=state.status if state else None,
            cancellation_message=state.cancellation_message if state else None,
            customer_notice=state.customer_notice if state else None,
            accepted_offer=offer,
            ordered_item=self._opportunity_in_full(order, item)
            if in_full
            else self._writer.ids.opportunity(item.opportunity.path),
            unit_tax_specification=self._writer.tax(item.tax),
            order_item_intake_form=() if state else self._writer.intake_form(item.offer),
            access_code=access_codes(access),
            access_pass=access_passes(access),
            access_channel=access_channel(access),
        )

    def _opportunity_in_full(self, order: Order, item: BookedItem) -> JsonObject:
        """Return the Opportunity of an item with its parents.

        A facility among the parents has a `provider`, which the validator requires (AMB-19).
        """
        written = self._writer.opportunity_with_parents(item.opportunity, item.parents, None)
        child, shown = item.opportunity.type, written
        for parent in item.parents:
            shown = shown[str(child.parent_property)]
            if parent.type.is_facility:
                shown[parent.type.row.seller_property] = self._writer.seller(order.seller, in_feed=True)
            child = parent.type
        return written
