"""Sessions begin and end."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.identity.policy import SecondFactorMode
from openbooking.identity.records import IdentityRecord, PendingSignIn, Role, Session
from openbooking.identity.sign_in.accounts import SignInRefusedError
from support.identity_provider import BROWSER, PASSWORD, POLICY, Desk
from support.parties import MANAGER

pytestmark = pytest.mark.anyio


async def test_a_session_begins_and_ends(desk: Desk) -> None:
    accounts = desk.provider.accounts
    secret = (await accounts.sign_in(" Ann ", PASSWORD, BROWSER)).secret
    signed_in = await accounts.find_session(secret)
    assert signed_in
    assert (signed_in.user.name, signed_in.user.seller) == ("ann", "centre")
    assert secret not in str(await desk.store.find(Session))
    await accounts.sign_out(signed_in)
    assert await accounts.find_session(secret) is None
    assert await accounts.find_session("obn_x") is None


async def test_a_session_expires(desk: Desk) -> None:
    secret = (await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)).secret
    desk.clock.move(timedelta(hours=12))
    assert await desk.provider.accounts.find_session(secret) is None


@pytest.mark.spec("OB-AUTH-29")
async def test_a_session_does_not_pass_to_a_later_account_of_the_name(desk: Desk) -> None:
    """A session that starts while its user is removed stays in the store."""
    accounts = desk.provider.accounts
    ann = (await desk.signed_in("ann")).user
    await accounts.remove(ann.name, MANAGER)
    secret = (await accounts.sessions.start(ann)).secret
    await accounts.add("ann", "studio", Role.MANAGER, MANAGER)
    assert await accounts.find_session(secret) is None


@pytest.mark.parametrize("kind", [Session, PendingSignIn])
async def test_a_sign_in_with_the_old_password_ends_if_the_password_changes_meanwhile(
    monkeypatch: pytest.MonkeyPatch, kind: type[IdentityRecord]
) -> None:
    """The password is changed after the old one was found right, and before the session is saved."""
    mode = SecondFactorMode.REQUIRED if kind is PendingSignIn else SecondFactorMode.OFF
    desk = await Desk(replace(POLICY, second_factor=mode)).open()
    accounts, save = desk.provider.accounts, desk.store.save
    link = await accounts.issue_link("ann", MANAGER)

    async def save_after_the_change(*records: IdentityRecord, **others: Any) -> bool:
        if isinstance(records[0], kind):
            monkeypatch.undo()
            await accounts.use_link(link, "four unrelated words here")
        return await save(*records, **others)

    monkeypatch.setattr(desk.store, "save", save_after_the_change)
    with pytest.raises(SignInRefusedError):
        await accounts.sign_in("ann", PASSWORD, BROWSER)
    assert len(await desk.store.find(kind)) == 1
