"""The largest prices and totals that can be paid; larger ones are refused from C1 on.

`totalPaymentDue` is a JSON number, which is exact to the penny only below PRICE_LIMIT; B refuses any other (OB-B-06).
"""

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Offer
from openbooking.booking.model.order import OrderItem
from openbooking.booking.rules.pricing import Pricing, due
from openbooking.openactive.errors import ItemError, ItemErrorType
from openbooking.openactive.money import PRICE_LIMIT, ZERO, is_price

# Tax less than doubles a price, so that small prices need no calculation.
_WITH_TAX = 2


def can_be_paid(offer: Offer, pricing: Pricing) -> bool:
    """Whether the price of one item with this Offer, including tax, can be paid."""
    if not is_price(offer.price):
        return False
    return offer.price * _WITH_TAX < PRICE_LIMIT or due(offer, pricing) < PRICE_LIMIT


def payable(accepted: Offer | ItemError, pricing: Pricing) -> Offer | ItemError:
    """Return the Offer, or an error if its price cannot be paid (OB-VAL-44, OB-VAL-45)."""
    if isinstance(accepted, ItemError) or can_be_paid(accepted, pricing):
        return accepted
    unacceptable, unbookable = ItemErrorType.UNACCEPTABLE_OFFER, ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE
    return ItemError(
        type=unacceptable if accepted.override else unbookable, description="The price with its tax cannot be paid."
    )


def within_payable_total(items: tuple[OrderItem, ...], pricing: Pricing) -> tuple[OrderItem, ...]:
    """Return the items, with an error on each that would raise the total to PRICE_LIMIT or more."""
    dearest = max((item.offer.price for item in items if item.offer), default=ZERO)
    if dearest * _WITH_TAX * len(items) < PRICE_LIMIT:
        return items
    conflict = ItemError(
        type=ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT, description="The total would be too large to be paid."
    )
    total, checked = ZERO, []
    for item in items:
        price = due(item.offer, pricing) if item.offer and not item.errors else ZERO
        fits = total + price < PRICE_LIMIT
        total += price if fits else ZERO
        checked.append(item if fits else replace(item, errors=(conflict,)))
    return tuple(checked)
