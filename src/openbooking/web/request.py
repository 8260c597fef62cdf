"""Readers for the parts of a request: media types, headers that must not repeat, a body of limited size, the UUID."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Generic, TypeVar

from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from openbooking.openactive.errors import (
    NotAcceptableError,
    OpenBookingError,
    RequestTooLargeError,
    UnsupportedMediaTypeError,
)
from openbooking.openactive.ids import parse_uuid

V = TypeVar("V", str, bytes)

# What `check_media_types` raises.
MEDIA_TYPE_ERRORS = (UnsupportedMediaTypeError, NotAcceptableError)

_BOOKING = "application/vnd.openactive.booking+json"
_ACCEPTED = frozenset({_BOOKING, "application/json"})
_ACCEPTABLE = _ACCEPTED | {"*/*", "application/*"}
_MAJOR_VERSION = "1"
_PLAIN = "identity"
# A media range with a weight of 0 is not acceptable (RFC 9110 12.4.2).
_ZERO_WEIGHT = re.compile(r"0(\.0*)?")
_LONGEST_CACHED, _CACHE_SIZE = 200, 1_000


class OrderUuidConvertor(Convertor[str]):
    """A path segment that is an RFC 4122 UUID. A path with another segment has no endpoint (AMB-26)."""

    regex = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

    def convert(self, value: str) -> str:
        """Return the UUID in its canonical lower case."""
        return parse_uuid(value) or value

    def to_string(self, value: str) -> str:
        """Return the UUID unchanged."""
        return value


register_url_convertor("order_uuid", OrderUuidConvertor())


class RepeatedHeaderMiddleware:
    """Refuses requests that repeat one of these headers.

    A gateway and this server could otherwise read different lines of a repeated header.

    Args:
        app: The application inside.
        headers: Names of headers, in any case; empty names are left out.
    """

    def __init__(self, app: ASGIApp, *, headers: Iterable[str]) -> None:
        self._app = app
        self._headers = frozenset(header.lower().encode() for header in headers if header)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or raise OpenBookingError for a repeated header."""
        if scope["type"] == "http":
            sent = [name for name, _ in scope["headers"] if name in self._headers]
            if len(sent) > 1 and len(sent) > len(set(sent)):
                raise OpenBookingError("Send each header that authenticates the caller only once.")
        await self._app(scope, receive, send)


def check_media_types(request: Request) -> None:
    """Check that the request and its reply may be in version 1 of the booking media type (OB-MT-01).

    Raises:
        UnsupportedMediaTypeError: The body is compressed, or is of another media type or version.
        NotAcceptableError: The Accept header allows no such reply.
    """
    if request.headers.get("content-encoding", _PLAIN).lower() != _PLAIN:
        raise UnsupportedMediaTypeError("Send the body without compression.")
    content_type = request.headers.get("content-type")
    if content_type is not None and not is_readable(content_type):
        raise UnsupportedMediaTypeError(f"Send {_BOOKING}; version={_MAJOR_VERSION}.")
    accept = request.headers.get("accept")
    if accept and not any(is_acceptable(media_range) for media_range in accept.split(",")):
        raise NotAcceptableError(f"Accept {_BOOKING}; version={_MAJOR_VERSION}.")


class HeaderTest(Generic[V]):
    """A test of a header value, with a cache of the results for short values.

    Results for long values are not cached, because senders could fill the memory with them.

    Args:
        test: Returns whether a value passes. The result depends on the value alone.
    """

    def __init__(self, test: Callable[[V], bool]) -> None:
        self._test: Callable[[V], bool] = test
        self._cached = lru_cache(_CACHE_SIZE)(test)

    def __call__(self, value: V) -> bool:
        """Return whether the value passes."""
        return self._cached(value) if len(value) <= _LONGEST_CACHED else self._test(value)

    @property
    def cached_values(self) -> int:
        """The number of cached results."""
        return self._cached.cache_info().currsize


def _names_one_of(known: frozenset[str], media_type: str) -> bool:
    """Return whether the media type or range is one of `known`, in version 1, and does not have the weight 0."""
    name, *parameters = (part.strip().lower() for part in media_type.split(";"))
    values = dict(parameter.partition("=")[::2] for parameter in parameters)
    if _ZERO_WEIGHT.fullmatch(values.get("q", "1")):
        return False
    return name in known and values.get("version", _MAJOR_VERSION).strip('"').partition(".")[0] == _MAJOR_VERSION


is_readable = HeaderTest[str](partial(_names_one_of, _ACCEPTED))
is_acceptable = HeaderTest[str](partial(_names_one_of, _ACCEPTABLE))


def asks_for_html(headers: Headers) -> bool:
    """Return whether a request comes from a browser: browsers name HTML in their Accept header, programs do not."""
    return "text/html" in headers.get("accept", "")


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body.

    Args:
        request: The request.
        limit: The greatest length of the body, in bytes.

    Raises:
        RequestTooLargeError: The body is longer than the limit, or its Content-Length is greater.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        raise RequestTooLargeError(f"A body may have {limit} bytes at most.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise RequestTooLargeError(f"A body may have {limit} bytes at most.")
    return bytes(body)
