"""Prices, tax and totals (OB 7.5, 7.6, 10.1.13, 10.1.14).

A TaxGross price of 12.00 at 20 % holds 2.00 of tax, and 12.00 is due; a TaxNet price of 10.00 gains 2.00, and 12.00 is
due.
Tax is rounded half up on each OrderItem, and the total of a tax is the sum of its rounded parts, so that they agree.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from openbooking.booking.opportunity import Offer
from openbooking.booking.order import OrderItem, Record, TaxCharge, Totals
from openbooking.spec.terms import Availability, TaxMode
from openbooking.spec.values import ZERO, tax_on_net, tax_within_gross


def tax_charges(offer: Offer, tax_mode: TaxMode) -> tuple[TaxCharge, ...]:
    """The `unitTaxSpecification` of an item with this Offer; present also where the tax is zero (OB-TAX-05)."""
    compute = tax_on_net if tax_mode is TaxMode.NET else tax_within_gross
    price = compute(offer.price, offer.vat.rate)
    return (TaxCharge(name=offer.vat.label, rate=offer.vat.rate, price=price, currency=offer.currency),)


def prepayment_of(offer: Offer) -> Availability:
    """What an Offer's prepayment comes to: nothing is paid for a free one, and Required is the default (OB-PREP-08)."""
    if offer.price == 0:
        return Availability.UNAVAILABLE
    return offer.prepayment or Availability.REQUIRED


def prepayment_of_all(offers: Iterable[Offer]) -> Availability:
    """What the prepayment of an Order comes to: the strictest of its Offers (OB-PREP-03 to OB-PREP-05)."""
    found = {prepayment_of(offer) for offer in offers}
    if Availability.REQUIRED in found:
        return Availability.REQUIRED
    return Availability.OPTIONAL if Availability.OPTIONAL in found else Availability.UNAVAILABLE


def totals(items: Sequence[OrderItem], tax_mode: TaxMode, *, publish_prepayment: bool) -> Totals:
    """The totals over these items (OB-TAX-02), tax always included in what is due."""
    offers = [item.offer for item in items if item.offer]
    charges = [charge for item in items for charge in item.tax]
    due = sum((offer.price for offer in offers), ZERO)
    if tax_mode is TaxMode.NET:
        due += sum((charge.price for charge in charges), ZERO)
    return Totals(
        price=due,
        currency=next((offer.currency for offer in offers if offer.currency), None),
        prepayment=prepayment_of_all(offers) if publish_prepayment else None,
        tax=_by_tax(charges),
    )


def standing_totals(record: Record) -> Totals:
    """The totals of an Order as it stands, without what has been cancelled (OB-SEL-04)."""
    assert record.order is not None  # noqa: S101 - asked for only of Orders
    standing = [item for item, state in record.items() if not state.status.cancelled]
    publish_prepayment = record.order.totals.prepayment is not None
    return totals(standing, record.order.seller.tax_mode, publish_prepayment=publish_prepayment)


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
