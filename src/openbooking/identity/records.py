"""What is kept about who may do what.

Each record carries the revision it was read at, and is saved only in place of that revision, so that of two who change
it at once one is told to look again. Of secrets only digests are kept (`digests.py`), of passwords only hashes.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.identity.scopes import Scope

EVERY_SELLER = "*"
# How `registered_by` begins for partners that have described themselves.
BY_REGISTRATION_TOKEN = "registration token"  # noqa: S105 - the words, not a token


class IdentityRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Anything kept; `revision` is 0 until it has been saved."""

    revision: int = 0


class FormerCredential(msgspec.Struct, frozen=True, kw_only=True):
    """An API key or client secret that has been replaced, and is good beside its successor until it `ends`."""

    digest: str
    ends: datetime
    last_used: datetime | None = None


class Partner(IdentityRecord, frozen=True, kw_only=True):
    """A Booking Partner. Orders hang on its `key`, which is its `client_id` too, so credentials can be given anew.

    Its API key is shown with each request; its client secret only to the token endpoint. Of each there may be a former
    one, for an overlap. `registered_by` tells who let it in, for audit (OB-AUTH-20). One that is suspended may read its
    feeds, and nothing else. LastUseRecorder are noted to the quarter of an hour.
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
        """What the partner is looked up by when it shows its former API key."""
        return self.former_api_key.digest if self.former_api_key else None

    @property
    def describes_itself(self) -> bool:
        """Whether its name, site, logo and contacts are its own words, which nobody has checked."""
        return self.registered_by.startswith(BY_REGISTRATION_TOKEN)


class GrantState(StrEnum):
    """How a Seller's authorisation of a Booking Partner stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Grant(IdentityRecord, frozen=True, kw_only=True):
    """What a Seller has allowed a Booking Partner (OB-AUTH-05); with EVERY_SELLER, what holds where no other one is.

    `agreed_by` are the accounts of users who have seen and accepted what is asked for, in the name of the Seller.
    `period` counts revocations: what was issued in an earlier period is void for ever. `settled` tells whether the
    Orders feed has followed the last change. `terms` are what they have agreed on beyond plain booking; those of
    EVERY_SELLER hold with each Seller that has no grant of its own.
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
    """What came of one authorization request: a code, then refresh tokens, each good for one use; and access tokens.

    `seller` is None where a client acts for itself. All that came of it ends together, when it is `ended`. With
    `refresh_digests` more than one, a client has refreshed several times at once, which a setting may allow.
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
    """Whether the Seller has not revoked the grant since; while it is suspended, tokens are good for later."""
    return grant.state is not GrantState.REVOKED and grant.period == authorization.period


class Role(StrEnum):
    """What somebody may do in the name of a Seller."""

    MANAGER = "manager"
    STAFF = "staff"

    @property
    def may_authorise(self) -> bool:
        """Whether they decide which Booking Partners may book."""
        return self is Role.MANAGER


class SecondFactor(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticator app that shows one-time codes, with what is left of the recovery codes.

    `secret` is kept as it is, because codes are computed from it. `last_step` is the half minute since 1970 of the last
    code that was used; no code of then or earlier is good.
    """

    secret: str
    since: datetime
    last_step: int = 0
    recovery_digests: tuple[str, ...] = ()


class User(IdentityRecord, frozen=True, kw_only=True):
    """Somebody who works for a Seller. Grants they have given are the Seller's, and stay when they go (OB-AUTH-29).

    A name may be given to somebody else later, an `id` is not; accounts older than ids have none.
    `link_digest` is that of a link, good once and until `link_expires`, with which they set a password.
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
        """Who signs in and agrees to something: this account, and no later one of the same name."""
        return self.id or self.name


class Session(IdentityRecord, frozen=True, kw_only=True):
    """A browser in which a user has signed in; `digest` is that of its cookie.

    It is that of one `account`, and of no later one that is given the name. `offered` is the secret of a second factor
    that may be set up in it.
    """

    digest: str
    username: str
    account: str = ""
    started: datetime
    expires: datetime
    offered: str = ""


class PendingSignIn(IdentityRecord, frozen=True, kw_only=True):
    """A browser in which the password was right, and the second step is still to be taken.

    `digest` is that of its cookie. `offered` is the secret of the second factor that has to be set up, empty where
    there is one already.
    """

    digest: str
    username: str
    account: str
    expires: datetime
    offered: str = ""


class Device(IdentityRecord, frozen=True, kw_only=True):
    """A browser in which a user has signed in before; `digest` is that of its device cookie.

    Several accounts may have signed in with one browser. It is known to that `account`, and to no later one that is
    given the name.
    """

    digest: str
    username: str
    account: str
    given: datetime
    expires: datetime


class RegistrationToken(IdentityRecord, frozen=True, kw_only=True):
    """Lets whoever shows it register Booking Partners: an initial access token (RFC 7591), or the secret of a link.

    It can be used again and again until it expires, is revoked, or has no `uses_left`.
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
    """How often signing in to an account, from an address, or with a known browser has failed of late."""

    subject: str
    failures: int
    blocked_until: datetime
    expires: datetime
