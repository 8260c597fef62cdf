"""Random histories of two courts with Slots of several lengths: no court is sold twice, and feeds follow each change.

The expected numbers are counted minute by minute from the records, without the rules of the code under test.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder, DeleteQuote
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.record import Record, RecordKind
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.capacity import spaces_left
from openbooking.booking.store import fold
from support.builders import NOW, PRICE, book, item, offer, quote, request, situation, slot
from support.histories.invariants import CANCELLED, counted, items_of
from support.histories.lengths import examples
from support.parties import ALICE, MANAGER

OPENS = NOW + timedelta(days=2)
HALF_AN_HOUR = timedelta(minutes=30)
USES = {"court": 1, "hall": 3}


def slots_of(court: str) -> list[Opportunity]:
    """Return Slots of 60 and 90 minutes every 30 minutes, and their facility first."""
    family = slot(court, individual=court == "court", capacity=USES[court])
    made = [
        at(replace(family[-1], path=f"slots/{court}-{begins}-{length}"), begins, length)
        for begins in range(0, 180, 30)
        for length in (60, 90)
    ]
    return [*family[:-1], *(replace(member, court=family[-2].path, source=member.path) for member in made)]


def at(member: Opportunity, begins: int, length: int) -> Opportunity:
    """Return the Slot at another time, in minutes after the opening."""
    start = OPENS + timedelta(minutes=begins)
    return replace(
        member, start=start, end=start + timedelta(minutes=length), offers=(offer(member.path, price=PRICE),)
    )


SLOTS = {court: slots_of(court) for court in USES}
BOOKABLE = [member for family in SLOTS.values() for member in family if member.start]


def taken_at(where: Situation, court: str, moment: datetime, *, leases: bool) -> int:
    """Return how many spaces of a court are booked at a moment; with `leases`, also those that are leased."""
    return sum(
        1
        for record in where.records.values()
        if record.kind is RecordKind.ORDER or (leases and where.holds_spaces(record))
        for booked in items_of(record).values()
        if booked.status not in CANCELLED and _covers(where.opportunities.get(booked.path), court, moment)
    )


def _covers(member: Opportunity | None, court: str, moment: datetime) -> bool:
    if member is None or member.start is None or member.end is None:
        return False
    return member.court == court and member.start <= moment < member.end


def expected_left(where: Situation, member: Opportunity) -> int:
    """Return how many spaces of a Slot are left, counted every half an hour."""
    assert member.start is not None
    assert member.end is not None
    halves = range((member.end - member.start) // HALF_AN_HOUR)
    moments = [member.start + number * HALF_AN_HOUR for number in halves]
    most = max(taken_at(where, member.court, moment, leases=True) for moment in moments)
    return max((member.capacity or 0) - most, 0) if member.takes_place else 0


class Desk:
    """Makes random commands about the courts."""

    def __init__(self, dice: int) -> None:
        self._chance = Random(dice)  # noqa: S311 - a history is told again as it was
        self._uuids = (f"00000000-0000-4000-8000-{number:012}" for number in count())

    def next_command(self, where: Situation) -> Command[Any]:
        """Return a command that fits the situation."""
        records = list(where.records.values())
        orders = [record for record in records if record.kind is RecordKind.ORDER]
        quotes = [record for record in records if record.kind is RecordKind.QUOTE]
        choices: list[Callable[[], Command[Any]]] = [
            *[lambda: book(self._asked(), uuid=next(self._uuids))] * 3,
            *[lambda: quote(self._asked(), uuid=next(self._uuids))] * 2,
            lambda: self.publish(where),
            lambda: self.move(where),
            lambda: Withdraw(sources=frozenset({self._slot().source}), actor=MANAGER),
            lambda: CancelOpportunity(opportunity=self._slot().path, actor=MANAGER),
            ExpireLeases,
        ]
        if orders:
            uuid = self._chance.choice(orders).uuid
            choices += [
                lambda: Cancel(caller=ALICE, uuid=uuid, numbers=(1,)),
                lambda: DeleteOrder(caller=ALICE, uuid=uuid),
                lambda: self.replace(OrderKey("alice", uuid)),
            ]
        if quotes:
            held = self._chance.choice(quotes)
            choices += [
                lambda: quote(self._asked(), uuid=held.uuid),
                lambda: DeleteQuote(caller=ALICE, uuid=held.uuid),
                lambda: self.book_quoted(held),
            ]
        return self._chance.choice(choices)()

    def _slot(self) -> Opportunity:
        return self._chance.choice(BOOKABLE)

    def _asked(self) -> OrderRequest:
        chosen = [self._slot() for _ in range(self._chance.choice([1, 1, 2, 3]))]
        items = [item([member], position) for position, member in enumerate(chosen)]
        return request(*items, total_payment_due=PRICE * len(items))

    def book_quoted(self, record: Record) -> Command[Any]:
        """Return B of the Slots that a quote leases."""
        members = [next(m for m in BOOKABLE if m.path == held.path) for held in items_of(record).values()]
        items = [item([member], position) for position, member in enumerate(members)]
        return book(request(*items, total_payment_due=PRICE * len(items)), uuid=record.uuid)

    def replace(self, order: OrderKey) -> Command[Any]:
        """Return the replacement of the first item of an Order."""
        member = self._slot()
        return Replace(
            order=order, number=1, opportunity=member.path, offer=member.offers[0].ref, nonce="r", actor=MANAGER
        )

    def publish(self, where: Situation) -> Command[Any]:
        """Return the publication of a Slot as it was first, unless it is booked at another time."""
        member = self._slot()
        stored = where.opportunities.get(member.path, member)
        moves = where.spaces_of(member.path) != Spaces() and stored.start != member.start
        return Publish((stored if moves else member,), actor=MANAGER)

    def move(self, where: Situation) -> Command[Any]:
        """Move a Slot that nobody has booked or leased; a booked one could be moved to a time that is sold."""
        free = [member for member in BOOKABLE if where.spaces_of(member.path) == Spaces()]
        if not free:
            return self.publish(where)
        begins, length = self._chance.choice(range(0, 180, 30)), self._chance.choice([60, 90])
        return Publish((at(self._chance.choice(free), begins, length),), actor=MANAGER)


@pytest.mark.spec("OB-BKBL-33")
@pytest.mark.no_cover
@given(dice=st.integers(0, 2**32), steps=st.integers(5, 40))
@settings(max_examples=examples(40))
def test_no_court_is_sold_twice_and_every_slot_shows_what_is_left(dice: int, steps: int) -> None:
    desk = Desk(dice)
    where = situation(*SLOTS.values())
    for _ in range(steps):
        before = replace(where, touched=frozenset(), now=where.now + timedelta(minutes=1))
        before = replace(before, spaces=dict.fromkeys(before.opportunities, Spaces()) | counted(before))
        where, _ = fold(before, [desk.next_command(before)])
        for member in where.opportunities.values():
            if member.court:
                check_slot(before, where, member)


def check_slot(before: Situation, where: Situation, member: Opportunity) -> None:
    """Check the spaces left of one Slot, and that its feed item is written again if they have changed."""
    expected = expected_left(where, member)
    assert spaces_left(member, where.spaces_taken(member.path)) == expected
    known = before.opportunities.get(member.path)
    if known is None or expected_left(before, known) != expected:
        assert member.path in where.touched
    assert member.start is not None
    court = member.court.rpartition("/")[2].rpartition("-")[2]
    assert taken_at(where, member.court, member.start, leases=False) <= USES[court]


def test_the_histories_sell_refuse_and_replace_slots_of_both_courts() -> None:
    outcomes: Counter[str] = Counter()
    for dice in range(60):
        desk, where = Desk(dice), situation(*SLOTS.values())
        for _ in range(40):
            command = desk.next_command(where)
            where, (outcome,) = fold(replace(where, touched=frozenset()), [command])
            refused = isinstance(outcome, Exception) or getattr(outcome, "has_errors", False)
            outcomes[f"{type(command).__name__} {'refused' if refused else 'granted'}"] += 1
    wanted = ["Book granted", "Book refused", "Quote granted", "Quote refused", "Replace granted", "Withdraw granted"]
    assert min(outcomes[name] for name in wanted) > 10, outcomes
