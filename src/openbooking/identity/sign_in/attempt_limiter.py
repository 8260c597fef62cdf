"""Counts and limits the attempts to sign in, by password or code. `attempt_limits.py` has the limits.

An attempt is counted before its password or code is checked. Concurrent attempts cannot exceed the limit.
"""

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.clock import Clock
from openbooking.identity.records import Attempts, Device, User
from openbooking.identity.sign_in import attempt_limits
from openbooking.identity.sign_in.devices import Devices
from openbooking.identity.store import IdentityStore

_TRIES_TO_COUNT = 5


class TooManyAttemptsError(Exception):
    """Too many attempts have failed. The next attempt is allowed at the time `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


class Browser(NamedTuple):
    """The browser of a sign-in.

    Attributes:
        address: The IP address.
        device: The secret in the device cookie; empty if the browser sent no cookie.
    """

    address: str
    device: str = ""


class AttemptLimiter:
    """Counts and limits the attempts to sign in."""

    def __init__(self, store: IdentityStore, devices: Devices, clock: Clock) -> None:
        self._store = store
        self._devices = devices
        self._clock = clock

    async def register(self, subject: str, user: User | None, browser: Browser) -> list[Attempts]:
        """Count an attempt, and return the changed counters.

        An attempt in a known browser counts for that browser only. Any other attempt counts for the address and for
        the account. So wrong guesses in unknown browsers do not lock out the known browsers of the account.

        Args:
            subject: The subject of the account, from `account_subject` or `code_subject`.
            user: The user who is signing in; None if no user has the name.
            browser: The browser.

        Raises:
            TooManyAttemptsError: The attempt has to wait.
        """
        if user and (device := await self._devices.find_known(user, browser.device)):
            return [await self.count(attempt_limits.device_subject(device))]
        return [await self.count(attempt_limits.address_subject(browser.address)), await self.count(subject)]

    async def record_success(self, counted: list[Attempts]) -> None:
        """Remove the counter of the account, and take a successful attempt out of the other counters."""
        for attempts in counted:
            if attempt_limits.is_account_subject(attempts.subject):
                await self._store.remove(Attempts, subject=attempts.subject)
            else:
                await self._store.save(attempt_limits.remove_attempt(attempts, self._clock()))

    async def clear(self, name: str) -> None:
        """Remove all counters of the account of this name. Blocked addresses stay blocked."""
        devices = await self._store.find(Device, username=name)
        for subject in (
            attempt_limits.account_subject(name),
            attempt_limits.code_subject(name),
            *(attempt_limits.device_subject(device) for device in devices),
        ):
            await self._store.remove(Attempts, subject=subject)

    async def count(self, subject: str) -> Attempts:
        """Count an attempt of one subject, and return the changed counter. Raise TooManyAttemptsError."""
        for _ in range(_TRIES_TO_COUNT):
            now, known = self._clock(), await self._store.find(Attempts, subject=subject)
            if known and (attempt_limits.must_wait(known[0], now) or attempt_limits.is_device_locked(known[0])):
                raise TooManyAttemptsError(known[0].blocked_until)
            counted = attempt_limits.add_attempt(known[0] if known else None, subject, now)
            if await self._store.save(counted):
                return replace(counted, revision=counted.revision + 1)
        raise TooManyAttemptsError(self._clock())
