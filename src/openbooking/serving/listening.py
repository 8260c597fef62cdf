"""The sockets where processes that serve listen."""

import socket
import sys
from collections.abc import Sequence

from msgspec.structs import replace

from openbooking.settings import Settings
from openbooking.user_error import UserError

_BACKLOG = 2048


class ListenError(UserError):
    """The server cannot listen on the address of the settings."""


def listen(settings: Settings) -> tuple[socket.socket, Settings]:
    """A socket that listens where the settings say, and the settings with the port it got."""
    listener = _listen(settings)
    return listener, replace(settings, port=listener.getsockname()[1])


def listen_for_each(settings: Settings) -> tuple[Sequence[socket.socket], Settings]:
    """A socket for each process, and the settings with the port they got.

    Linux deals connections out among them. Elsewhere they are one socket, and whichever process is awake takes most:
    behind a proxy that keeps its connections open, that is one process for good.
    """
    listener, settings = listen(settings)
    if sys.platform != "linux":
        return [listener] * settings.workers, settings
    # It has shown that nobody else listens there, whom those below would share the port with.
    listener.close()
    return [_listen(settings, reuse_port=True) for _ in range(settings.workers)], settings


def _listen(settings: Settings, *, reuse_port: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(
            (settings.host, settings.port), family=family, backlog=_BACKLOG, reuse_port=reuse_port
        )
    except OSError as fault:
        message = (
            f"Cannot listen on {settings.host} port {settings.port}: {fault.strerror}. Choose another with --port."
        )
        raise ListenError(message) from fault
