"""Sign-in, passwords, links to set one, and limits of attempts."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from openbooking.identity.records import Attempts, IdentityRecord, Role, Session, User
from openbooking.identity.sign_in import attempt_limits
from openbooking.identity.sign_in.accounts import (
    SignInRefusedError,
    UnknownLinkError,
    UnknownUserError,
    UserExistsError,
)
from openbooking.identity.sign_in.attempt_limiter import Browser, TooManyAttemptsError
from openbooking.identity.sign_in.passwords import Passwords, WeakPasswordError, check_password
from support.identity_provider import BROWSER, HASHER, PASSWORD, Desk

pytestmark = pytest.mark.anyio

NEW = "lampshade orbit cabbage"


async def fails(desk: Desk, name: str = "ann", password: str = NEW, browser: Browser = BROWSER) -> None:
    with pytest.raises(SignInRefusedError):
        await desk.provider.accounts.sign_in(name, password, browser)


async def test_a_session_begins_and_ends(desk: Desk) -> None:
    accounts = desk.provider.accounts
    secret = (await accounts.sign_in(" Ann ", PASSWORD, BROWSER)).secret
    signed_in = await accounts.signed_in(secret)
    assert signed_in
    assert (signed_in.user.name, signed_in.user.seller) == ("ann", "centre")
    assert secret not in str(await desk.store.find(Session))
    await accounts.sign_out(signed_in)
    assert await accounts.signed_in(secret) is None
    assert await accounts.signed_in("obn_x") is None


async def test_a_session_ends_by_itself(desk: Desk) -> None:
    secret = (await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)).secret
    desk.clock.move(timedelta(hours=12))
    assert await desk.provider.accounts.signed_in(secret) is None


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("ann", ""), ("nobody", PASSWORD), ("", "")])
async def test_a_wrong_name_or_password_is_refused(desk: Desk, name: str, password: str) -> None:
    await fails(desk, name, password)


async def test_a_user_without_a_password_cannot_sign_in(desk: Desk) -> None:
    await desk.provider.accounts.add("eve", "centre", Role.STAFF)
    await fails(desk, "eve", "")


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


async def test_an_address_that_has_to_wait_locks_nobodys_account(desk: Desk) -> None:
    for number in range(20):
        await fails(desk, f"guess{number}")
    for _ in range(6):
        with pytest.raises(TooManyAttemptsError):
            await desk.provider.accounts.sign_in("ann", NEW, BROWSER)
    assert await desk.provider.accounts.sign_in("ann", PASSWORD, Browser("203.0.113.9"))


async def test_successful_sign_ins_do_not_slow_down_the_address(desk: Desk) -> None:
    for _ in range(30):
        await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)


def test_waits_double_up_to_a_quarter_of_an_hour_and_expire_after_an_hour() -> None:
    from support.builders import NOW  # noqa: PLC0415 - this test's alone

    known, now, waits = None, NOW, []
    for _ in range(12):
        known = attempt_limits.add_attempt(known, "account:ann", now)
        waits.append((known.blocked_until - now).total_seconds())
        now = known.blocked_until
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert known
    assert attempt_limits.add_attempt(known, "account:ann", now + timedelta(hours=1)).failures == 1


def test_one_ipv6_network_is_one_address() -> None:
    assert (
        attempt_limits.address_subject("2001:db8::1")
        == attempt_limits.address_subject("2001:db8::ffff:2")
        != attempt_limits.address_subject("2001:db8:1::1")
    )
    assert attempt_limits.address_subject("192.0.2.1") != attempt_limits.address_subject("192.0.2.2")
    assert attempt_limits.address_subject("testclient") == "address:testclient"


async def test_a_wait_set_by_a_clock_that_was_ahead_is_ignored(desk: Desk) -> None:
    """The longest wait counts. A longer one was set by a clock that was days ahead, and is ignored."""
    desk.clock.move(timedelta(days=10))
    for number in range(12):
        await fails(desk, browser=Browser(f"198.51.100.{number}"))
        desk.clock.move(timedelta(minutes=15))
    desk.clock.move(timedelta(days=-10))
    await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)


async def test_a_password_change_needs_the_old_one_and_ends_other_sessions(desk: Desk) -> None:
    accounts, ann = desk.provider.accounts, await desk.signed_in("ann")
    elsewhere = (await accounts.sign_in("ann", PASSWORD, BROWSER)).secret
    with pytest.raises(SignInRefusedError):
        await accounts.change_password(ann.user, "wrong", NEW, BROWSER)
    with pytest.raises(WeakPasswordError):
        await accounts.change_password(ann.user, PASSWORD, "short", BROWSER)
    here = (await accounts.change_password(ann.user, PASSWORD, NEW, BROWSER)).secret
    assert await accounts.signed_in(here)
    assert await accounts.signed_in(elsewhere) is None
    await fails(desk, password=PASSWORD)
    assert await accounts.sign_in("ann", NEW, BROWSER)


async def test_a_link_sets_a_password_once(desk: Desk) -> None:
    accounts = desk.provider.accounts
    link = await accounts.add("Eve@Example.com", "centre", Role.MANAGER)
    assert (await accounts.user_of_link(link)).name == "eve@example.com"
    with pytest.raises(WeakPasswordError):
        await accounts.use_link(link, "eve@example.com1")
    assert await accounts.signed_in((await accounts.use_link(link, NEW)).secret)
    with pytest.raises(UnknownLinkError):
        await accounts.use_link(link, NEW)
    assert await accounts.sign_in("eve@example.com", NEW, BROWSER)
    assert link not in str(await desk.store.find(User))


async def test_a_link_unlocks_an_account(desk: Desk) -> None:
    for number in range(5):
        await fails(desk, browser=Browser(f"198.51.100.{number}"))
    link = await desk.provider.accounts.issue_link("ann")
    await desk.provider.accounts.use_link(link, NEW)
    assert await desk.provider.accounts.sign_in("ann", NEW, BROWSER)


async def test_links_expire_and_a_new_link_ends_the_last(desk: Desk) -> None:
    accounts = desk.provider.accounts
    first, second = await accounts.issue_link("ann"), await accounts.issue_link("ann")
    with pytest.raises(UnknownLinkError):
        await accounts.user_of_link(first)
    desk.clock.move(timedelta(days=3))
    with pytest.raises(UnknownLinkError):
        await accounts.use_link(second, NEW)
    with pytest.raises(UnknownLinkError):
        await accounts.use_link("", NEW)


async def test_a_link_is_valid_even_if_its_user_changes_meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts, save = desk.provider.accounts, desk.store.save

    async def save_second(*records: IdentityRecord) -> bool:
        monkeypatch.undo()
        (ann,) = await desk.store.find(User, name="ann")
        await accounts.change_password(ann, PASSWORD, NEW, BROWSER)
        return await save(*records)

    monkeypatch.setattr(desk.store, "save", save_second)
    link = await accounts.issue_link("Ann")
    assert (await accounts.user_of_link(link)).name == "ann"
    assert await accounts.sign_in("ann", NEW, BROWSER)


async def test_the_second_of_two_password_changes_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts, save, ann = desk.provider.accounts, desk.store.save, (await desk.signed_in("ann")).user

    async def save_second(*records: IdentityRecord) -> bool:
        if isinstance(records[0], User):
            monkeypatch.undo()
            await accounts.change_password(ann, PASSWORD, "harbour candle trumpet", BROWSER)
        return await save(*records)

    monkeypatch.setattr(desk.store, "save", save_second)
    with pytest.raises(SignInRefusedError):
        await accounts.change_password(ann, PASSWORD, NEW, BROWSER)
    assert await accounts.sign_in("ann", "harbour candle trumpet", BROWSER)


async def test_no_link_is_issued_for_a_user_removed_meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts, save = desk.provider.accounts, desk.store.save

    async def save_second(*records: IdentityRecord) -> bool:
        await desk.store.remove(User, name="ann")
        return await save(*records)

    monkeypatch.setattr(desk.store, "save", save_second)
    with pytest.raises(UnknownUserError):
        await accounts.issue_link("ann")


@pytest.mark.spec("OB-AUTH-29")
async def test_a_removed_user_is_signed_out(desk: Desk) -> None:
    secret = (await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)).secret
    signed_in = await desk.provider.accounts.signed_in(secret)
    assert signed_in
    await desk.provider.accounts.remove(signed_in.user)
    assert await desk.provider.accounts.signed_in(secret) is None
    await fails(desk, password=PASSWORD)


@pytest.mark.spec("OB-AUTH-29")
async def test_a_session_does_not_pass_to_a_later_account_of_the_name(desk: Desk) -> None:
    """A session that starts while its user is removed stays in the store."""
    accounts = desk.provider.accounts
    ann = (await desk.signed_in("ann")).user
    await accounts.remove(ann)
    secret = (await accounts.sessions.start(ann)).secret
    await accounts.add("ann", "studio", Role.MANAGER)
    assert await accounts.signed_in(secret) is None


async def test_two_people_cannot_have_one_name(desk: Desk) -> None:
    with pytest.raises(UserExistsError):
        await desk.provider.accounts.add("ANN", "studio", Role.STAFF)


async def test_expired_records_are_removed(desk: Desk) -> None:
    await fails(desk)
    await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    desk.clock.move(timedelta(days=1))
    await desk.store.remove_expired(desk.clock())
    assert await desk.store.find(Session) == []
    assert await desk.store.find(Attempts) == []


@pytest.mark.parametrize("password", ["", "short", "a" * 12, "abababababab", "ann", "x" * 201, "annannannann"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        check_password("ann", password)


async def test_passwords_are_stored_as_argon2id_and_rehashed_when_parameters_change() -> None:
    kept = PasswordHasher().hash("x")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords().outdated(HASHER.hash("x"))
    assert not Passwords().outdated(kept)
    assert not await Passwords(HASHER).verify("no hash", "x")


async def test_an_outdated_hash_is_replaced_at_the_next_sign_in(desk: Desk) -> None:
    desk.provider.accounts._passwords = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    (ann,) = await desk.store.find(User, name="ann")
    assert ann.password_hash
    assert "t=2" in ann.password_hash
    assert await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
