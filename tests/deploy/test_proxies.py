"""nginx and Caddy with the files of `deploy/proxy/`: client addresses, limits, slow clients, long feeds and TLS.

`make test` tries nginx, `make deployment` tries Caddy too.
"""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from openbooking.openactive.ids import Identifiers
from openbooking.serving.server import server_config
from openbooking.settings import Settings
from openbooking.web.app import create_app
from support.builders import new_uuid
from support.deployment.proxies import CLIENT, LOCAL, SITE, Proxy, running_proxy
from support.races.brokers import order_body
from support.servers.served_system import Plan, Served

FORGED = {
    "X-Forwarded-For": "203.0.113.66",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example.com",
    "Forwarded": "for=203.0.113.66;proto=http",
    "X-Real-IP": "203.0.113.66",
}
SESSIONS = 510


async def tell_client(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what the server knows about the client, and the length of the body."""
    request = Request(scope, receive)
    body = await request.body()
    seen = {"client": request.client.host if request.client else "", "scheme": request.url.scheme, "bytes": len(body)}
    await JSONResponse(seen)(scope, receive, send)


@contextmanager
def serving(settings: Settings, app: ASGIApp, lifespan: str) -> Iterator[int]:
    """Serve an application in a thread, as `openbooking serve` does, and yield the port."""
    config = server_config(settings, app)
    config.lifespan = "on" if lifespan == "on" else "off"
    server = uvicorn.Server(config)
    with socket.create_server((LOCAL, 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def telling() -> Iterator[int]:
    """Yield the port of a server that runs `tell_client`."""
    with serving(Settings(), tell_client, "off") as port:
        yield port


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield a Booking System whose feed of sessions has several pages."""
    sessions = {f"yoga-{number}": 5 for number in range(SESSIONS)}
    plan = Plan(str(tmp_path_factory.mktemp("served") / "served.sqlite3"), 1, sessions)
    asyncio.run(plan.stock())
    with Served(plan, metrics_token="scrape-me") as running:
        yield running


@pytest.fixture(scope="module")
def proxies(
    kind_of_proxy: str, telling: int, served: Served, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Proxy, Proxy]]:
    """Yield a proxy in front of `telling`, and one in front of `served`."""
    with ExitStack() as stack:
        made = [
            stack.enter_context(running_proxy(kind_of_proxy, tmp_path_factory.mktemp(kind_of_proxy), [port]))
            for port in (telling, served.port)
        ]
        yield made[0], made[1]


def booking(length: int = 0) -> tuple[str, dict[str, str], bytes]:
    """Return the path, the headers and the body of a B request, whose body has at least this length."""
    ids = Identifiers(f"https://{SITE}/api")
    body = json.dumps(order_body(ids, ["yoga-1"])).encode().ljust(length)
    return f"/api/orders/{new_uuid()}", {"Authorization": "Bearer obk_alice"}, body


@pytest.mark.parametrize("headers", [{}, FORGED], ids=["plain", "forged"])
def test_the_server_knows_the_client_and_ignores_forged_headers(
    proxies: tuple[Proxy, Proxy], headers: dict[str, str]
) -> None:
    with proxies[0].client() as client:
        seen = client.get("/", headers=headers).json()
    assert seen == {"client": CLIENT, "scheme": "https", "bytes": 0}


def test_a_client_that_is_no_trusted_proxy_is_not_believed(telling: int) -> None:
    with httpx2.Client(transport=httpx2.HTTPTransport(local_address=CLIENT)) as client:
        seen = client.get(f"http://{LOCAL}:{telling}/", headers=FORGED).json()
    assert seen == {"client": CLIENT, "scheme": "http", "bytes": 0}


def test_a_refused_sign_in_is_counted_for_the_address_of_the_client(
    proxies: tuple[Proxy, Proxy], served: Served
) -> None:
    with proxies[1].client() as client:
        page = client.get("/sign-in")
        fields = dict(re.findall(r'name="(form_token)"[^>]*value="([^"]*)"', page.text))
        fields |= {"username": "nobody", "password": "a wrong password"}
        refused = client.post("/sign-in", data=fields, headers={"Origin": f"https://{SITE}", **FORGED})
    assert "Too many" not in refused.text
    lines: list[Any] = []
    while not lines:
        lines = [line for line in map(json.loads, served.log) if line["event"] == "sign_in.refused"]
        time.sleep(0.01)
    assert lines[-1]["address"] == CLIENT


