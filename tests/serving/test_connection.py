"""The limits of a connection: the size of a request head, and the time for a request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from openbooking.serving.connection import LONGEST_HEAD, Connection
from openbooking.serving.server import server_config
from openbooking.settings import Settings

pytestmark = pytest.mark.anyio

HOST = "127.0.0.1"
MANY = 40 * LONGEST_HEAD
ANSWERED = b"HTTP/1.1 204"
REFUSED = b"HTTP/1.1 431"


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and answer 204, as an ASGI application."""
    assert scope["type"] == "http"
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.request":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


async def serving(seconds: float) -> AsyncIterator[int]:
    """Yield the port of a server with this time limit in seconds."""
    config = server_config(Settings(), read_all)
    config.lifespan, config.port, config.timeout_keep_alive = "off", 0, seconds  # type: ignore[assignment]
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Yield the port of a server with a long time limit."""
    async for found in serving(60):
        yield found


@pytest.fixture
async def hasty() -> AsyncIterator[int]:
    """Yield the port of a server with a short time limit."""
    async for found in serving(0.2):
        yield found


async def told(port: int, *parts: bytes) -> bytes:
    """Send parts of a request, and return the answer up to the end of the connection."""
    reader, writer = await asyncio.open_connection(HOST, port)
    with suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
    answer = b""
    with suppress(ConnectionError):
        while received := await reader.read(1000):
            answer += received
    writer.close()
    return answer


def head(*lines: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} / HTTP/1.1", "Host: x", "Connection: close", *lines, "", ""]).encode()


def test_server_config_uses_the_limited_connection() -> None:
    assert server_config(Settings(), read_all).http is Connection


@pytest.mark.parametrize(
    "sent",
    [
        head(f"X: {'y' * LONGEST_HEAD}"),
        head(*(f"X-{number}: y" for number in range(LONGEST_HEAD // 6))),
        head().replace(b"/ ", b"/?" + b"y" * LONGEST_HEAD + b" "),
        head(f"X: {'y' * LONGEST_HEAD}")[:-4],
    ],
    ids=["a long header", "many headers", "a long target", "half a header"],
)
async def test_the_head_of_a_request_has_a_size_limit(port: int, sent: bytes) -> None:
    assert (await told(port, sent)).startswith(REFUSED)


async def test_endless_requests_are_cut_off(port: int) -> None:
    for beginning in (b"GET /", b"GET / HTTP/1.1\r\nX: ", head("Transfer-Encoding: chunked")[:-2] + b"\r\n0\r\nX: "):
        assert ANSWERED not in await told(port, beginning, *[b"y" * 1_000_000] * 20)


async def test_a_head_below_the_limit_and_a_large_body_are_read(port: int) -> None:
    body = b"z" * MANY
    sent = head(f"X: {'y' * (LONGEST_HEAD - 1000)}", f"Content-Length: {MANY}", method="PUT") + body
    assert (await told(port, sent)).startswith(ANSWERED)
    chunks = b"".join(b"1\r\nz\r\n" for _ in range(LONGEST_HEAD))
    sent = head("Transfer-Encoding: chunked", method="PUT") + chunks + b"0\r\n\r\n"
    assert (await told(port, sent)).startswith(ANSWERED)


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", head("Content-Length: 9", method="PUT") + b"z"], ids=["nothing", "a head", "a body"]
)
async def test_an_unfinished_request_times_out(hasty: int, sent: bytes) -> None:
    assert await told(hasty, sent) == b""


async def test_the_size_limit_applies_to_each_request(port: int) -> None:
    asked = head(f"X: {'y' * (LONGEST_HEAD // 2)}").replace(b"Connection: close\r\n", b"")
    reader, writer = await asyncio.open_connection(HOST, port)
    for _ in range(4):
        writer.write(asked)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(ANSWERED)
    writer.close()
    assert (await told(port, asked * 4 + head())).count(ANSWERED) == 5
