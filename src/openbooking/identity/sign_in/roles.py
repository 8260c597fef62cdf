"""The roles of users at Sellers: give a role, change it, take it back."""

from collections.abc import Sequence

from msgspec.structs import replace

from openbooking.identity.records import Role, User, with_roles
from openbooking.identity.sign_in.accounts import Accounts, UnknownUserError, canonical_name
from openbooking.identity.store import IdentityStore
from openbooking.user_error import UserError


class LastManagerError(UserError):
    """The Seller would have no manager any more."""

    def __init__(self) -> None:
        super().__init__("This is the last manager. Make somebody else a manager first.")


class Roles:
    """Changes the roles of users.

    With `keeps_manager` a change that leaves the Seller without a manager raises LastManagerError.
    """

    def __init__(self, store: IdentityStore, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts

    async def users_of(self, seller: str) -> Sequence[User]:
        """Return the users with a role at the Seller, acting for the Seller, in order of their names."""
        return [user.acting_for(seller) for user in await self._store.find(User) if seller in user.roles]

    async def user_of(self, seller: str, name: str) -> User:
        """Return the user with this name, acting for the Seller, or raise UnknownUserError if it has no role there."""
        user = await self._accounts.user(name)
        if seller not in user.roles:
            raise UnknownUserError(name)
        return user.acting_for(seller)

    async def give(self, name: str, seller: str, role: Role, *, keeps_manager: bool = False) -> None:
        """Give a user a role at the Seller, instead of the role that the user had there."""
        while True:
            user = await self._accounts.user(name)
            changed = with_roles(user, {**user.roles, seller: role}, user.seller)
            if await self._save(user, changed, seller, keeps_manager=keeps_manager):
                return

    async def take(self, name: str, seller: str, *, keeps_manager: bool = False) -> bool:
        """Take the role at the Seller from a user; return whether the user has roles at other Sellers.

        A user who has no other role is removed.
        """
        while True:
            user = await self._accounts.user(name)
            if seller not in user.roles:
                raise UnknownUserError(name)
            left = {key: role for key, role in user.roles.items() if key != seller}
            # The account that is about to be removed is no manager first, so that a concurrent change sees this.
            first = user.seller if user.seller in left else min(left, default="")
            changed = with_roles(user, left, first) if left else replace(user, role=Role.STAFF)
            if await self._save(user, changed, seller, keeps_manager=keeps_manager):
                if not left:
                    await self._accounts.remove(user)
                return bool(left)

    async def _save(self, user: User, changed: User, seller: str, *, keeps_manager: bool) -> bool:
        """Save the user; return False if the user, or the manager who stays, has changed meanwhile.

        The manager who stays is saved unchanged in the same transaction. So two managers who remove each other at once
        cannot both succeed.
        """
        stops_managing = user.roles.get(seller) is Role.MANAGER and changed.roles.get(seller) is not Role.MANAGER
        if not (keeps_manager and stops_managing):
            return await self._store.save(changed)
        # As they are stored: `users_of` returns each as acting for the Seller, which must not be saved.
        managers = [member for member in await self._store.find(User) if member.roles.get(seller) is Role.MANAGER]
        others = [member for member in managers if member.name != canonical_name(user.name)]
        if not others:
            raise LastManagerError
        # One order of rows for all transactions prevents deadlocks.
        return await self._store.save(*sorted((changed, others[0]), key=lambda member: member.name))
