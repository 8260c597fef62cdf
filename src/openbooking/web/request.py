"""What the endpoints take from a request: media types, a body of limited size, the UUID in the path."""

import re
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from openbooking.openactive.errors import (
    NotAcceptableError,
    OpenBookingError,
    RequestTooLargeError,
    UnsupportedMediaTypeError,
)
from openbooking.openactive.ids import parse_uuid

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

_BOOKING = "application/vnd.openactive.booking+json"
_ACCEPTED = frozenset({_BOOKING, "application/json"})
_ACCEPTABLE = _ACCEPTED | {"*/*", "application/*"}
_MAJOR_VERSION = "1"
_PLAIN = "identity"
# A weight of 0 rules out what it stands at (RFC 9110 12.4.2).
_RULED_OUT = re.compile(r"0(\.0*)?")
_LONGEST_KEPT = 200


class OrderUuidConvertor(Convertor[str]):
    """A path segment that is an RFC 4122 UUID; with any other there is no endpoint at the path (AMB-26)."""

    regex = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

    def convert(self, value: str) -> str:
        """In the canonical lower case."""
        return parse_uuid(value) or value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


register_url_convertor("order_uuid", OrderUuidConvertor())


class SentOnceMiddleware:
    """Refuses a request that carries one of the headers named twice: two readers could each take another one."""

    def __init__(self, app: ASGIApp, *, headers: Iterable[str]) -> None:
        self._app = app
        self._headers = frozenset(header.lower().encode() for header in headers if header)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or raise OpenBookingError."""
        if scope["type"] == "http":
            sent = [name for name, _ in scope["headers"] if name in self._headers]
            if len(sent) > 1 and len(sent) > len(set(sent)):
                raise OpenBookingError("A header that says who asks may be sent once only.")
        await self._app(scope, receive, send)


def check_media_types(request: Request) -> None:
    """Raise UnsupportedMediaTypeError or NotAcceptableError unless both sides speak version 1 (OB-MT-01)."""
    if request.headers.get("content-encoding", _PLAIN).lower() != _PLAIN:
        raise UnsupportedMediaTypeError("Send the body as it is, not compressed.")
    content_type = request.headers.get("content-type")
    if content_type is not None and not judged_once(_judged, content_type, _ACCEPTED):
        raise UnsupportedMediaTypeError(f"Send {_BOOKING}; version={_MAJOR_VERSION}.")
    accept = request.headers.get("accept")
    if accept and not any(judged_once(_judged, media_range, _ACCEPTABLE) for media_range in accept.split(",")):
        raise NotAcceptableError(f"Accept {_BOOKING}; version={_MAJOR_VERSION}.")


def judged_once(judge: "_lru_cache_wrapper[bool]", value: str | bytes, *more: Hashable) -> bool:
    """What is judged of a header's value, once for what ordinary senders say; longer values would fill the memory."""
    return (judge if len(value) <= _LONGEST_KEPT else judge.__wrapped__)(value, *more)


@lru_cache(1_000)
def _judged(media_type: str, known: frozenset[str]) -> bool:
    """Whether it is one of those, in our version."""
    name, *parameters = (part.strip().lower() for part in media_type.split(";"))
    values = dict(parameter.partition("=")[::2] for parameter in parameters)
    if _RULED_OUT.fullmatch(values.get("q", "1")):
        return False
    return name in known and values.get("version", _MAJOR_VERSION).strip('"').partition(".")[0] == _MAJOR_VERSION


async def read_body(request: Request, limit: int) -> bytes:
    """The body, or raise RequestTooLargeError as soon as it is known to be over the limit."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        raise RequestTooLargeError(f"A body may have {limit} bytes at most.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise RequestTooLargeError(f"A body may have {limit} bytes at most.")
    return bytes(body)
