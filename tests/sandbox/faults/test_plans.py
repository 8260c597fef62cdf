"""Plans of faults choose the requests that meet a fault."""

import pytest

from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.faults.plans import MOST_PLANS, Facts, FaultKind, FaultPlan, FaultPlans, TooManyPlansError

BOOKING = Facts(Operation.B, "PUT", "/api/orders/x")
LOST, SILENCE = FaultPlan(kind=FaultKind.LOST), FaultPlan(kind=FaultKind.SILENCE)


def played(plans: FaultPlans, requests: int, *, can_play: bool = True) -> list[FaultKind | None]:
    taken = [plans.take(frozenset(FaultKind), BOOKING, lambda _: can_play) for _ in range(requests)]
    return [plan.kind if plan else None for plan in taken]


def test_a_plan_without_a_number_is_for_one_request() -> None:
    plans = FaultPlans()
    plans.add(LOST)
    assert played(plans, 2) == [FaultKind.LOST, None]


def test_the_first_plan_that_fits_is_played() -> None:
    plans = FaultPlans()
    for plan in (FaultPlan(kind=FaultKind.CUT, operation=frozenset({Operation.C1})), LOST, SILENCE):
        plans.add(plan)
    assert played(plans, 3) == [FaultKind.LOST, FaultKind.SILENCE, None]
    assert [plan.kind for plan in plans.all()] == [FaultKind.CUT]


def test_a_fault_that_cannot_be_played_is_not_counted() -> None:
    plans = FaultPlans()
    plans.add(LOST)
    assert played(plans, 3, can_play=False) == [None, None, None]
    assert plans.all() == [FaultPlan(kind=FaultKind.LOST, next=1)]


def test_a_share_is_chosen_in_the_same_way_after_each_reset() -> None:
    plans, often = FaultPlans(), FaultPlan(kind=FaultKind.LOST, share=0.5)
    plans.add(often)
    first = played(plans, 50)
    assert 10 < first.count(FaultKind.LOST) < 40
    plans.clear()
    plans.add(often)
    assert played(plans, 50) == first


def test_a_share_may_have_a_number() -> None:
    plans = FaultPlans()
    plans.add(FaultPlan(kind=FaultKind.LOST, share=0.5, next=3))
    assert played(plans, 100).count(FaultKind.LOST) == 3


def test_the_plans_are_limited() -> None:
    plans = FaultPlans()
    for _ in range(MOST_PLANS):
        plans.add(LOST)
    with pytest.raises(TooManyPlansError):
        plans.add(LOST)
