"""Sign-in, passwords, links to set a password, and removal of accounts."""

from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from openbooking.identity.records import Attempts, IdentityRecord, Role, Session, User
from openbooking.identity.sign_in.accounts import (
    InvalidLinkError,
    SignInRefusedError,
    UnknownUserError,
    UserExistsError,
)
from openbooking.identity.sign_in.attempt_limiter import Browser
from openbooking.identity.sign_in.passwords import Passwords, WeakPasswordError
from support.identity_provider import BROWSER, PASSWORD, Desk
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

NEW = "lampshade orbit cabbage"


async def fails(desk: Desk, name: str = "ann", password: str = NEW, browser: Browser = BROWSER) -> None:
    with pytest.raises(SignInRefusedError):
        await desk.provider.accounts.sign_in(name, password, browser)


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("ann", ""), ("nobody", PASSWORD), ("", "")])
async def test_a_wrong_name_or_password_is_refused(desk: Desk, name: str, password: str) -> None:
    await fails(desk, name, password)


async def test_a_user_without_a_password_cannot_sign_in(desk: Desk) -> None:
    await desk.provider.accounts.add("eve", "centre", Role.STAFF, MANAGER)
    await fails(desk, "eve", "")


async def test_a_password_change_needs_the_old_one_and_ends_other_sessions(desk: Desk) -> None:
    accounts, ann = desk.provider.accounts, await desk.signed_in("ann")
    elsewhere = (await accounts.sign_in("ann", PASSWORD, BROWSER)).secret
    with pytest.raises(SignInRefusedError):
        await accounts.change_password(ann.user, "wrong", NEW, BROWSER)
    with pytest.raises(WeakPasswordError):
        await accounts.change_password(ann.user, PASSWORD, "short", BROWSER)
    here = (await accounts.change_password(ann.user, PASSWORD, NEW, BROWSER)).secret
    assert await accounts.find_session(here)
    assert await accounts.find_session(elsewhere) is None
    await fails(desk, password=PASSWORD)
    assert await accounts.sign_in("ann", NEW, BROWSER)


async def test_a_link_sets_a_password_once(desk: Desk) -> None:
    accounts = desk.provider.accounts
    link = await accounts.add("Eve@Example.com", "centre", Role.MANAGER, MANAGER)
    assert (await accounts.user_of_link(link)).name == "eve@example.com"
    with pytest.raises(WeakPasswordError):
        await accounts.use_link(link, "eve@example.com1")
    assert await accounts.find_session((await accounts.use_link(link, NEW)).secret)
    with pytest.raises(InvalidLinkError):
        await accounts.use_link(link, NEW)
    assert await accounts.sign_in("eve@example.com", NEW, BROWSER)
    assert link not in str(await desk.store.find(User))


async def test_a_link_unlocks_an_account(desk: Desk) -> None:
    for number in range(5):
        await fails(desk, browser=Browser(f"198.51.100.{number}"))
    link = await desk.provider.accounts.issue_link("ann", MANAGER)
    await desk.provider.accounts.use_link(link, NEW)
    assert await desk.provider.accounts.sign_in("ann", NEW, BROWSER)


async def test_links_expire_and_a_new_link_ends_the_last(desk: Desk) -> None:
    accounts = desk.provider.accounts
    first, second = await accounts.issue_link("ann", MANAGER), await accounts.issue_link("ann", MANAGER)
    with pytest.raises(InvalidLinkError):
        await accounts.user_of_link(first)
    desk.clock.move(timedelta(days=3))
    with pytest.raises(InvalidLinkError):
        await accounts.use_link(second, NEW)
    with pytest.raises(InvalidLinkError):
        await accounts.use_link("", NEW)


async def test_a_link_is_valid_even_if_its_user_changes_meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts, save = desk.provider.accounts, desk.store.save

    async def save_second(*records: IdentityRecord, **others: Any) -> bool:
        monkeypatch.undo()
        (ann,) = await desk.store.find(User, name="ann")
        await accounts.change_password(ann, PASSWORD, NEW, BROWSER)
        return await save(*records, **others)

    monkeypatch.setattr(desk.store, "save", save_second)
    link = await accounts.issue_link("Ann", MANAGER)
    assert (await accounts.user_of_link(link)).name == "ann"
    assert await accounts.sign_in("ann", NEW, BROWSER)


async def test_the_second_of_two_password_changes_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts, save, ann = desk.provider.accounts, desk.store.save, (await desk.signed_in("ann")).user

    async def save_second(*records: IdentityRecord, **others: Any) -> bool:
        if isinstance(records[0], User):
            monkeypatch.undo()
            await accounts.change_password(ann, PASSWORD, "harbour candle trumpet", BROWSER)
        return await save(*records, **others)

    monkeypatch.setattr(desk.store, "save", save_second)
    with pytest.raises(SignInRefusedError):
        await accounts.change_password(ann, PASSWORD, NEW, BROWSER)
    assert await accounts.sign_in("ann", "harbour candle trumpet", BROWSER)


async def test_no_link_is_issued_for_a_user_removed_meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts, save = desk.provider.accounts, desk.store.save

    async def save_second(*records: IdentityRecord, **others: Any) -> bool:
        await desk.store.remove(User, name="ann")
        return await save(*records, **others)

    monkeypatch.setattr(desk.store, "save", save_second)
    with pytest.raises(UnknownUserError):
        await accounts.issue_link("ann", MANAGER)


@pytest.mark.spec("OB-AUTH-29")
async def test_a_removed_user_is_signed_out(desk: Desk) -> None:
    secret = (await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)).secret
    signed_in = await desk.provider.accounts.find_session(secret)
    assert signed_in
    await desk.provider.accounts.remove(signed_in.user.name, MANAGER)
    assert await desk.provider.accounts.find_session(secret) is None
    await fails(desk, password=PASSWORD)


async def test_two_users_cannot_have_one_name(desk: Desk) -> None:
    with pytest.raises(UserExistsError):
        await desk.provider.accounts.add("ANN", "studio", Role.STAFF, MANAGER)


async def test_expired_records_are_removed(desk: Desk) -> None:
    await fails(desk)
    await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    desk.clock.move(timedelta(days=1))
    await desk.store.remove_expired(desk.clock())
    assert await desk.store.find(Session) == []
    assert await desk.store.find(Attempts) == []


async def test_an_outdated_hash_is_replaced_at_the_next_sign_in(desk: Desk) -> None:
    desk.provider.accounts._passwords = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    (ann,) = await desk.store.find(User, name="ann")
    assert ann.password_hash
    assert "t=2" in ann.password_hash
    assert await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
