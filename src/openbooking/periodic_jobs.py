"""Jobs that the background tasks of a Booking System run periodically, and the monitor of the sweeper."""

from collections.abc import Awaitable, Callable
from math import inf
from time import monotonic

import structlog

from openbooking.booking.store import StoreUnavailableError
from openbooking.clock import Clock

# A busy database may delay a sweep by this many sweeps and seconds.
_SWEEPS_MISSED, _SWEEP_SECONDS = 5, 30
_log = structlog.get_logger()


class SweepMonitor:
    """Reports whether the sweeper still ends Leases.

    Args:
        every_seconds: The pause between two sweeps.
    """

    def __init__(self, every_seconds: float) -> None:
        self._patience = every_seconds * _SWEEPS_MISSED + _SWEEP_SECONDS
        self._last: float | None = None

    def note_sweep(self) -> None:
        """Note the time of a sweep that has just ended."""
        self._last = monotonic()

    def is_healthy(self) -> bool:
        """Return whether the last sweep ended recently enough."""
        return self._last is not None and monotonic() - self._last < self._patience


class PeriodicJob:
    """A function that the upkeep task runs periodically.

    Args:
        do: The function.
        every: Seconds between two runs; 0 to run after each sweep interval.
        retry: Seconds until the next run after a run that failed.
        irreversible: Whether the work cannot be undone. Such work waits until the clock is trusted.
    """

    def __init__(
        self, do: Callable[[], Awaitable[None]], *, every: float = 0, retry: float = 0, irreversible: bool = False
    ) -> None:
        self._do = do
        self._every = every
        self._retry = retry
        self._irreversible = irreversible
        self._next = -inf

    async def do_if_due(self, clock: Clock) -> None:
        """Run the function if it is due. A failure is logged, so that the other jobs continue."""
        now = clock.monotonic()
        if now < self._next or (self._irreversible and not clock.is_trusted()):
            return
        self._next = now + self._retry
        try:
            await self._do()
        except StoreUnavailableError as fault:
            _log.warning("upkeep.postponed", reason=str(fault))
        except Exception:  # noqa: BLE001 - the sweeper must continue after any fault
            _log.exception("upkeep.failed")
        else:
            self._next = now + self._every
