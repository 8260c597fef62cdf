"""Prices, tax and totals (OB 7.4, 7.5, 7.6, 10.1.13, 10.1.14).

Example at 20 %: a TaxGross price of 12.00 includes 2.00 of tax, and 2.00 is added to a TaxNet price of 10.00, so that
12.00 is due for both. If tax is excluded, both are sold at 10.00. If tax is not calculated, consumers still pay the
published 12.00.

Tax is rounded half up on each OrderItem. The total of a tax is the sum of these rounded amounts.
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
from openbooking.booking.rules.prepayment import prepayment_of_all
from openbooking.openactive.money import ZERO, tax_on_net, tax_within_gross
from openbooking.openactive.terms import BrokerRole, TaxMode, TaxTreatment


class Pricing(NamedTuple):
    """How prices and tax are calculated in one Order."""

    tax_mode: TaxMode
    tax: TaxTreatment = TaxTreatment.CALCULATED
    publish_prepayment: bool = True


def pricing_of(order: Order) -> Pricing:
    """Return how prices and tax are calculated in this Order."""
    return Pricing(order.seller.tax_mode, order.tax, order.totals.prepayment is not None)


def tax_treatment(calculation: TaxCalculation, request: OrderRequest, tax_mode: TaxMode) -> TaxTreatment:
    """Return the tax treatment of the requested Order: resellers and businesses may be excluded (OB-TAX-06)."""
    business = request.customer is not None and request.customer.get("@type") == "Organization"
    consumers = request.broker_role is not BrokerRole.RESELLER and not business
    if calculation is TaxCalculation.ALWAYS or (calculation is TaxCalculation.CONSUMERS and consumers):
        return TaxTreatment.CALCULATED
    return TaxTreatment.INCLUDED if consumers and tax_mode is TaxMode.GROSS else TaxTreatment.EXCLUDED


def charged(offer: Offer, pricing: Pricing) -> Offer:
    """Return the Offer with the price at which it is sold: net if tax is excluded (OB-TAX-08)."""
    if pricing.tax is not TaxTreatment.EXCLUDED or pricing.tax_mode is TaxMode.NET:
        return offer
    return replace(offer, price=offer.price - tax_within_gross(offer.price, offer.vat.rate))


def tax_charges(offer: Offer, pricing: Pricing) -> tuple[TaxCharge, ...]:
    """Return the `unitTaxSpecification` of an item with this Offer, also for a tax of zero (OB-TAX-05)."""
    if pricing.tax is not TaxTreatment.CALCULATED:
        return ()
    compute = tax_on_net if pricing.tax_mode is TaxMode.NET else tax_within_gross
    price = compute(offer.price, offer.vat.rate)
    return (TaxCharge(name=offer.vat.label, rate=offer.vat.rate, price=price, currency=offer.currency),)


def due(offer: Offer, pricing: Pricing) -> Decimal:
    """Return the amount that is due for one item with this Offer, including tax (OB-TAX-02)."""
    added = tax_charges(offer, pricing) if pricing.tax_mode is TaxMode.NET else ()
    return charged(offer, pricing).price + sum((charge.price for charge in added), ZERO)


def totals(items: Sequence[OrderItem], pricing: Pricing) -> Totals:
    """Return the totals of these items; the amount due includes all calculated tax (OB-TAX-01)."""
    offers = [item.offer for item in items if item.offer]
    return Totals(
        price=sum((due(offer, pricing) for offer in offers), ZERO),
        currency=next((offer.currency for offer in offers if offer.currency), None),
        prepayment=prepayment_of_all(offers) if pricing.publish_prepayment else None,
        tax=_by_tax(charge for item in items for charge in item.tax),
    )


def current_totals(record: ShownRecord) -> Totals:
    """Return the totals of the current items, without cancelled ones (OB-SEL-04)."""
    current = [item for item, state in record.items() if not state.status.cancelled]
    return totals(current, pricing_of(record.order))


def _by_tax(charges: Iterable[TaxCharge]) -> tuple[TaxCharge, ...]:
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
