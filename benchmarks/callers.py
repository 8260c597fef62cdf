"""Callers that send at set times. Those of `stage.load` send again as soon as they get an answer."""

import asyncio
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from stage import HOST

WARM_UP_SECONDS = 2
_MOST_CALLERS = 200


class Answered(NamedTuple):
    """The status and the body of a response."""

    status: int
    body: bytes


class Caller(NamedTuple):
    """A connection that is kept open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, port: int) -> "Caller":
        """Open a connection to the server."""
        return cls(*await asyncio.open_connection(HOST, port))

    async def ask(self, request: bytes) -> Answered:
        """Send the request and return the response."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        # 204 has none.
        length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
        return Answered(int(head.split()[1]), await self.reader.readexactly(length))


def put(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a PUT request with this body to a new UUID below the path."""
    lines = [f"PUT {path}/{uuid.uuid4()} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a GET request for this path."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, "", ""]).encode()


class Waits(msgspec.Struct, frozen=True):
    """The waits of callers, in milliseconds, in ascending order."""

    milliseconds: Sequence[float]

    def percentile(self, share: float) -> float:
        """Return the longest wait of this share of the callers, in milliseconds."""
        return self.milliseconds[min(int(len(self.milliseconds) * share), len(self.milliseconds) - 1)]


async def paced(port: int, requests: Iterable[bytes], a_second: float) -> Waits:
    """Send requests at a constant rate, without waiting for earlier responses, and return their waits.

    A wait begins at the time at which the request was due. Requests of the first seconds warm up the server and are
    left out.

    Raises:
        RuntimeError: A response has another status than 201.
    """
    free: asyncio.LifoQueue[Caller] = asyncio.LifoQueue()
    for _ in range(_MOST_CALLERS):
        free.put_nowait(await Caller.connect(port))
    waits: list[float] = []

    async def send(request: bytes, due: float) -> None:
        caller = await free.get()
        if caller.reader.at_eof():  # the server closes connections that were idle for long
            caller = await Caller.connect(port)
        answered = await caller.ask(request)
        if due - started >= WARM_UP_SECONDS:
            waits.append((time.perf_counter() - due) * 1000)
        free.put_nowait(caller)
        if answered.status != HTTPStatus.CREATED:
            raise RuntimeError(f"Answered {answered.status}: {answered.body.decode()}")

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            due = started + number / a_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(send(request, due))
    while not free.empty():
        free.get_nowait().writer.close()
    return Waits(sorted(waits))
