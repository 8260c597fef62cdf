"""The middleware outside of the Booking System (`Watch`): it records each exchange and plays faults."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from msgspec.structs import replace
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import FEEDS, Asked, OperationFinder
from openbooking.sandbox.exchanges.record import Record
from openbooking.sandbox.faults.answers import Answer, answer_of, error_answer
from openbooking.sandbox.faults.connection import closer_of
from openbooking.sandbox.faults.page_memory import PageAddress, PageMemory
from openbooking.sandbox.faults.plans import PAGE_FAULTS, REFUSALS, Facts, FaultKind, FaultPlan, FaultPlans
from openbooking.sandbox.turned_clock import TurnedClock
from openbooking.settings import Settings
from openbooking.web.observe import notes_of

_LATER_FAULTS = frozenset(FaultKind) - REFUSALS
_CLOSING = frozenset({FaultKind.LOST, FaultKind.CUT})
_SECRET_HEADER = "authorization"  # noqa: S105 - the name of a header
_SHORTEST_CUT = 2

React = Callable[[Exchange], Awaitable[None]]


class _Request(NamedTuple):
    """A request of a Broker that was read to its end."""

    asked: Asked
    facts: Facts
    address: PageAddress
    headers: Headers
    body: bytes

    @property
    def secret(self) -> str:
        """The API key; empty if there is none."""
        return self.headers.get(_SECRET_HEADER, "").removeprefix("Bearer ")


class Watch:
    """The middleware outside of the Booking System.

    Args:
        app: The Booking System.
        settings: Its settings.
        clock: Its clock.
        brokers: The keys of Booking Partners, by their API keys. Further keys are learned from what they succeed at.
        react: Called with each exchange after it is recorded, and before its answer is sent.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, clock: TurnedClock, brokers: Mapping[str, str], react: React
    ) -> None:
        self._app = app
        self._settings = settings
        self._clock = clock
        self._brokers = dict(brokers)
        self._react = react
        self._finder = OperationFinder(settings)
        self.record, self.plans, self._pages = Record(), FaultPlans(), PageMemory()

    def forget(self) -> None:
        """Forget all exchanges, plans and pages."""
        self.record.clear()
        self.plans.clear()
        self._pages.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request of a Broker to the Booking System, record it with its answer, and play the fault it meets."""
        asked = self._finder.find(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        body = await _read(receive, self._settings.max_body_bytes)
        if body is None:
            return
        request = self._request(scope, asked, body)
        began, at = self._clock.real_seconds(), self._clock()
        plan = self.plans.take(REFUSALS, request.facts, lambda _: True)
        if plan:
            answer = error_answer(plan, asked.operation)
        else:
            answer = await answer_of(self._app, scope, _again(body, receive))
            self._learn(request, scope)
            plan, answer = self._fault(request, answer)
        is_closed = plan is not None and plan.kind in _CLOSING
        exchange = self.record.add(
            at=at,
            began=began,
            seconds=self._clock.real_seconds() - began,
            **self._facts(request, answer),
            fault=plan.kind.value if plan else "",
            arrived=not is_closed,
        )
        await self._react(exchange)
        if not await _send(plan, answer, scope, receive, send) and exchange.arrived:
            self.record.replace(replace(exchange, arrived=False))

    def _request(self, scope: Scope, asked: Asked, body: bytes) -> _Request:
        headers = Headers(scope=scope)
        query = scope["query_string"].decode("latin-1")
        path = f"{scope['path']}?{query}" if query else scope["path"]
        site = self._settings.site.removesuffix(self._settings.site_path)
        address = PageAddress(headers.get(_SECRET_HEADER, ""), scope["path"], site + path)
        return _Request(asked, Facts(asked.operation, scope["method"], path), address, headers, body)

    def _learn(self, request: _Request, scope: Scope) -> None:
        """Note which Booking Partner the Booking System recognised by the API key of a request."""
        partner = notes_of(scope).partner
        if partner:
            self._brokers[request.secret] = partner

    def _fault(self, request: _Request, answer: Answer) -> tuple[FaultPlan | None, Answer]:
        """Return the plan of the fault that an answered request meets, and the answer that it has then."""

        def can_play(kind: FaultKind) -> bool:
            if kind in PAGE_FAULTS:
                return self._pages.earlier(kind, request.address, answer) is not None
            return kind is not FaultKind.CUT or len(answer.body) >= _SHORTEST_CUT

        plan = self.plans.take(_LATER_FAULTS, request.facts, can_play)
        if plan and plan.kind in PAGE_FAULTS:
            return plan, self._pages.earlier(plan.kind, request.address, answer) or answer
        if plan and plan.kind is FaultKind.FAILED:
            return plan, error_answer(plan, request.asked.operation)
        if request.asked.operation in FEEDS:
            self._pages.keep(request.address, answer)
        return plan, answer

    def _facts(self, request: _Request, answer: Answer) -> dict[str, object]:
        return {
            "broker": self._brokers.get(request.secret, ""),
            "operation": request.asked.operation,
            "uuid": request.asked.uuid,
            "method": request.facts.method,
            "path": request.facts.path,
            "headers": {name: value for name, value in request.headers.items() if name != _SECRET_HEADER},
            "body": request.body.decode(errors="replace"),
            "status": int(answer.status),
            "answer_headers": {name.decode(): value.decode("latin-1") for name, value in answer.headers},
            "answer": answer.text(),
        }


async def _read(receive: Receive, most: int) -> bytes | None:
    """Return the body of a request, up to a byte more than the Booking System accepts; None if the sender has left."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > most:
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a function that receives a body that was read before, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


async def _send(plan: FaultPlan | None, answer: Answer, scope: Scope, receive: Receive, send: Send) -> bool:
    """Send an answer as far as the fault lets it arrive; return whether all of it was sent."""
    kind = plan.kind if plan else None
    if plan and kind is FaultKind.SILENCE:
        with suppress(TimeoutError):
            await asyncio.wait_for(_disconnected(receive), plan.seconds)
            return False
    if kind not in _CLOSING:
        await answer.send(send)
        return True
    if kind is FaultKind.CUT:
        await answer.send_half(send)
    closer_of(scope)()
    await _disconnected(receive)
    return False


async def _disconnected(receive: Receive) -> None:
    """Wait until the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass
