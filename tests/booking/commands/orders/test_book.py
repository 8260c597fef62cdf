"""B: booking, repeats, payment and totals."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.opportunity import AccessRules, Opportunity
from openbooking.booking.model.order import Caller, Order, OrderKey, Payment
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.openactive.errors import (
    IncompletePaymentDetailsError,
    InvalidAuthorizationDetailsError,
    MissingPaymentDetailsError,
    OpenBookingError,
    OrderAlreadyExistsError,
    OrderCreationFailedError,
    TotalPaymentDueMismatchError,
    UnnecessaryPaymentDetailsError,
)
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import Availability, FlowRequirement
from support.builders import PRICE, UUID, after, changed, item, new_uuid, offer, request, session, situation
from support.parties import ALICE, BOB, CUSTOMER, MANAGER

YOGA = session("yoga")
FREE = session("free", price=Decimal("0.00"))
PATH = YOGA[-1].path


def book(asked: OrderRequest, caller: Caller = ALICE, uuid: str = UUID) -> Book:
    return Book(caller=caller, uuid=uuid, request=asked)


def answered(where: Situation, command: Book) -> Order:
    reply = command.decide(where).reply
    assert isinstance(reply, Order)
    return reply


@pytest.mark.spec("OB-B-01", "OB-B-12", "OB-VAL-41", "OB-ID-14")
def test_b_books_every_item_and_remembers_the_order() -> None:
    where = situation(YOGA)
    decision = book(request(item(YOGA, 0), item(YOGA, 1), total_payment_due=2 * PRICE)).decide(where)
    booked = changed(where, decision)
    record = booked.records[OrderKey("alice", UUID)]
    assert record.kind is RecordKind.ORDER
    assert record.order == decision.reply
    assert booked.spaces[PATH] == Spaces(booked=2)


@pytest.mark.spec("OB-B-15", "OB-PREP-10", "OB-PREP-11", "OB-B-14")
def test_free_and_paid_orders_need_no_quote_before() -> None:
    free = answered(situation(FREE), book(request(item(FREE), total_payment_due=Decimal(0), payment=None)))
    assert free.totals.price == 0
    assert free.payment is None
    assert answered(situation(YOGA), book(request(item(YOGA)))).payment == Payment(identifier="payment-1")


@pytest.mark.spec("OB-B-07", "OB-B-08")
@pytest.mark.parametrize("payment", [None, Payment(identifier="x")])
def test_errors_of_items_are_reported_before_payment_and_total(payment: Payment | None) -> None:
    full = situation(YOGA, spaces={PATH: Spaces(booked=10)})
    decision = book(request(item(YOGA), payment=payment, total_payment_due=None)).decide(full)
    assert isinstance(decision.reply, Order)
    assert [error.type for error in decision.reply.items[0].errors] == [ItemErrorType.OPPORTUNITY_IS_FULL]
    assert decision.changes == ()


@pytest.mark.spec("OB-B-10", "OB-ID-18")
def test_a_repeat_gets_the_first_answer_and_books_nothing_more() -> None:
    where = situation(YOGA)
    first = book(request(item(YOGA))).decide(where)
    booked = changed(where, first)
    repeat = book(request(item(YOGA))).decide(booked)
    assert repeat.reply == first.reply
    assert repeat.changes == ()


@pytest.mark.spec("OB-B-11", "OB-ID-15")
@pytest.mark.parametrize(
    "changes",
    [
        {"customer": {**CUSTOMER, "email": "other@example.com"}},
        {"total_payment_due": Decimal("12.01")},
        {"total_currency": "USD"},
        {"total_currency": None},
        {"payment": Payment(identifier="payment-2")},
        {"items": (item(YOGA, 1),)},
        {"items": (item(YOGA, 0), item(YOGA, 1))},
    ],
)
def test_a_repeat_with_any_difference_is_refused(changes: dict[str, Any]) -> None:
    booked = after(situation(YOGA), book(request(item(YOGA))))
    with pytest.raises(OrderAlreadyExistsError):
        book(replace(request(item(YOGA)), **changes)).decide(booked)


@pytest.mark.spec("OB-DEL-05")
def test_a_deleted_order_is_not_booked_again() -> None:
    booked = after(situation(YOGA), book(request(item(YOGA))))
    deleted = after(booked, DeleteOrder(caller=ALICE, uuid=UUID))
    with pytest.raises(OrderAlreadyExistsError):
        book(request(item(YOGA))).decide(deleted)


@pytest.mark.spec("OB-ID-13", "OB-AUTH-18")
def test_two_partners_can_use_one_uuid() -> None:
    both = after(after(situation(YOGA), book(request(item(YOGA)))), book(request(item(YOGA)), BOB))
    assert set(both.records) == {OrderKey("alice", UUID), OrderKey("bob", UUID)}
    assert both.spaces[PATH] == Spaces(booked=2)


@pytest.mark.spec("OB-AUTH-10")
def test_a_repeat_still_needs_the_authorisation_of_the_seller() -> None:
    booked = after(situation(YOGA), book(request(item(YOGA))))
    with pytest.raises(InvalidAuthorizationDetailsError):
        book(request(item(YOGA)), Caller("alice", frozenset())).decide(booked)


OPTIONAL = session("o", offers=(offer("session-series/series-o", prepayment=Availability.OPTIONAL),))
UNAVAILABLE = session("u", offers=(offer("session-series/series-u", prepayment=Availability.UNAVAILABLE),))
PAID, UNPAID, NAMELESS = Payment(identifier="x"), None, Payment()


@pytest.mark.parametrize(
    ("family", "payment", "expected"),
    [
        pytest.param(YOGA, UNPAID, MissingPaymentDetailsError, marks=pytest.mark.spec("OB-PAY-01")),
        pytest.param(YOGA, NAMELESS, IncompletePaymentDetailsError, marks=pytest.mark.spec("OB-PAY-03")),
        pytest.param(FREE, PAID, UnnecessaryPaymentDetailsError, marks=pytest.mark.spec("OB-PAY-02")),
        pytest.param(FREE, NAMELESS, UnnecessaryPaymentDetailsError, marks=pytest.mark.spec("OB-PAY-04")),
        pytest.param(UNAVAILABLE, PAID, UnnecessaryPaymentDetailsError, marks=pytest.mark.spec("OB-PAY-02")),
        pytest.param(OPTIONAL, NAMELESS, IncompletePaymentDetailsError, marks=pytest.mark.spec("OB-PAY-03")),
    ],
)
def test_a_wrong_payment_is_refused(
    family: list[Opportunity], payment: Payment | None, expected: type[OpenBookingError]
) -> None:
    due = Decimal(0) if family is FREE else PRICE
    with pytest.raises(expected):
        book(request(item(family), payment=payment, total_payment_due=due)).decide(situation(family))


@pytest.mark.spec("OB-PREP-12", "OB-PREP-13", "OB-PAY-11")
@pytest.mark.parametrize(("family", "payment"), [(OPTIONAL, PAID), (OPTIONAL, UNPAID), (UNAVAILABLE, UNPAID)])
def test_payment_may_be_optional_or_unavailable(family: list[Opportunity], payment: Payment | None) -> None:
    order = answered(situation(family), book(request(item(family), payment=payment)))
    assert order.payment == payment
    assert order.totals.price == PRICE


@pytest.mark.spec("OB-B-06")
@pytest.mark.parametrize("total", [None, Decimal("11.99"), Decimal(0), Decimal("-12.00")])
def test_the_total_must_be_right(total: Decimal | None) -> None:
    with pytest.raises(TotalPaymentDueMismatchError):
        book(request(item(YOGA), total_payment_due=total)).decide(situation(YOGA))


@pytest.mark.spec("OB-B-06", "OB-VAL-40", "OB-TAX-13")
@pytest.mark.parametrize("currency", ["USD", "gbp", "", None])
def test_the_total_must_be_in_the_right_currency(currency: str | None) -> None:
    with pytest.raises(TotalPaymentDueMismatchError):
        book(request(item(YOGA), total_currency=currency)).decide(situation(YOGA))


@pytest.mark.spec("OB-B-06", "OB-TAX-13")
@pytest.mark.parametrize("currency", ["GBP", "USD", None])
def test_a_free_order_accepts_any_currency(currency: str | None) -> None:
    free = request(item(FREE), total_payment_due=Decimal(0), total_currency=currency, payment=None)
    assert answered(situation(FREE), book(free)).totals.price == 0


@pytest.mark.spec("OB-B-06")
def test_a_wrong_total_on_a_free_order_is_a_mismatch() -> None:
    with pytest.raises(TotalPaymentDueMismatchError):
        book(request(item(FREE), total_payment_due=PRICE, payment=None)).decide(situation(FREE))


@pytest.mark.spec("OB-B-16")
def test_an_order_that_needs_approval_cannot_be_booked_without_a_proposal() -> None:
    family = session("a", offers=(offer("session-series/series-a", flow=(FlowRequirement.APPROVAL,)),))
    with pytest.raises(OrderCreationFailedError):
        book(request(item(family))).decide(situation(family))


@pytest.mark.spec("OB-B-07", "OB-BKBL-12")
def test_the_last_space_can_be_booked_and_no_more() -> None:
    one = session("one", capacity=1)
    taken = after(situation(one), book(request(item(one))))
    late = book(request(item(one)), BOB, new_uuid()).decide(taken)
    assert isinstance(late.reply, Order)
    assert late.reply.has_errors
    assert changed(taken, late).spaces[one[-1].path] == Spaces(booked=1)


def codes(nonce: str) -> list[str | None]:
    """The access codes of two items that are booked with this nonce."""
    guarded = session("guarded", access=AccessRules(code=True))
    asked = request(item(guarded), item(guarded, 1), total_payment_due=2 * PRICE)
    order = answered(situation(guarded), replace(book(asked), nonce=nonce))
    return [found.access.code for found in order.items if found.access]


@pytest.mark.spec("OB-ACC-01")
def test_each_item_has_an_access_code_of_its_own_that_nobody_can_guess() -> None:
    first, second = codes("nonce")
    assert first
    assert second
    assert len({first, second, *codes("other")}) == 4


def test_an_order_shows_no_remaining_spaces() -> None:
    """The number of remaining spaces is true at the time of B only."""
    order = answered(situation(YOGA), book(request(item(YOGA))))
    assert [found.remaining for found in order.items] == [None]


@pytest.mark.spec("OB-TAX-14", "OB-OF-07", "OB-B-22")
def test_a_booked_item_keeps_its_price_when_the_offer_changes() -> None:
    booked = after(situation(YOGA), Book(caller=ALICE, uuid=UUID, request=request(item(YOGA))))
    dearer = replace(YOGA[0], offers=tuple(replace(o, price=Decimal(20)) for o in YOGA[0].offers))
    changed = after(booked, Publish((dearer,), actor=MANAGER))
    assert changed.opportunities[YOGA[0].path].offers[0].price == Decimal(20)
    order = GetOrder(caller=ALICE, uuid=UUID).decide(changed).reply.order
    assert [found.offer.price for found in order.items if found.offer] == [PRICE]
    assert [charge.price for found in order.items for charge in found.tax] == [Decimal("2.00")]
