"""The tables of allowed status changes, and the functions that make these changes."""

from datetime import timedelta
from itertools import product

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.model.errors import NoteTooSoonError, ProposalExpiredError, ProposalRejectedError
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import ItemState, ProposalRecord, Record, RecordKind
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.lifecycle import (
    ITEM_TRANSITIONS,
    PROPOSAL_TRANSITIONS,
    RECORD_TRANSITIONS,
    Event,
)
from openbooking.openactive.errors import (
    CancellationNotPermittedError,
    GoneError,
    OpenBookingError,
    OrderAlreadyExistsError,
    UnknownOrderError,
)
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus
from support.builders import (
    BY_ALICE,
    BY_MANAGER,
    PRICE,
    UUID,
    after,
    book,
    item,
    order_record,
    quote,
    request,
    session,
    situation,
)
from support.parties import ALICE
from support.proposals import ACCEPT, KEY, TRIP, proposed

YOGA = session()
BOOKED = after(situation(YOGA), book(request(item(YOGA))))
RECORDS: dict[RecordKind | None, Situation] = {
    None: situation(YOGA),
    RecordKind.QUOTE: after(situation(YOGA), quote(request(item(YOGA)))),
    RecordKind.PROPOSAL: proposed(TRIP),
    RecordKind.ORDER: BOOKED,
    RecordKind.DELETED: after(BOOKED, DeleteOrder(caller=ALICE, uuid=UUID)),
}


def record_of(kind: RecordKind | None) -> Record | None:
    return RECORDS[kind].records.get(KEY)


def proposal(status: OrderProposalStatus = OrderProposalStatus.AWAITING) -> ProposalRecord:
    record = record_of(RecordKind.PROPOSAL)
    assert isinstance(record, ProposalRecord)
    return replace(record, proposal=replace(record.proposal, status=status))


@pytest.mark.spec("OB-ID-12", "OB-B-10", "OB-DEL-09")
@pytest.mark.parametrize(("event", "kind"), [*product(Event, RECORDS)])
def test_an_event_that_the_table_does_not_allow_raises_the_error_of_the_specification(
    event: Event, kind: RecordKind | None
) -> None:
    record = record_of(kind)
    assert (record and record.kind) is kind
    if kind in RECORD_TRANSITIONS[event]:
        lifecycle.check_event(record, event)
        return
    expected: type[OpenBookingError] = UnknownOrderError
    if event in (Event.UPDATE_PROPOSAL, Event.UPDATE, Event.DELETE, Event.READ):
        expected = GoneError if kind is RecordKind.DELETED else UnknownOrderError
    elif event is not Event.BOOK_PROPOSAL or kind in (RecordKind.ORDER, RecordKind.DELETED):
        expected = OrderAlreadyExistsError
    with pytest.raises(expected):
        lifecycle.check_event(record, event)


def test_the_table_of_records_has_the_kind_after_each_event() -> None:
    assert {event: set(table.values()) for event, table in RECORD_TRANSITIONS.items() if event is not Event.READ} == {
        Event.QUOTE: {RecordKind.QUOTE},
        Event.PROPOSE: {RecordKind.PROPOSAL},
        Event.UPDATE_PROPOSAL: {RecordKind.PROPOSAL},
        Event.BOOK_PROPOSAL: {RecordKind.ORDER},
        Event.BOOK: {RecordKind.ORDER},
        Event.UPDATE: {RecordKind.ORDER},
        Event.DELETE: {RecordKind.DELETED},
    }
    assert RECORD_TRANSITIONS[Event.READ].keys() == {RecordKind.QUOTE, RecordKind.PROPOSAL, RecordKind.ORDER}


def test_a_record_of_another_kind_is_not_returned() -> None:
    found = {
        RecordKind.ORDER: lifecycle.booked_order,
        RecordKind.PROPOSAL: lifecycle.current_proposal,
    }
    for (wanted, find), kind in product(found.items(), RECORDS):
        if kind is wanted:
            assert find(RECORDS[kind], KEY) == record_of(kind)
        else:
            with pytest.raises(GoneError if kind is RecordKind.DELETED else UnknownOrderError):
                find(RECORDS[kind], KEY)
    assert lifecycle.proposal_to_book(RECORDS[RecordKind.PROPOSAL], KEY) == record_of(RecordKind.PROPOSAL)
    with pytest.raises(OrderAlreadyExistsError):
        lifecycle.proposal_to_book(BOOKED, KEY)


