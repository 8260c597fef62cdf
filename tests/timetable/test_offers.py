"""Prices as Offers."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.openactive.ids import is_key
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability
from openbooking.timetable.offers import offer_key, offers_of
from support.timetables import ADULT, MEMBER

PATH = "session-series/centre.spin"


@pytest.mark.parametrize(
    ("name", "key"),
    [("Adult", "adult"), ("Over 60", "over-60"), (" Café & bar! ", "cafe-bar"), ("Off-peak court", "off-peak-court")],
)
def test_the_key_of_an_offer_is_made_of_the_name(name: str, key: str) -> None:
    assert offer_key(name) == key


@pytest.mark.parametrize("name", ["", "成人", "!", "x" * 200])
def test_a_name_without_letters_or_with_too_many_has_a_key_too(name: str) -> None:
    assert is_key(offer_key(name))
    assert offer_key(name) != offer_key(name + "学")


def test_an_offer_has_the_conditions_of_its_price() -> None:
    price = replace(
        ADULT,
        vat=VatTreatment.EXEMPT,
        opens_before=timedelta(days=8),
        closes_before=timedelta(hours=1),
        prepayment=Availability.OPTIONAL,
    )
    [offer] = offers_of([price], PATH, prepayment=True)
    assert (offer.ref.owner, offer.key, offer.name) == (PATH, "adult", "Adult")
    assert (offer.price, offer.currency, offer.vat) == (Decimal("7.50"), "GBP", VatTreatment.EXEMPT)
    assert (offer.in_advance, offer.prepayment) == (Availability.OPTIONAL, Availability.OPTIONAL)
    assert offer.valid_from_before_start == timedelta(days=8)
    assert offer.valid_through_before_start == timedelta(hours=1)
    assert (offer.latest_cancellation_before_start, offer.full_refund_on_cancellation) == (timedelta(hours=4), True)


def test_a_free_offer_has_neither_currency_nor_prepayment() -> None:
    [offer] = offers_of([replace(ADULT, amount=Decimal(0), cancel_before=None)], PATH, prepayment=True)
    assert (offer.currency, offer.prepayment, offer.full_refund_on_cancellation) == (None, None, False)


def test_a_system_without_prepayment_publishes_none() -> None:
    [offer] = offers_of([ADULT], PATH, prepayment=False)
    assert offer.prepayment is None


def test_a_price_that_must_be_proved_is_restricted_and_not_open_in_advance() -> None:
    [offer] = offers_of([MEMBER], PATH, prepayment=True)
    assert (offer.restricted, offer.in_advance, offer.prepayment) == (True, Availability.UNAVAILABLE, None)
