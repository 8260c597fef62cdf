"""A Broker's database, a Booking System and a payment provider, and a driver that can stop a flow at any step."""

import uuid
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

from openbooking.broker.api.retries import Retries
from openbooking.broker.flow import Flow, Hook, Pause, Request, Step, Work
from openbooking.broker.money.journal import Journal
from openbooking.broker.money.purchases import Purchases
from openbooking.broker.money.recovery import Recovery, Report
from openbooking.broker.money.steps import Steps
from openbooking.broker.store.database import DatabaseError, open_database
from support.money.booking_system import SELLER, BookingSystem, api
from support.money.payments import Provider

Result = TypeVar("Result")
RETRIES = Retries(attempts=2, first_pause=1)
MOST_STEPS = 500
SITE = "https://booking.example/openactive"


def fast_folder() -> TemporaryDirectory[str]:
    """Return a temporary folder, in memory if the machine has one there, where a commit takes no time."""
    memory = Path("/dev/shm")  # noqa: S108 - only the parent of a folder with a random name
    return TemporaryDirectory(dir=memory if memory.is_dir() else None)


class Kind(StrEnum):
    """How a flow is stopped."""

    BEFORE = "the process ends before the step"
    AFTER = "the process ends after the step"
    ERROR = "the step raises an error"
    ERROR_AFTER = "the step is done and raises an error"


class Stop(NamedTuple):
    """The number of the step at which a flow is stopped, from 1, and how."""

    step: int
    kind: Kind


class StoppedError(Exception):
    """The process has ended."""


class World:
    """All that survives the end of the Broker's process, and the process."""

    def __init__(self, location: str) -> None:
        self._location = location
        self.system = BookingSystem()
        self.provider = Provider()
        self.time = 1_000_000.0
        self.steps = 0
        self.suspended = list[Flow[Any]]()
        self.start()

    def start(self) -> None:
        """Start the Broker's process."""
        self.database = open_database(self._location)
        self.journal = Journal(self.database, SITE, lambda: self.time)
        steps = Steps(api, self.provider, RETRIES)
        self.purchases = Purchases(self.journal, steps)
        self.recovery = Recovery(self.journal, self.purchases, steps)

    def basket(self) -> uuid.UUID:
        """Begin a basket, and return its Order UUID."""
        return self.run(self.purchases.begin(SELLER))

    def restart(self) -> None:
        """End the process, and start it again."""
        self.database.close()
        self.start()

    def close(self) -> None:
        self.database.close()

    def heal(self) -> None:
        """Let nothing go wrong from now on."""
        for faulty in (self.system, self.provider):
            faulty.faults.clear()
            faulty.always.clear()

    def run(self, flow: Flow[Result], stop: Stop | None = None) -> Result:
        """Carry out a flow, up to a stop."""
        self.steps = 0
        advance: Callable[[], Any] = partial(next, flow)
        while self.steps < MOST_STEPS:
            try:
                step = advance()
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            self.steps += 1
            advance = self._outcome(flow, step, stop.kind if stop and stop.step == self.steps else None)
        raise AssertionError("The flow does not end.")

    def _outcome(self, flow: Flow[Any], step: Step, stop: Kind | None) -> Callable[[], Any]:
        """Do a step, unless it is stopped before, and return how the flow goes on."""
        injected = DatabaseError("disk full") if isinstance(step, Work) else OSError("injected")
        if stop is Kind.ERROR:
            return partial(flow.throw, injected)
        advance: Callable[[], Any] = partial(next, flow)
        if stop is not Kind.BEFORE:
            try:
                advance = partial(flow.send, self._do(step))
            except Exception as fault:  # noqa: BLE001 - the flow decides what an error means
                advance = partial(flow.throw, fault)
        if stop in (Kind.BEFORE, Kind.AFTER):
            flow.close()
            raise StoppedError
        return partial(flow.throw, injected) if stop is Kind.ERROR_AFTER else advance

    def _do(self, step: Step) -> object:
        match step:
            case Request():
                return self.system.answer(step)
            case Pause(seconds):
                self.time += seconds
                return None
            case Work(function) | Hook(function):
                return function()

    def recover(self, **arguments: Any) -> Report:
        return self.run(self.recovery.recover(**arguments))

    def faults(self) -> list[str]:
        """Return what is wrong once all purchases are finished."""
        captured, live = self.provider.having("captured"), self.system.live
        wrong = [*self.provider.violations, *self.system.violations]
        wrong += [f"{key} is still authorised" for key in self.provider.having("authorised")]
        orders = {str(charge.order) for name, charge in self.provider.calls if name == "capture"} & live.keys()
        if len(captured) != len(live) or len(orders) != len(live):
            wrong.append(f"{len(captured)} payments are captured, and {len(live)} Orders exist")
        return wrong
