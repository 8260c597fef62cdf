"""The spaces left of an Opportunity, and the errors of the items that exceed them."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from openbooking.booking.model.situation import Spaces
from openbooking.booking.rules.capacity import excess_errors, has_spaces, max_spaces, remaining_spaces, spaces_left
from openbooking.openactive.errors import ItemErrorType
from openbooking.openactive.terms import EventStatus
from support.builders import on_demand_event, session, slot

FULL = ItemErrorType.OPPORTUNITY_IS_FULL
RESERVED = ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE
TOO_MANY = ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY
NONE = Spaces()


@dataclass
class Case:
    """A request for spaces, and the errors of its items."""

    wanted: int
    errors: list[ItemErrorType | None]
    booked: int = 0
    leased: int = 0
    own: Spaces = NONE


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
    assert excess_errors(case.wanted, 5, Spaces(case.booked, case.leased), case.own) == case.errors


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
    assert remaining_spaces(5, spaces, own) == expected
    assert spaces_left(session(capacity=5)[-1], spaces, own) == expected
    assert has_spaces(session(capacity=5)[-1], expected, spaces, own)
    assert not has_spaces(session(capacity=5)[-1], expected + 1, spaces, own)


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
    assert has_spaces(on_demand_event()[-1], 1_000, NONE, NONE)
    assert not has_spaces(session(capacity=None)[-1], 1, NONE, NONE)
    assert not has_spaces(None, 1, NONE, NONE)


@pytest.mark.spec("OB-BKBL-33")
@pytest.mark.parametrize(("individual", "expected"), [(True, 1), (False, 4)])
def test_a_slot_of_an_individual_facility_has_one_space_at_most(individual: bool, expected: int) -> None:
    family = slot(individual=individual, capacity=4)
    assert max_spaces(family[-1], family[-2]) == expected
    assert max_spaces(replace(family[-1], capacity=0), family[-2]) == 0
    assert max_spaces(replace(family[-1], capacity=None), family[-2]) is None
    assert max_spaces(family[-1], None) == 4
