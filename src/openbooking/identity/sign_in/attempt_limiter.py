"""Limits of the attempts at passwords and codes. Each is counted before it is checked, so that none can race past."""

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
    """Too many attempts have failed. The next attempt is possible at `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


class Browser(NamedTuple):
    """The browser of a sign-in: its address, and the secret of its device cookie; empty if it has none."""

    address: str
    device: str = ""


class AttemptLimiter:
    """Counts and limits the attempts to sign in at one provider."""

    def __init__(self, store: IdentityStore, devices: Devices, clock: Clock) -> None:
        self._store = store
        self._devices = devices
        self._clock = clock

    async def register(self, subject: str, user: User | None, browser: Browser) -> list[Attempts]:
        """Count an attempt before it is checked, and return the counters that it was added to.

        An attempt in a browser that the user has signed in with before counts for that browser only. Any other attempt
        counts for the address and for the `subject`, so that the guesses of strangers make only strangers wait.

        Args:
            subject: The counter of the account, for passwords or for codes.
            user: The user who is signing in; None if there is no user of the name.
            browser: The browser.

        Raises:
            TooManyAttemptsError: The attempt has to wait.
        """
        if user and (device := await self._devices.find_known(user, browser.device)):
            return [await self._register(attempt_limits.device_subject(device))]
        return [await self._register(attempt_limits.address_subject(browser.address)), await self._register(subject)]

    async def record_success(self, counted: list[Attempts]) -> None:
        """Remove the counters of the account, and take this attempt out of the others, because it was right."""
        for attempts in counted:
            if attempt_limits.is_account_subject(attempts.subject):
                await self._store.remove(Attempts, subject=attempts.subject)
            else:
                await self._store.save(attempt_limits.remove_attempt(attempts, self._clock()))

    async def clear(self, name: str) -> None:
        """Remove all counters of the account of this name. Addresses that have to wait go on waiting."""
        devices = await self._store.find(Device, username=name)
        for subject in (
            attempt_limits.account_subject(name),
            attempt_limits.code_subject(name),
            *(attempt_limits.device_subject(device) for device in devices),
        ):
            await self._store.remove(Attempts, subject=subject)

    async def _register(self, subject: str) -> Attempts:
        for _ in range(_TRIES_TO_COUNT):
            now, known = self._clock(), await self._store.find(Attempts, subject=subject)
            if known and (attempt_limits.must_wait(known[0], now) or attempt_limits.is_device_locked(known[0])):
                raise TooManyAttemptsError(known[0].blocked_until)
            counted = attempt_limits.add_attempt(known[0] if known else None, subject, now)
            if await self._store.save(counted):
                return replace(counted, revision=counted.revision + 1)
        raise TooManyAttemptsError(self._clock())
