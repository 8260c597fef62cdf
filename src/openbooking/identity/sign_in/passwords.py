"""Password rules and password hashes (argon2id, RFC 9106)."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MAX_LENGTH = 200
# The computation of one hash needs tens of megabytes of memory.
_MAX_CONCURRENT = 2


class WeakPasswordError(Exception):
    """The password is too weak. The message tells the user why."""


def check_password(name: str, password: str) -> None:
    """Raise WeakPasswordError if the password is too short or long, repeats few characters, or is the user name."""
    if len(password) < MIN_LENGTH:
        raise WeakPasswordError(f"Use at least {MIN_LENGTH} characters. A few unrelated words make a good password.")
    if len(password) > MAX_LENGTH:
        raise WeakPasswordError(f"Use at most {MAX_LENGTH} characters.")
    if name.casefold() in password.casefold() and len(password) < len(name) + MIN_LENGTH:
        raise WeakPasswordError("Use something other than your user name.")
    if len(set(password)) < MIN_LENGTH // 3:
        raise WeakPasswordError("Use more different characters.")


class Passwords:
    """Hashes and verifies passwords in threads, because hashing is slow by design."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(_MAX_CONCURRENT)
        self._decoy_hash: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash of a password."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, kept: str | None, password: str) -> bool:
        """Return whether a password has the stored hash.

        Without a stored hash the check takes the same time, so that its duration does not show which accounts exist.

        Args:
            kept: The stored hash; None if the account does not exist or has no password.
            password: The password.
        """
        if self._decoy_hash is None:
            self._decoy_hash = await self.hash("the password of nobody")
        async with self._slots:
            good = await asyncio.to_thread(self._verify, kept or self._decoy_hash, password[:MAX_LENGTH])
        return good and kept is not None

    def needs_rehash(self, kept: str) -> bool:
        """Return whether a hash was made with other parameters than the current ones."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False
