"""Accounts of the users of Sellers: sign-in, sign-out, passwords, and links to set a password (OB-AUTH-29).

`attempt_limiter.py` limits failed attempts. `sessions.py` starts sessions.
"""

from collections.abc import Callable
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from openbooking.booking.model.activity import Action
from openbooking.booking.model.actor import Actor
from openbooking.clock import Clock
from openbooking.identity.activity_log import role_entries, user_entries
from openbooking.identity.digests import SecretKind, digest, matches, new_id, new_secret
from openbooking.identity.policy import IdentityPolicy, SecondFactorMode
from openbooking.identity.records import ProposalMail, Role, Session, User
from openbooking.identity.sign_in import attempt_limits
from openbooking.identity.sign_in.attempt_limiter import AttemptLimiter, Browser
from openbooking.identity.sign_in.devices import Devices
from openbooking.identity.sign_in.passwords import Passwords, check_password
from openbooking.identity.sign_in.sessions import Sessions, SignInResult
from openbooking.identity.store import IdentityStore
from openbooking.user_error import UserError

_log = structlog.get_logger()


class SignInRefusedError(Exception):
    """The name or the password is wrong."""


class InvalidLinkError(Exception):
    """The link was never issued, was used before, or has expired."""


class UnknownUserError(UserError):
    """No user has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no user {canonical_name(name)}.")


class UserExistsError(UserError):
    """Another user has this name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a user {canonical_name(name)} already.")


class EmptyUserNameError(UserError):
    """The user name is empty."""

    def __init__(self) -> None:
        super().__init__("A user name cannot be empty.")


class SignedIn(NamedTuple):
    """A user who has signed in, acting for the chosen Seller, with the session of the browser."""

    user: User
    session: Session


