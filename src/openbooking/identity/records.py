"""The records of identity: partners, grants, authorizations, users, sessions and keys.

Each record has the revision at which it was read. The store saves a record only if the stored revision is the same. If
two processes change a record at once, the second process must read the record again. Secrets are stored as digests
(`digests.py`), passwords as hashes.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.identity.scopes import Scope

EVERY_SELLER = "*"
# The beginning of `registered_by` of partners that have registered themselves.
BY_REGISTRATION_TOKEN = "registration token"  # noqa: S105 - the words, not a token


class IdentityRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all records; `revision` is 0 until the record has been saved."""

    revision: int = 0


class FormerCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A replaced API key or client secret, which stays valid beside its successor until the time `ends`."""

    digest: str
    ends: datetime
    last_used: datetime | None = None


class Partner(IdentityRecord, frozen=True, kw_only=True):
    """A Booking Partner.

    A partner sends its API key with each request, and its client secret only to the token endpoint. A former key or
    secret may still be valid. Times of use are accurate to 15 minutes.

    Attributes:
        key: Identifies the partner in Orders, and is its `client_id`. The key stays when credentials are replaced.
        registered_by: The person or registration token that added the partner, for audit (OB-AUTH-20).
        suspended: Whether the partner may only read its feeds.
    """

    key: str
    name: str
    registered: datetime
    registered_by: str
    site: str = ""
    logo: str = ""
    contacts: tuple[str, ...] = ()
    api_key_digest: str | None = None
    secret_digest: str | None = None
    redirect_uris: tuple[str, ...] = ()
    suspended: bool = False
    last_used: datetime | None = None
    api_key_last_used: datetime | None = None
    secret_last_used: datetime | None = None
    former_api_key: FormerCredential | None = None
    former_secret: FormerCredential | None = None

    @property
    def former_api_key_digest(self) -> str | None:
        """The digest of the former API key, by which the store finds the partner."""
        return self.former_api_key.digest if self.former_api_key else None

    @property
    def describes_itself(self) -> bool:
        """Whether the partner wrote its name, site, logo and contacts itself. Nobody has checked these values."""
        return self.registered_by.startswith(BY_REGISTRATION_TOKEN)


class GrantState(StrEnum):
    """The state of a Seller's authorisation of a Booking Partner."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Grant(IdentityRecord, frozen=True, kw_only=True):
    """The permission that a Seller has given a Booking Partner (OB-AUTH-05).

    A Seller without a grant of its own has the grant of EVERY_SELLER, with the terms of that grant.

    Attributes:
        changed: When the grant was last changed.
        changed_by: The user or role that changed it.
        agreed_by: The accounts of the users who have accepted the scopes in the name of the Seller.
        period: The number of revocations so far. Tokens that were issued in an earlier period stay invalid.
        settled: Whether the Orders feed shows the last change.
        terms: The agreed terms of booking.
    """

    partner: str
    seller: str
    scopes: frozenset[Scope]
    changed: datetime
    changed_by: str
    state: GrantState = GrantState.ACTIVE
    agreed_by: frozenset[str] = frozenset()
    period: int = 0
    settled: bool = True
    terms: GrantTerms = NO_TERMS

    @property
    def allows_booking(self) -> bool:
        """Whether the partner may book and change Orders for the Seller now."""
        return self.state is GrantState.ACTIVE and Scope.OPENBOOKING in self.scopes


class Authorization(IdentityRecord, frozen=True, kw_only=True):
    """The result of one authorization request: a code, access tokens and refresh tokens.

    The code and each refresh token work once.

    Attributes:
        seller: The Seller that the client acts for; None if the client acts for itself.
        period: `Grant.period` at the time of the authorization.
        authenticated: When the user signed in.
        redeemed: Whether the code has been used.
        refresh_digests: The digests of valid refresh tokens. With a `refresh_leeway`, concurrent refreshes make
            several tokens valid.
        spent_digest: The digest of the last used refresh token, which was used at the time `spent`.
        ended: Whether the code and all tokens have become invalid.
    """

    id: str
    partner: str
    seller: str | None
    user: str | None
    scopes: frozenset[Scope]
    issued: datetime
    expires: datetime
    period: int = 0
    authenticated: datetime | None = None
    redirect_uri: str = ""
    code_challenge: str = ""
    nonce: str | None = None
    code_digest: str | None = None
    redeemed: bool = False
    refresh_digests: tuple[str, ...] = ()
    spent_digest: str | None = None
    spent: datetime | None = None
    ended: bool = False


def is_valid(grant: Grant, authorization: Authorization) -> bool:
    """Return whether the tokens are still valid: the Seller has not revoked the grant since the authorization.

    A suspension does not end tokens.
    """
    return grant.state is not GrantState.REVOKED and grant.period == authorization.period


class Role(StrEnum):
    """The role of a user who works for a Seller.

    Staff see today, bookings, proposals, the front desk and attendance. Managers see everything.
    """

    MANAGER = "manager"
    STAFF = "staff"

    @property
    def may_authorise(self) -> bool:
        """Whether the user may decide which Booking Partners book for the Seller."""
        return self is Role.MANAGER

    @property
    def may_see_money(self) -> bool:
        """Whether the user sees prices, payments and sales."""
        return self is Role.MANAGER

    @property
    def may_manage(self) -> bool:
        """Whether the user sees the pages for managers: partners, money, publication, staff, privacy and details."""
        return self is Role.MANAGER


