"""Administration of the people who work for one Seller, by a manager of this Seller."""

from collections.abc import Sequence

from openbooking.booking.model.actor import Actor
from openbooking.identity.records import Role, User
from openbooking.identity.sign_in.accounts import Accounts, UnknownUserError
from openbooking.identity.sign_in.roles import Roles, SeenMember
from openbooking.user_error import UserError


class SharedAccountError(UserError):
    """The user has more rights than a manager of one Seller, who therefore cannot replace the password."""

    def __init__(self) -> None:
        super().__init__("This person also works for others. Ask the operator for a link.")


class StaffAdministration:
    """Changes the users of a Seller on behalf of its manager.

    Methods that take the name of an existing user raise UnknownUserError if the user has no role at the Seller. The
    Seller always keeps a manager.
    """

    def __init__(self, accounts: Accounts, roles: Roles) -> None:
        self._accounts = accounts
        self._roles = roles

    async def users(self, seller: str) -> Sequence[User]:
        """Return the users of the Seller, in order of their names."""
        return await self._roles.users_of(seller)

    async def user(self, seller: str, name: str) -> User:
        """Return a user of the Seller."""
        return await self._roles.user_of(seller, name)

    async def add(self, seller: str, name: str, role: Role, by: Actor) -> str:
        """Add a user; return the secret of the link with which the user sets the first password.

        Only the operator can let an existing account act for a further Seller.

        Raises:
            EmptyUserNameError: The name is empty.
            UserExistsError: The name is in use, at this Seller or another one.
        """
        return await self._accounts.add(name, seller, role, by)

    async def issue_link(self, seller: str, name: str, by: Actor) -> str:
        """Return the secret of a link with which a user sets a new password, once.

        Raises:
            SharedAccountError: The user also works for another Seller, or is an administrator.
        """

        def check(user: User) -> None:
            if seller not in user.roles:
                raise UnknownUserError(name)
            if len(user.roles) > 1 or user.is_administrator:
                raise SharedAccountError

        return await self._accounts.issue_link(name, by, check)

    async def change_role(self, seller: str, name: str, role: Role, by: Actor, seen: SeenMember | None = None) -> None:
        """Change the role of a user.

        Args:
            seller: The key of the Seller.
            name: The name of the user.
            role: The new role.
            by: The manager.
            seen: The user as the manager saw it before the decision; None for a decision about any state.

        Raises:
            LastManagerError: The user is the last manager of the Seller.
            MemberChangedError: The user is not as it was seen.
        """
        await self._roles.change(name, seller, role, by, seen)

    async def remove(self, seller: str, name: str, by: Actor, seen: SeenMember | None = None) -> None:
        """Remove a user from the Seller, and the account if it works for no other one. Grants stay (OB-AUTH-29).

        Args:
            seller: The key of the Seller.
            name: The name of the user.
            by: The manager.
            seen: The user as the manager saw it before the decision; None for a decision about any state.

        Raises:
            LastManagerError: The user is the last manager of the Seller.
            MemberChangedError: The user is not as it was seen.
        """
        await self._roles.take(name, seller, by, seen, keeps_manager=True)
