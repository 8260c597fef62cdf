"""The limits of a connection: the size of a request head, the time for a request, and the speed of a reader.

`Connection` extends uvicorn's protocol class, which reads requests with llhttp. The class adds limits where
uvicorn trusts clients (docs/adr/0020-http-parser.md):

- Pipelined requests: the next request is read after the answer to the last one.
- The head of a request has a size limit (64 KiB). A request and the reading of its answer have time limits.
- A request to change the protocol (`Upgrade`) is served as a normal request, so that its body is read as a body.
- Trailers are dropped; otherwise they would become headers.
- A request is refused if `Host`, the version or the transfer coding does not follow RFC 9112.
"""

import asyncio
import re
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Bytes; far above the heads that browsers, proxies and Brokers send.
LONGEST_HEAD = 65_536
# A client must read this many bytes in each `timeout_keep_alive` seconds, or its connection is closed.
LEAST_READ = 65_536
_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_END_OF_HEAD = b"\r\n\r\n"
# uri-host [":" port] (RFC 9110 7.2). A host may be empty.
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*)(:[0-9]*)?")


class _HeadTooLongError(Exception):
    """The head of the request is too long. Raised to stop the parser."""


class _MalformedError(Exception):
    """The request is malformed. Raised to stop the parser; the answer is 400."""


class _Flow(FlowControl):
    """Flow control that does not resume reading while received bytes wait to be parsed.

    Attributes:
        held: Whether received bytes wait to be parsed.
    """

    held = False

    def resume_reading(self) -> None:
        """Resume reading, unless received bytes wait to be parsed."""
        if not self.held:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """Reads one request at a time, refuses long or malformed requests, and closes the connection of a slow client.

    The time limit for a request is `timeout_keep_alive` seconds. Each 64 KiB of an answer has the same time limit. The
    application limits the size of the body.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # The number of bytes parsed since the last event of the parser. These bytes belong to a head or to trailers.
        self._unreported = 0
        self._held = b""
        self._in_head = False
        self._upgrading = False
        self._request_timer: asyncio.TimerHandle | None = None
        self._reading_timer: asyncio.TimerHandle | None = None
        self.flow: _Flow

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Start the time limit of the first request."""
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._start_request_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel all time limits."""
        self._stop_request_timer()
        self._stop_reading_timer()
        self._unset_keepalive_if_required()
        self._held = b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the received bytes up to the end of the first request."""
        self._held = self._held + data if self._held else data
        self._read_on()

    def on_response_complete(self) -> None:
        """Parse the bytes that were received during the answer."""
        super().on_response_complete()
        if self._held and not self.transport.is_closing():
            self._read_on()
        elif self.flow.held:
            self._hold(b"")

    def pause_writing(self) -> None:
        """Start the time limit for the client to read, because the send buffer is full."""
        super().pause_writing()
        self._start_reading_timer()

    def resume_writing(self) -> None:
        """Restart the time limit for the client to read the rest of the answer."""
        self._start_reading_timer()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, unless the client still reads an answer, which has another time limit."""
        if self._reading_timer is None:
            self.transport.abort()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        """Start a request: stop the limit for idle connections, and start the time limit of the request."""
        self._unset_keepalive_if_required()
        super().on_message_begin()
        self._in_head = True
        if self._request_timer is None:
            self._start_request_timer()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Accept a header. Trailers, which follow a body, are dropped (RFC 9110 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Check the head of the request. The parsed bytes may also include a part of the body."""
        self._in_head = False
        if self._unreported > LONGEST_HEAD and self._head_bytes() > LONGEST_HEAD:
            self._refuse()
            raise _HeadTooLongError
        self._unreported = 0
        self._check_head()
        self._upgrading = self.parser.should_upgrade()
        if not self._upgrading:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Accept a part of the body."""
        self._unreported = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request, unless it will be parsed again without its Upgrade header."""
        self._unreported = 0
        if not self._upgrading:
            self._stop_request_timer()
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer 400 and close the connection. While an earlier answer is being sent, only close the connection."""
        if self.transport.is_closing():
            return
        if self._answering():
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _read_on(self) -> None:
        """Parse the received bytes, one head at a time, until a request waits for its answer."""
        rest, start = self._held, 0
        while start < len(rest) and not self._answer_is_pending() and not self.transport.is_closing():
            found = rest.find(_END_OF_HEAD, start)
            end = len(rest) if found < 0 else found + len(_END_OF_HEAD)
            self._parse(rest[start:end])
            start = end
        self._hold(b"" if self.transport.is_closing() else rest[start:])

    def _hold(self, rest: bytes) -> None:
        """Keep received bytes to be parsed later, and pause reading until then."""
        self._held = rest
        self.flow.held = bool(rest)
        if rest:
            self.flow.pause_reading()
        elif not self.transport.is_closing() and not self._body_waits():
            self.flow.resume_reading()

    def _parse(self, data: bytes) -> None:
        """Pass bytes to the parser, and refuse a malformed request or a long head."""
        self._unreported += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            (read,) = upgrade.args
            self._parse_without_upgrade(data[read:])
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
        if self._unreported > LONGEST_HEAD:
            self._refuse()

    def _parse_without_upgrade(self, rest: bytes) -> None:
        """Parse a request again without its Upgrade header, which a server may ignore (RFC 9110 7.8).

        With the header, llhttp would skip the body, and read the bytes of the body as the next request.
        """
        version = self.parser.get_http_version().encode()
        head = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        head += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(b"\r\n".join([*head, b"", b""]))
        if rest and not self.transport.is_closing():
            self._parse(rest)

    def _check_head(self) -> None:
        """Raise _MalformedError unless RFC 9112 allows a server to answer the request."""
        version = self.parser.get_http_version()
        hosts = [value for name, value in self.headers if name == b"host"]
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        if version not in ("1.0", "1.1") or self.parser.get_method() == b"CONNECT":
            raise _MalformedError
        if len(hosts) > 1 or (not hosts and version == "1.1") or not all(map(_HOST.fullmatch, hosts)):
            raise _MalformedError
        if codings and (version == "1.0" or [coding.lower() for coding in codings] != [b"chunked"]):
            raise _MalformedError

    def _answering(self) -> bool:
        """Return whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr] # None at first

    def _answer_is_pending(self) -> bool:
        """Return whether a complete request has not been answered yet."""
        return bool(self.pipeline) or (self._answering() and not self.cycle.more_body)

    def _body_waits(self) -> bool:
        """Return whether the application has not read all received parts of the body."""
        return self._answering() and bool(self.cycle.body)

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _start_request_timer(self) -> None:
        self._request_timer = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _start_reading_timer(self) -> None:
        self._stop_reading_timer()
        unread = self.transport.get_write_buffer_size()
        if unread:
            self._reading_timer = self.loop.call_later(self.timeout_keep_alive, self._check_reading, unread)

    def _check_reading(self, unread_before: int) -> None:
        """Close the connection if the client has read less than LEAST_READ bytes since the last check."""
        if unread_before - self.transport.get_write_buffer_size() < min(LEAST_READ, unread_before):
            self.transport.abort()
        else:
            self._start_reading_timer()

    def _stop_reading_timer(self) -> None:
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None

    def _refuse(self) -> None:
        """Answer 431 and close the connection. While an earlier answer is being sent, only close the connection."""
        if self.transport.is_closing():
            return
        if not self._answering():
            self.transport.write(_REFUSAL)
        self.transport.close()
