"""The endpoints that watch a server for its operators: /healthz, /readyz and /metrics."""

import asyncio
from collections.abc import Sequence
from hmac import compare_digest
from http import HTTPStatus
from typing import Literal, TypedDict

import structlog
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openbooking.booking.event_queue import QueueFigures, StoreWithEvents
from openbooking.booking.store import Figures, StoreUnavailableError
from openbooking.identity.import_records import FollowedFeed
from openbooking.system import System
from openbooking.web.api.metrics import Metrics, Scrape
from openbooking.web.operation import JSON_MEDIA_TYPE, Body, Credentials, Operation, Reply, Subject, describe
from openbooking.web.routes import ApiRoute, api_route

METRICS_PATH = "/metrics"

_NOT_CACHED = {"Cache-Control": "no-store"}
_TIMEOUT_SECONDS = 2
_log = structlog.get_logger()


class Health(TypedDict):
    """The reply of a process that runs."""

    status: Literal["ok"]


class Readiness(TypedDict):
    """Whether each part is ready."""

    database: Literal["ok", "not ok"]
    sweeper: Literal["ok", "not ok"]
    serving: Literal["ok", "not ok"]


class Monitoring:
    """The endpoints /healthz and /readyz, and /metrics if the setting `metrics_token` is set.

    Before a server stops, `app.state.draining()` is true for a while. Then /readyz fails, and all other requests are
    answered.
    """

    def __init__(self, system: System, metrics: Metrics) -> None:
        self._system = system
        self._metrics = metrics

    def routes(self) -> list[ApiRoute]:
        """Return the routes of the endpoints."""
        routes = [api_route("/healthz", self._healthz), api_route("/readyz", self._readyz)]
        if self._system.settings.metrics_token:
            routes.append(api_route(METRICS_PATH, self._scrape))
        return routes

    @describe(
        Operation(
            id="checkHealth",
            summary="Is the process alive?",
            subject=Subject.MONITORING,
            replies=(Reply(HTTPStatus.OK, "It is.", Body((Health,), JSON_MEDIA_TYPE)),),
            unavailable=None,
        )
    )
    async def _healthz(self, request: Request) -> Response:
        """Answer as long as the process runs."""
        del request
        health: Health = {"status": "ok"}
        return JSONResponse(health, headers=_NOT_CACHED)

    @describe(
        Operation(
            id="checkReadiness",
            summary="Can it answer requests?",
            subject=Subject.MONITORING,
            replies=(
                Reply(HTTPStatus.OK, "It can.", Body((Readiness,), JSON_MEDIA_TYPE)),
                Reply(HTTPStatus.SERVICE_UNAVAILABLE, "A part is not ready.", Body((Readiness,), JSON_MEDIA_TYPE)),
            ),
            unavailable=None,
        )
    )
    async def _readyz(self, request: Request) -> Response:
        """Answer 503 if the database, the sweeper or the server is not ready. Only the log has the reason."""
        states: Readiness = {
            "database": "ok" if await self._database_answers() else "not ok",
            "sweeper": "ok" if self._system.sweeps.is_healthy() else "not ok",
            "serving": "not ok" if request.app.state.draining() else "ok",
        }
        is_ready = set(states.values()) == {"ok"}
        return JSONResponse(states, HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE, _NOT_CACHED)

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await self._system.store.check()
        except (StoreUnavailableError, TimeoutError) as fault:
            _log.warning("store.not_ready", reason=str(fault) or "The database does not answer.")
            return False
        return True

    @describe(
        Operation(
            id="readMetrics",
            summary="Metrics for Prometheus",
            subject=Subject.MONITORING,
            credentials=Credentials.METRICS_TOKEN,
            replies=(
                Reply(HTTPStatus.OK, "The metrics.", Body(media_type="text/plain")),
                Reply(HTTPStatus.UNAUTHORIZED, "The token is missing or wrong."),
            ),
            unavailable=None,
        )
    )
    async def _scrape(self, request: Request) -> Response:
        """Return counts of requests, and figures of the database."""
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
