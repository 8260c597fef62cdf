"""Registration of Booking Partners with a registration token of an administrator, by a program or a page (RFC 7591)."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, NotRequired, TypedDict
from urllib.parse import urlsplit

from msgspec.structs import replace

from openbooking.clock import Clock
from openbooking.identity.digests import SecretKind, digest, new_id, new_secret
from openbooking.identity.oauth.client_authentication import METHODS
from openbooking.identity.oauth.errors import (
    InvalidClientMetadataError,
    InvalidRedirectUriError,
    InvalidTokenError,
)
from openbooking.identity.records import BY_REGISTRATION_TOKEN, Partner, RegistrationToken
from openbooking.identity.scopes import Scope, write_scopes
from openbooking.identity.store import IdentityStore
from openbooking.site_address import is_https_or_local
from openbooking.user_error import UserError

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
# No fragment, no user name, and no character that could end an origin in a Content-Security-Policy.
_REDIRECT_URI = re.compile(
    r"[a-z]+://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?(?:[/?][a-z0-9._~:/?@!$&()+=%\[\]-]*)?", re.IGNORECASE
)
_MAX_ITEMS = 10
MAX_LENGTH = 500


class Registered(NamedTuple):
    """A new Booking Partner, and its client secret, which cannot be read again later."""

    partner: Partner
    secret: str


class ClientMetadata(TypedDict):
    """What a Booking Partner says about itself when it registers (RFC 7591 2)."""

    client_name: NotRequired[str]
    client_uri: NotRequired[str]
    logo_uri: NotRequired[str]
    contacts: NotRequired[list[str]]
    redirect_uris: NotRequired[list[str]]
    grant_types: NotRequired[list[str]]
    response_types: NotRequired[list[str]]
    token_endpoint_auth_method: NotRequired[str]


class RegisteredClient(TypedDict):
    """The reply to a registration (RFC 7591 3.2.1). The secret cannot be read again."""

    client_id: str
    client_secret: str
    client_id_issued_at: int
    client_secret_expires_at: int
    client_name: str
    client_uri: NotRequired[str]
    logo_uri: NotRequired[str]
    contacts: NotRequired[list[str]]
    redirect_uris: list[str]
    grant_types: list[str]
    response_types: list[str]
    token_endpoint_auth_method: str
    id_token_signed_response_alg: str
    scope: str


class RegistrationTokenExistsError(UserError):
    """Another registration token has this name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a token for {name} already; revoke it first.")


class UnknownRegistrationTokenError(UserError):
    """No registration token has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no token for {name}.")


class Registration:
    """Registers Booking Partners as clients, and manages registration tokens."""

    def __init__(self, store: IdentityStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def new_token(self, name: str, lifetime: timedelta | None, uses: int | None) -> str:
        """Issue a registration token. The token cannot be read again later.

        Args:
            name: The holder of the token, which is recorded with each partner that the token registers.
            lifetime: How long the token is valid; None for ever.
            uses: How many partners the token can register; None for any number.

        Raises:
            RegistrationTokenExistsError: A token of this name exists.
        """
        if await self._tokens_named(name):
            raise RegistrationTokenExistsError(name)
        token, now = new_secret(SecretKind.REGISTRATION_TOKEN), self._clock()
        expires = None if lifetime is None else now + lifetime
        await self._store.save(
            RegistrationToken(digest=digest(token), name=name, created=now, expires=expires, uses_left=uses)
        )
        return token

    async def tokens(self) -> Sequence[RegistrationToken]:
        """Return the records of all tokens, oldest first."""
        return sorted(await self._store.find(RegistrationToken), key=lambda token: token.created)

    async def revoke_token(self, name: str) -> None:
        """End the token of this name. The registered partners stay. Raise UnknownRegistrationTokenError."""
        found = await self._tokens_named(name)
        if not found:
            raise UnknownRegistrationTokenError(name)
        for token in found:
            await self._store.remove(RegistrationToken, digest=token.digest)

    async def check_token(self, token: str) -> RegistrationToken:
        """Return the record of a valid token, or raise InvalidTokenError."""
        found = await self._store.find(RegistrationToken, digest=digest(token))
        if not found or found[0].uses_left == 0:
            raise InvalidTokenError("This registration token is unknown or used up.")
        if found[0].expires is not None and found[0].expires <= self._clock():
            raise InvalidTokenError("This registration token has expired.")
        return found[0]

    async def register(self, token: str, metadata: Mapping[str, Any]) -> Registered:
        """Register a Booking Partner with this metadata, and return it with its client secret. Raise an OAuthError."""
        described = read_metadata(metadata)
        while True:
            known = await self.check_token(token)
            left = None if known.uses_left is None else known.uses_left - 1
            secret = new_secret(SecretKind.CLIENT_SECRET)
            partner = Partner(
                key=new_id(),
                registered=self._clock(),
                registered_by=f"{BY_REGISTRATION_TOKEN} {known.name}",
                secret_digest=digest(secret),
                **described,
            )
            if await self._store.save(replace(known, uses=known.uses + 1, uses_left=left), partner):
                return Registered(partner, secret)

    async def _tokens_named(self, name: str) -> list[RegistrationToken]:
        return [token for token in await self._store.find(RegistrationToken) if token.name == name]


def read_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of Partner from the metadata of a client, or raise an OAuthError."""
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


