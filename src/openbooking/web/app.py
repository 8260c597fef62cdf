"""The ASGI application of a Booking System: its routes and middleware, its start and its end."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.booking.store import Store
from openbooking.booking.views import StoreWithViews
from openbooking.clock import Clock, SystemClock
from openbooking.identity.store import IdentityStore
from openbooking.openactive.errors import TemporarilyUnavailableError
from openbooking.settings import AccessMode, Settings
from openbooking.store.identity.memory import MemoryIdentityStore
from openbooking.store.memory import MemoryStore
from openbooking.system import OnCommitted, System, check_stores, make_feed_writer, open_system
from openbooking.web.accounts.access_requests import ACCESS_REQUEST_PATH, AccessRequestPages
from openbooking.web.accounts.oauth import OAuth
from openbooking.web.accounts.registration import RegistrationPages
from openbooking.web.accounts.second_factor import SecondFactorPages
from openbooking.web.accounts.sign_in import AccountPages
from openbooking.web.api.booking import BookingApi
from openbooking.web.api.calendars import Calendars
from openbooking.web.api.conformance import Conformance
from openbooking.web.api.dataset_site import DATASET_PATH, DatasetSite
from openbooking.web.api.feeds import FEEDS_PATH, feed_routes
from openbooking.web.api.metrics import Metrics
from openbooking.web.api.monitoring import Monitoring
from openbooking.web.api.open_referral import OpenReferral
from openbooking.web.console.console import Console
from openbooking.web.console.partners.grants import SellerPartnerPages
from openbooking.web.console.routes import console_routes
from openbooking.web.error_pages import ErrorPages
from openbooking.web.errors import FaultMiddleware
from openbooking.web.home import HOME_PATH, HomePage
from openbooking.web.lazy_context import LazyContext
from openbooking.web.observe import Answered, ObservingMiddleware
from openbooking.web.openapi.document import PAGE_PATH, make_document
from openbooking.web.openapi.endpoint import DOCUMENT_PATH, OpenApi
from openbooking.web.pages import PARTNERS_PATH, Pages
from openbooking.web.request import RepeatedHeaderMiddleware
from openbooking.web.routes import AppRouter
from openbooking.web.test_interface import TestInterface

_log = structlog.get_logger()


class Application(Starlette):
    """The ASGI application of a Booking System, which is served alone or mounted in another application.

    The ASGI lifespan opens and closes the Booking System. A mounted application gets no lifespan events: its first
    request opens the Booking System, and the outer application calls `close`.

    FaultMiddleware makes all responses to exceptions. Starlette's own middleware for exceptions is left out. The server
    handles an exception in a middleware outside of FaultMiddleware.
    """

    router: AppRouter

    def __init__(
        self,
        settings: Settings,
        open_routes: Callable[[AppRouter], AbstractAsyncContextManager[None]],
        *,
        can_reopen: bool = True,
    ) -> None:
        super().__init__()
        self.router = AppRouter(_lifespan, settings.site_path, self._open_for_request)
        self.state.draining = lambda: False
        self._system = LazyContext(lambda: open_routes(self.router))
        self._is_closed = False
        self._can_reopen = can_reopen

    async def open(self) -> None:
        """Open the Booking System before the first request.

        Raises:
            SettingsError: The settings do not fit the stores.
            StoreUnavailableError: The database does not answer.
            RuntimeError: The application was closed, and with it the stores that were passed to `create_app`.
        """
        if self._is_closed and not self._can_reopen:
            raise RuntimeError("The stores of this application are closed: make new ones, and a new application.")
        self._is_closed = False
        await self._system.enter()

    async def close(self) -> None:
        """Close the Booking System and its stores. Requests are answered with status 503 until `open` is called."""
        self._is_closed = True
        await self._system.exit()

    def build_middleware_stack(self) -> ASGIApp:
        """Return the router inside the middleware that was added."""
        app: ASGIApp = self.router
        for middleware, arguments, named in reversed(self.user_middleware):
            app = middleware(app, *arguments, **named)
        return app

    async def _open_for_request(self) -> None:
        if self._is_closed:
            raise TemporarilyUnavailableError("The Booking System has been closed.")
        await self._system.enter()


def create_app(
    settings: Settings,
    clock: Clock | None = None,
    store: Store | None = None,
    identity: IdentityStore | None = None,
    *,
    on_committed: OnCommitted | None = None,
) -> Application:
    """Return the ASGI application of a Booking System.

    Args:
        settings: The settings. `site_url` is the public address at which the application answers, with the path at
            which it is mounted, if any.
        clock: The clock; the guarded clock of this machine by default.
        store: An open Store; by default the one that the settings name. An empty database gets its schema first.
        identity: The IdentityStore that belongs to `store`. It may be left out if the setting `access` is `headers`.
        on_committed: An async function that is called with each order event after its commit, and the open System. Each
            event is told at least once, also after a crash; events of one Order in their order.

    Raises:
        SettingsError: The settings do not fit the stores, or `on_committed` is given and `store` keeps no events.
    """
    check_stores(settings, store, identity, on_committed)

    @asynccontextmanager
    async def open_routes(router: AppRouter) -> AsyncIterator[None]:
        async with open_system(settings, clock, store, identity, on_committed=on_committed) as system:
            routes = _routes(system, metrics)
            if error_pages:
                error_pages.cover(routes)
            with router.add_routes(routes):
                yield

    metrics = Metrics()
    error_pages = ErrorPages(settings) if settings.access is not AccessMode.HEADERS else None
    observe = metrics.observe if settings.metrics_token else _ignore_request
    single = ["authorization", "x-forwarded-proto", settings.trusted_partner_header, settings.trusted_seller_header]
    app = Application(settings, open_routes, can_reopen=store is None)
    # The middleware that is added last is the outermost one.
    app.add_middleware(RepeatedHeaderMiddleware, headers=single)
    app.add_middleware(FaultMiddleware, error_pages=error_pages)
    app.add_middleware(ObservingMiddleware, observe=observe, log_all=settings.log_requests)
    return app


async def describe_api(settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI document of a Booking System under these settings. Its database is not opened."""
    clock = SystemClock()
    store = MemoryStore(policy=settings.policy, writer=make_feed_writer(settings), clock=clock)
    identity = MemoryIdentityStore(store.activity)
    async with open_system(settings, clock, store, identity, serves=False) as system:
        return make_document(_routes(system, Metrics()), settings)


