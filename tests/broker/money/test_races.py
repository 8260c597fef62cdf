"""Races: two tabs, two flows and flows that are cut off, with one basket."""

import uuid
from contextlib import suppress
from decimal import Decimal

import pytest

from openbooking.broker.api.endpoints import BookingApi
from openbooking.broker.errors import AuthorizationError
from openbooking.broker.flow import Flow, Step
from openbooking.broker.money.errors import LostPurchaseError
from openbooking.broker.money.news import note_order
from openbooking.broker.money.payments import DeclinedError
from openbooking.broker.money.purchase import State
from openbooking.broker.money.purchases import Booked
from openbooking.openactive.errors import IncompleteCustomerDetailsError, InternalApplicationError
from openbooking.openactive.messages import PriceSpecification
from support.money.booking_system import Fault, order
from support.money.payments import PaymentFault
from support.money.world import World


def note(world: World, noted: uuid.UUID, price: str) -> None:
    """Note the Order as the Orders feed shows it."""
    with world.database.transaction() as transaction:
        note_order(transaction, noted, PriceSpecification(price=price, price_currency="GBP"))


def at_b(world: World, basket: uuid.UUID) -> tuple[Flow[Booked], Step]:
    """Begin to book a basket, and return the flow with its step before B."""
    flow = world.purchases.book(basket, order())
    step = next(flow)
    while world.journal.find(basket).state is not State.BOOKING:
        step = flow.send(world._do(step))
    return flow, step


def test_order_that_was_noted_while_nothing_was_booked_is_kept_once_it_is_booked(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.REFUSED]
    with pytest.raises(IncompleteCustomerDetailsError):
        world.run(world.purchases.book(basket, order()))
    note(world, basket, "12.00")
    world.run(world.purchases.book(basket, order()))
    assert world.run(world.recovery.settle()).strays == ()
    assert world.journal.strays() == []
    assert (world.journal.find(basket).state, world.faults()) == (State.BOOKED, [])


def test_order_is_not_deleted_while_it_is_booked_again(world: World) -> None:
    basket = world.basket()
    note(world, basket, "12.00")
    flow, step = at_b(world, basket)
    world.run(world.recovery.settle())
    assert world.system.sent("DELETE") == []
    with suppress(StopIteration):
        while True:
            step = flow.send(world._do(step))
    assert (world.journal.find(basket).state, world.faults()) == (State.BOOKED, [])


def test_basket_that_was_read_before_another_tab_paid_is_not_paid_with_the_same_key(world: World) -> None:
    basket = world.basket()
    late = world.purchases.book(basket, order(), "other card")
    read = world._do(next(late))
    world.provider.faults["authorise"] = [PaymentFault.DECLINED]
    with pytest.raises(DeclinedError):
        world.run(world.purchases.book(basket, order()))
    begin = late.send(read)
    with pytest.raises(LostPurchaseError):
        world._do(begin)
    late.close()
    assert world.run(world.purchases.book(basket, order())).paid == Decimal(12)
    assert world.faults() == []


def test_refund_that_was_read_before_another_process_paid_it_is_not_paid_again(world: World) -> None:
    basket = world.basket()
    world.run(world.purchases.book(basket, order()))
    note(world, basket, "5.00")
    (stale,) = world.journal.refunds_due()
    world.run(world.recovery.settle())
    with pytest.raises(LostPurchaseError):
        world.journal.move(stale, State.REFUNDING, refunding=stale.owed)
    assert [name for name, _ in world.provider.calls].count("refund") == 1


def test_flow_that_is_cut_off_does_not_release_the_purchase_of_another(world: World) -> None:
    basket = world.basket()
    late = world.purchases.book(basket, order())
    read = world._do(next(late))
    flow, _ = at_b(world, basket)
    with pytest.raises(LostPurchaseError):
        late.send(read)
    assert world.recover().recovered == ()
    flow.close()
    (recovered,) = world.recover().recovered
    assert (recovered.state, world.faults()) == (State.BOOKED, [])


def test_recovery_that_is_cut_off_while_it_takes_a_purchase_over_lets_the_next_one_do_it(world: World) -> None:
    basket = world.basket()
    flow, _ = at_b(world, basket)
    flow.close()
    recovery = world.recovery.recover()
    adopt = recovery.send(world._do(next(recovery)))
    world._do(adopt)
    recovery.close()
    (recovered,) = world.recover().recovered
    assert (recovered.state, world.faults()) == (State.BOOKED, [])


def test_order_that_cannot_be_deleted_now_does_not_stop_the_deletion_of_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_authorization(seller: str) -> Flow[BookingApi]:
        yield from ()
        raise AuthorizationError(f"The authorization by {seller} has ended.")

    baskets = [world.basket() for _ in range(2)]
    world.system.always["B"] = Fault.FATAL
    for basket in baskets:
        with pytest.raises(InternalApplicationError):
            world.run(world.purchases.book(basket, order()))
        note(world, basket, "12.00")
    monkeypatch.setattr(world.recovery._steps, "_api", without_authorization)
    assert set(world.run(world.recovery.settle()).strays) == set(baskets)
    monkeypatch.undo()
    assert world.run(world.recovery.settle()).strays == ()
