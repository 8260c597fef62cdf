"""Listening sockets, and the distribution of connections among processes."""

import socket
from contextlib import ExitStack, suppress

import pytest

from openbooking.serving.listening import ListenError, listen, listen_for_each
from openbooking.settings import load_settings

HOST = "127.0.0.1"
CALLERS = 100
FEW = 20


def _waiting_at(listener: socket.socket) -> int:
    """Accept the connections that wait, and return their number."""
    listener.setblocking(False)
    accepted = 0
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            accepted += 1
    return accepted


def test_connections_are_distributed_among_the_processes() -> None:
    listeners, settings = listen_for_each(load_settings({}, port=0, workers=2))
    with ExitStack() as open_until_the_end:
        for listener in listeners:
            open_until_the_end.enter_context(listener)
        for _ in range(CALLERS):
            open_until_the_end.enter_context(socket.create_connection((HOST, settings.port)))
        shares = [_waiting_at(listener) for listener in listeners]
    assert sum(shares) == CALLERS
    assert min(shares) > FEW


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_in_use_by_workers_is_refused(workers: int) -> None:
    listeners, settings = listen_for_each(load_settings({}, port=0, workers=2))
    try:
        with pytest.raises(ListenError, match="Cannot listen"):
            (listen if workers == 1 else listen_for_each)(load_settings({}, port=settings.port, workers=workers))
    finally:
        for listener in listeners:
            listener.close()
