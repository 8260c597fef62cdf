"""A clock that the sandbox turns forwards (`TurnedClock`). No setting makes another system use it."""

from datetime import datetime, timedelta

from openbooking.clock import SystemClock


class TurnedClock:
    """The clock of this machine, plus the time by which it was turned forwards."""

    def __init__(self) -> None:
        self._base = SystemClock()
        self.turned = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return self._base() + self.turned

    def monotonic(self) -> float:
        """Return the seconds since an arbitrary moment. They include turns, so that periodic work becomes due."""
        return self._base.monotonic() + self.turned.total_seconds()

    def real_seconds(self) -> float:
        """Return the seconds since an arbitrary moment, without turns."""
        return self._base.monotonic()

    def is_trusted(self) -> bool:
        """Return True, because the data is made up."""
        return True

    def compare(self, noted: datetime) -> None:
        """Ignore the time in the database, which a turned clock may have noted."""

    def turn(self, by: timedelta) -> None:
        """Turn the clock forwards."""
        self.turned += by

    def turn_back(self) -> None:
        """Show the real time again."""
        self.turned = timedelta()
