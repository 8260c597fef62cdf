"""A clock that does not follow jumps of the wall clock.

People, hypervisors and time services set the wall clock, and it may be days off for some seconds. Data that is removed
at such a time does not come back. The monotonic clock never jumps, but does not know the date. So a process keeps the
difference of the two, the *offset*, and tells the time as monotonic time plus that offset:

- where the wall clock agrees with the offset, it is followed, so that slewed clocks stay right;
- where it does not, it has jumped. The time goes on at the old offset, and the new one is taken over when the readings
  of a whole minute have agreed with it. A jump that is undone before is never seen by anybody who asks for the time;
- a process that has just started has no offset to hold against the wall clock. It tells what the wall clock tells, but
  does not trust it, until the readings of a minute have agreed with one another or the database bears it out
  (`SystemClock.compare`). Nothing that cannot be undone may be done by a time that is not trusted.

The offset is the same in all processes of a machine, so a process hands its own to those that it starts.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import structlog

# Slewed clocks gain far less within a minute, and no decision depends on a second.
TOLERANCE_SECONDS = 1.0
# Ten times as long as a glitch that has been seen, and far less than a Lease lasts.
SETTLED_SECONDS = 60.0
# A clock that is wrong when a machine starts is mostly wrong by a time zone, the least of which are half an hour apart.
_LONGEST_BREAK_SECONDS = 900.0
# Clocks of machines that share a database may differ by so much, and are as good as one another.
_APART_SECONDS = 60.0
_SINCE_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
_log = structlog.get_logger()


class Clock(Protocol):
    """Tells the time to everything that decides or measures."""

    def __call__(self) -> datetime:
        """The time, with its zone."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment, to measure intervals; a change of the wall clock does not affect them."""
        ...

    def is_trusted(self) -> bool:
        """Whether irreversible work, such as removing what has ended, may rely on this time."""
        ...

    def compare(self, noted: datetime) -> None:
        """Compare it with the time that a trusted clock told when the database was last in use."""
        ...


class _State(NamedTuple):
    """What is known of the wall clock; offsets are wall time minus monotonic time, in seconds.

    `offset` is what the time is told by. Readings are compared with `base`, which has stood since `based` and is moved
    once in a while, so that what is followed is slow. `held` tells whether a jump is held against. `other` is the
    offset that the wall clock tells instead, since `other_since`.
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

    Arguments:
        wall: reads seconds since 1970 UTC, which may jump.
        monotonic: reads seconds that never jump. By default those since the machine was started, which count on while
            it sleeps, where the platform tells them.
    """

    def __init__(self, wall: Callable[[], float] | None = None, monotonic: Callable[[], float] | None = None) -> None:
        self._wall = wall or _wall_seconds
        self._monotonic = monotonic or _steady_seconds
        now = self._monotonic()
        offset = self._wall() - now
        self._state = _State(offset, base=offset, based=now)
        self._warn_after = now

    def __call__(self) -> datetime:
        """The time in UTC."""
        now, state = self._read()
        return datetime.fromtimestamp(now + state.offset, UTC)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return self._monotonic()

    def is_trusted(self) -> bool:
        """Whether the readings of a minute have agreed, or something else has borne the time out."""
        return self._read()[1].trusted

    def compare(self, noted: datetime) -> None:
        """Trust the time if the database was in use not long ago, and never tell one that was before that.

        If the wall clock is behind that time, the time goes on from there, until the wall clock has stayed where it is
        for a minute. If it is far ahead, the server has been down for long or the clock is wrong: nobody knows which.
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
        """The monotonic time, and what is known after one more reading. Threads may read at once: the last one wins."""
        before = self._state
        wall, now = self._wall(), self._monotonic()
        after = self._state = _judged(before, wall - now, now)
        if after.other != before.other or not _agree(after.base, before.base):
            self._tell(before, after, now)
        return now, after

    def _tell(self, before: _State, after: _State, now: float) -> None:
        """Log what a reading has shown; a clock that jumps without end fills no log."""
        jumped = after.base if after.other is None else after.other
        seconds = round(jumped - before.offset, 3)
        if after.held and not _agree(after.base, before.base):
            _log.warning("clock.jump_taken_over", seconds=seconds)
        elif after.held and after.other is None:
            _log.info("clock.jump_undone")
        elif now >= self._warn_after:
            self._warn_after = now + SETTLED_SECONDS
            _log.warning("clock.jumped", seconds=seconds, held_back=after.held)


def _judged(state: _State, offset: float, now: float) -> _State:
    """What is known after a reading of the wall clock."""
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
