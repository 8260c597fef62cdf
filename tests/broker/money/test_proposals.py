"""Proposals: P, the Seller's decision in the feed, and B with the version that the Customer agreed to."""

import uuid
from contextlib import suppress
from decimal import Decimal

import pytest

from openbooking.broker.money.errors import NotApprovedError, PriceChangedError, UnfinishedError, WrongStateError
from openbooking.broker.money.news import note_order, note_proposal
from openbooking.broker.money.purchase import State
from openbooking.openactive.errors import IncompleteCustomerDetailsError, OrderProposalVersionOutdatedError
from openbooking.openactive.messages import PriceSpecification
from openbooking.openactive.terms import OrderProposalStatus
from support.money.booking_system import Fault, keys, order
from support.money.payments import PaymentFault
from support.money.world import Kind, Stop, World

ACCEPTED, AWAITING = OrderProposalStatus.ACCEPTED, OrderProposalStatus.AWAITING


def proposed(world: World, *faults: Fault) -> tuple[uuid.UUID, str]:
    """Send P, and return the Order UUID and the version of the proposal."""
    world.system.faults["P"] = list(faults)
    basket = world.basket()
    proposal = world.run(world.purchases.propose(basket, order(), "mandate-1"))
    return proposal.order, str(proposal.reply.order_proposal_version)


def note(
    world: World, proposal: uuid.UUID, status: OrderProposalStatus | None, version: str, price: str = "12.00"
) -> None:
    """Note the proposal as its feed shows it."""
    total = PriceSpecification(price=price, price_currency="GBP")
    with world.database.transaction() as transaction:
        note_proposal(transaction, proposal, status, version, total if status else None)


@pytest.mark.spec("OB-BRK-01", "OB-BRK-08")
def test_accepted_proposal_is_booked_with_its_version(world: World) -> None:
    proposal, version = proposed(world)
    assert world.provider.calls == []
    assert b'"identifier":"mandate-1"' in world.system.sent("P")[0].content
    note(world, proposal, ACCEPTED, version)
    booked = world.run(world.purchases.book_proposal(proposal))
    (request,) = world.system.sent("B")
    assert f'"orderProposalVersion":"{version}"'.encode() in request.content
    assert f'"identifier":"{booked.payment_id}"'.encode() in request.content
    assert [name for name, _ in world.provider.calls] == ["authorise", "capture"]
    assert (keys(world.system.requests), world.faults()) == ([proposal], [])


@pytest.mark.spec("OB-BRK-08")
@pytest.mark.parametrize("status", [None, AWAITING, OrderProposalStatus.SELLER_REJECTED])
def test_proposal_that_is_not_accepted_is_not_booked(world: World, status: OrderProposalStatus | None) -> None:
    proposal, version = proposed(world)
    with pytest.raises(NotApprovedError):
        world.run(world.purchases.book_proposal(proposal))
    note(world, proposal, status, version)
    with pytest.raises(NotApprovedError):
        world.run(world.purchases.book_proposal(proposal))
    assert (world.system.sent("B"), world.provider.calls) == ([], [])


@pytest.mark.spec("OB-BRK-08")
def test_amended_proposal_needs_the_consent_of_the_customer(world: World) -> None:
    proposal, _ = proposed(world)
    note(world, proposal, ACCEPTED, "version-2", price="15.00")
    with pytest.raises(NotApprovedError):
        world.run(world.purchases.book_proposal(proposal))
    with pytest.raises(NotApprovedError):
        world.run(world.purchases.agree(proposal, "version-3"))
    world.run(world.purchases.agree(proposal, "version-2"))
    world.system.price = "15.00"
    booked = world.run(world.purchases.book_proposal(proposal))
    assert (booked.paid, world.faults()) == (Decimal(15), [])


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault.REFUSED, IncompleteCustomerDetailsError), (Fault.OUTDATED, OrderProposalVersionOutdatedError)],
)
def test_refused_booking_of_a_proposal_releases_the_payment(world: World, fault: Fault, error: type[Exception]) -> None:
    proposal, version = proposed(world)
    note(world, proposal, ACCEPTED, version)
    world.system.faults["B"] = [fault]
    with pytest.raises(error):
        world.run(world.purchases.book_proposal(proposal))
    assert [name for name, _ in world.provider.calls] == ["authorise", "void"]
    assert (keys(world.system.sent("B")), world.faults()) == ([proposal], [])