@asynccontextmanager
async def _lifespan(app: Application) -> AsyncIterator[None]:
    await app.open()
    try:
        yield
    finally:
        await app.close()


def _ignore_request(answered: Answered) -> None:
    """Do nothing, because metrics are turned off."""


def _routes(system: System, metrics: Metrics) -> list[Route]:
    base = system.settings.base_uri.removeprefix(system.settings.site)
    routes = [
        # Routes with parameters are tried in this order, so the most frequent routes come first.
        *BookingApi(system).routes(base),
        *feed_routes(system, base),
        *Monitoring(system, metrics).routes(),
        *OpenApi(system.settings, icon_path=f"{DATASET_PATH}/logo.svg").routes(),
    ]
    if isinstance(system.store, StoreWithViews):
        routes += Calendars(system, system.store.views).routes()
    if system.settings.access is AccessMode.HEADERS:
        dataset_site = RedirectResponse(system.settings.site_path + DATASET_PATH)
        routes.append(Route(HOME_PATH, dataset_site, methods=["GET"], include_in_schema=False))
    else:
        routes += _pages(system)
    conformance = Conformance(system)
    routes += [*conformance.routes(), *OpenReferral(system).routes()]
    paths = {route.path for route in routes}
    routes += DatasetSite(system, paths, conformance, document_path=DOCUMENT_PATH, docs_path=PAGE_PATH).routes()
    if system.settings.test_interface:
        _log.warning("test_interface.open", danger="anybody who reaches this server can create and delete its data")
        routes += TestInterface(system).routes(base)
    return routes


def _pages(system: System) -> list[Route]:
    """Return the pages for people, and the endpoints of the OpenID provider if `access` is openid."""
    pages = Pages(system)
    # The menu lists the pages in this order.
    console = _console(system, pages)
    paths = {"dataset": DATASET_PATH, "feeds": FEEDS_PATH, "access": ACCESS_REQUEST_PATH, "api": PAGE_PATH}
    home = HomePage(system, pages, seller=CONSOLE_PATH if console else PARTNERS_PATH, **paths)
    routes = [
        *pages.routes(),
        *home.routes(),
        *console,
        *SellerPartnerPages(system, pages).routes(),
        *AccountPages(system, pages).routes(),
        *SecondFactorPages(system, pages).routes(),
        *AccessRequestPages(system, pages).routes(),
    ]
    if system.settings.access is AccessMode.OPENID:
        routes += [*OAuth(system, pages).routes(), *RegistrationPages(system, pages).routes()]
    return routes


def _console(system: System, pages: Pages) -> list[Route]:
    """Return the pages of the console; a store of an embedder may have no views, and then there is no console."""
    if not isinstance(system.store, StoreWithViews):
        return []
    return console_routes(Console(system, pages, system.store.views))
