"""Every point of the journal with every fault: the process ends or a step fails there, and recovery makes it right.

The flow of a purchase is driven by hand, and stopped at each of its steps in turn. Then the process starts again and
recovers. A payment must be captured if and only if its Order exists, and no payment may stay authorised. A basket that
was not booked is then booked again, and the same must hold.

`make fire` stops each step in each way on both databases. Otherwise each step is stopped in one of these ways.
"""

from contextlib import suppress
from typing import NamedTuple

import pytest

from openbooking.broker.money.errors import WrongStateError
from openbooking.broker.money.recovery import FINISHED_WITHIN_SECONDS
from support.money.booking_system import ATTEMPTS, Fault, order
from support.money.payments import PaymentFault
from support.money.world import RETRIES, Kind, Stop, World

ALL_TEMPORARY = RETRIES.attempts


class Faults(NamedTuple):
    """The faults of one purchase: those of requests by their kind, and those of hooks by their name."""

    name: str
    system: dict[str, list[Fault]] = {}  # noqa: RUF012 - never changed
    provider: dict[str, list[PaymentFault]] = {}  # noqa: RUF012 - never changed

    def apply(self, world: World) -> None:
        world.system.faults.update({kind: list(faults) for kind, faults in self.system.items()})
        world.provider.faults.update({hook: list(faults) for hook, faults in self.provider.items()})


REVERSED = {"B": [Fault.FATAL_AFTERWARDS] * 3}
ANY = [fault for fault in Fault if fault not in {Fault.OUTDATED, Fault.NOT_ALLOWED, Fault.REJECTED_BEFORE}]
CASES = [
    Faults("none"),
    *(Faults(f"B {fault.name} once", {"B": [fault]}) for fault in ANY),
    *(
        Faults(f"B {fault.name} for all attempts", {"B": [fault] * ATTEMPTS})
        for fault in (Fault.BUSY, Fault.LIMITED, Fault.SILENT, Fault.LOST)
    ),
    Faults("B LOST, then REFUSED", {"B": [Fault.LOST, Fault.REFUSED]}),
    Faults("C2 DEARER", {"B": [Fault.FATAL], "C2": [Fault.DEARER]}),
    Faults("C2 SILENT for all attempts", {"B": [Fault.FATAL], "C2": [Fault.SILENT] * ATTEMPTS}),
    Faults("DELETE fails for all attempts", {**REVERSED, "DELETE": [Fault.BUSY, Fault.LOST, Fault.SILENT]}),
    *(
        Faults(f"{hook} {fault.name}", REVERSED if hook == "void" else {}, {hook: [fault] * ALL_TEMPORARY})
        for hook in ("authorise", "capture", "void")
        for fault in PaymentFault
    ),
]
KINDS = {
    "ends before the step": (Kind.BEFORE, 0),
    "ends after the step": (Kind.AFTER, 0),
    "ends after the step, long ago": (Kind.AFTER, FINISHED_WITHIN_SECONDS + 1),
    "the step fails": (Kind.ERROR, 0),
    "the step fails after it was done": (Kind.ERROR_AFTER, 0),
}


def outcome(location: str, faults: Faults, stop: Stop | None, seconds: float) -> tuple[World, list[str]]:
    """Book one Order and recover; return what is wrong then."""
    world = World(location)
    try:
        faults.apply(world)
        basket = world.basket()
        with suppress(Exception):
            world.run(world.purchases.book(basket, order()), stop)
        steps = world.steps
        world.restart()
        world.time += seconds
        world.heal()
        report = world.recover()
        wrong = world.faults()
        wrong += [f"{left.words} {left.fault}" for left in (*report.left, *world.run(world.recovery.unfinished()))]
        with suppress(WrongStateError):
            world.run(world.purchases.book(world.run(world.purchases.order_to_quote(basket)), order()))
        wrong += [*world.faults(), *([] if len(world.system.live) == 1 else ["the basket is not booked"])]
        world.steps = steps
        return world, wrong
    finally:
        world.close()


def check(location: str, faults: Faults, *, all_kinds: bool) -> None:
    """Stop the purchase at each step, in each way or in one way after the other."""
    world, wrong = outcome(location, faults, None, 0)
    assert wrong == []
    for step in range(1, world.steps + 1):
        kinds = list(KINDS) if all_kinds else [list(KINDS)[(step + len(faults.name)) % len(KINDS)]]
        for name in kinds:
            kind, seconds = KINDS[name]
            _, wrong = outcome(location, faults, Stop(step, kind), seconds)
            assert wrong == [], f"at step {step}: {name}"


@pytest.mark.spec("OB-BRK-02", "OB-BRK-03", "OB-BRK-10")
@pytest.mark.parametrize("faults", CASES, ids=lambda faults: faults.name)
@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_recovery_makes_money_and_orders_agree_after_every_point(
    location: str, faults: Faults, is_long_run: bool
) -> None:
    check(location, faults, all_kinds=is_long_run)


@pytest.mark.parametrize("location", ["postgresql"], indirect=True)
def test_recovery_makes_money_and_orders_agree_on_postgres(location: str, is_long_run: bool) -> None:
    for faults in CASES if is_long_run else CASES[:1]:
        check(location, faults, all_kinds=is_long_run)
