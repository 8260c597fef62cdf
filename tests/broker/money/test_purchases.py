"""Purchases: what is sent, in which order, and what follows each answer."""

import uuid
from decimal import Decimal
from unittest.mock import Mock

import pytest

from openbooking.broker.money.errors import (
    PriceChangedError,
    PurchaseError,
    UnfinishedError,
    UnknownPurchaseError,
    WrongStateError,
)
from openbooking.broker.money.payments import Charge, DeclinedError, PaymentError
from openbooking.broker.money.purchase import MOST_RESTARTS, State
from openbooking.openactive.errors import (
    IncompleteCustomerDetailsError,
    InternalApplicationError,
    OpportunityHasInsufficientCapacityError,
    TemporarilyUnableToCreateOrderError,
)
from openbooking.openactive.messages import Payment, PriceSpecification
from support.money.booking_system import ATTEMPTS, SELLER, Fault, keys, order
from support.money.payments import PaymentFault
from support.money.world import World


def state(world: World, basket: uuid.UUID) -> State:
    return world.journal.find(basket).state


def hooks(world: World) -> list[str]:
    return [name for name, _ in world.provider.calls]


@pytest.mark.spec("OB-BRK-01")
def test_booking_authorises_then_books_then_captures(world: World) -> None:
    basket = world.basket()
    booked = world.run(world.purchases.book(basket, order(), "card-1"))
    assert hooks(world) == ["authorise", "capture"]
    charge = world.provider.calls[0][1]
    assert (charge.amount, charge.currency, charge.order, charge.reference) == (Decimal(12), "GBP", basket, "card-1")
    assert (booked.order, booked.paid) == (basket, Decimal(12))
    (request,) = world.system.sent("B")
    assert f'"identifier":"{booked.payment_id}"'.encode() in request.content
    assert keys(world.system.requests) == [basket]
    assert world.faults() == []


def test_booking_keeps_the_details_of_the_payment(world: World) -> None:
    basket = world.basket()
    details = Payment(type="Payment", account_id="A1", payment_provider_id="P1")
    world.run(world.purchases.book(basket, order(payment=details)))
    (request,) = world.system.sent("B")
    assert b'"accountId":"A1","paymentProviderId":"P1"' in request.content


@pytest.mark.parametrize(("price", "pays"), [("0", True), ("12.00", False)])
def test_order_that_the_broker_is_not_paid_for_calls_no_hook(world: World, price: str, pays: bool) -> None:
    world.system.price = price
    basket = world.basket()
    booked = world.run(world.purchases.book(basket, order(price), pays=pays))
    assert (hooks(world), booked.paid) == ([], Decimal(0))
    assert b'"payment"' not in world.system.sent("B")[0].content


@pytest.mark.spec("OB-BRK-01")
def test_basket_is_booked_once(world: World) -> None:
    basket = world.basket()
    world.run(world.purchases.book(basket, order()))
    with pytest.raises(WrongStateError):
        world.run(world.purchases.book(basket, order()))
    with pytest.raises(UnknownPurchaseError):
        world.run(world.purchases.book(uuid.uuid4(), order()))
    assert len(world.system.sent("B")) == 1


@pytest.mark.spec("OB-BRK-03")
@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.LIMITED, Fault.SILENT, Fault.LOST])
def test_request_without_answer_is_repeated_with_the_same_bytes(world: World, fault: Fault) -> None:
    basket = world.basket()
    world.system.faults["B"] = [fault]
    world.run(world.purchases.book(basket, order()))
    first, second = world.system.sent("B")
    assert (first.url, first.content) == (second.url, second.content)
    assert (len(world.system.live), world.faults()) == (1, [])


@pytest.mark.spec("OB-BRK-02")
@pytest.mark.parametrize("fault", [Fault.FATAL, Fault.FATAL_AFTERWARDS])
def test_server_error_deletes_the_order_and_begins_with_another_uuid(world: World, fault: Fault) -> None:
    basket = world.basket()
    world.system.faults["B"] = [fault]
    booked = world.run(world.purchases.book(basket, order()))
    assert booked.order != basket
    assert [request.method for request in world.system.requests] == ["PUT", "DELETE", "PUT", "PUT"]
    assert keys(world.system.sent("DELETE")) == [basket]
    assert keys(world.system.sent("C2")) == [booked.order]
    assert hooks(world) == ["authorise", "capture"]
    assert world.faults() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": "5b1f1d2c-0000-4000-8000-000000000000"},
        {"seller": "https://booking.example/api/sellers/other"},
        {"seller": {"@type": "Organization", "@id": "https://booking.example/api/sellers/other"}},
        {"orderedItem": []},
    ],
)
def test_order_that_is_not_the_one_that_was_asked_for_is_reversed(world: World, changes: dict[str, object]) -> None:
    basket = world.basket()
    world.system.changes = changes
    with pytest.raises(PurchaseError, match="The Booking System answered with"):
        world.run(world.purchases.book(basket, order()))
    assert state(world, basket) is State.REVERSED
    assert (world.system.live, world.faults()) == ({}, [])


