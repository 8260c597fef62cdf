"""Requests as fast as they can be made: each on a connection of its own, so that they spread over all processes."""

import asyncio
from typing import Any, NamedTuple

import msgspec

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.served_system import HOST

_SECONDS_TO_ANSWER = 30


class Reply(NamedTuple):
    """What was answered; None for a status where the connection broke before it was known."""

    status: int | None
    body: bytes = b""

    @property
    def definite(self) -> bool:
        """Whether it tells what has become of the request."""
        return self.status not in (None, 503)

    @property
    def json(self) -> Any:
        """The body."""
        return msgspec.json.decode(self.body)


def request(method: str, path: str, partner: str, body: Any = None) -> bytes:
    """The bytes of a request."""
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


async def ask(port: int, asked: bytes) -> Reply:
    """The reply to a request."""
    try:
        async with asyncio.timeout(_SECONDS_TO_ANSWER):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                return await exchange(reader, writer, asked)
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return Reply(None)


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: bytes) -> Reply:
    """The reply to a request on a connection that is open already."""
    writer.write(asked)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = head.partition("content-length:")[2].partition("\r\n")[0]
    return Reply(int(head.split()[1]), await reader.readexactly(int(length or 0)))
