"""Registration of Booking Partners, by a program or by a link, with a token that an administrator gave (RFC 7591)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

from openbooking.identity.clients import METHODS
from openbooking.identity.digests import Kind, digest, new_id, new_secret
from openbooking.identity.errors import (
    InvalidClientMetadataError,
    InvalidRedirectUriError,
    InvalidTokenError,
    OAuthError,
)
from openbooking.identity.policy import Clock
from openbooking.identity.records import Partner, RegistrationToken
from openbooking.identity.scopes import Scope, write_scopes
from openbooking.identity.store import IdentityStore

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST = 10
_LONGEST = 500


class Registered(NamedTuple):
    """A new Booking Partner, and its secret, which cannot be told again."""

    partner: Partner
    secret: str


class Registration:
    """The registration of one provider."""

    def __init__(self, store: IdentityStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def new_token(self, name: str, lifetime: timedelta | None, uses: int | None) -> str:
        """A token that registers Booking Partners, as often as it may; `name` tells who has it, for audit."""
        token, now = new_secret(Kind.REGISTRATION_TOKEN), self._clock()
        expires = None if lifetime is None else now + lifetime
        await self._store.save(
            RegistrationToken(digest=digest(token), name=name, created=now, expires=expires, uses_left=uses)
        )
        return token

    async def check_token(self, token: str) -> RegistrationToken:
        """The token's record, or raise InvalidTokenError."""
        found = await self._store.find(RegistrationToken, digest=digest(token))
        if not found or found[0].uses_left == 0:
            raise InvalidTokenError("This registration token is unknown or used up.")
        if found[0].expires is not None and found[0].expires <= self._clock():
            raise InvalidTokenError("This registration token has expired.")
        return found[0]

    async def register(self, token: str, metadata: Mapping[str, Any]) -> Registered:
        """Register a Booking Partner that says this of itself; raise an OAuthError."""
        described = read_metadata(metadata)
        while True:
            known = await self.check_token(token)
            left = None if known.uses_left is None else known.uses_left - 1
            secret = new_secret(Kind.CLIENT_SECRET)
            partner = Partner(
                key=new_id(),
                registered=self._clock(),
                registered_by=f"registration token {known.name}",
                secret_digest=digest(secret),
                **described,
            )
            if await self._store.save(replace(known, uses=known.uses + 1, uses_left=left), partner):
                return Registered(partner, secret)


def read_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Partner that registers itself, or raise an OAuthError."""
    if not isinstance(metadata, Mapping):
        raise InvalidClientMetadataError("Send a JSON object.")
    if metadata.get("token_endpoint_auth_method", METHODS[0]) not in METHODS:
        raise InvalidClientMetadataError(f"Clients authenticate by {' or '.join(METHODS)}.")
    if "code" not in _strings(metadata, "response_types", ("code",)):
        raise InvalidClientMetadataError("The response type is code.")
    wanted = _strings(metadata, "grant_types", ("authorization_code",))
    if not set(wanted) & set(GRANT_TYPES):
        raise InvalidClientMetadataError(f"The grant types are {', '.join(GRANT_TYPES)}.")
    redirect_uris = _strings(metadata, "redirect_uris", ())
    if "authorization_code" in wanted and not redirect_uris:
        raise InvalidRedirectUriError("Name at least one redirect URI.")
    for uri in redirect_uris:
        check_redirect_uri(uri)
    return {
        "name": _string(metadata, "client_name") or "A Booking Partner without a name",
        "site": _web_address(metadata, "client_uri"),
        "logo": _web_address(metadata, "logo_uri"),
        "contacts": _strings(metadata, "contacts", ()),
        "redirect_uris": redirect_uris,
    }


def write_registration(registered: Registered) -> dict[str, Any]:
    """What the client is told of its registration (RFC 7591 3.2.1)."""
    partner = registered.partner
    told = {
        "client_id": partner.key,
        "client_secret": registered.secret,
        "client_id_issued_at": int(partner.registered.timestamp()),
        "client_secret_expires_at": 0,
        "client_name": partner.name,
        "client_uri": partner.site or None,
        "logo_uri": partner.logo or None,
        "contacts": list(partner.contacts) or None,
        "redirect_uris": list(partner.redirect_uris),
        "grant_types": list(GRANT_TYPES),
        "response_types": ["code"],
        "token_endpoint_auth_method": METHODS[0],
        "id_token_signed_response_alg": "RS256",
        "scope": write_scopes(Scope),
    }
    return {name: value for name, value in told.items() if value is not None}


def check_redirect_uri(uri: str) -> None:
    """Raise InvalidRedirectUriError unless it is an https URL, or one on the client's own machine, for development."""
    try:
        parts = urlsplit(uri)
    except ValueError as fault:
        raise InvalidRedirectUriError(f"{uri} is no URL.") from fault
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.scheme == "https" or local) or not parts.hostname:
        raise InvalidRedirectUriError(f"{uri} must begin with https:// (or with http://localhost while you try).")
    if parts.fragment or "#" in uri or parts.username or not uri.isascii() or any(c in uri for c in " \\;,'\"<>*"):
        raise InvalidRedirectUriError(f"{uri} has parts that a redirect URI must not have.")


def _string(metadata: Mapping[str, Any], name: str) -> str:
    value = metadata.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise InvalidClientMetadataError(f"{name} must be a short text.")
    return value.strip()


def _strings(metadata: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    values = metadata.get(name, default)
    sound = isinstance(values, list | tuple) and len(values) <= _MOST
    if not sound or not all(isinstance(value, str) and len(value) <= _LONGEST for value in values):
        error: type[OAuthError] = InvalidRedirectUriError if name == "redirect_uris" else InvalidClientMetadataError
        raise error(f"{name} must be a list of at most {_MOST} short texts.")
    return tuple(values)


def _web_address(metadata: Mapping[str, Any], name: str) -> str:
    address = _string(metadata, name)
    if address and urlsplit(address).scheme not in ("https", "http"):
        raise InvalidClientMetadataError(f"{name} must be a web address.")
    return address
