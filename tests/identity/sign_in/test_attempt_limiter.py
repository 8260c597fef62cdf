"""Attempts to sign in are counted and limited."""

from datetime import timedelta

import pytest

from openbooking.identity.sign_in.accounts import (
    SignInRefusedError,
)
from openbooking.identity.sign_in.attempt_limiter import Browser, TooManyAttemptsError
from support.identity_provider import BROWSER, PASSWORD, Desk

pytestmark = pytest.mark.anyio

NEW = "lampshade orbit cabbage"


async def fails(desk: Desk, name: str = "ann", password: str = NEW, browser: Browser = BROWSER) -> None:
    with pytest.raises(SignInRefusedError):
        await desk.provider.accounts.sign_in(name, password, browser)


async def test_guesses_at_an_account_are_slowed_down_from_any_address(desk: Desk) -> None:
    """The right password is refused until the wait is over. Then it signs in and resets the count."""
    for number in range(5):
        await fails(desk, browser=Browser(f"198.51.100.{number}"))
    for password in ("wrong", PASSWORD):
        with pytest.raises(TooManyAttemptsError) as refusal:
            await desk.provider.accounts.sign_in("ann", password, BROWSER)
        assert refusal.value.until == desk.clock() + timedelta(seconds=30)
    desk.clock.move(timedelta(seconds=30))
    await fails(desk)
    with pytest.raises(TooManyAttemptsError) as refusal:
        await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    assert refusal.value.until == desk.clock() + timedelta(seconds=60)
    desk.clock.move(timedelta(seconds=60))
    await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    await fails(desk)


async def test_guesses_from_an_address_are_slowed_down_for_any_account(desk: Desk) -> None:
    for number in range(20):
        await fails(desk, f"guess{number}")
    with pytest.raises(TooManyAttemptsError):
        await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    assert await desk.provider.accounts.sign_in("ann", PASSWORD, Browser("203.0.113.9"))


async def test_a_blocked_address_does_not_lock_an_account(desk: Desk) -> None:
    for number in range(20):
        await fails(desk, f"guess{number}")
    for _ in range(6):
        with pytest.raises(TooManyAttemptsError):
            await desk.provider.accounts.sign_in("ann", NEW, BROWSER)
    assert await desk.provider.accounts.sign_in("ann", PASSWORD, Browser("203.0.113.9"))


async def test_successful_sign_ins_do_not_slow_down_the_address(desk: Desk) -> None:
    for _ in range(30):
        await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)


async def test_a_wait_set_by_a_clock_that_was_ahead_is_ignored(desk: Desk) -> None:
    """A wait beyond the limit comes from a wrong clock."""
    desk.clock.move(timedelta(days=10))
    for number in range(12):
        await fails(desk, browser=Browser(f"198.51.100.{number}"))
        desk.clock.move(timedelta(minutes=15))
    desk.clock.move(timedelta(days=-10))
    await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
