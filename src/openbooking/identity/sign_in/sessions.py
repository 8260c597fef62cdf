"""Sessions of users, and pending sign-ins, which still need a second factor.

`IdentityPolicy.session_lifetime` sets the lifetime of a session. `web/pages.py` makes the session cookie.
"""

from datetime import timedelta
from enum import Enum, auto
from typing import NamedTuple

from openbooking.clock import Clock
from openbooking.identity.digests import SecretKind, digest, new_secret
from openbooking.identity.policy import IdentityPolicy, SecondFactorMode
from openbooking.identity.records import PendingSignIn, Session, User
from openbooking.identity.sign_in.devices import Devices
from openbooking.identity.sign_in.totp import new_factor_secret
from openbooking.identity.store import IdentityStore

_PENDING_LIFETIME = timedelta(minutes=10)


class NextStep(Enum):
    """The next step of a user who has entered the password."""

    NONE = auto()
    CODE = auto()
    ENROLMENT = auto()


class SignInResult(NamedTuple):
    """The result of a sign-in, with the secrets for the cookies of the browser.

    Attributes:
        secret: The secret of the session, or of the pending sign-in if a `step` is left.
        device: The secret of the device cookie; empty if a `step` is left.
        step: The next step of the user.
    """

    secret: str
    device: str = ""
    step: NextStep = NextStep.NONE


class Sessions:
    """Starts and ends sessions and pending sign-ins."""

    def __init__(self, store: IdentityStore, policy: IdentityPolicy, devices: Devices, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._devices = devices
        self._clock = clock

    async def start_after_password(self, user: User, device: str = "") -> SignInResult:
        """Start a session, or a pending sign-in if the user has or needs a second factor."""
        if user.second_factor is None and self._policy.second_factor is not SecondFactorMode.REQUIRED:
            return await self.start(user, device)
        secret, now = new_secret(SecretKind.SESSION), self._clock()
        pending = PendingSignIn(
            digest=digest(secret),
            username=user.name,
            account=user.account,
            offered="" if user.second_factor else new_factor_secret(),
            expires=now + _PENDING_LIFETIME,
        )
        await self._store.save(pending)
        return SignInResult(secret, step=NextStep.CODE if user.second_factor else NextStep.ENROLMENT)

    async def start(self, user: User, device: str = "") -> SignInResult:
        """Start a session, and make the browser known to the account."""
        secret, now = new_secret(SecretKind.SESSION), self._clock()
        expires = now + self._policy.session_lifetime
        session = Session(digest=digest(secret), username=user.name, account=user.account, started=now, expires=expires)
        await self._store.save(session)
        return SignInResult(secret, await self._devices.remember(user, device))

    async def end(self, secret: str) -> None:
        """End the session or the pending sign-in with this secret."""
        for kind in (Session, PendingSignIn):
            await self._store.remove(kind, digest=digest(secret))

    async def end_all(self, username: str) -> None:
        """End all sessions and pending sign-ins of a user."""
        for kind in (Session, PendingSignIn):
            await self._store.remove(kind, username=username)