@pytest.mark.spec("OB-SEC-01")
def test_without_tls_everything_is_redirected(proxies: tuple[Proxy, Proxy]) -> None:
    path, headers, body = booking()
    for method in ("GET", "PUT"):
        url = f"http://{LOCAL}:{proxies[1].plain_port}{path}"
        reply = httpx2.request(method, url, headers={**headers, "Host": SITE}, content=body, trust_env=False)
        assert reply.status_code in (301, 308)
        assert reply.headers["Location"].startswith(f"https://{SITE}")
        assert reply.headers["Location"].endswith(path)


def test_the_largest_body_is_booked_and_a_larger_one_gets_the_error_of_the_specification(
    proxies: tuple[Proxy, Proxy],
) -> None:
    with proxies[1].client() as client:
        statuses = {}
        for length in (1_000_000, 1_000_001, 1_900_000, 3_000_000):
            path, headers, body = booking(length)
            reply = client.put(path, headers=headers, content=body)
            statuses[length] = reply.status_code
            if 1_000_000 < length < 2_000_000:
                assert reply.json()["statusCode"] == 413
    assert statuses == {1_000_000: 201, 1_000_001: 413, 1_900_000: 413, 3_000_000: 413}


def test_long_headers_reach_the_server(proxies: tuple[Proxy, Proxy]) -> None:
    with proxies[0].client() as client:
        assert client.get("/", headers={"X-Long": "x" * 40_000}).status_code == 200


def test_a_long_feed_is_the_same_through_the_proxy_and_compressed(proxies: tuple[Proxy, Proxy], served: Served) -> None:
    items = 0
    path = "/feeds/scheduled-sessions"
    with proxies[1].client() as client, httpx2.Client(base_url=f"http://{LOCAL}:{served.port}") as direct:
        while True:
            page = client.get(path)
            assert page.content == direct.get(path).content
            if not page.json()["items"]:
                break
            assert page.headers["Content-Encoding"] == "gzip"
            items += len(page.json()["items"])
            path = page.json()["next"].removeprefix(f"https://{SITE}")
    assert items == SESSIONS


def test_metrics_are_not_public(proxies: tuple[Proxy, Proxy], served: Served) -> None:
    scrape = {"Authorization": "Bearer scrape-me"}
    with proxies[1].client() as client:
        assert client.get("/metrics", headers=scrape).status_code == 404
        assert client.get("/readyz").status_code == 200
    assert httpx2.get(f"http://{LOCAL}:{served.port}/metrics", headers=scrape).status_code == 200


def test_clients_that_send_slowly_are_cut_off_and_hold_nobody_up(proxies: tuple[Proxy, Proxy]) -> None:
    proxy = proxies[1]
    whole = f"PUT /api/orders/1 HTTP/1.1\r\nHost: {SITE}\r\nContent-Length: 9\r\n\r\n{{".encode()
    with ExitStack() as stack:
        slow = []
        for number in range(40):
            plain = socket.create_connection((LOCAL, proxy.port))
            connection = stack.enter_context(proxy.tls.wrap_socket(plain, server_hostname=SITE))
            connection.sendall(whole[: 20 if number % 2 else None])
            connection.settimeout(60)
            slow.append(connection)
        with proxy.client() as client:
            path, headers, body = booking()
            assert client.put(path, headers=headers, content=body).status_code == 201
        for connection in slow:
            while connection.recv(4096):
                pass


def test_a_site_below_a_path_answers_behind_a_proxy_that_keeps_the_path(tmp_path: Path) -> None:
    settings = Settings(site_url=f"https://{SITE}/booking", database=str(tmp_path / "served.sqlite3"))
    (tmp_path / "nginx").mkdir()
    with (
        serving(settings, create_app(settings), "on") as port,
        running_proxy("nginx", tmp_path / "nginx", [port], "/booking") as proxy,
        proxy.client() as client,
    ):
        assert client.get("/booking/readyz").json()["database"] == "ok"
        page = client.get("/booking/sign-in")
        paths = re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text)
        assert page.headers["Set-Cookie"].lower().count("path=/booking") == 1
        assert [path for path in paths if not path.startswith("/booking/")] == []
        assert {client.get(path).status_code for path in paths if path.endswith((".css", ".svg"))} == {200}
        feed = client.get("/booking/feeds/slots").json()
        assert feed["next"].startswith(f"https://{SITE}/booking/feeds/slots")
        # Health checks ask the server without the path.
        assert httpx2.get(f"http://{LOCAL}:{port}/readyz").status_code == 200
