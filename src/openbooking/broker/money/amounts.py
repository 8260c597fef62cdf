"""Amounts of money in messages."""

from decimal import Decimal

from openbooking.openactive.messages import PriceSpecification


def amount_of(total: PriceSpecification | None) -> Decimal:
    """Return the amount of a total; 0 if there is none."""
    return Decimal(0) if total is None else Decimal(str(total.price))


def currency_of(total: PriceSpecification | None) -> str:
    """Return the currency of a total; empty if nothing is to be paid."""
    return "" if total is None or not amount_of(total) else total.price_currency or ""


def is_total(total: PriceSpecification | None, amount: Decimal, currency: str) -> bool:
    """Return whether a total is the amount that the Customer agreed to. A reply may leave the total out."""
    return total is None or (amount_of(total) == amount and currency_of(total) == (currency if amount else ""))
