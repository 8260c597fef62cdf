"""The HTTP server: where it listens, how it stops, and what is told when it is ready."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import c_bool
from functools import partial
from multiprocessing.sharedctypes import RawValue
from tempfile import TemporaryDirectory
from time import monotonic
from types import FrameType
from typing import Any

import structlog
import uvicorn
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.types import ASGIApp
from uvicorn.supervisors.multiprocess import Multiprocess

from openbooking.cli.addresses import warn_of_another_address
from openbooking.cli.faults import CommandError
from openbooking.cli.logs import configure_logs
from openbooking.cli.memory import suit_memory_to_serving
from openbooking.settings import Settings
from openbooking.store.location import without_password
from openbooking.system import open_identity_store, open_store
from openbooking.web.app import create_app
from openbooking.web.metrics import SHARED_FOLDER_VARIABLE

_BACKLOG = 2048
_SECONDS_TO_START = 60
_SECONDS_TO_FINISH = 10

Stop = Callable[[], None]
Ready = Callable[[Stop], None]


def serve_forever(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, with logs."""
    from openbooking.store.migrate import prepare  # noqa: PLC0415 - long to load, and workers do without

    configure_logs()
    interrupt_on_sigterm()
    listener, settings = listen(settings)
    with listener:
        prepare(settings.database)
        asyncio.run(warn_of_another_address(settings))
        if settings.workers == 1:
            run_server(settings, listener, lambda _: log_ready(settings))
        else:
            with _counting_together(settings):
                run_workers(settings, partial(_worker, settings), listener, lambda: log_ready(settings))


def listen(settings: Settings) -> tuple[socket.socket, Settings]:
    """A socket that listens where the settings say, and the settings with the port it got."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as fault:
        message = (
            f"Cannot listen on {settings.host} port {settings.port}: {fault.strerror}. Choose another with --port."
        )
        raise CommandError(message) from fault
    return listener, replace(settings, port=listener.getsockname()[1])


def interrupt_on_sigterm() -> None:
    """Let SIGTERM end the process as SIGINT does, so that what has to be cleaned up is; the server passes it on."""
    signal.signal(signal.SIGTERM, _interrupt)


def run_server(settings: Settings, listener: socket.socket, ready: Ready) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way; `ready` is called once, with what stops it too."""
    app = create_app(settings)
    suit_memory_to_serving()
    drain = Drain(settings.drain_seconds)
    app.state.draining = drain.has_begun
    try:
        _Server(_config(settings, app), ready, drain).run(sockets=[listener])
    except KeyboardInterrupt:
        return


def run_workers(
    settings: Settings, make_app: Callable[[c_bool], ASGIApp], listener: socket.socket, ready: Callable[[], None]
) -> None:
    """Serve with several processes until SIGINT or SIGTERM; one that dies is replaced, on SIGHUP all are, in turn.

    Each makes its application of a flag in memory that all of them share, which is set while they drain.
    """
    draining = RawValue(c_bool, False)
    config = _config(settings, partial(make_app, draining), factory=True, workers=settings.workers)
    _Workers(config, ready, listener, Drain(settings.drain_seconds), draining).run()


def _config(settings: Settings, app: ASGIApp | Callable[[], ASGIApp], **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="auto",  # uvloop, but on Windows, which it is not made for
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        **more,
    )


@contextmanager
def _counting_together(settings: Settings) -> Iterator[None]:
    """Let the processes count in one place, so that whichever is asked can tell what all have counted."""
    if not settings.metrics_token:
        yield
        return
    with TemporaryDirectory(prefix="openbooking-metrics-") as folder:
        os.environ[SHARED_FOLDER_VARIABLE] = folder
        yield


def _worker(settings: Settings, draining: c_bool) -> Starlette:
    """The application in a process of its own. The first has looked at the schema; the database may be away by now."""
    configure_logs()
    app = create_app(settings, store=open_store(settings), identity=open_identity_store(settings))
    app.state.draining = lambda: draining.value
    suit_memory_to_serving()
    return app


class Drain:
    """The time between SIGTERM and the end, in which whoever sends requests notices that they should go elsewhere."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: float | None = None

    def begins(self) -> bool:
        """Begin, and tell so; there is none if it takes no time or has begun before."""
        if not self._seconds or self.has_begun():
            return False
        self._ends = monotonic() + self._seconds
        return True

    def has_begun(self) -> bool:
        """Whether it has begun."""
        return self._ends is not None

    def is_over(self) -> bool:
        """Whether it has begun, and that time has passed."""
        return self._ends is not None and monotonic() >= self._ends


class _Server(uvicorn.Server):
    """Tells when it is ready, and drains before it stops."""

    def __init__(self, config: uvicorn.Config, ready: Ready, drain: Drain) -> None:
        super().__init__(config)
        self._ready = ready
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; the base class ends the process if that fails."""
        await super().startup(sockets)
        self._ready(self._stop)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; on the first SIGTERM drain before."""
        if sig != signal.SIGTERM or not self._drain.begins():
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Whether it is time to stop."""
        return await super().on_tick(counter) or self._drain.is_over()

    def _stop(self) -> None:
        self.should_exit = True


class _Workers(Multiprocess):
    """Tells when all are ready, and drains all before they stop."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        listener: socket.socket,
        drain: Drain,
        draining: c_bool,
    ) -> None:
        super().__init__(config, [listener])
        self._ready = ready
        self._drain = drain
        self._draining = draining

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

    def terminate_all(self) -> None:
        """Stop all, and let nobody wait at a door that stays closed."""
        super().terminate_all()
        for listener in self.sockets:
            listener.close()

    def init_processes(self) -> None:
        """Start all and wait for them; what they cannot start for is seen by whoever keeps them alive."""
        super().init_processes()
        if all(process.wait_until_ready(_SECONDS_TO_START, self.should_exit) for process in self.processes):
            self._ready()


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def log_ready(settings: Settings) -> None:
    """Tell that requests are answered now, and where."""
    log = structlog.get_logger()
    place = {"host": settings.host, "port": settings.port, "database": without_password(settings.database)}
    log.info("serving", site=settings.site, api=settings.base_uri, **place)
