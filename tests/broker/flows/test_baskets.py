"""Baskets against a Booking System on a real socket: quotes, questions, bookings and cancellations of all types."""

import uuid
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.model.order import OrderKey
from openbooking.broker import (
    ItemErrorType,
    Order,
    OrderAccessError,
    OrderProposal,
    OrderQuote,
    Payment,
    Person,
)
from openbooking.openactive.errors import CancellationNotPermittedError, UnknownOrderError
from openbooking.openactive.messages import JsonObject, OrderItem, ProposalBookingRequest
from openbooking.openactive.terms import OPENACTIVE, OrderItemStatus, OrderProposalStatus
from support.approval_flow import PARTY, TRIP
from support.broker.systems import Served, carry_out
from support.builders import session
from support.http_system import COURSE, COURT, FESTIVAL, HALL, LESSON, PILATES, RUN, TALK, VIDEO, YOGA
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

SAM = Person(email="sam@example.com", given_name="Sam")
PAYMENT = Payment(type="Payment", identifier="payment-1")
ALL_TYPES = [[YOGA, COURT, HALL, RUN, FESTIVAL, TALK, COURSE, LESSON, VIDEO], [PILATES]]


async def booked(broker: Any, basket: Any) -> Order:
    """Send B with a payment, and return the Order."""
    api = await carry_out(broker, broker._flows.api(basket._flows.owned.seller))
    request = replace(basket._flows.booking_request(), payment=PAYMENT)
    return await carry_out(broker, api.book(basket.order, request))


def opportunity_of(item: OrderItem) -> JsonObject:
    """Return the Opportunity of an item."""
    assert not isinstance(item.ordered_item, str)
    return item.ordered_item or {}


@pytest.mark.spec("OB-BRK-01", "OB-BRK-05", "OB-BRK-15")
@pytest.mark.parametrize("families", ALL_TYPES, ids=["centre", "studio"])
async def test_every_type_is_quoted_booked_and_cancelled(system: Served, broker: Any, families: list[Any]) -> None:
    basket = await broker.basket([system.choice(family) for family in families], customer_key="sam")
    first = await basket.quote()
    assert (first.faults, len(first.reply.ordered_item), first.reply.customer) == ((), len(families), None)
    second = await basket.set_customer(SAM)
    assert second.reply.customer == {"@type": "Person", "email": "sam@example.com", "givenName": "Sam"}
    assert second.is_bookable
    assert second.reply.payment is None
    assert second.currency == "GBP"
    assert second.total == first.total
    order = await booked(broker, basket)
    assert [item.position for item in order.ordered_item] == list(range(len(families)))
    status = await broker.status(basket.order, "sam")
    assert isinstance(status, Order)
    dated = [
        item for item in order.ordered_item if isinstance(item.ordered_item, dict) and "startDate" in item.ordered_item
    ]
    ids = [str(item.id) for item in dated]
    await broker.cancel(basket.order, "sam", ids)
    cancelled = await broker.status(basket.order, "sam")
    found = {item.id for item in cancelled.ordered_item if item.order_item_status == OrderItemStatus.CUSTOMER_CANCELLED}
    assert found == set(ids)


@pytest.mark.spec("OB-BRK-05", "OB-BRK-06")
async def test_a_change_of_the_basket_asks_for_another_quote(system: Served, broker: Any) -> None:
    basket = await broker.basket([system.choice(HALL)], customer_key="sam", customer=SAM)
    assert (await basket.quote()).total == 12
    quote = await basket.add([system.choice(YOGA), system.choice(HALL)])
    assert (quote.total, len(quote.reply.ordered_item)) == (36, 3)
    quote = await basket.remove(0)
    assert [item.position for item in quote.reply.ordered_item] == [1, 2]
    assert quote.lease_expires is not None
    assert isinstance(await broker.status(basket.order, "sam"), OrderQuote)
    await basket.delete()
    with pytest.raises(UnknownOrderError):
        await broker.status(basket.order, "sam")
    with pytest.raises(OrderAccessError):
        await broker.open_basket(basket.order, "sam")


async def test_errors_of_items_are_in_the_quote(system: Served, broker: Any) -> None:
    basket = await broker.basket([system.choice(COURT), system.choice(YOGA)], customer_key="sam", customer=SAM)
    assert (await basket.quote()).is_bookable
    quote = await basket.add([system.choice(COURT)])
    assert not quote.is_bookable
    assert [(fault.position, fault.type) for fault in quote.faults] == [
        (2, ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY)
    ]
    assert (await basket.remove(2)).is_bookable


