"""Answers as the middleware of the sandbox holds them, before they are sent."""

import zlib
from collections.abc import Mapping
from http import HTTPStatus
from secrets import token_hex
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openbooking.jsonld.write_order import write_error
from openbooking.openactive.errors import (
    InternalApplicationError,
    OpenBookingError,
    TemporarilyUnableToCreateOrderError,
    TemporarilyUnableToDeleteOrderError,
    TemporarilyUnableToProduceOrderQuoteError,
    TemporarilyUnableToUpdateOrderError,
    TemporarilyUnavailableError,
    TooManyRequestsError,
)
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.faults.plans import FaultKind, FaultPlan

Headers = list[tuple[bytes, bytes]]

_GZIP_FORMAT = 31
_UNAVAILABLE: Mapping[Operation, type[OpenBookingError]] = {
    Operation.C1: TemporarilyUnableToProduceOrderQuoteError,
    Operation.C2: TemporarilyUnableToProduceOrderQuoteError,
    Operation.P: TemporarilyUnableToCreateOrderError,
    Operation.B: TemporarilyUnableToCreateOrderError,
    Operation.CANCEL: TemporarilyUnableToUpdateOrderError,
    Operation.UPDATE_PROPOSAL: TemporarilyUnableToUpdateOrderError,
    Operation.DELETE_ORDER: TemporarilyUnableToDeleteOrderError,
    Operation.DELETE_QUOTE: TemporarilyUnableToDeleteOrderError,
}


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes

    def text(self) -> str:
        """Return the body as text, decompressed."""
        coded = dict(self.headers).get(b"content-encoding") == b"gzip"
        return (zlib.decompress(self.body, _GZIP_FORMAT) if coded else self.body).decode(errors="replace")

    async def send(self, send: Send) -> None:
        """Send the whole answer."""
        await self._start(send)
        await send({"type": "http.response.body", "body": self.body})

    async def send_half(self, send: Send) -> None:
        """Send the headers and half of the body."""
        await self._start(send)
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})


async def answer_of(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """Run an application to the end of one request, and return its answer."""
    status, headers, body = 0, Headers(), bytearray()

    async def keep(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", ()))
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, keep)
    return Answer(status, headers, bytes(body))


def error_answer(plan: FaultPlan, operation: Operation) -> Answer:
    """Return the error with which a request is answered by a 500, 503 or 429 (OB 10.2.2.5, 11.5)."""
    class_ = {
        FaultKind.FAILED: InternalApplicationError,
        FaultKind.TOO_MANY_REQUESTS: TooManyRequestsError,
    }.get(plan.kind, _UNAVAILABLE.get(operation, TemporarilyUnavailableError))
    body = write_error(class_("The sandbox plays this fault."), token_hex(8))
    headers = {"content-type": BOOKING_MEDIA_TYPE, "content-length": str(len(body)), "cache-control": "no-store"}
    if plan.retry_after_seconds is not None:
        headers["retry-after"] = str(plan.retry_after_seconds)
    status = HTTPStatus(class_.status)
    return Answer(status, [(name.encode(), value.encode()) for name, value in headers.items()], body)
