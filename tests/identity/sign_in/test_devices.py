"""The guesses of strangers do not lock a known browser out."""

import asyncio
from datetime import timedelta

import pytest

from openbooking.identity.records import Device, Role
from openbooking.identity.sign_in.accounts import SignInRefusedError, UnknownUserError
from openbooking.identity.sign_in.attempt_limiter import Browser, TooManyAttemptsError
from openbooking.identity.sign_in.attempt_limits import DEVICE_LIFETIME
from openbooking.identity.sign_in.devices import MAX_DEVICES
from support.identity_provider import BROWSER, PASSWORD, Desk
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

STRANGER = Browser("198.51.100.7")
NEW = "lampshade orbit cabbage"


async def known(desk: Desk, name: str = "ann", device: str = "") -> Browser:
    """Return a browser in which a user has just signed in."""
    result = await desk.provider.accounts.sign_in(name, PASSWORD, BROWSER._replace(device=device))
    return BROWSER._replace(device=result.device)


async def guess(desk: Desk, browser: Browser, name: str = "ann") -> None:
    with pytest.raises(SignInRefusedError):
        await desk.provider.accounts.sign_in(name, "wrong", browser)


async def is_locked(desk: Desk, browser: Browser, name: str = "ann") -> bool:
    """Return whether a sign-in with the right password has to wait in this browser."""
    try:
        await desk.provider.accounts.sign_in(name, PASSWORD, browser)
    except TooManyAttemptsError:
        return True
    return False


async def lock(desk: Desk, name: str = "ann") -> None:
    """Enter wrong passwords until unknown browsers have to wait."""
    for number in range(5):
        await guess(desk, Browser(f"198.51.100.{number}"), name)
    assert await is_locked(desk, STRANGER, name)


async def test_steady_guesses_of_strangers_do_not_lock_out_the_known_browser(desk: Desk) -> None:
    ann = await known(desk)
    await lock(desk)
    for _ in range(20):
        assert not await is_locked(desk, ann)
        desk.clock.move(timedelta(minutes=15))
        await guess(desk, STRANGER)
        assert await is_locked(desk, STRANGER._replace(address="203.0.113.9"))


async def test_guesses_from_its_address_do_not_lock_out_a_known_browser(desk: Desk) -> None:
    ann = await known(desk)
    for number in range(20):
        await guess(desk, BROWSER, f"guess{number}")
    assert await is_locked(desk, BROWSER)
    assert not await is_locked(desk, ann)


async def test_guesses_in_a_known_browser_do_not_delay_other_browsers(desk: Desk) -> None:
    ann = await known(desk)
    for _ in range(9):
        await guess(desk, ann)
    assert not await is_locked(desk, STRANGER)
    assert not await is_locked(desk, BROWSER)


async def test_a_known_browser_becomes_unknown_after_ten_wrong_passwords(desk: Desk) -> None:
    """Only a sign-in in this browser resets the count of its failures."""
    ann = await known(desk)
    for _ in range(10):
        await guess(desk, ann)
        desk.clock.move(timedelta(days=2))
        await known(desk)
    await lock(desk)
    assert await is_locked(desk, ann)
    await desk.provider.accounts.unlock("ann")
    again = await known(desk, device=ann.device)
    assert again.device != ann.device
    await lock(desk)
    assert not await is_locked(desk, again)
    assert not await is_locked(desk, ann._replace(device=again.device))


async def test_concurrent_guesses_cannot_pass_the_limit(desk: Desk) -> None:
    ann = await known(desk)
    tries = [desk.provider.accounts.sign_in("ann", "wrong", ann) for _ in range(40)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, SignInRefusedError) for outcome in outcomes) <= 10 + 5
    assert not any(isinstance(outcome, tuple) for outcome in outcomes)


async def test_a_browser_is_known_to_each_account_that_signed_in_there(desk: Desk) -> None:
    """Several accounts share a browser. The browser is unknown to other accounts."""
    both = await known(desk, "ben", (await known(desk)).device)
    for name in ("ann", "ben", "cat"):
        await lock(desk, name)
    assert [await is_locked(desk, both, name) for name in ("ann", "ben", "cat")] == [False, False, True]


