"""Offers as providers publish them, read or left out."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from openbooking.booking.model.opportunity import Offer
from openbooking.importing.reading.offers import MAX_OFFERS, read_offers
from openbooking.openactive.published.values import clean, derive_key
from openbooking.openactive.terms import Availability, FlowRequirement
from support.importing.published_items import OFFER

OWNER = "slots/one"


def read_one(**changes: Any) -> Offer:
    offers, remarks = read_offers({**OFFER, **changes}, OWNER)
    assert remarks == ()
    (offer,) = offers
    return offer


def test_an_offer_is_read_with_all_fields() -> None:
    offer = read_one(
        validFromBeforeStartDate="P7D",
        validThroughBeforeStartDate="PT1H",
        latestCancellationBeforeStartDate="P1D",
        openBookingInAdvance="https://openactive.io/Required",
        openBookingPrepayment="https://openactive.io/Optional",
        openBookingFlowRequirement=["https://openactive.io/OpenBookingApproval"],
        ageRange={"@type": "QuantitativeValue", "minValue": 18},
        availableChannel=["https://openactive.io/OpenBookingPrepayment"],
        url="https://provider.example.com/",
    )
    assert (offer.price, offer.currency, offer.name, offer.owner) == (Decimal("5.50"), "GBP", "Adult", OWNER)
    assert offer.full_refund_on_cancellation is True
    assert (offer.in_advance, offer.prepayment) == (Availability.REQUIRED, Availability.OPTIONAL)
    assert offer.flow == (FlowRequirement.APPROVAL,)
    assert (
        offer.valid_from_before_start,
        offer.valid_through_before_start,
        offer.latest_cancellation_before_start,
    ) == (
        timedelta(days=7),
        timedelta(hours=1),
        timedelta(days=1),
    )
    assert offer.properties == {
        "ageRestriction": {"@type": "QuantitativeValue", "minValue": 18},
        "url": "https://provider.example.com/",
    }


@pytest.mark.spec("OB-BKBL-21", "OB-BKBL-22", "OB-BKBL-23")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"advanceBooking": "Unavailable"}, {"in_advance": Availability.UNAVAILABLE}),
        ({"prepayment": "oa:Unavailable"}, {"prepayment": Availability.UNAVAILABLE}),
        ({"price": 0, "priceCurrency": None}, {"price": Decimal(0), "currency": None}),
        ({"priceCurrency": "gbp"}, {"currency": "GBP"}),
        ({"@type": "https://schema.org/Offer"}, {"name": "Adult"}),
    ],
)
def test_former_names_of_properties_are_read(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    offer = read_one(**changes)
    assert {name: getattr(offer, name) for name in expected} == expected


@pytest.mark.spec("OB-BKBL-21", "OB-BKBL-22", "OB-BKBL-23")
@pytest.mark.parametrize("form", ["{}", "oa:{}", "http://openactive.io/{}", "https://openactive.io/{}"])
@pytest.mark.parametrize("within", [lambda term: term, lambda term: [term], lambda term: {"@id": term}])
def test_terms_and_names_are_read_in_every_form(form: str, within: Callable[[str], Any]) -> None:
    told = {
        form.format("openBookingInAdvance"): within(form.format("Required")),
        form.format("openBookingPrepayment"): within(form.format("Optional")),
        form.format("openBookingFlowRequirement"): within(form.format("OpenBookingApproval")),
        form.format("allowCustomerCancellationFullRefund"): within("schema:False"),
    }
    published = {name: value for name, value in OFFER.items() if name != "allowCustomerCancellationFullRefund"}
    (offer,), remarks = read_offers(clean(published | told), OWNER)
    assert remarks == ()
    assert (offer.in_advance, offer.prepayment) == (Availability.REQUIRED, Availability.OPTIONAL)
    assert (offer.flow, offer.full_refund_on_cancellation) == ((FlowRequirement.APPROVAL,), False)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"@type": "beta:IndicativeOffer"}, "is no Offer that can be booked"),
        ({"price": "free"}, "is no price"),
        ({"priceCurrency": "pounds"}, "no currency"),
        ({"priceCurrency": None}, "missing"),
        ({"validFromBeforeStartDate": "P1M"}, "no duration"),
        ({"openBookingInAdvance": "https://openactive.io/Maybe"}, "is not known"),
        ({"allowCustomerCancellationFullRefund": "yes"}, "neither true nor false"),
        ({"openBookingInAdvance": "Optional", "advanceBooking": "Unavailable"}, "is not known"),
        (
            {"openBookingFlowRequirement": ["https://openactive.io/OpenBookingIntakeForm"]},
            "does not state the questions",
        ),
    ],
)
def test_an_offer_that_is_not_understood_is_left_out_with_a_remark(changes: dict[str, Any], why: str) -> None:
    offers, (remark,) = read_offers([{**OFFER, **changes}, {**OFFER, "@id": "other"}], OWNER)
    assert len(offers) == 1
    assert remark.startswith("Offer 'Adult' left out: ")
    assert why in remark


@pytest.mark.parametrize("published", ["https://example.com/offer", 5, {}, {"@type": "Offer", "name": "No price"}])
def test_objects_that_are_no_offers_are_left_out(published: Any) -> None:
    offers, remarks = read_offers([published], OWNER)
    assert (offers, len(remarks)) == ((), 1)


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"price": 5.555}, "price 5.555 rounded to 5.56"),
        ({"price": 0, "openBookingPrepayment": "https://openactive.io/Required"}, "there is nothing to prepay"),
        (
            {"openBookingInAdvance": "Unavailable", "openBookingPrepayment": "https://openactive.io/Required"},
            "there is nothing to prepay",
        ),
    ],
)
def test_changes_to_offers_are_remarked(changes: dict[str, Any], remark: str) -> None:
    offers, (told,) = read_offers({**OFFER, **changes}, OWNER)
    assert len(offers) == 1
    assert remark in told


@pytest.mark.spec("OB-BKBL-28")
def test_offers_keep_their_distinct_keys_in_another_order() -> None:
    adult, junior = OFFER, {**OFFER, "@id": "junior"}
    by_position = [{"@type": "Offer", "price": 1, "priceCurrency": "GBP"}] * 2
    one_way, _ = read_offers([adult, junior], OWNER)
    other_way, _ = read_offers([junior, adult], OWNER)
    assert [offer.key for offer in one_way] == [offer.key for offer in reversed(other_way)]
    for published in ([adult, adult, adult], by_position, [adult] * MAX_OFFERS):
        offers, remarks = read_offers(published, OWNER)
        assert len({offer.key for offer in offers}) == len(published)
        assert remarks == ()


def test_offers_with_one_id_get_different_keys_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    derived = []

    def counted(*parts: str) -> str:
        derived.append(parts)
        return derive_key(*parts)

    monkeypatch.setattr("openbooking.importing.reading.offers.derive_key", counted)
    offers, _ = read_offers([OFFER] * MAX_OFFERS, OWNER)
    assert len(offers) == MAX_OFFERS
    assert len(derived) < 2 * MAX_OFFERS


def test_offers_beyond_the_limit_are_left_out_with_a_remark() -> None:
    published = [{**OFFER, "@id": f"offer-{number}"} for number in range(MAX_OFFERS + 1800)]
    offers, remarks = read_offers(published, OWNER)
    assert [offer.key for offer in offers] == [offer.key for offer in read_offers(published[:200], OWNER)[0]]
    assert remarks == ("Offers left out: it has 2,000, of which the first 200 are read",)


def test_a_link_that_is_no_web_address_is_left_out_with_a_remark() -> None:
    (offer,), remarks = read_offers({**OFFER, "url": "javascript:alert(1)"}, OWNER)
    assert (dict(offer.properties), remarks) == ({}, ("Offer 'Adult': url that is no web address left out",))
