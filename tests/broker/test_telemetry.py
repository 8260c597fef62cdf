"""Spans of requests: one for each request if OpenTelemetry is installed, none otherwise."""

import sys
from types import ModuleType
from typing import Any

import pytest

from openbooking.broker import telemetry
from openbooking.broker.flow import NoAnswerError, Request, send
from support.broker.scripts import answer, play

REQUEST = Request("GET", "https://user:secret@api.example.com:8443/orders/1?code=secret", {"accept": "x"})


class Span:
    """A span that keeps its attributes."""

    def __init__(self, name: str, kind: str, attributes: dict[str, Any]) -> None:
        self.name, self.kind, self.attributes, self.ended = name, kind, attributes, 0

    def set_attribute(self, name: str, value: Any) -> None:
        self.attributes[name] = value

    def end(self) -> None:
        self.ended += 1


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> list[Span]:
    """The spans of a stand-in for `opentelemetry-api`."""
    made: list[Span] = []
    trace: Any = ModuleType("opentelemetry.trace")
    propagate: Any = ModuleType("opentelemetry.propagate")

    class Tracer:
        def start_span(self, name: str, *, kind: str, attributes: dict[str, Any]) -> Span:
            made.append(Span(name, kind, attributes))
            return made[-1]

    class SpanKind:
        CLIENT = "client"

    def inject(carrier: dict[str, str], context: Any) -> None:
        carrier["traceparent"] = f"00-{made.index(context)}"

    trace.get_tracer = lambda name: Tracer()
    trace.set_span_in_context = lambda span: span
    trace.SpanKind = SpanKind
    propagate.inject = inject
    for name, module in (("opentelemetry.trace", trace), ("opentelemetry.propagate", propagate)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(telemetry, "is_installed", lambda: True)
    return made


def test_each_request_is_a_span_without_secrets(spans: list[Span]) -> None:
    played = play(send(REQUEST), [answer(200)])
    (span,) = spans
    assert (span.name, span.kind, span.ended) == ("GET", "client", 1)
    assert span.attributes == {
        "http.request.method": "GET",
        "server.address": "api.example.com",
        "url.full": "https://api.example.com:8443/orders/1",
        "http.response.status_code": 200,
    }
    assert played.requests[0].headers == {"accept": "x", "traceparent": "00-0"}


def test_a_lost_answer_ends_its_span_with_the_error(spans: list[Span]) -> None:
    assert isinstance(play(send(REQUEST), [NoAnswerError("gone")]).error, NoAnswerError)
    assert (spans[0].attributes["error.type"], spans[0].ended) == ("NoAnswerError", 1)


def test_a_request_stays_as_it_is_without_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "is_installed", lambda: False)
    assert play(send(REQUEST), [answer(200)]).requests == [REQUEST]


@pytest.mark.usefixtures("spans")
def test_address_that_is_no_url_is_reported_as_an_answer_that_did_not_come() -> None:
    played = play(send(Request("GET", "http://[::1", {})), [NoAnswerError("no URL")])
    assert isinstance(played.error, NoAnswerError)
