"""The ASGI application: its configuration, its routes, and its start and end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from openbooking.broker import ApiKey, AsyncBroker, Organization

from . import bookings, finding, paying
from .following import Follower
from .news import News
from .payments import PretendedPayments
from .sessions import Sessions
from .visits import FOLDER, HEADERS, Parts, route


class Config(NamedTuple):
    """The configuration of the app.

    Attributes:
        site: The URL of the dataset site of the Booking System.
        api_key: The API key of the Broker.
        database: The SQLite file, or the URL of a PostgreSQL database.
        secret: The secret that signs cookies.
        name: The name of the Broker.
        is_secure: Whether browsers reach the app by HTTPS.
    """

    site: str
    api_key: str
    database: str | Path
    secret: bytes
    name: str = "Get Moving"
    is_secure: bool = False

    def __repr__(self) -> str:
        """Return the site, without the secrets."""
        return f"Config({self.site!r})"


def create_app(config: Config) -> Starlette:
    """Return the application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        broker = AsyncBroker(
            config.site,
            access=ApiKey(config.api_key),
            database=config.database,
            organization=Organization(name=config.name),
            payments=PretendedPayments(),
        )
        news, follower = News(config.database), Follower(broker)
        sessions = Sessions(config.secret)
        app.state.parts = Parts(config.name, config.is_secure, broker, news, follower, sessions)
        background = asyncio.create_task(follower.run())
        yield
        background.cancel()
        with suppress(asyncio.CancelledError):
            await background
        await broker.close()
        news.close()

    return Starlette(routes=_ROUTES, lifespan=lifespan, exception_handlers={404: _not_found})


_BASKET, _BOOKING = "/basket/{order:uuid}", "/bookings/{order:uuid}"


async def _style(_: Request) -> Response:
    return FileResponse(FOLDER / "app.css", media_type="text/css", headers={"X-Content-Type-Options": "nosniff"})


async def _not_found(_: Request, __: Exception) -> Response:
    return Response("There is no such page.", 404, headers=HEADERS, media_type="text/plain")


_ROUTES = [
    Route("/app.css", _style),
    route("/", finding.find),
    route("/baskets", finding.begin, "POST"),
    route(_BASKET, paying.show),
    route(f"{_BASKET}/renew", paying.renew, "POST"),
    route(f"{_BASKET}/details", paying.details, "POST"),
    route(f"{_BASKET}/answers", paying.answers, "POST"),
    route(f"{_BASKET}/remove", paying.remove, "POST"),
    route(f"{_BASKET}/pay", paying.pay),
    route(f"{_BASKET}/book", paying.book, "POST"),
    route("/bookings", bookings.list_bookings),
    route(_BOOKING, bookings.show),
    route(f"{_BOOKING}/cancel", bookings.ask_to_cancel),
    route(f"{_BOOKING}/cancelled", bookings.cancel, "POST"),
    route(f"{_BOOKING}/approved", bookings.book_approved, "POST"),
    route(f"{_BOOKING}/withdrawn", bookings.withdraw, "POST"),
]
