"""Purchases against a Booking System on a real socket: paid, cancelled upon, followed and paid back."""

import uuid
from decimal import Decimal
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.seller_decisions import Notify, RecordAttendance, SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.broker import (
    AttendanceRecorded,
    Change,
    Charge,
    DeclinedError,
    Deleted,
    FeedError,
    ItemCancelled,
    NotApprovedError,
    Noticed,
    Person,
    ProposalAccepted,
    TotalChanged,
    WrongStateError,
)
from support.approval_flow import PARTY, TRIP
from support.broker.systems import Served, Till
from support.http_system import COURSE, COURT, FESTIVAL, HALL, LESSON, PILATES, RUN, TALK, VIDEO, YOGA
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

SAM = Person(email="sam@example.com", given_name="Sam")
ALL_TYPES = [[YOGA, COURT, HALL, RUN, FESTIVAL, TALK, COURSE, LESSON, VIDEO], [PILATES]]


async def changes_of(broker: Any) -> list[Change]:
    """Return what changed since the last call."""
    return [change async for change in broker.changes()]


def journal_of(broker: Any) -> bytes:
    """Return what the journal holds of Orders, as one text."""
    with broker._flows.database.transaction() as transaction:
        rows = transaction.execute("SELECT body, reply FROM broker_purchases").fetchall()
    return b"".join(bytes(value) for row in rows for value in row)


def key_of(order: uuid.UUID) -> OrderKey:
    """Return the key of an Order in the Booking System."""
    return OrderKey("alice", str(order))


@pytest.mark.spec("OB-BRK-12")
@pytest.mark.parametrize("families", ALL_TYPES, ids=["centre", "studio"])
async def test_what_the_seller_cancels_is_told_and_paid_back(
    system: Served, broker: Any, till: Till, families: list[Any]
) -> None:
    choices = [system.choice(family) for family in families]
    basket = await broker.basket(choices, customer_key="sam", customer=SAM)
    quote = await basket.quote()
    booked = await basket.book("card 1")
    assert booked.paid == quote.total
    assert till.kept == {booked.order: quote.total}
    assert await changes_of(broker) == []
    cancel = SellerCancel(order=key_of(booked.order), message="The hall is flooded.", actor=MANAGER)
    await system.world.store.execute(cancel)
    changes = await changes_of(broker)
    items = {str(item.id) for item in booked.reply.ordered_item}
    assert {change.item for change in changes if isinstance(change, ItemCancelled)} == items
    assert {change.message for change in changes if isinstance(change, ItemCancelled)} == {"The hall is flooded."}
    assert changes[-1] == TotalChanged(order=booked.order, previous=quote.total, total=Decimal(0), currency="GBP")
    assert till.kept == {booked.order: 0}
    assert not till.authorised
    assert await broker.unfinished() == ()
    assert b"sam@example.com" not in journal_of(broker)
    latest = await broker.latest(booked.order, "sam")
    assert latest.total_payment_due.price == 0


