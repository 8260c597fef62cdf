"""The checks of the addresses: the port of the server, the public address of the site, and the mail server."""

import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from openbooking.mailing.smtp import try_server
from openbooking.serving.listening import ListenError, listen
from openbooking.serving.start_checks.finding import Finding, Result
from openbooking.settings import Settings

_HTTPS_PORT = 443
_TIMEOUT = 5
_LOCAL_TIMEOUT = 1
_LONGEST_STATUS = 100


def check_port(settings: Settings) -> Iterator[Finding]:
    """Yield whether a server can listen on the address of the settings."""
    try:
        listener, _ = listen(settings)
    except ListenError as fault:
        if _is_running(settings):
            message = f"`openbooking serve` runs on {settings.host} port {settings.port} already."
            yield Finding("port", Result.WARNING, message, "Restart it after a change of its settings.")
            return
        remedy = (
            "Stop the program that uses the port, or name another with --port or OPENBOOKING_PORT. OPENBOOKING_HOST "
            "must be an address of this machine."
        )
        yield Finding("port", Result.FAILED, str(fault), remedy)
    else:
        listener.close()
        yield Finding("port", Result.OK, f"{settings.host} port {settings.port} is free.")


def _is_running(settings: Settings) -> bool:
    """Return whether a server of this system answers on the address of the settings."""
    connection = HTTPConnection(settings.host, settings.port, timeout=_LOCAL_TIMEOUT)
    try:
        connection.request("GET", f"{settings.site_path}/healthz")
        answer = connection.getresponse()
        return bool(answer.getheader("X-Request-ID")) and answer.read(_LONGEST_STATUS) == b'{"status":"ok"}'
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def check_site(settings: Settings) -> Iterator[Finding]:
    """Yield whether Brokers can reach the public address of the site, and its certificate is valid."""
    if settings.local_but_open:
        message = f"The address of the site is {settings.site}, but the server listens to other machines without TLS."
        yield Finding("site", Result.WARNING, message, "Set OPENBOOKING_SITE_URL to the public address, with https.")
    elif settings.is_local:
        remedy = "Before others use it, set OPENBOOKING_SITE_URL to the public address: it is part of every @id."
        yield Finding("site", Result.WARNING, f"Only this machine can use {settings.site}.", remedy)
    elif urlsplit(settings.site).scheme == "https":
        yield _check_tls(settings.site)
    else:
        yield Finding("site", Result.WARNING, f"{settings.site} has no TLS.", "Only the gateway may reach this server.")


def _check_tls(site: str) -> Finding:
    """Connect to the public address, and check its certificate as Brokers do."""
    address = urlsplit(site)
    host, port = address.hostname or "", address.port or _HTTPS_PORT
    try:
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT) as connection,
            ssl.create_default_context().wrap_socket(connection, server_hostname=host),
        ):
            return Finding("site", Result.OK, f"{site} answers with a valid certificate.")
    except ssl.SSLError as fault:
        remedy = "Give the proxy a certificate for this host by an authority that Brokers trust."
        return Finding("site", Result.WARNING, f"{site} has no valid certificate: {fault.reason or fault}.", remedy)
    except socket.gaierror:
        remedy = "Add the host to the DNS, or correct OPENBOOKING_SITE_URL."
        return Finding("site", Result.WARNING, f"The host {host} of {site} is not known here.", remedy)
    except OSError as fault:
        remedy = "Start the proxy that ends TLS, or correct OPENBOOKING_SITE_URL."
        return Finding("site", Result.WARNING, f"{site} does not answer: {fault.strerror or fault}.", remedy)


def check_mail(settings: Settings) -> Iterator[Finding]:
    """Yield whether the mail server takes e-mail of this system; nothing if there is none."""
    if not settings.smtp_host:
        return
    name = f"{settings.smtp_host} port {settings.smtp_port}"
    try:
        try_server(settings)
    except OSError as fault:
        remedy = (
            "Correct OPENBOOKING_SMTP_HOST, _PORT, _SECURITY, _USER and _PASSWORD. The server starts without e-mail."
        )
        yield Finding("mail", Result.WARNING, f"The mail server {name} cannot be used: {fault}.", remedy)
    else:
        yield Finding("mail", Result.OK, f"The mail server {name} answers.")
