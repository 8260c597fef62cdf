"""Runs methods of a test case in separate processes, which use one database as the workers of a server do.

Each process is a new interpreter. It imports the module of the test case, unpickles the test case and calls one of its
methods. So the attributes of the test case must be picklable, and its class must be at the top level of the module.
"""

import asyncio
import importlib.util
import io
import multiprocessing
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from operator import attrgetter
from threading import BrokenBarrierError
from types import ModuleType
from typing import Any, NamedTuple

# A working store needs far less time. The limits end the tests of stores that wait for ever.
_SECONDS_TO_FINISH = 100
_SECONDS_TO_MEET = 60
_EXPECTED_EXIT_CODES = (0, -signal.SIGKILL)

_spawning = multiprocessing.get_context("spawn")


class Channel(NamedTuple):
    """The connection of a process with its test, and with the other processes of the test."""

    connection: Connection
    barrier: Barrier

    def send(self, message: Any) -> None:
        """Send a message to the test. The message arrives even if the process is killed afterwards."""
        self.connection.send(message)

    async def wait_for_others(self) -> None:
        """Wait until every process of the test has called this method. Then all return at the same moment.

        The event loop is not blocked, because the store may have background tasks.
        """
        await asyncio.to_thread(self.barrier.wait, _SECONDS_TO_MEET)


Work = Callable[[Channel], Coroutine[Any, Any, None]]


class ProcessFailedError(AssertionError):
    """A process that used the store failed, or did not finish."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"A process that used the store failed: {reason}")


class _Failed(NamedTuple):
    """The traceback of an exception that ended a process."""

    traceback: str


class Kill(NamedTuple):
    """When to kill a process: a number of seconds after it has sent a number of messages."""

    messages: int
    seconds: float


def run_in_processes(test_case: object, *works: Work, kills: Sequence[Kill | None] = ()) -> list[list[Any]]:
    """Run each work in a separate process, all at the same time.

    Args:
        test_case: The object that has the methods. Its class is imported in each process.
        works: Methods of the test case, or partials of them. Each is called with a `Channel`, in a process of its own.
        kills: When to kill the process of each work (SIGKILL); None, or no entry, lets the work finish.

    Returns:
        The messages that each process sent, in their order.

    Raises:
        ProcessFailedError: A work raised an exception, or did not finish.
    """
    barrier = _spawning.Barrier(len(works))
    timely = [*kills, *[None] * (len(works) - len(kills))]
    with ThreadPoolExecutor(len(works)) as threads:
        collecting = [
            threads.submit(_run_in_process, test_case, work, barrier, kill)
            for work, kill in zip(works, timely, strict=True)
        ]
        failures = [failure for collected in collecting if (failure := collected.exception())]
        if failures:
            # If one process fails, the others fail too, because they wait for it. The cause is reported.
            raise min(failures, key=lambda failure: BrokenBarrierError.__name__ in str(failure))
        return [collected.result() for collected in collecting]


def kill_this_process() -> None:
    """Kill this process (SIGKILL)."""
    os.kill(os.getpid(), signal.SIGKILL)


def _run_in_process(test_case: object, work: Work, barrier: Barrier, kill: Kill | None) -> list[Any]:
    ours, theirs = _spawning.Pipe(duplex=False)
    module = sys.modules[type(test_case).__module__]
    arguments = (module.__name__, module.__file__, pickle.dumps(work), Channel(theirs, barrier))
    process = _spawning.Process(target=_run, args=arguments, daemon=True)
    process.start()
    theirs.close()
    received: list[Any] = []
    try:
        for message in _messages(ours):
            if isinstance(message, _Failed):
                raise ProcessFailedError(message.traceback)
            received.append(message)
            if kill and len(received) == kill.messages:
                time.sleep(kill.seconds)
                process.kill()
        process.join()
        if process.exitcode not in _EXPECTED_EXIT_CODES:
            ended = f"It ended with exit code {process.exitcode}."
            raise ProcessFailedError(ended)
        return received
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def _messages(connection: Connection) -> Iterator[Any]:
    """Yield the messages until the process closes its end of the connection."""
    deadline = time.monotonic() + _SECONDS_TO_FINISH
    with suppress(EOFError):
        while connection.poll(max(deadline - time.monotonic(), 0)):
            yield connection.recv()
        late = f"It has not finished within {_SECONDS_TO_FINISH} seconds."
        raise ProcessFailedError(late)


def _run(module: str, file: str, pickled: bytes, channel: Channel) -> None:
    """Unpickle and do the work. This function is the entry point of a new process."""
    try:
        work: Work = _Unpickler(io.BytesIO(pickled), _import_module(module, file)).load()
        asyncio.run(partial(work, channel)())
    except Exception:  # noqa: BLE001 - the test raises it again
        channel.barrier.abort()
        channel.send(_Failed(traceback.format_exc()))
    finally:
        channel.connection.close()


class _Unpickler(pickle.Unpickler):
    """An unpickler for the classes of a module that cannot be imported by its name."""

    def __init__(self, file: io.BytesIO, module: ModuleType) -> None:
        super().__init__(file)
        self._module = module

    def find_class(self, module_name: str, name: str) -> Any:
        """Return the class of that name."""
        if module_name == self._module.__name__:
            return attrgetter(name)(self._module)
        return super().find_class(module_name, name)


def _import_module(name: str, file: str) -> ModuleType:
    """Return the module of a test case; pytest may have imported it from a file that is not on `sys.path`."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