class Accounts:
    """Manages the accounts of users."""

    def __init__(self, store: IdentityStore, policy: IdentityPolicy, clock: Clock, passwords: Passwords) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._passwords = passwords
        self._devices = Devices(store, clock)
        self.attempt_limiter = AttemptLimiter(store, self._devices, clock)
        self.sessions = Sessions(store, policy, self._devices, clock)

    async def sign_in(self, name: str, password: str, browser: Browser) -> SignInResult:
        """Start a session, or a pending sign-in that needs the second factor.

        Raises:
            SignInRefusedError: The name or the password is wrong.
            TooManyAttemptsError: The attempt has to wait.
        """
        name = canonical_name(name)
        user = await self.verify_password(name, password, browser)
        result = await self.sessions.start_after_password(user, browser.device)
        if not await self.has_same_password(user):
            await self.sessions.end(result.secret)
            raise SignInRefusedError
        if user.password_hash and self._passwords.needs_rehash(user.password_hash):
            await self._store.save(replace(user, password_hash=await self._passwords.hash(password)))
        return result

    async def has_same_password(self, user: User) -> bool:
        """Return whether the account of a user still exists and has the password that it had.

        A change of the password ends all sessions. A session that starts at the same time is not among them, so it is
        started first, and the password is compared afterwards.
        """
        found = await self._store.find(User, name=user.name)
        return bool(found) and (found[0].account, found[0].password_hash) == (user.account, user.password_hash)

    async def find_session(self, secret: str) -> SignedIn | None:
        """Return the session with this secret and its user; None if the session has ended or does not exist."""
        sessions = await self._store.find(Session, digest=digest(secret))
        if not sessions or sessions[0].expires <= self._clock():
            return None
        users = await self._store.find(User, name=sessions[0].username)
        if not users or users[0].account != sessions[0].account:
            return None
        # The session may have begun before a second factor was required, or before the second factor was reset.
        lacks_factor = users[0].second_factor is None and self._policy.second_factor is SecondFactorMode.REQUIRED
        return None if lacks_factor else SignedIn(users[0].acting_for(sessions[0].seller), sessions[0])

    async def choose_seller(self, secret: str, seller: str) -> None:
        """Make the session with this secret act for another Seller of its user."""
        while sessions := await self._store.find(Session, digest=digest(secret)):
            if await self._store.save(replace(sessions[0], seller=seller)):
                return

    async def sign_out(self, signed_in: SignedIn) -> None:
        """End the session of a user who has signed in."""
        await self._store.remove(Session, digest=signed_in.session.digest)

    async def change_password(self, user: User, password: str, new: str, browser: Browser) -> SignInResult:
        """Replace the password of a signed-in user, and start a new session.

        All other sessions of the user end, and all other browsers become unknown.

        Raises:
            SignInRefusedError: The current password is wrong.
            TooManyAttemptsError: The attempt has to wait.
            WeakPasswordError: The new password is too weak.
        """
        check_password(user.name, new)
        verified = await self.verify_password(user.name, password, browser)
        # Another request may have changed the password at the same time.
        changed = await self._set_password(verified, new, if_changed=SignInRefusedError)
        return await self.sessions.start(changed)

    async def user_of_link(self, link: str) -> User:
        """Return the user that a link was issued for, or raise InvalidLinkError."""
        users = await self._store.find(User, link_digest=digest(link))
        if not users or not matches(link, users[0].link_digest) or self._link_has_expired(users[0]):
            raise InvalidLinkError
        return users[0]

    async def use_link(self, link: str, new: str) -> SignInResult:
        """Set a password with a link, which works once. Start a session, as `sign_in` does.

        All other sessions of the user end, and all browsers become unknown.

        Raises:
            InvalidLinkError: The link was never issued, has been used, or has expired.
            WeakPasswordError: The new password is too weak.
        """
        user = await self.user_of_link(link)
        check_password(user.name, new)
        await self.attempt_limiter.clear(user.name)
        changed = await self._set_password(user, new, if_changed=InvalidLinkError)
        return await self.sessions.start_after_password(changed)

    async def add(self, name: str, seller: str, role: Role, by: Actor) -> str:
        """Add a user, and return a link to set the first password. Raise EmptyUserNameError or UserExistsError."""
        if not canonical_name(name):
            raise EmptyUserNameError
        link = new_secret(SecretKind.LINK)
        user = User(name=canonical_name(name), seller=seller, role=role, id=new_id())
        log = role_entries(None, user, by, self._clock())
        if not await self._store.save(self._with_link(user, link), log=log):
            raise UserExistsError(name)
        return link

    async def issue_link(self, name: str, by: Actor, check: Callable[[User], None] | None = None) -> str:
        """Return a link with which the user sets a new password. Raise UnknownUserError.

        The current password stays valid until the user opens the link and sets a password. Earlier links end, and the
        link ends when the roles of the user change (`Roles`).

        Args:
            name: The name of the user.
            by: The actor.
            check: Raises an error if the user, as it is when the link is saved, must not get a link.
        """
        link = new_secret(SecretKind.LINK)
        while True:
            user = await self.user(name)
            if check:
                check(user)
            log = user_entries(user, Action.LINK_ISSUED, by, self._clock())
            if await self._store.save(self._with_link(user, link), log=log):
                return link

    async def remove(self, name: str, by: Actor) -> None:
        """Remove a user and the user's sessions, or raise UnknownUserError. Grants of the user stay (OB-AUTH-29)."""
        user = await self.user(name)
        while not await self._store.save(removed=[user], log=role_entries(user, None, by, self._clock())):
            user = await self.user(name)
        await self.forget(user.name)

    async def forget(self, name: str) -> None:
        """End the sessions of a removed user, and remove the browsers and the wishes for e-mail of the user."""
        await self.sessions.end_all(name)
        await self._devices.forget(name)
        await self._store.remove(ProposalMail, username=name)

    async def unlock(self, name: str) -> None:
        """Clear the failed attempts at an account, so that the user can sign in at once. Raise UnknownUserError."""
        await self.attempt_limiter.clear((await self.user(name)).name)

    async def user(self, name: str) -> User:
        """Return the user with this name, or raise UnknownUserError."""
        users = await self._store.find(User, name=canonical_name(name))
        if not users:
            raise UnknownUserError(name)
        return users[0]

    async def verify_password(self, name: str, password: str, browser: Browser) -> User:
        """Return the user with this name and password.

        Raises:
            SignInRefusedError: The name or the password is wrong.
            TooManyAttemptsError: The attempt has to wait.
        """
        users = await self._store.find(User, name=name)
        counted = await self.attempt_limiter.register(
            attempt_limits.account_subject(name), users[0] if users else None, browser
        )
        if not await self._passwords.verify(users[0].password_hash if users else None, password):
            _log.warning("sign_in.refused", address=browser.address, failures=counted[-1].failures)
            raise SignInRefusedError
        await self.attempt_limiter.record_success(counted)
        return users[0]

    async def _set_password(self, user: User, new: str, *, if_changed: type[Exception]) -> User:
        hashed = await self._passwords.hash(new)
        changed = replace(user, password_hash=hashed, link_digest=None, link_expires=None)
        if not await self._store.save(changed):
            raise if_changed
        await self.sessions.end_all(user.name)
        await self._devices.forget(user.name)
        return replace(changed, revision=changed.revision + 1)

    def _with_link(self, user: User, link: str) -> User:
        return replace(user, link_digest=digest(link), link_expires=self._clock() + self._policy.link_lifetime)

    def _link_has_expired(self, user: User) -> bool:
        return user.link_expires is None or user.link_expires <= self._clock()


def canonical_name(name: str) -> str:
    """Return a user name without surrounding spaces, in lower case."""
    return name.strip().casefold()
