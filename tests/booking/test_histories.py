"""What holds whatever happens, shown on random histories driven through the decisions alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import NOW, UUID, after, item, request, session, situation
from histories import CAPACITIES, MORE, SELLER, Step, beginning, histories, stock
from openbooking.booking.book import Book
from openbooking.booking.command import Command
from openbooking.booking.order import ItemState, OrderKey, Record, RecordKind
from openbooking.booking.policy import Leasing, Policy
from openbooking.booking.pricing import standing_totals
from openbooking.booking.publish import PublishSeller
from openbooking.booking.situation import Places, Situation
from openbooking.booking.store import fold
from openbooking.spec.errors import OpenBookingError
from openbooking.spec.terms import OrderItemStatus, OrderProposalStatus
from people import ALICE

REJECTED = (OrderProposalStatus.SELLER_REJECTED, OrderProposalStatus.CUSTOMER_REJECTED)


def recounted(records: Mapping[OrderKey, Record], now: datetime) -> dict[str, Places]:
    """The places of each Opportunity, counted from the records."""
    claims = [claim for record in records.values() for claim in record.claims()]
    found = {claim.opportunity: Places() for claim in claims}
    for claim in claims:
        held = found[claim.opportunity]
        if claim.expires is None:
            found[claim.opportunity] = Places(held.booked + claim.places, held.leased)
        elif claim.expires > now:
            found[claim.opportunity] = Places(held.booked, held.leased + claim.places)
    return found


def some(places: Mapping[str, Places]) -> dict[str, Places]:
    return {path: held for path, held in places.items() if held != Places()}


def check_one(before: Record | None, after: Record) -> None:
    """What one record may become."""
    if before is None or before.kind is RecordKind.QUOTE:
        return
    assert after.kind is before.kind or (before.kind, after.kind) in {
        (RecordKind.PROPOSAL, RecordKind.ORDER),
        (RecordKind.ORDER, RecordKind.DELETED),
    }
    if before.proposal and before.proposal.status in REJECTED and after.kind is RecordKind.PROPOSAL:
        assert after.proposal
        assert after.proposal.status is before.proposal.status
    if before.kind is after.kind is RecordKind.ORDER:
        assert standing_totals(after).price <= standing_totals(before).price
        for (_, was), (_, now) in zip(before.items(), after.items(), strict=True):
            assert now.status is was.status or not was.status.cancelled


def check(before: Situation, now: Situation) -> None:
    """What every step keeps true."""
    assert some(now.places) == some(recounted(now.records, now.now))
    for key, capacity in CAPACITIES.items():
        held = now.places.get(stock(key)[-1].path, Places())
        assert 0 <= held.booked + held.leased <= capacity + MORE
        assert held.booked >= 0
        assert held.leased >= 0
    for order, record in before.records.items():
        assert record.kind is RecordKind.QUOTE or order in now.records
    for order, record in now.records.items():
        check_one(before.records.get(order), record)


def take(before: Situation, command: Command) -> Situation:
    """The situation after the command; refusals change nothing, and nothing else may be raised."""
    left, (outcome,) = fold(before, [command])
    assert not isinstance(outcome, Exception) or isinstance(outcome, OpenBookingError), outcome
    return left


@pytest.mark.spec("OB-SEL-05", "OB-SEL-09", "OB-CAN-17", "OB-B-23", "OB-APP-24", "OB-ID-12", "OB-DEL-05", "OB-LEASE-13")
@given(history=histories, leasing=st.sampled_from(Leasing))
@settings(max_examples=300, deadline=None)
def test_places_are_never_oversold_or_lost_totals_never_rise_and_what_has_ended_stays_ended(
    history: list[Step], leasing: Leasing
) -> None:
    state = Situation(now=NOW, policy=Policy(leasing=leasing))
    for command in (PublishSeller(SELLER), *beginning()):
        state = take(state, command)
    for step in history:
        if isinstance(step, timedelta):
            now = state.now + step
            state = replace(state, now=now, places=recounted(state.records, now))
            continue
        before, state = state, take(state, step)
        check(before, state)


@pytest.mark.parametrize("status", [OrderItemStatus.CUSTOMER_CANCELLED, OrderItemStatus.SELLER_CANCELLED])
def test_the_check_notices_a_cancellation_that_is_undone(status: OrderItemStatus) -> None:
    family = session("yoga")
    command = Book(caller=ALICE, uuid=UUID, request=request(item(family)))
    booked = after(situation(family, policy=Policy(leasing=Leasing.OFF)), command).records[command.key]
    cancelled = replace(booked, states=(ItemState(status=status),))
    check_one(booked, cancelled)
    with pytest.raises(AssertionError):
        check_one(cancelled, booked)
