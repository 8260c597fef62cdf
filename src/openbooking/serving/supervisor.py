"""The supervisor of the worker processes: it starts them, replaces a dead worker, and stops them on a signal.

uvicorn's own supervisor gives all sockets to every worker. Here each worker has a socket of its own, so that the
operating system distributes connections among the workers (`openbooking.serving.listening`).
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
from openbooking.user_error import UserError

_SECONDS_TO_START = 60
_CHECK_SECONDS = 0.5

_log = structlog.get_logger()


class WorkerStartError(UserError):
    """A worker process could not start. The worker has logged the reason."""


class Supervisor:
    """Keeps one worker process running at each socket until SIGINT or SIGTERM.

    A worker that dies is replaced. SIGHUP replaces all workers, one after the other. The first SIGTERM
    begins the drain, and the workers stop when the drain is over.

    Args:
        config: The configuration of uvicorn for each worker.
        listeners: The socket of each worker.
        ready: Called once all workers serve.
        clock: The clock of this process. Each worker starts with a copy.
        drain: The time between SIGTERM and the stop.
        draining: A flag in shared memory, which tells the workers that the drain has begun.
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
        self._start_failed = False
        self._signals: list[int] = []
        self._processes: list[Process] = []

    def run(self) -> None:
        """Start the workers, call `ready` once all of them serve, and keep them running until a signal to stop.

        Raises:
            WorkerStartError: A worker could not start. All workers have been stopped.
        """
        for signal_ in SIGNALS:
            signal.signal(signal_, lambda number, _frame: self._signals.append(number))
        self._processes = [self._start(listener) for listener in self._listeners]
        # `_replace_dead_workers` finds a worker that could not start.
        if all(process.wait_until_ready(_SECONDS_TO_START) for process in self._processes):
            self._ready()
        while not self._stopping.wait(_CHECK_SECONDS):
            self._handle_signals()
            self._replace_dead_workers()
        self._stop()
        if self._start_failed:
            raise WorkerStartError("A worker process could not start. Its log entry above this line gives the reason.")

    def _start(self, listener: socket.socket) -> Process:
        """Start a worker at a socket, and return its process."""
        process = Process(self._config, [listener])
        process.start()
        return process

    def _handle_signals(self) -> None:
        """Handle the signals since the last check, and stop when the drain is over."""
        while self._signals:
            match SIGNALS[self._signals.pop(0)]:
                case "TERM" if self._drain.begin():
                    self._draining.value = True
                case "TERM" | "INT" | "BREAK":
                    self._stopping.set()
                case "HUP":
                    self._replace_all()
        if self._drain.is_over():
            self._stopping.set()

    def _replace_dead_workers(self) -> None:
        """Replace each worker that has died or does not answer; stop all workers if one could not start."""
        # Update the clock, because new workers receive a copy.
        self._clock()
        for index, process in enumerate(self._processes):
            if self._stopping.is_set():
                return
            if process.is_alive(timeout=self._config.timeout_worker_healthcheck):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE:
                # Another worker would fail in the same way.
                _log.error("worker.start_failed", pid=process.pid)
                self._start_failed = True
                self._stopping.set()
            else:
                self._processes[index] = self._start(self._listeners[index])

    def _replace_all(self) -> None:
        """Replace each worker once its successor serves; keep the other workers if a successor does not start."""
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
        """Stop the workers, and wait until all of them have ended."""
        for process in self._processes:
            process.terminate()
        # An open socket would accept connections that no worker serves.
        for listener in self._listeners:
            listener.close()
        for process in self._processes:
            process.join()
