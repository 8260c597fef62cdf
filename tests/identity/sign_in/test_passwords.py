"""Password rules and password hashes."""

import pytest
from argon2 import PasswordHasher

from openbooking.identity.sign_in.passwords import Passwords, WeakPasswordError, check_password
from support.identity_provider import HASHER

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("password", ["", "short", "a" * 12, "abababababab", "ann", "x" * 201, "annannannann"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        check_password("ann", password)


async def test_passwords_are_stored_as_argon2id_and_rehashed_when_parameters_change() -> None:
    kept = PasswordHasher().hash("x")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords().needs_rehash(HASHER.hash("x"))
    assert not Passwords().needs_rehash(kept)
    assert not await Passwords(HASHER).verify("no hash", "x")
