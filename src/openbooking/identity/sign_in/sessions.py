"""Sessions, and the sign-ins that still need a second factor."""

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
    """What a user who has entered the password has to do next."""

    NONE = auto()
    CODE = auto()
    ENROLMENT = auto()


class SignInResult(NamedTuple):
    """The cookies for a browser after a sign-in.

    Attributes:
        secret: The secret of the session; with a next `step`, that of the pending sign-in.
        device: The secret of the device cookie; empty while a step is left.
        step: What the user has to do next.
    """

    secret: str
    device: str = ""
    step: NextStep = NextStep.NONE


class Sessions:
    """Starts and ends the sessions and pending sign-ins of one provider."""

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
        """Start a session, and make its browser known to the account."""
        secret, now = new_secret(SecretKind.SESSION), self._clock()
        expires = now + self._policy.session_lifetime
        session = Session(digest=digest(secret), username=user.name, account=user.account, started=now, expires=expires)
        await self._store.save(session)
        return SignInResult(secret, await self._devices.remember(user, device))

    async def end_all(self, username: str) -> None:
        """End all sessions and pending sign-ins of a user."""
        for kind in (Session, PendingSignIn):
            await self._store.remove(kind, username=username)
