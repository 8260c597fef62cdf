"""Baskets whose purchase was reversed: they begin again with another Order UUID."""

import uuid
from contextlib import suppress
from decimal import Decimal

import pytest

from openbooking.broker.money.errors import LostPurchaseError, NoQuoteError, WrongStateError
from openbooking.broker.money.journal import Purchase
from openbooking.broker.money.news import note_deletion, note_order, note_proposal
from openbooking.broker.money.payments import DeclinedError
from openbooking.broker.money.purchase import State
from openbooking.openactive.errors import InternalApplicationError
from openbooking.openactive.messages import PriceSpecification
from openbooking.openactive.terms import OrderProposalStatus
from support.money.booking_system import ATTEMPTS, Fault, keys, order
from support.money.payments import PaymentFault
from support.money.world import Kind, Stop, World


def reversed_basket(world: World) -> uuid.UUID:
    """Return a basket whose Order was deleted because its payment could not be captured."""
    basket = world.basket()
    world.provider.faults["capture"] = [PaymentFault.DECLINED]
    with pytest.raises(DeclinedError):
        world.run(world.purchases.book(basket, order(), "card-1"))
    assert world.journal.find(basket).state is State.REVERSED
    return basket


@pytest.mark.spec("OB-BRK-01", "OB-BRK-10")
def test_reversed_basket_is_booked_with_another_uuid(world: World) -> None:
    basket = reversed_basket(world)
    again = world.run(world.purchases.order_to_quote(basket))
    assert again != basket
    assert world.run(world.purchases.order_to_quote(basket)) == again
    booked = world.run(world.purchases.book(again, order(), "card-2"))
    assert (booked.order, keys(world.system.sent("B"))) == (again, [basket, again])
    assert (booked.paid, world.faults()) == (Decimal(12), [])


@pytest.mark.spec("OB-BRK-02")
def test_basket_that_begins_again_may_restart_as_often_as_before(world: World) -> None:
    basket = world.basket()
    world.system.always["B"] = Fault.FATAL
    with pytest.raises(InternalApplicationError):
        world.run(world.purchases.book(basket, order()))
    world.heal()
    again = world.run(world.purchases.order_to_quote(basket))
    world.system.faults["B"] = [Fault.FATAL_AFTERWARDS]
    world.run(world.purchases.book(again, order()))
    assert (len(keys(world.system.sent("B"))), world.faults()) == (5, [])


def test_basket_has_no_quote_after_its_uuid_was_replaced(world: World) -> None:
    basket = reversed_basket(world)
    world.run(world.purchases.order_to_quote(basket))
    with pytest.raises(NoQuoteError):
        world.run(world.purchases.book(basket, order()))


def test_deletion_in_the_feed_is_no_refund_of_the_order_that_follows(world: World) -> None:
    basket = reversed_basket(world)
    with world.database.transaction() as transaction:
        note_deletion(transaction, basket)
    again = world.run(world.purchases.order_to_quote(basket))
    world.run(world.purchases.book(again, order()))
    world.run(world.recovery.settle())
    assert (world.provider.refunds, world.faults()) == ({}, [])


@pytest.mark.spec("OB-BRK-02")
def test_deletion_in_the_feed_during_a_restart_is_no_refund(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.FATAL_AFTERWARDS]
    world.system.faults["DELETE"] = [Fault.LOST] * ATTEMPTS
    with suppress(Exception):
        world.run(world.purchases.book(basket, order()))
    assert world.journal.find(basket).state is State.RESTARTING
    with world.database.transaction() as transaction:
        note_deletion(transaction, basket)
    world.recover()
    world.run(world.recovery.settle())
    assert (len(world.system.live), world.provider.refunds, world.faults()) == (1, {}, [])


def test_order_that_arrives_after_its_basket_began_again_is_deleted(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.LOST, Fault.UNAUTHORISED]
    with pytest.raises(Exception, match="API key"):
        world.run(world.purchases.book(basket, order()))
    again = world.run(world.purchases.order_to_quote(basket))
    world.run(world.purchases.book(again, order()))
    world.system.orders[str(basket)] = world.system.orders[str(basket)]._replace(deleted=False)
    with world.database.transaction() as transaction:
        note_order(transaction, basket, PriceSpecification(price="12.00", price_currency="GBP"))
    world.run(world.recovery.settle())
    assert (list(world.system.live), world.faults()) == ([str(again)], [])


@pytest.mark.parametrize("status", [OrderProposalStatus.SELLER_REJECTED, OrderProposalStatus.CUSTOMER_REJECTED, None])
def test_rejected_proposal_is_proposed_again_with_another_uuid(
    world: World, status: OrderProposalStatus | None
) -> None:
    basket = world.basket()
    world.run(world.purchases.propose(basket, order()))
    with pytest.raises(WrongStateError, match="waits for"):
        world.run(world.purchases.order_to_quote(basket))
    with world.database.transaction() as transaction:
        note_proposal(transaction, basket, status, "2" if status else "", None)
    again = world.run(world.purchases.order_to_quote(basket))
    assert world.run(world.purchases.propose(again, order())).order == again != basket
    assert world.journal.find(again).proposal_status is None


@pytest.mark.spec("OB-BRK-01")
def test_basket_that_is_booked_or_under_way_is_not_quoted(world: World) -> None:
    booked = world.basket()
    world.run(world.purchases.book(booked, order()))
    under_way = world.basket()
    world.system.always["B"] = Fault.LOST
    with suppress(Exception):
        world.run(world.purchases.book(under_way, order()))
    for basket in (booked, under_way):
        with pytest.raises(WrongStateError):
            world.run(world.purchases.order_to_quote(basket))


def test_basket_begins_again_once_among_processes(world: World) -> None:
    purchase = world.journal.find(reversed_basket(world))
    again = world.journal.begin_again(purchase)
    with pytest.raises(LostPurchaseError):
        world.journal.begin_again(purchase)
    assert world.run(world.purchases.order_to_quote(purchase.order)) == again.order


def test_basket_that_another_flow_begins_again_meanwhile_has_one_uuid(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    basket, begin = reversed_basket(world), world.journal.begin_again
    others: list[uuid.UUID] = []

    def begin_late(purchase: Purchase) -> Purchase:
        others.append(begin(purchase).order)
        return begin(purchase)

    monkeypatch.setattr(world.journal, "begin_again", begin_late)
    assert [world.run(world.purchases.order_to_quote(basket))] == others


@pytest.mark.parametrize("kind", Kind)
def test_basket_begins_again_wherever_it_is_stopped(world: World, kind: Kind) -> None:
    for step in range(1, 4):
        basket = reversed_basket(world)
        with suppress(Exception):
            world.run(world.purchases.order_to_quote(basket), Stop(step, kind))
        world.restart()
        again = world.run(world.purchases.order_to_quote(basket))
        world.run(world.purchases.book(again, order()))
        assert world.faults() == [], f"at step {step}"