def test_outdated_version_leaves_the_proposal_for_new_consent(world: World) -> None:
    proposal, version = proposed(world)
    note(world, proposal, ACCEPTED, version)
    world.system.faults["B"] = [Fault.OUTDATED]
    with pytest.raises(OrderProposalVersionOutdatedError):
        world.run(world.purchases.book_proposal(proposal))
    note(world, proposal, ACCEPTED, "version-2")
    world.run(world.purchases.agree(proposal, "version-2"))
    assert world.run(world.purchases.book_proposal(proposal)).order == proposal
    assert world.faults() == []


@pytest.mark.spec("OB-BRK-03")
@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.LIMITED, Fault.SILENT, Fault.LOST])
def test_proposal_without_answer_is_repeated_with_the_same_bytes(world: World, fault: Fault) -> None:
    proposed(world, fault)
    first, second = world.system.sent("P")
    assert (first.url, first.content) == (second.url, second.content)


@pytest.mark.spec("OB-BRK-02")
def test_server_error_proposes_with_another_uuid(world: World) -> None:
    proposal, _ = proposed(world, Fault.FATAL_AFTERWARDS)
    first, second = keys(world.system.sent("P"))
    assert (second, keys(world.system.sent("C2"))) == (proposal, [proposal])
    assert world.system.proposals[str(first)].deleted
    assert not world.system.proposals[str(second)].deleted


@pytest.mark.spec("OB-BRK-02")
def test_refused_proposal_keeps_the_uuid(world: World) -> None:
    basket = world.basket()
    world.system.faults["P"] = [Fault.REFUSED]
    with pytest.raises(IncompleteCustomerDetailsError):
        world.run(world.purchases.propose(basket, order()))
    assert world.run(world.purchases.propose(basket, order())).order == basket


def test_proposal_is_made_and_booked_once(world: World) -> None:
    proposal, version = proposed(world)
    with pytest.raises(WrongStateError):
        world.run(world.purchases.propose(proposal, order()))
    with pytest.raises(WrongStateError):
        world.run(world.purchases.book(proposal, order()))
    note(world, proposal, ACCEPTED, version)
    world.run(world.purchases.book_proposal(proposal))
    with pytest.raises(WrongStateError):
        world.run(world.purchases.book_proposal(proposal))


@pytest.mark.parametrize(("seconds", "state"), [(0, State.OPEN), (3600, State.REVERSED)])
def test_proposal_of_unknown_outcome_is_repeated_while_recent(world: World, seconds: int, state: State) -> None:
    basket = world.basket()
    world.system.always["P"] = Fault.LOST
    with pytest.raises(UnfinishedError):
        world.run(world.purchases.propose(basket, order()))
    world.heal()
    world.time += seconds
    (recovered,) = world.recover().recovered
    assert (recovered.order, recovered.state) == (basket, state)
    assert world.system.proposals[str(basket)].deleted is (state is State.REVERSED)


def test_proposal_that_was_declined_by_the_provider_can_be_booked_later(world: World) -> None:
    proposal, version = proposed(world)
    note(world, proposal, ACCEPTED, version)
    world.provider.faults["authorise"] = [PaymentFault.DECLINED]
    with pytest.raises(Exception, match="declined"):
        world.run(world.purchases.book_proposal(proposal))
    world.run(world.purchases.book_proposal(proposal))
    with world.database.transaction() as transaction:
        note_order(transaction, proposal, PriceSpecification(price="12.00", price_currency="GBP"))
    assert world.faults() == []


