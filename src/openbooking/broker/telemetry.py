"""Spans of OpenTelemetry for requests, if the application has installed `opentelemetry-api`; nothing otherwise."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol
from urllib.parse import urlsplit


class RequestSpan(Protocol):
    """The span of a request that is being sent."""

    def headers(self, given: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers of the request, with those by which a server continues the trace."""
        ...

    def answered(self, status: int) -> None:
        """Note the status of the answer."""
        ...


class _NoSpan:
    """The span if OpenTelemetry is not installed."""

    def headers(self, given: Mapping[str, str]) -> Mapping[str, str]:
        return given

    def answered(self, status: int) -> None:
        pass


class _Span:
    """A span with the attributes that the conventions of OpenTelemetry give to requests of an HTTP client."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def headers(self, given: Mapping[str, str]) -> Mapping[str, str]:
        carried = dict(given)
        context = import_module("opentelemetry.trace").set_span_in_context(self._span)
        import_module("opentelemetry.propagate").inject(carried, context=context)
        return carried

    def answered(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)


@contextmanager
def request_span(method: str, url: str) -> Iterator[RequestSpan]:
    """Record a request as a span. An error that leaves the block is recorded by its class.

    The URL is recorded without its query, which may contain a cursor or a code.
    """
    if not is_installed():
        yield _NoSpan()
        return
    trace = import_module("opentelemetry.trace")
    attributes = {"http.request.method": method, **_address(url)}
    span = trace.get_tracer("openbooking.broker").start_span(method, kind=trace.SpanKind.CLIENT, attributes=attributes)
    try:
        yield _Span(span)
    except Exception as fault:
        span.set_attribute("error.type", type(fault).__name__)
        raise
    finally:
        span.end()


def _address(url: str) -> dict[str, str]:
    """Return the attributes of a URL; none if it is no URL, to which the client sends nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return {}
    full = parts._replace(query="", fragment="", netloc=parts.netloc.rpartition("@")[2]).geturl()
    return {"server.address": parts.hostname or "", "url.full": full}


@cache
def is_installed() -> bool:
    """Return whether the application has installed `opentelemetry-api`."""
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.trace") is not None
