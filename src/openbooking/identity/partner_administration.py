"""Administration of Booking Partners: add partners, replace their credentials, and change their grants."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.keys import check_key
from openbooking.clock import Clock
from openbooking.identity.activity_log import recorded_name
from openbooking.identity.digests import SecretKind, digest, new_secret
from openbooking.identity.oauth.registration import check_redirect_uri
from openbooking.identity.partners.credentials import (
    CredentialKind,
    end_former_credential,
    former_credential,
    replace_credential,
)
from openbooking.identity.partners.grants import GrantChange, Grants, current_grant, give
from openbooking.identity.records import EVERY_SELLER, Grant, IdentityRecord, Partner
from openbooking.identity.scopes import Scope
from openbooking.identity.sellers import FindSeller, check_seller
from openbooking.identity.store import IdentityStore
from openbooking.user_error import UserError

LONGEST_OVERLAP = timedelta(days=366)


class UnknownPartnerError(UserError):
    """No Booking Partner has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no Booking Partner {key}.")


class PartnerExistsError(UserError):
    """Another Booking Partner has this key already."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is a Booking Partner {key} already.")


class NoGrantError(UserError):
    """The Booking Partner has no grant of this Seller that could be changed."""

    def __init__(self, partner: str, seller: str) -> None:
        given = "--all-sellers" if seller == EVERY_SELLER else seller
        super().__init__(f"{partner} has no grant for {given}.")


class NoFormerCredentialError(UserError):
    """The Booking Partner has no former credential of this kind."""

    def __init__(self, partner: str, kind: CredentialKind) -> None:
        super().__init__(f"{partner} has no former {kind.label}.")


class OverlapError(UserError):
    """The overlap would end in the past, or later than LONGEST_OVERLAP from now."""

    def __init__(self) -> None:
        super().__init__(f"The old credential must end within the next {LONGEST_OVERLAP.days} days.")


class NewPartner(msgspec.Struct, frozen=True, kw_only=True):
    """A Booking Partner that is to be added.

    Attributes:
        key: The key of the partner, which is its `client_id` too.
        name: The name that people see.
        sellers: The keys of the Sellers that it may book for; EVERY_SELLER for all of them.
        redirect_uris: The addresses to which browsers return after the consent of a Seller. A partner with redirect
            URIs gets a client secret. A partner without redirect URIs gets an API key.
        contacts: Email addresses or telephone numbers of the people who run the partner.

    Raises:
        InvalidKeyError: The key cannot be part of an `@id`.
        InvalidRedirectUriError: A redirect URI is not https.
    """

    key: str
    name: str
    sellers: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the key and the redirect URIs."""
        check_key(self.key)
        for uri in self.redirect_uris:
            check_redirect_uri(uri)


class NewCredential(NamedTuple):
    """A new secret, and the partner after the change. The secret cannot be read again later."""

    secret: str
    partner: Partner


