"""A minimal HTTP client: it opens a connection for each request, so that requests spread over all processes."""

import asyncio
from typing import Any, NamedTuple

import msgspec

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.servers.served_system import HOST

_SECONDS_TO_ANSWER = 30


class Reply(NamedTuple):
    """A reply; the status is None if the connection was lost before the reply."""

    status: int | None
    body: bytes = b""

    @property
    def definite(self) -> bool:
        """Whether the reply shows if the request was carried out."""
        return self.status not in (None, 503)

    @property
    def json(self) -> Any:
        """The decoded body."""
        return msgspec.json.decode(self.body)


def request(method: str, path: str, partner: str, body: Any = None) -> bytes:
    """Return the bytes of a request."""
    content = b"" if body is None else msgspec.json.encode(body)
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: booking.example.com",
        f"Authorization: Bearer obk_{partner}",
        f"Content-Type: {BOOKING_MEDIA_TYPE}",
        f"Content-Length: {len(content)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def ask(port: int, sent: bytes) -> Reply:
    """Send a request on a new connection, and return the reply."""
    try:
        async with asyncio.timeout(_SECONDS_TO_ANSWER):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                return await exchange(reader, writer, sent)
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return Reply(None)


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> Reply:
    """Send a request on an open connection, and return the reply."""
    writer.write(sent)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = head.partition("content-length:")[2].partition("\r\n")[0]
    return Reply(int(head.split()[1]), await reader.readexactly(int(length or 0)))
