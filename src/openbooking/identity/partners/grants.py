"""Changes of the grants of Sellers to Booking Partners, and of the Orders feeds that follow the grants (OB 11.7)."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from msgspec.structs import replace

from openbooking.booking.commands.orders.withhold import Withhold
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.order import Partnership
from openbooking.booking.store import Store
from openbooking.clock import Clock
from openbooking.identity.activity_log import grant_entries, recorded_name
from openbooking.identity.records import EVERY_SELLER, Grant, GrantState
from openbooking.identity.scopes import Scope
from openbooking.identity.store import IdentityStore
from openbooking.user_error import UserError

# A booking that was authenticated before a revocation may be saved after it. The Order of this booking leaves the feed.
_LATE_BOOKING = timedelta(minutes=1)
GRANTS = Actor(ActorKind.SYSTEM, "grants")
_ATTEMPTS = 5

GrantChange = Callable[[Grant], Grant]


class ConcurrentChangeError(UserError):
    """Other processes changed the same grant at each attempt, so nothing was changed."""

    def __init__(self) -> None:
        super().__init__(f"Gave up after {_ATTEMPTS} conflicting changes of the same grant; try again.")


def current_grant(grants: Iterable[Grant], seller: str) -> Grant | None:
    """Return the grant of a Seller, or else the grant of EVERY_SELLER; None if there is neither."""
    by_seller = {grant.seller: grant for grant in grants}
    return by_seller.get(seller) or by_seller.get(EVERY_SELLER)


def give(scopes: frozenset[Scope], agreed_by: str | None = None) -> GrantChange:
    """Return a change that adds scopes to a grant, and makes a suspended or revoked grant active.

    The user agrees to all scopes of the grant. If the grant gets more scopes, earlier consents end. The terms stay the
    same; a revoked grant has no terms.

    Args:
        scopes: The scopes to add.
        agreed_by: The account of the user who agrees in the name of the Seller; None for an administrator.
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
    """Return the grant as suspended if it is active. It allows no bookings; the Orders feed continues (OB-AUTH-27)."""
    return replace(grant, state=GrantState.SUSPENDED) if grant.state is GrantState.ACTIVE else grant


def resume(grant: Grant) -> Grant:
    """Return the grant as active if it is suspended."""
    return replace(grant, state=GrantState.ACTIVE) if grant.state is GrantState.SUSPENDED else grant


def revoke(grant: Grant) -> Grant:
    """Return the grant as revoked. Its tokens become invalid, and the Orders leave the partner's feed (OB-AUTH-07).

    The terms end too, so a later grant starts without terms.
    """
    if grant.state is GrantState.REVOKED:
        return grant
    return replace(grant, state=GrantState.REVOKED, agreed_by=frozenset(), period=grant.period + 1, terms=NO_TERMS)


def change_terms(change: Callable[[GrantTerms], GrantTerms]) -> GrantChange:
    """Return a change that applies `change` to the terms of a grant.

    The state of the grant stays the same. A revoked grant has no terms and gets no terms.
    """

    def changed(grant: Grant) -> Grant:
        return grant if grant.state is GrantState.REVOKED else replace(grant, terms=change(grant.terms))

    return changed


def allow_on_terms(terms_change: Callable[[GrantTerms], GrantTerms]) -> GrantChange:
    """Return a change that adds the scope to book and changes the terms.

    A grant that already includes this scope keeps its state: a suspended grant stays suspended.

    Args:
        terms_change: Returns the new terms.
    """
    on_terms, allow = change_terms(terms_change), give(frozenset({Scope.OPENBOOKING}))

    def change(grant: Grant) -> Grant:
        allowed = grant.state is not GrantState.REVOKED and Scope.OPENBOOKING in grant.scopes
        return on_terms(grant if allowed else allow(grant))

    return change


class Grants:
    """Changes grants, and updates the Orders feeds that depend on them."""

    def __init__(self, identity: IdentityStore, bookings: Store, clock: Clock) -> None:
        self._identity = identity
        self._bookings = bookings
        self._clock = clock

    async def change(self, partner: str, seller: str, change: GrantChange, by: Actor) -> Grant:
        """Change the grant of a Seller to a partner, update the Orders feed, and return the grant.

        Args:
            partner: The key of the partner.
            seller: The key of the Seller, or EVERY_SELLER.
            change: The change.
            by: The actor.

        Raises:
            ConcurrentChangeError: Other processes changed the grant at each attempt.
        """
        for _ in range(_ATTEMPTS):
            before = await self._grant(partner, seller)
            changed = change(before)
            if changed == before:
                # Save the unchanged grant too: an acknowledged grant must be on disk and on the standby.
                if before.revision and not await self._identity.save(before):
                    continue
                return before
            now = self._clock()
            changed = replace(changed, changed=now, changed_by=recorded_name(by), settled=False)
            log = grant_entries(before, changed, await self._sellers(changed), by, now)
            if await self._identity.save(changed, log=log):
                await self._update_feeds(changed)
                return changed
        raise ConcurrentChangeError

    async def update_changed_feeds(self) -> None:
        """Update the Orders feeds of all changed grants, even if the process that changed a grant has died."""
        for grant in await self._identity.find(Grant, settled=False):
            await self._update_feeds(grant)
            # A wrong clock may have dated the change in the future.
            if abs(self._clock() - grant.changed) > _LATE_BOOKING:
                await self._identity.save(replace(grant, settled=True))

    async def _grant(self, partner: str, seller: str) -> Grant:
        """Return the grant of the Seller, or a new grant with the rights that the partner has without this grant."""
        grants = await self._identity.find(Grant, partner=partner)
        rights = current_grant(grants, seller)
        if rights:
            own = rights.seller == seller
            return rights if own else replace(rights, seller=seller, agreed_by=frozenset(), revision=0)
        now, nothing = self._clock(), frozenset[Scope]()
        state = GrantState.REVOKED
        return Grant(partner=partner, seller=seller, scopes=nothing, changed=now, changed_by="", state=state)

    async def sellers_of(self, partner: str) -> list[str]:
        """Return the keys of the Sellers whose grants to the partner are not revoked."""
        grants = await self._identity.find(Grant, partner=partner)
        rights = {seller.key: current_grant(grants, seller.key) for seller in await self._bookings.sellers()}
        return [seller for seller, grant in rights.items() if grant and grant.state is not GrantState.REVOKED]

    async def _sellers(self, grant: Grant) -> list[str]:
        """Return the keys of the Sellers whose rights the grant decides: those without a grant of their own for `*`."""
        if grant.seller != EVERY_SELLER:
            return [grant.seller]
        own = {other.seller for other in await self._identity.find(Grant, partner=grant.partner)}
        return [seller.key for seller in await self._bookings.sellers() if seller.key not in own]

    async def _update_feeds(self, grant: Grant) -> None:
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
