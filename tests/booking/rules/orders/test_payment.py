"""Prepayment, payment details, their reconciliation, and dynamic payments."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.model.grant_terms import NO_TERMS
from openbooking.booking.model.opportunity import Offer, Opportunity
from openbooking.booking.model.order import Order, OrderItem, Payment
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import Leasing, Policy, ReconciliationDetails
from openbooking.booking.model.situation import OpportunitySet, Situation
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.rules.orders.payment import check_details, check_total
from openbooking.booking.rules.orders.prepayment import prepayment_of_all
from openbooking.openactive.errors import (
    IncompletePaymentDetailsError,
    InvalidPaymentDetailsError,
    MissingPaymentDetailsError,
    OpenBookingError,
    TotalPaymentDueMismatchError,
    UnnecessaryPaymentDetailsError,
)
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import Availability
from support.builders import PRICE, UUID, after, book, item, offer, quote, request, session, situation
from support.parties import AGREED_ALICE, ALICE, MANAGER

REQUIRED, OPTIONAL, UNAVAILABLE = Availability.REQUIRED, Availability.OPTIONAL, Availability.UNAVAILABLE
FREE = Decimal("0.00")
DETAILS = ReconciliationDetails(name="Points", account_id="SN1", payment_provider_id="STRIPE")
POINTS = Payment(identifier="payment-1", name="Points", account_id="SN1", payment_provider_id="STRIPE")
RECONCILED = Policy(leasing=Leasing.OFF, reconciliation=DETAILS)
MEMBERS = Payment(dynamic=True, identifier="d-1", name="Membership", account_id="MOVE")
DYNAMIC = Policy(leasing=Leasing.NAMED, dynamic_accounts=frozenset({"MOVE"}))
YOGA = session("yoga")


def priced(key: str, prepayment: Availability | None, price: Decimal = PRICE) -> list[Opportunity]:
    return session(key, offers=(offer(f"session-series/series-{key}", price=price, prepayment=prepayment),))


def decided(where: Situation, command: Book) -> Order:
    reply = command.decide(where).reply
    assert isinstance(reply, Order)
    return reply


def quoted(where: Situation, asked: OrderRequest, checkpoint: Checkpoint = Checkpoint.C2) -> Order:
    reply = quote(asked, checkpoint, AGREED_ALICE).decide(where).reply
    assert isinstance(reply, Order)
    return reply


def booking(asked: OrderRequest) -> Book:
    return Book(caller=AGREED_ALICE, uuid=UUID, request=asked)


def errors_of(order: Order) -> list[ItemErrorType | None]:
    return [item.errors[0].type if item.errors else None for item in order.items]


@pytest.mark.spec("OB-PREP-03", "OB-PREP-04", "OB-PREP-05", "OB-PREP-06", "OB-PREP-08", "OB-PREP-01")
@pytest.mark.parametrize(
    ("offers", "comes_to"),
    [
        ([(REQUIRED, PRICE)], REQUIRED),
        ([(None, PRICE)], REQUIRED),
        ([(OPTIONAL, PRICE), (REQUIRED, PRICE)], REQUIRED),
        ([(OPTIONAL, PRICE), (None, PRICE)], REQUIRED),
        ([(OPTIONAL, PRICE), (UNAVAILABLE, PRICE)], OPTIONAL),
        ([(OPTIONAL, PRICE), (None, FREE)], OPTIONAL),
        ([(UNAVAILABLE, PRICE)], UNAVAILABLE),
        ([(UNAVAILABLE, PRICE), (None, FREE)], UNAVAILABLE),
        ([(None, FREE)], UNAVAILABLE),
        ([], UNAVAILABLE),
    ],
)
def test_the_prepayment_of_an_order_is_the_strictest_of_its_offers(
    offers: list[tuple[Availability | None, Decimal]], comes_to: Availability
) -> None:
    made = [Offer(key="a", owner="x", price=price, prepayment=prepayment) for prepayment, price in offers]
    assert prepayment_of_all(made) is comes_to


@pytest.mark.spec("OB-PREP-09", "OB-VAL-24", "E-30")
def test_required_and_unavailable_prepayment_are_in_conflict_except_for_free_items() -> None:
    required, unavailable = priced("required", REQUIRED), priced("unavailable", UNAVAILABLE)
    optional, free = priced("optional", OPTIONAL), priced("free", None, FREE)
    where = situation(required, unavailable, optional, free, policy=Policy(leasing=Leasing.OFF))
    asked = request(item(required, 0), item(free, 1), item(unavailable, 2), item(optional, 3), payment=None)
    conflict = ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT
    assert errors_of(quoted(where, asked)) == [conflict, None, conflict, None]
    without = request(item(free, 0), item(unavailable, 1), item(optional, 2), payment=None)
    assert errors_of(quoted(where, without)) == [None, None, None]


@pytest.mark.spec("OB-PREP-02", "OB-BKBL-21", "OB-BKBL-23")
@pytest.mark.parametrize(
    ("policy", "changes", "published"),
    [
        (Policy(), {"prepayment": OPTIONAL}, OPTIONAL),
        (Policy(prepayment=False), {"prepayment": OPTIONAL}, None),
        (Policy(), {"prepayment": REQUIRED, "price": FREE, "currency": None}, None),
        (Policy(), {"prepayment": REQUIRED, "in_advance": UNAVAILABLE}, None),
    ],
)
def test_only_priced_offers_that_are_booked_in_advance_have_a_prepayment(
    policy: Policy, changes: dict[str, object], published: Availability | None
) -> None:
    path = YOGA[0].path
    family = session("yoga", offers=(replace(offer(path), **changes),))
    first, *_ = Publish(tuple(family), actor=MANAGER).decide(situation(policy=policy)).changes
    assert isinstance(first, OpportunitySet)
    assert first.opportunity.offers[0].prepayment is published


@pytest.mark.spec("OB-PREP-02", "OB-PAY-01")
def test_without_the_prepayment_setting_totals_have_none_and_priced_orders_are_paid() -> None:
    where = situation(YOGA, policy=Policy(leasing=Leasing.OFF, prepayment=False))
    assert quoted(where, request(item(YOGA))).totals.prepayment is None
    with pytest.raises(MissingPaymentDetailsError):
        booking(request(item(YOGA), payment=None)).decide(where)


@pytest.mark.spec("OB-PAY-05", "OB-PAY-06", "OB-PAY-07", "E-07")
@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2])
@pytest.mark.parametrize("name", ["name", "account_id", "payment_provider_id"])
@pytest.mark.parametrize("value", ["wrong", None])
@pytest.mark.parametrize("price", [PRICE, FREE])
def test_payment_details_that_cannot_be_reconciled_are_refused_even_for_free_orders(
    checkpoint: Checkpoint, name: str, value: str | None, price: Decimal
) -> None:
    family = session("yoga", price=price)
    where = situation(family, policy=RECONCILED)
    asked = request(item(family), payment=replace(POINTS, **{name: value}))
    with pytest.raises(InvalidPaymentDetailsError):
        quote(asked, checkpoint).decide(where)
    with pytest.raises(InvalidPaymentDetailsError):
        booking(asked).decide(where)


@pytest.mark.spec("OB-PAY-09", "OB-PAY-10", "OB-PAY-08", "OB-C1-11", "OB-C2-05", "OB-BRK-15")
def test_the_checked_payment_details_are_reflected_and_none_for_a_free_order() -> None:
    free = session("free", price=FREE)
    where = situation(YOGA, free, policy=RECONCILED)
    assert quoted(where, request(item(YOGA), payment=POINTS)).payment == replace(POINTS, identifier=None)
    assert quoted(where, request(item(free), payment=POINTS)).payment is None
    assert quoted(where, request(item(YOGA), payment=None)).payment is None
    assert decided(where, booking(request(item(YOGA), payment=POINTS))).payment == POINTS
    ignorant = situation(YOGA, policy=Policy(leasing=Leasing.OFF))
    assert quoted(ignorant, request(item(YOGA), payment=POINTS)).payment is None
    assert decided(ignorant, booking(request(item(YOGA), payment=POINTS))).payment == Payment(identifier="payment-1")


@pytest.mark.spec("OB-PAY-02", "OB-PAY-04", "E-04", "E-05", "E-06")
@pytest.mark.parametrize(
    ("prepayment", "payment", "refusal"),
    [
        (REQUIRED, None, MissingPaymentDetailsError),
        (REQUIRED, Payment(), IncompletePaymentDetailsError),
        (OPTIONAL, Payment(), IncompletePaymentDetailsError),
        (UNAVAILABLE, Payment(identifier="x"), UnnecessaryPaymentDetailsError),
        (UNAVAILABLE, Payment(), UnnecessaryPaymentDetailsError),
    ],
)
def test_missing_unnecessary_and_incomplete_payments_have_their_own_errors(
    prepayment: Availability, payment: Payment | None, refusal: type[OpenBookingError]
) -> None:
    family = priced("yoga", prepayment)
    with pytest.raises(refusal):
        booking(request(item(family), payment=payment)).decide(situation(family))


@pytest.mark.spec("OB-DYN-01", "OB-DYN-03", "OB-DYN-06", "OB-DYN-07", "OB-DYN-10")
def test_a_dynamic_payment_books_without_any_price() -> None:
    where = situation(YOGA, policy=DYNAMIC)
    asked = request(item(YOGA, offer=None, offer_id=None), payment=MEMBERS, total_payment_due=None)
    assert quoted(where, asked).payment == MEMBERS
    booked = decided(where, booking(asked))
    (sold,) = booked.items
    assert sold.offer is not None
    assert sold.offer.price == 0
    assert sold.offer.currency is None
    assert not sold.tax
    assert booked.dynamic
    kept = after(where, booking(asked))
    cancelled = after(kept, Cancel(caller=ALICE, uuid=UUID, numbers=(1,)))
    assert cancelled.spaces[YOGA[-1].path].booked == 0


@pytest.mark.spec("OB-DYN-07", "OB-DYN-08", "OB-DYN-09")
@pytest.mark.parametrize(
    ("policy", "payment", "refusal"),
    [
        (Policy(), MEMBERS, InvalidPaymentDetailsError),
        (DYNAMIC, replace(MEMBERS, account_id=None), IncompletePaymentDetailsError),
        (DYNAMIC, replace(MEMBERS, account_id="OTHER"), InvalidPaymentDetailsError),
        (Policy(dynamic_accounts=frozenset()), replace(MEMBERS, account_id="OTHER"), None),
    ],
)
@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2, Checkpoint.B])
def test_dynamic_payment_has_to_be_agreed_on(
    policy: Policy, payment: Payment, refusal: type[OpenBookingError] | None, checkpoint: Checkpoint
) -> None:
    where = situation(YOGA, policy=policy)
    asked = request(item(YOGA, offer=None, offer_id=None), payment=payment, total_payment_due=None)
    command = booking(asked) if checkpoint is Checkpoint.B else quote(asked, checkpoint, AGREED_ALICE)
    if refusal:
        with pytest.raises(refusal):
            command.decide(where)
    else:
        assert isinstance(command.decide(where).reply, Order)


@pytest.mark.spec("OB-DYN-07", "OB-DYN-08")
def test_a_dynamic_payment_keeps_its_account_from_quote_to_booking_and_needs_an_identifier_at_b() -> None:
    where = situation(YOGA, policy=replace(DYNAMIC, dynamic_accounts=frozenset()))
    asked = request(item(YOGA, offer=None, offer_id=None), payment=MEMBERS, total_payment_due=None)
    held = after(where, quote(asked, caller=AGREED_ALICE))
    for other in (replace(MEMBERS, account_id="OTHER"), None):
        with pytest.raises(InvalidPaymentDetailsError):
            booking(replace(asked, payment=other)).decide(held)
    with pytest.raises(IncompletePaymentDetailsError):
        booking(replace(asked, payment=replace(MEMBERS, identifier=None))).decide(held)
    assert not decided(held, booking(asked)).has_errors


@pytest.mark.spec("OB-DYN-07", "OB-DYN-08")
def test_a_quote_with_prices_is_not_booked_without_them() -> None:
    where = situation(YOGA, policy=DYNAMIC)
    priceless = request(item(YOGA, offer_id=None, offer=None), total_payment_due=None, payment=MEMBERS)
    assert book(priceless, AGREED_ALICE).decide(where).changes
    for payment in (None, Payment(identifier="payment-1")):
        quoted = after(where, quote(request(item(YOGA), payment=payment)))
        with pytest.raises(InvalidPaymentDetailsError):
            book(priceless, AGREED_ALICE).decide(quoted)


@pytest.mark.spec("OB-DYN-10", "OB-LEASE-10", "OB-B-06")
@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2])
def test_a_dynamic_quote_guarantees_no_price(checkpoint: Checkpoint) -> None:
    where = situation(YOGA, policy=replace(DYNAMIC, leasing=Leasing.ANONYMOUS))
    priceless = request(item(YOGA, offer_id=None, offer=None), total_payment_due=None, payment=MEMBERS)
    held = after(where, quote(priceless, checkpoint, AGREED_ALICE))
    asked = request(item(YOGA), payment=None)
    assert quoted(held, asked).totals.price == PRICE
    held = after(held, quote(asked))
    with pytest.raises(MissingPaymentDetailsError):
        booking(replace(asked, total_payment_due=FREE)).decide(held)
    assert decided(held, booking(request(item(YOGA)))).totals.price == PRICE


@pytest.mark.spec("OB-DYN-04", "OB-DYN-05")
def test_dynamic_items_have_no_offer_and_must_be_bookable() -> None:
    closed = session("closed", offers=(offer("session-series/series-closed", in_advance=UNAVAILABLE),))
    where = situation(YOGA, closed, policy=DYNAMIC)
    bare = {"offer": None, "offer_id": None}
    asked = request(item(YOGA, 0), item(closed, 1, **bare), item(YOGA, 2, **bare), payment=MEMBERS)
    assert errors_of(quoted(where, asked)) == [
        ItemErrorType.UNACCEPTABLE_OFFER,
        ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE,
        None,
    ]


def test_an_item_without_an_offer_is_incomplete_unless_payment_is_dynamic() -> None:
    where = situation(YOGA, policy=DYNAMIC)
    found: list[OrderItem] = list(quoted(where, request(item(YOGA, offer=None, offer_id=None))).items)
    assert [error.type for error in found[0].errors] == [ItemErrorType.INCOMPLETE_ORDER_ITEM]


FREE_OF_CHARGE = session("free", offered={"price": FREE, "currency": "GBP"})


@pytest.mark.spec("OB-VAL-40", "OB-TAX-13", "OB-B-06")
@pytest.mark.parametrize(
    ("family", "changes", "reason"),
    [
        (YOGA, {}, None),
        (YOGA, {"total_currency": None}, "The total is in GBP."),
        (YOGA, {"total_currency": "EUR"}, "The total is in GBP."),
        (YOGA, {"total_payment_due": None}, "The totalPaymentDue is missing, or has no price."),
        (YOGA, {"total_payment_due": Decimal("11.99")}, "The total is 12.00, not 11.99."),
        (FREE_OF_CHARGE, {}, None),
        (FREE_OF_CHARGE, {"total_currency": None}, None),
        (FREE_OF_CHARGE, {"total_currency": "EUR"}, "The total is in GBP."),
    ],
)
def test_the_broker_confirms_the_total_and_its_currency(
    family: list[Opportunity], changes: dict[str, Any], reason: str | None
) -> None:
    order = quoted(situation(family), request(item(family)))
    asked = request(item(family), **{"total_payment_due": order.totals.price, "total_currency": "GBP", **changes})
    if reason is None:
        check_total(asked, order)
        return
    with pytest.raises(TotalPaymentDueMismatchError, match=reason):
        check_total(asked, order)


@pytest.mark.spec("OB-DYN-10")
def test_a_dynamic_order_needs_no_total() -> None:
    asked = request(item(YOGA, offer=None, offer_id=None), payment=MEMBERS, total_payment_due=None)
    order = quoted(situation(YOGA, policy=DYNAMIC), asked)
    assert order.dynamic
    check_total(asked, order)


def test_only_the_details_that_a_seller_has_agreed_on_are_compared() -> None:
    policy = Policy(reconciliation=ReconciliationDetails(account_id="SN1"))
    check_details(replace(POINTS, name="Other"), policy, NO_TERMS)
    with pytest.raises(InvalidPaymentDetailsError, match="The payment's account_id is not one agreed"):
        check_details(replace(POINTS, account_id="SN2"), policy, NO_TERMS)
