"""A machine whose wall clock jumps, and whose monotonic clock does not."""

from datetime import UTC, datetime, timedelta

from openbooking.clock import SystemClock
from openbooking.testing.samples import START, Clock

TEN_DAYS = 864_000.0


class Machine:
    """A machine with clocks that a test moves.

    `since_boot` is the monotonic time, and `wrong` is the number of seconds that the wall clock is ahead.
    """

    def __init__(self, wrong: float = 0) -> None:
        self.since_boot = 1000.0
        self.wrong = wrong
        self.clock = SystemClock(lambda: START.timestamp() + self.since_boot + self.wrong, lambda: self.since_boot)

    @property
    def error(self) -> float:
        """The number of seconds that the tested clock is ahead of the true time."""
        return round(self.clock().timestamp() - START.timestamp() - self.since_boot, 3)

    @property
    def now(self) -> datetime:
        """The true time."""
        return datetime.fromtimestamp(START.timestamp() + self.since_boot, UTC)

    def run(self, seconds: float) -> None:
        """Let this time pass. The tested clock is read every second, as the sweeper does."""
        for _ in range(int(seconds)):
            self.since_boot += 1
            self.clock()

    def settled(self) -> "Machine":
        """Return a machine that was started long ago."""
        self.run(61)
        return self


class UnguardedClock(Clock):
    """A clock that returns the time of the wall clock; `turn` moves the wall clock only."""

    def __init__(self) -> None:
        super().__init__()
        self._turned = timedelta()

    def turn(self, by: timedelta) -> None:
        """Set the wall clock."""
        self._turned += by
        self.time += by

    def monotonic(self) -> float:
        """Return the monotonic time in seconds."""
        return super().monotonic() - self._turned.total_seconds()
