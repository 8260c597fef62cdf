"""Replacement of API keys and client secrets with an overlap, and their last use."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbooking.identity.digests import digest
from openbooking.identity.oauth.errors import InvalidClientError
from openbooking.identity.partners.credentials import (
    BothCredentialsInUseError,
    CredentialKind,
    end_former_credential,
    replace_credential,
)
from openbooking.identity.records import Partner
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import InvalidAPITokenError
from support.identity_provider import Desk, basic

pytestmark = [pytest.mark.anyio, pytest.mark.spec("OB-AUTH-08")]

WEEK = timedelta(days=7)
KINDS = pytest.mark.parametrize("kind", CredentialKind)


async def alice(desk: Desk) -> Partner:
    await desk.provider.last_use_recorder.wait_until_written()
    (found,) = await desk.store.find(Partner, key="alice")
    return found


async def change(desk: Desk, how: Callable[[Partner], Partner]) -> None:
    assert await desk.store.save(how(await alice(desk)))


async def rotate(desk: Desk, kind: CredentialKind, name: str, overlap: timedelta | None = WEEK) -> None:
    now = desk.clock()
    until = now + overlap if overlap else None
    await change(desk, lambda partner: replace_credential(partner, kind, digest(secret(kind, name)), now, until))


def secret(kind: CredentialKind, name: str) -> str:
    return f"{'obk' if kind is CredentialKind.API_KEY else 'obs'}_{name}"


async def is_good(desk: Desk, kind: CredentialKind, name: str) -> bool:
    """Return whether the credential authenticates."""
    shown = secret(kind, name)
    await desk.provider.last_use_recorder.wait_until_written()
    try:
        if kind is CredentialKind.API_KEY:
            return (await desk.caller(shown)).partner == "alice"
        await desk.provider.tokens.issue({"grant_type": "client_credentials"}, basic("alice", shown))
    except (InvalidAPITokenError, InvalidClientError):
        return False
    return True


@KINDS
async def test_both_credentials_are_valid_until_the_overlap_ends(desk: Desk, kind: CredentialKind) -> None:
    await rotate(desk, kind, "new")
    for passed, old in ((timedelta(), True), (WEEK - timedelta(seconds=1), True), (timedelta(seconds=1), False)):
        desk.clock.move(passed)
        assert [await is_good(desk, kind, name) for name in ("alice", "new", "none")] == [old, True, False]


@KINDS
async def test_without_an_overlap_all_former_credentials_end_at_once(desk: Desk, kind: CredentialKind) -> None:
    await rotate(desk, kind, "second")
    await rotate(desk, kind, "third", None)
    assert [await is_good(desk, kind, name) for name in ("alice", "second", "third")] == [False, False, True]


@KINDS
async def test_the_former_credential_is_ended(desk: Desk, kind: CredentialKind) -> None:
    await rotate(desk, kind, "new")
    await change(desk, lambda partner: end_former_credential(partner, kind))
    assert [await is_good(desk, kind, name) for name in ("alice", "new")] == [False, True]


@KINDS
async def test_replacing_an_unused_credential_keeps_the_former_one_in_use(desk: Desk, kind: CredentialKind) -> None:
    assert await is_good(desk, kind, "alice")
    await rotate(desk, kind, "lost")
    desk.clock.move(timedelta(days=3))
    await rotate(desk, kind, "new")
    desk.clock.move(timedelta(days=5))
    assert [await is_good(desk, kind, name) for name in ("alice", "lost", "new")] == [True, False, True]


@KINDS
async def test_replacing_one_of_two_credentials_in_use_is_refused(desk: Desk, kind: CredentialKind) -> None:
    await rotate(desk, kind, "second")
    assert await is_good(desk, kind, "second")
    with pytest.raises(BothCredentialsInUseError):
        await rotate(desk, kind, "third")
    desk.clock.move(WEEK)
    await rotate(desk, kind, "third")
    assert [await is_good(desk, kind, name) for name in ("alice", "second", "third")] == [False, True, True]


@KINDS
async def test_a_first_credential_has_no_former_one(desk: Desk, kind: CredentialKind) -> None:
    none = {f"{kind}_digest": None}
    await change(desk, lambda partner: replace(partner, **none))
    await rotate(desk, kind, "new")
    assert ((await alice(desk)).former_api_key, (await alice(desk)).former_secret) == (None, None)
    assert [await is_good(desk, kind, name) for name in ("alice", "new")] == [False, True]


async def test_the_last_use_of_a_credential_is_accurate_to_a_quarter_of_an_hour(desk: Desk) -> None:
    start = desk.clock()
    for kind in CredentialKind:
        assert await is_good(desk, kind, "alice")
        await rotate(desk, kind, "new")
    for minutes, name in ((60, "new"), (10, "alice"), (9, "new"), (1, "alice"), (30, "none")):
        desk.clock.move(timedelta(minutes=minutes))
        for kind in CredentialKind:
            assert await is_good(desk, kind, name) is (name != "none")
    found = await alice(desk)
    assert found.former_api_key
    assert found.former_secret
    for new, old in (
        (found.api_key_last_used, found.former_api_key.last_used),
        (found.secret_last_used, found.former_secret.last_used),
    ):
        assert new == start + timedelta(minutes=79)
        assert old == start + timedelta(minutes=70)


async def test_an_access_token_uses_neither_key_nor_secret(desk: Desk) -> None:
    token = (await desk.tokens())["access_token"]
    before = await alice(desk)
    desk.clock.move(timedelta(minutes=16))
    await desk.provider.keys.rotate()
    token = await desk.own_token()
    desk.clock.move(timedelta(minutes=14))
    await desk.caller(token, Scope.ORDERS_FEED)
    after = await alice(desk)
    assert before.secret_last_used
    assert (after.api_key_last_used, after.former_api_key) == (None, None)
    assert after.last_used == after.secret_last_used
