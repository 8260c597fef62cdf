"""From the headers of a request to the Booking Partner that sent it (OB 11.7)."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping

from openbooking.booking.order import Caller
from openbooking.booking.store import Partner
from openbooking.spec.errors import (
    InvalidAPITokenError,
    InvalidAuthorizationDetailsError,
    NoAPITokenError,
    UnauthenticatedError,
)
from openbooking.spec.ids import Identifiers

Authenticate = Callable[[Mapping[str, str]], Awaitable[Caller]]

_KEY_PREFIX = "obk_"
_KEY_BYTES = 32


def new_api_key() -> str:
    """A fresh API key, to be told once and kept only as its digest."""
    return _KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def key_digest(api_key: str) -> str:
    """What is kept of an API key. It is a long random number, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(api_key.encode()).hexdigest()


def by_api_key(find_partner: Callable[[str], Awaitable[Partner | None]]) -> Authenticate:
    """Callers show their API key as `Authorization: Bearer …`; each partner has its own (OB-AUTH-04)."""

    async def authenticate(headers: Mapping[str, str]) -> Caller:
        authorization = headers.get("authorization")
        if authorization is None:
            raise NoAPITokenError
        scheme, _, api_key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not api_key.strip().startswith(_KEY_PREFIX):
            raise InvalidAPITokenError
        partner = await find_partner(key_digest(api_key.strip()))
        if partner is None:
            raise InvalidAPITokenError
        return Caller(partner.key, partner.sellers)

    return authenticate


def by_trusted_headers(partner_header: str, seller_header: str, ids: Identifiers) -> Authenticate:
    """Callers are whoever the headers say: for use behind a gateway that authenticates and sets them.

    Where the Seller's header is absent, the caller may act for every Seller.
    """

    async def authenticate(headers: Mapping[str, str]) -> Caller:
        partner, seller_id = headers.get(partner_header), headers.get(seller_header)
        if not partner:
            raise UnauthenticatedError
        if seller_id is None:
            return Caller(partner)
        seller = ids.parse_seller(seller_id)
        if seller is None:
            raise InvalidAuthorizationDetailsError
        return Caller(partner, frozenset({seller}))

    return authenticate
