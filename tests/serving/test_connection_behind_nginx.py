"""Request smuggling through an nginx that forwards `Upgrade`, configured as the nginx manual says for websockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from openbooking.serving.server import server_config
from openbooking.settings import Settings
from serving.test_connection_framing import head, tell
from support.deployment.nginx import ENVIRONMENT, nginx_command
from support.deployment.proxies import free_port
from support.servers.served_system import HOST

pytestmark = pytest.mark.anyio
ATTACKS = 1_000
# Half a request. A server that reads it takes the head of the next request for the rest of a header.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\nX: "
SITES = """
upstream served {{ server {host}:{port}; keepalive 4; }}
server {{
    listen {host}:{listen};
    location / {{
        proxy_pass http://served;
        proxy_http_version 1.1;
        proxy_request_buffering off;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
    }}
}}
"""


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[int]:
    """Yield the port of an nginx in front of a server. nginx reuses its connections to the server for all clients."""
    config = server_config(Settings(), tell)
    config.lifespan, config.port = "off", 0
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    listen = free_port()
    port = server.servers[0].sockets[0].getsockname()[1]
    command = nginx_command(tmp_path, SITES.format(host=HOST, port=port, listen=listen))
    nginx = await asyncio.create_subprocess_exec(*command, env=ENVIRONMENT)
    while b"[" not in await asked(listen, head("GET", "Connection: close")):
        await asyncio.sleep(0.02)
    yield listen
    nginx.terminate()
    await nginx.wait()
    server.should_exit = True
    await running


async def asked(port: int, *parts: bytes) -> bytes:
    """Send one request in parts, and return the answer."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except ConnectionRefusedError:
        return b""
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.002 if len(parts) > 1 else 0)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_no_client_receives_the_answer_to_a_smuggled_request(proxy: int) -> None:
    lines = ["Connection: close", "Upgrade: websocket", f"Content-Length: {len(SMUGGLED)}"]
    wrong = 0
    for number in range(ATTACKS):
        await asked(proxy, head("PUT", *lines, path="/slow"), SMUGGLED)
        answered = await asked(proxy, head("GET", "Connection: close", path=f"/other{number}"))
        wrong += b"[GET /other%d " % number not in answered
    assert wrong == 0
