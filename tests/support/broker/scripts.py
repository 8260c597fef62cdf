"""Drives flows by hand: a script answers the steps of a flow, so that its rules are tested without network."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from openbooking.broker.flow import Answer, Flow, Hook, Pause, Request, Step, Work
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE

Result = TypeVar("Result")


class Played(NamedTuple):
    """What a flow did: its requests, its pauses in seconds with their reasons, and its result or error."""

    requests: list[Request]
    waits: list[Pause]
    result: Any
    error: Exception | None

    @property
    def pauses(self) -> list[float]:
        """The seconds of the pauses."""
        return [wait.seconds for wait in self.waits]

    @property
    def reasons(self) -> list[str]:
        """The reasons of the pauses."""
        return [wait.reason for wait in self.waits]

    @property
    def bodies(self) -> list[Any]:
        """The bodies of the requests; None for a request without a body."""
        return [msgspec.json.decode(request.content) if request.content else None for request in self.requests]


def play(flow: Flow[Any], answers: Iterable[Answer | Exception] = ()) -> Played:
    """Drive a flow to its end. Each request takes the next answer, which may be an error; work is carried out."""
    script = iter(answers)
    requests: list[Request] = []
    pauses: list[Pause] = []
    outcome: Any = None
    while True:
        try:
            step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
        except StopIteration as end:
            return Played(requests, pauses, end.value, None)
        except Exception as error:  # noqa: BLE001 - the test looks at the error
            return Played(requests, pauses, None, error)
        outcome = _outcome(step, script, requests, pauses)


def _outcome(step: Step, script: Any, requests: list[Request], pauses: list[Pause]) -> Any:
    match step:
        case Request():
            requests.append(step)
            return next(script)
        case Pause():
            pauses.append(step)
            return None
        case Work(function) | Hook(function):
            try:
                return function()
            except Exception as fault:  # noqa: BLE001 - the flow decides what an error means
                return fault


def result_of(flow: Flow[Result], answers: Iterable[Answer | Exception] = ()) -> Result:
    """Drive a flow to its end, and return its result or raise its error."""
    played = play(flow, answers)
    if played.error:
        raise played.error
    result: Result = played.result
    return result


def answer(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer with a body of JSON, or with these bytes."""
    content = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
    return Answer(status, {"content-type": BOOKING_MEDIA_TYPE, **(headers or {})}, content)
