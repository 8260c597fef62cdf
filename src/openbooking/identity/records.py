"""The records of identity: partners, grants, authorizations, users, sessions and keys.

Each record has the revision at which it was read, and is saved only if the store still has that revision. When two
processes change a record at once, the second one must read it again. Secrets are kept as digests (`digests.py`),
passwords as hashes.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.identity.scopes import Scope

EVERY_SELLER = "*"
# The beginning of `registered_by` for partners that have registered themselves.
BY_REGISTRATION_TOKEN = "registration token"  # noqa: S105 - the words, not a token


class IdentityRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all records; `revision` is 0 until the record has been saved."""

    revision: int = 0


class FormerCredential(msgspec.Struct, frozen=True, kw_only=True):
    """An API key or client secret that has been replaced, and stays valid beside its successor until it `ends`."""

    digest: str
    ends: datetime
    last_used: datetime | None = None


class Partner(IdentityRecord, frozen=True, kw_only=True):
    """A Booking Partner. Orders refer to its `key`, which is its `client_id` too, so its credentials can be replaced.

    The API key is sent with each request, the client secret only to the token endpoint. Each may have a former one that
    is still valid. `registered_by` is the person or token that added the partner, for audit (OB-AUTH-20). A suspended
    partner may only read its feeds. Times of use are accurate to a quarter of an hour.
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
        """Whether the partner has written its name, site, logo and contacts itself, so that nobody has checked them."""
        return self.registered_by.startswith(BY_REGISTRATION_TOKEN)


class GrantState(StrEnum):
    """The state of a Seller's authorisation of a Booking Partner."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Grant(IdentityRecord, frozen=True, kw_only=True):
    """The permission that a Seller has given a Booking Partner (OB-AUTH-05).

    The grant of EVERY_SELLER, with its terms, is valid for each Seller that has no grant of its own.

    Attributes:
        changed: When the grant was last changed.
        changed_by: The user or role that changed it.
        agreed_by: The accounts of the users who have accepted the scopes in the name of the Seller.
        period: The number of revocations. Tokens that were issued in an earlier period stay void.
        settled: Whether the Orders feed shows the last change.
        terms: The terms beyond plain booking.
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
    """The result of one authorization request: a code, then refresh tokens for one use each, and access tokens.

    Attributes:
        seller: The Seller that the client acts for; None if the client acts for itself.
        period: The period of the grant in which it was issued.
        authenticated: When the user signed in.
        redeemed: Whether the code has been used.
        refresh_digests: The digests of valid refresh tokens. Several exist if a client has refreshed several times at
            once, which the setting of a leeway allows.
        spent_digest: The digest of the refresh token that was used last, at the time `spent`.
        ended: Whether the code and all tokens are void.
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
    """Return whether the Seller has not revoked the grant since the authorization; a suspension does not end tokens."""
    return grant.state is not GrantState.REVOKED and grant.period == authorization.period


class Role(StrEnum):
    """The role of a user who works for a Seller."""

    MANAGER = "manager"
    STAFF = "staff"

    @property
    def may_authorise(self) -> bool:
        """Whether the user decides which Booking Partners may book."""
        return self is Role.MANAGER

    @property
    def may_see_money(self) -> bool:
        """Whether the user sees prices, payments and sales."""
        return self is Role.MANAGER


class SecondFactor(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticator app that shows one-time codes, and the recovery codes that are left.

    Attributes:
        secret: The secret of the app. It is kept in clear, because codes are computed from it.
        since: When the app was set up.
        last_step: The time step of the last code that was used, in half minutes since 1970. Codes of this step or an
            earlier one are refused.
        recovery_digests: The digests of the recovery codes that are left.
    """

    secret: str
    since: datetime
    last_step: int = 0
    recovery_digests: tuple[str, ...] = ()


class User(IdentityRecord, frozen=True, kw_only=True):
    """A person who works for a Seller. Grants that the user has given belong to the Seller, and stay (OB-AUTH-29).

    Attributes:
        id: Identifies the account. It is never used again, while a name may be. Accounts of early versions have none.
        link_digest: The digest of the link with which the user sets a password, once and until `link_expires`.
    """

    name: str
    seller: str
    role: Role
    id: str = ""
    password_hash: str | None = None
    link_digest: str | None = None
    link_expires: datetime | None = None
    second_factor: SecondFactor | None = None

    @property
    def account(self) -> str:
        """The account in sessions and agreements, so that a later account of the same name does not match."""
        return self.id or self.name


class Session(IdentityRecord, frozen=True, kw_only=True):
    """A browser in which a user has signed in.

    Attributes:
        digest: The digest of the session cookie.
        account: `User.account` of the user.
        offered: The secret of the second factor that the user may set up in this session; empty if none was offered.
    """

    digest: str
    username: str
    account: str = ""
    started: datetime
    expires: datetime
    offered: str = ""


class PendingSignIn(IdentityRecord, frozen=True, kw_only=True):
    """A browser in which a user has entered the password, and not yet the code of the second factor.

    Attributes:
        digest: The digest of the session cookie.
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


class RegistrationToken(IdentityRecord, frozen=True, kw_only=True):
    """A token with which Booking Partners register: an initial access token (RFC 7591), or the secret of a link.

    The token is valid until it expires, is revoked or has no `uses_left`; None stands for any number.
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
    """The recent failures to sign in to an account, from an address or in a known browser (`attempt_limits`)."""

    subject: str
    failures: int
    blocked_until: datetime
    expires: datetime
