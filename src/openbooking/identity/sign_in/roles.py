"""The roles of users at Sellers: give a role, change it, take it back.

A link to set a password is issued for the roles that the user has then. Any change of the roles ends the link, so that
nobody gets more rights with a link than its issuer could give.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.actor import Actor
from openbooking.clock import Clock
from openbooking.identity.activity_log import role_entries
from openbooking.identity.records import IdentityRecord, Role, User, with_roles
from openbooking.identity.sign_in.accounts import Accounts, UnknownUserError
from openbooking.identity.store import IdentityStore
from openbooking.user_error import UserError


class LastManagerError(UserError):
    """The Seller would have no manager any more."""

    def __init__(self) -> None:
        super().__init__("This is the last manager. Make somebody else a manager first.")


class MemberChangedError(UserError):
    """The account or its role has changed since somebody saw it."""

    def __init__(self) -> None:
        super().__init__("The role has changed since you opened this page. Nothing has been done. Look at it again.")


class SeenMember(NamedTuple):
    """The account of a user and its role at a Seller, as somebody saw them before a decision."""

    account: str
    role: str


class Roles:
    """Changes the roles of users.

    A change that must keep a manager raises LastManagerError if the Seller would have none any more.
    """

    def __init__(self, store: IdentityStore, accounts: Accounts, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock

    async def users_of(self, seller: str) -> Sequence[User]:
        """Return the users with a role at the Seller, acting for the Seller, in order of their names."""
        return [user.acting_for(seller) for user in await self._store.find(User) if seller in user.roles]

    async def user_of(self, seller: str, name: str) -> User:
        """Return the user with this name, acting for the Seller, or raise UnknownUserError if it has no role there."""
        return (await self._member(name, seller)).acting_for(seller)

    async def give(self, name: str, seller: str, role: Role, by: Actor) -> bool:
        """Give a user a role at the Seller, instead of the role that the user had there.

        Returns:
            Whether a link to set a password has ended.
        """
        while True:
            user = await self._accounts.user(name)
            changed = _changed(user, {**user.roles, seller: role}, user.seller)
            if await self._store.save(changed, log=role_entries(user, changed, by, self._clock())):
                return bool(user.link_digest) and not changed.link_digest

    async def change(self, name: str, seller: str, role: Role, by: Actor, seen: SeenMember | None = None) -> None:
        """Change the role of a user who has a role at the Seller, which keeps a manager.

        Raises:
            UnknownUserError: The user has no role at the Seller.
            MemberChangedError: The user is not as it was seen.
            LastManagerError: The user is the last manager of the Seller.
        """
        while True:
            user = await self._member(name, seller, seen)
            stays = await self._manager_who_stays(user, seller) if role is not Role.MANAGER else ()
            changed = _changed(user, {**user.roles, seller: role}, user.seller)
            if await self._store.save(changed, *stays, log=role_entries(user, changed, by, self._clock())):
                return

    async def take(
        self, name: str, seller: str, by: Actor, seen: SeenMember | None = None, *, keeps_manager: bool = False
    ) -> bool:
        """Take the role at the Seller from a user; return whether the user has roles at other Sellers.

        A user who has no other role is removed.

        Args:
            name: The name of the user.
            seller: The key of the Seller.
            by: The actor.
            seen: The user as somebody saw it before the decision; None for a decision about any state.
            keeps_manager: Whether the Seller must keep a manager.

        Raises:
            UnknownUserError: The user has no role at the Seller.
            MemberChangedError: The user is not as it was seen.
            LastManagerError: The user is the last manager of the Seller, which must keep one.
        """
        while True:
            user = await self._member(name, seller, seen)
            stays = await self._manager_who_stays(user, seller) if keeps_manager else ()
            left = {key: role for key, role in user.roles.items() if key != seller}
            if left:
                changed = _changed(user, left, user.seller if user.seller in left else min(left))
                if await self._store.save(changed, *stays, log=role_entries(user, changed, by, self._clock())):
                    return True
            elif await self._store.save(*stays, removed=[user], log=role_entries(user, None, by, self._clock())):
                await self._accounts.forget(user.name)
                return False

    async def _member(self, name: str, seller: str, seen: SeenMember | None = None) -> User:
        """Return the user as it is stored. Raise UnknownUserError or MemberChangedError."""
        user = await self._accounts.user(name)
        if seller not in user.roles:
            raise UnknownUserError(name)
        if seen and seen != (user.account, user.roles[seller]):
            raise MemberChangedError
        return user

    async def _manager_who_stays(self, user: User, seller: str) -> Sequence[IdentityRecord]:
        """Return another manager of the Seller; nobody if the user is no manager, or raise LastManagerError.

        The caller saves the manager who stays unchanged, in the transaction that changes the user. The transaction
        fails if either of them has changed. So two managers who remove each other at once cannot both succeed.
        """
        if user.roles[seller] is not Role.MANAGER:
            return ()
        # As they are stored: `users_of` returns each as acting for the Seller, which must not be saved.
        for other in await self._store.find(User):
            if other.name != user.name and other.roles.get(seller) is Role.MANAGER:
                return (other,)
        raise LastManagerError


def _changed(user: User, roles: Mapping[str, Role], seller: str) -> User:
    """Return the user with these roles, acting for the Seller; a change of the roles ends the link for a password."""
    changed = with_roles(user, roles, seller)
    return changed if roles == user.roles else replace(changed, link_digest=None, link_expires=None)
