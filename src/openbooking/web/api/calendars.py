"""Serves the public calendars at /calendar: of a class, a facility, a court or a Venue, for calendar programs.

| Calendar | Path |
|---|---|
| class | `/calendar/session-series/KEY.ics` |
| facility | `/calendar/facility-uses/KEY.ics` |
| court | `/calendar/individual-facility-uses/KEY.ics` |
| Venue of a timetable | `/calendar/venues/SELLER/KEY.ics` |

HTTP caches may keep a calendar for 15 minutes, and this process keeps it for a minute.
"""

import hashlib
from http import HTTPStatus
from typing import NamedTuple

from cachetools import TTLCache
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from openbooking.booking.model.timetable import EntryKey
from openbooking.booking.views import Views
from openbooking.openactive.errors import UnknownOrIncorrectEndpointError
from openbooking.system import System
from openbooking.timetable.calendars.published import (
    CALENDAR_PATH,
    VENUES,
    CalendarSource,
    opportunity_calendar,
    venue_calendar,
)
from openbooking.web.operation import Body, Header, Operation, Parameter, Reply, describe
from openbooking.web.routes import ApiRoute, api_route

_MEDIA_TYPE = "text/calendar; charset=utf-8"
_CACHE_CONTROL = "public, max-age=900"
_IF_NONE_MATCH = Header("If-None-Match", "The `ETag` of a calendar that the client has.")
_ETAG = Header("ETag", "The version of the calendar.", required=True)
_CACHE_CONTROL_HEADER = Header("Cache-Control", "How long caches may keep the calendar.", required=True)
_KEPT_SECONDS, _MOST_KEPT = 60, 100


class _Kept(NamedTuple):
    """A calendar with its ETag."""

    body: bytes
    etag: str


class Calendars:
    """The endpoint of all calendars."""

    def __init__(self, system: System, views: Views) -> None:
        self._clock = system.clock
        self._source = CalendarSource(system.store, views, system.ids, system.settings.policy.time_zone)
        self._kept: TTLCache[str, _Kept] = TTLCache(_MOST_KEPT, _KEPT_SECONDS, timer=self._seconds)

    def routes(self) -> list[ApiRoute]:
        """Return the route."""
        return [api_route(f"{CALENDAR_PATH}/{{path:path}}.ics", self._calendar)]

    @describe(
        Operation(
            id="readCalendar",
            summary="A public calendar",
            parameters=(
                Parameter(
                    "path",
                    "`session-series/KEY`, `facility-uses/KEY`, `individual-facility-uses/KEY` or `venues/SELLER/KEY`.",
                ),
            ),
            headers=(_IF_NONE_MATCH,),
            replies=(
                Reply(HTTPStatus.OK, "The calendar.", Body(media_type="text/calendar"), (_CACHE_CONTROL_HEADER, _ETAG)),
                Reply(
                    HTTPStatus.NOT_MODIFIED,
                    "The calendar is the one with this ETag.",
                    headers=(_CACHE_CONTROL_HEADER, _ETAG),
                ),
            ),
            errors=(UnknownOrIncorrectEndpointError,),
        )
    )
    async def _calendar(self, request: Request) -> Response:
        """Return the calendar of a class, a facility, a court or a Venue, for calendar programs."""
        path = request.path_params["path"]
        kept = self._kept.get(path)
        if kept is None:
            body = await self._make(path)
            if body is None:
                raise HTTPException(HTTPStatus.NOT_FOUND)
            kept = _Kept(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
            self._kept[path] = kept
        headers = {"etag": kept.etag, "cache-control": _CACHE_CONTROL, "x-content-type-options": "nosniff"}
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if kept.etag in known:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(kept.body, headers=headers, media_type=_MEDIA_TYPE)

    async def _make(self, path: str) -> bytes | None:
        if not path.startswith(VENUES):
            return await opportunity_calendar(self._source, path, self._clock())
        seller, _, key = path.removeprefix(VENUES).partition("/")
        return await venue_calendar(self._source, EntryKey(seller, key), self._clock())

    def _seconds(self) -> float:
        return self._clock().timestamp()