@pytest.mark.parametrize(
    "changes", [{"identifier": "17"}, {"identifier": None}, {"seller": {"name": "Centre"}}, {"seller": SELLER}]
)
def test_order_that_does_not_say_whose_it_is_is_booked(world: World, changes: dict[str, object]) -> None:
    basket = world.basket()
    world.system.changes = changes
    assert world.run(world.purchases.book(basket, order())).order == basket


@pytest.mark.spec("OB-BRK-02")
def test_endless_unavailability_begins_with_another_uuid(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.BUSY] * ATTEMPTS
    assert world.run(world.purchases.book(basket, order())).order != basket
    assert world.faults() == []


@pytest.mark.spec("OB-BRK-02")
@pytest.mark.parametrize("fault", [Fault.FATAL, Fault.FATAL_AFTERWARDS, Fault.BUSY])
def test_purchase_begins_again_a_bounded_number_of_times(world: World, fault: Fault) -> None:
    basket = world.basket()
    world.system.always["B"] = fault
    with pytest.raises((InternalApplicationError, TemporarilyUnableToCreateOrderError)):
        world.run(world.purchases.book(basket, order()))
    assert len(keys(world.system.sent("B"))) == 1 + MOST_RESTARTS
    assert len(set(keys(world.system.sent("DELETE")))) == 1 + MOST_RESTARTS
    assert (world.system.live, world.faults()) == ({}, [])
    assert state(world, keys(world.system.sent("B"))[-1]) is State.REVERSED


@pytest.mark.spec("OB-BRK-02")
def test_deletion_is_repeated_until_the_order_is_gone(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.FATAL_AFTERWARDS]
    world.system.faults["DELETE"] = [Fault.BUSY, Fault.SILENT]
    world.run(world.purchases.book(basket, order()))
    assert len(world.system.sent("DELETE")) == 3
    assert world.faults() == []


@pytest.mark.spec("OB-BRK-02")
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.REFUSED, IncompleteCustomerDetailsError),
        (Fault.CONFLICT, OpportunityHasInsufficientCapacityError),
    ],
)
def test_refusal_releases_the_payment_and_keeps_the_uuid(world: World, fault: Fault, error: type[Exception]) -> None:
    basket = world.basket()
    world.system.faults["B"] = [fault]
    with pytest.raises(error):
        world.run(world.purchases.book(basket, order()))
    assert (hooks(world), state(world, basket), world.faults()) == (["authorise", "void"], State.OPEN, [])
    booked = world.run(world.purchases.book(basket, order()))
    assert booked.order == basket
    assert world.system.sent("DELETE") == []
    assert world.faults() == []


@pytest.mark.spec("OB-BRK-04")
def test_insufficient_capacity_leaves_the_basket_for_another_quote(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.CONFLICT]
    with pytest.raises(OpportunityHasInsufficientCapacityError):
        world.run(world.purchases.book(basket, order()))
    assert basket not in map(uuid.UUID, world.system.orders)
    assert state(world, basket) is State.OPEN


def test_refusal_after_a_lost_answer_deletes_the_order(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.LOST, Fault.UNAUTHORISED]
    with pytest.raises(Exception, match="API key"):
        world.run(world.purchases.book(basket, order()))
    assert keys(world.system.sent("DELETE")) == [basket]
    assert (state(world, basket), world.faults()) == (State.REVERSED, [])


@pytest.mark.spec("OB-BRK-02")
def test_changed_price_stops_another_beginning(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.FATAL]
    world.system.faults["C2"] = [Fault.DEARER]
    with pytest.raises(PriceChangedError) as caught:
        world.run(world.purchases.book(basket, order()))
    assert (caught.value.agreed, caught.value.found) == (Decimal(12), Decimal(15))
    assert (len(world.system.sent("B")), world.faults()) == (1, [])


def test_order_with_another_total_is_reversed(world: World) -> None:
    basket = world.basket()
    world.system.faults["B"] = [Fault.DEARER]
    with pytest.raises(PriceChangedError):
        world.run(world.purchases.book(basket, order()))
    assert (hooks(world), state(world, basket), world.faults()) == (["authorise", "void"], State.REVERSED, [])


