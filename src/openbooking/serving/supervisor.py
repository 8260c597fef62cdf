"""The supervisor of the processes that serve.

uvicorn's own supervisor gives all sockets to every process. Here each process has a socket of its own, so that the
operating system deals connections out among the processes (`listening`).
"""

import signal
import socket
from collections.abc import Callable, Sequence
from ctypes import c_bool
from threading import Event

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import SIGNALS, Process

from openbooking.clock import SystemClock
from openbooking.serving.server import Drain

_SECONDS_TO_START = 60
_CHECK_SECONDS = 0.5

_log = structlog.get_logger()


class Supervisor:
    """Keeps one process running at each socket until SIGINT or SIGTERM.

    A process that dies is replaced. On SIGHUP all processes are replaced, one after the other. The first SIGTERM begins
    the drain: `draining` is set, which all processes share, and they stop when the drain is over.
    """

    def __init__(  # noqa: PLR0913 - the parts that all processes share
        self,
        config: uvicorn.Config,
        listeners: Sequence[socket.socket],
        *,
        ready: Callable[[], None],
        clock: SystemClock,
        drain: Drain,
        draining: c_bool,
    ) -> None:
        self._config = config
        self._listeners = listeners
        self._ready = ready
        self._clock = clock
        self._drain = drain
        self._draining = draining
        self._stopping = Event()
        self._signals: list[int] = []
        self._processes: list[Process] = []

    def run(self) -> None:
        """Start the processes, call `ready` once all of them serve, and keep them running until it is time to stop."""
        for signal_ in SIGNALS:
            signal.signal(signal_, lambda number, _frame: self._signals.append(number))
        self._processes = [self._start(listener) for listener in self._listeners]
        # A process that cannot start is found by the first check.
        if all(process.wait_until_ready(_SECONDS_TO_START) for process in self._processes):
            self._ready()
        while not self._stopping.wait(_CHECK_SECONDS):
            self._handle_signals()
            self._replace_the_dead()
        self._stop()

    def _start(self, listener: socket.socket) -> Process:
        process = Process(self._config, [listener])
        process.start()
        return process

    def _handle_signals(self) -> None:
        while self._signals:
            match SIGNALS[self._signals.pop(0)]:
                case "TERM" if self._drain.begins():
                    self._draining.value = True
                case "TERM" | "INT" | "BREAK":
                    self._stopping.set()
                case "HUP":
                    self._replace_all()
        if self._drain.is_over():
            self._stopping.set()

    def _replace_the_dead(self) -> None:
        # Processes that start later are given what this process has learned about the clock.
        self._clock()
        for index, process in enumerate(self._processes):
            if self._stopping.is_set():
                return
            if process.is_alive(timeout=self._config.timeout_worker_healthcheck):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE:
                # Another process would fail in the same way.
                _log.error("worker.start_failed", pid=process.pid)
                self._stopping.set()
            else:
                self._processes[index] = self._start(self._listeners[index])

    def _replace_all(self) -> None:
        """Replace each process once its successor serves; stop at the first successor that does not start."""
        for index, process in enumerate(self._processes):
            successor = self._start(self._listeners[index])
            if not successor.wait_until_ready(_SECONDS_TO_START):
                successor.kill()
                successor.join()
                _log.error("worker.not_replaced", pid=process.pid)
                return
            process.terminate()
            process.join()
            self._processes[index] = successor

    def _stop(self) -> None:
        for process in self._processes:
            process.terminate()
        # Otherwise connections would be accepted that no process serves.
        for listener in self._listeners:
            listener.close()
        for process in self._processes:
            process.join()
