"""The Booking System of the sandbox (`Instance`), with its clock, its faults and its simulated Seller."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace
from starlette.types import Receive, Scope, Send

from openbooking.booking.model.order import OrderKey
from openbooking.openactive.errors import OpenBookingError
from openbooking.sandbox.control.actions import Action
from openbooking.sandbox.control.doing import NO_SUBJECT, Doing, Subject
from openbooking.sandbox.control.gate import Gate
from openbooking.sandbox.control.seller import SimulatedSeller
from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import BOOKING, FLOW
from openbooking.sandbox.faults.playing import Watch
from openbooking.sandbox.turned_clock import TurnedClock
from openbooking.settings import Settings
from openbooking.system import System, open_system, run_upkeep
from openbooking.user_error import UserError
from openbooking.web.app import Application, create_app

BROKER = "demo"

_MOST_DOINGS = 1_000
_LOOK_SECONDS = 0.1

T = TypeVar("T")


class Start(NamedTuple):
    """What the sandbox starts with, and returns to at a reset.

    Attributes:
        database: The file with the Sellers, their Opportunities and the Booking Partners, which is not changed.
        keys: The API keys of the Booking Partners, by their keys.
    """

    database: Path
    keys: Mapping[str, str]


class Reaction:
    """The base of what a scenario does when a request is answered; it does nothing."""

    async def react(self, exchange: Exchange) -> None:
        """React to an exchange before its answer is sent."""


class Instance:
    """The Booking System of the sandbox. It is an ASGI application, which `opened` opens.

    The control has a Booking System of its own on the same database, as commands of the command line have.

    Args:
        settings: The settings, with the path of the database that is made from the start.
        start: What the sandbox starts with.
    """

    def __init__(self, settings: Settings, start: Start) -> None:
        self.settings = settings
        # The API keys of the Booking Partners now, by their keys.
        self.keys = dict(start.keys)
        self.clock = TurnedClock()
        self.reaction = Reaction()
        self._start = start
        self._gate = Gate()
        self._lock = asyncio.Lock()
        self._doings: list[Doing] = []
        self._app: Application | None = None
        self._system: System | None = None
        self._opened = AsyncExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        brokers = {secret: key for key, secret in start.keys.items()}
        self.watch = Watch(self._serve, settings, self.clock, brokers, self._react)

    @property
    def system(self) -> System:
        """The Booking System of the control."""
        if self._system is None:
            raise RuntimeError("The sandbox is not open.")
        return self._system

    @property
    def api_key(self) -> str:
        """The API key of the Broker under test."""
        return self.keys[BROKER]

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Open the Booking System in its start state, and close it at the end of the context."""
        await self._open()
        self._loop = asyncio.get_running_loop()
        due = asyncio.create_task(self._do_when_due())
        try:
            yield
        finally:
            due.cancel()
            with suppress(asyncio.CancelledError):
                await due
            await self._opened.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to the Booking System."""
        await self.watch(scope, receive, send)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the event loop of the server, and return its result to another thread."""
        if self._loop is None:
            raise RuntimeError("The sandbox is not open.")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def reset(self) -> None:
        """Return to the start state: bookings, access, clock, faults, actions and exchanges."""
        async with self._lock, self._gate.closed():
            await self._opened.aclose()
            self.clock.turn_back()
            self.watch.forget()
            self._doings.clear()
            self.keys.update(self._start.keys)
            await self._open()

    async def turn_clock(self, by: timedelta) -> None:
        """Turn the clock forwards. What is due on the way is done at its time, and the upkeep is run."""
        async with self._lock:
            goal = self.clock.turned + by
            while due := [each for each in self.waiting() if each.due <= self.clock() + goal - self.clock.turned]:
                self.clock.turn(max(due[0].due - self.clock(), timedelta()))
                await self._do(due[0])
            self.clock.turn(max(goal - self.clock.turned, timedelta()))
            await run_upkeep(self.system)

    async def act(self, action: Action, subject: Subject | None = None) -> Doing:
        """Do an action of the Seller, or put it off until it is due.

        Args:
            action: The action.
            subject: What the action is about if it names nothing; None for what was booked last.
        """
        async with self._lock:
            about = subject or self.subject()
            doing = Doing(action=action, due=self.clock() + timedelta(seconds=action.after_seconds), subject=about)
            self._doings = [*self._doings[-_MOST_DOINGS:], doing]
            return doing if action.after_seconds else await self._do(doing)

    def doings(self) -> Sequence[Doing]:
        """Return the last actions, oldest first."""
        return self._doings

    def waiting(self) -> list[Doing]:
        """Return the actions that wait, that which is due first comes first."""
        return sorted((each for each in self._doings if each.waits), key=lambda each: each.due)

    def subject(self) -> Subject:
        """Return what the Brokers booked or asked for last."""
        found = NO_SUBJECT
        for exchange in reversed(self.watch.record.all()):
            found = self.subject_of(exchange, found)
            if found.order and found.opportunity:
                break
        return found

    def subject_of(self, exchange: Exchange, known: Subject = NO_SUBJECT) -> Subject:
        """Return the Order and the Opportunity of an exchange, unless they are known."""
        order, path = known
        if order is None and exchange.operation in BOOKING and exchange.status == HTTPStatus.CREATED:
            order = OrderKey(exchange.broker or BROKER, exchange.uuid)
        if path is None and exchange.operation in FLOW:
            ids = (opportunity for opportunity, _ in sorted(exchange.ordered()))
            path = next(filter(None, map(self.system.ids.parse_opportunity, ids)), None)
        return Subject(order, path)

    async def _open(self) -> None:
        """Copy the database of the start, and open the Booking System on it."""
        path = Path(self.settings.database)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        await asyncio.to_thread(shutil.copyfile, self._start.database, path)
        self._opened = AsyncExitStack()
        self._system = await self._opened.enter_async_context(open_system(self.settings, self.clock, serves=False))
        self._app = create_app(self.settings, self.clock)
        await self._opened.enter_async_context(self._app.router.lifespan_context(self._app))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._gate.inside():
            assert self._app  # noqa: S101 - requests come while the sandbox is open
            await self._app(scope, receive, send)

    async def _react(self, exchange: Exchange) -> None:
        await self.reaction.react(exchange)

    async def _do(self, doing: Doing) -> Doing:
        """Do an action now, and keep what came of it."""
        now = replace(doing, began=self.clock.real_seconds())
        try:
            did = await SimulatedSeller(self.system, BROKER, self.keys).do(doing.action, doing.subject)
        except (OpenBookingError, UserError) as refusal:
            outcome = replace(now, refused=str(refusal))
        else:
            outcome = replace(now, done=did)
        self._doings = [outcome if each is doing else each for each in self._doings]
        return outcome

    async def _do_when_due(self) -> None:
        """Do the actions that were put off, when the clock reaches their times."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if any(each.due <= self.clock() for each in self.waiting()):
                async with self._lock:
                    for each in self.waiting():
                        if each.due <= self.clock():
                            await self._do(each)
