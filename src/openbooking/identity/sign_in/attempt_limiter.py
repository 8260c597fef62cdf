"""AttemptLimiter of passwords and codes: counted before they are judged, so that none can race past."""

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
    """Too many attempts have failed; the next may be made at `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


class Browser(NamedTuple):
    """Where somebody signs in: the address, and the secret of the device cookie, if there is one."""

    address: str
    device: str = ""


class AttemptLimiter:
    """The guesses at one provider."""

    def __init__(self, store: IdentityStore, devices: Devices, clock: Clock) -> None:
        self._store = store
        self._devices = devices
        self._clock = clock

    async def register(self, subject: str, user: User | None, browser: Browser) -> list[Attempts]:
        """Count one more guess, and return what it counts for; raise TooManyAttemptsError if it has to wait.

        A browser that is known to the `user` counts for itself alone. Any other counts for its address and for the
        `subject`: a stranger who guesses makes strangers wait. An address that has to wait makes nobody else wait.
        """
        if user and (device := await self._devices.find_known(user, browser.device)):
            return [await self._register(attempt_limits.device_subject(device))]
        return [await self._register(attempt_limits.address_subject(browser.address)), await self._register(subject)]

    async def record_success(self, counted: list[Attempts]) -> None:
        """The guess was right. What was counted for an account is forgotten, and one guess of all others."""
        for attempts in counted:
            if attempt_limits.is_account_subject(attempts.subject):
                await self._store.remove(Attempts, subject=attempts.subject)
            else:
                await self._store.save(attempt_limits.remove_attempt(attempts, self._clock()))

    async def clear(self, name: str) -> None:
        """Forget all guesses at the account of this name; addresses that have to wait go on waiting."""
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
