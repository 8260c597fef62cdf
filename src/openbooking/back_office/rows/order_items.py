"""The items of an Order or OrderProposal, as pages and commands show them."""

from decimal import Decimal
from typing import NamedTuple

from openbooking.back_office.descriptions import opportunity_name, person_name, place_name
from openbooking.booking.model.order import BookedItem, PersonalData
from openbooking.booking.model.record import ItemState, OrderRecord, ProposalRecord
from openbooking.booking.rules.orders.pricing import amount_due, pricing_of


class ItemRow(NamedTuple):
    """An item of an Order or OrderProposal.

    Attributes:
        item: The current item.
        state: Its state.
        name: The name of the Opportunity.
        place: The name of its place.
        attendee: The name of the attendee; empty if the Broker sent none.
        price: The price with tax.
        tax: The tax in the price, as far as the Order states it.
    """

    item: BookedItem
    state: ItemState
    name: str
    place: str
    attendee: str
    price: Decimal
    tax: Decimal


def item_rows(record: OrderRecord | ProposalRecord) -> list[ItemRow]:
    """Return the current items."""
    personal = record.order.personal or PersonalData()
    pricing = pricing_of(record.order)
    return [
        ItemRow(
            item=item,
            state=state,
            name=opportunity_name(item.opportunity, item.parents),
            place=place_name(item.opportunity, item.parents),
            attendee=person_name(personal.attendees.get(item.number)),
            price=amount_due(item.offer, pricing),
            tax=sum((charge.price for charge in item.tax), Decimal(0)),
        )
        for item, state in record.items()
    ]