@pytest.mark.spec("OB-BRK-14")
async def test_only_the_customer_who_began_an_order_acts_on_it(system: Served, broker: Any) -> None:
    basket = await broker.basket([system.choice(YOGA)], customer_key="sam", customer=SAM)
    await basket.quote()
    order = await booked(broker, basket)
    (item,) = order.ordered_item
    for action in (
        broker.status(basket.order, "eve"),
        broker.cancel(basket.order, "eve", [str(item.id)]),
        broker.delete_quote(basket.order, "eve"),
        broker.reject_proposal(basket.order, "eve"),
        broker.send_note(basket.order, "eve", "Hello"),
        broker.open_basket(basket.order, "eve"),
        broker.status(uuid.uuid4(), "sam"),
    ):
        with pytest.raises(OrderAccessError):
            await action
    assert [owned.order for owned in await broker.orders_of("sam")] == [basket.order]
    assert await broker.orders_of("eve") == ()
    (kept,) = (await broker.status(basket.order, "sam")).ordered_item
    assert kept.order_item_status == OrderItemStatus.CONFIRMED


async def test_a_basket_is_found_again(system: Served, broker: Any) -> None:
    begun = await broker.basket([system.choice(HALL)], customer_key="sam")
    await begun.quote()
    again = await broker.open_basket(begun.order, "sam")
    assert again.contents == begun.contents
    assert (await again.set_customer(SAM)).is_bookable


async def test_a_refused_cancellation_is_raised_with_its_reason(system: Served, broker: Any) -> None:
    strict = session("strict", offered={"full_refund_on_cancellation": False})
    await system.world.store.execute(Publish(tuple(strict), actor=MANAGER))
    basket = await broker.basket([system.choice(strict)], customer_key="sam", customer=SAM)
    await basket.quote()
    order = await booked(broker, basket)
    with pytest.raises(CancellationNotPermittedError) as caught:
        await broker.cancel(basket.order, "sam", [str(order.ordered_item[0].id)])
    assert caught.value.description
    assert caught.value.request_id


async def test_a_proposal_is_accepted_and_booked(system: Served, broker: Any) -> None:
    for family in (TRIP, PARTY):
        await system.world.store.execute(Publish(tuple(family), actor=MANAGER))
    basket = await broker.basket([system.choice(TRIP), system.choice(PARTY)], customer_key="sam", customer=SAM)
    assert (await basket.quote()).requires_approval
    api = await carry_out(broker, broker._flows.api(basket._flows.owned.seller))
    request = basket._flows.booking_request()
    proposal = await carry_out(broker, api.propose(basket.order, replace(request, payment=PAYMENT)))
    assert proposal.order_proposal_status is OrderProposalStatus.AWAITING
    await broker.send_note(basket.order, "sam", "Is there a lift?")
    key = OrderKey("alice", str(basket.order))
    await system.world.store.execute(DecideProposal(order=key, accept=True, actor=MANAGER))
    accepted = await broker.status(basket.order, "sam")
    assert isinstance(accepted, OrderProposal)
    assert accepted.order_proposal_status is OrderProposalStatus.ACCEPTED
    version = ProposalBookingRequest(
        context=OPENACTIVE, order_proposal_version=accepted.order_proposal_version, payment=PAYMENT
    )
    order = await carry_out(broker, api.book(basket.order, version))
    assert {item.order_item_status for item in order.ordered_item} == {OrderItemStatus.CONFIRMED}
    await broker.cancel(basket.order, "sam", [str(item.id) for item in order.ordered_item])
    await carry_out(broker, api.delete_order(basket.order))
    await carry_out(broker, api.delete_order(uuid.uuid4()))


async def test_a_customer_rejects_a_proposal(system: Served, broker: Any) -> None:
    await system.world.store.execute(Publish(tuple(TRIP), actor=MANAGER))
    basket = await broker.basket([system.choice(TRIP)], customer_key="sam", customer=SAM)
    await basket.quote()
    api = await carry_out(broker, broker._flows.api(basket._flows.owned.seller))
    await carry_out(broker, api.propose(basket.order, replace(basket._flows.booking_request(), payment=PAYMENT)))
    await broker.reject_proposal(basket.order, "sam", "We found another one.")
    rejected = await broker.status(basket.order, "sam")
    assert rejected.order_proposal_status is OrderProposalStatus.CUSTOMER_REJECTED