@pytest.mark.spec("OB-SEL-12", "OB-CAN-04")
@pytest.mark.parametrize(("before", "status"), [*product(OrderItemStatus, repeat=2)])
def test_the_status_of_an_item_changes_as_the_table_allows(before: OrderItemStatus, status: OrderItemStatus) -> None:
    order = order_record(BOOKED)
    record = replace(order, states=(ItemState(status=before),))
    new = {1: ItemState(status=status)}
    if status is before or status in ITEM_TRANSITIONS[before]:
        (state,) = lifecycle.set_item_states(record, new, BY_MANAGER).states
        assert (state.status, state.changed) == (status, BY_MANAGER)
        assert state.cancelled == (BY_MANAGER if status.cancelled and not before.cancelled else None)
    else:
        with pytest.raises(CancellationNotPermittedError):
            lifecycle.set_item_states(record, new, BY_MANAGER)


@pytest.mark.spec("OB-NOTIF-03", "OB-OF-08")
def test_a_new_state_enters_the_feed_and_keeps_a_notice_only_where_the_attendee_attends() -> None:
    for status in OrderItemStatus:
        changed = lifecycle.set_item_states(
            order_record(BOOKED), {1: ItemState(status=status, customer_notice="Bring boots.")}, BY_MANAGER
        )
        attends = status in (OrderItemStatus.CONFIRMED, OrderItemStatus.ATTENDED)
        assert changed.states[0].customer_notice == ("Bring boots." if attends else None)
        assert (changed.updated, changed.changed) == (True, BY_MANAGER)


@pytest.mark.spec("OB-DEL-11")
def test_the_stub_of_a_deleted_order_remembers_its_stamps_and_whether_its_feed_has_shown_it() -> None:
    for record in (order_record(BOOKED), order_record(after(BOOKED, Cancel(caller=ALICE, uuid=UUID, numbers=(1,))))):
        stub = lifecycle.deleted_record(record, BY_MANAGER)
        assert (stub.updated, stub.booked, stub.deleted, stub.changed) == (
            record.updated,
            BY_ALICE,
            BY_MANAGER,
            BY_MANAGER,
        )
        assert (stub.order, stub.claims(), stub.key) == (None, (), record.key)


@pytest.mark.spec("OB-APP-24", "OB-AMEND-03")
@pytest.mark.parametrize(("before", "status"), [*product(OrderProposalStatus, repeat=2)])
def test_the_status_of_a_proposal_changes_as_the_table_allows(
    before: OrderProposalStatus, status: OrderProposalStatus
) -> None:
    record = proposal(before)
    where = RECORDS[RecordKind.PROPOSAL]
    assert lifecycle.is_open(record.proposal) is bool(PROPOSAL_TRANSITIONS[before])
    if status in PROPOSAL_TRANSITIONS[before]:
        changed = lifecycle.set_proposal_status(where, record, status, BY_MANAGER)
        assert (changed.proposal.status, changed.proposal.updated) == (status, True)
    else:
        with pytest.raises(ProposalRejectedError, match="for good"):
            lifecycle.set_proposal_status(where, record, status, BY_MANAGER)


@pytest.mark.spec("OB-APP-26", "OB-LEASE-22")
def test_an_accepted_proposal_lives_as_long_as_a_lease_and_a_rejected_one_no_longer() -> None:
    where, record = RECORDS[RecordKind.PROPOSAL], proposal()
    lease = where.policy.lease_duration
    late = replace(where, now=where.now + where.policy.bounds.proposal_duration - timedelta(seconds=1))
    accepted = lifecycle.set_proposal_status(late, record, OrderProposalStatus.ACCEPTED, BY_MANAGER)
    assert accepted.lease_expires == late.now + lease
    rejected = lifecycle.set_proposal_status(where, record, OrderProposalStatus.SELLER_REJECTED, BY_MANAGER)
    assert (rejected.lease_expires, rejected.proposal.expires) == (where.now + lease, where.now + lease)
    closed = lifecycle.close_proposal(rejected, BY_MANAGER)
    assert (closed.ends, closed.claims(), closed.order.personal) == (None, (), None)


def test_a_new_version_is_stamped_once() -> None:
    record = proposal()
    items = record.order.items
    changed = lifecycle.set_proposal_version(record, "v2", items, BY_MANAGER)
    assert (changed.proposal.version, changed.proposal.amended, changed.changed) == ("v2", BY_MANAGER, BY_MANAGER)
    assert lifecycle.set_proposal_version(changed, "v2", items, BY_ALICE) == changed


