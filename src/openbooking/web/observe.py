"""Request ids, the log of requests, and the facts about each request that logs and metrics need."""

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
# Long enough for the ids of gateways. No character can forge a line of a log.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._~+/=:@-]{1,128}")
_NOTES = "openbooking.notes"
# The statuses of requests that changed nothing and were not refused.
_QUIET = frozenset({HTTPStatus.OK, HTTPStatus.NOT_MODIFIED})
_METHODS = frozenset({"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"})
_log = structlog.get_logger()


class Notes(msgspec.Struct, kw_only=True):
    """Facts about a request, noted by the code that answers it.

    Attributes:
        request_id: The id in the headers of the response and in the log.
        status: The HTTP status; 0 until the answer begins.
        partner: The key of the Booking Partner, once it is authenticated.
        error: The class of the error of the request.
        item_errors: The classes of the errors of its OrderItems.
        read: The Booking Partner's own feed that was read, and the change number after which.
        not_held: The bound that kept spaces from being held.
    """

    request_id: str
    status: int = 0
    partner: str = ""
    error: str = ""
    item_errors: tuple[str, ...] = ()
    read: tuple[Feed, int] | None = None
    not_held: str = ""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A request that has been answered. `endpoint` is the path of its route, with names in place of parameters."""

    method: str
    endpoint: str
    seconds: float
    notes: Notes


Observer = Callable[[Answered], None]


class ObservingMiddleware:
    """Gives each request an id, logs the request and passes it to an observer.

    The id is the sender's if that is well-formed. It is in the headers of the response, in errors and in all lines that
    are logged meanwhile. Paths are not logged, since some hold secrets; the UUIDs of Orders are.

    Args:
        app: The application inside.
        observe: Called with each request after its answer.
        log_all: Whether to log requests too that changed nothing and were not refused.
    """

    def __init__(self, app: ASGIApp, *, observe: Observer, log_all: bool) -> None:
        self._app = app
        self._observe = observe
        self._log_all = log_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it when it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes = scope[_NOTES] = Notes(request_id=_request_id(scope))
        # An application around this one has noted its route for the request here.
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
            self._report(scope, notes, time.perf_counter() - started)
            reset_contextvars(**bound)

    def _report(self, scope: Scope, notes: Notes, seconds: float) -> None:
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
    """Return the notes about the request."""
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
