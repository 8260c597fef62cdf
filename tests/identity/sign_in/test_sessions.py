"""Sessions begin and end."""

from datetime import timedelta

import pytest

from openbooking.identity.records import Role, Session
from support.identity_provider import BROWSER, PASSWORD, Desk
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