@pytest.mark.parametrize("fault", [Fault.UNAUTHORISED, Fault.REFUSED, Fault.FATAL, Fault.NOT_ALLOWED])
def test_proposal_that_could_not_be_rejected_is_rejected_later(world: World, fault: Fault) -> None:
    basket = world.basket()
    world.system.faults["P"] = [Fault.DEARER]
    world.system.faults["PATCH"] = [fault]
    with pytest.raises(UnfinishedError) as caught:
        world.run(world.purchases.propose(basket, order()))
    assert caught.value.state is State.REJECTING
    assert not world.system.proposals[str(basket)].deleted
    (recovered,) = world.recover().recovered
    assert (recovered.state, world.system.proposals[str(basket)].deleted) == (State.REVERSED, True)


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.NOT_ALLOWED, Fault.FATAL])
def test_payment_does_not_wait_for_a_proposal_that_is_never_rejected(world: World, fault: Fault) -> None:
    proposal, version = proposed(world)
    note(world, proposal, ACCEPTED, version)
    world.system.faults["B"] = [Fault.DEARER]
    world.system.faults["PATCH"] = [fault] * 5
    with pytest.raises(UnfinishedError) as caught:
        world.run(world.purchases.book_proposal(proposal))
    assert caught.value.state is State.REJECTING
    assert [name for name, _ in world.provider.calls] == ["authorise", "void"]
    report = world.recover()
    if fault is Fault.FATAL:
        # The Booking System fails, and may reject the proposal later.
        assert [left.state for left in report.left] == [State.REJECTING]
    else:
        (ended,) = report.recovered
        assert (ended.state, report.left) == (State.REVERSED, ())
        assert "stays with the Seller" in ended.fault
    assert world.faults() == []


@pytest.mark.spec("OB-APP-24")
def test_proposal_that_was_rejected_before_counts_as_rejected(world: World) -> None:
    basket = world.basket()
    world.system.faults["P"] = [Fault.DEARER]
    world.system.faults["PATCH"] = [Fault.REJECTED_BEFORE]
    with pytest.raises(PriceChangedError):
        world.run(world.purchases.propose(basket, order()))
    assert world.journal.find(basket).state is State.REVERSED


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("fault", [None, Fault.FATAL_AFTERWARDS, Fault.LOST, Fault.CONFLICT])
def test_booking_of_a_proposal_is_recovered_wherever_it_is_stopped(
    world: World, fault: Fault | None, kind: Kind
) -> None:
    for step in range(1, 12):
        proposal, version = proposed(world)
        note(world, proposal, ACCEPTED, version)
        world.system.faults["B"] = [fault] if fault else []
        with suppress(Exception):
            world.run(world.purchases.book_proposal(proposal), Stop(step, kind))
        world.restart()
        world.heal()
        assert world.recover().left == ()
        assert world.faults() == [], f"at step {step}"


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("fault", [None, Fault.FATAL_AFTERWARDS, Fault.LOST])
def test_proposal_is_recovered_wherever_it_is_stopped(world: World, fault: Fault | None, kind: Kind) -> None:
    for step in range(1, 12):
        basket = world.basket()
        world.system.faults["P"] = [fault] if fault else []
        with suppress(Exception):
            world.run(world.purchases.propose(basket, order()), Stop(step, kind))
        world.restart()
        world.heal()
        assert world.recover().left == ()
        assert (world.faults(), world.provider.calls, world.run(world.recovery.unfinished())) == ([], [], ())


def test_proposal_that_was_free_is_paid_for_once_the_customer_agrees_to_a_price(world: World) -> None:
    world.system.price = "0"
    basket = world.basket()
    proposal = world.run(world.purchases.propose(basket, order("0"))).order
    note(world, proposal, ACCEPTED, "version-2", price="15.00")
    world.run(world.purchases.agree(proposal, "version-2"))
    world.system.price = "15.00"
    assert world.run(world.purchases.book_proposal(proposal)).paid == Decimal(15)
    assert world.faults() == []
