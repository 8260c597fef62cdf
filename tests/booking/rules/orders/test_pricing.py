"""The tax treatment of Orders, and totals."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.model.order import Order
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.model.policy import Leasing, Policy, TaxCalculation
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.rules.orders.pricing import (
    Pricing,
    amount_due,
    charged_offer,
    current_totals,
    pricing_of,
    totals,
)
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import BrokerRole, TaxMode, TaxTreatment
from support.builders import PRICE, UUID, after, item, offer, order_record, quote, request, session, situation
from support.parties import ADDRESS, AGREED_ALICE, ALICE, BROKER, STUDIO

YOGA = session("yoga")
PILATES = session("pilates", seller=STUDIO, price=Decimal("10.00"))
BUSINESS = {"@type": "Organization", "name": "Acme", "email": "a@acme.example.com", "address": ADDRESS}
RESELLER = {"broker_role": BrokerRole.RESELLER}
NO_BROKER = {"broker_role": BrokerRole.NO_BROKER, "broker": None}


def quoted(where: Situation, asked: OrderRequest, checkpoint: Checkpoint = Checkpoint.C2) -> Order:
    reply = quote(asked, checkpoint, AGREED_ALICE).decide(where).reply
    assert isinstance(reply, Order)
    return reply


def of_studio(*items: ItemRequest, **changes: Any) -> OrderRequest:
    return request(*items, seller=STUDIO.key, seller_id=STUDIO.key, **changes)


@pytest.mark.spec("OB-TAX-05", "OB-TAX-06", "OB-TAX-07", "OB-TAX-09", "OB-ROLE-07", "OB-CUST-04")
@pytest.mark.parametrize(
    ("calculation", "who", "treatment"),
    [
        (TaxCalculation.ALWAYS, {}, TaxTreatment.CALCULATED),
        (TaxCalculation.ALWAYS, {"customer": BUSINESS}, TaxTreatment.CALCULATED),
        (TaxCalculation.ALWAYS, RESELLER, TaxTreatment.CALCULATED),
        (TaxCalculation.CONSUMERS, {}, TaxTreatment.CALCULATED),
        (TaxCalculation.CONSUMERS, NO_BROKER, TaxTreatment.CALCULATED),
        (TaxCalculation.CONSUMERS, {"customer": BUSINESS}, TaxTreatment.EXCLUDED),
        (TaxCalculation.CONSUMERS, RESELLER, TaxTreatment.EXCLUDED),
        (TaxCalculation.CONSUMERS, {**RESELLER, "customer": None}, TaxTreatment.EXCLUDED),
        (TaxCalculation.NEVER, {}, TaxTreatment.INCLUDED),
        (TaxCalculation.NEVER, {"customer": BUSINESS}, TaxTreatment.EXCLUDED),
        (TaxCalculation.NEVER, RESELLER, TaxTreatment.EXCLUDED),
    ],
)
def test_the_setting_decides_for_which_customers_tax_is_calculated(
    calculation: TaxCalculation, who: dict[str, Any], treatment: TaxTreatment
) -> None:
    where = situation(YOGA, policy=Policy(leasing=Leasing.OFF, tax=calculation))
    found = quoted(where, request(item(YOGA), **who))
    assert found.tax is treatment
    assert bool(found.items[0].tax) is (treatment is TaxTreatment.CALCULATED)
    assert bool(found.totals.tax) is (treatment is TaxTreatment.CALCULATED)


@pytest.mark.spec("OB-TAX-01", "OB-B-15")
def test_without_calculated_tax_consumers_pay_the_published_price() -> None:
    where = situation(YOGA, PILATES, policy=Policy(leasing=Leasing.OFF, tax=TaxCalculation.NEVER))
    assert quoted(where, request(item(YOGA))).totals.price == Decimal("12.00")
    booked = Book(caller=ALICE, uuid=UUID, request=request(item(YOGA), total_payment_due=PRICE)).decide(where).reply
    assert isinstance(booked, Order)
    assert (booked.totals.price, booked.totals.tax) == (PRICE, ())
    net = quoted(where, of_studio(item(PILATES)))
    assert (net.totals.price, net.tax) == (Decimal("10.00"), TaxTreatment.EXCLUDED)


@pytest.mark.spec("OB-TAX-01", "OB-TAX-02", "OB-TAX-03", "OB-TAX-08", "OB-TAX-12")
def test_with_excluded_tax_all_sellers_show_net_prices() -> None:
    where = situation(YOGA, PILATES, policy=Policy(leasing=Leasing.OFF, tax=TaxCalculation.CONSUMERS))
    consumer, business = request(item(YOGA)), request(item(YOGA), customer=BUSINESS)
    assert quoted(where, consumer).totals.price == Decimal("12.00")
    net = quoted(where, business)
    assert net.items[0].offer is not None
    assert charged_offer(net.items[0].offer, pricing_of(net)).price == Decimal("10.00")
    assert net.totals.price == Decimal("10.00")
    assert quoted(where, of_studio(item(PILATES))).totals.price == Decimal("12.00")
    assert quoted(where, of_studio(item(PILATES), customer=BUSINESS)).totals.price == Decimal("10.00")


@pytest.mark.spec("OB-TAX-08", "OB-LEASE-10")
def test_the_tax_treatment_follows_the_request_and_not_the_lease() -> None:
    policy = Policy(leasing=Leasing.NAMED, tax=TaxCalculation.CONSUMERS)
    consumer, business = request(item(YOGA)), request(item(YOGA), customer=BUSINESS)
    held = after(situation(YOGA, policy=policy), quote(business))
    assert quoted(held, consumer).totals.price == Decimal("12.00")
    held = after(held, quote(consumer))
    assert quoted(held, business).totals.price == Decimal("10.00")


@pytest.mark.spec("OB-AUTH-15")
def test_the_role_of_the_broker_changes_only_its_required_details() -> None:
    where = situation(YOGA, policy=Policy(leasing=Leasing.OFF))
    one = quoted(where, request(item(YOGA)))
    other = quoted(where, request(item(YOGA), broker={**BROKER, "name": "Another"}))
    assert replace(one, broker=None) == replace(other, broker=None)


@pytest.mark.spec("OB-PREP-02")
@pytest.mark.parametrize("published", [True, False])
def test_the_pricing_of_an_order_tells_whether_prepayment_is_published(published: bool) -> None:
    where = situation(YOGA, policy=Policy(leasing=Leasing.OFF, prepayment=published))
    assert pricing_of(quoted(where, request(item(YOGA)))).publish_prepayment is published


@pytest.mark.spec("OB-TAX-01", "OB-TAX-05")
def test_the_total_of_a_tax_is_the_sum_of_the_items_with_its_name_and_rate() -> None:
    path = "session-series/series-yoga"
    offers = (
        offer(path, "standard"),
        offer(path, "reduced", Decimal("10.50"), vat=VatTreatment.REDUCED),
        offer(path, "free", Decimal(0)),
    )
    family = session("yoga", offers=offers)
    keys = ("standard", "free", "reduced", "standard")
    asked = request(*(item(family, n, offer=OfferRef(path, key)) for n, key in enumerate(keys)))
    found = quoted(situation(family, policy=Policy(leasing=Leasing.OFF)), asked).totals
    assert [(tax.name, tax.rate, tax.price, tax.currency) for tax in found.tax] == [
        (VatTreatment.STANDARD.label, VatTreatment.STANDARD.rate, Decimal("4.00"), "GBP"),
        (VatTreatment.REDUCED.label, VatTreatment.REDUCED.rate, Decimal("0.50"), "GBP"),
    ]
    assert (found.price, found.currency) == (Decimal("34.50"), "GBP")


@pytest.mark.spec("OB-TAX-05")
def test_the_total_of_a_tax_has_the_currency_of_a_priced_item_if_the_first_one_is_free() -> None:
    path = "session-series/series-yoga"
    family = session("yoga", offers=(offer(path, "free", Decimal(0)), offer(path)))
    asked = request(*(item(family, n, offer=OfferRef(path, key)) for n, key in enumerate(("free", "adult", "free"))))
    (tax,) = quoted(situation(family, policy=Policy(leasing=Leasing.OFF)), asked).totals.tax
    assert (tax.price, tax.currency) == (Decimal("2.00"), "GBP")


@pytest.mark.spec("OB-SEL-04")
def test_cancelled_items_do_not_count_in_the_current_totals() -> None:
    asked = request(item(YOGA, 0), item(YOGA, 1), total_payment_due=2 * PRICE)
    booked = after(situation(YOGA), Book(caller=ALICE, uuid=UUID, request=asked))
    assert current_totals(order_record(booked)).price == 2 * PRICE
    cancelled = after(booked, Cancel(caller=ALICE, uuid=UUID, numbers=(1,)))
    assert current_totals(order_record(cancelled)).price == PRICE


def test_the_total_of_an_order_without_offers_is_a_decimal_zero() -> None:
    found = totals([], Pricing(TaxMode.GROSS))
    assert (found.price, type(found.price), found.currency, found.tax) == (Decimal(0), Decimal, None, ())


@pytest.mark.parametrize("mode", [TaxMode.GROSS, TaxMode.NET])
def test_the_amount_due_is_a_number_of_pennies(mode: TaxMode) -> None:
    found = amount_due(offer(YOGA[0].path, price=Decimal(5)), Pricing(mode))
    assert str(found) == ("5.00" if mode is TaxMode.GROSS else "6.00")
