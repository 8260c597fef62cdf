"""The claims of tokens (OB 11.7.4.2): ID tokens describe a Seller to clients, access tokens authorise API requests.

`IdentityPolicy.access_token_lifetime` sets the lifetime of both.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from openbooking.booking.model.opportunity import Seller
from openbooking.identity.digests import new_id
from openbooking.identity.policy import IdentityPolicy
from openbooking.identity.records import Authorization
from openbooking.identity.scopes import EVERY_SCOPE, Scope, read_scopes, write_scopes
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import OPENACTIVE

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type that RFC 9068 gives to access tokens
ID_TOKEN_TYPE = "JWT"  # noqa: S105 - the media type of JWTs in general
_CLIENT_ID, _SELLER_ID = f"{OPENACTIVE}clientId", f"{OPENACTIVE}sellerId"
_AUTHORIZATION = "authorization"
# The scopes that include the details of the Seller (OB-AUTH-30, OB-AUTH-32).
_SELLER_DETAIL_SCOPES = frozenset({Scope.OPENBOOKING, Scope.IDENTITY})


class InvalidAccessTokenError(Exception):
    """The access token has another issuer or audience, is malformed, or has expired."""


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of an access token.

    Attributes:
        authorization: The id of the Authorization.
        partner: The key of the Booking Partner.
        seller: The key of the Seller; None for a token of the client itself.
        scopes: The permissions of the token.
        issued: When the token was issued.
        expires: When the token expires.
    """

    authorization: str
    partner: str
    seller: str | None
    scopes: frozenset[Scope]
    issued: datetime
    expires: datetime


class ClaimWriter:
    """Writes the claims of ID tokens and access tokens, and reads those of access tokens."""

    def __init__(self, policy: IdentityPolicy, ids: Identifiers, booking_service: Mapping[str, Any] | None) -> None:
        self._policy = policy
        self._ids = ids
        self._booking_service = booking_service

    def access_token(self, authorization: Authorization, scopes: frozenset[Scope], now: datetime) -> dict[str, Any]:
        """Return the claims of an access token (RFC 9068, OB-AUTH-31)."""
        seller = None if authorization.seller is None else self._ids.seller(authorization.seller)
        return {
            "iss": self._policy.issuer,
            "aud": self._policy.audience,
            "sub": seller or authorization.partner,
            "iat": _seconds(now),
            "exp": _seconds(now + self._policy.access_token_lifetime),
            "jti": new_id(),
            "client_id": authorization.partner,
            "scope": write_scopes(scopes),
            _AUTHORIZATION: authorization.id,
            _CLIENT_ID: authorization.partner,
            **({_SELLER_ID: seller} if seller else {}),
        }

    def read_access_token(self, claims: Mapping[str, Any]) -> AccessClaims:
        """Return the content of verified claims, or raise InvalidAccessTokenError. The token may have expired."""
        expires, issued = claims.get("exp"), claims.get("iat")
        if not (isinstance(expires, int) and isinstance(issued, int)):
            raise InvalidAccessTokenError
        if claims.get("iss") != self._policy.issuer or claims.get("aud") != self._policy.audience:
            raise InvalidAccessTokenError
        return AccessClaims(
            authorization=str(claims.get(_AUTHORIZATION)),
            partner=str(claims.get("client_id")),
            seller=self._seller(claims),
            scopes=read_scopes(str(claims.get("scope")), EVERY_SCOPE),
            issued=datetime.fromtimestamp(issued, UTC),
            expires=datetime.fromtimestamp(expires, UTC),
        )

    def id_token(
        self, authorization: Authorization, seller: Seller, access_token: str, now: datetime
    ) -> dict[str, Any]:
        """Return the claims of an ID token, whose subject is the Seller (OB-AUTH-29)."""
        authenticated = authorization.authenticated or authorization.issued
        claims: dict[str, Any] = {
            "iss": self._policy.issuer,
            "aud": authorization.partner,
            "sub": self._ids.seller(seller.key),
            "iat": _seconds(now),
            "exp": _seconds(now + self._policy.access_token_lifetime),
            "auth_time": _seconds(authenticated),
            "at_hash": _half_hash(access_token),
            "nonce": authorization.nonce,
        }
        if authorization.scopes & _SELLER_DETAIL_SCOPES:
            claims |= self._seller_claims(seller)
        if Scope.PROFILE in authorization.scopes:
            claims |= {"name": seller.name, "website": seller.properties.get("url"), "picture": _logo(seller)}
        return {name: value for name, value in claims.items() if value is not None}

    def _seller(self, claims: Mapping[str, Any]) -> str | None:
        """Return the Seller of a token; None for a token of the client itself. Raise InvalidAccessTokenError."""
        if _SELLER_ID not in claims:
            return None
        seller = self._ids.parse_seller(str(claims[_SELLER_ID]))
        if seller is None:
            raise InvalidAccessTokenError
        return seller

    def _seller_claims(self, seller: Seller) -> dict[str, Any]:
        """Return the claims of OpenActive, with the same values as in replies of the API (OB-AUTH-30)."""
        service = self._booking_service or {}
        return {
            _SELLER_ID: self._ids.seller(seller.key),
            f"{OPENACTIVE}sellerName": seller.name,
            f"{OPENACTIVE}sellerUrl": seller.properties.get("url"),
            f"{OPENACTIVE}sellerLogo": _logo(seller),
            f"{OPENACTIVE}bookingServiceName": service.get("name"),
            f"{OPENACTIVE}bookingServiceUrl": service.get("url"),
        }


def _logo(seller: Seller) -> str | None:
    logo = seller.properties.get("logo")
    url = logo.get("url") if isinstance(logo, Mapping) else logo
    return url if isinstance(url, str) else None


def _half_hash(token: str) -> str:
    """Return the left half of the digest of an access token, for `at_hash` (OpenID Connect Core 3.1.3.6)."""
    digest = hashlib.sha256(token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
