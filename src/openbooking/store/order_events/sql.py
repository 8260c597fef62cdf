"""The queue of order events in a database."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from openbooking.booking.event_queue import QueueFigures, WaitingEvent
from openbooking.booking.model.order_event import AnyOrderEvent
from openbooking.store.database import Database, Procedure, Query, ask
from openbooking.store.dialect import Dialect, statements_for
from openbooking.store.documents import instant, microseconds
from openbooking.store.order_events.statements import EventQueueStatements

_decode = msgspec.json.Decoder(AnyOrderEvent).decode
# How long a reader of due events waits for the standby to have them.
_CONFIRM_SECONDS = 10.0
# The largest number of expired events that one transaction removes. Bookings wait for the transaction.
_FORGOTTEN_AT_ONCE = 500
# The clocks of processes differ by less than this.
_CLOCKS_APART = timedelta(minutes=5)
# How long the events of an Order wait after one of them could not be read, such as one of a newer version.
_UNREADABLE_FOR = timedelta(minutes=10)
_log = structlog.get_logger()


class _DueEvent(NamedTuple):
    """A row of `EventQueueStatements.due`."""

    number: int
    id: str
    attempts: int
    document: bytes


class SqlEventQueue:
    """The queue of a store in a database. `SqlStore` adds the events."""

    def __init__(self, database: Database, dialect: Dialect) -> None:
        self._database = database
        self._sql = statements_for(dialect, EventQueueStatements)

    async def keep_until(self, until: datetime) -> None:
        """Keep the events of all changes up to that time, in every process."""
        await self._database.write(partial(ask, self._sql.keep_until, until=microseconds(until)), brief=True)

    async def take_over(self, holder: str, now: datetime, until: datetime) -> bool:
        """Take or renew the right to tell events; return False if another holder has the right."""
        latest = until + _CLOCKS_APART
        times = {"now": microseconds(now), "until": microseconds(until), "latest": microseconds(latest)}
        taken = partial(ask, self._sql.take_over, holder=holder, **times)
        return bool(await self._database.write(taken, brief=True))

    async def release(self, holder: str) -> None:
        """Give up the right to tell events, if this holder has it."""
        await self._database.write(partial(ask, self._sql.release, holder=holder), brief=True)

    async def due(self, now: datetime, limit: int) -> Sequence[WaitingEvent]:
        """Return the next events to tell, once the standby has them too."""
        asked = partial(ask, self._sql.due, now=microseconds(now), most=limit)
        found = [_DueEvent._make(row) for row in await self._database.read(asked)]
        if found:
            await self._database.confirm(asyncio.get_running_loop().time() + _CONFIRM_SECONDS)
        read = [await self._read(row, now) for row in found]
        return [waiting for waiting in read if waiting]

    async def remove(self, told: Sequence[WaitingEvent]) -> None:
        """Remove events that have been told."""
        await self._database.write(partial(self._remove, told), brief=True)

    async def postpone(self, failed: WaitingEvent, until: datetime) -> None:
        """Count a failed attempt to tell an event, and postpone the next attempt."""
        await self._postpone(failed.number, failed.event.id, until)

    async def figures(self) -> QueueFigures:
        """Return the figures for the monitoring."""
        ((waiting, failing, oldest),) = await self._database.read(partial(ask, self._sql.figures))
        return QueueFigures(waiting, failing, None if oldest is None else instant(oldest))

    async def forget(self, now: datetime) -> None:
        """Remove all events if the time until which they are kept has passed."""
        asked = partial(ask, self._sql.forget, now=microseconds(now), most=_FORGOTTEN_AT_ONCE)
        while len(await self._database.write(asked)) == _FORGOTTEN_AT_ONCE:
            pass

    async def _read(self, row: _DueEvent, now: datetime) -> WaitingEvent | None:
        """Return an event; postpone it and return None if this version cannot read it, so that other Orders go on."""
        try:
            return WaitingEvent(row.number, _decode(row.document), row.attempts)
        except msgspec.MsgspecError as fault:
            _log.error("on_committed.unreadable", event_id=row.id, reason=str(fault))
            await self._postpone(row.number, row.id, now + _UNREADABLE_FOR)
            return None

    async def _postpone(self, number: int, id_: str, until: datetime) -> None:
        later = partial(ask, self._sql.postpone, until=microseconds(until), number=number, id=id_)
        await self._database.write(later, brief=True)

    def _remove(self, told: Sequence[WaitingEvent]) -> Procedure[None]:
        for waiting in told:
            yield Query(self._sql.remove, {"number": waiting.number, "id": waiting.event.id})
