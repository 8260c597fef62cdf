"""What follows a right password: a session at once, or a second step first."""

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
    """What somebody who signs in has to do next."""

    NONE = auto()
    CODE = auto()
    ENROLMENT = auto()


class SignInResult(NamedTuple):
    """What a browser is to keep: the secret of its session, and that of its device cookie.

    With a `step` left, the secret is that of a sign-in that is not complete, and there is no device cookie yet.
    """

    secret: str
    device: str = ""
    step: NextStep = NextStep.NONE


class Sessions:
    """The sessions of one provider, and the sign-ins that lack a second step."""

    def __init__(self, store: IdentityStore, policy: IdentityPolicy, devices: Devices, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._devices = devices
        self._clock = clock

    async def start_after_password(self, user: User, device: str = "") -> SignInResult:
        """Start a session, or where a second factor is set up or required, a sign-in that waits for it."""
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
        """Start a session, in a browser that is known to the user from now on."""
        secret, now = new_secret(SecretKind.SESSION), self._clock()
        expires = now + self._policy.session_lifetime
        session = Session(digest=digest(secret), username=user.name, account=user.account, started=now, expires=expires)
        await self._store.save(session)
        return SignInResult(secret, await self._devices.remember(user, device))

    async def end_all(self, username: str) -> None:
        """End all sessions of a user, and all sign-ins that are not complete."""
        for kind in (Session, PendingSignIn):
            await self._store.remove(kind, username=username)
