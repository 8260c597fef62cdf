"""The spaces left of an Opportunity, and the errors of the items that exceed them."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import CourtTime, Opportunity
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.capacity import (
    court_of,
    excess_errors,
    first_without_spaces,
    max_spaces,
    remaining_spaces,
    spaces_left,
)
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import EventStatus
from support.builders import NOW, on_demand_event, session, slot

FULL = ItemErrorType.OPPORTUNITY_IS_FULL
RESERVED = ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE
TOO_MANY = ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY
NONE = Spaces()
YOGA = session(capacity=5)[-1]


@dataclass
class Case:
    """A request for spaces, and the errors of its items."""

    wanted: int
    errors: list[ItemErrorType | None]
    booked: int = 0
    leased: int = 0
    own: Spaces = NONE

    @property
    def released(self) -> dict[str, Spaces]:
        """The spaces that the Order has itself."""
        return {YOGA.path: Spaces(-self.own.booked, -self.own.leased)}


def where(*members: Opportunity, **spaces: Spaces) -> Situation:
    """Return a situation with some Opportunities; `spaces` are taken, by key."""
    taken = {member.path: spaces.get(member.path.partition("/")[2], NONE) for member in members}
    return Situation(now=NOW, policy=Policy(), opportunities={m.path: m for m in members}, spaces=taken)


@pytest.mark.spec("OB-VAL-17", "OB-VAL-19")
@pytest.mark.parametrize(
    "case",
    [
        Case(5, [None] * 5),
        Case(6, [*[None] * 5, TOO_MANY]),
        Case(10, [None, None, *[RESERVED] * 3, *[TOO_MANY] * 5], leased=3),
        Case(3, [None, None, RESERVED], leased=3),
        Case(2, [FULL, FULL], booked=5),
        Case(2, [FULL, FULL], booked=6),
        Case(2, [RESERVED, TOO_MANY], booked=4, leased=1),
        Case(3, [None, None, None], leased=3, own=Spaces(leased=3)),
        Case(4, [None, None, None, RESERVED], leased=4, own=Spaces(leased=2)),
        Case(6, [*[None] * 4, RESERVED, TOO_MANY], leased=2, own=Spaces(leased=1)),
        Case(2, [None, TOO_MANY], booked=5, own=Spaces(booked=1)),
        Case(0, []),
    ],
    ids=str,
)
def test_each_item_beyond_the_free_spaces_has_the_error_of_its_reason(case: Case) -> None:
    situation = where(YOGA, s1=Spaces(case.booked, case.leased))
    assert list(excess_errors(situation, [YOGA.path] * case.wanted, case.released)) == case.errors


@pytest.mark.parametrize(
    ("spaces", "own", "expected"),
    [
        (Spaces(), NONE, 5),
        (Spaces(booked=2, leased=1), NONE, 2),
        (Spaces(booked=2, leased=1), Spaces(leased=1), 3),
        (Spaces(booked=2, leased=1), Spaces(booked=2), 4),
        (Spaces(booked=7), NONE, 0),
    ],
)
def test_the_spaces_that_an_order_holds_are_left_for_it(spaces: Spaces, own: Spaces, expected: int) -> None:
    situation, released = where(YOGA, s1=spaces), {YOGA.path: Spaces(-own.booked, -own.leased)}
    taken = situation.spaces_taken(YOGA.path, released)
    assert remaining_spaces(5, taken) == expected
    assert spaces_left(YOGA, taken) == expected
    assert first_without_spaces(situation, {YOGA.path: expected}, released) is None
    assert first_without_spaces(situation, {YOGA.path: expected + 1}, released) == YOGA.path


def test_an_opportunity_without_a_known_capacity_shows_no_number() -> None:
    made = session(capacity=5)[-1]
    assert spaces_left(replace(made, capacity=None), NONE) is None
    assert spaces_left(replace(made, offers_unknown=True), NONE) is None
    assert spaces_left(replace(slot(capacity=5)[-1], offers_unknown=True), NONE) == 5


@pytest.mark.spec("OB-BKBL-11")
def test_a_slot_that_does_not_take_place_has_no_spaces_left() -> None:
    for status, left in ((EventStatus.CANCELLED, 0), (EventStatus.POSTPONED, 0), (EventStatus.RESCHEDULED, 1)):
        assert spaces_left(slot(status=status)[-1], NONE) == left
    assert spaces_left(session(capacity=5, status=EventStatus.CANCELLED)[-1], NONE) == 5


def test_only_an_opportunity_that_is_available_at_any_time_has_spaces_without_a_capacity() -> None:
    film, unlimited = on_demand_event()[-1], replace(YOGA, capacity=None)
    situation = where(film, unlimited)
    assert first_without_spaces(situation, {film.path: 1_000}) is None
    assert first_without_spaces(situation, {film.path: 1, unlimited.path: 1}) == unlimited.path
    assert first_without_spaces(situation, {"slots/unknown": 1}) == "slots/unknown"


@pytest.mark.spec("OB-BKBL-33")
@pytest.mark.parametrize(("individual", "expected"), [(True, 1), (False, 4)])
def test_a_slot_of_an_individual_facility_has_one_space_at_most(individual: bool, expected: int) -> None:
    family = slot(individual=individual, capacity=4)
    assert max_spaces(family[-1], family[-2]) == expected
    assert max_spaces(replace(family[-1], capacity=0), family[-2]) == 0
    assert max_spaces(replace(family[-1], capacity=None), family[-2]) is None
    assert max_spaces(family[-1], None) == 4


@pytest.mark.spec("OB-BKBL-33")
def test_slots_of_an_individual_facility_share_its_court() -> None:
    own, several = slot(individual=True), slot(individual=False)
    assert court_of(own[-1]) == own[-2].path
    assert court_of(several[-1]) == ""
    assert court_of(replace(several[-1], court=several[0].path)) == several[0].path


def test_only_a_slot_with_a_time_of_a_day_at_most_shares_a_court() -> None:
    made = slot()[-1]
    assert made.start is not None
    day = replace(made, end=made.start + timedelta(days=1))
    assert court_of(day) == made.parent
    assert court_of(replace(day, end=made.start + timedelta(days=1, seconds=1))) == ""
    assert court_of(replace(made, end=made.start)) == ""
    assert court_of(replace(made, end=None)) == ""
    assert court_of(replace(YOGA, court="facility-uses/hall")) == ""


def at_court(key: str, begins: int, minutes: int, capacity: int = 1) -> Opportunity:
    """Return a Slot that begins some minutes from now, on a court that all these Slots share."""
    start = NOW + timedelta(minutes=begins)
    made = slot(key, individual=False, capacity=capacity)[-1]
    return replace(made, court="facility-uses/hall", start=start, end=start + timedelta(minutes=minutes))


LONG, EARLY = at_court("long", 0, 90), at_court("early", 0, 60)
LATE, NEXT = at_court("late", 60, 60), at_court("n", 90, 60)
COURT = (LONG, EARLY, LATE, NEXT)


@pytest.mark.parametrize(
    ("sold", "free"),
    [("long", {"n"}), ("early", {"late", "n"}), ("late", {"early"}), ("n", {"long", "early"})],
)
def test_a_sold_slot_takes_the_court_from_all_slots_that_overlap_it(sold: str, free: set[str]) -> None:
    situation = where(*COURT, **{sold: Spaces(booked=1)})
    left = {slot.path.partition("/")[2]: spaces_left(slot, situation.spaces_taken(slot.path)) for slot in COURT}
    assert left == {key: int(key in free) for key in ("long", "early", "late", "n")}


def test_spaces_of_slots_one_after_the_other_are_not_added() -> None:
    whole = at_court("whole", 0, 60, capacity=4)
    halves = at_court("a", 0, 30, capacity=4), at_court("b", 30, 30, capacity=4)
    situation = where(whole, *halves, a=Spaces(booked=2), b=Spaces(booked=1, leased=2))
    assert spaces_left(whole, situation.spaces_taken(whole.path)) == 1
    assert situation.spaces_taken(whole.path) == Spaces(booked=2, leased=1)


def test_two_overlapping_slots_of_one_request_cannot_both_be_had() -> None:
    situation = where(*COURT)
    assert list(excess_errors(situation, [LONG.path, EARLY.path, NEXT.path], {})) == [None, TOO_MANY, None]
    assert first_without_spaces(situation, {LONG.path: 1, LATE.path: 1}) == LATE.path
    assert first_without_spaces(situation, {EARLY.path: 1, LATE.path: 1}) is None


def test_an_order_can_exchange_its_slot_for_one_that_overlaps_it() -> None:
    situation = where(*COURT, early=Spaces(leased=1))
    assert list(excess_errors(situation, [LONG.path], {})) == [RESERVED]
    assert list(excess_errors(situation, [LONG.path], {EARLY.path: Spaces(leased=-1)})) == [None]


def test_a_slot_on_another_court_is_not_affected() -> None:
    other = replace(at_court("other", 0, 60), court="facility-uses/gym")
    situation = where(*COURT, other, long=Spaces(booked=1))
    assert spaces_left(other, situation.spaces_taken(other.path)) == 1


def test_the_times_of_slots_on_other_courts_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [replace(at_court(str(number), 0, 60), court=f"facility-uses/{number}") for number in range(20)]
    read: list[str] = []

    def court_time(slot: Opportunity) -> CourtTime:
        read.append(slot.path)
        assert slot.start
        assert slot.end
        return CourtTime(slot.court, slot.start, slot.end)

    monkeypatch.setattr(Opportunity, "court_time", property(court_time))
    assert where(*COURT, *others).overlapping_slots(LONG.path).keys() == {EARLY.path, LATE.path}
    assert set(read) == {slot.path for slot in COURT}
