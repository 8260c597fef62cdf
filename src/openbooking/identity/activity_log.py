"""The entries of the activity log about accounts and grants, which the identity store saves with the changes."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.identity.records import Grant, GrantState, Role, User

_ADDED = {Role.MANAGER: Action.MANAGER_ADDED, Role.STAFF: Action.STAFF_ADDED}
_MADE = {Role.MANAGER: Action.MADE_MANAGER, Role.STAFF: Action.MADE_STAFF}


def recorded_name(actor: Actor) -> str:
    """Return the name under which partners and grants record an actor."""
    return "administrator" if actor.kind is ActorKind.ADMINISTRATOR else actor.key


def user_entries(user: User, action: Action, by: Actor, at: datetime) -> list[Activity]:
    """Return an entry about a user for each Seller of the user."""
    return [Activity(at=at, actor=by, action=action, seller=seller, user=user.name) for seller in user.roles]


def role_entries(before: User | None, after: User | None, by: Actor, at: datetime) -> list[Activity]:
    """Return an entry for each Seller at which the role of a user changes.

    Args:
        before: The user before the change; None if the user is added.
        after: The user after the change; None if the user is removed.
        by: The actor.
        at: The time.
    """
    old, new = before.roles if before else {}, after.roles if after else {}
    name = (after or before or User(name="", seller="", role=Role.STAFF)).name
    entries = []
    for seller in sorted(old.keys() | new.keys()):
        role = new.get(seller)
        if role is not old.get(seller):
            action = Action.USER_REMOVED if role is None else (_MADE if seller in old else _ADDED)[role]
            entries.append(Activity(at=at, actor=by, action=action, seller=seller, user=name))
    return entries


def grant_entries(before: Grant, after: Grant, sellers: Iterable[str], by: Actor, at: datetime) -> list[Activity]:
    """Return the entries about a changed grant, for each Seller whose rights it decides."""
    actions = list(_grant_actions(before, after))
    return [
        Activity(at=at, actor=by, action=action, seller=seller, partner=after.partner)
        for seller in sellers
        for action in actions
    ]


def _grant_actions(before: Grant, after: Grant) -> Iterator[Action]:
    """Yield the kinds of entries about a changed grant. The terms that end with a grant have no entry of their own."""
    if after.state is GrantState.REVOKED:
        yield Action.PARTNER_STOPPED
        return
    if after.state is GrantState.SUSPENDED and before.state is not GrantState.SUSPENDED:
        yield Action.PARTNER_PAUSED
    elif before.state is GrantState.SUSPENDED and after.state is GrantState.ACTIVE:
        yield Action.PARTNER_RESUMED
    elif (before.state, before.scopes, before.agreed_by) != (after.state, after.scopes, after.agreed_by):
        yield Action.PARTNER_ALLOWED
    if before.terms != after.terms:
        yield Action.TERMS_CHANGED
