"""Whose tax is calculated, and prices that a Broker sets."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.book import Book
from openbooking.booking.commands.cancel import Cancel
from openbooking.booking.model.opportunity import FormField, Opportunity
from openbooking.booking.model.order import Order
from openbooking.booking.model.order_request import ItemRequest, OfferOverride, OrderRequest
from openbooking.booking.model.policy import Leasing, Policy, TaxCalculation
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.accepted_offer import OVERRIDE_KEY
from openbooking.booking.rules.dry_run import Checkpoint
from openbooking.booking.rules.pricing import Pricing, charged, current_totals, due, pricing_of, totals
from openbooking.openactive.errors import ItemErrorType, TotalPaymentDueMismatchError
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability, BrokerRole, FlowRequirement, FormFieldType, TaxMode, TaxTreatment
from support.builders import PRICE, UUID, after, item, offer, order_record, quote, request, session, situation, slot
from support.parties import ADDRESS, AGREED_ALICE, ALICE, BROKER, STUDIO

YOGA = session("yoga")
PILATES = session("pilates", seller=STUDIO, price=Decimal("10.00"))
BUSINESS = {"@type": "Organization", "name": "Acme", "email": "a@acme.example.com", "address": ADDRESS}
RESELLER = {"broker_role": BrokerRole.RESELLER}
NO_BROKER = {"broker_role": BrokerRole.NO_BROKER, "broker": None}
OVERRIDES = Policy(leasing=Leasing.OFF, offer_overrides=True)


def quoted(where: Situation, asked: OrderRequest, checkpoint: Checkpoint = Checkpoint.C2) -> Order:
    reply = quote(asked, checkpoint, AGREED_ALICE).decide(where).reply
    assert isinstance(reply, Order)
    return reply


def of_studio(*items: ItemRequest, **changes: Any) -> OrderRequest:
    return request(*items, seller=STUDIO.key, seller_id=STUDIO.key, **changes)


def overridden(family: list[Opportunity], price: Decimal = PRICE, name: str | None = None) -> ItemRequest:
    override = OfferOverride(price=price, currency="GBP", name=name)
    return item(family, offer=None, offer_id=None, override=override)


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
def test_the_setting_decides_whose_tax_is_calculated(
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
    assert charged(net.items[0].offer, pricing_of(net)).price == Decimal("10.00")
    assert net.totals.price == Decimal("10.00")
    assert quoted(where, of_studio(item(PILATES))).totals.price == Decimal("12.00")
    assert quoted(where, of_studio(item(PILATES), customer=BUSINESS)).totals.price == Decimal("10.00")


@pytest.mark.spec("OB-TAX-08", "OB-LEASE-10")
def test_a_lease_made_for_a_consumer_does_not_tax_a_business_and_the_other_way_round() -> None:
    policy = Policy(leasing=Leasing.NAMED, tax=TaxCalculation.CONSUMERS)
    consumer, business = request(item(YOGA)), request(item(YOGA), customer=BUSINESS)
    held = after(situation(YOGA, policy=policy), quote(business))
    assert quoted(held, consumer).totals.price == Decimal("12.00")
    held = after(held, quote(consumer))
    assert quoted(held, business).totals.price == Decimal("10.00")


@pytest.mark.spec("OB-OVR-01", "OB-OVR-02", "OB-OVR-03", "OB-OVR-04", "OB-OVR-05")
@pytest.mark.parametrize("price", ["0.00", "1.00", "12.00", "99.99"])
def test_totals_and_tax_are_calculated_from_an_override(price: str) -> None:
    reduced = session("yoga", offers=(offer("session-series/series-yoga", vat=VatTreatment.REDUCED),))
    where = situation(reduced, policy=OVERRIDES)
    asked = request(overridden(reduced, Decimal(price), "Winger"), total_payment_due=Decimal(price))
    for checkpoint in (Checkpoint.C1, Checkpoint.C2):
        assert quoted(where, asked, checkpoint).totals.price == Decimal(price)
    found = quoted(where, asked)
    assert found.items[0].offer is not None
    assert (found.items[0].offer.name, found.items[0].tax[0].name) == ("Winger", VatTreatment.REDUCED.label)
    paid = asked if Decimal(price) else replace(asked, payment=None)
    booked = Book(caller=AGREED_ALICE, uuid=UUID, request=paid).decide(where).reply
    assert isinstance(booked, Order)
    assert booked.totals.price == Decimal(price)
    with pytest.raises(TotalPaymentDueMismatchError):
        Book(caller=AGREED_ALICE, uuid=UUID, request=replace(paid, total_payment_due=Decimal(5))).decide(where)


@pytest.mark.spec("OB-OVR-02", "OB-OVR-03", "OB-LEASE-10", "OB-VAL-16")
def test_a_quoted_override_is_no_published_offer() -> None:
    where = situation(YOGA, policy=replace(OVERRIDES, leasing=Leasing.ANONYMOUS))
    held = after(where, quote(request(overridden(YOGA, Decimal("0.01"))), caller=AGREED_ALICE))
    named = item(YOGA, offer=OfferRef(YOGA[-1].path, OVERRIDE_KEY), offer_id="id:override")
    (found,) = quoted(held, request(named)).items
    assert [error.type for error in found.errors] == [ItemErrorType.UNKNOWN_OFFER]
    assert quoted(held, request(item(YOGA))).totals.price == PRICE


@pytest.mark.spec("OB-OVR-06", "OB-OVR-07")
@pytest.mark.parametrize(
    ("policy", "free", "acceptable"), [(Policy(), None, False), (OVERRIDES, True, False), (OVERRIDES, False, True)]
)
@pytest.mark.parametrize("whose", [0, 1])
def test_free_opportunities_cannot_be_overridden_and_by_default_none_can(
    policy: Policy, free: bool | None, acceptable: bool, whose: int
) -> None:
    family: list[Opportunity] = session("yoga")
    family[whose] = replace(family[whose], accessible_for_free=free)
    (found,) = quoted(situation(family, policy=policy), request(overridden(family))).items
    assert [error.type for error in found.errors] == ([] if acceptable else [ItemErrorType.UNACCEPTABLE_OFFER])


@pytest.mark.spec("OB-OVR-08", "OB-OVR-09", "OB-OVR-10")
def test_an_override_has_no_window_and_the_requirements_of_the_published_offers() -> None:
    question = FormField(key="q", type=FormFieldType.SHORT_ANSWER, name="Why?", description="Tell us.", required=True)
    path = "session-series/series-yoga"
    closed = (
        offer(path, "a", in_advance=Availability.UNAVAILABLE, full_refund_on_cancellation=False),
        offer(path, "b", intake_form=(question,), flow=(FlowRequirement.APPROVAL,)),
    )
    family = session("yoga", offers=closed)
    where = situation(family, policy=OVERRIDES)
    found = quoted(where, request(overridden(family)))
    assert [error.type for error in found.items[0].errors] == [ItemErrorType.INCOMPLETE_INTAKE_FORM]
    assert found.requires_approval
    assert found.totals.prepayment is Availability.REQUIRED

    plain = session("yoga", offers=closed[:1])
    where = situation(plain, policy=OVERRIDES)
    booked = after(where, Book(caller=AGREED_ALICE, uuid=UUID, request=request(overridden(plain))))
    assert after(booked, Cancel(caller=ALICE, uuid=UUID, numbers=(1,))).spaces[plain[-1].path].booked == 0


@pytest.mark.spec("OB-BKBL-32", "OB-OVR-10")
@pytest.mark.parametrize("family", [session("yoga"), slot()], ids=lambda family: family[-1].path)
def test_an_opportunity_with_unknown_offers_cannot_be_overridden(family: list[Opportunity]) -> None:
    unknown = [*family[:-1], replace(family[-1], offers=(), offers_unknown=True)]
    (found,) = quoted(situation(unknown, policy=OVERRIDES), request(overridden(family))).items
    assert [error.type for error in found.errors] == [ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE]


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
    found = due(offer(YOGA[0].path, price=Decimal(5)), Pricing(mode))
    assert str(found) == ("5.00" if mode is TaxMode.GROSS else "6.00")
