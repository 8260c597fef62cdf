"""The ASGI application: every face of a Booking System that speaks HTTP."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan

from openbooking.booking.store import Store
from openbooking.clock import Clock
from openbooking.identity.store import IdentityStore
from openbooking.settings import AccessMode, Settings
from openbooking.system import System, open_system
from openbooking.web.accounts.oauth import OAuth
from openbooking.web.accounts.registration import RegistrationPages
from openbooking.web.accounts.second_factor import SecondFactorPages
from openbooking.web.accounts.sign_in import AccountPages
from openbooking.web.api.booking import BookingApi
from openbooking.web.api.dataset_site import DATASET_PATH, DatasetSite
from openbooking.web.api.feeds import feed_routes
from openbooking.web.api.metrics import Metrics
from openbooking.web.api.operations import Operations
from openbooking.web.console.partners import SellerPartnerPages
from openbooking.web.errors import FaultMiddleware
from openbooking.web.observe import Answered, ObservingMiddleware
from openbooking.web.pages import Pages
from openbooking.web.request import SentOnceMiddleware
from openbooking.web.routes import Routes
from openbooking.web.test_interface import TestInterface

_log = structlog.get_logger()


class _Application(Starlette):
    """Starlette without its own layers for faults: one of ours makes responses of them, whatever handlers are added.

    What goes wrong in a layer above that one is left to the server.
    """

    router: Routes

    def __init__(self, lifespan: Lifespan["_Application"], layers: Sequence[Middleware]) -> None:
        super().__init__(middleware=layers)
        self.router = Routes(lifespan)
        self.state.draining = lambda: False

    def build_middleware_stack(self) -> ASGIApp:
        """The layers that were named, or added."""
        app: ASGIApp = self.router
        for layer, arguments, named in reversed(self.user_middleware):
            app = layer(app, *arguments, **named)
        return app


def create_app(
    settings: Settings, clock: Clock | None = None, store: Store | None = None, identity: IdentityStore | None = None
) -> Starlette:
    """The application; it opens the Booking System when the server starts, and closes it when the server stops."""

    @asynccontextmanager
    async def lifespan(app: _Application) -> AsyncIterator[None]:
        async with open_system(settings, clock, store, identity) as system:
            with app.router.added(_routes(system, metrics)):
                yield

    metrics = Metrics()
    observe = metrics.observe if settings.metrics_token else _observe_nothing
    observing = Middleware(ObservingMiddleware, observe=observe, log_all=settings.log_requests)
    once = ["authorization", "x-forwarded-proto", settings.trusted_partner_header, settings.trusted_seller_header]
    sent_once = Middleware(SentOnceMiddleware, headers=once)
    return _Application(lifespan, [observing, Middleware(FaultMiddleware), sent_once])


def _observe_nothing(answered: Answered) -> None:
    """Count nothing where nobody asks for it."""


def _routes(system: System, metrics: Metrics) -> list[Route]:
    base = urlsplit(system.settings.base_uri).path
    routes = [
        # Those with parameters are tried one after the other.
        *BookingApi(system).routes(base),
        *feed_routes(system, base),
        *DatasetSite(system).routes(),
        Route("/", RedirectResponse(DATASET_PATH), methods=["GET"]),
        *Operations(system, metrics).routes(),
    ]
    if system.settings.access is not AccessMode.HEADERS:
        routes += _pages(system)
    if system.settings.test_interface:
        _log.warning("test_interface.open", danger="anybody who reaches this server can create and delete its data")
        routes += TestInterface(system).routes(base)
    return routes


def _pages(system: System) -> list[Route]:
    """What people see; and where clients ask for tokens, if they do."""
    pages = Pages(system)
    routes = [
        *pages.routes(),
        *AccountPages(system, pages).routes(),
        *SecondFactorPages(system, pages).routes(),
        *SellerPartnerPages(system, pages).routes(),
    ]
    if system.settings.access is AccessMode.OPENID:
        routes += [*OAuth(system, pages).routes(), *RegistrationPages(system, pages).routes()]
    return routes
