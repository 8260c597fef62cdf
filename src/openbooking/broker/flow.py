"""Flows: what the client does, written once without I/O, and carried out by a blocking or an asynchronous driver.

A flow is a generator. It yields *steps*: requests to send, pauses, calls of the database and calls of hooks. A driver
carries out each step and sends the result back into the flow; an error of a step is raised in the flow. `run` drives a
flow with a blocking HTTP client, `run_async` with an asynchronous one.

    def quote(...) -> Flow[OrderQuote]:
        answer = yield from send(Request("PUT", url, headers, body))
        ...
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from concurrent.futures import Executor
from contextlib import closing
from inspect import isawaitable
from typing import Any, NamedTuple, Protocol, TypeVar

import httpx2

from openbooking.broker.telemetry import request_span
from openbooking.harvest.body import Body, BodyError, CutBodyError, is_compressed
from openbooking.harvest.deadline import Deadline
from openbooking.openactive.errors import BrokerError, Retry

MOST_REPLY_BYTES = 25_000_000

# The only coding that is decoded. Others, such as Brotli, make a few bytes of an answer fill the memory.
_GZIP = {"accept-encoding": "gzip"}

# Python refuses some host names with a ValueError, and asyncio groups the errors of several addresses.
_NO_URL = (httpx2.InvalidURL, ValueError, ExceptionGroup)
_FAILURES = (*_NO_URL, httpx2.HTTPError, OSError, BodyError, CutBodyError)

Result = TypeVar("Result")


class Request(NamedTuple):
    """The step to send an HTTP request. Its result is an `Answer`.

    Attributes:
        method: The HTTP method.
        url: The URL.
        headers: The headers.
        content: The body.
        seconds: The time within which the whole answer must arrive.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""
    seconds: float = 60

    def __repr__(self) -> str:
        """Return method and URL alone: headers have secrets, and bodies have personal data."""
        return f"Request({self.method!r}, {self.url!r})"


