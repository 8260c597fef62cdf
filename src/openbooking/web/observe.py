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
# Long enough for the ids of gateways. None of these characters can forge a log line.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._~+/=:@-]{1,128}")
_NOTES = "openbooking.notes"
# The statuses of successful requests that change nothing.
_UNCHANGED = frozenset({HTTPStatus.OK, HTTPStatus.NOT_MODIFIED})
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
        read: The feed of the Booking Partner that was read, and the change number after which the page begins.
        not_held: The name of the limit because of which no spaces were held.
    """

    request_id: str
    status: int = 0
    partner: str = ""
    error: str = ""
    item_errors: tuple[str, ...] = ()
    read: tuple[Feed, int] | None = None
    not_held: str = ""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A request that has been answered.

    Attributes:
        method: The HTTP method; `other` for an unknown method.
        endpoint: The path of the route, with the names of parameters; `none` if no route matched.
        seconds: The time from the request to the end of the response.
        notes: The facts about the request.
    """

    method: str
    endpoint: str
    seconds: float
    notes: Notes


Observer = Callable[[Answered], None]


class ObservingMiddleware:
    """Gives each request an id, logs the request and passes it to an observer.

    The id that the sender gives is used if it is well-formed. Response headers, errors and log lines of the request
    contain the id. Paths are not logged, because some contain secrets. UUIDs of Orders are logged.

    Args:
        app: The application inside.
        observe: Called with each request after its answer.
        log_all: Whether to log successful requests that change nothing as well.
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
        # An outer application has stored its own route here.
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
        if self._log_all or notes.status not in _UNCHANGED:
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
