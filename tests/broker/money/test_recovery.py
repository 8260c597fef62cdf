"""Recovery: other processes that live or have ended, what cannot be reached, and what operators see."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import httpx2
import pytest

from openbooking.broker.flow import run_async
from openbooking.broker.money.errors import LostPurchaseError, NoPaymentsError, UnfinishedError
from openbooking.broker.money.journal import Journal
from openbooking.broker.money.payments import Charge
from openbooking.broker.money.purchase import State
from openbooking.broker.money.purchases import Purchases
from openbooking.broker.money.recovery import Recovery
from openbooking.broker.money.steps import Steps
from openbooking.broker.store.database import open_database
from support.money.booking_system import SELLER, Fault, api, order
from support.money.payments import PaymentFault, Provider
from support.money.world import RETRIES, SITE, Kind, Stop, StoppedError, World


def stopped(world: World, state: State) -> uuid.UUID:
    """Book an Order up to this state, without the process learning that its flow has ended."""
    basket = world.basket()
    flow = world.purchases.book(basket, order())
    step = next(flow)
    while world.journal.find(basket).state is not state:
        step = flow.send(world._do(step))
    world.suspended.append(flow)
    return basket


@pytest.mark.parametrize("state", [State.AUTHORISING, State.BOOKING, State.CAPTURING])
def test_purchase_of_a_living_process_is_left_alone(location: str, state: State) -> None:
    world = World(location)
    basket = stopped(world, state)
    with closing(open_database(location)) as database:
        journal = Journal(database, SITE, lambda: world.time + 3600)
        steps = Steps(api, world.provider, RETRIES)
        recovery = Recovery(journal, Purchases(journal, steps), steps)
        report = world.run(recovery.recover())
        assert (report.recovered, report.left) == ((), ())
        assert world.run(recovery.unfinished())[0].state is state
        assert world.recover().recovered == ()  # another flow of the same process carries it out
        world.close()
        report = world.run(recovery.recover())
    assert [recovered.order for recovered in report.recovered] == [basket]
    assert world.faults() == []


def test_process_that_was_thought_dead_writes_nothing_more(world: World) -> None:
    basket = world.basket()
    flow = world.purchases.book(basket, order())
    step = next(flow)
    while world.journal.find(basket).state is not State.BOOKING:
        step = flow.send(world._do(step))
    with world.database.transaction() as transaction:  # another instance adopts it, and reverses it
        transaction.execute("UPDATE broker_purchases SET owner = ''")
    other = Journal(world.database, SITE, lambda: world.time)
    adopted = other.adopt(other.find(basket))
    assert adopted is not None
    other.move(adopted, State.DELETING)
    answer = world._do(step)  # B was sent meanwhile
    step = flow.send(answer)
    with pytest.raises(LostPurchaseError) as caught:
        world._do(step)
    step = flow.throw(caught.value)
    released = world._do(step)
    with pytest.raises(LostPurchaseError):
        flow.send(released)
    assert world.journal.find(basket).state is State.DELETING
    assert world.provider.having("captured") == []


@pytest.mark.parametrize(("seconds", "state"), [(0, State.BOOKED), (3600, State.REVERSED)])
def test_recent_booking_is_finished_and_an_old_one_reversed(world: World, seconds: int, state: State) -> None:
    basket = world.basket()
    world.system.always["B"] = Fault.LOST
    with pytest.raises(UnfinishedError):
        world.run(world.purchases.book(basket, order()))
    world.heal()
    world.time += seconds
    (recovered,) = world.recover(oldest=900).recovered
    assert (recovered.state, world.faults()) == (state, [])
    assert len({request.content for request in world.system.sent("B")}) == 1


def test_recovery_reports_what_cannot_be_reached_and_goes_on_later(world: World) -> None:
    basket = world.basket()
    world.system.always["B"] = Fault.LOST
    with pytest.raises(UnfinishedError):
        world.run(world.purchases.book(basket, order()))
    world.system.always["DELETE"] = Fault.SILENT
    world.time += 3600
    (left,) = world.recover().left
    assert (left.order, left.state, left.words, left.fault) == (
        basket,
        State.DELETING,
        "The Order is being deleted, and its payment will be released.",
        "silence",
    )
    del world.system.always["DELETE"]
    world.provider.always["void"] = PaymentFault.TEMPORARY
    (left,) = world.recover().left
    assert (left.state, str(left.amount), left.currency) == (State.VOIDING, "12.00", "GBP")
    world.heal()
    assert world.recover().left == ()
    assert world.faults() == []


def test_fault_of_one_purchase_does_not_stop_the_recovery_of_others(world: World) -> None:
    for _ in range(2):
        with suppress(StoppedError):
            world.run(world.purchases.book(world.basket(), order()), Stop(4, Kind.AFTER))
    world.restart()
    answer, world.system.answer = world.system.answer, None  # type: ignore[method-assign, assignment]
    assert len(world.recover().left) == 2
    world.system.answer = answer  # type: ignore[method-assign]
    assert len(world.recover().recovered) == 2
    assert world.faults() == []


def test_recovery_without_hooks_leaves_what_needs_them(world: World) -> None:
    basket = world.basket()
    world.provider.always["capture"] = PaymentFault.LOST
    with pytest.raises(UnfinishedError):
        world.run(world.purchases.book(basket, order()))
    steps = Steps(api, None, RETRIES)
    purchases = Purchases(world.journal, steps)
    (left,) = world.run(Recovery(world.journal, purchases, steps).recover()).left
    assert left.state is State.CAPTURING
    other = world.run(purchases.begin(SELLER))
    with pytest.raises(NoPaymentsError):
        world.run(purchases.book(other, order()))


def test_baskets_and_finished_purchases_are_not_unfinished(world: World) -> None:
    world.basket()
    world.run(world.purchases.book(world.basket(), order()))
    assert world.run(world.recovery.unfinished()) == ()


def test_two_flows_book_one_basket_once(world: World) -> None:
    basket = world.basket()
    first, second = (world.purchases.book(basket, order()) for _ in range(2))
    steps = [next(first), next(second)]
    read = [world._do(step) for step in steps]
    begin = first.send(read[0])
    with pytest.raises(LostPurchaseError):
        second.send(read[1])
    first.send(world._do(begin))
    first.close()
    world.recover()
    assert len(world.provider.state) == 1


class AsyncProvider:
    """The simulated provider with coroutine functions."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def authorise(self, charge: Charge) -> str:
        await asyncio.sleep(0)
        return self._provider.authorise(charge)

    async def capture(self, charge: Charge) -> None:
        self._provider.capture(charge)

    async def void(self, charge: Charge) -> None:
        self._provider.void(charge)

    async def refund(self, charge: Charge) -> None:
        self._provider.refund(charge)


@pytest.mark.anyio
async def test_hooks_may_be_coroutine_functions(world: World) -> None:
    purchases = Purchases(world.journal, Steps(api, AsyncProvider(world.provider), RETRIES))

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(
            201,
            json={
                "@context": "https://openactive.io/",
                "@type": "Order",
                "@id": str(request.url),
                "orderedItem": [{"@type": "OrderItem", "position": 0}],
                "totalPaymentDue": {"@type": "PriceSpecification", "price": 12, "priceCurrency": "GBP"},
            },
        )

    with ThreadPoolExecutor(1) as worker:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
            basket = await run_async(purchases.begin(SELLER), client, worker)
            booked = await run_async(purchases.book(basket, order()), client, worker)
    assert (str(booked.paid), len(world.provider.having("captured"))) == ("12.00", 1)
