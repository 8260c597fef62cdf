"""What Sellers allow Booking Partners: given, suspended, revoked, and followed by the Orders feeds (OB 11.7)."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from msgspec.structs import replace

from openbooking.booking.commands.withhold import Withhold
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.order import Partnership
from openbooking.booking.store import Store
from openbooking.clock import Clock
from openbooking.identity.records import EVERY_SELLER, Grant, GrantState
from openbooking.identity.scopes import Scope
from openbooking.identity.store import IdentityStore
from openbooking.user_error import UserError

# A booking that was let in just before a revocation may be kept just after it; its Order is withheld too.
_STRAGGLERS = timedelta(minutes=1)
GRANTS = Actor(ActorKind.SYSTEM, "grants")
_ATTEMPTS = 5

GrantChange = Callable[[Grant], Grant]


class ConcurrentChangeError(UserError):
    """Others kept changing the same grant, so that nothing was changed."""

    def __init__(self) -> None:
        super().__init__(f"Gave up after {_ATTEMPTS} conflicting changes of the same grant; try again.")


def current_grant(grants: Iterable[Grant], seller: str) -> Grant | None:
    """The grant that holds for a Seller: its own, or else the one of every Seller."""
    by_seller = {grant.seller: grant for grant in grants}
    return by_seller.get(seller) or by_seller.get(EVERY_SELLER)


def give(scopes: frozenset[Scope], agreed_by: str | None = None) -> GrantChange:
    """Allow these scopes, with what is allowed already; what was suspended or revoked is allowed again.

    Somebody who agrees agrees to all of it, but those who agreed to less have not. The terms stay as they are; a grant
    that was revoked has none left.
    """

    def change(grant: Grant) -> Grant:
        kept = frozenset() if grant.state is GrantState.REVOKED else grant.scopes
        wider = not scopes <= kept or grant.state is not GrantState.ACTIVE
        agreed = frozenset({agreed_by} if agreed_by else ())
        return replace(
            grant,
            scopes=kept | scopes,
            state=GrantState.ACTIVE,
            agreed_by=agreed if wider else grant.agreed_by | agreed,
        )

    return change


def suspend(grant: Grant) -> Grant:
    """Stop bookings for a while; the Orders feed goes on (OB-AUTH-27)."""
    return replace(grant, state=GrantState.SUSPENDED) if grant.state is GrantState.ACTIVE else grant


def resume(grant: Grant) -> Grant:
    """Let bookings go on."""
    return replace(grant, state=GrantState.ACTIVE) if grant.state is GrantState.SUSPENDED else grant


def revoke(grant: Grant) -> Grant:
    """End it, with every token that came of it; the Seller's Orders leave the partner's feed (OB-AUTH-07).

    The terms end with it: whoever allows the partner again has to agree on terms anew.
    """
    if grant.state is GrantState.REVOKED:
        return grant
    return replace(grant, state=GrantState.REVOKED, agreed_by=frozenset(), period=grant.period + 1, terms=NO_TERMS)


def agree(change: Callable[[GrantTerms], GrantTerms]) -> GrantChange:
    """Change the terms of a grant: `change` gets those that hold, and answers with those that are to.

    The state stays as it is. A grant that is revoked has no terms, and gets none.
    """

    def changed(grant: Grant) -> Grant:
        return grant if grant.state is GrantState.REVOKED else replace(grant, terms=change(grant.terms))

    return changed


def allow_on_terms(change_terms: Callable[[GrantTerms], GrantTerms]) -> GrantChange:
    """Change the terms of a grant that allows booking; give any other grant first, on the changed terms.

    A grant that is suspended stays suspended.
    """
    on_terms, allow = agree(change_terms), give(frozenset({Scope.OPENBOOKING}))

    def change(grant: Grant) -> Grant:
        allowed = grant.state is not GrantState.REVOKED and Scope.OPENBOOKING in grant.scopes
        return on_terms(grant if allowed else allow(grant))

    return change


class Grants:
    """The grants of one provider, and the Orders feeds that follow them."""

    def __init__(self, identity: IdentityStore, bookings: Store, clock: Clock) -> None:
        self._identity = identity
        self._bookings = bookings
        self._clock = clock

    async def change(self, partner: str, seller: str, change: GrantChange, by: str) -> Grant:
        """Change what a Seller allows a partner; answers with what it allows when the Orders feed shows it."""
        for _ in range(_ATTEMPTS):
            before = await self._grant(partner, seller)
            changed = change(before)
            if changed == before:
                # Saved again all the same, so that what is acknowledged once more is on disk, and on the standby.
                if before.revision and not await self._identity.save(before):
                    continue
                return before
            changed = replace(changed, changed=self._clock(), changed_by=by, settled=False)
            if await self._identity.save(changed):
                await self._follow(changed)
                return changed
        raise ConcurrentChangeError

    async def settle(self) -> None:
        """Let the Orders feeds follow what has changed, also where a process that changed it has died since."""
        for grant in await self._identity.find(Grant, settled=False):
            await self._follow(grant)
            # One that was changed in the future was changed by a clock that was wrong.
            if abs(self._clock() - grant.changed) > _STRAGGLERS:
                await self._identity.save(replace(grant, settled=True))

    async def _grant(self, partner: str, seller: str) -> Grant:
        """The Seller's own grant, or one that says what holds without it."""
        grants = await self._identity.find(Grant, partner=partner)
        rights = current_grant(grants, seller)
        if rights:
            own = rights.seller == seller
            return rights if own else replace(rights, seller=seller, agreed_by=frozenset(), revision=0)
        now, nothing = self._clock(), frozenset[Scope]()
        state = GrantState.REVOKED
        return Grant(partner=partner, seller=seller, scopes=nothing, changed=now, changed_by="", state=state)

    async def _follow(self, grant: Grant) -> None:
        sellers = [grant.seller]
        if grant.seller == EVERY_SELLER:
            sellers = [seller.key for seller in await self._bookings.sellers()]
        grants = await self._identity.find(Grant, partner=grant.partner)
        for seller in sellers:
            rights = current_grant(grants, seller)
            withheld = rights is None or rights.state is GrantState.REVOKED
            command = Withhold(partnership=Partnership(grant.partner, seller), withheld=withheld, actor=GRANTS)
            while await self._bookings.execute(command):
                pass