def test_declined_payment_books_nothing_and_another_can_be_tried(world: World) -> None:
    basket = world.basket()
    world.provider.faults["authorise"] = [PaymentFault.DECLINED]
    with pytest.raises(DeclinedError):
        world.run(world.purchases.book(basket, order(), "card-1"))
    assert world.system.requests == []
    world.run(world.purchases.book(basket, order(), "card-2"))
    assert len({charge.key for name, charge in world.provider.calls if name == "authorise"}) == 2
    assert world.faults() == []


@pytest.mark.parametrize("fault", [PaymentFault.TEMPORARY, PaymentFault.LOST])
@pytest.mark.parametrize("hook", ["authorise", "capture", "void"])
def test_hook_is_repeated_with_the_same_key_after_a_temporary_error(
    world: World, hook: str, fault: PaymentFault
) -> None:
    basket = world.basket()
    world.provider.faults[hook] = [fault]
    world.system.faults["B"] = [Fault.REFUSED] if hook == "void" else []
    with pytest.raises(IncompleteCustomerDetailsError) if hook == "void" else pytest.MonkeyPatch.context():
        world.run(world.purchases.book(basket, order()))
    first, second = (charge for name, charge in world.provider.calls if name == hook)
    assert first == second
    assert world.faults() == []


@pytest.mark.parametrize("fault", [PaymentFault.TEMPORARY, PaymentFault.LOST, PaymentFault.BROKEN])
def test_authorisation_of_unknown_outcome_is_released(world: World, fault: PaymentFault) -> None:
    basket = world.basket()
    world.provider.always["authorise"] = fault
    with pytest.raises(Exception, match="authorise"):
        world.run(world.purchases.book(basket, order()))
    assert hooks(world)[-1] == "void"
    assert (state(world, basket), world.faults()) == (State.OPEN, [])


@pytest.mark.spec("OB-BRK-10")
def test_declined_capture_deletes_the_order(world: World) -> None:
    basket = world.basket()
    world.provider.faults["capture"] = [PaymentFault.DECLINED]
    with pytest.raises(DeclinedError):
        world.run(world.purchases.book(basket, order()))
    assert keys(world.system.sent("DELETE")) == [basket]
    assert (state(world, basket), world.faults()) == (State.REVERSED, [])


def test_silence_leaves_the_purchase_to_recovery(world: World) -> None:
    basket = world.basket()
    world.system.always["B"] = Fault.LOST
    with pytest.raises(UnfinishedError) as caught:
        world.run(world.purchases.book(basket, order()))
    assert caught.value.state is State.BOOKING
    world.heal()
    (recovered,) = world.recover().recovered
    assert (recovered.order, recovered.state) == (basket, State.BOOKED)
    assert world.faults() == []


@pytest.mark.parametrize("returned", [None, "", 17])
def test_authorisation_without_an_id_is_released(
    world: World, monkeypatch: pytest.MonkeyPatch, returned: object
) -> None:
    authorise = world.provider.authorise

    def without_id(charge: Charge) -> object:
        authorise(charge)
        return returned

    monkeypatch.setattr(world.provider, "authorise", without_id)
    basket = world.basket()
    with pytest.raises(PaymentError, match="returned no id"):
        world.run(world.purchases.book(basket, order()))
    assert (state(world, basket), hooks(world), world.faults()) == (State.OPEN, ["authorise", "void"], [])


def test_total_without_a_currency_is_not_paid(world: World) -> None:
    basket = world.basket()
    total = PriceSpecification(price="12.00")
    with pytest.raises(PurchaseError, match="no currency"):
        world.run(world.purchases.book(basket, order(total_payment_due=total)))
    assert (state(world, basket), hooks(world), world.system.requests) == (State.OPEN, [], [])


def test_credit_is_not_paid(world: World) -> None:
    world.system.price = "-5.00"
    world.run(world.purchases.book(world.basket(), order("-5.00")))
    assert hooks(world) == []


def test_fault_of_any_text_is_kept_in_the_journal(location: str) -> None:
    world = World(location)
    basket = world.basket()
    world.provider.authorise = Mock(side_effect=PaymentError("\0 \udc80 \u202e" + "x" * 5_000))  # type: ignore[method-assign]
    with pytest.raises(PaymentError):
        world.run(world.purchases.book(basket, order()))
    purchase = world.journal.find(basket)
    assert (purchase.state, len(purchase.fault)) == (State.OPEN, 1_000)
    world.close()
