"""The rules of erasure: when the retention period begins, and which data is erased."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify, SellerCancel
from openbooking.booking.model.opportunity import AccessRules
from openbooking.booking.model.order_request import IntakeAnswer, ItemRequest, OrderRequest
from openbooking.booking.rules.orders.erasure import erase_personal_data, retention_start
from openbooking.booking.rules.orders.fingerprint import matches_fingerprint
from openbooking.openactive.errors import OrderAlreadyExistsError
from support.builders import (
    NOW,
    PRICE,
    after,
    book,
    changed,
    order_record,
    propose,
    session,
    situation,
)
from support.orders_to_erase import BY_RETENTION, LATER, LONG_AFTER, VIDEO, YOGA, asked_for, booked, erased, record_in
from support.parties import CUSTOMER, MANAGER
from support.proposals import (
    ABORT,
    ACCEPT,
    KEY,
    POLICY,
    REJECT,
    TRIP,
    amend,
    b,
    having,
    order_of,
    places,
    proposed,
    standing,
)


def test_a_replacement_sets_the_retention_period_and_loses_its_barcode() -> None:
    (offer,) = LATER[0].offers
    instead = Replace(order=KEY, number=1, opportunity=LATER[-1].path, offer=offer.ref, nonce="n", actor=MANAGER)
    where = after(booked(YOGA), instead)
    assert retention_start(record_in(where)) == LATER[-1].start
    assert "member-1" in str(record_in(where).states)
    assert "member-1" not in str(record_in(erased(where, LONG_AFTER)))


def test_the_retention_period_of_an_order_without_a_date_begins_at_b() -> None:
    where = booked(VIDEO)
    assert erased(where, NOW - timedelta(microseconds=1)).records == where.records
    assert record_in(erased(where, NOW)).erased == BY_RETENTION
    approved = having(proposed(TRIP), ACCEPT)
    later = replace(approved, now=NOW + timedelta(hours=1))
    personal = record_in(after(later, b())).order
    assert personal is not None
    assert personal.personal is not None
    assert personal.personal.received_at == later.now


def test_retention_does_not_apply_to_proposals_quotes_and_stubs() -> None:
    where = proposed(TRIP)
    assert retention_start(record_in(where)) is None
    assert erased(where, LONG_AFTER).records == where.records


@pytest.mark.spec("OB-B-11", "OB-ID-12")
def test_a_repeat_of_b_is_refused_once_the_personal_data_is_erased() -> None:
    repeat = book(asked_for(YOGA))
    before = after(situation(YOGA), repeat)
    assert repeat.decide(before).changes == ()
    with pytest.raises(OrderAlreadyExistsError):
        repeat.decide(erased(before, LONG_AFTER))
    proposal = after(having(proposed(TRIP), ACCEPT), b())
    assert b().decide(proposal).changes == ()
    with pytest.raises(OrderAlreadyExistsError):
        b().decide(erased(proposal, LONG_AFTER))


@pytest.mark.spec("OB-B-10", "OB-B-11")
def test_no_guess_can_be_confirmed_with_a_record() -> None:
    asked = asked_for(YOGA)
    first, second = (replace(book(asked), nonce=nonce) for nonce in ("one", "two"))
    records = [record_in(after(situation(YOGA), command)) for command in (first, second)]
    stored = [record.fingerprint for record in records]
    assert len({*stored, asked.fingerprint()}) == 3
    assert [matches_fingerprint(record, asked.fingerprint()) for record in records] == [True, True]
    assert second.decide(after(situation(YOGA), first)).reply == record_in(after(situation(YOGA), first)).order
    others = replace(asked, customer={**CUSTOMER, "email": "other@example.com"})
    assert not matches_fingerprint(records[0], others.fingerprint())


@pytest.mark.spec("OB-APP-16")
def test_a_repeat_of_p_is_recognised_by_its_items_after_erasure() -> None:
    asked = replace(asked_for(TRIP), customer_note="We are two.")
    first = propose(asked).decide(situation(TRIP, policy=POLICY))
    open_ = changed(situation(TRIP, policy=POLICY), first)
    answer = IntakeAnswer(sent={"value": "yes"})
    people = (
        replace(asked, customer={**CUSTOMER, "email": "other@example.com"}),
        replace(asked, customer_note="We are three."),
        replace(asked, items=(replace(asked.items[0], attendee=None, access_passes=(), intake_answers=(answer,)),)),
    )
    for other in people:
        with pytest.raises(OrderAlreadyExistsError):
            propose(other).decide(open_)
    closed = after(replace(having(open_, ABORT), now=NOW + POLICY.proposal_duration), ExpireLeases())
    assert record_in(closed).fingerprint is None
    again = propose(asked).decide(closed)
    assert (order_of(again).personal, order_of(again).totals) == (order_of(first).personal, order_of(first).totals)
    assert again.changes == ()
    with pytest.raises(OrderAlreadyExistsError):
        propose(places(TRIP, TRIP)).decide(closed)
    with pytest.raises(OrderAlreadyExistsError):
        propose(replace(asked, total_payment_due=PRICE + 1)).decide(closed)


@pytest.mark.parametrize(
    ("rules", "left"), [(None, None), (AccessRules(code=True), ())], ids=["no other access", "a code"]
)
def test_an_item_keeps_its_access_without_the_barcodes_of_the_broker(
    rules: AccessRules | None, left: tuple[()] | None
) -> None:
    family = session("yoga", access=rules)
    before = order_record(after(situation(family), book(asked_for(family))))
    ((found, _),) = erase_personal_data(before, BY_RETENTION).items()
    assert (found.access and found.access.own_passes) == left


def test_a_replaced_item_stays_replaced_after_the_erasure() -> None:
    (offer,) = LATER[0].offers
    instead = Replace(order=KEY, number=1, opportunity=LATER[-1].path, offer=offer.ref, nonce="n", actor=MANAGER)
    before = order_record(after(booked(YOGA), instead))
    ((found, _),) = erase_personal_data(before, BY_RETENTION).items()
    assert found.opportunity.path == LATER[-1].path


@pytest.mark.parametrize("commands", [(REJECT,), (amend(), ABORT), (amend(),)], ids=["refused", "given up", "late"])
def test_a_closed_proposal_has_no_barcode_of_the_broker(
    commands: tuple[Command[Any], ...],
) -> None:
    before = having(proposed(items=_with_passes(places(TRIP, TRIP))), *commands)
    assert "member-1" in str(record_in(before))
    swept = after(replace(before, now=NOW + POLICY.proposal_duration), ExpireLeases())
    assert "member-" not in str(record_in(swept))


def _with_passes(asked: OrderRequest) -> tuple[ItemRequest, ...]:
    return tuple(
        replace(item, access_passes=({"@type": "Barcode", "text": f"member-{item.position}"},)) for item in asked.items
    )


NAMED = "Ann, your knee will be better by then."


def test_texts_of_the_seller_are_erased_with_the_personal_data() -> None:
    """A notice, the message of a cancellation, and the note about the proposal that was booked."""
    noted = having(
        proposed(items=places(TRIP, TRIP).items), DecideProposal(order=KEY, accept=True, note=NAMED, actor=MANAGER)
    )
    where = having(
        after(noted, b()),
        SellerCancel(order=KEY, numbers=frozenset({1}), message=NAMED, actor=MANAGER),
        Notify(order=KEY, numbers=frozenset({2}), notice=NAMED, actor=MANAGER),
    )
    before = order_record(where)
    assert str(before).count(NAMED) == 3
    after_erasure = order_record(erased(where, LONG_AFTER))
    assert NAMED not in str(after_erasure)
    assert [state.status for state in after_erasure.states] == [state.status for state in before.states]
    assert after_erasure.wanted() == before.wanted()


def test_a_closed_proposal_has_no_note_of_the_seller() -> None:
    refused = having(proposed(TRIP), replace(REJECT, note=NAMED))
    assert NAMED in str(record_in(refused))
    swept = after(replace(refused, now=NOW + POLICY.proposal_duration), ExpireLeases())
    assert NAMED not in str(record_in(swept))


@pytest.mark.spec("OB-AMEND-10", "OB-AMEND-11")
def test_a_broker_has_five_minutes_to_read_the_last_note_of_a_proposal() -> None:
    ends = standing(proposed(TRIP)).expires
    assert ends is not None
    noted = having(replace(proposed(TRIP), now=ends - timedelta(minutes=1)), replace(REJECT, note=NAMED))
    swept = after(replace(noted, now=ends), ExpireLeases())
    assert record_in(swept).ends == ends + timedelta(minutes=4)
    assert NAMED in str(record_in(swept))
    assert after(replace(swept, now=ends + timedelta(minutes=3)), ExpireLeases()).records == swept.records
    closed = record_in(after(replace(swept, now=ends + timedelta(minutes=4)), ExpireLeases()))
    assert (closed.ends, NAMED in str(closed)) == (None, False)


def test_a_note_of_this_system_stays_in_a_closed_proposal() -> None:
    swept = after(replace(proposed(TRIP), now=NOW + POLICY.proposal_duration), ExpireLeases())
    proposal = record_in(swept).proposal
    assert proposal is not None
    assert (proposal.seller_note, proposal.expires) == ("The proposal was not booked in time.", None)
