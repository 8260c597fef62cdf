"""Administration of the people who work for Sellers."""

import pytest

from openbooking.identity.records import Role
from openbooking.identity.sellers import UnknownSellerError
from openbooking.identity.sign_in.accounts import EmptyUserNameError, UnknownUserError, UserExistsError
from openbooking.identity.user_administration import UserAdministration
from support.identity_provider import Desk
from support.parties import MANAGER

pytestmark = pytest.mark.anyio


@pytest.fixture
def administration(desk: Desk) -> UserAdministration:
    return desk.provider.user_administration


async def test_a_new_user_sets_a_password_by_the_returned_link(desk: Desk, administration: UserAdministration) -> None:
    link = await administration.add(" Eve ", "studio", Role.STAFF, MANAGER)
    user = await desk.provider.accounts.user_of_link(link)
    assert (user.name, user.seller, user.role) == ("eve", "studio", Role.STAFF)
    assert [user.name for user in await administration.users()] == ["ann", "ben", "cat", "eve"]


async def test_a_user_needs_a_seller_and_a_name_of_its_own(administration: UserAdministration) -> None:
    with pytest.raises(UnknownSellerError, match="no Seller nobody"):
        await administration.add("eve", "nobody", Role.MANAGER, MANAGER)
    with pytest.raises(EmptyUserNameError):
        await administration.add("  ", "centre", Role.MANAGER, MANAGER)
    with pytest.raises(UserExistsError, match="a user ann already"):
        await administration.add("ANN", "centre", Role.MANAGER, MANAGER)
    assert len(await administration.users()) == 3


async def test_a_removed_user_does_not_exist(administration: UserAdministration) -> None:
    await administration.remove("Ann", MANAGER)
    assert [user.name for user in await administration.users()] == ["ben", "cat"]


async def test_changes_of_an_unknown_user_are_refused(administration: UserAdministration) -> None:
    for change in (
        administration.remove("Nobody", MANAGER),
        administration.issue_link("Nobody", MANAGER),
        administration.unlock("Nobody"),
        administration.reset_second_factor("Nobody", MANAGER),
    ):
        with pytest.raises(UnknownUserError, match="no user nobody"):
            await change
