"""The HTTP server: where it listens, how it stops, and what is told when it is ready."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from time import monotonic
from types import FrameType
from typing import Any

import structlog
import uvicorn
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.types import ASGIApp
from uvicorn.supervisors.multiprocess import Multiprocess, Process

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
# Proxies keep idle connections for a minute and must close them first: what is sent while the other closes is lost.
_SECONDS_IDLE = 75
# What the first process tells the others when it drains. Windows has nothing of the kind: there nobody is told.
_NOT_READY = getattr(signal, "SIGUSR1", None)

Stop = Callable[[], None]
Ready = Callable[[Stop], None]


def serve_forever(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, with logs."""
    from openbooking.store.migrate import prepare  # noqa: PLC0415 - long to load, and workers do without

    configure_logs()
    interrupt_on_sigterm()
    with ExitStack() as open_until_the_end:
        if settings.workers == 1:
            listener, settings = listen(settings)
            open_until_the_end.enter_context(listener)
            prepare(settings.database)
            run_server(settings, listener, lambda _: log_ready(settings))
        else:
            listeners, settings = listen_for_each(settings)
            for listener in listeners:
                open_until_the_end.enter_context(listener)
            prepare(settings.database)
            open_until_the_end.enter_context(_counting_together(settings))
            run_workers(settings, partial(_worker, settings), listeners, lambda: log_ready(settings))


def listen_for_each(settings: Settings) -> tuple[Sequence[socket.socket], Settings]:
    """A socket for each process, and the settings with the port they got.

    Linux deals connections out among them. Elsewhere they are one socket, and whichever process is awake takes most:
    behind a proxy that keeps its connections open, that is one process for good.
    """
    listener, settings = listen(settings)
    if sys.platform != "linux":
        return [listener] * settings.workers, settings
    # It has shown that nobody else listens there, whom those below would share the port with.
    listener.close()
    return [_listen(settings, reuse_port=True) for _ in range(settings.workers)], settings


def listen(settings: Settings) -> tuple[socket.socket, Settings]:
    """A socket that listens where the settings say, and the settings with the port it got."""
    listener = _listen(settings)
    return listener, replace(settings, port=listener.getsockname()[1])


def _listen(settings: Settings, *, reuse_port: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(
            (settings.host, settings.port), family=family, backlog=_BACKLOG, reuse_port=reuse_port
        )
    except OSError as fault:
        message = (
            f"Cannot listen on {settings.host} port {settings.port}: {fault.strerror}. Choose another with --port."
        )
        raise CommandError(message) from fault


def interrupt_on_sigterm() -> None:
    """Let SIGTERM end the process as SIGINT does, so that what has to be cleaned up is; the server passes it on."""
    signal.signal(signal.SIGTERM, _interrupt)


def run_server(settings: Settings, listener: socket.socket, ready: Ready) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way; `ready` is called once, with what stops it too."""
    app = create_app(settings)
    suit_memory_to_serving()
    drain = Drain(settings.drain_seconds, partial(_stop_being_ready, app))
    try:
        _Server(_config(settings, app), ready, drain).run(sockets=[listener])
    except KeyboardInterrupt:
        return


def run_workers(
    settings: Settings, make_app: Callable[[], ASGIApp], listeners: Sequence[socket.socket], ready: Callable[[], None]
) -> None:
    """Serve with several processes until SIGINT or SIGTERM, each of them at a socket of its own.

    One that dies is replaced, on SIGHUP all are, in turn.
    """
    _Workers(_config(settings, make_app, factory=True, workers=1), ready, listeners, settings.drain_seconds).run()


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
        timeout_keep_alive=_SECONDS_IDLE,
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


def _worker(settings: Settings) -> Starlette:
    """The application in a process of its own. The first has looked at the schema; the database may be away by now."""
    configure_logs()
    app = create_app(settings, store=open_store(settings), identity=open_identity_store(settings))
    if _NOT_READY:
        signal.signal(_NOT_READY, lambda _signal, _frame: _stop_being_ready(app))
    suit_memory_to_serving()
    return app


def _stop_being_ready(app: Starlette) -> None:
    app.state.draining = True


class Drain:
    """The time between SIGTERM and the end, in which whoever sends requests notices that they should go elsewhere."""

    def __init__(self, seconds: float, begin: Callable[[], None]) -> None:
        self._seconds = seconds
        self._begin = begin
        self._ends: float | None = None

    def begins(self) -> bool:
        """Begin, and tell so; there is none if it takes no time or has begun before."""
        if not self._seconds or self._ends is not None:
            return False
        self._begin()
        self._ends = monotonic() + self._seconds
        return True

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
    """Keeps one process going at each socket, tells when all are ready, and drains all before they stop."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        listeners: Sequence[socket.socket],
        drain_seconds: float,
    ) -> None:
        # Each of these keeps one; what they would do about signals is done here, for all.
        self._each = [Multiprocess(config, [listener]) for listener in listeners]
        super().__init__(config, list(listeners))
        self._ready = ready
        self._drain = Drain(drain_seconds, self._tell_to_drain)
        for one in self._each:
            one.should_exit = self.should_exit

    def init_processes(self) -> None:
        """Start all and wait for them; what they cannot start for is seen by whoever keeps them alive."""
        for one in self._each:
            one.init_processes()
        if all(process.wait_until_ready(_SECONDS_TO_START, self.should_exit) for process in self._all()):
            self._ready()

    def keep_subprocess_alive(self) -> None:
        """Replace those that have died."""
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
        """Stop; on the first SIGTERM drain before."""
        if not self._drain.begins():
            super().handle_term()

    def handle_signals(self) -> None:
        """Do what signals ask for, and stop when it is time to."""
        super().handle_signals()
        if self._drain.is_over():
            self.should_exit.set()

    def _all(self) -> list[Process]:
        return [process for one in self._each for process in one.processes]

    def _tell_to_drain(self) -> None:
        for process in self._all():
            if _NOT_READY and process.pid is not None and process.process.is_alive():
                os.kill(process.pid, _NOT_READY)


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def log_ready(settings: Settings) -> None:
    """Tell that requests are answered now, and where."""
    log = structlog.get_logger()
    place = {"host": settings.host, "port": settings.port, "database": without_password(settings.database)}
    log.info("serving", site=settings.site, api=settings.base_uri, **place)
