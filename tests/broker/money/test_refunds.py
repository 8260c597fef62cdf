"""Refunds: what the Orders feed shows to be owed is paid back once."""

import uuid
from decimal import Decimal

import pytest

from openbooking.broker.money.news import note_deletion, note_order
from openbooking.broker.money.purchase import State
from openbooking.openactive.messages import PriceSpecification
from support.money.booking_system import Fault, order
from support.money.payments import PaymentFault
from support.money.world import Kind, Stop, StoppedError, World


def booked(world: World, price: str = "12.00") -> uuid.UUID:
    world.system.price = price
    basket = world.basket()
    return world.run(world.purchases.book(basket, order(price))).order


def note(world: World, order_: uuid.UUID, price: str) -> None:
    """Note the total of an Order as the feed shows it."""
    total = PriceSpecification(price=price, price_currency="GBP" if float(price) else None)
    with world.database.transaction() as transaction:
        note_order(transaction, order_, total)


def settle(world: World, **arguments: bool) -> list[Decimal]:
    """Pay back what is owed, and return all refunds so far."""
    world.run(world.recovery.settle(**arguments))
    return list(world.provider.refunds.values())


def test_smaller_total_is_refunded_once(world: World) -> None:
    bought = booked(world)
    note(world, bought, "12.00")
    assert settle(world) == []
    note(world, bought, "8.00")
    assert settle(world) == [Decimal(4)]
    assert settle(world) == [Decimal(4)]
    note(world, bought, "8.00")
    assert settle(world) == [Decimal(4)]
    note(world, bought, "0")
    assert settle(world) == [Decimal(4), Decimal(8)]
    assert world.provider.violations == []


def test_larger_total_is_not_charged(world: World) -> None:
    bought = booked(world)
    note(world, bought, "20.00")
    assert settle(world) == []


def test_total_that_rises_again_before_the_refund_is_refunded_in_part(world: World) -> None:
    bought = booked(world)
    note(world, bought, "0")
    note(world, bought, "10.00")
    assert settle(world) == [Decimal(2)]


def test_order_that_the_broker_was_not_paid_for_is_not_refunded(world: World) -> None:
    basket = world.basket()
    world.run(world.purchases.book(basket, order(), pays=False))
    note(world, basket, "0")
    assert (settle(world), world.provider.calls) == ([], [])


def test_deletion_by_the_booking_system_is_refunded_in_full(world: World) -> None:
    bought = booked(world)
    with world.database.transaction() as transaction:
        note_deletion(transaction, bought)
    assert settle(world) == [Decimal(12)]


def test_page_that_is_rolled_back_owes_nothing(world: World) -> None:
    bought = booked(world)

    def fail() -> None:
        with world.database.transaction() as transaction:
            note_order(transaction, bought, PriceSpecification(price=0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert settle(world) == []


@pytest.mark.parametrize("fault", [PaymentFault.TEMPORARY, PaymentFault.LOST, PaymentFault.BROKEN])
def test_refund_of_unknown_outcome_is_repeated_with_the_same_key(world: World, fault: PaymentFault) -> None:
    bought = booked(world)
    note(world, bought, "5.00")
    world.provider.always["refund"] = fault
    settle(world)
    (left,) = world.run(world.recovery.unfinished())
    assert (left.state, left.order) == (State.REFUNDING, bought)
    note(world, bought, "0")
    world.heal()
    world.recover()
    assert settle(world) == [Decimal(7), Decimal(5)]
    assert world.provider.violations == []


@pytest.mark.parametrize("kind", Kind)
def test_refund_is_paid_once_wherever_it_is_stopped(world: World, kind: Kind) -> None:
    for step in range(1, 5):
        bought = booked(world)
        world.provider.refunds.clear()
        note(world, bought, "5.00")
        try:
            world.run(world.recovery.settle(), Stop(step, kind))
        except (StoppedError, Exception):  # noqa: BLE001 - any end will do
            world.restart()
        world.recover()
        assert settle(world) == [Decimal(7)]
        assert world.provider.violations == []


def test_refused_refund_is_shown_to_operators_and_tried_again_when_told(world: World) -> None:
    bought = booked(world)
    note(world, bought, "5.00")
    world.provider.faults["refund"] = [PaymentFault.DECLINED]
    assert settle(world) == []
    (left,) = world.run(world.recovery.unfinished())
    assert (left.state, left.words) == (
        State.REFUND_REFUSED,
        "The payment provider refuses to pay back what is due. Pay it back in another way.",
    )
    assert settle(world) == []
    assert settle(world, refused_too=True) == [Decimal(7)]


def test_order_that_arrives_after_its_deletion_is_deleted_again(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.FATAL]
    bought = world.run(world.purchases.book(basket, order())).order
    # A proxy delivers the first B only now.
    late, _ = world.system.sent("B")
    world.system.answer(late)
    note(world, basket, "12.00")
    assert len(world.system.live) == 2
    world.system.faults["DELETE"] = [Fault.SILENT] * 3
    assert world.run(world.recovery.settle()).strays == (basket,)
    assert world.run(world.recovery.settle()).strays == ()
    assert (list(world.system.live), world.faults()) == ([str(bought)], [])
    assert world.provider.refunds == {}


def test_order_of_a_basket_that_was_refused_is_deleted(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.REFUSED]
    with pytest.raises(Exception, match="Customer"):
        world.run(world.purchases.book(basket, order()))
    world.system.answer(world.system.sent("B")[0])
    note(world, basket, "12.00")
    world.recover()
    assert (world.journal.find(basket).state, world.faults()) == (State.REVERSED, [])
    assert world.run(world.recovery.settle()).strays == ()


def test_refund_of_another_amount_after_a_refusal_has_another_key(world: World) -> None:
    bought = booked(world)
    note(world, bought, "5.00")
    world.provider.faults["refund"] = [PaymentFault.DECLINED]
    assert settle(world) == []
    note(world, bought, "2.00")
    assert settle(world, refused_too=True) == [Decimal(10)]
    assert world.provider.violations == []


def test_no_more_is_refunded_than_was_paid(world: World) -> None:
    bought = booked(world)
    note(world, bought, "-3.00")
    assert settle(world) == [Decimal(12)]
