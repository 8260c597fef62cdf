"""What is noted of each request while it is answered: its id, who sent it, and what became of it."""

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from secrets import token_hex

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from openbooking.booking.store import Feed

REQUEST_ID = "X-Request-ID"

_REQUEST_ID = REQUEST_ID.lower().encode()
# Long enough for whatever gateways make, and without anything that could forge a line of a log.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._~+/=:@-]{1,128}")
_NOTES = "openbooking.notes"
# Nothing was changed, and nothing refused.
_QUIET = frozenset({HTTPStatus.OK, HTTPStatus.NOT_MODIFIED})
_METHODS = frozenset({"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"})
_log = structlog.get_logger()


class Notes(msgspec.Struct, kw_only=True):
    """What whoever answers a request notes about it.

    `error` and `item_errors` are names of classes, `read` is a Booking Partner's own feed with the change number after
    which it was asked for; `not_held` is the bound that kept spaces from being held; `status` is 0 until the answer
    begins.
    """

    request_id: str
    status: int = 0
    partner: str = ""
    error: str = ""
    item_errors: tuple[str, ...] = ()
    read: tuple[Feed, int] | None = None
    not_held: str = ""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A request that has been answered. `endpoint` is its path with names for what differs."""

    method: str
    endpoint: str
    seconds: float
    notes: Notes


Observer = Callable[[Answered], None]


class ObservingMiddleware:
    """Gives each request an id, its sender's if that is well-formed; logs it, and tells it to an observer.

    The id is in the headers of every response, in every error and in every line that is logged meanwhile. A path is
    never logged, for some hold secrets; but the UUID of an Order is. Unless `log_all`, requests that were neither
    refused nor changed anything are not logged.
    """

    def __init__(self, app: ASGIApp, *, observe: Observer, log_all: bool) -> None:
        self._app = app
        self._observe = observe
        self._log_all = log_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes = scope[_NOTES] = Notes(request_id=_request_id(scope))
        # An application around this one has left the route that leads here.
        scope["route"] = None
        header = (_REQUEST_ID, notes.request_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                notes.status = int(message["status"])
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        started = time.perf_counter()
        bound = bind_contextvars(request_id=notes.request_id)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            self._note(scope, notes, time.perf_counter() - started)
            reset_contextvars(**bound)

    def _note(self, scope: Scope, notes: Notes, seconds: float) -> None:
        answered = Answered(
            method=scope["method"] if scope["method"] in _METHODS else "other",
            endpoint=getattr(scope.get("route"), "path_format", "none"),
            seconds=seconds,
            notes=notes,
        )
        self._observe(answered)
        if self._log_all or notes.status not in _QUIET:
            _log_request(answered, scope)


def notes_of(scope: Scope) -> Notes:
    """The notes about the request."""
    notes: Notes = scope[_NOTES]
    return notes


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == _REQUEST_ID and _WELL_FORMED.fullmatch(value):
            return str(value, "ascii")
    return token_hex(16)


def _log_request(answered: Answered, scope: Scope) -> None:
    notes = answered.notes
    known = {
        "order": scope.get("path_params", {}).get("uuid"),
        "partner": notes.partner,
        "error": notes.error,
        "item_errors": notes.item_errors,
    }
    _log.info(
        "request",
        method=answered.method,
        endpoint=answered.endpoint,
        status=notes.status,
        seconds=round(answered.seconds, 4),
        **{name: value for name, value in known.items() if value},
    )
