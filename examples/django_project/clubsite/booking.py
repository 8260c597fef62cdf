"""Opens and closes the Booking System with the server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette

from openbooking import Application


def lifespan_of(booking: Application) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return the ASGI lifespan. Django has none of its own."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        await booking.open()
        yield
        await booking.close()

    return lifespan
