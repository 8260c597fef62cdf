"""Prices, tax and totals of OrderItems and Orders: where VAT is worked out (OB 7.4, 7.5, 7.6, 10.1.13, 10.1.14).

`tax_treatment` decides whether an Order has VAT calculated: a consumer's, a business's or a reseller's. `tax_charges`
works out the VAT of one item, and `totals` adds it up.

Example with VAT of 20 %: a TaxGross price of 12.00 includes VAT of 2.00; to a TaxNet price of 10.00, VAT of 2.00 is
added. In both cases 12.00 is due. If tax is excluded, 10.00 is due in both cases. If tax is not calculated, a consumer
pays the published TaxGross price of 12.00, and the reply shows no tax.

The tax of each OrderItem is rounded half up. The total of a tax is the sum of the rounded amounts.

`totalPaymentDue` is a JSON number, which is exact to the penny only below PRICE_LIMIT. From C1 on, larger prices and
totals are therefore errors of items (`payable_offer`, `add_total_errors`).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Offer
from openbooking.booking.model.order import Order, OrderItem, TaxCharge, Totals
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import TaxCalculation
from openbooking.booking.model.record import ShownRecord
from openbooking.booking.rules.orders.prepayment import prepayment_of_all
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.money import PRICE_LIMIT, ZERO, is_price, tax_on_net, tax_within_gross
from openbooking.openactive.terms import BrokerRole, TaxMode, TaxTreatment

# Tax less than doubles a price. A price below half of the limit can therefore be paid, and needs no calculation.
_WITH_TAX = 2


class Pricing(NamedTuple):
    """The choices by which the prices and the tax of one Order are calculated.

    Attributes:
        tax_mode: Whether the Seller's prices include tax.
        tax: Whether tax is calculated, included without calculation, or excluded.
        publish_prepayment: Whether totals have a `prepayment`.
    """

    tax_mode: TaxMode
    tax: TaxTreatment = TaxTreatment.CALCULATED
    publish_prepayment: bool = True


def pricing_of(order: Order) -> Pricing:
    """Return the choices by which the prices and the tax of an Order were calculated."""
    return Pricing(order.seller.tax_mode, order.tax, order.totals.prepayment is not None)


def tax_treatment(calculation: TaxCalculation, request: OrderRequest, tax_mode: TaxMode) -> TaxTreatment:
    """Return whether the requested Order has tax calculated, included or excluded (OB-TAX-06).

    The Customer is a consumer unless it is an Organization or the Broker is a reseller.

    Args:
        calculation: The setting: calculate the tax of all Orders, of consumers' Orders, or of none.
        request: The request.
        tax_mode: Whether the Seller's prices include tax.
    """
    business = request.customer is not None and request.customer.get("@type") == "Organization"
    consumer = request.broker_role is not BrokerRole.RESELLER and not business
    if calculation is TaxCalculation.ALWAYS or (calculation is TaxCalculation.CONSUMERS and consumer):
        return TaxTreatment.CALCULATED
    return TaxTreatment.INCLUDED if consumer and tax_mode is TaxMode.GROSS else TaxTreatment.EXCLUDED


def charged_offer(offer: Offer, pricing: Pricing) -> Offer:
    """Return the Offer with the price that is charged: the net price if tax is excluded (OB-TAX-08)."""
    if pricing.tax is not TaxTreatment.EXCLUDED or pricing.tax_mode is TaxMode.NET:
        return offer
    return replace(offer, price=offer.price - tax_within_gross(offer.price, offer.vat.rate))


def tax_charges(offer: Offer, pricing: Pricing) -> tuple[TaxCharge, ...]:
    """Return the `unitTaxSpecification` of an item with this Offer, also if the tax is zero (OB-TAX-05)."""
    if pricing.tax is not TaxTreatment.CALCULATED:
        return ()
    compute = tax_on_net if pricing.tax_mode is TaxMode.NET else tax_within_gross
    price = compute(offer.price, offer.vat.rate)
    return (TaxCharge(name=offer.vat.label, rate=offer.vat.rate, price=price, currency=offer.currency),)


def amount_due(offer: Offer, pricing: Pricing) -> Decimal:
    """Return the amount that is due for one item with this Offer, including calculated tax (OB-TAX-02)."""
    added = tax_charges(offer, pricing) if pricing.tax_mode is TaxMode.NET else ()
    return charged_offer(offer, pricing).price + sum((charge.price for charge in added), ZERO)


def totals(items: Sequence[OrderItem], pricing: Pricing) -> Totals:
    """Return the totals of the items. The amount due includes all calculated tax (OB-TAX-01)."""
    offers = [item.offer for item in items if item.offer]
    return Totals(
        price=sum((amount_due(offer, pricing) for offer in offers), ZERO),
        currency=next((offer.currency for offer in offers if offer.currency), None),
        prepayment=prepayment_of_all(offers) if pricing.publish_prepayment else None,
        tax=_by_tax(charge for item in items for charge in item.tax),
    )


def current_totals(record: ShownRecord) -> Totals:
    """Return the totals of the current items of a record, without cancelled items (OB-SEL-04)."""
    current = [item for item, state in record.items() if not state.status.cancelled]
    return totals(current, pricing_of(record.order))


def can_be_paid(offer: Offer, pricing: Pricing) -> bool:
    """Return whether the price of one item with this Offer, including tax, is below PRICE_LIMIT."""
    if not is_price(offer.price):
        return False
    return offer.price * _WITH_TAX < PRICE_LIMIT or amount_due(offer, pricing) < PRICE_LIMIT


def payable_offer(accepted: Offer | ItemError, pricing: Pricing) -> Offer | ItemError:
    """Return the Offer, or an error if its price cannot be paid (OB-VAL-44, OB-VAL-45). Return an error unchanged."""
    if isinstance(accepted, ItemError) or can_be_paid(accepted, pricing):
        return accepted
    unacceptable, unbookable = ItemErrorType.UNACCEPTABLE_OFFER, ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE
    return ItemError(
        type=unacceptable if accepted.override else unbookable, description="The price with its tax cannot be paid."
    )


def add_total_errors(items: tuple[OrderItem, ...], pricing: Pricing) -> tuple[OrderItem, ...]:
    """Return the items, with an error on each item that would raise the total to PRICE_LIMIT or more."""
    dearest = max((item.offer.price for item in items if item.offer), default=ZERO)
    if dearest * _WITH_TAX * len(items) < PRICE_LIMIT:
        return items
    conflict = ItemError(
        type=ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT, description="The total would be too large to be paid."
    )
    total, checked = ZERO, []
    for item in items:
        price = amount_due(item.offer, pricing) if item.offer and not item.errors else ZERO
        fits = total + price < PRICE_LIMIT
        total += price if fits else ZERO
        checked.append(item if fits else replace(item, errors=(conflict,)))
    return tuple(checked)


def _by_tax(charges: Iterable[TaxCharge]) -> tuple[TaxCharge, ...]:
    """Return the sum of the charges of each tax."""
    sums: dict[tuple[str, Decimal], TaxCharge] = {}
    for charge in charges:
        known = sums.get((charge.name, charge.rate))
        sums[charge.name, charge.rate] = TaxCharge(
            name=charge.name,
            rate=charge.rate,
            price=charge.price + (known.price if known else ZERO),
            currency=charge.currency or (known.currency if known else None),
        )
    return tuple(sums.values())
