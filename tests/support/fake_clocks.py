"""A machine whose wall clock jumps, and whose monotonic clock does not."""

from datetime import UTC, datetime, timedelta

from openbooking.clock import SystemClock
from openbooking.testing.samples import START, Clock

TEN_DAYS = 864_000.0


class Machine:
    """A machine whose clocks are moved by hand; `since_boot` counts, `wrong` is how far the wall clock is ahead."""

    def __init__(self, wrong: float = 0) -> None:
        self.since_boot = 1000.0
        self.wrong = wrong
        self.clock = SystemClock(lambda: START.timestamp() + self.since_boot + self.wrong, lambda: self.since_boot)

    @property
    def error(self) -> float:
        """How far what is told is ahead of the time, in seconds."""
        return round(self.clock().timestamp() - START.timestamp() - self.since_boot, 3)

    @property
    def now(self) -> datetime:
        """The true time."""
        return datetime.fromtimestamp(START.timestamp() + self.since_boot, UTC)

    def run(self, seconds: float) -> None:
        """Let that much time pass, in which the clock is read every second, as the sweeper does."""
        for _ in range(int(seconds)):
            self.since_boot += 1
            self.clock()

    def settled(self) -> "Machine":
        """Long after it has started."""
        self.run(61)
        return self


class UnguardedClock(Clock):
    """Tells what the wall clock tells; `turn` moves the wall clock alone."""

    def __init__(self) -> None:
        super().__init__()
        self._turned = timedelta()

    def turn(self, by: timedelta) -> None:
        """Set the wall clock."""
        self._turned += by
        self.time += by

    def monotonic(self) -> float:
        """Seconds that have passed."""
        return super().monotonic() - self._turned.total_seconds()
