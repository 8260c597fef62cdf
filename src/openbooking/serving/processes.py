"""Start of the HTTP server, in one process or in several."""

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
from openbooking.system import compare_clock, opened_store
from openbooking.web.api.metrics import SHARED_FOLDER_VARIABLE


def serve_forever(settings: Settings) -> None:
    """Configure the logs, prepare the database, and serve until SIGINT or SIGTERM."""
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
    """Serve with a process at each socket until SIGINT or SIGTERM (`supervisor`).

    Args:
        settings: The settings.
        make_app: Makes the application in each process, from a copy of the clock and a flag in shared memory that is
            set during the drain.
        listeners: The socket of each process.
        ready: Called once all processes serve.
        clock: The clock of this process.
    """
    draining = RawValue(c_bool, False)  # noqa: FBT003 - the value has no name
    config = server_config(settings, partial(make_app, clock, draining), factory=True, workers=1)
    drain = Drain(settings.drain_seconds)
    Supervisor(config, listeners, ready=ready, clock=clock, drain=drain, draining=draining).run()


def compare_with_database(settings: Settings, clock: SystemClock) -> None:
    """Compare the clock with the database once, for all processes that will be started."""

    async def compare() -> None:
        async with opened_store(settings, clock) as store:
            await compare_clock(clock, store)

    asyncio.run(compare())


def _log_ready(settings: Settings, *, is_new: bool) -> None:
    """Log that the server is ready, with a warning if its database is new, because another one may be meant."""
    log_ready(settings)
    if is_new:
        structlog.get_logger().warning("database.is_new", database=full_name(settings.database))


def _prepare(settings: Settings, clock: SystemClock) -> bool:
    """Check everything that a server needs; return whether a new database was made."""
    from openbooking.store.migrate import prepare  # noqa: PLC0415 - long to load, and workers do without

    warn_of_local_address(settings)
    is_new = prepare(settings.database)
    asyncio.run(warn_of_another_address(settings))
    asyncio.run(warn_of_weak_durability(settings))
    compare_with_database(settings, clock)
    return is_new


@contextmanager
def _shared_metrics(settings: Settings) -> Iterator[None]:
    """Let all processes keep their metrics in one folder, so that each process can report the metrics of all."""
    if not settings.metrics_token:
        yield
        return
    with TemporaryDirectory(prefix="openbooking-metrics-") as folder:
        os.environ[SHARED_FOLDER_VARIABLE] = folder
        yield


def _worker(settings: Settings, clock: SystemClock, draining: c_bool) -> Starlette:
    """Make the application of one of several processes."""
    configure_logs()
    return make_app(settings, clock, lambda: draining.value)
