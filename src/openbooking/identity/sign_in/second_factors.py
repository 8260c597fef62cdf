"""The second factor of an account: the second step of a sign-in, enrolment, removal and reset."""

from collections.abc import Callable
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from openbooking.booking.model.activity import Action
from openbooking.booking.model.actor import Actor
from openbooking.clock import Clock
from openbooking.identity.activity_log import user_entries
from openbooking.identity.digests import digest
from openbooking.identity.policy import IdentityPolicy, SecondFactorMode
from openbooking.identity.records import PendingSignIn, SecondFactor, User
from openbooking.identity.sign_in import attempt_limits
from openbooking.identity.sign_in.accounts import Accounts, SignedIn, UnknownUserError, canonical_name
from openbooking.identity.sign_in.attempt_limiter import Browser
from openbooking.identity.sign_in.sessions import SignInResult
from openbooking.identity.sign_in.totp import (
    new_factor_secret,
    new_recovery_codes,
    new_second_factor,
    spend_code,
    spend_recovery_code,
)
from openbooking.identity.store import IdentityStore

_TRIES_TO_SAVE = 5
_log = structlog.get_logger()


class WrongCodeError(Exception):
    """The code is wrong or was used before."""


class Pending(NamedTuple):
    """A user who has entered the password in one browser, but not yet the code."""

    user: User
    sign_in: PendingSignIn


class Enrolment(NamedTuple):
    """A new second factor.

    Attributes:
        sign_in: The session that starts.
        recovery_codes: The recovery codes, which are shown once.
    """

    sign_in: SignInResult
    recovery_codes: list[str]


class SecondFactors:
    """Manages the second factors of users."""

    def __init__(self, store: IdentityStore, policy: IdentityPolicy, accounts: Accounts, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._accounts = accounts
        self._clock = clock

    def is_available_to(self, user: User) -> bool:
        """Return whether the user has a second factor or may set one up."""
        return user.second_factor is not None or self._policy.second_factor is not SecondFactorMode.OFF

    async def pending(self, secret: str) -> Pending | None:
        """Return the pending sign-in with this secret; None if there is none, or it has expired."""
        found = await self._store.find(PendingSignIn, digest=digest(secret))
        if not found or found[0].expires <= self._clock():
            return None
        users = await self._store.find(User, name=found[0].username)
        if not users or users[0].account != found[0].account:
            return None
        # The second factor may have been reset, or set up in another browser, after the sign-in began.
        return Pending(users[0], found[0]) if bool(users[0].second_factor) != bool(found[0].offered) else None

    async def enter_code(self, pending: Pending, code: str, browser: Browser) -> SignInResult:
        """Complete a sign-in with a code of the app. Raise WrongCodeError or TooManyAttemptsError."""
        return await self._complete(pending, lambda factor: spend_code(factor, code, self._clock()), browser)

    async def enter_recovery_code(self, pending: Pending, code: str, browser: Browser) -> SignInResult:
        """Complete a sign-in with a recovery code, which works once. Raise WrongCodeError or TooManyAttemptsError."""
        return await self._complete(pending, lambda factor: spend_recovery_code(factor, code), browser)

    async def enrol_pending(self, pending: Pending, code: str, browser: Browser) -> Enrolment:
        """Set up the second factor that was offered, and complete the sign-in. Raise WrongCodeError."""
        return await self._enrol(pending.user, pending.sign_in.offered, code, browser)

    async def offer(self, signed_in: SignedIn) -> str:
        """Return the secret for an authenticator app that the user may set up, always the same in a session.

        Return an empty string if another request has changed the session at the same time.
        """
        session = signed_in.session
        if session.offered:
            return session.offered
        offered = replace(session, offered=new_factor_secret())
        return offered.offered if await self._store.save(offered) else ""

    async def enrol(self, signed_in: SignedIn, password: str, code: str, browser: Browser) -> Enrolment:
        """Set up the second factor that was offered in a session.

        All other sessions of the user end, because they began without a second factor.

        Raises:
            SignInRefusedError: The password is wrong.
            TooManyAttemptsError: The attempt has to wait.
            WrongCodeError: The code is wrong, or no second factor was offered.
        """
        user = await self._accounts.verify_password(signed_in.user.name, password, browser)
        if user.second_factor is not None or not signed_in.session.offered:
            raise WrongCodeError
        return await self._enrol(user, signed_in.session.offered, code, browser)

    async def remove(self, signed_in: SignedIn, password: str, code: str, browser: Browser) -> None:
        """Remove the second factor, with a code of the app or a recovery code. Raise the errors of `enrol`."""
        user = await self._accounts.verify_password(signed_in.user.name, password, browser)
        now = self._clock()

        def spend(factor: SecondFactor) -> SecondFactor | None:
            return spend_code(factor, code, now) or spend_recovery_code(factor, code)

        user = await self._spend(user, spend, browser)
        if not await self._store.save(replace(user, second_factor=None)):
            raise WrongCodeError
        _log.info("second_factor.removed", account=user.account)

    async def reset(self, name: str, by: Actor) -> None:
        """Remove the lost second factor of a user, and end the user's sessions. Raise UnknownUserError."""
        while found := await self._store.find(User, name=canonical_name(name)):
            log = user_entries(found[0], Action.SECOND_FACTOR_RESET, by, self._clock())
            if await self._store.save(replace(found[0], second_factor=None), log=log):
                await self._accounts.sessions.end_all(found[0].name)
                await self._accounts.attempt_limiter.clear(found[0].name)
                return
        raise UnknownUserError(name)

    async def _complete(
        self, pending: Pending, spend: Callable[[SecondFactor], SecondFactor | None], browser: Browser
    ) -> SignInResult:
        user = await self._spend(pending.user, spend, browser)
        await self._store.remove(PendingSignIn, digest=pending.sign_in.digest)
        result = await self._accounts.sessions.start(user, browser.device)
        if not await self._accounts.has_same_password(pending.user):
            await self._accounts.sessions.end(result.secret)
            raise WrongCodeError
        return result

    async def _spend(self, user: User, spend: Callable[[SecondFactor], SecondFactor | None], browser: Browser) -> User:
        """Use a code, and return the changed user. If several requests use one code, only one request succeeds."""
        counted = await self._accounts.attempt_limiter.register(attempt_limits.code_subject(user.name), user, browser)
        for _ in range(_TRIES_TO_SAVE):
            spent = spend(user.second_factor) if user.second_factor else None
            if spent is None:
                _log.warning("second_factor.refused", address=browser.address, failures=counted[-1].failures)
                raise WrongCodeError
            changed = replace(user, second_factor=spent)
            if await self._store.save(changed):
                await self._accounts.attempt_limiter.record_success(counted)
                return replace(changed, revision=changed.revision + 1)
            found = await self._store.find(User, name=user.name)
            if not found or found[0].account != user.account:
                break
            user = found[0]
        raise WrongCodeError

    async def _enrol(self, user: User, offered: str, code: str, browser: Browser) -> Enrolment:
        recovery_codes = new_recovery_codes()
        factor = new_second_factor(offered, code, recovery_codes, self._clock())
        changed = replace(user, second_factor=factor)
        if factor is None or not await self._store.save(changed):
            raise WrongCodeError
        _log.info("second_factor.enrolled", account=user.account)
        await self._accounts.sessions.end_all(user.name)
        return Enrolment(await self._accounts.sessions.start(changed, browser.device), recovery_codes)