@pytest.mark.parametrize("device", ["", "obd_x", "é", "x" * 5_000])
async def test_a_made_up_device_cookie_is_unknown(desk: Desk, device: str) -> None:
    await lock(desk)
    assert await is_locked(desk, Browser("203.0.113.9", device))


async def test_a_browser_stays_known_for_half_a_year_after_a_sign_in(desk: Desk) -> None:
    ann = await known(desk)
    desk.clock.move(DEVICE_LIFETIME - timedelta(seconds=1))
    assert (await known(desk, device=ann.device)) == ann
    desk.clock.move(DEVICE_LIFETIME - timedelta(seconds=1))
    await lock(desk)
    assert not await is_locked(desk, ann)
    desk.clock.move(DEVICE_LIFETIME)
    await lock(desk)
    assert await is_locked(desk, ann)
    await desk.store.remove_expired(desk.clock())
    assert await desk.store.find(Device) == []


async def test_the_newest_browsers_of_each_account_stay_known(desk: Desk) -> None:
    first = await known(desk)
    for _ in range(MAX_DEVICES - 1):
        desk.clock.move(timedelta(minutes=1))
        last = await known(desk)
    await lock(desk)
    assert not await is_locked(desk, first)
    await desk.provider.accounts.unlock("ann")
    desk.clock.move(timedelta(minutes=1))
    await known(desk)
    await lock(desk)
    assert not await is_locked(desk, last)
    assert len(await desk.store.find(Device, username="ann")) == MAX_DEVICES


async def test_a_password_change_makes_all_other_browsers_unknown(desk: Desk) -> None:
    accounts, ann, here = desk.provider.accounts, await known(desk), await known(desk)
    user = (await desk.signed_in("ann")).user
    changed = await accounts.change_password(user, PASSWORD, NEW, here)
    assert len(await desk.store.find(Device, username="ann")) == 1
    assert changed.device not in (ann.device, here.device)
    linked = await accounts.use_link(await accounts.issue_link("ann", MANAGER), PASSWORD)
    await lock(desk)
    for stale in (ann, here, here._replace(device=changed.device)):
        assert await is_locked(desk, stale)
    assert not await is_locked(desk, here._replace(device=linked.device))


async def test_the_password_can_be_changed_in_the_known_browser_of_a_locked_account(desk: Desk) -> None:
    ann, signed_in = await known(desk), await desk.signed_in("ann")
    await lock(desk)
    assert await desk.provider.accounts.change_password(signed_in.user, PASSWORD, NEW, ann)


async def test_a_later_account_of_a_name_has_no_known_browsers(desk: Desk) -> None:
    accounts, ann = desk.provider.accounts, await known(desk)
    (device,) = await desk.store.find(Device, username="ann")
    await accounts.remove("ann", MANAGER)
    assert await desk.store.find(Device, username="ann") == []
    await accounts.use_link(await accounts.add("ann", "centre", Role.MANAGER, MANAGER), PASSWORD)
    # A record that was saved during the removal of the account is left over.
    assert await desk.store.save(Device(**{name: getattr(device, name) for name in device.__struct_fields__[1:]}))
    await lock(desk)
    assert await is_locked(desk, ann)


async def test_only_the_digest_of_a_device_cookie_is_stored(desk: Desk) -> None:
    ann = await known(desk)
    assert ann.device.startswith("obd_")
    assert "ann" not in ann.device
    assert ann.device not in str(await desk.store.find(Device))


async def test_an_administrator_unlocks_an_account(desk: Desk) -> None:
    """Known browsers are unlocked too. Addresses stay blocked."""
    ann = await known(desk)
    for _ in range(10):
        await guess(desk, ann)
    await lock(desk)
    await desk.provider.accounts.unlock(" Ann ")
    assert not await is_locked(desk, STRANGER)
    assert not await is_locked(desk, ann)
    with pytest.raises(UnknownUserError):
        await desk.provider.accounts.unlock("nobody")
