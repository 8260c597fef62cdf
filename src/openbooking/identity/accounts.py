"""The accounts of people who work for Sellers: signing in and out, passwords, and links to set one (OB-AUTH-29)."""

from typing import NamedTuple

import structlog
from msgspec.structs import replace

from openbooking.clock import Clock
from openbooking.identity import throttle
from openbooking.identity.devices import Devices
from openbooking.identity.digests import Kind, digest, matches, new_id, new_secret
from openbooking.identity.guesses import Browser, Guesses
from openbooking.identity.passwords import Passwords, check_password
from openbooking.identity.policy import IdentityPolicy
from openbooking.identity.records import Role, Session, User
from openbooking.identity.store import IdentityStore

_log = structlog.get_logger()


class SignInRefusedError(Exception):
    """Name and password do not fit together."""


class UnknownLinkError(Exception):
    """The link was never handed out, has been used, or is too old."""


class UnknownUserError(Exception):
    """There is no user of this name."""


class UserExistsError(Exception):
    """There is a user of this name already."""


class SignedIn(NamedTuple):
    """Somebody who has signed in, in one browser."""

    user: User
    session: Session


class Admission(NamedTuple):
    """What a browser is to keep: the secret of its session, and that of its device cookie."""

    secret: str
    device: str


class Accounts:
    """The accounts of one provider."""

    def __init__(self, store: IdentityStore, policy: IdentityPolicy, clock: Clock, passwords: Passwords) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._passwords = passwords
        self._devices = Devices(store, clock)
        self._guesses = Guesses(store, self._devices, clock)

    async def sign_in(self, name: str, password: str, browser: Browser) -> Admission:
        """Start a session; raise SignInRefusedError or TooManyAttemptsError."""
        name = canonical_name(name)
        user = await self._verified(name, password, browser)
        if user.password_hash and self._passwords.outdated(user.password_hash):
            await self._store.save(replace(user, password_hash=await self._passwords.hash(password)))
        return await self._admitted(user, browser.device)

    async def signed_in(self, secret: str) -> SignedIn | None:
        """Who has signed in with this session, if it has not ended."""
        sessions = await self._store.find(Session, digest=digest(secret))
        if not sessions or sessions[0].expires <= self._clock():
            return None
        users = await self._store.find(User, name=sessions[0].username)
        return SignedIn(users[0], sessions[0]) if users and users[0].account == sessions[0].account else None

    async def sign_out(self, signed_in: SignedIn) -> None:
        """End the session."""
        await self._store.remove(Session, digest=signed_in.session.digest)

    async def change_password(self, user: User, password: str, new: str, browser: Browser) -> Admission:
        """Set a new password and start a session; raise as `sign_in`, or WeakPasswordError.

        All other sessions of the user end, and no other browser is known any more.
        """
        check_password(user.name, new)
        verified = await self._verified(user.name, password, browser)
        # Whoever has changed the user meanwhile may well have changed the password.
        return await self._set_password(verified, new, if_changed=SignInRefusedError)

    async def user_of_link(self, link: str) -> User:
        """Who the link was handed out to; raise UnknownLinkError."""
        users = await self._store.find(User, link_digest=digest(link))
        if not users or not matches(link, users[0].link_digest) or self._is_old(users[0]):
            raise UnknownLinkError
        return users[0]

    async def use_link(self, link: str, new: str) -> Admission:
        """Set a password with a link, which is good once, and start a session.

        Raise UnknownLinkError or WeakPasswordError.

        All other sessions of the user end, and no other browser is known any more.
        """
        user = await self.user_of_link(link)
        check_password(user.name, new)
        await self._guesses.forget(user.name)
        return await self._set_password(user, new, if_changed=UnknownLinkError)

    async def add(self, name: str, seller: str, role: Role) -> str:
        """Add a user, and hand out a link to set the first password; raise UserExistsError."""
        link = new_secret(Kind.LINK)
        user = User(name=canonical_name(name), seller=seller, role=role, id=new_id())
        if not await self._store.save(self._with_link(user, link)):
            raise UserExistsError
        return link

    async def hand_out_link(self, name: str) -> str:
        """A link to set another password; the one there is stays good until then, earlier links do not.

        Raise UnknownUserError where there is no such user.
        """
        link = new_secret(Kind.LINK)
        while found := await self._store.find(User, name=canonical_name(name)):
            if await self._store.save(self._with_link(found[0], link)):
                return link
        raise UnknownUserError

    async def remove(self, user: User) -> None:
        """Remove a user with all sessions; what was allowed to partners stays allowed (OB-AUTH-29)."""
        await self._store.remove(User, name=user.name)
        await self._store.remove(Session, username=user.name)
        await self._devices.forget(user.name)

    async def unlock(self, name: str) -> None:
        """Forget the wrong guesses at an account, so that nobody has to wait; raise UnknownUserError."""
        if not await self._store.find(User, name=canonical_name(name)):
            raise UnknownUserError
        await self._guesses.forget(canonical_name(name))

    async def _verified(self, name: str, password: str, browser: Browser) -> User:
        """The user with this name and password; raise as `sign_in`."""
        users = await self._store.find(User, name=name)
        counted = await self._guesses.count(throttle.account(name), users[0] if users else None, browser)
        if not await self._passwords.verify(users[0].password_hash if users else None, password):
            _log.warning("sign_in.refused", address=browser.address, failures=counted[-1].failures)
            raise SignInRefusedError
        await self._guesses.take_back(counted)
        return users[0]

    async def _set_password(self, user: User, new: str, *, if_changed: type[Exception]) -> Admission:
        hashed = await self._passwords.hash(new)
        changed = replace(user, password_hash=hashed, link_digest=None, link_expires=None)
        if not await self._store.save(changed):
            raise if_changed
        await self._store.remove(Session, username=user.name)
        await self._devices.forget(user.name)
        return await self._admitted(user)

    async def _admitted(self, user: User, device: str = "") -> Admission:
        """Start a session, in a browser that is known to the user from now on."""
        return Admission(await self._start_session(user), await self._devices.remember(user, device))

    async def _start_session(self, user: User) -> str:
        secret, now = new_secret(Kind.SESSION), self._clock()
        expires = now + self._policy.session_lifetime
        session = Session(digest=digest(secret), username=user.name, account=user.account, started=now, expires=expires)
        await self._store.save(session)
        return secret

    def _with_link(self, user: User, link: str) -> User:
        return replace(user, link_digest=digest(link), link_expires=self._clock() + self._policy.link_lifetime)

    def _is_old(self, user: User) -> bool:
        return user.link_expires is None or user.link_expires <= self._clock()


def canonical_name(name: str) -> str:
    """The one form of a user name, however it is typed."""
    return name.strip().casefold()
