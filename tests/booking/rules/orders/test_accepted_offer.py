"""The Offer of an OrderItem: published, with a price that the Broker sets, or dynamic."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.opportunity import FormField, Offer, Opportunity
from openbooking.booking.model.order import Order
from openbooking.booking.model.order_request import ItemRequest, OfferOverride, OrderRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.accepted_offer import (
    OVERRIDE_KEY,
    dynamic_offer,
    overridden_offer,
    published_offer,
    unpriced_offer,
)
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.openactive.errors import TotalPaymentDueMismatchError
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability, FlowRequirement, FormFieldType
from support.builders import (
    NOW,
    PRICE,
    UUID,
    after,
    course,
    event,
    headline_event,
    item,
    offer,
    quote,
    request,
    session,
    situation,
    slot,
)
from support.parties import AGREED_ALICE, ALICE, CENTRE

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
def test_the_requested_offer_must_be_published_and_apply_to_the_opportunity() -> None:
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


def test_a_dynamic_item_that_names_an_offer_or_has_no_applicable_offer_is_an_error() -> None:
    where = situation(YOGA)
    for asked in (item(YOGA), item(YOGA, offer_id=None, override=NAMED)):
        found = dynamic_offer(where, NO_TERMS, CENTRE, YOGA[-1], asked, 1)
        assert type_of(found) is ItemErrorType.UNACCEPTABLE_OFFER
    bare = session(offers=())
    found = dynamic_offer(situation(bare), NO_TERMS, CENTRE, bare[-1], item(YOGA, offer_id=None), 1)
    assert type_of(found) is ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE


def test_an_offer_without_its_price_has_neither_currency_nor_prepayment() -> None:
    found = unpriced_offer(offer(SERIES, prepayment=Availability.OPTIONAL))
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


PLAIN = session("yoga")
OVERRIDES = Policy(leasing=Leasing.OFF, offer_overrides=True)


def quoted(where: Situation, asked: OrderRequest, checkpoint: Checkpoint = Checkpoint.C2) -> Order:
    reply = quote(asked, checkpoint, AGREED_ALICE).decide(where).reply
    assert isinstance(reply, Order)
    return reply


def overridden(family: list[Opportunity], price: Decimal = PRICE, name: str | None = None) -> ItemRequest:
    override = OfferOverride(price=price, currency="GBP", name=name)
    return item(family, offer=None, offer_id=None, override=override)


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
    where = situation(PLAIN, policy=replace(OVERRIDES, leasing=Leasing.ANONYMOUS))
    held = after(where, quote(request(overridden(PLAIN, Decimal("0.01"))), caller=AGREED_ALICE))
    named = item(PLAIN, offer=OfferRef(PLAIN[-1].path, OVERRIDE_KEY), offer_id="id:override")
    (found,) = quoted(held, request(named)).items
    assert [error.type for error in found.errors] == [ItemErrorType.UNKNOWN_OFFER]
    assert quoted(held, request(item(PLAIN))).totals.price == PRICE


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


@pytest.mark.spec("OB-BKBL-31")
@pytest.mark.parametrize("parent", [headline_event(), course()], ids=["headline event", "course"])
def test_an_event_does_not_inherit_the_offers_of_its_parent(parent: list[Opportunity]) -> None:
    part = event("part", parent=parent, offers=())
    assert type_of(published_offer(situation(part), part[-1], item(part))) is ItemErrorType.UNACCEPTABLE_OFFER
