"""Erasure of the personal data of Orders at the end of their retention period."""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbooking.booking.command import Decision
from openbooking.booking.commands.erase_personal_data import RETENTION, ErasePersonalData
from openbooking.booking.commands.seller_decisions import RenewAccess
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.opportunity import AccessRules, Opportunity
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import Situation
from support.builders import (
    NOW,
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
