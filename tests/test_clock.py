"""The clock of a process: it ignores short jumps, follows slews, and is not trusted in the first minute."""

import pickle
import time
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from openbooking.clock import SystemClock
from support.fake_clocks import TEN_DAYS, Machine


@pytest.mark.parametrize("jump", [TEN_DAYS, -TEN_DAYS, 3600, -3600, 2])
def test_a_jump_that_is_undone_has_no_effect(jump: float) -> None:
    machine = Machine().settled()
    machine.wrong = jump
    for _ in range(6):
        machine.run(1)
        assert (machine.error, machine.clock.is_trusted()) == (0, True)
    machine.wrong = 0
    machine.run(100)
    assert (machine.error, machine.clock.is_trusted()) == (0, True)


@pytest.mark.parametrize("jump", [TEN_DAYS, -TEN_DAYS])
def test_a_jump_that_lasts_is_taken_over_after_a_minute(jump: float) -> None:
    machine = Machine().settled()
    machine.wrong = jump
    machine.run(60)
    assert machine.error == 0
    machine.run(2)
    assert (machine.error, machine.clock.is_trusted()) == (jump, True)


def test_a_wall_clock_that_jumps_back_and_forth_is_ignored() -> None:
    machine = Machine().settled()
    for _ in range(20):
        for wrong in (TEN_DAYS, 0, -TEN_DAYS, 50):
            machine.wrong = wrong
            machine.run(7)
            assert machine.error == 0


def test_a_wall_clock_that_keeps_jumping_is_ignored() -> None:
    machine = Machine().settled()
    for _ in range(200):
        machine.wrong += 30
        machine.run(1)
        assert machine.error == 0
    machine.run(61)
    assert machine.error == 6000


def test_a_slewed_wall_clock_is_followed() -> None:
    machine = Machine().settled()
    for _ in range(10_000):
        machine.wrong += 0.001
        machine.run(1)
        assert machine.error == round(machine.wrong, 3)
    assert machine.error == 10


def test_small_steps_move_the_time_slowly() -> None:
    """A wall clock that moves a little with each reading changes the time by a second at most."""
    machine = Machine().settled()
    for _ in range(1000):
        machine.wrong += 0.9
        machine.clock()
    assert machine.error <= 1


def test_the_sleep_of_a_machine_is_not_a_jump() -> None:
    """The default monotonic clock includes the time that a machine sleeps, if the platform reports it."""
    machine = Machine().settled()
    machine.since_boot += 8 * 3600
    assert (machine.error, machine.clock.is_trusted()) == (0, True)


def test_the_time_at_the_start_is_trusted_after_a_minute() -> None:
    machine = Machine(wrong=TEN_DAYS)
    machine.run(59)
    assert (machine.error, machine.clock.is_trusted()) == (TEN_DAYS, False)
    machine.run(2)
    assert machine.clock.is_trusted()


def test_a_wrong_clock_at_the_start_is_corrected_and_trusted_later() -> None:
    machine = Machine(wrong=TEN_DAYS)
    machine.clock.compare(machine.now - timedelta(seconds=30))
    machine.run(6)
    assert not machine.clock.is_trusted()
    machine.wrong = 0
    machine.run(59)
    assert (machine.error, machine.clock.is_trusted()) == (0, False)
    machine.run(2)
    assert (machine.error, machine.clock.is_trusted()) == (0, True)


@pytest.mark.parametrize("ago", [timedelta(), timedelta(minutes=14), timedelta(seconds=-50)])
def test_a_recently_used_database_confirms_the_clock(ago: timedelta) -> None:
    """Clocks of several machines may differ by some seconds."""
    machine = Machine()
    machine.clock.compare(machine.now - ago)
    assert (machine.error, machine.clock.is_trusted()) == (0, True)


def test_a_database_used_long_ago_does_not_confirm_the_clock() -> None:
    machine = Machine()
    machine.clock.compare(machine.now - timedelta(minutes=16))
    assert (machine.error, machine.clock.is_trusted()) == (0, False)
    machine.run(61)
    assert machine.clock.is_trusted()


def test_the_time_is_never_before_the_last_use_of_the_database() -> None:
    machine = Machine(wrong=-TEN_DAYS)
    machine.clock.compare(machine.now - timedelta(seconds=30))
    machine.run(6)
    assert (machine.error, machine.clock.is_trusted()) == (-30, False)
    machine.wrong = -30
    machine.run(1)
    assert (machine.error, machine.clock.is_trusted()) == (-30, True)


def test_the_time_recovers_after_a_database_was_used_in_the_future() -> None:
    machine = Machine()
    machine.clock.compare(machine.now + timedelta(days=10))
    machine.run(61)
    assert (machine.error, machine.clock.is_trusted()) == (0, True)


def test_a_trusted_clock_ignores_the_time_in_the_database() -> None:
    machine = Machine().settled()
    machine.clock.compare(machine.now + timedelta(days=10))
    machine.run(1)
    assert (machine.error, machine.clock.is_trusted()) == (0, True)


def test_a_process_passes_its_offset_to_the_processes_it_starts() -> None:
    clock = SystemClock()
    clock.compare(clock())
    assert pickle.loads(pickle.dumps(clock)).is_trusted()  # noqa: S301 - our own bytes


def test_the_clocks_of_the_machine_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    sound, clock = time.time, SystemClock()
    clock.compare(clock())
    before = clock()
    assert abs(before.timestamp() - sound()) < 60
    monkeypatch.setattr(time, "time", lambda: sound() + TEN_DAYS)
    assert timedelta() <= clock() - before < timedelta(days=1)


def test_jumps_are_logged_once() -> None:
    machine = Machine().settled()
    with capture_logs() as logs:
        for wrong in (TEN_DAYS, 0, TEN_DAYS, 0):
            machine.wrong = wrong
            machine.run(5)
        machine.wrong = TEN_DAYS
        machine.run(62)
    warnings = [(line["event"], line["seconds"]) for line in logs if line["log_level"] == "warning"]
    assert warnings == [("clock.jumped", TEN_DAYS), ("clock.jump_taken_over", TEN_DAYS)]