class Answer(NamedTuple):
    """The answer to a request. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Pause(NamedTuple):
    """The step to wait for a number of seconds.

    Attributes:
        seconds: The seconds.
        reason: What failed, so that it is tried again afterwards, in words for people; empty if nothing failed.
    """

    seconds: float
    reason: str = ""


class Work(NamedTuple):
    """The step to call a function that blocks, such as a query of the database. Its result is that of the function."""

    function: Callable[[], Any]


class Hook(NamedTuple):
    """The step to call a hook of the application. An asynchronous driver accepts coroutine functions too."""

    function: Callable[[], Any]


Step = Request | Pause | Work | Hook
Flow = Generator[Step, Any, Result]
OnPause = Callable[[Pause], object]


class NoAnswerError(BrokerError):
    """No whole answer came to a request. The Booking System may or may not have carried the request out.

    Attributes:
        retry: `Retry.NEVER` if people must act first, as when a certificate or a URL is not valid.
    """

    retry = Retry.SAME_UUID

    def __init__(self, reason: str, *, retry: Retry = Retry.SAME_UUID) -> None:
        super().__init__(reason)
        self.retry = retry


def send(request: Request) -> Flow[Answer]:
    """Send a request and return the answer.

    Raises:
        NoAnswerError: The connection failed, or the answer did not arrive in time or in full.
    """
    with request_span(request.method, request.url) as span:
        answer: Answer = yield request._replace(headers=span.headers(request.headers))
        span.answered(answer.status)
    return answer


def pause(seconds: float, reason: str = "") -> Flow[None]:
    """Wait for a number of seconds, because something failed if there is a reason."""
    yield Pause(seconds, reason)


def work(function: Callable[[], Result]) -> Flow[Result]:
    """Call a function that blocks, and return its result."""
    result: Result = yield Work(function)
    return result


def call_hook(function: Callable[[], Result | Awaitable[Result]]) -> Flow[Result]:
    """Call a hook of the application, and return its result."""
    result: Result = yield Hook(function)
    return result


def run(
    flow: Flow[Result],
    client: httpx2.Client,
    sleep: Callable[[float], object] = time.sleep,
    on_pause: OnPause | None = None,
) -> Result:
    """Carry out a flow with a blocking client, and return its result. Errors that the flow does not handle are raised.

    If a step raises an exception that is no `Exception`, such as `KeyboardInterrupt`, the flow is closed at this step.

    Args:
        flow: The flow.
        client: The client that sends the requests.
        sleep: Waits for a number of seconds.
        on_pause: Called before each pause that has a reason.
    """
    carried_out = _carry_out(flow, _Blocking(client, sleep), on_pause)
    try:
        # None of the steps is awaited, so that the coroutine runs to its end.
        carried_out.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise AssertionError("A blocking step was awaited.")


async def run_async(
    flow: Flow[Result],
    client: httpx2.AsyncClient,
    worker: Executor,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    on_pause: OnPause | None = None,
) -> Result:
    """Carry out a flow with an asynchronous client, and return its result.

    If the task is cancelled, the flow is closed at its present step, as if the process had stopped there.

    Args:
        flow: The flow.
        client: The client that sends the requests.
        worker: Runs the functions that block, one at a time.
        sleep: Waits for a number of seconds.
        on_pause: Called before each pause that has a reason.
    """
    return await _carry_out(flow, _Asynchronous(client, worker, sleep), on_pause)


class _Steps(Protocol):
    """Does the steps of flows."""

    async def send(self, request: Request) -> Answer: ...
    async def wait(self, seconds: float) -> object: ...
    async def work(self, function: Callable[[], Any]) -> object: ...
    async def call(self, hook: Callable[[], Any]) -> object: ...


class _Blocking(NamedTuple):
    """Does steps with a blocking client. Its coroutines never wait for anything."""

    client: httpx2.Client
    sleep: Callable[[float], object]

    async def send(self, request: Request) -> Answer:
        return _send(request, self.client)

    async def wait(self, seconds: float) -> object:
        return self.sleep(seconds)

    async def work(self, function: Callable[[], Any]) -> object:
        return function()

    async def call(self, hook: Callable[[], Any]) -> object:
        return _without_coroutines(hook())


class _Asynchronous(NamedTuple):
    """Does steps with an asynchronous client and a thread."""

    client: httpx2.AsyncClient
    worker: Executor
    sleep: Callable[[float], Awaitable[object]]

    async def send(self, request: Request) -> Answer:
        return await _send_async(request, self.client)

    async def wait(self, seconds: float) -> object:
        return await self.sleep(seconds)

    async def work(self, function: Callable[[], Any]) -> object:
        return await asyncio.get_running_loop().run_in_executor(self.worker, function)

    async def call(self, hook: Callable[[], Any]) -> object:
        result = hook()
        return await result if isawaitable(result) else result


async def _carry_out(flow: Flow[Result], steps: _Steps, on_pause: OnPause | None) -> Result:
    """Carry out a flow step by step, and return its result."""
    outcome = _Outcome()
    with closing(flow):
        while True:
            try:
                step = outcome.advance(flow)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            try:
                match step:
                    case Request():
                        outcome = _Outcome(await steps.send(step))
                    case Pause(seconds, reason):
                        if on_pause and reason:
                            on_pause(step)
                        outcome = _Outcome(await steps.wait(seconds))
                    case Work(function):
                        outcome = _Outcome(await steps.work(function))
                    case Hook(function):
                        outcome = _Outcome(await steps.call(function))
            except Exception as fault:  # noqa: BLE001 - the flow decides what an error means
                outcome = _Outcome(fault=fault)


class _Outcome(NamedTuple):
    """The result or the error of a step."""

    result: Any = None
    fault: Exception | None = None

    def advance(self, flow: Flow[Any]) -> Step:
        """Send the outcome into the flow, and return its next step."""
        return flow.send(self.result) if self.fault is None else flow.throw(self.fault)


def _send(request: Request, client: httpx2.Client) -> Answer:
    try:
        with (
            Deadline(client, request.url, request.seconds) as deadline,
            client.stream(**_arguments(request), extensions=deadline.extensions) as response,
        ):
            body = _body_of(response)
            for chunk in [response.content] if response.is_stream_consumed else response.iter_raw():
                body.add(chunk)
                if deadline.is_over:
                    break
            return _answer(response, body)
    except TimeoutError as fault:
        raise _too_late(request) from fault
    except _FAILURES as fault:
        raise _no_answer(fault) from fault


async def _send_async(request: Request, client: httpx2.AsyncClient) -> Answer:
    try:
        async with (
            asyncio.timeout(request.seconds),
            client.stream(**_arguments(request)) as response,
        ):
            body = _body_of(response)
            if response.is_stream_consumed:
                body.add(response.content)
            else:
                async for chunk in response.aiter_raw():
                    body.add(chunk)
            return _answer(response, body)
    except TimeoutError as fault:
        raise _too_late(request) from fault
    except _FAILURES as fault:
        raise _no_answer(fault) from fault


def _arguments(request: Request) -> dict[str, Any]:
    """Return the arguments with which a client sends a request."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": {**_GZIP, **request.headers},
        "content": request.content,
        "follow_redirects": False,
        "timeout": request.seconds,
    }


def _body_of(response: httpx2.Response) -> Body:
    """Return the body into which the bytes of a response are collected, decompressed up to the limit.

    A transport of the application that does no input or output has the whole body already, decompressed.
    """
    compressed = not response.is_stream_consumed and is_compressed(response.headers.multi_items())
    return Body(compressed=compressed, length=None, max_bytes=MOST_REPLY_BYTES)


def _answer(response: httpx2.Response, body: Body) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, body.end())


def _without_coroutines(result: object) -> object:
    if isawaitable(result):
        if asyncio.iscoroutine(result):
            result.close()
        raise TypeError("A hook is a coroutine function, which needs the asynchronous client.")
    return result


def _too_late(request: Request) -> NoAnswerError:
    return NoAnswerError(f"The answer took longer than {request.seconds:g} seconds.")


def _no_answer(fault: Exception) -> NoAnswerError:
    """Return the error for a request that failed."""
    if isinstance(fault, _NO_URL):
        return NoAnswerError(f"The URL cannot be requested: {fault}.", retry=Retry.NEVER)
    cause: BaseException | None = fault
    while cause:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"The certificate of the server cannot be verified: {cause.verify_message}."
            return NoAnswerError(reason, retry=Retry.NEVER)
        cause = cause.__cause__ or cause.__context__
    is_never_sent = isinstance(fault, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError)
    return NoAnswerError(_reason(fault), retry=Retry.NEVER if is_never_sent else Retry.SAME_UUID)


def _reason(fault: Exception) -> str:
    if isinstance(fault, httpx2.LocalProtocolError):
        # The text of this error quotes the header that is not allowed, which may be a secret.
        return "The request has a header that HTTP does not allow."
    if isinstance(fault, BodyError | CutBodyError):
        return f"The answer cannot be read: {fault}."
    return f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
