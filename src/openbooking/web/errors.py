"""Responses to exceptions: an exception of the API becomes an error of the specification, as JSON-LD (OB 11.4).

`web/error_pages.py` shows the errors to people as pages. `web/accounts/oauth.py` turns the errors of OAuth into
JSON (RFC 6749 5.2).
"""

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
from openbooking.web.cross_origin import OPEN_HEADERS, OpenRoute
from openbooking.web.error_pages import ErrorPages
from openbooking.web.observe import notes_of
from openbooking.web.routes import ApiRoute

_log = structlog.get_logger()
# API keys are sent as bearer tokens too (RFC 6750 3).
_CHALLENGE = 'Bearer realm="Open Booking API", error="invalid_token"'

# The request has already waited for the database. An immediate repeat would only wait again.
RETRY_AFTER_SECONDS = 5


class FaultMiddleware:
    """Answers a request that raised an exception with the error for the class of the exception.

    Args:
        app: The application inside.
        error_pages: Answers the errors of requests of people; None if there are no pages for people.
    """

    def __init__(self, app: ASGIApp, *, error_pages: ErrorPages | None = None) -> None:
        self._app = app
        self._error_pages = error_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. Send an error if the request raises an exception before the response begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Without this line Starlette would call the exception handlers of an outer application first.
        scope["starlette.exception_handlers"] = ({}, {})
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            return  # the client has closed the connection, so nobody reads a response
        except Exception as fault:
            if notes_of(scope).status:
                raise  # the response has begun
            await self._response(fault, scope)(scope, receive, send)

    def _response(self, fault: Exception, scope: Scope) -> Response:
        error, headers = _refusal(fault) if isinstance(fault, HTTPException) else (_as_error(fault, scope), {})
        if isinstance(scope.get("route"), OpenRoute):
            headers |= OPEN_HEADERS
        if self._error_pages and self._error_pages.is_for_people(scope):
            notes_of(scope).error = type(error).__name__
            return self._error_pages.response(error, scope, headers | _retry_after(error))
        return error_response(error, scope, headers)


def error_response(error: OpenBookingError, scope: Scope, headers: dict[str, str] | None = None) -> Response:
    """Return the error as JSON-LD, with the status of its class and the id of the request (OB-ERR-05)."""
    notes = notes_of(scope)
    notes.error = type(error).__name__
    body = write_error(error, notes.request_id)
    sent = {**(headers or {}), **_retry_after(error)}
    if error.status == HTTPStatus.UNAUTHORIZED:
        sent["WWW-Authenticate"] = _CHALLENGE
    return Response(body, error.status, sent, BOOKING_MEDIA_TYPE)


def _retry_after(error: OpenBookingError) -> dict[str, str]:
    return {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}


def _refusal(fault: HTTPException) -> tuple[OpenBookingError, dict[str, str]]:
    """Return the error for an unknown path (OB-ID-16), or for a method that the path does not have (OB-ID-17)."""
    known_path = fault.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    return MethodNotAllowedError() if known_path else UnknownOrIncorrectEndpointError(), dict(fault.headers or {})


def _as_error(fault: Exception, scope: Scope) -> OpenBookingError:
    if isinstance(fault, OpenBookingError):
        return fault
    if isinstance(fault, StoreUnavailableError):
        _log.error("store.unavailable", reason=str(fault))
        route = scope.get("route")
        operation = route.operations.get(scope["method"]) if isinstance(route, ApiRoute) else None
        declared = operation.unavailable if operation else None
        return (declared or TemporarilyUnavailableError)(retry_after=RETRY_AFTER_SECONDS)
    _log.error("request.failed", method=scope["method"], exc_info=fault)
    return InternalApplicationError("The fault has been logged under this requestId.")
