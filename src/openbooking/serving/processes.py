"""The HTTP server in one process, or in several that are kept going."""

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
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp
from uvicorn.supervisors.multiprocess import Multiprocess

from openbooking.clock import SystemClock
from openbooking.serving.addresses import warn_of_another_address, warn_of_local_address
from openbooking.serving.durability import warn_of_weak_durability
from openbooking.serving.listening import listen, listen_for_each
from openbooking.serving.logs import configure_logs
from openbooking.serving.server import Drain, interrupt_on_sigterm, log_ready, make_app, run_server, server_config
from openbooking.settings import Settings
from openbooking.store.location import full_name
from openbooking.system import compare_clock, open_store
from openbooking.web.api.metrics import SHARED_FOLDER_VARIABLE

_SECONDS_TO_START = 60


def serve_forever(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, with logs."""
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
            open_until_the_end.enter_context(_counting_together(settings))
            ready = partial(_log_ready, settings, is_new=is_new)
            run_workers(settings, partial(_worker, settings), listeners, ready, clock)


def run_workers(
    settings: Settings,
    make_app: Callable[[SystemClock, c_bool], ASGIApp],
    listeners: Sequence[socket.socket],
    ready: Callable[[], None],
    clock: SystemClock,
) -> None:
    """Serve with a process at each socket until SIGINT or SIGTERM; one that dies is replaced, on SIGHUP all, in turn.

    Each makes its application of the clock, as it is here when it starts, and of a flag in memory that all of them
    share, which is set while they drain.
    """
    draining = RawValue(c_bool, False)  # noqa: FBT003 - the value has no name
    config = server_config(settings, partial(make_app, clock, draining), factory=True, workers=1)
    drain = Drain(settings.drain_seconds)
    _Workers(config, ready, listeners, clock=clock, drain=drain, draining=draining).run()


def look_at_clock(settings: Settings, clock: SystemClock) -> None:
    """Compare the clock with the database, on behalf of the processes that will be started."""

    async def compare() -> None:
        store = open_store(settings, clock)
        try:
            await compare_clock(clock, store)
        finally:
            await store.close()

    asyncio.run(compare())


def _log_ready(settings: Settings, *, is_new: bool) -> None:
    """Log that it serves, and that it does so with a new database, for whoever has meant another."""
    log_ready(settings)
    if is_new:
        structlog.get_logger().warning("database.is_new", database=full_name(settings.database))


def _prepare(settings: Settings, clock: SystemClock) -> bool:
    """Look at everything that a server needs, and return whether the database was made anew."""
    from openbooking.store.migrate import prepare  # noqa: PLC0415 - long to load, and workers do without

    warn_of_local_address(settings)
    is_new = prepare(settings.database)
    asyncio.run(warn_of_another_address(settings))
    asyncio.run(warn_of_weak_durability(settings))
    look_at_clock(settings, clock)
    return is_new


@contextmanager
def _counting_together(settings: Settings) -> Iterator[None]:
    """Let the processes count in one place, so that whichever is asked can tell what all have counted."""
    if not settings.metrics_token:
        yield
        return
    with TemporaryDirectory(prefix="openbooking-metrics-") as folder:
        os.environ[SHARED_FOLDER_VARIABLE] = folder
        yield


def _worker(settings: Settings, clock: SystemClock, draining: c_bool) -> Starlette:
    """The application in a process of its own."""
    configure_logs()
    return make_app(settings, clock, lambda: draining.value)


class _Workers(Multiprocess):
    """Keeps a process going at each socket, tells when all are ready, and drains all before they stop."""

    def __init__(  # noqa: PLR0913 - it keeps what all of them share
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        listeners: Sequence[socket.socket],
        *,
        clock: SystemClock,
        drain: Drain,
        draining: c_bool,
    ) -> None:
        # Each of these keeps one; what they would do about signals is done here, for all.
        self._each = [Multiprocess(config, [listener]) for listener in listeners]
        super().__init__(config, list(listeners))
        self._ready = ready
        self._clock = clock
        self._drain = drain
        self._draining = draining
        for one in self._each:
            one.should_exit = self.should_exit

    def init_processes(self) -> None:
        """Start all and wait for them; what they cannot start for is seen by whoever keeps them alive."""
        for one in self._each:
            one.init_processes()
        processes = [process for one in self._each for process in one.processes]
        if all(process.wait_until_ready(_SECONDS_TO_START, self.should_exit) for process in processes):
            self._ready()

    def keep_subprocess_alive(self) -> None:
        """Replace those that have died; they are given what this process, which goes on, knows of the clock."""
        self._clock()
        for one in self._each:
            one.keep_subprocess_alive()

    def restart_all(self) -> None:
        """Replace all, in turn."""
        for one in self._each:
            one.restart_all()

    def terminate_all(self) -> None:
        """Stop all, and let nobody wait at a door that stays closed."""
        for one in self._each:
            one.terminate_all()
        for listener in self.sockets:
            listener.close()

    def join_all(self) -> None:
        """Wait until all have stopped."""
        for one in self._each:
            one.join_all()

    def handle_ttin(self) -> None:
        """How many there are is a setting."""

    def handle_ttou(self) -> None:
        """How many there are is a setting."""

    def handle_term(self) -> None:
        """Stop; on the first SIGTERM drain before, and so does whichever process starts meanwhile."""
        if self._drain.begins():
            self._draining.value = True
        else:
            super().handle_term()

    def handle_signals(self) -> None:
        """Do what signals ask for, and stop when it is time to."""
        super().handle_signals()
        if self._drain.is_over():
            self.should_exit.set()
