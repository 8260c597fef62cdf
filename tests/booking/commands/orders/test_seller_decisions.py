"""The Seller's decisions about items of a booked Order: cancel, notify, record attendance, renew (OB 8.3.3, 8.4)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.seller_decisions import (
    Notify,
    RecordAttendance,
    RenewAccess,
    SellerCancel,
    UndoAttendance,
)
from openbooking.booking.model.opportunity import AccessRules
from openbooking.booking.model.order import Order, OrderKey
from openbooking.booking.model.record import ItemState
from openbooking.booking.model.situation import OpportunityRemoved, OpportunitySet, Situation, evolve
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.orders.pricing import current_totals
from openbooking.openactive.errors import (
    CancellationNotPermittedError,
    GoneError,
    NotFoundError,
    UnknownOrderError,
)
from openbooking.openactive.terms import OrderItemStatus
from support.builders import (
    NOW,
    PRICE,
    UUID,
    after,
    book,
    item,
    order_record,
    request,
    session,
    situation,
)
from support.parties import ALICE, BOB, MANAGER
from support.proposals import having

YOGA = session("yoga", access=AccessRules(code=True))
KEY = OrderKey("alice", UUID)
CONFIRMED, ATTENDED, ABSENT = OrderItemStatus.CONFIRMED, OrderItemStatus.ATTENDED, OrderItemStatus.ABSENT
BY_SELLER, BY_CUSTOMER = OrderItemStatus.SELLER_CANCELLED, OrderItemStatus.CUSTOMER_CANCELLED

CANCEL = SellerCancel(order=KEY, message="Flood.", actor=MANAGER)
NOTIFY = Notify(order=KEY, notice="Bring a mat.", actor=MANAGER)
CAME, STAYED_AWAY = (
    RecordAttendance(order=KEY, attended=True, actor=MANAGER),
    RecordAttendance(order=KEY, attended=False, actor=MANAGER),
)
RENEW = RenewAccess(order=KEY, nonce="other", code=True, actor=MANAGER)
COMMANDS = pytest.mark.parametrize(
    "command", [CANCEL, NOTIFY, CAME, STAYED_AWAY, RENEW], ids=lambda c: type(c).__name__
)


def booked() -> Situation:
    """The situation after B of three spaces of yoga."""
    asked = request(*(item(YOGA, position) for position in range(3)), total_payment_due=3 * PRICE)
    return after(situation(YOGA), book(asked))


def order_in(where: Situation, key: OrderKey = KEY) -> Order:
    order = where.records[key].order
    assert order is not None
    return order


def states(where: Situation, key: OrderKey = KEY) -> tuple[ItemState, ...]:
    return where.records[key].states


def statuses(where: Situation) -> list[OrderItemStatus]:
    return [state.status for state in states(where)]


@pytest.mark.spec("OB-OF-02", "OB-OF-08", "OB-OF-22", "OB-NOTIF-10", "OB-NOTIF-01", "OB-SEL-09", "OB-SEL-03")
@COMMANDS
def test_a_decision_changes_the_states_of_the_items_and_not_the_booked_order(command: Any) -> None:
    before = after(booked(), book(request(item(YOGA)), BOB))
    assert not before.records[KEY].updated
    decision = command.decide(before)
    assert len(decision.changes) == 1
    where = after(before, command)
    assert where.records[KEY].updated
    assert order_in(where) == order_in(before)
    assert len(states(where)) == 3
    assert where.records[OrderKey("bob", UUID)] == before.records[OrderKey("bob", UUID)]


@pytest.mark.spec("OB-OF-07", "OB-OF-22")
@COMMANDS
def test_a_decision_about_some_items_does_not_change_the_others(command: Any) -> None:
    where = after(booked(), replace(command, numbers=frozenset({2})))
    assert [state == ItemState() for state in states(where)] == [True, False, True]
    for numbers in ({4}, {0}, {1, 7}):
        with pytest.raises(NotFoundError):
            replace(command, numbers=frozenset(numbers)).decide(booked())


@pytest.mark.spec("OB-OF-02", "OB-OF-06", "OB-SEL-13", "OB-CAN-17")
@COMMANDS
def test_a_repeated_decision_changes_nothing_and_cancelled_items_never_change(command: Any) -> None:
    once = after(booked(), command)
    assert command.decide(once).changes == ()
    cancelled = after(booked(), Cancel(caller=ALICE, uuid=UUID, numbers=(1, 2, 3)))
    assert command.decide(cancelled).changes == ()
    assert replace(command, numbers=frozenset({1})).decide(cancelled).changes == ()


@pytest.mark.spec("OB-AUTH-09", "OB-DEL-09")
@COMMANDS
def test_a_decision_about_an_unknown_or_deleted_order_is_refused(command: Any) -> None:
    with pytest.raises(UnknownOrderError):
        command.decide(situation(YOGA))
    with pytest.raises(GoneError):
        command.decide(after(booked(), DeleteOrder(caller=ALICE, uuid=UUID)))


@pytest.mark.spec("OB-SEL-01", "OB-SEL-02", "OB-SEL-04", "OB-SEL-05", "OB-SEL-11")
def test_the_seller_cancels_the_items_that_the_customer_has_not_cancelled() -> None:
    where = having(booked(), Cancel(caller=ALICE, uuid=UUID, numbers=(3,)), replace(CANCEL, numbers=frozenset({1, 3})))
    assert statuses(where) == [BY_SELLER, CONFIRMED, BY_CUSTOMER]
    assert [state.cancellation_message for state in states(where)] == ["Flood.", None, None]
    totals = current_totals(order_record(where))
    assert (totals.price, [charge.price for charge in totals.tax]) == (PRICE, [Decimal("2.00")])
    assert where.spaces[YOGA[-1].path] == Spaces(booked=1)
    nothing = current_totals(order_record(after(where, CANCEL)))
    assert (nothing.price, nothing.tax) == (Decimal(0), ())


@pytest.mark.spec("OB-NOTIF-07", "OB-CAN-17", "OB-SEL-12")
def test_attendance_can_be_corrected_and_ends_cancellation() -> None:
    came = after(booked(), CAME)
    assert statuses(came) == [ATTENDED] * 3
    assert statuses(having(came, STAYED_AWAY)) == [ABSENT] * 3
    assert statuses(having(came, STAYED_AWAY, CAME)) == [ATTENDED] * 3
    for where in (came, after(booked(), STAYED_AWAY)):
        for command in (CANCEL, Cancel(caller=ALICE, uuid=UUID, numbers=(1,))):
            with pytest.raises(CancellationNotPermittedError):
                command.decide(where)
        assert current_totals(order_record(where)) == order_in(where).totals
        assert where.spaces[YOGA[-1].path] == Spaces(booked=3)
    late = replace(CAME, numbers=frozenset({1}))
    assert statuses(having(booked(), replace(CANCEL, numbers=frozenset({1})), late)) == [
        BY_SELLER,
        CONFIRMED,
        CONFIRMED,
    ]


@pytest.mark.spec("OB-NOTIF-02", "OB-NOTIF-03", "OB-OF-16")
@pytest.mark.parametrize(
    ("commands", "notice"),
    [
        ((NOTIFY,), "Bring a mat."),
        ((NOTIFY, replace(NOTIFY, notice="Bring two.")), "Bring two."),
        ((NOTIFY, replace(NOTIFY, notice="")), None),
        ((CAME, NOTIFY), "Bring a mat."),
        ((NOTIFY, CAME), "Bring a mat."),
        ((STAYED_AWAY, NOTIFY), None),
        ((NOTIFY, STAYED_AWAY), None),
        ((NOTIFY, CANCEL), None),
        ((NOTIFY, Cancel(caller=ALICE, uuid=UUID, numbers=(1, 2, 3))), None),
    ],
)
def test_only_confirmed_and_attended_items_carry_a_notice(
    commands: tuple[Command[Any], ...], notice: str | None
) -> None:
    assert {state.customer_notice for state in states(having(booked(), *commands))} == {notice}


@pytest.mark.spec("OB-SEL-12", "OB-SEL-11", "OB-CAN-09")
def test_the_seller_cannot_cancel_an_item_that_has_ended() -> None:
    end = YOGA[-1].end
    assert end is not None
    assert statuses(after(replace(booked(), now=end - timedelta(minutes=1)), CANCEL)) == [BY_SELLER] * 3
    over = replace(booked(), now=end)
    with pytest.raises(CancellationNotPermittedError):
        CANCEL.decide(over)
    assert statuses(after(over, CAME)) == [ATTENDED] * 3


@pytest.mark.spec("OB-SEL-12")
def test_the_current_end_of_an_opportunity_decides_whether_the_seller_can_cancel() -> None:
    over = evolve(booked(), OpportunitySet(replace(YOGA[1], end=NOW)))
    with pytest.raises(CancellationNotPermittedError):
        CANCEL.decide(over)


@pytest.mark.spec("OB-SEL-12")
def test_the_end_that_was_booked_counts_once_the_opportunity_is_withdrawn() -> None:
    gone = evolve(booked(), OpportunityRemoved(YOGA[1].path))
    assert statuses(after(gone, CANCEL)) == [BY_SELLER] * 3
    assert YOGA[1].end is not None
    with pytest.raises(CancellationNotPermittedError):
        CANCEL.decide(replace(gone, now=YOGA[1].end))


@pytest.mark.spec("OB-NOTIF-08", "OB-ACC-01")
def test_each_item_gets_a_renewed_code_of_its_own_that_nobody_can_guess() -> None:
    def codes(nonce: str) -> list[str | None]:
        record = after(booked(), replace(RENEW, nonce=nonce)).records[KEY]
        return [found.access.code for found, _ in record.items() if found.access]

    assert len({*codes("other"), *codes("third")}) == 6


@pytest.mark.parametrize("recorded", [CAME, STAYED_AWAY], ids=["attended", "absent"])
def test_a_record_of_attendance_is_undone_for_the_chosen_items(recorded: RecordAttendance) -> None:
    undo = UndoAttendance(order=KEY, numbers=frozenset({2}), actor=MANAGER)
    where = having(booked(), recorded, undo)
    status = ATTENDED if recorded.attended else ABSENT
    assert statuses(where) == [status, CONFIRMED, status]
    assert where.records[KEY].updated
    assert undo.decide(where).changes == ()
    assert statuses(having(where, replace(CANCEL, numbers=frozenset({2})))) == [status, BY_SELLER, status]


def test_an_undo_leaves_items_alone_that_have_no_record_of_attendance() -> None:
    where = having(booked(), Cancel(caller=ALICE, uuid=UUID, numbers=(3,)), replace(CAME, numbers=frozenset({1})))
    undone = having(where, UndoAttendance(order=KEY, actor=MANAGER))
    assert statuses(undone) == [CONFIRMED, CONFIRMED, BY_CUSTOMER]
    assert states(undone)[1:] == states(where)[1:]


@pytest.mark.spec("OB-SEL-01", "OB-SEL-02")
def test_a_cancellation_by_the_seller_has_its_message_on_the_items_not_cancelled_before() -> None:
    where = having(booked(), Cancel(caller=ALICE, uuid=UUID, numbers=(1,)), CANCEL)
    assert statuses(where) == [BY_CUSTOMER, BY_SELLER, BY_SELLER]
    assert [state.cancellation_message for state in states(where)] == [None, "Flood.", "Flood."]
    assert where.spaces[YOGA[-1].path] == Spaces()
