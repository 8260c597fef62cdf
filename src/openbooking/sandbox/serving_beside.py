"""Serves the sample app of a Broker in a thread of its own, beside a Booking System in the same process."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from openbooking.sandbox.broker_app.app import Config, create_app

_SECONDS_TO_FINISH = 5


@contextmanager
def serve_beside(config: Config, listener: socket.socket) -> Iterator[None]:
    """Serve the app during the block.

    Args:
        config: The configuration of the app.
        listener: The listening socket.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(config),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        )
    )
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="broker-app")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
