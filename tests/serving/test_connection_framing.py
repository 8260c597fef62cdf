"""The framing of requests: limits, pipelining, and protection from request smuggling."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from openbooking.serving.server import server_config
from openbooking.settings import Settings
from support.servers.served_system import HOST, Plan, Served

pytestmark = pytest.mark.anyio
SENT = 8_000_000
MOST_GROWTH_KB = 40_000
WAITING = 2.0
LENGTHS = {"/long": 50_000_000, "/shorter": 16_000_000}
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


async def tell(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the method, path, body length and header names of the request, as an ASGI application."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message.get("more_body"):
            break
    if scope["path"] == "/slow":
        await asyncio.sleep(0.01)
    names = b",".join(name for name, _ in scope["headers"])
    told = b"[%s %s %d %s]" % (scope["method"].encode(), scope["path"].encode(), len(body), names)
    told += b"." * LENGTHS.get(scope["path"], 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": told})


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[uvicorn.Server]:
    """Yield a running server with the application `tell`. A parameter is the time limit of a connection in seconds."""
    config = server_config(Settings(), tell)
    config.lifespan, config.port = "off", 0
    config.timeout_keep_alive = getattr(request, "param", 60)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server
    server.should_exit = True
    await running


@pytest.fixture
def port(server: uvicorn.Server) -> int:
    """Return the port of the server."""
    number: int = server.servers[0].sockets[0].getsockname()[1]
    return number


async def answers(port: int, *parts: bytes) -> bytes:
    """Send parts of requests and then a last request; return all answers."""
    reader, writer = await asyncio.open_connection(HOST, port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.05)
    writer.write(head("GET", "Connection: close", path="/last"))
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def head(method: str, *lines: str, path: str = "/first", host: str = "Host: x", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", *filter(None, [host]), *lines, "", ""]).encode()


@pytest.mark.parametrize("connections", [1, 15])
async def test_pipelined_requests_are_not_buffered(tmp_path: Path, connections: int) -> None:
    plan = Plan(str(tmp_path / "served.sqlite3"), 1, {"yoga": 50})
    await plan.stock()
    one = head("GET", path="/healthz")

    async def flood() -> None:
        _, writer = await asyncio.open_connection(HOST, served.port)
        writer.write(one * (SENT // len(one)))
        try:
            async with asyncio.timeout(WAITING):
                await writer.drain()
        except (TimeoutError, ConnectionError):
            pass
        writer.transport.abort()

    def most_kb() -> int:
        status = Path(f"/proc/{served.workers()[0]}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s*(\d+)", status)[0])

    with Served(plan) as served:
        _, writer = await asyncio.open_connection(HOST, served.port)
        writer.close()
        before = most_kb()
        await asyncio.gather(*(flood() for _ in range(connections)))
        assert most_kb() - before < MOST_GROWTH_KB


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "other"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("apart", [False, True])
async def test_a_body_is_never_parsed_as_a_request(port: int, upgrade: str, chunked: bool, apart: bool) -> None:
    lines = ["Connection: Upgrade", f"Upgrade: {upgrade}"]
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(SMUGGLED)}"
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED) if chunked else SMUGGLED
    sent = [head("PUT", *lines, length), body]
    answered = await answers(port, *(sent if apart else [b"".join(sent)]))
    told = re.findall(rb"\[(\w+ /\w+ \d+)", answered)
    assert told == [b"PUT /first %d" % len(SMUGGLED), b"GET /last 0"]


async def test_pipelined_requests_after_an_upgrade_are_answered_in_order(port: int) -> None:
    asked = head("GET", "Connection: Upgrade", "Upgrade: websocket")
    assert re.findall(rb"\[GET (/\w+)", await answers(port, asked * 3)) == [b"/first"] * 3 + [b"/last"]


async def test_trailers_are_dropped(port: int) -> None:
    trailers = b"X-Forwarded-For: 6.6.6.6\r\nAuthorization: Bearer x\r\nX-Partner: alice\r\n"
    for parts in ([b"1\r\nz\r\n0\r\n" + trailers + b"\r\n"], [b"1\r\nz\r\n0\r\n", trailers, b"\r\n"]):
        asked = head("PUT", "Transfer-Encoding: chunked")
        answered = await answers(port, asked + parts[0], *parts[1:])
        assert re.findall(rb"\[(.*?)\]", answered) == [
            b"PUT /first 1 host,transfer-encoding",
            b"GET /last 0 host,connection",
        ]


@pytest.mark.parametrize(
    "asked",
    [
        head("GET", host=""),
        head("GET", "Host: y"),
        head("GET", "Host: x"),
        head("GET", "Host: y", version="1.0"),
        head("GET", host="Host: a b"),
        head("GET", host="Host: a@b"),
        head("GET", version="2.0"),
        head("GET", version="0.9"),
        b"GET /first\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n",
        head("PUT", "Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
        head("PUT", "Transfer-Encoding: chunked", version="1.0") + b"0\r\n\r\n",
        head("PUT", "Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n",
        head("PUT", "Content-Length: 1", "Content-Length: 2") + b"zz",
        head("GET", "X: a", " b"),
        head("GET", "X: a\nY: b"),
        head("GET", "X: a\0b"),
        head("PUT", "Transfer-Encoding: chunked") + b"10000000000000000\r\nz\r\n0\r\n\r\n",
    ],
)
async def test_ambiguous_framing_is_refused(port: int, asked: bytes) -> None:
    answered = await answers(port, asked)
    assert answered.startswith(b"HTTP/1.1 400") or not answered
    assert b"[" not in answered


@pytest.mark.parametrize("host", ["", "Host: x"])
async def test_an_http_1_0_request_may_lack_a_host(port: int, host: str) -> None:
    assert b"[GET /first" in await answers(port, head("GET", host=host, version="1.0"))


@pytest.mark.parametrize("host", ["Host:", "Host: x:80", "Host: [::1]:80", "Host: a_b.example"])
async def test_well_formed_hosts_are_accepted(port: int, host: str) -> None:
    assert b"[GET /last" in await answers(port, head("GET", host=host))


@pytest.mark.parametrize("server", [0.5], indirect=True)
async def test_the_connection_of_a_client_that_does_not_read_is_closed(server: uvicorn.Server, port: int) -> None:
    reader, writer = await asyncio.open_connection(HOST, port, limit=1000)
    writer.write(head("GET", path="/long"))
    while not server.server_state.total_requests:
        await asyncio.sleep(0.01)
    while server.server_state.connections:
        await asyncio.sleep(0.01)
    received = 0
    try:
        while some := await reader.read(1_000_000):
            received += len(some)
    except ConnectionError:
        pass
    writer.close()
    assert received < 50_000_000


@pytest.mark.parametrize("server", [1.0], indirect=True)
async def test_a_client_that_reads_steadily_gets_the_whole_answer(port: int) -> None:
    """The whole answer takes more than the limit of an idle connection, and each read much less."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=1000)
    writer.write(head("GET", path="/shorter"))
    received = 0
    while received < LENGTHS["/shorter"]:
        received += len(await reader.readexactly(1_000_000))
        await asyncio.sleep(0.1)
    writer.close()
    assert received == LENGTHS["/shorter"]


@pytest.mark.parametrize("server", [0.5], indirect=True)
async def test_line_ends_do_not_keep_an_idle_connection_open(port: int) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(head("GET"))
    await reader.readuntil(b"]")
    writer.write(b"\r\n")
    assert await asyncio.wait_for(reader.read(), WAITING * 5) == b""
    writer.close()


@pytest.mark.parametrize(
    ("header", "more"),
    [
        ("Authorization", {}),
        ("X-Partner", {"access": "headers", "trusted_partner_header": "X-Partner"}),
        ("X-Seller", {"access": "headers", "trusted_partner_header": "P", "trusted_seller_header": "X-Seller"}),
    ],
)
async def test_a_repeated_authentication_header_is_refused(tmp_path: Path, header: str, more: dict[str, Any]) -> None:
    plan = Plan(str(tmp_path / "served.sqlite3"), 1, {"yoga": 50})
    await plan.stock()
    asked = head("PUT", f"{header}: Bearer obk_alice", f"{header}: Bearer obk_bob", path=f"/api/orders/{'0' * 8}")
    with Served(plan, **more) as served:
        answered = await answers(served.port, asked)
    assert answered.startswith(b"HTTP/1.1 400")
    assert b"OpenBookingError" in answered
