"""The occurrences that can replace an item of an Order."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from openbooking.back_office.descriptions import opportunity_name
from openbooking.back_office.formats import day_bounds
from openbooking.back_office.rows.order_items import ItemRow
from openbooking.booking.model.opportunity import Offer, applicable_offers
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.orders.pricing import amount_due, pricing_of
from openbooking.booking.views import Occurrence, SellerViews

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


def replacement_day(row: ItemRow, now: datetime) -> date:
    """Return the day whose occurrences are offered first: that of the item, or today if the item is over.

    Args:
        row: The item.
        now: The current time in the time zone of the Booking System.
    """
    start = row.item.opportunity.start
    return max(start.astimezone(now.tzinfo).date(), now.date()) if start else now.date()


async def replacement_choices(
    views: SellerViews, record: OrderRecord, row: ItemRow, day: date, now: datetime
) -> list[Choice]:
    """Return the coming occurrences of a day with an Offer at the same price or less (OB-SEL-07)."""
    pricing, choices = pricing_of(record.order), []
    for occurrence in await _coming(views, day, now):
        opportunity = occurrence.opportunity
        taken = occurrence.sold + occurrence.leased
        if not opportunity.takes_place or occurrence.capacity is None or taken >= occurrence.capacity:
            continue
        for offer in applicable_offers(opportunity, occurrence.parents):
            is_same = opportunity.path == row.item.opportunity.path and offer.ref == row.item.offer.ref
            if amount_due(offer, pricing) <= row.price and not is_same:
                name = opportunity_name(opportunity, occurrence.parents)
                choices.append(Choice(occurrence, offer, name, amount_due(offer, pricing)))
    # Sessions of the same name come first, because people move within a class more often than between classes.
    return sorted(choices, key=lambda choice: choice.name != row.name)


async def _coming(views: SellerViews, day: date, now: datetime) -> list[Occurrence]:
    """Return all occurrences of a day that have not begun. Those of a facility are more than one page."""
    since, until = day_bounds(day, now.tzinfo or UTC)
    found: list[Occurrence] = []
    cursor: str | None = "" if until > now else None
    while cursor is not None:
        page = await views.occurrences(max(since, now), until, cursor, _OCCURRENCES)
        found += page.rows
        cursor = page.next
    return found
