"""Administration of the users who work for Sellers: add and remove them, issue links, end locks."""

from collections.abc import Sequence

from msgspec.structs import replace

from openbooking.booking.model.actor import Actor
from openbooking.identity.records import Role, User
from openbooking.identity.sellers import FindSeller, check_seller
from openbooking.identity.sign_in.accounts import Accounts
from openbooking.identity.sign_in.roles import Roles
from openbooking.identity.sign_in.second_factors import SecondFactors
from openbooking.identity.store import IdentityStore


class UserAdministration:
    """Changes users on behalf of an administrator. The argument `by` is the actor in the activity log.

    User names are compared without regard to case and surrounding spaces. Methods that take the name of an existing
    user raise UnknownUserError if no user has this name.
    """

    def __init__(
        self,
        store: IdentityStore,
        accounts: Accounts,
        roles: Roles,
        second_factors: SecondFactors,
        find_seller: FindSeller,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._roles = roles
        self._second_factors = second_factors
        self._find_seller = find_seller

    async def add(self, name: str, seller: str, role: Role, by: Actor) -> str:
        """Add a user; return the secret of the link with which the user sets the first password.

        Raises:
            UnknownSellerError: No Seller has this key.
            EmptyUserNameError: The name is empty.
            UserExistsError: The name is in use.
        """
        await check_seller(self._find_seller, seller)
        return await self._accounts.add(name, seller, role, by)

    async def users(self) -> Sequence[User]:
        """Return all users, in order of their names."""
        return await self._store.find(User)

    async def remove(self, name: str, by: Actor) -> None:
        """Remove a user and end the user's sessions. Grants that the user gave stay (OB-AUTH-29)."""
        await self._accounts.remove(name, by)

    async def add_seller(self, name: str, seller: str, role: Role, by: Actor) -> bool:
        """Let an existing user act for a further Seller, or change the role of the user there.

        Returns:
            Whether a link to set a password has ended, because it was issued for other roles.

        Raises:
            UnknownSellerError: No Seller has this key.
        """
        await check_seller(self._find_seller, seller)
        return await self._roles.give(name, seller, role, by)

    async def remove_seller(self, name: str, seller: str, by: Actor) -> bool:
        """Take the role at a Seller from a user; return whether the user has other roles, or else was removed."""
        return await self._roles.take(name, seller, by)

    async def set_administrator(self, name: str, *, is_administrator: bool) -> bool:
        """Make a user an administrator, or an administrator an ordinary user.

        A link to set a password ends, because a manager of a Seller may have issued it.

        Returns:
            Whether a link has ended.
        """
        while True:
            user = await self._accounts.user(name)
            if user.is_administrator == is_administrator:
                return False
            changed = replace(user, is_administrator=is_administrator, link_digest=None, link_expires=None)
            if await self._store.save(changed):
                return bool(user.link_digest)

    async def issue_link(self, name: str, by: Actor) -> str:
        """Return the secret of a link with which the user sets a new password, once."""
        return await self._accounts.issue_link(name, by)

    async def unlock(self, name: str) -> None:
        """Clear the failed attempts to sign in to an account. Blocked addresses stay blocked."""
        await self._accounts.unlock(name)

    async def reset_second_factor(self, name: str, by: Actor) -> None:
        """Remove the lost second factor of a user, and end the user's sessions."""
        await self._second_factors.reset(name, by)
