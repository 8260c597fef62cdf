"""A server of a feed on a loopback address, without TLS, or with TLS and a self-signed certificate."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.feeds.answers import Answer

HOST = "127.0.0.1"


class Site(NamedTuple):
    """A running server: its address, the requested paths with their headers, and the file of its certificate."""

    url: str
    asked: list[tuple[str, dict[str, str]]]
    certificate: Path | None


@contextmanager
def serving(answer: Callable[[str], Answer], folder: Path | None = None) -> Iterator[Site]:
    """Run a server that answers each path and query with the result of the function; with TLS if there is a folder."""
    asked: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            found = answer(self.path)
            self.send_response(found.status)
            names = set()
            for name, value in found.headers:
                self.send_header(name, value)
                names.add(name.lower())
            if "content-length" not in names:
                self.send_header("Content-Length", str(len(found.body) + found.breaks))
            self.end_headers()
            half = len(found.body) // 2
            self._send(found, 0, half)
            found.halfway()
            self._send(found, half, len(found.body))
            found.after()
            self.close_connection = found.breaks

        def _send(self, found: Answer, start: int, end: int) -> None:
            for first in range(start, end, found.chunk):
                self.wfile.write(found.body[first : min(first + found.chunk, end)])

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *arguments: Any) -> None:
            """Ignore readers that close the connection early."""

    with Server((HOST, 0), Handler) as server:
        certificate = _certificate(folder) if folder else None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield Site(f"http{'s' if certificate else ''}://{HOST}:{server.server_port}", asked, certificate)
        finally:
            server.shutdown()
            thread.join()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
