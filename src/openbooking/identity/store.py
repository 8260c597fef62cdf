"""The IdentityStore protocol: what has to be kept for `openbooking.identity`, and read fast."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Protocol, TypeVar

import msgspec

from openbooking.booking.model.grant_terms import NO_TERMS
from openbooking.booking.model.order import Caller
from openbooking.identity.records import EVERY_SELLER, Authorization, Grant, IdentityRecord, Partner, is_valid

R = TypeVar("R", bound=IdentityRecord)


class AccessRights(msgspec.Struct, frozen=True, dict=True):
    """All that tells what a caller may do now; of its grants those that were asked for."""

    partner: Partner
    grants: tuple[Grant, ...]
    authorization: Authorization | None = None

    @cached_property
    def caller(self) -> Caller:
        """The partner as a caller, for the Sellers that let it book now, on their terms.

        A Seller's own grant replaces that of EVERY_SELLER whole, and so do its terms.
        """
        partner = self.partner.key
        if self.partner.suspended:
            return Caller(partner, frozenset())
        by_seller = {grant.seller: grant for grant in self.grants}
        every = by_seller.pop(EVERY_SELLER, None)
        books = frozenset(seller for seller, grant in by_seller.items() if grant.allows_booking)
        other_terms = every.terms if every and every.allows_booking else NO_TERMS
        terms = {seller: by_seller[seller].terms for seller in books if by_seller[seller].terms != other_terms}
        if every and every.allows_booking:
            return Caller(partner, None, frozenset(by_seller.keys() - books), terms, other_terms)
        return Caller(partner, books, terms=terms)

    @cached_property
    def authorized(self) -> bool:
        """Whether the authorization has not ended, nor the Seller revoked the grant it came of."""
        authorization = self.authorization
        if authorization is None or authorization.ended:
            return False
        if authorization.seller is None:
            return True
        return any(grant.seller == authorization.seller and is_valid(grant, authorization) for grant in self.grants)


class IdentityStore(Protocol):
    """Where the records are kept. What was saved is on disk, and is seen by every process at once.

    It raises StoreUnavailableError where the database does not answer.
    """

    async def find(self, kind: type[R], **lookups: str | bool) -> Sequence[R]:
        """The records of a kind of which the fields named have these values, by their key.

        Fields that can be named: `Partner` key, api_key_digest; `Grant` partner, seller, settled; `Authorization` id;
        `User` name, seller, link_digest; `Session` digest, username; `PendingSignIn` digest,
        username; `Device` digest, username; `RegistrationToken` digest; `SigningKey` kid; `Attempts` subject.
        """
        ...

    async def save(self, *records: IdentityRecord) -> bool:
        """Keep them all, each in place of the revision it was read at; False, and none is kept, if one has changed."""
        ...

    async def remove(self, kind: type[R], **lookups: str | bool) -> None:
        """Keep those records no longer."""
        ...

    async def remove_expired(self, now: datetime) -> None:
        """Keep no Authorization, Session, PendingSignIn, Device or Attempts that has expired."""
        ...

    async def access_rights(self, partner: str, authorization: str, seller: str) -> AccessRights | None:
        """How the partner stands, with the grants of that Seller and of EVERY_SELLER."""
        ...

    async def access_rights_by_api_key(self, digest: str) -> AccessRights | None:
        """How the partner with this API key, or with this former one, is_valid, with all its grants."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...
