"""The entries of the activity log about accounts and grants."""

import pytest
from msgspec.structs import replace

from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.identity.activity_log import recorded_name
from openbooking.identity.partners.grants import GrantChange, change_terms, give, resume, revoke, suspend
from openbooking.identity.records import EVERY_SELLER, Role, User
from openbooking.identity.scopes import Scope
from openbooking.identity.sign_in.roles import LastManagerError
from support.identity_provider import Desk
from support.parties import CENTRE, MANAGER, STUDIO

pytestmark = pytest.mark.anyio

OPERATOR = Actor(ActorKind.ADMINISTRATOR, "user add-seller")
BOOKING = give(frozenset({Scope.OPENBOOKING}))


async def log_of(desk: Desk, seller: str = CENTRE.key) -> list[tuple[Action, str | None, Actor]]:
    """Return the kind, the subject and the actor of each entry, the oldest first."""
    found = (await desk.bookings.views.of(seller).activity()).rows
    return [(entry.action, entry.user or entry.partner, entry.actor) for entry in reversed(found)]


async def test_each_change_of_staff_has_an_entry(desk: Desk) -> None:
    staff = desk.provider.staff_administration
    await staff.add(CENTRE.key, "Eve", Role.STAFF, MANAGER)
    await staff.add(CENTRE.key, "Fay", Role.MANAGER, MANAGER)
    await staff.change_role(CENTRE.key, "eve", Role.MANAGER, MANAGER)
    await staff.change_role(CENTRE.key, "eve", Role.MANAGER, MANAGER)
    await staff.change_role(CENTRE.key, "eve", Role.STAFF, MANAGER)
    await staff.issue_link(CENTRE.key, "eve", MANAGER)
    await staff.remove(CENTRE.key, "eve", MANAGER)
    assert await log_of(desk) == [
        (Action.STAFF_ADDED, "eve", MANAGER),
        (Action.MANAGER_ADDED, "fay", MANAGER),
        (Action.MADE_MANAGER, "eve", MANAGER),
        (Action.MADE_STAFF, "eve", MANAGER),
        (Action.LINK_ISSUED, "eve", MANAGER),
        (Action.USER_REMOVED, "eve", MANAGER),
    ]
    assert await log_of(desk, STUDIO.key) == []


async def test_changes_by_the_operator_are_in_the_log_of_each_seller_concerned(desk: Desk) -> None:
    operator = desk.provider.user_administration
    await operator.add_seller("cat", STUDIO.key, Role.MANAGER, OPERATOR)
    await operator.reset_second_factor("cat", OPERATOR)
    await operator.remove_seller("cat", CENTRE.key, OPERATOR)
    await operator.remove("cat", OPERATOR)
    assert await log_of(desk) == [
        (Action.SECOND_FACTOR_RESET, "cat", OPERATOR),
        (Action.USER_REMOVED, "cat", OPERATOR),
    ]
    assert await log_of(desk, STUDIO.key) == [
        (Action.MANAGER_ADDED, "cat", OPERATOR),
        (Action.SECOND_FACTOR_RESET, "cat", OPERATOR),
        (Action.USER_REMOVED, "cat", OPERATOR),
    ]


async def test_a_refused_change_has_no_entry(desk: Desk) -> None:
    with pytest.raises(LastManagerError):
        await desk.provider.staff_administration.remove(CENTRE.key, "ann", MANAGER)
    (ann,) = await desk.store.find(User, name="ann")
    entry = Activity(at=desk.clock(), actor=MANAGER, action=Action.USER_REMOVED, seller=CENTRE.key, user="ann")
    assert not await desk.store.save(replace(ann, revision=7), log=[entry])
    assert await log_of(desk) == []


TERMS = change_terms(lambda _: GrantTerms(offer_overrides=True))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([BOOKING], [Action.PARTNER_ALLOWED]),
        ([BOOKING, suspend], [Action.PARTNER_ALLOWED, Action.PARTNER_PAUSED]),
        ([BOOKING, suspend, resume], [Action.PARTNER_ALLOWED, Action.PARTNER_PAUSED, Action.PARTNER_RESUMED]),
        ([BOOKING, TERMS, TERMS], [Action.PARTNER_ALLOWED, Action.TERMS_CHANGED]),
        ([BOOKING, TERMS, revoke], [Action.PARTNER_ALLOWED, Action.TERMS_CHANGED, Action.PARTNER_STOPPED]),
        ([lambda grant: TERMS(BOOKING(grant))], [Action.PARTNER_ALLOWED, Action.TERMS_CHANGED]),
        ([revoke], []),
    ],
)
async def test_each_change_of_a_grant_has_an_entry(
    desk: Desk, changes: list[GrantChange], expected: list[Action]
) -> None:
    for change in changes:
        await desk.provider.grants.change("alice", CENTRE.key, change, MANAGER)
    assert await log_of(desk) == [(action, "alice", MANAGER) for action in expected]
    assert await log_of(desk, STUDIO.key) == []


async def test_a_grant_of_every_seller_is_in_the_log_of_those_without_a_grant_of_their_own(desk: Desk) -> None:
    await desk.provider.grants.change("alice", CENTRE.key, BOOKING, MANAGER)
    await desk.provider.grants.change("alice", EVERY_SELLER, BOOKING, OPERATOR)
    assert await log_of(desk) == [(Action.PARTNER_ALLOWED, "alice", MANAGER)]
    assert await log_of(desk, STUDIO.key) == [(Action.PARTNER_ALLOWED, "alice", OPERATOR)]


async def test_a_partner_that_the_operator_suspends_is_in_the_log_of_its_sellers(desk: Desk) -> None:
    await desk.provider.grants.change("alice", CENTRE.key, BOOKING, MANAGER)
    partners = desk.provider.partner_administration
    for suspended in (True, True, False):
        await partners.set_suspended("alice", suspended=suspended, by=OPERATOR)
    assert await log_of(desk) == [
        (Action.PARTNER_ALLOWED, "alice", MANAGER),
        (Action.PARTNER_PAUSED, "alice", OPERATOR),
        (Action.PARTNER_RESUMED, "alice", OPERATOR),
    ]
    assert await log_of(desk, STUDIO.key) == []


def test_the_name_of_an_administrator_is_no_command() -> None:
    assert (recorded_name(OPERATOR), recorded_name(MANAGER)) == ("administrator", "ann")
