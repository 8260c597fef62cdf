"""The proxies of `deploy/proxy/`, run with their own files in front of servers on this machine."""

import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2

from support.certificates import write_certificate
from support.deployment.files import DEPLOY
from support.deployment.nginx import ENVIRONMENT, nginx_command

SITE = "booking.example.com"
LOCAL = "127.0.0.1"
# Another address of this machine, so that clients and proxies can be told apart.
CLIENT = "127.0.0.2"
SECONDS_TO_SEND = 1


class Proxy(NamedTuple):
    """A running proxy: its ports with and without TLS, and how clients verify it."""

    port: int
    plain_port: int
    tls: ssl.SSLContext

    @property
    def url(self) -> str:
        """The address of the site at the proxy."""
        return f"https://{SITE}:{self.port}"

    def client(self) -> httpx2.Client:
        """Return a client whose address is `CLIENT`."""
        return httpx2.Client(transport=_Local(self), headers={"Host": SITE}, timeout=30, base_url=f"https://{SITE}")

    def async_client(self) -> httpx2.AsyncClient:
        """Return an asynchronous client."""
        return httpx2.AsyncClient(
            transport=_AsyncLocal(self), headers={"Host": SITE}, timeout=30, base_url=f"https://{SITE}"
        )


class _Local(httpx2.HTTPTransport):
    """Sends requests to the proxy on this machine, whatever host they are for."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(verify=proxy.tls, local_address=CLIENT)
        self._port = proxy.port

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return super().handle_request(_directed(request, self._port))


class _AsyncLocal(httpx2.AsyncHTTPTransport):
    def __init__(self, proxy: Proxy) -> None:
        super().__init__(verify=proxy.tls, local_address=CLIENT)
        self._port = proxy.port

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await super().handle_async_request(_directed(request, self._port))


def _directed(request: httpx2.Request, port: int) -> httpx2.Request:
    """Return the same request to this machine. The cookies of the client stay with the original request."""
    url = request.url.copy_with(host=LOCAL, port=port)
    extensions = {**request.extensions, "sni_hostname": SITE}
    return httpx2.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=extensions)


@contextmanager
def running_proxy(kind: str, folder: Path, servers: Sequence[int], path: str = "") -> Iterator[Proxy]:
    """Run nginx or Caddy until the end of the context.

    Args:
        kind: `nginx` or `caddy`.
        folder: An empty folder.
        servers: The ports of the servers behind the proxy.
        path: The path of the site, if it has one. Only nginx.
    """
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    write_certificate(certificate, key, SITE)
    proxy = Proxy(free_port(), free_port(), ssl.create_default_context(cafile=str(certificate)))
    command = _nginx(folder, proxy, servers, path) if kind == "nginx" else _caddy(folder, proxy, servers)
    at_home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=ENVIRONMENT | at_home, stdout=log, stderr=log)
        try:
            _wait_for(proxy.port, process, folder)
            yield proxy
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as found:
        found.bind((LOCAL, 0))
        return int(found.getsockname()[1])


def _nginx(folder: Path, proxy: Proxy, servers: Sequence[int], path: str) -> list[str]:
    site = (DEPLOY / "proxy/nginx.conf").read_text(encoding="utf-8")
    site = re.sub(r"(?m)^ *listen \[::\].*\n", "", site)
    upstream = "\n".join(f"server {LOCAL}:{port} fail_timeout=2s;" for port in servers)
    for old, new in (
        ("listen 80;", f"listen {LOCAL}:{proxy.plain_port};"),
        ("listen 443 ssl", f"listen {LOCAL}:{proxy.port} ssl"),
        ("/etc/ssl/openbooking", str(folder)),
        ("server 127.0.0.1:8000 fail_timeout=2s;", upstream),
        ("header_timeout 30s", f"header_timeout {SECONDS_TO_SEND}s"),
        ("body_timeout 30s", f"body_timeout {SECONDS_TO_SEND}s"),
        ("location / {", f"location {path}/ {{"),
    ):
        site = _replaced(site, old, new)
    return nginx_command(folder, site)


def _caddy(folder: Path, proxy: Proxy, servers: Sequence[int]) -> list[str]:
    site = (DEPLOY / "proxy/Caddyfile").read_text(encoding="utf-8")
    certificate = f"\ttls {folder}/fullchain.pem {folder}/privkey.pem"
    ports = f"\thttp_port {proxy.plain_port}\n\thttps_port {proxy.port}\n\tadmin off"
    for old, new in (
        ("{\n\tservers {", f"{{\n{ports}\n\tservers {{"),
        ("{$BOOKING_HOST:booking.example.com} {", f"{SITE} {{\n\tbind {LOCAL}\n{certificate}"),
        ("{$BOOKING_SERVERS:127.0.0.1:8000}", " ".join(f"{LOCAL}:{port}" for port in servers)),
        ("read_header 30s", f"read_header {SECONDS_TO_SEND}s"),
        ("read_body 60s", f"read_body {SECONDS_TO_SEND}s"),
    ):
        site = _replaced(site, old, new)
    file = folder / "Caddyfile"
    file.write_text(site, encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    while True:
        if process.poll() is not None:
            logs = [log.read_text(encoding="utf-8") for log in (folder / "log", folder / "error.log") if log.exists()]
            raise RuntimeError("\n".join(logs))
        try:
            socket.create_connection((LOCAL, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
