"""Password rules and password hashes (argon2id, RFC 9106)."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MAX_LENGTH = 200
# One hash needs tens of megabytes while it is computed.
_AT_ONCE = 2


class WeakPasswordError(Exception):
    """The password is too weak. The message tells its owner why."""


def check_password(name: str, password: str) -> None:
    """Raise WeakPasswordError unless the password is long, and not the user's name."""
    if len(password) < MIN_LENGTH:
        raise WeakPasswordError(f"Use at least {MIN_LENGTH} characters. A few unrelated words make a good password.")
    if len(password) > MAX_LENGTH:
        raise WeakPasswordError(f"Use at most {MAX_LENGTH} characters.")
    if name.casefold() in password.casefold() and len(password) < len(name) + MIN_LENGTH:
        raise WeakPasswordError("Use something other than your user name.")
    if len(set(password)) < MIN_LENGTH // 3:
        raise WeakPasswordError("Use more different characters.")


class Passwords:
    """Hashes and verifies passwords in threads, because both are slow by design."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._decoy_hash: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash of a password."""
        async with self._at_once:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, kept: str | None, password: str) -> bool:
        """Return whether a password has the hash that was kept.

        Without a hash the answer takes as long, so that nobody can find out which accounts exist.
        """
        if self._decoy_hash is None:
            self._decoy_hash = await self.hash("the password of nobody")
        async with self._at_once:
            good = await asyncio.to_thread(self._verify, kept or self._decoy_hash, password[:MAX_LENGTH])
        return good and kept is not None

    def outdated(self, kept: str) -> bool:
        """Return whether a hash was made with weaker parameters than those of today."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False
