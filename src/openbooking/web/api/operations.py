"""The endpoints for operators: /healthz, /readyz and /metrics."""

import asyncio
from collections.abc import Sequence
from hmac import compare_digest
from http import HTTPStatus

import structlog
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from openbooking.booking.event_queue import QueueFigures, StoreWithEvents
from openbooking.booking.store import Figures, StoreUnavailableError
from openbooking.identity.import_records import FollowedFeed
from openbooking.system import System
from openbooking.web.api.metrics import Metrics, Scrape

METRICS_PATH = "/metrics"

_NOT_CACHED = {"Cache-Control": "no-store"}
_TIMEOUT_SECONDS = 2
_log = structlog.get_logger()


class Operations:
    """The endpoints /healthz and /readyz, and /metrics if the setting `metrics_token` is set.

    Before a server stops, `app.state.draining()` is true for a while. Then /readyz fails, and all other requests are
    answered.
    """

    def __init__(self, system: System, metrics: Metrics) -> None:
        self._system = system
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Return the routes of the endpoints."""
        routes: list[Route] = [Route("/healthz", self._healthz), Route("/readyz", self._readyz)]
        if self._system.settings.metrics_token:
            routes.append(Route(METRICS_PATH, self._scrape))
        return routes

    async def _healthz(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"}, headers=_NOT_CACHED)

    async def _readyz(self, request: Request) -> Response:
        """Answer 503 if the database, the sweeper or the server is not ready. Only the log has the reason."""
        parts = {
            "database": await self._database_answers(),
            "sweeper": self._system.sweeps.is_healthy(),
            "serving": not request.app.state.draining(),
        }
        states = {name: "ok" if ready else "not ok" for name, ready in parts.items()}
        status = HTTPStatus.OK if all(parts.values()) else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse(states, status, _NOT_CACHED)

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await self._system.store.check()
        except (StoreUnavailableError, TimeoutError) as fault:
            _log.warning("store.not_ready", reason=str(fault) or "The database does not answer.")
            return False
        return True

    async def _scrape(self, request: Request) -> Response:
        authorization = request.headers.get("authorization", "").encode()
        if not compare_digest(authorization, f"Bearer {self._system.settings.metrics_token}".encode()):
            return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
        scrape = Scrape(self._metrics.collect())
        now = self._system.clock()
        scrape.add(await self._figures(scrape), now)
        if queue := await self._queue_figures():
            scrape.add_events(queue, now)
        scrape.add_imports(await self._followed_feeds(), now)
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(scrape), headers={"Content-Type": media_type, **_NOT_CACHED})

    async def _queue_figures(self) -> QueueFigures | None:
        if not isinstance(self._system.store, StoreWithEvents):
            return None
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                return await self._system.store.events.figures()
        except (StoreUnavailableError, TimeoutError):
            return None

    async def _followed_feeds(self) -> Sequence[FollowedFeed]:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                return await self._system.identity.store.find(FollowedFeed)
        except (StoreUnavailableError, TimeoutError):
            return ()

    async def _figures(self, scrape: Scrape) -> Figures | None:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                return await self._system.store.figures(scrape.positions())
        except (StoreUnavailableError, TimeoutError):
            return None
