"""What those who run the server ask it: whether it lives, whether it is ready, and what it has counted."""

import asyncio
from hmac import compare_digest
from http import HTTPStatus

import structlog
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from openbooking.booking.store import Figures, StoreUnavailableError
from openbooking.system import System
from openbooking.web.api.metrics import Metrics, Scrape

METRICS_PATH = "/metrics"

_NOT_KEPT = {"Cache-Control": "no-store"}
_PATIENCE_SECONDS = 2
_log = structlog.get_logger()


class Operations:
    """/healthz and /readyz for whoever starts and stops servers, /metrics for Prometheus where a token is set.

    A server that is about to stop, by `app.state.draining`, is not ready, but answers still.
    """

    def __init__(self, system: System, metrics: Metrics) -> None:
        self._system = system
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Beside the Booking API."""
        routes: list[Route] = [Route("/healthz", self._healthz), Route("/readyz", self._readyz)]
        if self._system.settings.metrics_token:
            routes.append(Route(METRICS_PATH, self._scrape))
        return routes

    async def _healthz(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"}, headers=_NOT_KEPT)

    async def _readyz(self, request: Request) -> Response:
        """503 with what is wrong, but without the reasons, which are for the log alone."""
        parts = {
            "database": await self._database_is_well(),
            "sweeper": self._system.sweeper.is_well(),
            "serving": not request.app.state.draining(),
        }
        told = {name: "ok" if well else "not ok" for name, well in parts.items()}
        status = HTTPStatus.OK if all(parts.values()) else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse(told, status, _NOT_KEPT)

    async def _database_is_well(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._system.store.check()
        except (StoreUnavailableError, TimeoutError) as fault:
            _log.warning("store.not_ready", reason=str(fault) or "It does not answer.")
            return False
        return True

    async def _scrape(self, request: Request) -> Response:
        authorization = request.headers.get("authorization", "").encode()
        if not compare_digest(authorization, f"Bearer {self._system.settings.metrics_token}".encode()):
            return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
        scrape = Scrape(self._metrics.collect())
        scrape.add(await self._figures(scrape), self._system.clock())
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(scrape), headers={"Content-Type": media_type, **_NOT_KEPT})

    async def _figures(self, scrape: Scrape) -> Figures | None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._system.store.figures(scrape.positions())
        except (StoreUnavailableError, TimeoutError):
            return None
