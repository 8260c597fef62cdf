"""Erasure of the personal data of Orders at the end of their retention period."""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbooking.booking.command import Decision
from openbooking.booking.commands.change_logistics import ChangeLogistics
from openbooking.booking.commands.erase_personal_data import RETENTION, EraseOrderData, ErasePersonalData
from openbooking.booking.commands.seller_decisions import RenewAccess, SellerCancel
from openbooking.booking.model.activity import Action
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.errors import BookingAheadError
from openbooking.booking.model.opportunity import AccessRules, Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import Situation
from openbooking.booking.store import fold
from openbooking.openactive.errors import UnknownOrderError
from support.builders import (
    NOW,
    UUID,
    after,
    book,
    item,
    on_demand_event,
    request,
    session,
    situation,
)
from support.parties import BOB, MANAGER
from support.proposals import KEY

YOGA = session("yoga", capacity=5, access=AccessRules(code=True))
LATER = session("later", capacity=5, start=NOW + timedelta(days=90), end=None)
VIDEO = on_demand_event("video")
PASS = {"@type": "Barcode", "text": "member-1"}
TOLD = {"attendee": {"@type": "Person", "email": "ann@example.com"}, "access_passes": (PASS,)}
LONG_AFTER = NOW + timedelta(days=365)


def asked_for(*families: list[Opportunity]) -> OrderRequest:
    items = [replace(item(family, position), **TOLD) for position, family in enumerate(families)]
    prices = [offer.price for family in families for opportunity in family for offer in opportunity.offers]
    return request(*items, total_payment_due=sum(prices, Decimal(0)))


def booked(*families: list[Opportunity]) -> Situation:
    return after(situation(YOGA, LATER, VIDEO), book(asked_for(*families)))


BY_RETENTION = Stamp(RETENTION, LONG_AFTER)


def record_in(where: Situation) -> Record:
    return where.records[KEY]


def erased(where: Situation, over_before: datetime) -> Situation:
    return after(replace(where, now=LONG_AFTER, touched=frozenset()), ErasePersonalData(over_before=over_before))


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


ON_REQUEST = EraseOrderData(orders=frozenset({KEY}), actor=MANAGER)


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
    both = EraseOrderData(orders=frozenset({KEY, OrderKey("bob", UUID)}), actor=MANAGER)
    assert isinstance(refusal(before, both), UnknownOrderError)
    request_by_bob = book(asked_for(LATER), caller=BOB)
    with_bob = after(booked(YOGA), request_by_bob)
    assert isinstance(refusal(with_bob, both), BookingAheadError)
