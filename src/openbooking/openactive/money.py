"""Money and VAT: amounts are Decimals in the major unit of their currency, rounded half up to two decimals.

`jsonld/scalars.py` writes prices in JSON, `jsonld/read_order.py` reads prices, and `booking/rules/orders/pricing.py`
works out the totals of Orders.
"""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

_PENNY = Decimal("0.01")
ZERO = Decimal("0.00")
# Prices and totals stay below this limit. A JSON number below it is exact to the penny in every reader.
PRICE_LIMIT = Decimal(10) ** 12


def round_money(amount: Decimal) -> Decimal:
    """Return the amount rounded half up to the penny, as this Booking System's documentation promises."""
    return amount.quantize(_PENNY, rounding=ROUND_HALF_UP)


def is_price(amount: Decimal) -> bool:
    """Return whether an amount can be a price: it is not negative, has whole pennies and is below PRICE_LIMIT."""
    return amount.is_finite() and 0 <= amount < PRICE_LIMIT and amount == round_money(amount)


class VatTreatment(StrEnum):
    """The treatment of an Offer under United Kingdom VAT."""

    STANDARD = "standard"
    REDUCED = "reduced"
    ZERO_RATED = "zero-rated"
    EXEMPT = "exempt"
    OUTSIDE_SCOPE = "outside-scope"

    @property
    def rate(self) -> Decimal:
        """The rate as a fraction of the net price."""
        return _RATES.get(self, Decimal(0))

    @property
    def label(self) -> str:
        """The `name` of the TaxChargeSpecification (OB 10.1.14)."""
        return _LABELS[self]


_RATES = {VatTreatment.STANDARD: Decimal("0.2"), VatTreatment.REDUCED: Decimal("0.05")}
_LABELS = {
    VatTreatment.STANDARD: "VAT at 20%",
    VatTreatment.REDUCED: "VAT at 5%",
    VatTreatment.ZERO_RATED: "VAT at 0%",
    VatTreatment.EXEMPT: "VAT exempt",
    VatTreatment.OUTSIDE_SCOPE: "Outside the scope of VAT",
}


def tax_on_net(price: Decimal, rate: Decimal) -> Decimal:
    """Return the tax to add to a price without tax.

    Args:
        price: The price without tax.
        rate: The rate as a fraction: 0.2 for 20 %.
    """
    return round_money(price * rate)


def tax_within_gross(price: Decimal, rate: Decimal) -> Decimal:
    """Return the tax that a price with tax contains: 2.00 in 12.00 at 20 %.

    Args:
        price: The price with tax.
        rate: The rate as a fraction: 0.2 for 20 %.
    """
    return round_money(price * rate / (1 + rate))
