"""Responses to faults: every exception becomes an error of the specification here (OB 11.4)."""

from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from openbooking.booking.store import StoreUnavailableError
from openbooking.jsonld.write_order import write_error
from openbooking.openactive.errors import (
    InternalApplicationError,
    MethodNotAllowedError,
    OpenBookingError,
    TemporarilyUnavailableError,
    UnknownOrIncorrectEndpointError,
)
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.web.observe import notes_of
from openbooking.web.routes import ApiRoute

_log = structlog.get_logger()
# API keys are sent as bearer tokens too (RFC 6750 3).
_CHALLENGE = 'Bearer realm="Open Booking API", error="invalid_token"'

# The request has waited for the database already. A repeat sent at once would only wait again.
RETRY_AFTER_SECONDS = 5


class FaultMiddleware:
    """Answers a request whose handling raised an exception with the error of the exception's class."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer for a fault unless the answer has begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Else Starlette would first ask the handlers of an application around this one.
        scope["starlette.exception_handlers"] = ({}, {})
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            return  # the client has closed the connection, so nobody reads an answer
        except Exception as fault:
            if notes_of(scope).status:
                raise  # the answer has begun
            await _response(fault, scope)(scope, receive, send)


def error_response(error: OpenBookingError, scope: Scope, headers: dict[str, str] | None = None) -> Response:
    """Return the error as JSON-LD, with the status of its class and the id of the request (OB-ERR-05)."""
    notes = notes_of(scope)
    notes.error = type(error).__name__
    body = write_error(error, notes.request_id)
    sent = dict(headers or {})
    if error.retry_after is not None:
        sent["Retry-After"] = str(error.retry_after)
    if error.status == HTTPStatus.UNAUTHORIZED:
        sent["WWW-Authenticate"] = _CHALLENGE
    return Response(body, error.status, sent, BOOKING_MEDIA_TYPE)


def _response(fault: Exception, scope: Scope) -> Response:
    if isinstance(fault, HTTPException):
        return _refusal(fault, scope)
    return error_response(_as_error(fault, scope), scope)


def _refusal(fault: HTTPException, scope: Scope) -> Response:
    """Answer for what the router refuses: an unknown path (OB-ID-16), or a method the path lacks (OB-ID-17)."""
    known_path = fault.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    error = MethodNotAllowedError() if known_path else UnknownOrIncorrectEndpointError()
    return error_response(error, scope, dict(fault.headers or {}))


def _as_error(fault: Exception, scope: Scope) -> OpenBookingError:
    if isinstance(fault, OpenBookingError):
        return fault
    if isinstance(fault, StoreUnavailableError):
        _log.error("store.unavailable", reason=str(fault))
        route = scope.get("route")
        declared = route.unavailable_errors if isinstance(route, ApiRoute) else {}
        return declared.get(scope["method"], TemporarilyUnavailableError)(retry_after=RETRY_AFTER_SECONDS)
    _log.error("request.failed", method=scope["method"], exc_info=fault)
    return InternalApplicationError("The fault has been logged under this requestId.")
