"""One connection to a process that serves: what a client may send, how much of it is kept, and for how long.

uvicorn's protocol class reads requests with llhttp. It is kept for its speed and its strict parser, and bounded here
where it trusts the client (docs/adr/0020-http-parser.md):

- One request at a time: nothing is given to the parser, or read, while an answer is pending.
- A head has a limit of size, a request and its answer have limits of time.
- A request to change the protocol is served as one without it, so that its body is read like every other.
- Trailers are dropped, and never become headers.
- `Host`, the version and the coding of a body follow RFC 9112, or the request is refused.
"""

import asyncio
import re
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Far above what browsers, proxies and Brokers send.
LONGEST_HEAD = 65_536
# A client that reads more slowly than this in each `timeout_keep_alive` seconds is not waited for.
LEAST_READ = 65_536
_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_END_OF_HEAD = b"\r\n\r\n"
# uri-host [":" port] (RFC 9110 7.2); it may be empty.
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*)(:[0-9]*)?")


class _HeadTooLongError(Exception):
    """Ends the parser's work."""


class _MalformedError(Exception):
    """Ends the parser's work; the request is answered 400."""


class _Flow(FlowControl):
    """Flow control that does not resume reading, whoever asks, while bytes that have been read are held back."""

    held = False

    def resume_reading(self) -> None:
        """Read on, unless bytes are held back."""
        if not self.held:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """Reads one request at a time, refuses what is too long or malformed, and closes when a client is too slow.

    There is as much time for a request as idle connections have, and for reading each 64 KiB of an answer. The body
    has a limit of its own, where it is read.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # What the parser has been given since it last told of something: half a head, or what follows a body.
        self._untold = 0
        self._held = b""
        self._in_head = False
        self._upgrading = False
        self._too_late: asyncio.TimerHandle | None = None
        self._read_too_late: asyncio.TimerHandle | None = None
        self.flow: _Flow

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Await a request, from the first moment on."""
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing any more."""
        self._await_nothing()
        self._await_no_reading()
        self._unset_keepalive_if_required()
        self._held = b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as far as one request goes."""
        self._held = self._held + data if self._held else data
        self._read_on()

    def on_response_complete(self) -> None:
        """Go on with what was held back meanwhile."""
        super().on_response_complete()
        if self._held and not self.transport.is_closing():
            self._read_on()
        elif self.flow.held:
            self._hold(b"")

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        super().pause_writing()
        self._await_reading()

    def resume_writing(self) -> None:
        """The client has read nearly all of it, and has to read the rest, too."""
        self._await_reading()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close what is idle; as long as an answer is being read, that has a limit of its own."""
        if self._read_too_late is None:
            self.transport.abort()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        """A request begins."""
        self._unset_keepalive_if_required()
        super().on_message_begin()
        self._in_head = True
        if self._too_late is None:
            self._await_request()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; what follows a body is dropped (RFC 9110 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole; what came with it may be some of the body."""
        self._in_head = False
        if self._untold > LONGEST_HEAD and self._head_bytes() > LONGEST_HEAD:
            self._refuse()
            raise _HeadTooLongError
        self._untold = 0
        self._check_head()
        self._upgrading = self.parser.should_upgrade()
        if not self._upgrading:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._untold = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has been sent to its end, unless it is about to be parsed again, without its upgrade."""
        self._untold = 0
        if not self._upgrading:
            self._await_nothing()
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is malformed, unless that has been done; say so unless an earlier answer is under way."""
        if self.transport.is_closing():
            return
        if self._answering():
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _read_on(self) -> None:
        """Give the parser what is held, one head at a time, for as long as no answer is pending."""
        rest, start = self._held, 0
        while start < len(rest) and not self._answer_is_pending() and not self.transport.is_closing():
            found = rest.find(_END_OF_HEAD, start)
            end = len(rest) if found < 0 else found + len(_END_OF_HEAD)
            self._parse(rest[start:end])
            start = end
        self._hold(b"" if self.transport.is_closing() else rest[start:])

    def _hold(self, rest: bytes) -> None:
        """Keep what cannot be parsed yet, and read no more until it can be."""
        self._held = rest
        self.flow.held = bool(rest)
        if rest:
            self.flow.pause_reading()
        elif not self.transport.is_closing() and not self._body_waits():
            self.flow.resume_reading()

    def _parse(self, data: bytes) -> None:
        self._untold += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            (read,) = upgrade.args
            self._parse_without_upgrade(data[read:])
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
        if self._untold > LONGEST_HEAD:
            self._refuse()

    def _parse_without_upgrade(self, rest: bytes) -> None:
        """Parse the request again as if it did not ask for an upgrade, which a server may ignore (RFC 9110 7.8).

        llhttp leaves out the body otherwise, and takes what follows for the next request.
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
        """Raise unless the request is one that RFC 9112 lets a server answer."""
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
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr] # None at first

    def _answer_is_pending(self) -> bool:
        """Whether a request has been read to its end, and not been answered."""
        return bool(self.pipeline) or (self._answering() and not self.cycle.more_body)

    def _body_waits(self) -> bool:
        """Whether there is some of a body that the application has not asked for."""
        return self._answering() and bool(self.cycle.body)

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _await_request(self) -> None:
        self._too_late = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def _await_nothing(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def _await_reading(self) -> None:
        self._await_no_reading()
        unread = self.transport.get_write_buffer_size()
        if unread:
            self._read_too_late = self.loop.call_later(self.timeout_keep_alive, self._look_at_reading, unread)

    def _look_at_reading(self, unread_before: int) -> None:
        if unread_before - self.transport.get_write_buffer_size() < min(LEAST_READ, unread_before):
            self.transport.abort()
        else:
            self._await_reading()

    def _await_no_reading(self) -> None:
        if self._read_too_late is not None:
            self._read_too_late.cancel()
            self._read_too_late = None

    def _refuse(self) -> None:
        """Close, and tell why unless the answer to an earlier request is under way."""
        if self.transport.is_closing():
            return
        if not self._answering():
            self.transport.write(_REFUSAL)
        self.transport.close()
