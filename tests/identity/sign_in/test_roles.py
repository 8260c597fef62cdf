"""Users with roles at several Sellers, and the last manager of a Seller."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.identity.records import IdentityRecord, Role, Session, User
from openbooking.identity.sign_in.accounts import InvalidLinkError, UnknownUserError, UserExistsError
from openbooking.identity.sign_in.roles import LastManagerError, MemberChangedError, SeenMember
from openbooking.identity.staff_administration import SharedAccountError, StaffAdministration
from openbooking.identity.user_administration import UserAdministration
from support.identity_provider import BROWSER, PASSWORD, Desk
from support.parties import MANAGER

pytestmark = pytest.mark.anyio


@pytest.fixture
def operator(desk: Desk) -> UserAdministration:
    return desk.provider.user_administration


@pytest.fixture
def manager(desk: Desk) -> StaffAdministration:
    return desk.provider.staff_administration


async def roles_of(desk: Desk, name: str) -> dict[str, Role]:
    return dict((await desk.provider.accounts.user(name)).roles)


def test_a_user_of_one_seller_is_stored_as_before() -> None:
    stored = b'{"revision":3,"name":"ann","seller":"centre","role":"manager","id":"a1"}'
    user = msgspec.json.decode(stored, type=User)
    assert (user.roles, user.acting_for("studio")) == ({"centre": Role.MANAGER}, user)


def test_a_user_acts_for_one_seller_at_a_time() -> None:
    user = User(name="ann", seller="centre", role=Role.MANAGER, others={"studio": Role.STAFF, "pool": Role.MANAGER})
    acting = user.acting_for("studio")
    assert (acting.seller, acting.role) == ("studio", Role.STAFF)
    assert acting.roles == user.roles
    assert acting.acting_for("centre") == user


async def test_a_session_acts_for_the_chosen_seller(desk: Desk, operator: UserAdministration) -> None:
    await operator.add_seller("Ann", "studio", Role.STAFF, MANAGER)
    accounts = desk.provider.accounts
    secret = (await accounts.sign_in("ann", PASSWORD, BROWSER)).secret

    async def acts_for() -> tuple[str, Role]:
        signed_in = await accounts.find_session(secret)
        assert signed_in
        return signed_in.user.seller, signed_in.user.role

    assert await acts_for() == ("centre", Role.MANAGER)
    await accounts.choose_seller(secret, "studio")
    assert await acts_for() == ("studio", Role.STAFF)
    assert await operator.remove_seller("ann", "studio", MANAGER)
    assert await acts_for() == ("centre", Role.MANAGER)


async def test_the_choice_of_a_seller_is_repeated_if_the_session_has_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = desk.provider.accounts
    secret = (await accounts.sign_in("ann", PASSWORD, BROWSER)).secret
    save = desk.store.save

    async def save_after_another(*records: IdentityRecord, **others: Any) -> bool:
        monkeypatch.undo()
        (session,) = await desk.store.find(Session)
        await save(replace(session, offered="secret"))
        return await save(*records, **others)

    monkeypatch.setattr(desk.store, "save", save_after_another)
    await accounts.choose_seller(secret, "studio")
    (session,) = await desk.store.find(Session)
    assert (session.seller, session.offered) == ("studio", "secret")


async def test_the_operator_adds_and_removes_sellers_of_an_account(desk: Desk, operator: UserAdministration) -> None:
    await operator.add_seller("ann", "studio", Role.STAFF, MANAGER)
    await operator.add_seller("ann", "studio", Role.MANAGER, MANAGER)
    assert await roles_of(desk, "ann") == {"centre": Role.MANAGER, "studio": Role.MANAGER}
    assert await operator.remove_seller("ann", "centre", MANAGER)
    assert await roles_of(desk, "ann") == {"studio": Role.MANAGER}
    with pytest.raises(UnknownUserError):
        await operator.remove_seller("ann", "centre", MANAGER)
    assert not await operator.remove_seller("ann", "studio", MANAGER)
    with pytest.raises(UnknownUserError):
        await desk.provider.accounts.user("ann")


async def test_a_manager_sees_the_users_of_one_seller_only(
    operator: UserAdministration, manager: StaffAdministration
) -> None:
    await operator.add_seller("ben", "centre", Role.STAFF, MANAGER)
    users = [(user.name, user.role) for user in await manager.users("centre")]
    assert users == [("ann", Role.MANAGER), ("ben", Role.STAFF), ("cat", Role.STAFF)]
    for change in (
        manager.user("studio", "cat"),
        manager.change_role("studio", "cat", Role.MANAGER, MANAGER),
        manager.remove("studio", "cat", MANAGER),
        manager.issue_link("studio", "cat", MANAGER),
    ):
        with pytest.raises(UnknownUserError):
            await change


async def test_a_manager_cannot_take_over_an_account_of_another_seller(
    operator: UserAdministration, manager: StaffAdministration
) -> None:
    with pytest.raises(UserExistsError):
        await manager.add("centre", "Ben", Role.STAFF, MANAGER)
    await operator.add_seller("ben", "centre", Role.STAFF, MANAGER)
    with pytest.raises(SharedAccountError):
        await manager.issue_link("centre", "ben", MANAGER)


async def test_a_removed_user_keeps_its_other_sellers(
    desk: Desk, operator: UserAdministration, manager: StaffAdministration
) -> None:
    await operator.add_seller("cat", "studio", Role.STAFF, MANAGER)
    await manager.remove("centre", "cat", MANAGER)
    assert await roles_of(desk, "cat") == {"studio": Role.STAFF}


async def test_a_seller_keeps_a_manager(desk: Desk, manager: StaffAdministration) -> None:
    for change in (manager.remove("centre", "ann", MANAGER), manager.change_role("centre", "ann", Role.STAFF, MANAGER)):
        with pytest.raises(LastManagerError):
            await change
    await manager.change_role("centre", "cat", Role.MANAGER, MANAGER)
    await manager.change_role("centre", "ann", Role.STAFF, MANAGER)
    await manager.remove("centre", "ann", MANAGER)
    assert [user.name for user in await manager.users("centre")] == ["cat"]
    assert await roles_of(desk, "cat") == {"centre": Role.MANAGER}


async def test_a_manager_who_stays_keeps_the_first_seller(
    desk: Desk, operator: UserAdministration, manager: StaffAdministration
) -> None:
    """Ann works first for the centre; as a manager of the studio she stays when Ben goes."""
    await operator.add_seller("ann", "studio", Role.MANAGER, MANAGER)
    before = await desk.provider.accounts.user("ann")
    await manager.change_role("studio", "ben", Role.STAFF, MANAGER)
    after = await desk.provider.accounts.user("ann")
    assert (after.seller, after.role, after.others) == (before.seller, before.role, before.others)


async def test_two_managers_who_remove_each_other_at_once_do_not_both_succeed(
    desk: Desk, manager: StaffAdministration, monkeypatch: pytest.MonkeyPatch
) -> None:
    await manager.change_role("centre", "cat", Role.MANAGER, MANAGER)
    both_have_read, save = asyncio.Barrier(2), desk.store.save

    async def save_when_both_have_read(*records: IdentityRecord, **others: Any) -> bool:
        await both_have_read.wait()
        monkeypatch.setattr(desk.store, "save", save)
        return await save(*records, **others)

    monkeypatch.setattr(desk.store, "save", save_when_both_have_read)
    removals = (manager.remove("centre", "ann", MANAGER), manager.remove("centre", "cat", MANAGER))
    outcomes = await asyncio.gather(*removals, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastManagerError", "NoneType"]
    assert len(await manager.users("centre")) == 1


def before_write(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int, meanwhile: Callable[[], Awaitable[Any]]
) -> None:
    """Let something else happen right before the next write of the store with this number, counted from 0."""
    writes = iter(range(number, -1, -1))

    def delay(write: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def delayed(*arguments: Any, **named: Any) -> Any:
            if next(writes, None) == 0:
                await meanwhile()
            return await write(*arguments, **named)

        return delayed

    for name in ("save", "remove"):
        monkeypatch.setattr(desk.store, name, delay(getattr(desk.store, name)))


@pytest.mark.parametrize("number", [0, 1])
async def test_a_removal_does_not_remove_a_user_who_becomes_the_only_manager(
    desk: Desk, manager: StaffAdministration, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    async def swap_roles() -> None:
        with suppress(UnknownUserError, LastManagerError):
            await manager.change_role("centre", "cat", Role.MANAGER, MANAGER)
            await manager.change_role("centre", "ann", Role.STAFF, MANAGER)

    before_write(desk, monkeypatch, number, swap_roles)
    with suppress(LastManagerError):
        await manager.remove("centre", "cat", MANAGER)
    assert Role.MANAGER in {user.role for user in await manager.users("centre")}


@pytest.mark.parametrize("number", [0, 1])
async def test_a_removal_keeps_the_account_that_gets_another_seller(
    desk: Desk,
    operator: UserAdministration,
    manager: StaffAdministration,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    added: list[bool] = []

    async def add_seller() -> None:
        with suppress(UnknownUserError):
            await operator.add_seller("cat", "studio", Role.STAFF, MANAGER)
            added.append(True)

    before_write(desk, monkeypatch, number, add_seller)
    await manager.remove("centre", "cat", MANAGER)
    roles = [dict(user.roles) for user in await desk.store.find(User, name="cat")]
    assert roles == ([{"studio": Role.STAFF}] if added else [])


async def test_a_manager_gets_no_link_for_an_account_that_gets_another_seller_meanwhile(
    desk: Desk, operator: UserAdministration, manager: StaffAdministration, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_write(desk, monkeypatch, 0, lambda: operator.add_seller("cat", "studio", Role.MANAGER, MANAGER))
    with pytest.raises(SharedAccountError):
        await manager.issue_link("centre", "cat", MANAGER)


async def test_a_changed_role_does_not_bring_back_a_user_who_was_removed_meanwhile(
    desk: Desk, operator: UserAdministration, manager: StaffAdministration, monkeypatch: pytest.MonkeyPatch
) -> None:
    await operator.add_seller("cat", "studio", Role.STAFF, MANAGER)
    before_write(desk, monkeypatch, 0, lambda: operator.remove_seller("cat", "centre", MANAGER))
    with pytest.raises(UnknownUserError):
        await manager.change_role("centre", "cat", Role.MANAGER, MANAGER)
    assert await roles_of(desk, "cat") == {"studio": Role.STAFF}


async def test_a_decision_about_a_user_who_has_changed_since_is_refused(
    desk: Desk, manager: StaffAdministration
) -> None:
    cat = await manager.user("centre", "cat")
    seen = SeenMember(cat.account, cat.role)
    await manager.change_role("centre", "cat", Role.MANAGER, MANAGER, seen)
    for decision in (
        manager.change_role("centre", "cat", Role.STAFF, MANAGER, seen),
        manager.remove("centre", "cat", MANAGER, seen),
        manager.remove("centre", "cat", MANAGER, SeenMember("another account", Role.MANAGER)),
    ):
        with pytest.raises(MemberChangedError):
            await decision
    assert await roles_of(desk, "cat") == {"centre": Role.MANAGER}


@pytest.mark.parametrize("change", ["another Seller", "another role", "one Seller fewer", "removed"])
async def test_a_link_ends_when_the_account_changes_its_roles(
    desk: Desk, operator: UserAdministration, manager: StaffAdministration, change: str
) -> None:
    if change == "one Seller fewer":
        await operator.add_seller("cat", "studio", Role.STAFF, MANAGER)
    link = await operator.issue_link("cat", MANAGER)
    changes: dict[str, Callable[[], Awaitable[Any]]] = {
        "another Seller": lambda: operator.add_seller("cat", "studio", Role.MANAGER, MANAGER),
        "another role": lambda: manager.change_role("centre", "cat", Role.MANAGER, MANAGER),
        "one Seller fewer": lambda: manager.remove("centre", "cat", MANAGER),
        "removed": lambda: manager.remove("centre", "cat", MANAGER),
    }
    await changes[change]()
    if change == "removed":
        await manager.add("centre", "cat", Role.STAFF, MANAGER)
    with pytest.raises(InvalidLinkError):
        await desk.provider.accounts.use_link(link, "four unrelated words here")


async def test_a_link_stays_while_the_roles_stay(desk: Desk, operator: UserAdministration) -> None:
    link = await operator.issue_link("cat", MANAGER)
    assert not await operator.add_seller("cat", "centre", Role.STAFF, MANAGER)
    assert (await desk.provider.accounts.user_of_link(link)).name == "cat"
    assert await operator.add_seller("cat", "studio", Role.STAFF, MANAGER)
    assert not await operator.add_seller("cat", "studio", Role.MANAGER, MANAGER)
