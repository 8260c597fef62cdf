"""The front desk takes payments after the booking, and gives money back when items are cancelled or replaced."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.commands.orders.record_payment import RecordPayment
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.desk_payment import DeskPayment
from openbooking.booking.model.errors import DueChangedError, UnacceptablePaymentError
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import MeansOfPayment, OrderKey, Payment, desk_caller
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.desk_account import desk_account, due_at_desk
from openbooking.booking.rules.orders.order_lines import order_lines
from openbooking.openactive.errors import UnknownOrderError
from openbooking.openactive.terms import BrokerRole
from support.builders import BY_MANAGER, NOW, PRICE, UUID, after, book, item, request, session, situation
from support.parties import CENTRE, MANAGER

KEY = OrderKey(DESK, UUID)
YOGA, SWIM = session("yoga"), session("swim", price=Decimal("5.00"))
CASH, CARD, OTHER = MeansOfPayment
HOUR = timedelta(hours=1)


def booked(spaces: int = 1, payment: Payment | None = None) -> Situation:
    """Return the situation after the desk has booked spaces of the yoga session."""
    asked = request(
        *(item(YOGA, position) for position in range(spaces)),
        total_payment_due=spaces * PRICE,
        broker_role=BrokerRole.NO_BROKER,
        broker=None,
        customer=None,
        payment=payment,
    )
    command = BookAtDesk(caller=desk_caller(CENTRE.key), uuid=UUID, request=asked, nonce="n", actor=MANAGER)
    return after(situation(YOGA, SWIM), command)


def pay(due: Decimal | int, amount: Decimal | str | None = None, means: MeansOfPayment = CASH) -> RecordPayment:
    """Return the payment of an amount, or of everything that is due."""
    return RecordPayment(
        order=KEY, amount=Decimal(due if amount is None else amount), means=means, due=Decimal(due), actor=MANAGER
    )


def cancel(*numbers: int) -> SellerCancel:
    return SellerCancel(order=KEY, numbers=frozenset(numbers), actor=MANAGER)


def exchange(number: int) -> Replace:
    (offer,) = SWIM[0].offers
    return Replace(order=KEY, number=number, opportunity=SWIM[-1].path, offer=offer.ref, nonce="n", actor=MANAGER)


def hourly(where: Situation, *commands: Any) -> OrderRecord:
    """Return the Order after these commands, one an hour."""
    for command in commands:
        where = after(replace(where, now=where.now + HOUR), command)
    record = where.records[KEY]
    assert isinstance(record, OrderRecord)
    return record


def moved(record: OrderRecord) -> list[tuple[int, str, str, str]]:
    """Return the account: hours after the booking, means, what was paid and what was given back."""
    return [
        ((each.at - NOW) // HOUR if each.at else -1, each.means, str(each.paid), str(each.given_back))
        for each in desk_account(record)
    ]


def test_a_customer_pays_after_the_booking() -> None:
    record = hourly(booked(), replace(pay(PRICE, means=CARD), reference="slip 7"))
    taken = replace(BY_MANAGER, at=NOW + HOUR)
    assert record.payments == (DeskPayment(amount=PRICE, means=CARD, reference="slip 7", taken=taken),)
    assert (record.changed, record.updated, record.payment) == (taken, False, None)
    assert due_at_desk(record) == 0
    assert moved(record) == [(1, "card", "12.00", "0.00")]


def test_a_customer_pays_in_parts_by_several_means() -> None:
    first = hourly(booked(2), pay(24, "10.50"))
    assert due_at_desk(first) == Decimal("13.50")
    both = hourly(booked(2), pay(24, "10.50"), pay(Decimal("13.50"), means=OTHER))
    assert due_at_desk(both) == 0
    assert [line[1:] for line in moved(both)] == [("cash", "10.50", "0.00"), ("other", "13.50", "0.00")]


@pytest.mark.parametrize("amount", ["0", "-1", "12.01", "0.001", "NaN", "Infinity"])
def test_an_amount_that_cannot_be_taken_is_refused(amount: str) -> None:
    with pytest.raises(UnacceptablePaymentError):
        pay(PRICE, amount).decide(booked())


def test_a_payment_that_is_sent_twice_is_recorded_once() -> None:
    half = pay(PRICE, "6.00")
    where = after(booked(), half)
    with pytest.raises(DueChangedError):
        half.decide(where)


def test_a_payment_is_not_recorded_once_items_were_cancelled_meanwhile() -> None:
    with pytest.raises(DueChangedError):
        pay(24).decide(after(booked(2), cancel(1)))


def test_only_bookings_of_the_desk_are_paid_there() -> None:
    with pytest.raises(UnknownOrderError):
        pay(PRICE).decide(situation(YOGA))
    brokered = after(situation(YOGA), book(request(item(YOGA))))
    with pytest.raises(UnacceptablePaymentError, match="front desk"):
        replace(pay(PRICE), order=OrderKey("alice", UUID)).decide(brokered)
    with pytest.raises(UnacceptablePaymentError, match=r"Only 0\.00 is due"):
        pay(0, "1.00").decide(booked(payment=Payment(name=CARD, identifier="slip")))


def test_money_is_given_back_by_the_means_of_the_latest_payments() -> None:
    record = hourly(booked(2), pay(24, "9.00"), pay(15, means=CARD), cancel(1), cancel(2))
    assert moved(record) == [
        (1, "cash", "9.00", "0.00"),
        (2, "card", "15.00", "0.00"),
        (3, "card", "0.00", "12.00"),
        (4, "card", "0.00", "3.00"),
        (4, "cash", "0.00", "9.00"),
    ]
    assert due_at_desk(record) == 0
    assert [(line.number, line.refund) for line in order_lines(record)] == [(1, PRICE), (2, PRICE)]


def test_nothing_is_given_back_that_was_not_paid() -> None:
    record = hourly(booked(3), cancel(1), pay(24, "20.00"), cancel(2), cancel(3))
    assert [(line.number, str(line.refund)) for line in order_lines(record)] == [
        (1, "0.00"),
        (2, "8.00"),
        (3, "12.00"),
    ]
    assert moved(record)[1:] == [(3, "cash", "0.00", "8.00"), (4, "cash", "0.00", "12.00")]


def test_a_later_payment_leaves_earlier_refunds_as_they_were() -> None:
    before = hourly(booked(3), pay(36, "30.00"), cancel(1))
    later = hourly(booked(3), pay(36, "30.00"), cancel(1), cancel(2), exchange(3))
    assert moved(later)[: len(moved(before))] == moved(before)
    assert moved(later)[-1] == (4, "cash", "0.00", "7.00")
    assert due_at_desk(later) == 0


def test_a_cheaper_replacement_gives_the_difference_back() -> None:
    assert moved(hourly(booked(), pay(PRICE, means=CARD), exchange(1)))[-1] == (2, "card", "0.00", "7.00")
    unpaid = hourly(booked(), exchange(1))
    assert moved(unpaid) == []
    assert due_at_desk(unpaid) == 5
    partly = hourly(booked(), pay(PRICE, "6.00"), exchange(1))
    assert moved(partly)[-1] == (2, "cash", "0.00", "1.00")


def test_a_payment_with_the_booking_is_in_the_account() -> None:
    record = hourly(booked(2, Payment(name=CARD, identifier="slip 7")), cancel(2))
    assert moved(record) == [(0, "card", "24.00", "0.00"), (1, "card", "0.00", "12.00")]
    assert [each.reference for each in desk_account(record)] == ["slip 7", ""]
    plain = hourly(booked(1, Payment(name=CASH, identifier=UUID)))
    assert [each.reference for each in desk_account(plain)] == [""]


def test_the_refund_of_equal_items_is_not_more_than_was_paid() -> None:
    record = hourly(booked(3), pay(36, "30.00"), cancel(1, 2, 3))
    assert moved(record)[-1] == (2, "cash", "0.00", "30.00")
    assert sum(line.refund * line.quantity for line in order_lines(record)) == 30
