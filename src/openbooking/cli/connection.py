"""One connection to a process that serves: how long a request's head may be, and how long it may take to send one."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Far above what browsers, proxies and Brokers send.
LONGEST_HEAD = 65_536
_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class _HeadTooLongError(Exception):
    """Ends the parser's work."""


class Connection(HttpToolsProtocol):
    """Refuses heads that are too long, and closes when a request is not sent to its end in time.

    There is as much time for it as idle connections have. The body has a limit of its own, where it is read.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # What the parser has been given since it last told of something: half a head, or what follows a body.
        self._untold = 0
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Await a request, from the first moment on."""
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing any more."""
        self._await_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._untold += len(data)
        super().data_received(data)
        if self._untold > LONGEST_HEAD:
            self._refuse()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        if self._too_late is None:
            self._await_request()

    def on_headers_complete(self) -> None:
        """The head is whole; what came with it may be some of the body."""
        if self._untold > LONGEST_HEAD and self._head_bytes() > LONGEST_HEAD:
            self._refuse()
            raise _HeadTooLongError
        self._untold = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._untold = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has been sent to its end."""
        self._untold = 0
        self._await_nothing()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is malformed, unless it has been refused already."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _await_request(self) -> None:
        self._too_late = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _await_nothing(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def _refuse(self) -> None:
        """Close, and tell why unless the answer to an earlier request is under way."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr] # None at first
            self.transport.write(_REFUSAL)
        self.transport.close()
