"""The occurrences that can replace an item of an Order."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from openbooking.back_office.descriptions import opportunity_name
from openbooking.back_office.order_items import ItemRow
from openbooking.booking.model.opportunity import Offer, applicable_offers
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.pricing import amount_due, pricing_of
from openbooking.booking.views import Occurrence, SellerViews

# How far ahead other sessions are looked for.
_DAYS = 28
_OCCURRENCES = 200


class Choice(NamedTuple):
    """An occurrence with an Offer that can replace an item.

    Attributes:
        occurrence: The occurrence.
        offer: The Offer.
        name: The name of the Opportunity.
        price: The price with tax.
    """

    occurrence: Occurrence
    offer: Offer
    name: str
    price: Decimal

    @property
    def value(self) -> str:
        """The value of the choice in a form."""
        return f"{self.occurrence.path} {self.offer.owner} {self.offer.key}"


async def replacement_choices(views: SellerViews, record: OrderRecord, row: ItemRow, now: datetime) -> list[Choice]:
    """Return the occurrences of the coming weeks with an Offer at the same price or less (OB-SEL-07)."""
    found = await views.occurrences(now, now + timedelta(days=_DAYS), limit=_OCCURRENCES)
    pricing, choices = pricing_of(record.order), []
    for occurrence in found.rows:
        opportunity = occurrence.opportunity
        taken = occurrence.booked + occurrence.leased
        if not opportunity.takes_place or occurrence.capacity is None or taken >= occurrence.capacity:
            continue
        for offer in applicable_offers(opportunity, occurrence.parents):
            is_same = opportunity.path == row.item.opportunity.path and offer.ref == row.item.offer.ref
            if amount_due(offer, pricing) <= row.price and not is_same:
                name = opportunity_name(opportunity, occurrence.parents)
                choices.append(Choice(occurrence, offer, name, amount_due(offer, pricing)))
    # Sessions of the same name come first, because people move within a class more often than between classes.
    return sorted(choices, key=lambda choice: choice.name != row.name)
