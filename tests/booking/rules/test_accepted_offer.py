"""The Offer at which an OrderItem is sold: published, named by the Broker, or dynamic."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.opportunity import FormField, Offer, Opportunity
from openbooking.booking.model.order_request import OfferOverride
from openbooking.booking.model.policy import Policy
from openbooking.booking.rules.accepted_offer import (
    OVERRIDE_KEY,
    dynamic_offer,
    overridden_offer,
    published_offer,
    unpriced,
)
from openbooking.openactive.errors import ItemError, ItemErrorType
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability, FlowRequirement, FormFieldType
from support.builders import NOW, PRICE, item, offer, session, situation
from support.parties import CENTRE

SERIES = session()[0].path
QUESTION = FormField(key="q", type=FormFieldType.SHORT_ANSWER, name="Shoe size", description="In UK sizes.")
ADULT = offer(SERIES, vat=VatTreatment.EXEMPT, flow=(FlowRequirement.APPROVAL,), intake_form=(QUESTION,))
CHILD = offer(SERIES, "child", Decimal(4), flow=(FlowRequirement.NEGOTIATION,), attendee_details=("https://a/age",))
YOGA = session(offers=(ADULT, CHILD))
NAMED = OfferOverride(price=Decimal("7.00"), currency="EUR", name="Ours", properties={"identifier": "x"})
ALLOWED, AGREED = Policy(offer_overrides=True), GrantTerms(offer_overrides=True)


def type_of(found: Offer | ItemError) -> ItemErrorType:
    assert isinstance(found, ItemError)
    return found.type


@pytest.mark.spec("OB-VAL-14", "OB-VAL-16")
def test_the_offer_that_is_asked_for_is_published_and_applies_to_the_opportunity() -> None:
    other = session("other")
    where = situation(YOGA, other)
    assert published_offer(where, YOGA[-1], item(YOGA, offer=CHILD.ref)) == CHILD
    for ref, error in (
        (other[0].offers[0].ref, ItemErrorType.UNACCEPTABLE_OFFER),
        (OfferRef(other[0].path, "gone"), ItemErrorType.UNKNOWN_OFFER),
        (OfferRef("session-series/nowhere", "adult"), ItemErrorType.UNKNOWN_OFFER),
        (None, ItemErrorType.INVALID_OPPORTUNITY_OR_OFFER_ID),
    ):
        assert type_of(published_offer(where, YOGA[-1], item(YOGA, offer=ref))) is error


@pytest.mark.spec("OB-OVR-02", "OB-OVR-08", "OB-OVR-09", "OB-OVR-10")
def test_an_override_has_the_price_of_the_broker_and_the_requirements_of_the_published_offers() -> None:
    found = overridden_offer(situation(YOGA, policy=ALLOWED), AGREED, YOGA[-1], NAMED)
    assert isinstance(found, Offer)
    assert (found.price, found.currency, found.name, found.properties) == (
        Decimal("7.00"),
        "EUR",
        "Ours",
        {"identifier": "x"},
    )
    assert (found.owner, found.override, found.full_refund_on_cancellation) == (YOGA[-1].path, True, True)
    assert (found.vat, found.prepayment, found.flow) == (ADULT.vat, None, (*ADULT.flow, *CHILD.flow))
    assert (found.attendee_details, found.intake_form) == (CHILD.attendee_details, (QUESTION,))


@pytest.mark.spec("OB-OVR-02")
def test_a_free_override_has_no_currency() -> None:
    free = replace(NAMED, price=Decimal(0))
    found = overridden_offer(situation(YOGA, policy=ALLOWED), AGREED, YOGA[-1], free)
    assert isinstance(found, Offer)
    assert (found.price, found.currency) == (Decimal(0), None)


@pytest.mark.spec("OB-OVR-01")
@pytest.mark.parametrize(
    ("policy", "terms", "changes"),
    [
        (Policy(), AGREED, {}),
        (ALLOWED, NO_TERMS, {}),
        (ALLOWED, AGREED, {"accessible_for_free": True}),
    ],
    ids=["not allowed by the system", "not agreed with the Seller", "free for everybody"],
)
def test_an_override_that_is_not_agreed_on_is_unacceptable(
    policy: Policy, terms: GrantTerms, changes: dict[str, Any]
) -> None:
    free = replace(YOGA[-1], **changes)
    found = overridden_offer(situation([YOGA[0], free], policy=policy), terms, free, NAMED)
    assert type_of(found) is ItemErrorType.UNACCEPTABLE_OFFER


def test_the_nearest_of_the_family_says_whether_it_is_accessible_for_free() -> None:
    series, own = replace(YOGA[0], accessible_for_free=True), replace(YOGA[-1], accessible_for_free=False)
    assert isinstance(overridden_offer(situation([series, own], policy=ALLOWED), AGREED, own, NAMED), Offer)
    inheriting = overridden_offer(situation([series, YOGA[-1]], policy=ALLOWED), AGREED, YOGA[-1], NAMED)
    assert type_of(inheriting) is ItemErrorType.UNACCEPTABLE_OFFER


@pytest.mark.spec("OB-DYN-03", "OB-DYN-05", "OB-DYN-10")
@pytest.mark.parametrize(
    ("offers", "terms", "items", "expected"),
    [
        ((ADULT, CHILD), NO_TERMS, 1, "adult"),
        ((replace(ADULT, valid_through=NOW), CHILD), NO_TERMS, 1, "child"),
        ((replace(ADULT, min_quantity=2), CHILD), NO_TERMS, 1, "child"),
        ((replace(ADULT, min_quantity=2), CHILD), NO_TERMS, 2, "adult"),
        ((ADULT, CHILD), GrantTerms(offers=frozenset({CHILD.ref})), 1, "child"),
        ((replace(ADULT, valid_through=NOW), replace(CHILD, valid_through=NOW)), NO_TERMS, 1, "adult"),
    ],
    ids=["first", "ended", "for two", "two of them", "within the terms", "none that can be booked"],
)
def test_a_dynamic_item_has_the_first_offer_with_which_it_can_be_booked_without_its_price(
    offers: tuple[Offer, ...], terms: GrantTerms, items: int, expected: str
) -> None:
    family = session(offers=offers)
    asked = item(family, offer_id=None, offer=None)
    found = dynamic_offer(situation(family), terms, CENTRE, family[-1], asked, items)
    assert isinstance(found, Offer)
    assert (found.key, found.price, found.currency) == (expected, Decimal(0), None)


def test_a_dynamic_item_names_no_offer_and_there_must_be_one() -> None:
    where = situation(YOGA)
    for asked in (item(YOGA), item(YOGA, offer_id=None, override=NAMED)):
        found = dynamic_offer(where, NO_TERMS, CENTRE, YOGA[-1], asked, 1)
        assert type_of(found) is ItemErrorType.UNACCEPTABLE_OFFER
    bare = session(offers=())
    found = dynamic_offer(situation(bare), NO_TERMS, CENTRE, bare[-1], item(YOGA, offer_id=None), 1)
    assert type_of(found) is ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE


def test_an_offer_without_its_price_has_neither_currency_nor_prepayment() -> None:
    found = unpriced(offer(SERIES, prepayment=Availability.OPTIONAL))
    assert (found.price, found.currency, found.prepayment) == (Decimal(0), None, None)
    assert replace(found, price=PRICE, currency="GBP") == offer(SERIES)


def description_of(found: Offer | ItemError) -> str | None:
    assert isinstance(found, ItemError)
    return found.description


@pytest.mark.parametrize(
    ("policy", "free", "description"),
    [
        (Policy(), None, "The Seller has not agreed to prices that the Broker sets."),
        (ALLOWED, True, "The price of a free Opportunity cannot be overridden."),
    ],
)
def test_the_broker_learns_why_its_price_is_refused(policy: Policy, free: bool | None, description: str) -> None:
    family = session(accessible_for_free=free)
    assert description_of(overridden_offer(situation(family, policy=policy), AGREED, family[-1], NAMED)) == description


@pytest.mark.parametrize(
    ("family", "offer_id", "description"),
    [
        (YOGA, "id:offer", "With a DynamicPayment there is no acceptedOffer."),
        (session(offers=()), None, "The Opportunity has no Offer."),
    ],
)
def test_the_broker_learns_why_a_dynamic_item_has_no_offer(
    family: list[Opportunity], offer_id: str | None, description: str
) -> None:
    asked = item(YOGA, offer_id=offer_id)
    assert description_of(dynamic_offer(situation(family), NO_TERMS, CENTRE, family[-1], asked, 1)) == description


def test_the_broker_learns_which_id_names_no_offer() -> None:
    found = published_offer(situation(YOGA), YOGA[-1], item(YOGA, offer=None, offer_id="https://example.com/none"))
    assert description_of(found) == "https://example.com/none names no Offer."


def test_the_key_of_an_override_is_that_of_no_published_offer() -> None:
    found = overridden_offer(situation(YOGA, policy=ALLOWED), AGREED, YOGA[-1], NAMED)
    assert isinstance(found, Offer)
    assert found.key == OVERRIDE_KEY


def test_a_question_that_several_offers_ask_is_asked_once() -> None:
    family = session(offers=(ADULT, replace(CHILD, intake_form=(QUESTION, replace(QUESTION, key="other")))))
    found = overridden_offer(situation(family, policy=ALLOWED), AGREED, family[-1], NAMED)
    assert isinstance(found, Offer)
    assert [field.key for field in found.intake_form] == ["q", "other"]
