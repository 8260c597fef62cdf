"""The source of the time (`SystemClock`), which ignores short jumps of the wall clock.

People, hypervisors and time services set the wall clock, and the wall clock may be days off for some seconds. Data that
is removed at such a time is lost. The monotonic clock never jumps, but does not know the date. A process therefore
keeps the difference of the two clocks, the *offset*. The time is the monotonic time plus the offset:

- If the wall clock agrees with the offset, the offset follows the wall clock. A slewed clock is therefore followed.
- If the wall clock disagrees, the wall clock has jumped. The time continues at the old offset. After a minute in which
  all readings agreed with the new offset, the new offset is used. A jump that is undone earlier has no effect.
- A process that has just started has no offset to compare the wall clock with. The process uses the time of the wall
  clock, but does not trust the time yet. The time is trusted when the readings of a minute have agreed with each other,
  or when the database confirms the time (`SystemClock.compare`). Irreversible work waits for a trusted time.

All processes of a machine have the same offset, so a process passes its clock to the processes that it starts.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import structlog

# A slewed clock gains far less within a minute, and no decision depends on a second.
TOLERANCE_SECONDS = 1.0
# Ten times as long as the longest observed jump, and far less than a Lease lasts.
SETTLED_SECONDS = 60.0
# A clock that is wrong when a machine starts is usually wrong by a time zone: by half an hour or more.
_LONGEST_BREAK_SECONDS = 900.0
# The clocks of machines that share a database may differ by this much.
_APART_SECONDS = 60.0
_SINCE_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
_log = structlog.get_logger()


class Clock(Protocol):
    """The source of the time for all decisions and measurements."""

    def __call__(self) -> datetime:
        """Return the time, with its zone."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment, to measure intervals. The seconds ignore the wall clock."""
        ...

    def is_trusted(self) -> bool:
        """Return whether irreversible work, such as erasing data, may rely on this time."""
        ...

    def compare(self, noted: datetime) -> None:
        """Compare the time with the last trusted time that was noted in the database."""
        ...


class _State(NamedTuple):
    """The state of the clock after the readings so far. Offsets are wall time minus monotonic time, in seconds.

    Attributes:
        offset: The offset in use.
        base: The offset that readings are compared with. `base` is updated once a minute, so that only slow drift is
            followed.
        based: The monotonic time at which `base` was set.
        trusted: Whether the time is trusted.
        held: Whether a jump of the wall clock will be ignored for a minute.
        other: The offset of the wall clock after a jump, if it has jumped.
        other_since: The monotonic time of the first reading with that offset.
    """

    offset: float
    base: float
    based: float
    trusted: bool = False
    held: bool = False
    other: float | None = None
    other_since: float = 0.0


class SystemClock:
    """The clock of this machine, guarded against jumps.

    Args:
        wall: Returns seconds since 1970 UTC, which may jump.
        monotonic: Returns seconds that never jump. The default is the time since the machine started, including the
            time that it slept if the platform reports that.
    """

    def __init__(self, wall: Callable[[], float] | None = None, monotonic: Callable[[], float] | None = None) -> None:
        self._wall = wall or _wall_seconds
        self._monotonic = monotonic or _steady_seconds
        now = self._monotonic()
        offset = self._wall() - now
        self._state = _State(offset, base=offset, based=now)
        self._warn_after = now

    def __call__(self) -> datetime:
        """Return the time in UTC."""
        now, state = self._read()
        return datetime.fromtimestamp(now + state.offset, UTC)

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment, which never jump."""
        return self._monotonic()

    def is_trusted(self) -> bool:
        """Return whether the readings of a minute have agreed, or the database has confirmed the time."""
        return self._read()[1].trusted

    def compare(self, noted: datetime) -> None:
        """Trust the time if it is shortly after the noted time, and never return a time before the noted time.

        If the wall clock is behind the noted time, the time continues from the noted time until the readings of a
        minute have agreed with the wall clock. If the wall clock is far ahead, the time is not trusted yet: either the
        server was down for long, or the clock is wrong.

        Args:
            noted: The last trusted time that was noted in the database.
        """
        now, state = self._read()
        if state.held:
            return
        passed = now + state.offset - noted.timestamp()
        if passed < -_APART_SECONDS:
            offset = noted.timestamp() - now
            self._state = _State(offset, base=offset, based=now, held=True, other=state.offset, other_since=now)
            _log.warning("clock.is_behind_the_database", seconds=round(-passed))
        elif passed <= _LONGEST_BREAK_SECONDS:
            self._state = state._replace(trusted=True, held=True)
        else:
            _log.info("clock.is_not_trusted_yet", seconds_since_last_use=round(passed), seconds_left=SETTLED_SECONDS)

    def _read(self) -> tuple[float, _State]:
        """Read both clocks; return the monotonic time and the new state. Of two concurrent readings, the last wins."""
        before = self._state
        wall, now = self._wall(), self._monotonic()
        after = self._state = _state_after(before, wall - now, now)
        if after.other != before.other or not _agree(after.base, before.base):
            self._log_change(before, after, now)
        return now, after

    def _log_change(self, before: _State, after: _State, now: float) -> None:
        """Log a jump of the wall clock, its end or its acceptance. Jumps are logged at most once a minute."""
        jumped = after.base if after.other is None else after.other
        seconds = round(jumped - before.offset, 3)
        if after.held and not _agree(after.base, before.base):
            _log.warning("clock.jump_taken_over", seconds=seconds)
        elif after.held and after.other is None:
            _log.info("clock.jump_undone")
        elif now >= self._warn_after:
            self._warn_after = now + SETTLED_SECONDS
            _log.warning("clock.jumped", seconds=seconds, held_back=after.held)


def _state_after(state: _State, offset: float, now: float) -> _State:
    """Return the state after a reading of the wall clock."""
    if _agree(offset, state.base):
        settled = now - state.based >= SETTLED_SECONDS
        base, based = (offset, now) if settled else (state.base, state.based)
        trusted = state.held or settled
        return _State(offset, base, based, trusted=trusted, held=trusted)
    if not state.held:
        return _State(offset, base=offset, based=now)
    if state.other is None or not _agree(offset, state.other):
        return state._replace(other=offset, other_since=now)
    if now - state.other_since >= SETTLED_SECONDS:
        return _State(offset, base=offset, based=now, trusted=True, held=True)
    return state


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE_SECONDS


def _wall_seconds() -> float:
    return time.time()


def _steady_seconds() -> float:
    return time.monotonic() if _SINCE_BOOT is None else time.clock_gettime(_SINCE_BOOT)
