"""Start of the server: checks before the start, sockets, and one process or several worker processes."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from ctypes import c_bool
from functools import partial
from multiprocessing.sharedctypes import RawValue
from tempfile import TemporaryDirectory

import structlog
from starlette.applications import Starlette
from starlette.types import ASGIApp

from openbooking.clock import SystemClock
from openbooking.serving.addresses import warn_of_another_address, warn_of_local_address
from openbooking.serving.durability import warn_of_weak_durability
from openbooking.serving.listening import listen, listen_for_each
from openbooking.serving.logs import configure_logs
from openbooking.serving.server import Drain, interrupt_on_sigterm, log_ready, make_app, run_server, server_config
from openbooking.serving.supervisor import Supervisor
from openbooking.settings import Settings
from openbooking.store.location import full_name
from openbooking.system import compare_clock, use_store
from openbooking.web.api.metrics import SHARED_FOLDER_VARIABLE


def serve_forever(settings: Settings) -> None:
    """Configure the logs, prepare the database, and serve until SIGINT or SIGTERM.

    Raises:
        ListenError: The address of the settings is in use or does not exist.
        SchemaError: The database has the schema of another version.
        WorkerStartError: One of several worker processes could not start.
    """
    configure_logs()
    interrupt_on_sigterm()
    clock = SystemClock()
    with ExitStack() as open_until_the_end:
        if settings.workers == 1:
            listener, settings = listen(settings)
            open_until_the_end.enter_context(listener)
            is_new = _prepare(settings, clock)
            run_server(settings, listener, lambda _: _log_ready(settings, is_new=is_new), clock)
        else:
            listeners, settings = listen_for_each(settings)
            for listener in listeners:
                open_until_the_end.enter_context(listener)
            is_new = _prepare(settings, clock)
            open_until_the_end.enter_context(_shared_metrics(settings))
            ready = partial(_log_ready, settings, is_new=is_new)
            run_workers(settings, partial(_worker, settings), listeners, ready, clock)


def run_workers(
    settings: Settings,
    make_app: Callable[[SystemClock, c_bool], ASGIApp],
    listeners: Sequence[socket.socket],
    ready: Callable[[], None],
    clock: SystemClock,
) -> None:
    """Serve with a worker process at each socket until SIGINT or SIGTERM (`openbooking.serving.supervisor`).

    Args:
        settings: The settings.
        make_app: Makes the application in each worker. Its arguments are a copy of the clock, and a flag in shared
            memory that is set during the drain.
        listeners: The socket of each worker.
        ready: Called once all workers serve.
        clock: The clock of this process.

    Raises:
        WorkerStartError: A worker could not start.
    """
    draining = RawValue(c_bool, False)  # noqa: FBT003 - RawValue has no names for its arguments
    config = server_config(settings, partial(make_app, clock, draining), factory=True, workers=1)
    drain = Drain(settings.drain_seconds)
    Supervisor(config, listeners, ready=ready, clock=clock, drain=drain, draining=draining).run()


def compare_with_database(settings: Settings, clock: SystemClock) -> None:
    """Compare the clock with the time in the database once, before the workers receive copies of the clock."""

    async def compare() -> None:
        async with use_store(settings, clock) as store:
            await compare_clock(clock, store)

    asyncio.run(compare())


def _log_ready(settings: Settings, *, is_new: bool) -> None:
    """Log that the server is ready. Also warn of a new database, because its path may be a mistake."""
    log_ready(settings)
    if is_new:
        structlog.get_logger().warning("database.is_new", database=full_name(settings.database))


def _prepare(settings: Settings, clock: SystemClock) -> bool:
    """Prepare the database and log warnings about the settings; return whether a new database was made."""
    from openbooking.store.migrate import prepare  # noqa: PLC0415 - slow to load, and worker processes do not need it

    warn_of_local_address(settings)
    is_new = prepare(settings.database)
    asyncio.run(warn_of_another_address(settings))
    asyncio.run(warn_of_weak_durability(settings))
    compare_with_database(settings, clock)
    return is_new


@contextmanager
def _shared_metrics(settings: Settings) -> Iterator[None]:
    """Make a folder in which all workers keep their metrics, so that each worker can report the metrics of all."""
    if not settings.metrics_token:
        yield
        return
    with TemporaryDirectory(prefix="openbooking-metrics-") as folder:
        os.environ[SHARED_FOLDER_VARIABLE] = folder
        yield


def _worker(settings: Settings, clock: SystemClock, draining: c_bool) -> Starlette:
    """Configure the logs of a worker process, and return its application."""
    configure_logs()
    return make_app(settings, clock, lambda: draining.value)