@pytest.mark.spec("OB-AMEND-10", "OB-AMEND-11")
def test_a_note_follows_the_last_one_after_five_minutes() -> None:
    where = RECORDS[RecordKind.PROPOSAL]
    noted = lifecycle.set_seller_note(where, proposal(), "Bring boots.", BY_MANAGER)
    assert (noted.proposal.seller_note, noted.proposal.seller_note_at) == ("Bring boots.", where.now)
    early, due = (replace(where, now=where.now + timedelta(seconds=seconds)) for seconds in (299, 300))
    with pytest.raises(NoteTooSoonError):
        lifecycle.check_note(early, noted.proposal, "And a hat.")
    lifecycle.check_note(early, noted.proposal, None)
    lifecycle.check_note(due, noted.proposal, "And a hat.")
    for now, note in ((early, "Bring boots."), (due, "And a hat.")):
        decided = lifecycle.set_proposal_status(now, noted, OrderProposalStatus.ACCEPTED, BY_MANAGER, "And a hat.")
        assert decided.proposal.seller_note == note


@pytest.mark.spec("OB-APP-28")
def test_a_proposal_is_not_decided_once_its_lifetime_has_ended() -> None:
    where, record = RECORDS[RecordKind.PROPOSAL], proposal()
    assert record.proposal.expires is not None
    lifecycle.check_lifetime(replace(where, now=record.proposal.expires - timedelta(seconds=1)), record.proposal)
    with pytest.raises(ProposalExpiredError):
        lifecycle.check_lifetime(replace(where, now=record.proposal.expires), record.proposal)


@pytest.mark.spec("OB-APP-33")
def test_a_booked_proposal_keeps_its_history() -> None:
    accepted = after(RECORDS[RecordKind.PROPOSAL], ACCEPT)
    record = replace(lifecycle.current_proposal(accepted, KEY), withheld=True)
    order = lifecycle.new_order_record(KEY, record.order, "fingerprint", BY_ALICE, proposed=record)
    assert order.proposal is not None
    assert (order.proposal.status, order.proposal.items) == (OrderProposalStatus.ACCEPTED, ())
    assert (order.proposed, order.booked, order.withheld) == (BY_ALICE, BY_ALICE, True)
    direct = lifecycle.new_order_record(KEY, record.order, "fingerprint", BY_ALICE)
    assert (direct.proposal, direct.proposed, direct.withheld, len(direct.states)) == (None, None, False, 1)


EARLY, LONG_AGO = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.spec("OB-APP-26")
@pytest.mark.parametrize("ended", [timedelta(0), LONG_AGO], ids=["now", "yesterday"])
@pytest.mark.parametrize("status", [OrderProposalStatus.ACCEPTED, OrderProposalStatus.SELLER_REJECTED])
def test_a_lifetime_and_a_hold_that_have_ended_are_not_revived(status: OrderProposalStatus, ended: timedelta) -> None:
    where, record = RECORDS[RecordKind.PROPOSAL], proposal()
    over = where.now - ended
    record = replace(record, lease_expires=over, proposal=replace(record.proposal, expires=over))
    changed = lifecycle.set_proposal_status(where, record, status, BY_MANAGER)
    assert (changed.lease_expires, changed.proposal.expires) == (over, over)


def test_a_proposal_without_lifetime_and_hold_gets_none_by_a_decision() -> None:
    record = proposal()
    record = replace(record, lease_expires=None, proposal=replace(record.proposal, expires=None))
    changed = lifecycle.set_proposal_status(
        RECORDS[RecordKind.PROPOSAL], record, OrderProposalStatus.ACCEPTED, BY_MANAGER
    )
    assert (changed.lease_expires, changed.proposal.expires) == (None, None)


@pytest.mark.spec("OB-APP-26")
def test_a_proposal_that_ends_within_a_lease_is_not_prolonged_by_its_rejection() -> None:
    where, record = RECORDS[RecordKind.PROPOSAL], proposal()
    soon = where.now + EARLY
    record = replace(record, lease_expires=soon, proposal=replace(record.proposal, expires=soon))
    rejected = lifecycle.set_proposal_status(where, record, OrderProposalStatus.CUSTOMER_REJECTED, BY_ALICE)
    assert (rejected.lease_expires, rejected.proposal.expires) == (soon, soon)
    accepted = lifecycle.set_proposal_status(where, record, OrderProposalStatus.ACCEPTED, BY_MANAGER)
    lease = where.now + where.policy.lease_duration
    assert (accepted.lease_expires, accepted.proposal.expires) == (lease, lease)


@pytest.mark.parametrize("note", [None, "Bring boots."])
def test_a_decision_has_the_stamp_of_its_actor(note: str | None) -> None:
    accepted = lifecycle.set_proposal_status(
        RECORDS[RecordKind.PROPOSAL], proposal(), OrderProposalStatus.ACCEPTED, BY_MANAGER, note
    )
    assert (accepted.changed, accepted.proposal.decided) == (BY_MANAGER, BY_MANAGER)