def write_registration(registered: Registered) -> RegisteredClient:
    """Return the answer to a client that has registered (RFC 7591 3.2.1)."""
    partner = registered.partner
    members: RegisteredClient = {
        "client_id": partner.key,
        "client_secret": registered.secret,
        "client_id_issued_at": int(partner.registered.timestamp()),
        "client_secret_expires_at": 0,
        "client_name": partner.name,
        "redirect_uris": list(partner.redirect_uris),
        "grant_types": list(GRANT_TYPES),
        "response_types": ["code"],
        "token_endpoint_auth_method": METHODS[0],
        "id_token_signed_response_alg": "RS256",
        "scope": write_scopes(Scope),
    }
    if partner.site:
        members["client_uri"] = partner.site
    if partner.logo:
        members["logo_uri"] = partner.logo
    if partner.contacts:
        members["contacts"] = list(partner.contacts)
    return members


def check_redirect_uri(uri: str) -> None:
    """Raise InvalidRedirectUriError unless the URI is https, or http on localhost for development.

    The text must not contain characters that must be escaped in a URL: browsers and `urlsplit` treat them differently.
    Browsers are redirected to the text as it was registered, and a header of the pages contains its origin.
    """
    try:
        parts = urlsplit(uri)
        known_port = parts.port is None or parts.port > 0
    except ValueError as fault:
        raise InvalidRedirectUriError(f"{uri!a} is no URL.") from fault
    if not is_https_or_local(parts):
        raise InvalidRedirectUriError(f"{uri!a} must begin with https:// (or with http://localhost for development).")
    if not _REDIRECT_URI.fullmatch(uri) or not known_port:
        raise InvalidRedirectUriError(
            f"{uri!a} must have no fragment (#), no user name, and no character that has to be escaped in a URL."
        )


def _string(metadata: Mapping[str, Any], name: str) -> str:
    value = metadata.get(name, "")
    if not _is_short_text(value):
        raise InvalidClientMetadataError(f"{name} must be a text of at most {MAX_LENGTH} characters.", name)
    return str(value).strip()


def _strings(metadata: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    values = metadata.get(name, default)
    sound = isinstance(values, list | tuple) and len(values) <= _MAX_ITEMS
    if sound and all(_is_short_text(value) for value in values):
        return tuple(values)
    if name == "redirect_uris":
        raise InvalidRedirectUriError(f"List at most {_MAX_ITEMS} redirect URIs of at most {MAX_LENGTH} characters.")
    raise InvalidClientMetadataError(
        f"{name} must be a list of at most {_MAX_ITEMS} texts, each of at most {MAX_LENGTH} characters.", name
    )


def _web_address(metadata: Mapping[str, Any], name: str) -> str:
    address = _string(metadata, name)
    try:
        parts = urlsplit(address)
    except ValueError as fault:
        raise InvalidClientMetadataError(f"{name} must be a web address.", name) from fault
    if address and not (parts.scheme in ("https", "http") and parts.hostname):
        raise InvalidClientMetadataError(f"{name} must be a web address.", name)
    return address


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_LENGTH and value.isprintable()
