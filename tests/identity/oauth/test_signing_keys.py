"""Signing keys are made, published, rotated, and kept while their tokens are valid."""

from datetime import timedelta

import pytest

from openbooking.identity.oauth.signing_keys import InvalidSignatureError, SigningKeys, keys_in_use, new_signing_key
from openbooking.identity.records import SigningKey
from openbooking.openactive.errors import InvalidAuthorizationDetailsError
from support.fake_clocks import UnguardedClock
from support.identity_provider import POLICY, Desk, signing_key

pytestmark = pytest.mark.anyio


async def kids(desk: Desk) -> list[str]:
    return [str(key["kid"]) for key in (await desk.provider.keys.public_keys())["keys"]]


async def test_only_public_keys_are_published(desk: Desk) -> None:
    (key,) = (await desk.provider.keys.public_keys())["keys"]
    assert {"kty", "n", "e", "kid", "use", "alg"} == key.keys()
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


async def test_after_a_rotation_old_tokens_are_valid_until_they_expire(desk: Desk) -> None:
    token = (await desk.tokens())["access_token"]
    desk.clock.move(timedelta(minutes=1))
    made = await desk.provider.keys.rotate()
    assert await kids(desk) == [made.kid, signing_key().kid]
    assert await desk.sellers(token) == {"centre"}
    assert await desk.sellers((await desk.tokens())["access_token"]) == {"centre"}
    desk.clock.move(timedelta(minutes=17))
    await desk.provider.keys.rotate_if_due()
    assert await kids(desk) == [made.kid]
    assert len(await desk.store.find(SigningKey)) == 1


async def test_a_leaked_key_is_replaced_at_once(desk: Desk) -> None:
    token = (await desk.tokens())["access_token"]
    await desk.provider.keys.rotate(at_once=True)
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(token)


async def test_keys_are_rotated_by_age(desk: Desk) -> None:
    keys = desk.provider.keys
    await keys.rotate_if_due()
    assert len(await kids(desk)) == 1
    desk.clock.move(timedelta(days=90))
    await keys.rotate_if_due()
    assert len(await kids(desk)) == 2
    await desk.store.remove(SigningKey)
    await keys.rotate_if_due()
    assert len(await kids(desk)) == 1


async def test_several_processes_share_the_keys(desk: Desk) -> None:
    """A process loads an unknown key at once, and drops a removed key within a minute."""
    other = SigningKeys(desk.store, POLICY, desk.clock)
    assert await other.verify("JWT", await desk.provider.keys.sign("JWT", {"n": 1}), dict) == {"n": 1}
    await desk.provider.keys.rotate(at_once=True)
    assert await other.verify("JWT", await desk.provider.keys.sign("JWT", {"n": 2}), dict) == {"n": 2}
    signed = await other.sign("JWT", {"n": 3})
    await desk.provider.keys.rotate(at_once=True)
    desk.clock.move(timedelta(seconds=60))
    with pytest.raises(InvalidSignatureError):
        await other.verify("JWT", signed, dict)


@pytest.mark.parametrize("days", [10, -10])
async def test_other_processes_see_a_rotation_within_a_minute(desk: Desk, days: int) -> None:
    clock = UnguardedClock()
    other = SigningKeys(desk.store, POLICY, clock)
    clock.turn(timedelta(days=days))
    signed = await other.sign("JWT", {"n": 1})
    clock.turn(timedelta(days=-days))
    await desk.provider.keys.rotate(at_once=True)
    clock.move(timedelta(seconds=60))
    with pytest.raises(InvalidSignatureError):
        await other.verify("JWT", signed, dict)


async def test_a_new_key_signs_even_if_another_key_has_a_future_date(desk: Desk) -> None:
    desk.clock.move(timedelta(days=10))
    await desk.provider.keys.rotate()
    desk.clock.move(timedelta(days=-10))
    made = await desk.provider.keys.rotate()
    assert (await kids(desk))[0] == made.kid


def test_keys_stay_in_use_until_their_tokens_have_expired() -> None:
    """The newest key is in use. Older keys are in use until the tokens that they signed have expired."""
    first = signing_key()
    moments = [first.created + timedelta(minutes=minutes) for minutes in (10, 20)]
    second, third = (SigningKey(kid=str(n), created=moment, jwk={}) for n, moment in enumerate(moments))
    keys, lasts = [third, first, second], timedelta(minutes=16, seconds=30)
    assert keys_in_use(keys, POLICY, third.created) == [third, second, first]
    assert keys_in_use(keys, POLICY, second.created + lasts) == [third, second]
    assert keys_in_use(keys, POLICY, third.created + lasts) == [third]
    assert keys_in_use([], POLICY, third.created) == []


def test_a_key_is_long_enough() -> None:
    assert len(str(new_signing_key(signing_key().created).jwk["n"])) >= 2048 // 8 * 4 // 3
