"""A deadline for a whole request of a blocking HTTP client.

The timeouts of a client limit each read. A server that sends a byte at a time, or one interim response after another,
never exceeds them, and a thread that waits for the server cannot be interrupted. A timer therefore shuts the connection
down, which ends the wait. An asynchronous client needs only `asyncio.timeout`.
"""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx2

# The connections that each client keeps open, with the origin at which they lead.
_KEPT: WeakKeyDictionary[httpx2.Client, WeakKeyDictionary[Any, str]] = WeakKeyDictionary()
_LOCK = threading.Lock()
_CONNECTED, _ENCRYPTED = "connect_tcp.complete", "start_tls.complete"


class Deadline:
    """A context for one request, which raises TimeoutError if its block takes longer than it may.

    Requests that other threads send to the same origin by the same client meanwhile may fail as well, because it is not
    known which connection a request reuses.

    Args:
        client: The client that sends the request.
        url: The URL of the request.
        seconds: How long the block may take.

    Attributes:
        extensions: The extensions with which the client sends the request.
        is_over: Whether the time is over.
    """

    def __init__(self, client: httpx2.Client, url: str, seconds: float) -> None:
        self.extensions = {"trace": self._trace}
        self.is_over = seconds <= 0
        self._seconds = seconds
        self._origin = url.partition("://")[0] + urlsplit(url).netloc
        self._opened: list[socket.socket] = []
        with _LOCK:
            self._kept = _KEPT.setdefault(client, WeakKeyDictionary())
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with _LOCK:
            for opened in self._opened:
                opened.close()
            self._opened.clear()
        if self.is_over and (fault is None or isinstance(fault, Exception)):
            raise TimeoutError(f"it took longer than {self._seconds:g} seconds") from fault

    def _trace(self, event: str, found: dict[str, Any]) -> None:
        """Note a connection that was opened, as httpcore tells."""
        if not event.endswith((_CONNECTED, _ENCRYPTED)):
            return
        stream = found["return_value"]
        with _LOCK:
            self._kept[stream] = self._origin
            if event.endswith(_CONNECTED):
                # TLS takes the socket over, so that only a duplicate can end its handshake.
                self._opened.append(stream.get_extra_info("socket").dup())
        if self.is_over:
            stream.close()
            raise TimeoutError

    def _end(self) -> None:
        with _LOCK:
            self.is_over = True
            kept = [stream.get_extra_info("socket") for stream, origin in self._kept.items() if origin == self._origin]
            for each in (*self._opened, *kept):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