class PartnerAdministration:
    """Changes Booking Partners on behalf of an administrator.

    The argument `by` is the actor, whose name is recorded.
    """

    def __init__(self, store: IdentityStore, grants: Grants, find_seller: FindSeller, clock: Clock) -> None:
        self._store = store
        self._grants = grants
        self._find_seller = find_seller
        self._clock = clock

    async def partner(self, key: str) -> Partner:
        """Return the Booking Partner with this key, or raise UnknownPartnerError."""
        found = await self._store.find(Partner, key=key)
        if not found:
            raise UnknownPartnerError(key)
        return found[0]

    async def add(self, new: NewPartner, by: Actor, *together: IdentityRecord) -> str:
        """Add a Booking Partner that may book for its Sellers. Return its API key or client secret.

        The secret cannot be read again later.

        Args:
            new: The partner.
            by: The administrator.
            together: Records to save in the transaction that adds the partner.

        Raises:
            UnknownSellerError: One of its Sellers does not exist.
            PartnerExistsError: The key is in use, or a record of `together` has changed.
        """
        for seller in new.sellers:
            await self._check_seller(seller)
        is_client = bool(new.redirect_uris)
        secret = new_secret(SecretKind.CLIENT_SECRET if is_client else SecretKind.API_KEY)
        partner = Partner(
            key=new.key,
            name=new.name,
            registered=self._clock(),
            registered_by=recorded_name(by),
            contacts=new.contacts,
            api_key_digest=None if is_client else digest(secret),
            secret_digest=digest(secret) if is_client else None,
            redirect_uris=new.redirect_uris,
        )
        if not await self._store.save(partner, *together):
            raise PartnerExistsError(new.key)
        for seller in new.sellers:
            await self._grants.change(new.key, seller, give(frozenset({Scope.OPENBOOKING})), by)
        return secret

    async def set_redirect_uris(self, key: str, redirect_uris: Sequence[str]) -> Partner:
        """Replace all redirect URIs of a Booking Partner. Raise UnknownPartnerError or InvalidRedirectUriError."""
        for uri in redirect_uris:
            check_redirect_uri(uri)
        return await self._change(key, lambda partner: replace(partner, redirect_uris=tuple(redirect_uris)))

    async def set_suspended(self, key: str, *, suspended: bool, by: Actor) -> Partner:
        """Suspend a Booking Partner for all Sellers, or end its suspension. Raise UnknownPartnerError."""
        action = Action.PARTNER_PAUSED if suspended else Action.PARTNER_RESUMED
        while True:
            partner = await self.partner(key)
            changed, now = replace(partner, suspended=suspended), self._clock()
            sellers = await self._grants.sellers_of(key) if changed != partner else []
            log = [Activity(at=now, actor=by, action=action, seller=seller, partner=key) for seller in sellers]
            if await self._store.save(changed, log=log):
                return changed

    async def replace_credential(
        self, key: str, kind: CredentialKind, overlap: timedelta | datetime | None
    ) -> NewCredential:
        """Give a Booking Partner a new credential in place of the current one (OB-AUTH-08).

        Args:
            key: The key of the partner.
            kind: Which credential to replace.
            overlap: How long, or until which time, the current credential stays valid. None ends it at once.

        Raises:
            UnknownPartnerError: No partner has this key.
            OverlapError: The overlap ends in the past or too late.
            BothCredentialsInUseError: The partner uses both the current credential and a former one.
        """
        secret = new_secret(SecretKind.API_KEY if kind is CredentialKind.API_KEY else SecretKind.CLIENT_SECRET)

        def change(partner: Partner) -> Partner:
            now = self._clock()
            ends = now + overlap if isinstance(overlap, timedelta) else overlap
            if ends and not now < ends <= now + LONGEST_OVERLAP:
                raise OverlapError
            return replace_credential(partner, kind, digest(secret), now, ends)

        return NewCredential(secret, await self._change(key, change))

    async def end_former_credential(self, key: str, kind: CredentialKind) -> Partner:
        """End the former credential. Raise UnknownPartnerError or NoFormerCredentialError."""

        def change(partner: Partner) -> Partner:
            if former_credential(partner, kind) is None:
                raise NoFormerCredentialError(key, kind)
            return end_former_credential(partner, kind)

        return await self._change(key, change)

    async def change_grant(self, key: str, seller: str, change: GrantChange, by: Actor) -> Sequence[Grant]:
        """Change the grant of a Seller, or of EVERY_SELLER, to a Booking Partner. Return all grants of the partner.

        Raises:
            UnknownPartnerError: No partner has this key.
            UnknownSellerError: No Seller has this key.
            NoGrantError: The change would suspend, resume or revoke a grant that does not exist.
        """
        await self.partner(key)
        await self._check_seller(seller)
        await self._grants.change(key, seller, change, by)
        grants = await self._store.find(Grant, partner=key)
        if current_grant(grants, seller) is None:
            raise NoGrantError(key, seller)
        return grants

    async def _change(self, key: str, change: Callable[[Partner], Partner]) -> Partner:
        """Change and save a partner. If another process saved the partner meanwhile, make the change again."""
        while not await self._store.save(changed := change(await self.partner(key))):
            pass
        return changed

    async def _check_seller(self, key: str) -> None:
        if key != EVERY_SELLER:
            await check_seller(self._find_seller, key)
