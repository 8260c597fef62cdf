"""The effects of cancelled and full Opportunities on Orders and OrderProposals (OB 8.3.3, 5.5.3)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command, Decision
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal, WriteToCustomer
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import RecordAttendance
from openbooking.booking.commands.orders.update_proposal import UpdateProposal
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller, OrderKey, Proposal
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.situation import RecordSet, Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.cancellation_effects import (
    SOLD_OUT,
    CancelledBooking,
    cancel_bookings,
    cancelled_bookings,
    reject_without_spaces,
    sell,
)
from openbooking.openactive.terms import EventStatus, FlowRequirement, OrderItemStatus, OrderProposalStatus
from support.builders import (
    BY_MANAGER,
    NOW,
    PRICE,
    UUID,
    VERSION,
    after,
    book,
    changed,
    item,
    new_uuid,
    order_record,
    propose,
    quote,
    request,
    session,
    situation,
)
from support.parties import ALICE, BOB, MANAGER
from support.proposals import having

YOGA, SPIN = session("yoga", source="gym"), session("spin")
TRIP = session("trip", offered={"flow": (FlowRequirement.APPROVAL, FlowRequirement.MESSAGE_EXCHANGE)}, source="gym")
PATH = YOGA[-1].path
KEY, BOBS = OrderKey("alice", UUID), OrderKey("bob", UUID)
CONFIRMED, ATTENDED, ABSENT = OrderItemStatus.CONFIRMED, OrderItemStatus.ATTENDED, OrderItemStatus.ABSENT
BY_SELLER, BY_CUSTOMER = OrderItemStatus.SELLER_CANCELLED, OrderItemStatus.CUSTOMER_CANCELLED


def cancel(opportunity: Opportunity) -> Command[Any]:
    return CancelOpportunity(opportunity=opportunity.path, message="Flood.", actor=MANAGER)


def publish_as_cancelled(opportunity: Opportunity) -> Command[Any]:
    return Publish((replace(opportunity, status=EventStatus.CANCELLED),), actor=MANAGER)


WAYS = pytest.mark.parametrize("call_off", [cancel, publish_as_cancelled])
Way = Callable[[Opportunity], Command[Any]]


def order_of(*families: list[Opportunity], caller: Caller = ALICE) -> Command[Any]:
    items = [item(family, position) for position, family in enumerate(families)]
    return book(request(*items, total_payment_due=PRICE * len(items)), caller)


def booked(*families: list[Opportunity]) -> Situation:
    return after(situation(YOGA, SPIN, TRIP), order_of(*families))


def statuses(where: Situation, key: OrderKey = KEY) -> list[OrderItemStatus]:
    return [state.status for state in where.records[key].states]


def proposal_in(where: Situation, key: OrderKey = KEY) -> Proposal:
    proposal = where.records[key].proposal
    assert proposal is not None
    return proposal


@pytest.mark.spec("OB-SEL-01", "OB-SEL-02", "OB-OF-08", "OB-NOTIF-01")
@WAYS
def test_every_booking_is_cancelled_once_and_nothing_else_changes(call_off: Way) -> None:
    before = after(booked(YOGA, SPIN, YOGA), order_of(YOGA, caller=BOB))
    decision = call_off(YOGA[-1]).decide(before)
    assert len(decision.changes) == 3
    where = after(before, call_off(YOGA[-1]))
    assert statuses(where) == [BY_SELLER, CONFIRMED, BY_SELLER]
    assert statuses(where, BOBS) == [BY_SELLER]
    message = "Flood." if call_off is cancel else None
    assert {state.cancellation_message for state in where.records[BOBS].states} == {message}
    assert (where.spaces[PATH], where.spaces[SPIN[-1].path]) == (Spaces(), Spaces(booked=1))
    assert where.opportunities[PATH] == replace(
        YOGA[-1], status=EventStatus.CANCELLED, cancelled_here=call_off is cancel
    )


@pytest.mark.spec("OB-SEL-01", "OB-CAN-17", "OB-SEL-13")
@pytest.mark.parametrize(
    ("first", "again"),
    [(cancel, publish_as_cancelled), (publish_as_cancelled, cancel), (publish_as_cancelled, publish_as_cancelled)],
)
def test_a_second_cancellation_of_an_opportunity_changes_no_order(first: Way, again: Way) -> None:
    once = after(booked(YOGA), first(YOGA[-1]))
    assert after(once, again(YOGA[-1])).records == once.records


@pytest.mark.spec("OB-SEL-01", "OB-CAN-09", "OB-CAN-17")
@pytest.mark.parametrize(
    ("command", "status"),
    [
        (RecordAttendance(order=KEY, numbers=frozenset({1}), attended=True, actor=MANAGER), ATTENDED),
        (RecordAttendance(order=KEY, numbers=frozenset({1}), attended=False, actor=MANAGER), ABSENT),
        (Cancel(caller=ALICE, uuid=UUID, numbers=(1,)), BY_CUSTOMER),
    ],
)
def test_attended_missed_and_cancelled_items_stay_as_they_are(command: Command[Any], status: OrderItemStatus) -> None:
    where = having(booked(YOGA, YOGA), command, cancel(YOGA[-1]))
    assert statuses(where) == [status, BY_SELLER]
    assert where.records[KEY].states[0].cancellation_message is None


@pytest.mark.spec("OB-SEL-01", "OB-SEL-06")
def test_a_replaced_item_is_cancelled_with_its_replacement() -> None:
    replacement = Replace(order=KEY, number=1, opportunity=SPIN[-1].path, offer=SPIN[0].offers[0].ref, actor=MANAGER)
    where = after(booked(YOGA), replacement)
    assert after(where, cancel(YOGA[-1])).records == where.records
    assert statuses(after(where, cancel(SPIN[-1]))) == [BY_SELLER]


@pytest.mark.spec("OB-APP-27", "OB-APP-26")
@WAYS
@pytest.mark.parametrize("accepted", [False, True])
def test_every_open_proposal_for_a_cancelled_opportunity_is_rejected(call_off: Way, accepted: bool) -> None:
    asked = request(item(TRIP, 0), item(YOGA, 1), total_payment_due=PRICE * 2)
    where = having(situation(YOGA, TRIP), propose(asked), propose(asked, BOB))
    if accepted:
        where = after(where, DecideProposal(order=KEY, accept=True, actor=MANAGER))
    off = after(where, call_off(YOGA[-1]))
    for key in (KEY, BOBS):
        assert proposal_in(off, key).status is OrderProposalStatus.SELLER_REJECTED
        assert proposal_in(off, key).version == proposal_in(where, key).version
        assert proposal_in(off, key).seller_note
    again = after(off, publish_as_cancelled(YOGA[-1]))
    assert again.records == off.records


@pytest.mark.spec("OB-APP-24", "OB-APP-27", "OB-AMEND-11")
def test_a_cancellation_does_not_change_rejected_proposals_or_proposals_for_other_opportunities() -> None:
    asked = request(item(TRIP))
    aborted = having(situation(YOGA, TRIP), propose(asked), UpdateProposal(caller=ALICE, uuid=UUID, reject=True))
    assert after(aborted, cancel(TRIP[-1])).records == aborted.records
    elsewhere = after(situation(YOGA, TRIP), propose(asked))
    assert after(elsewhere, cancel(YOGA[-1])).records == elsewhere.records
    written = after(elsewhere, WriteToCustomer(order=KEY, note="Bring boots.", actor=MANAGER))
    assert proposal_in(after(written, cancel(TRIP[-1]))).seller_note == "Bring boots."


@pytest.mark.spec("OB-SEL-01", "OB-CAN-09")
def test_an_opportunity_published_again_as_cancelled_is_cancelled_in_its_orders() -> None:
    gone = after(booked(YOGA), Withdraw(sources=frozenset({"gym"}), actor=MANAGER))
    assert statuses(gone) == [CONFIRMED]
    back = after(gone, Publish((YOGA[0], replace(YOGA[1], status=EventStatus.CANCELLED)), actor=MANAGER))
    assert statuses(back) == [BY_SELLER]


def smaller(opportunity: Opportunity, capacity: int) -> Command[Any]:
    return Publish((replace(opportunity, capacity=capacity),), actor=MANAGER)


def asks(*families: list[Opportunity], caller: Caller = ALICE, uuid: str = UUID) -> Command[Any]:
    items = [item(family, position) for position, family in enumerate(families)]
    return propose(request(*items, total_payment_due=PRICE * len(items)), caller, uuid)


@pytest.mark.spec("OB-APP-27", "OB-APP-26", "OB-APP-20")
def test_a_proposal_with_too_few_spaces_left_is_rejected_at_once_and_holds_nothing() -> None:
    where = having(situation(YOGA, TRIP), asks(TRIP, TRIP, YOGA), order_of(YOGA, caller=BOB))
    assert after(where, smaller(TRIP[-1], 2)).records == where.records
    full = after(where, smaller(TRIP[-1], 1))
    proposal = proposal_in(full)
    assert (proposal.status, proposal.updated) == (OrderProposalStatus.SELLER_REJECTED, True)
    assert proposal.seller_note
    assert (full.spaces[TRIP[-1].path], full.spaces[PATH]) == (Spaces(), Spaces(booked=1))
    assert {TRIP[-1].path, PATH} <= full.touched
    assert after(full, smaller(TRIP[-1], 1)).records == full.records
    assert statuses(after(full, smaller(YOGA[-1], 0)), BOBS) == [CONFIRMED]


@pytest.mark.spec("OB-APP-27", "OB-APP-26")
def test_accepted_and_early_proposals_take_precedence_for_the_spaces_left() -> None:
    later, late, early = sorted(new_uuid() for _ in range(3))
    keys = {uuid: OrderKey("alice", uuid) for uuid in (early, late, later)}
    where = situation(TRIP)
    for uuid in keys:
        where = after(where, asks(TRIP, uuid=uuid))
        where = replace(where, now=where.now + timedelta(minutes=1))
    where = having(
        where, DecideProposal(order=keys[later], accept=True, actor=MANAGER), quote(request(item(TRIP)), caller=BOB)
    )

    def open_with(capacity: int) -> set[str]:
        fewer = after(where, smaller(TRIP[-1], capacity))
        rejected = OrderProposalStatus.SELLER_REJECTED
        return {uuid for uuid, key in keys.items() if proposal_in(fewer, key).status is not rejected}

    assert [open_with(capacity) for capacity in (4, 3, 2, 1, 0)] == [{*keys}, {*keys}, {early, later}, {later}, set()]


@pytest.mark.spec("OB-APP-27")
def test_a_proposal_without_a_hold_takes_no_space_from_others() -> None:
    where = having(situation(TRIP), asks(TRIP, caller=BOB), DecideProposal(order=BOBS, accept=True, actor=MANAGER))
    record = replace(where.records[BOBS], lease_expires=where.now)
    where = after(replace(where, records={BOBS: record}), asks(TRIP))
    fewer = after(where, smaller(TRIP[-1], 1))
    assert proposal_in(fewer).status is OrderProposalStatus.AWAITING
    assert fewer.records[BOBS] == record


@pytest.mark.spec("OB-APP-26", "OB-APP-27")
def test_the_hold_of_a_rejected_proposal_costs_no_open_one_its_spaces() -> None:
    where = having(
        situation(TRIP), asks(TRIP, caller=BOB), asks(TRIP), DecideProposal(order=KEY, accept=True, actor=MANAGER)
    )
    where = after(where, UpdateProposal(caller=BOB, uuid=UUID, reject=True))
    fewer = after(where, smaller(TRIP[-1], 1))
    assert proposal_in(fewer, BOBS) == replace(proposal_in(where, BOBS), expires=None)
    assert fewer.spaces[TRIP[-1].path] == Spaces(leased=1)
    assert after(fewer, BookProposal(caller=ALICE, uuid=UUID, version=VERSION)).spaces == {
        **fewer.spaces,
        TRIP[-1].path: Spaces(booked=1),
    }


@pytest.mark.spec("OB-APP-27")
def test_a_proposal_is_rejected_once_for_several_full_or_cancelled_opportunities() -> None:
    where = after(situation(YOGA, TRIP), asks(TRIP, YOGA))
    nothing_left = Publish((replace(TRIP[-1], capacity=0), replace(YOGA[-1], capacity=0)), actor=MANAGER)
    assert len(nothing_left.decide(where).changes) == 3
    called_off = Publish(
        (replace(TRIP[-1], status=EventStatus.CANCELLED), replace(YOGA[-1], capacity=0)), actor=MANAGER
    )
    off = after(where, called_off)
    assert proposal_in(off).seller_note == "This does not take place."
    assert off.spaces[PATH] == Spaces()


@pytest.mark.spec("OB-APP-27")
@pytest.mark.parametrize("orders", [False, True])
def test_a_withdrawal_rejects_proposals_too(orders: bool) -> None:
    asked = request(item(TRIP, 0), item(SPIN, 1), total_payment_due=PRICE * 2)
    where = having(situation(YOGA, SPIN, TRIP), propose(asked), order_of(YOGA, caller=BOB))
    gone = after(where, Withdraw(sources=frozenset({"gym"}), orders=orders, actor=MANAGER))
    assert TRIP[-1].path not in gone.opportunities
    if orders:
        assert {record.kind for record in gone.records.values()} == {RecordKind.DELETED}
    else:
        assert proposal_in(gone).status is OrderProposalStatus.SELLER_REJECTED
        assert statuses(gone, BOBS) == [CONFIRMED]


@pytest.mark.spec("OB-LEASE-11", "OB-SEL-01")
def test_the_lease_of_a_cancelled_opportunity_stays_but_cannot_be_booked() -> None:
    leased = after(situation(YOGA), quote(request(item(YOGA))))
    where = after(leased, cancel(YOGA[-1]))
    assert where.records == leased.records
    order = order_of(YOGA).decide(where).reply
    assert getattr(order, "has_errors", False)


@pytest.mark.spec("OB-SEL-12", "OB-SEL-11")
def test_bookings_of_an_ended_opportunity_are_not_cancelled() -> None:
    over = replace(booked(YOGA, SPIN), now=NOW + timedelta(days=3))
    published = after(over, publish_as_cancelled(YOGA[-1]))
    assert published.records == over.records
    assert published.opportunities[PATH].status is EventStatus.CANCELLED
    with pytest.raises(NothingToCancelError):
        cancel(YOGA[-1]).decide(over)
    during = replace(booked(YOGA), now=NOW + timedelta(days=2, minutes=30))
    assert statuses(after(during, cancel(YOGA[-1]))) == [BY_SELLER]


@pytest.mark.spec("OB-SEL-01", "OB-SEL-12")
@pytest.mark.parametrize(("days", "status"), [(0, BY_SELLER), (3, CONFIRMED)], ids=["before its end", "after its end"])
def test_a_withdrawn_opportunity_is_cancelled_by_the_dates_of_its_booking(days: int, status: OrderItemStatus) -> None:
    where = replace(booked(YOGA), opportunities={}, now=NOW + timedelta(days=days))
    changes = cancel_bookings(where, {PATH}, BY_MANAGER)
    assert statuses(changed(where, Decision(reply=None, changes=tuple(changes)))) == [status]


@pytest.mark.spec("OB-SEL-12")
def test_an_opportunity_that_was_brought_forward_and_has_ended_is_not_refunded() -> None:
    early = replace(YOGA[-1], start=NOW - timedelta(hours=2), end=NOW)
    where = booked(YOGA)
    where = replace(where, opportunities={**where.opportunities, PATH: early})
    assert cancel_bookings(where, {PATH}, BY_MANAGER) == []


@pytest.mark.spec("OB-APP-27")
def test_a_rejected_proposal_carries_the_message_of_the_cancellation() -> None:
    where = after(situation(TRIP), propose(request(item(TRIP))))
    (change,) = cancel_bookings(where, {TRIP[-1].path}, BY_MANAGER, "Flood.")
    assert isinstance(change, RecordSet)
    assert change.record is not None
    assert change.record.proposal is not None
    assert change.record.proposal.seller_note == "Flood."


@pytest.mark.spec("OB-APP-27")
def test_proposals_are_rejected_at_a_path_of_which_nothing_was_sold_yet() -> None:
    where = replace(after(situation(TRIP), asks(TRIP)), spaces={})
    assert reject_without_spaces(where, [TRIP[-1].path], BY_MANAGER) == []
    full = replace(where, opportunities={TRIP[-1].path: replace(TRIP[-1], capacity=0)})
    (change,) = reject_without_spaces(full, [TRIP[-1].path], BY_MANAGER)
    assert isinstance(change, RecordSet)
    assert change.key == KEY


@pytest.mark.spec("OB-APP-27")
def test_a_proposal_for_something_else_is_not_rejected_when_an_opportunity_is_full() -> None:
    full = session("full", capacity=0)
    where = after(situation(TRIP, full), asks(TRIP))
    assert reject_without_spaces(where, [full[-1].path], BY_MANAGER) == []


@pytest.mark.spec("OB-APP-27", "OB-APP-26")
def test_a_proposal_without_a_hold_waits_for_the_spaces_that_others_hold() -> None:
    """The hold of another proposal may end first."""
    where = having(situation(TRIP), asks(TRIP), asks(TRIP, caller=BOB))
    waiting = replace(where.records[BOBS], lease_expires=NOW)
    path = TRIP[-1].path
    one_space = {**where.opportunities, path: replace(TRIP[-1], capacity=1)}
    where = replace(where, records={**where.records, BOBS: waiting}, opportunities=one_space)
    assert reject_without_spaces(where, [path], BY_MANAGER) == []


@pytest.mark.spec("OB-APP-27")
def test_the_note_of_a_proposal_rejected_for_lack_of_spaces_names_the_reason() -> None:
    where = after(situation(TRIP), asks(TRIP))
    assert proposal_in(after(where, smaller(TRIP[-1], 0))).seller_note == "There are no longer enough spaces for this."


@pytest.mark.spec("OB-APP-27")
def test_a_booking_rejects_the_proposals_that_it_leaves_without_spaces() -> None:
    scarce = [*TRIP[:-1], replace(TRIP[-1], capacity=1)]
    where = after(situation(scarce), asks(scarce, caller=BOB))
    free = replace(where, records={BOBS: replace(where.records[BOBS], lease_expires=NOW)}, spaces={})
    order = order_record(booked(YOGA))
    moved = replace(order.order.items[0], opportunity=scarce[-1])
    sold = replace(order, order=replace(order.order, items=(moved,)))
    booking, rejection = sell(free, sold)
    assert booking == RecordSet(KEY, sold)
    assert isinstance(rejection, RecordSet)
    assert rejection.record is not None
    assert (rejection.key, rejection.record.changed) == (BOBS, Stamp(SOLD_OUT, NOW))


def test_the_cancelled_bookings_have_the_spaces_that_they_lose_here() -> None:
    """Items of other sessions do not count, nor those that were cancelled before."""
    where = after(booked(YOGA, YOGA, YOGA, SPIN), order_of(SPIN, caller=BOB))
    where = after(where, Cancel(caller=ALICE, uuid=UUID, numbers=(1,)))
    decision = cancel(YOGA[-1]).decide(where)
    assert cancelled_bookings(decision.changes) == (CancelledBooking(KEY, 2, is_proposal=False),)
    proposed = after(situation(TRIP), propose(request(item(TRIP), item(TRIP, 1), total_payment_due=PRICE * 2)))
    decision = cancel(TRIP[-1]).decide(proposed)
    assert cancelled_bookings(decision.changes) == (CancelledBooking(KEY, 2, is_proposal=True),)
