"""Erasure of personal data at the end of the retention period of Orders, and of one person on request."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Decision
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.orders.erase_personal_data import EraseOrderData, ErasePersonalData
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import RenewAccess, SellerCancel
from openbooking.booking.model.activity import Action
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.errors import BookingAheadError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.order_request import IntakeAnswer
from openbooking.booking.model.situation import Situation
from openbooking.booking.store import fold
from openbooking.openactive.errors import UnknownOrderError
from support.builders import (
    NOW,
    UUID,
    after,
    book,
    order_record,
    situation,
)
from support.orders_to_erase import BY_RETENTION, LATER, LONG_AFTER, VIDEO, YOGA, asked_for, booked, erased, record_in
from support.parties import BOB, MANAGER
from support.proposals import ACCEPT, KEY, REJECT, TRIP, having, places, proposed


def test_an_order_is_erased_once_its_last_session_is_over() -> None:
    before = booked(YOGA, LATER)
    assert YOGA[-1].over_at is not None
    assert LATER[-1].start is not None
    assert erased(before, YOGA[-1].over_at).records == before.records
    assert erased(before, LATER[-1].start - timedelta(microseconds=1)).records == before.records
    assert record_in(erased(before, LATER[-1].start)).erased == BY_RETENTION


def test_personal_data_is_erased_and_the_booking_stays() -> None:
    before = after(
        booked(YOGA, LATER), RenewAccess(order=KEY, numbers=frozenset({1}), nonce="other", code=True, actor=MANAGER)
    )
    left = erased(before, LONG_AFTER)
    was, record = record_in(before), record_in(left)
    assert was.order is not None
    assert record.order is not None
    assert all(word in str(was) for word in ("geoff", "ann@", "member-1"))
    assert not any(word in str(record) for word in ("geoff", "ann@", "member-1"))
    assert (record.order.personal, record.fingerprint) == (None, None)
    assert (record.claims(), record.order.totals, left.spaces) == (was.claims(), was.order.totals, before.spaces)
    assert left.touched == frozenset()
    codes = [[found.access and found.access.code for found, _ in kept.items()] for kept in (was, record)]
    assert codes[0] == codes[1]
    assert codes[0][0]
    assert ErasePersonalData(over_before=LONG_AFTER).decide(left) == Decision(reply=0)


def test_orders_of_all_partners_are_erased_once() -> None:
    where = after(booked(YOGA), book(asked_for(YOGA), caller=BOB))
    assert ErasePersonalData(over_before=LONG_AFTER).decide(where).reply == 2
    assert {record.erased for record in erased(where, LONG_AFTER).records.values()} == {BY_RETENTION}


GEOFF, ANN, BEA = "geoff@example.com", "ann@example.com", "bea@example.com"
ON_REQUEST = EraseOrderData(orders=frozenset({KEY}), contact=GEOFF, actor=MANAGER)
OF_ANN = replace(ON_REQUEST, contact=ANN)


def refusal(where: Situation, command: EraseOrderData = ON_REQUEST) -> Exception:
    left, (outcome,) = fold(where, [command])
    assert left == where
    assert isinstance(outcome, Exception)
    return outcome


def test_chosen_data_is_erased_when_everything_is_over() -> None:
    before = replace(booked(YOGA, VIDEO), now=LONG_AFTER)
    left, (erased_orders,) = fold(before, [ON_REQUEST])
    stamp = Stamp(MANAGER, LONG_AFTER)
    record = record_in(left)
    assert erased_orders == 1
    assert (record.erased, record.changed, record.order and record.order.personal) == (stamp, stamp, None)
    assert not any(word in str(record) for word in ("geoff", "ann@", "member-1"))
    (entry,) = left.activity
    assert (entry.action, entry.actor, entry.order) == (Action.PERSONAL_DATA_ERASED, MANAGER, KEY)
    assert fold(left, [ON_REQUEST])[1] == [0]
    assert fold(left, [ON_REQUEST])[0].activity == left.activity


def test_a_booking_ahead_is_named_until_it_is_cancelled() -> None:
    before = booked(YOGA, LATER)
    assert YOGA[-1].over_at is not None
    fault = refusal(replace(before, now=YOGA[-1].over_at))
    assert isinstance(fault, BookingAheadError)
    named = f"Yoga on 30 May 2027 at 13:00 (booking {UUID})"
    assert fault.description == f"Cancel these bookings first, or wait until they are over: {named}."
    cancelled = after(before, SellerCancel(order=KEY, actor=MANAGER))
    assert record_in(after(cancelled, ON_REQUEST)).erased == Stamp(MANAGER, NOW)


def test_a_session_that_was_moved_is_ahead_at_its_new_time() -> None:
    before = booked(YOGA)
    start = LONG_AFTER + timedelta(days=1)
    end = start + timedelta(hours=1)
    moved = ChangeLogistics(opportunity=YOGA[-1].path, start=start, end=end, actor=MANAGER)
    late = replace(after(before, moved), now=LONG_AFTER)
    assert isinstance(refusal(late), BookingAheadError)


def test_an_erasure_is_refused_if_one_order_has_a_booking_ahead_or_is_unknown() -> None:
    before = replace(booked(YOGA), now=LONG_AFTER)
    both = replace(ON_REQUEST, orders=frozenset({KEY, OrderKey("bob", UUID)}))
    assert isinstance(refusal(before, both), UnknownOrderError)
    request_by_bob = book(asked_for(LATER), caller=BOB)
    with_bob = after(booked(YOGA), request_by_bob)
    assert isinstance(refusal(with_bob, both), BookingAheadError)


def booked_for_ann_and_bea(*families: list[Opportunity]) -> Situation:
    """Geoff has booked the first item for Ann and the others for Bea, each with a barcode and an answer of her own."""
    asked, people = asked_for(*families), ["ann", *["bea"] * (len(families) - 1)]
    items = tuple(
        replace(
            item,
            attendee={"@type": "Person", "email": f"{name}@example.com"},
            access_passes=({"@type": "Barcode", "text": f"pass of {name}"},),
            intake_answers=(IntakeAnswer(sent={"value": f"answer of {name}"}),),
        )
        for item, name in zip(asked.items, people, strict=True)
    )
    return after(situation(YOGA, LATER, VIDEO), book(replace(asked, items=items)))


def test_an_attendee_is_erased_and_the_others_of_the_order_stay() -> None:
    before = replace(booked_for_ann_and_bea(YOGA, VIDEO), now=LONG_AFTER)
    left, (erased_orders,) = fold(before, [OF_ANN])
    was, record = order_record(before), order_record(left)
    assert erased_orders == 1
    assert all(f"{what}ann" in str(was) for what in ("email': '", "pass of ", "answer of "))
    assert not any(word in str(record) for word in ("ann@", "pass of ann", "answer of ann"))
    assert all(word in str(record) for word in (GEOFF, BEA, "pass of bea", "answer of bea"))
    assert (record.order.totals, record.claims(), record.erased) == (was.order.totals, was.claims(), None)
    assert record.changed == Stamp(MANAGER, LONG_AFTER)
    (entry,) = left.activity
    assert (entry.action, entry.actor, entry.order) == (Action.PERSONAL_DATA_ERASED, MANAGER, KEY)
    assert fold(left, [OF_ANN])[1] == [0]
    assert fold(left, [replace(OF_ANN, contact=BEA)])[1] == [1]


def test_a_replaced_item_loses_the_barcode_of_its_attendee() -> None:
    (offer,) = LATER[0].offers
    instead = Replace(order=KEY, number=1, opportunity=LATER[-1].path, offer=offer.ref, nonce="n", actor=MANAGER)
    before = replace(after(booked_for_ann_and_bea(YOGA), instead), now=LONG_AFTER)
    assert "pass of ann" in str(order_record(before).states)
    record = order_record(after(before, OF_ANN))
    assert "pass of ann" not in str(record)
    assert [found.opportunity.path for found, _ in record.items()] == [LATER[-1].path]


def test_no_guess_about_an_erased_attendee_can_be_confirmed() -> None:
    """With the data that stays and the fingerprint, each guess could be tried. So a repeat of B is not recognised."""
    before = replace(booked_for_ann_and_bea(YOGA), now=LONG_AFTER)
    record = order_record(after(before, OF_ANN))
    assert order_record(before).fingerprint
    assert record.order.personal is not None
    assert (record.fingerprint, record.order.personal.fingerprint_key) == (None, "")


def test_only_the_sessions_of_an_attendee_keep_the_data_of_the_attendee() -> None:
    before = booked_for_ann_and_bea(YOGA, LATER)
    assert YOGA[-1].over_at is not None
    late = replace(before, now=YOGA[-1].over_at)
    fault = refusal(late, replace(OF_ANN, contact=BEA))
    assert isinstance(fault, BookingAheadError)
    assert fault.description == (
        f"Cancel these bookings first, or wait until they are over: Yoga on 30 May 2027 at 13:00 (booking {UUID})."
    )
    assert isinstance(refusal(late), BookingAheadError)
    assert ANN not in str(order_record(after(late, OF_ANN)))


@pytest.mark.parametrize("contact", [GEOFF, ANN])
def test_an_open_proposal_keeps_its_data_until_it_is_rejected(contact: str) -> None:
    """Otherwise the Broker could book it for nobody. The Customer and an attendee are erased alike from a rejected one.

    A rejected proposal would lose its data soon after, when the sweeper closes it.
    """
    given = {"attendee": {"@type": "Person", "email": ANN}}
    before = proposed(items=tuple(replace(asked, **given) for asked in places(TRIP, TRIP).items))
    command = replace(ON_REQUEST, contact=contact)
    for where in (before, having(before, ACCEPT)):
        fault = refusal(where, command)
        assert isinstance(fault, BookingAheadError)
        description = fault.description or ""
        assert description.startswith("Reject these proposals first, or wait until they have ended: ")
        assert f"(proposal {UUID})" in description
    rejected = having(before, REJECT)
    assert ANN in str(record_in(rejected))
    left = after(rejected, command)
    assert not any(word in str(record_in(left)) for word in (GEOFF, ANN))
    assert fold(left, [command])[1] == [0]


def test_nothing_changes_for_somebody_else() -> None:
    before = replace(booked_for_ann_and_bea(YOGA), now=LONG_AFTER)
    assert fold(before, [replace(ON_REQUEST, contact="eve@example.com")]) == (before, [0])
