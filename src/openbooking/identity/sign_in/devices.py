"""Known browsers: browsers in which a user has signed in before.

Attempts in a known browser are counted separately, so that guesses of strangers do not lock the user out. This is the
device cookie of OWASP's *Slow Down Online Guessing Attacks with Device Cookies*. Each browser has a random secret in a
cookie. The digest of the secret is stored for each account that has signed in there.
"""

from openbooking.clock import Clock
from openbooking.identity.digests import SecretKind, digest, new_secret
from openbooking.identity.records import Attempts, Device, User
from openbooking.identity.sign_in import attempt_limits
from openbooking.identity.store import IdentityStore

MAX_DEVICES = 10


class Devices:
    """Stores the known browsers of accounts."""

    def __init__(self, store: IdentityStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find_known(self, user: User, secret: str) -> Device | None:
        """Return the known browser of this account with the `secret`; None if it is unknown, expired or locked."""
        for device in await self._unexpired(secret):
            if device.username == user.name and device.account == user.account and not await self._is_locked(device):
                return device
        return None

    async def remember(self, user: User, secret: str = "") -> str:
        """Make the browser of a sign-in known to the account, and return the secret for its device cookie.

        A browser has one secret for all its accounts. The browser gets a new secret if its secret is unknown, or if
        too many attempts with it have failed, since it may be stolen. An account keeps its MAX_DEVICES newest browsers.
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
        """Remove all known browsers of a user."""
        await self._store.remove(Device, username=username)

    async def _unexpired(self, secret: str) -> list[Device]:
        """Return the unexpired records with this secret, of all accounts."""
        if not secret:
            return []
        now = self._clock()
        return [device for device in await self._store.find(Device, digest=digest(secret)) if device.expires > now]

    async def _is_locked(self, device: Device) -> bool:
        known = await self._store.find(Attempts, subject=attempt_limits.device_subject(device))
        return bool(known) and attempt_limits.is_device_locked(known[0])
