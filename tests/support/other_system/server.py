"""The HTTP server of the other Booking System, in a thread of the tests."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState


class Server:
    """Serves an ASGI application with the protocol of uvicorn, and without the pauses of `uvicorn.Server`.

    Attributes:
        port: The port at which it listens.
    """

    def __init__(self, host: str) -> None:
        self._listener = socket.create_server((host, 0))
        # uvicorn writes the head and the body of a response apart. Without this, the body waits 40 ms.
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._listener.getsockname()[1]
        self._state = ServerState()
        self._is_ready, self._loop, self._stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    @contextmanager
    def run(self, application: ASGIApp) -> Iterator[None]:
        """Serve the application until the end of the block."""
        config = uvicorn.Config(application, lifespan="off", log_config=None)
        thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve(config)])
        thread.start()
        self._is_ready.wait()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join()
            self._loop.close()

    def drop(self, client: Any) -> None:
        """Close the connection of a client, after the bytes sent so far. Call this in the thread of the server."""
        for connection in self._state.connections:
            if isinstance(connection, HttpToolsProtocol) and connection.client == tuple(client):
                connection.transport.close()

    async def _serve(self, config: uvicorn.Config) -> None:
        config.load()
        protocol = partial(HttpToolsProtocol, config, self._state, {})
        async with await self._loop.create_server(protocol, sock=self._listener):
            self._is_ready.set()
            await self._stop.wait()
            # Requests that wait for a fault to pass end here, too.
            while self._state.connections:
                for connection in tuple(self._state.connections):
                    connection.transport.abort()
                await asyncio.sleep(0)
        await asyncio.gather(*self._state.tasks)
