"""Browsers in which somebody has signed in before, so that wrong guesses of strangers do not lock them out.

This is the device cookie of OWASP's *Slow Down Online Guessing Attacks with Device Cookies*. The cookie is one long
random word for each browser, of which the digest is kept with each account that has signed in there.
"""

from openbooking.clock import Clock
from openbooking.identity.digests import SecretKind, digest, new_secret
from openbooking.identity.records import Attempts, Device, User
from openbooking.identity.sign_in import attempt_limits
from openbooking.identity.store import IdentityStore

MAX_DEVICES = 10


class Devices:
    """The known browsers of one provider."""

    def __init__(self, store: IdentityStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find_known(self, user: User, secret: str) -> Device | None:
        """The device of this account that has the `secret`, if it has neither ended nor guessed too often."""
        for device in await self._unexpired(secret):
            if device.username == user.name and device.account == user.account and not await self._is_locked(device):
                return device
        return None

    async def remember(self, user: User, secret: str = "") -> str:
        """Know the browser in which the user has just signed in, and return the secret that it is to keep.

        The browser keeps the `secret` that it showed if it is known by that, for another account too. It gets a fresh
        one if the secret is unknown or has guessed too often, since then somebody else may have it. Of each account the
        MAX_DEVICES newest are kept.
        """
        known, now = await self._unexpired(secret), self._clock()
        if not known or [device for device in known if device.username == user.name and await self._is_locked(device)]:
            known, secret = [], new_secret(SecretKind.DEVICE)
        device = Device(
            digest=digest(secret),
            username=user.name,
            account=user.account,
            given=now,
            expires=now + attempt_limits.DEVICE_LIFETIME,
            revision=next((device.revision for device in known if device.username == user.name), 0),
        )
        await self._store.save(device)
        await self._store.remove(Attempts, subject=attempt_limits.device_subject(device))
        newest_first = sorted(await self._store.find(Device, username=user.name), key=lambda found: found.given)[::-1]
        for old in newest_first[MAX_DEVICES:]:
            await self._store.remove(Device, digest=old.digest, username=old.username)
        return secret

    async def forget(self, username: str) -> None:
        """Know no browser of this user any more."""
        await self._store.remove(Device, username=username)

    async def _unexpired(self, secret: str) -> list[Device]:
        """What is known by this secret, for whichever account."""
        if not secret:
            return []
        now = self._clock()
        return [device for device in await self._store.find(Device, digest=digest(secret)) if device.expires > now]

    async def _is_locked(self, device: Device) -> bool:
        known = await self._store.find(Attempts, subject=attempt_limits.device_subject(device))
        return bool(known) and attempt_limits.is_device_locked(known[0])
