"""The listening sockets of the processes that serve, and how connections are distributed among the processes."""

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
    """Return a socket that listens at the address of the settings, and the settings with its port."""
    listener = _listen(settings)
    return listener, replace(settings, port=listener.getsockname()[1])


def listen_for_each(settings: Settings) -> tuple[Sequence[socket.socket], Settings]:
    """Return a socket for each process, and the settings with their port.

    Linux distributes connections among the sockets (`SO_REUSEPORT`). On other systems the processes share one socket,
    and the busiest process takes most connections. Behind a proxy that keeps its connections open, one process may then
    have all connections.
    """
    listener, settings = listen(settings)
    if sys.platform != "linux":
        return [listener] * settings.workers, settings
    # This socket has shown that no other program uses the port. The sockets below would share a port without an error.
    listener.close()
    return [_listen(settings, reuse_port=True) for _ in range(settings.workers)], settings


def _listen(settings: Settings, *, reuse_port: bool = False) -> socket.socket:
    """Return a listening socket; with `reuse_port` other sockets may listen on the same port."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(
            (settings.host, settings.port), family=family, backlog=_BACKLOG, reuse_port=reuse_port
        )
    except OSError as fault:
        # Python adds the address, which the message names already.
        reason = (fault.strerror or str(fault)).partition(" (while")[0]
        message = (
            f"Cannot listen on {settings.host} port {settings.port}: {reason}. Choose another port with --port, or "
            "another address with --host."
        )
        raise ListenError(message) from fault