@pytest.mark.spec("OB-AMEND-03")
def test_a_proposal_that_awaits_a_decision_again_has_no_stamp_of_a_decision() -> None:
    where = RECORDS[RecordKind.PROPOSAL]
    accepted = lifecycle.set_proposal_status(where, proposal(), OrderProposalStatus.ACCEPTED, BY_MANAGER)
    awaiting = lifecycle.set_proposal_status(where, accepted, OrderProposalStatus.AWAITING, BY_ALICE)
    assert (awaiting.proposal.decided, awaiting.changed) == (None, BY_ALICE)
    assert (awaiting.lease_expires, awaiting.proposal.expires) == (accepted.lease_expires, accepted.proposal.expires)


def test_a_decision_that_is_repeated_keeps_its_first_stamp() -> None:
    where = RECORDS[RecordKind.PROPOSAL]
    accepted = lifecycle.set_proposal_status(where, proposal(), OrderProposalStatus.ACCEPTED, BY_MANAGER)
    assert lifecycle.set_proposal_status(where, accepted, OrderProposalStatus.ACCEPTED, BY_ALICE) == accepted


def test_the_error_of_a_second_decision_names_the_rejection() -> None:
    where = RECORDS[RecordKind.PROPOSAL]
    with pytest.raises(ProposalRejectedError, match="The OrderProposal is SellerRejected for good"):
        lifecycle.set_proposal_status(
            where, proposal(OrderProposalStatus.SELLER_REJECTED), OrderProposalStatus.ACCEPTED, BY_MANAGER
        )


def test_a_closed_proposal_has_the_stamp_of_its_erasure() -> None:
    record = proposal(OrderProposalStatus.SELLER_REJECTED)
    closed = lifecycle.close_proposal(record, BY_MANAGER)
    assert (closed.erased, closed.changed) == (BY_MANAGER, BY_MANAGER)
    assert closed.proposal == replace(record.proposal, expires=None)


@pytest.mark.spec("OB-AMEND-10")
def test_a_note_enters_the_feed_with_the_stamp_of_its_writer() -> None:
    noted = lifecycle.set_seller_note(RECORDS[RecordKind.PROPOSAL], proposal(), "Bring boots.", BY_MANAGER)
    assert (noted.proposal.updated, noted.changed) == (True, BY_MANAGER)


def test_the_stub_of_an_order_that_was_proposed_keeps_the_stamp_of_the_proposal() -> None:
    record = replace(order_record(BOOKED), proposed=BY_ALICE)
    stub = lifecycle.deleted_record(record, BY_MANAGER)
    assert (stub.proposed, stub.partner, stub.uuid, stub.seller) == (BY_ALICE, "alice", record.uuid, "centre")


def test_a_new_version_replaces_the_items() -> None:
    record = proposal()
    items = (replace(record.order.items[0], position=9),)
    changed = lifecycle.set_proposal_version(record, record.proposal.version, items, BY_MANAGER)
    assert (changed.proposal.items, changed.proposal.version) == (items, record.proposal.version)
    assert lifecycle.set_proposal_version(changed, record.proposal.version, items, BY_ALICE) is changed


def test_an_item_that_is_not_changed_keeps_its_state() -> None:
    booked = after(situation(YOGA), book(request(item(YOGA, 0), item(YOGA, 1), total_payment_due=2 * PRICE)))
    record = order_record(booked)
    changed = lifecycle.set_item_states(record, {2: ItemState(status=OrderItemStatus.ATTENDED)}, BY_MANAGER)
    assert [state.status for state in changed.states] == [OrderItemStatus.CONFIRMED, OrderItemStatus.ATTENDED]
    assert changed.states[0] == record.states[0]


def test_a_new_order_has_the_key_and_the_fingerprint_of_its_request() -> None:
    record = order_record(BOOKED)
    made = lifecycle.new_order_record(OrderKey("bob", "uuid"), record.order, "digest", BY_ALICE)
    assert (made.partner, made.uuid, made.seller, made.fingerprint) == ("bob", "uuid", "centre", "digest")
    assert (made.order, made.changed, made.states) == (record.order, BY_ALICE, (ItemState(),))


@pytest.mark.spec("OB-APP-33")
def test_the_order_of_an_amended_proposal_does_not_store_the_items_twice() -> None:
    record = proposal(OrderProposalStatus.ACCEPTED)
    amended = lifecycle.set_proposal_version(record, "v2", record.order.items, BY_MANAGER)
    order = lifecycle.new_order_record(KEY, record.order, "digest", BY_ALICE, proposed=amended)
    assert order.proposal == replace(amended.proposal, items=())