@pytest.mark.spec("OB-BRK-01", "OB-BRK-10")
async def test_a_basket_whose_card_was_declined_is_booked_with_another_card(
    system: Served, broker: Any, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    basket = await broker.basket([system.choice(YOGA)], customer_key="sam", customer=SAM)
    await basket.quote()
    order, capture = basket.order, till.capture

    def decline(charge: Charge) -> None:
        if charge.reference == "card 1":
            raise DeclinedError("The card has expired.")
        capture(charge)

    monkeypatch.setattr(till, "capture", decline)
    with pytest.raises(DeclinedError):
        await basket.book("card 1")
    assert not till.authorised
    again = await broker.open_basket(order, "sam")
    quote = await again.quote()
    booked = await again.book("card 2")
    assert booked.order == again.order != order
    assert till.kept == {booked.order: quote.total}
    assert [owned.order for owned in await broker.orders_of("sam")] == [booked.order]


async def test_notices_and_attendance_are_told_in_the_transaction_of_the_application(
    system: Served, broker: Any
) -> None:
    basket = await broker.basket([system.choice(YOGA)], customer_key="sam", customer=SAM)
    await basket.quote()
    booked = await basket.book()
    item = str(booked.reply.ordered_item[0].id)
    await system.world.store.execute(Notify(order=key_of(booked.order), notice="Bring a mat.", actor=MANAGER))
    told: list[Change] = []

    def handle(connection: Any, changes: Any) -> None:
        connection.execute("CREATE TABLE IF NOT EXISTS told (number INTEGER)")
        connection.execute(f"INSERT INTO told VALUES ({len(changes)})")
        told.extend(changes)

    assert await broker.apply_changes(handle) == 1
    await system.world.store.execute(RecordAttendance(order=key_of(booked.order), attended=True, actor=MANAGER))
    assert await broker.apply_changes(handle) == 1
    assert told == [
        Noticed(order=booked.order, item=item, notice="Bring a mat."),
        AttendanceRecorded(order=booked.order, item=item, attended=True),
    ]


@pytest.mark.spec("OB-BRK-08")
async def test_a_proposal_is_paid_once_its_agreed_version_is_accepted(system: Served, broker: Any, till: Till) -> None:
    for family in (TRIP, PARTY):
        await system.world.store.execute(Publish(tuple(family), actor=MANAGER))
    choices = [system.choice(TRIP), system.choice(PARTY)]
    basket = await broker.basket(choices, customer_key="sam", customer=SAM)
    quote = await basket.quote()
    assert quote.requires_approval
    proposed = await basket.propose()
    with pytest.raises(NotApprovedError):
        await broker.book_proposal(proposed.order, "sam")
    assert not till.authorised
    assert not till.kept
    await system.world.store.execute(DecideProposal(order=key_of(proposed.order), accept=True, actor=MANAGER))
    version = str(proposed.reply.order_proposal_version)
    told = []
    async for change in broker.changes():
        told.append(change)
        if isinstance(change, ProposalAccepted):
            # The change is stored, although the loop has not asked for the next one.
            booked = await broker.book_proposal(change.order, "sam")
    told += await changes_of(broker)
    accepted = ProposalAccepted(order=proposed.order, version=version)
    assert told == [accepted, Deleted(order=proposed.order, expected=True)]
    assert till.kept == {booked.order: quote.total}
    with pytest.raises(WrongStateError):
        await broker.book_proposal(booked.order, "sam")
    await broker.cancel(booked.order, "sam", [str(item.id) for item in booked.reply.ordered_item])
    await changes_of(broker)
    assert till.kept == {booked.order: 0}


@pytest.mark.spec("OB-BRK-07")
async def test_changes_are_followed_with_a_pause_of_a_minute_at_most(system: Served, broker: Any) -> None:
    with pytest.raises(ValueError, match="every 60 seconds"):
        await anext(broker.follow_changes(61))
    basket = await broker.basket([system.choice(YOGA)], customer_key="sam", customer=SAM)
    await basket.quote()
    booked = await basket.book()
    for notice in ("One", "Two"):
        await system.world.store.execute(Notify(order=key_of(booked.order), notice=notice, actor=MANAGER))
        async for change in broker.follow_changes(0):
            assert isinstance(change, Noticed)
            assert change.notice == notice
            break
        await changes_of(broker)


async def test_a_feed_that_fails_is_tried_again(broker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    faults: list[FeedError] = []

    class EnoughError(Exception):
        """Ends the test."""

    def note(fault: FeedError) -> None:
        faults.append(fault)
        if len(faults) > 1:
            raise EnoughError

    monkeypatch.setattr("openbooking.broker.orders.feed.OrderFeedReading.next_page", _fail)
    with pytest.raises(EnoughError):
        await anext(broker.follow_changes(0, note))
    with pytest.raises(FeedError):
        await anext(broker.follow_changes(0))


def _fail(_: object) -> Any:
    yield from ()
    raise FeedError("It is closed.")