class SecondFactor(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticator app that shows one-time codes, and the recovery codes that are left.

    Attributes:
        secret: The secret of the app, in plain text, because codes are computed from the secret.
        since: When the app was set up.
        last_step: The time step of the last used code, in half minutes since 1970. Codes of this step and of earlier
            steps are refused.
        recovery_digests: The digests of the recovery codes that are left.
    """

    secret: str
    since: datetime
    last_step: int = 0
    recovery_digests: tuple[str, ...] = ()


class User(IdentityRecord, frozen=True, kw_only=True):
    """A person who works for one Seller or for several Sellers.

    A session acts for one Seller at a time. In a signed-in user `seller` and `role` are those of that Seller
    (`acting_for`). Grants belong to the Seller, so they stay when the user who gave them is removed (OB-AUTH-29).

    Attributes:
        seller: The key of the Seller that the user acts for.
        role: The role of the user there.
        others: The roles of the user at other Sellers, by their keys.
        id: Identifies the account, and is never used again. Accounts of early versions have no id.
        link_digest: The digest of the link with which the user sets a password, once and until `link_expires`.
        is_administrator: Whether the user also decides about what concerns no Seller alone: requests for access.
    """

    name: str
    seller: str
    role: Role
    others: Mapping[str, Role] = {}
    id: str = ""
    password_hash: str | None = None
    link_digest: str | None = None
    link_expires: datetime | None = None
    second_factor: SecondFactor | None = None
    is_administrator: bool = False

    @property
    def account(self) -> str:
        """The identifier of the account in sessions and consents. A later account of the same name does not match."""
        return self.id or self.name

    @property
    def roles(self) -> Mapping[str, Role]:
        """The roles of the user at all Sellers, by their keys, in alphabetical order."""
        return dict(sorted({**self.others, self.seller: self.role}.items()))

    def acting_for(self, seller: str) -> "User":
        """Return the user as somebody who acts for this Seller; unchanged if the user has no role there."""
        return with_roles(self, self.roles, seller) if seller in self.others else self


def with_roles(user: User, roles: Mapping[str, Role], seller: str) -> User:
    """Return the user with these roles at Sellers, acting for one of these Sellers."""
    others = {key: role for key, role in roles.items() if key != seller}
    return replace(user, seller=seller, role=roles[seller], others=others)


class Session(IdentityRecord, frozen=True, kw_only=True):
    """A browser in which a user has signed in. `web/pages.py` makes the session cookie.

    Attributes:
        digest: The digest of the secret in the session cookie.
        account: `User.account` of the user.
        seller: The key of the Seller that the user has chosen to act for; empty if the user has chosen none.
        offered: The secret of the second factor that the user may set up in this session; empty if none was offered.
    """

    digest: str
    username: str
    account: str = ""
    seller: str = ""
    started: datetime
    expires: datetime
    offered: str = ""


class PendingSignIn(IdentityRecord, frozen=True, kw_only=True):
    """A browser in which a user has entered the password, but not yet the code of the second factor.

    Attributes:
        digest: The digest of the secret in the session cookie.
        account: `User.account` of the user.
        offered: The secret of the second factor that the user must set up; empty if the user has one.
    """

    digest: str
    username: str
    account: str
    expires: datetime
    offered: str = ""


class Device(IdentityRecord, frozen=True, kw_only=True):
    """A browser in which a user has signed in before. One browser has a record for each account.

    Attributes:
        digest: The digest of the device cookie.
        account: `User.account` of the user.
        given: When the cookie was last given to the browser.
    """

    digest: str
    username: str
    account: str
    given: datetime
    expires: datetime


class FeedPosition(IdentityRecord, frozen=True, kw_only=True):
    """How far a Booking Partner has read its Orders feed or OrderProposals feed.

    Attributes:
        partner: The key of the partner.
        feed: The name of the feed.
        position: The highest change number after which the partner has asked for items: it has read all items up to it.
        read: When the partner asked.
    """

    partner: str
    feed: str
    position: int
    read: datetime


class ProposalMail(IdentityRecord, frozen=True, kw_only=True):
    """The wish of a user to be told by e-mail of OrderProposals that wait at a Seller, and what the user was told.

    Attributes:
        seller: The key of the Seller.
        username: The name of the user.
        account: `User.account` of the user.
        address: The address of the user.
        told: The keys of the proposals that the user was told of, each as `partner/UUID`.
        next_attempt: The earliest time of the next e-mail; None if none was sent yet.
    """

    seller: str
    username: str
    account: str
    address: str
    told: tuple[str, ...] = ()
    next_attempt: datetime | None = None


class RegistrationToken(IdentityRecord, frozen=True, kw_only=True):
    """A token with which Booking Partners register: an initial access token (RFC 7591), or the secret of a link.

    Attributes:
        expires: When the token ends; None for never.
        uses_left: How many more partners the token can register; None for any number.
        uses: How many partners the token has registered.
    """

    digest: str
    name: str
    created: datetime
    expires: datetime | None = None
    uses_left: int | None = None
    uses: int = 0


class SigningKey(IdentityRecord, frozen=True, kw_only=True):
    """A key that signs tokens, as a private JWK."""

    kid: str
    created: datetime
    jwk: Mapping[str, Any]


class Attempts(IdentityRecord, frozen=True, kw_only=True):
    """A counter of failed attempts to sign in: to an account, from an address or in a known browser.

    `sign_in/attempt_limits.py` sets the limits.

    Attributes:
        subject: Names the account, address or browser (`attempt_limits.account_subject` and others).
        failures: The number of failures.
        blocked_until: The earliest time of the next attempt.
        expires: When the failures are forgotten.
    """

    subject: str
    failures: int
    blocked_until: datetime
    expires: datetime
