"""The two drivers of the facade, and how a method that returns a flow becomes a method of each class.

A method is written once, in a class of flows. `blocking` and `asynchronous` turn it into a method of the class for
blocking callers and of the class for asynchronous callers:

    class Broker:
        status = blocking(BrokerFlows.status)


    class AsyncBroker:
        status = asynchronous(BrokerFlows.status)
"""

from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx2

from openbooking.broker.flow import Flow, OnPause, run, run_async

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class BlockingDriver:
    """Carries out flows for blocking callers.

    Args:
        client: The client that sends the requests; by default one that is closed with the driver.
        on_pause: Called before each pause after a failure.
    """

    def __init__(self, client: httpx2.Client | None = None, on_pause: OnPause | None = None) -> None:
        self.client = client or httpx2.Client()
        self._on_pause = on_pause
        self._owns_client = client is None

    def run(self, flow: Flow[Result]) -> Result:
        """Carry out a flow, and return its result."""
        return run(flow, self.client, on_pause=self._on_pause)

    def close(self) -> None:
        """Close the client, unless the application passed it."""
        if self._owns_client:
            self.client.close()


class AsyncDriver:
    """Carries out flows for asynchronous callers. The database is used in a thread of its own.

    Args:
        client: The client that sends the requests; by default one that is closed with the driver.
        on_pause: Called before each pause after a failure.
    """

    def __init__(self, client: httpx2.AsyncClient | None = None, on_pause: OnPause | None = None) -> None:
        self.client = client or httpx2.AsyncClient()
        self._on_pause = on_pause
        self._owns_client = client is None
        self.worker = ThreadPoolExecutor(1, "openbooking-broker")

    async def run(self, flow: Flow[Result]) -> Result:
        """Carry out a flow, and return its result."""
        return await run_async(flow, self.client, self.worker, on_pause=self._on_pause)

    async def close(self) -> None:
        """Close the client, unless the application passed it, and end the thread."""
        if self._owns_client:
            await self.client.aclose()
        self.worker.shutdown()


def blocking(
    method: Callable[Concatenate[Any, Parameters], Flow[Result]],
) -> Callable[Concatenate[Any, Parameters], Result]:
    """Return a method that carries out the flow of a method of `self._flows`, and returns its result."""

    @wraps(method)
    def call(self: Any, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        driver: BlockingDriver = self._driver
        return driver.run(method(self._flows, *args, **kwargs))

    return call


def asynchronous(
    method: Callable[Concatenate[Any, Parameters], Flow[Result]],
) -> Callable[Concatenate[Any, Parameters], Coroutine[Any, Any, Result]]:
    """Return a coroutine function that carries out the flow of a method of `self._flows`, and returns its result."""

    @wraps(method)
    async def call(self: Any, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        driver: AsyncDriver = self._driver
        return await driver.run(method(self._flows, *args, **kwargs))

    return call
