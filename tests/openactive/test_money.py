"""Prices, rounding and tax to the penny."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbooking.booking.model.opportunity import Offer
from openbooking.booking.model.order import OrderItem
from openbooking.booking.rules.orders.pricing import Pricing, tax_charges, totals
from openbooking.openactive.money import VatTreatment, is_price, round_money, tax_on_net, tax_within_gross
from openbooking.openactive.terms import TaxMode

prices = st.decimals(min_value=0, max_value=10_000, places=2)
treatments = st.sampled_from(VatTreatment)


@pytest.mark.spec("OB-TAX-03", "OB-TAX-04")
@pytest.mark.parametrize(
    ("price", "within", "on_top"), [("12.00", "2.00", "2.40"), ("10.00", "1.67", "2.00"), ("0.03", "0.01", "0.01")]
)
def test_tax_at_the_standard_rate_is_rounded_to_the_penny(price: str, within: str, on_top: str) -> None:
    rate = VatTreatment.STANDARD.rate
    assert tax_within_gross(Decimal(price), rate) == Decimal(within)
    assert tax_on_net(Decimal(price), rate) == Decimal(on_top)


@pytest.mark.parametrize(
    ("amount", "sound"),
    [("0", True), ("-0.00", True), ("12", True), ("12.50", True), ("12.500", True), ("-0.01", False), ("0.001", False)],
)
def test_a_price_is_not_negative_and_has_whole_pennies(amount: str, sound: bool) -> None:
    assert is_price(Decimal(amount)) is sound


@pytest.mark.parametrize(
    ("amount", "rounded"), [("0.005", "0.01"), ("0.015", "0.02"), ("0.0149", "0.01"), ("2", "2.00")]
)
def test_halves_are_rounded_up(amount: str, rounded: str) -> None:
    assert str(round_money(Decimal(amount))) == rounded


@given(price=prices, treatment=treatments)
def test_tax_within_a_gross_price_leaves_the_net_price(price: Decimal, treatment: VatTreatment) -> None:
    tax = tax_within_gross(price, treatment.rate)
    assert 0 <= tax <= price
    assert abs(tax_on_net(price - tax, treatment.rate) - tax) <= Decimal("0.01")


@pytest.mark.spec("OB-TAX-02", "OB-TAX-10", "OB-TAX-05")
@given(offers=st.lists(st.tuples(prices, treatments), min_size=1, max_size=8), mode=st.sampled_from(TaxMode))
def test_totals_are_the_sums_of_their_items(offers: list[tuple[Decimal, VatTreatment]], mode: TaxMode) -> None:
    items = []
    for number, (price, treatment) in enumerate(offers, 1):
        offer = Offer(key="a", owner="session-series/x", price=price, currency="GBP", vat=treatment)
        items.append(OrderItem(number=number, position=number, offer=offer, tax=tax_charges(offer, Pricing(mode))))
    found = totals(items, Pricing(mode))
    unit_tax = sum(charge.price for item in items for charge in item.tax)
    assert sum(charge.price for charge in found.tax) == unit_tax
    asked = sum(price for price, _ in offers)
    assert found.price == (asked if mode is TaxMode.GROSS else asked + unit_tax)
    assert {charge.name for charge in found.tax} == {treatment.label for _, treatment in offers}


@pytest.mark.parametrize("treatment", [VatTreatment.ZERO_RATED, VatTreatment.EXEMPT, VatTreatment.OUTSIDE_SCOPE])
def test_untaxed_treatments_are_named_and_cost_nothing(treatment: VatTreatment) -> None:
    offer = Offer(key="a", owner="session-series/x", price=Decimal("12.00"), currency="GBP", vat=treatment)
    (charge,) = tax_charges(offer, Pricing(TaxMode.GROSS))
    assert (charge.price, charge.rate, charge.name) == (Decimal(0), Decimal(0), treatment.label)
