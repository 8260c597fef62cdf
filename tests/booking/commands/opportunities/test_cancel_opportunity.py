"""The Seller cancels a whole Opportunity (OB 8.3.3)."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.situation import Situation
from openbooking.openactive.errors import NotFoundError
from openbooking.openactive.terms import EventStatus, OrderItemStatus
from support.builders import (
    NOW,
    PRICE,
    UUID,
    after,
    book,
    event,
    headline_event,
    item,
    request,
    session,
    situation,
    slot,
)
from support.parties import MANAGER

YOGA, SPIN = session("yoga", source="gym"), session("spin")
PATH = YOGA[-1].path
KEY = OrderKey("alice", UUID)
CONFIRMED = OrderItemStatus.CONFIRMED
BY_SELLER = OrderItemStatus.SELLER_CANCELLED


def cancel(opportunity: Opportunity) -> Command[Any]:
    return CancelOpportunity(opportunity=opportunity.path, message="Flood.", actor=MANAGER)


def statuses(where: Situation, key: OrderKey = KEY) -> list[OrderItemStatus]:
    return [state.status for state in where.records[key].states]


def test_an_unknown_opportunity_cannot_be_cancelled() -> None:
    with pytest.raises(NotFoundError):
        cancel(YOGA[-1]).decide(situation(SPIN))


@pytest.mark.spec("OB-SEL-01")
def test_a_slot_is_cancelled_like_a_session() -> None:
    hall = slot("hall", individual=False, capacity=5)
    where = after(situation(hall), book(request(item(hall))))
    assert statuses(after(where, cancel(hall[-1]))) == [BY_SELLER]


def test_a_cancelled_opportunity_cannot_be_cancelled_again() -> None:
    where = after(after(situation(YOGA), book(request(item(YOGA)))), cancel(YOGA[-1]))
    with pytest.raises(NothingToCancelError):
        cancel(YOGA[-1]).decide(where)


def test_a_cancellation_by_the_provider_can_be_made_final_here() -> None:
    cancelled = [YOGA[0], replace(YOGA[-1], status=EventStatus.CANCELLED)]
    assert after(situation(cancelled), cancel(YOGA[-1])).opportunities[PATH].cancelled_here


HALL = slot("hall", individual=False, capacity=5)
SECOND_SLOT = replace(HALL[-1], path="slots/second", offers=(replace(HALL[-1].offers[0], owner="slots/second"),))
TALK = event("talk", parent=headline_event("conference"))


@pytest.mark.spec("OB-SEL-01", "OB-BKBL-11")
@pytest.mark.parametrize(
    ("whole", "off"),
    [
        ("facility-uses/facility-hall", {"slots/hall", "slots/second"}),
        ("slots/second", {"slots/second"}),
        ("headline-events/conference", {"headline-events/conference", "events/talk"}),
        ("events/talk", {"events/talk"}),
        ("session-series/series-yoga", {PATH}),
    ],
)
def test_the_parts_of_a_cancelled_event_are_cancelled(whole: str, off: set[str]) -> None:
    second = [HALL[0], SECOND_SLOT]
    everything = (HALL, second, TALK, TALK[:1], YOGA)
    asked = request(*(item(family, n) for n, family in enumerate(everything)), total_payment_due=PRICE * 5)
    where = after(situation(*everything), book(asked))
    cancelled = after(where, CancelOpportunity(opportunity=whole, actor=MANAGER))
    paths = [family[-1].path for family in everything]
    assert statuses(cancelled) == [BY_SELLER if path in off else CONFIRMED for path in paths]
    called_off = {path for path, one in cancelled.opportunities.items() if one.status is EventStatus.CANCELLED}
    assert called_off == off


@pytest.mark.spec("OB-SEL-12")
def test_the_ended_sessions_of_a_cancelled_series_stay_as_they_are() -> None:
    early = session("yoga", path="scheduled-sessions/early", start=NOW, end=NOW + timedelta(hours=1))
    asked = request(item(early, 0), item(YOGA, 1), total_payment_due=PRICE * 2)
    where = after(situation(early, YOGA), book(asked))
    later = replace(where, now=NOW + timedelta(hours=2))
    cancelled = after(later, CancelOpportunity(opportunity=YOGA[0].path, actor=MANAGER))
    assert statuses(cancelled) == [CONFIRMED, BY_SELLER]
    assert cancelled.opportunities["scheduled-sessions/early"].status is EventStatus.SCHEDULED
