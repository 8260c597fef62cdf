"""The HTTP server in one process: the configuration of uvicorn, readiness, and shutdown after a drain."""

import signal
import socket
import sys
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from openbooking.clock import Clock, SystemClock
from openbooking.serving.connection import Connection
from openbooking.serving.memory import tune_memory
from openbooking.settings import Settings
from openbooking.store.location import redact_password
from openbooking.system import open_identity_store, open_store
from openbooking.web.app import create_app

_SECONDS_TO_FINISH = 10
# How long the event loop waits at most for a thread that computes. The loop waits that long many times for a booking
# while a thread makes a page of the console; Python's usual 5 ms would add up to tenths of a second.
_SWITCH_SECONDS = 0.0005
# Proxies keep idle connections for a minute. The proxy must close first: if the server closes, a request may be lost.
_SECONDS_IDLE = 75

Stop = Callable[[], None]
Ready = Callable[[Stop], None]


def run_server(settings: Settings, listener: socket.socket, ready: Ready, clock: SystemClock | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests that have begun.

    Args:
        settings: The settings.
        listener: The listening socket.
        ready: Called once the server answers. Its argument is a function that stops the server.
        clock: The source of the time; by default the clock of this machine.
    """
    drain = Drain(settings.drain_seconds)
    app = make_app(settings, clock or SystemClock(), drain.has_begun)
    _run(server_config(settings, app), listener, ready, drain)


def serve_app(
    settings: Settings,
    app: ASGIApp,
    listener: socket.socket,
    ready: Ready,
    connection: type[Connection] = Connection,
) -> None:
    """Serve an application other than that of `make_app` until SIGINT or SIGTERM, without a drain.

    Args:
        settings: The settings of the server.
        app: The application.
        listener: The listening socket.
        ready: Called once the server answers. Its argument is a function that stops the server.
        connection: The class of the connections.
    """
    _run(server_config(settings, app, connection=connection), listener, ready, Drain(0))


def make_app(settings: Settings, clock: Clock, draining: Callable[[], bool]) -> Starlette:
    """Return the application of a process that serves. The database must be migrated, but need not answer now.

    Args:
        settings: The settings.
        clock: The source of the time.
        draining: Returns whether the drain has begun.
    """
    app = create_app(settings, clock, open_store(settings, clock), open_identity_store(settings))
    app.state.draining = draining
    tune_memory()
    sys.setswitchinterval(_SWITCH_SECONDS)
    return app


def server_config(
    settings: Settings, app: ASGIApp | Callable[[], ASGIApp], connection: type[Connection] = Connection, **more: Any
) -> uvicorn.Config:
    """Return the configuration of uvicorn, which all processes share."""
    return uvicorn.Config(
        app,
        loop="auto",  # uvloop, or asyncio on Windows, which uvloop does not support
        http=connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=_SECONDS_IDLE,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        **more,
    )


def interrupt_on_sigterm() -> None:
    """Raise KeyboardInterrupt on SIGTERM as on SIGINT, so that the process cleans up. uvicorn re-raises signals."""
    signal.signal(signal.SIGTERM, _interrupt)


def log_ready(settings: Settings) -> None:
    """Log that the server answers requests, with its addresses."""
    log = structlog.get_logger()
    details = {"host": settings.host, "port": settings.port, "database": redact_password(settings.database)}
    log.info("serving", site=settings.site, api=settings.base_uri, **details)


class Drain:
    """The time between SIGTERM and shutdown, in which load balancers find out that the server is not ready.

    Args:
        seconds: The length of the drain; 0 for no drain.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: float | None = None

    def begin(self) -> bool:
        """Begin the drain; return False if the drain has already begun, or takes no time."""
        if not self._seconds or self.has_begun():
            return False
        self._ends = monotonic() + self._seconds
        return True

    def has_begun(self) -> bool:
        """Return whether the drain has begun."""
        return self._ends is not None

    def is_over(self) -> bool:
        """Return whether the drain has begun and has ended."""
        return self._ends is not None and monotonic() >= self._ends


class _Server(uvicorn.Server):
    """A uvicorn server that calls `ready` once it answers requests, and drains before it stops."""

    def __init__(self, config: uvicorn.Config, ready: Ready, drain: Drain) -> None:
        super().__init__(config)
        self._ready = ready
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the server and call `ready`. If the start fails, uvicorn exits with status 3."""
        await super().startup(sockets)
        self._ready(self._stop)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the drain at the first SIGTERM; stop at a second SIGTERM and at any other signal."""
        if sig != signal.SIGTERM or not self._drain.begin():
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Return whether it is time to stop."""
        return await super().on_tick(counter) or self._drain.is_over()

    def _stop(self) -> None:
        self.should_exit = True


def _run(config: uvicorn.Config, listener: socket.socket, ready: Ready, drain: Drain) -> None:
    try:
        _Server(config, ready, drain).run(sockets=[listener])
    except KeyboardInterrupt:
        return


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt
