"""The IdentityStore protocol: how identity records are stored and read."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Protocol, TypeVar

import msgspec

from openbooking.booking.model.activity import Activity
from openbooking.booking.model.grant_terms import NO_TERMS
from openbooking.booking.model.order import Caller
from openbooking.identity.records import EVERY_SELLER, Authorization, Grant, IdentityRecord, Partner, is_valid

R = TypeVar("R", bound=IdentityRecord)


class AccessRights(msgspec.Struct, frozen=True, dict=True):
    """A partner with its grants and its authorization, which decide what the caller may do now.

    Attributes:
        partner: The Booking Partner.
        grants: The grants that were looked up, which need not be all grants of the partner.
        authorization: The authorization of the access token; None for an API key.
    """

    partner: Partner
    grants: tuple[Grant, ...]
    authorization: Authorization | None = None

    @cached_property
    def caller(self) -> Caller:
        """The partner as a caller, with the Sellers that it may book for now and their terms.

        The grant of a Seller, with its terms, replaces the grant of EVERY_SELLER completely.
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
        """Whether the authorization is in force: it has not ended, and the Seller has not revoked its grant."""
        authorization = self.authorization
        if authorization is None or authorization.ended:
            return False
        if authorization.seller is None:
            return True
        return any(grant.seller == authorization.seller and is_valid(grant, authorization) for grant in self.grants)


class IdentityStore(Protocol):
    """The store of identity records.

    After `save` returns, the records are on disk and every process can read them. Every method raises
    StoreUnavailableError if the database does not answer.
    """

    async def find(self, kind: type[R], **lookups: str | bool) -> Sequence[R]:
        """Return the records of a kind whose fields have these values, ordered by key.

        Fields to look up: `Partner` key, api_key_digest; `Grant` partner, seller, settled; `Authorization` id;
        `User` name, seller, link_digest; `Session` digest, username; `PendingSignIn` digest, username;
        `Device` digest, username; `RegistrationToken` digest; `SigningKey` kid; `Attempts` subject;
        `FeedPosition` partner, feed; `ProposalMail` seller, username; `FollowedFeed` source;
        `WaitingItems` feed, batch; `AccessRequest` id.
        """
        ...

    async def save(
        self, *records: IdentityRecord, removed: Sequence[IdentityRecord] = (), log: Sequence[Activity] = ()
    ) -> bool:
        """Save some records and remove others, in one transaction, and return True.

        Change nothing and return False if the revision of a record has changed, or a record to remove does not exist.

        Args:
            records: The records to save.
            removed: The records to remove.
            log: The entries that the transaction adds to the activity log, which the views of the Store show.
        """
        ...

    async def remove(self, kind: type[R], **lookups: str | bool) -> None:
        """Remove the records of a kind whose fields have these values."""
        ...

    async def remove_expired(self, now: datetime) -> None:
        """Remove every Authorization, Session, PendingSignIn, Device, Attempts and AccessRequest that has expired."""
        ...

    async def access_rights(self, partner: str, authorization: str, seller: str) -> AccessRights | None:
        """Return the partner with this key, the authorization, and the grants of the Seller and of EVERY_SELLER."""
        ...

    async def access_rights_by_api_key(self, digest: str) -> AccessRights | None:
        """Return the partner with this digest of its current or former API key, and all its grants."""
        ...

    async def close(self) -> None:
        """Close the connections to the database."""
        ...
