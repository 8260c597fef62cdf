"""The credentials of callers, as the settings ask for them: security schemes, and the errors of authentication."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from openbooking.identity.oauth.discovery import AUTHORIZE_PATH, CONFIGURATION_PATH, TOKEN_PATH
from openbooking.identity.scopes import CLIENT_SCOPES, SELLER_SCOPES, Scope
from openbooking.openactive.errors import (
    InvalidAPITokenError,
    InvalidAuthorizationDetailsError,
    NoAPITokenError,
    OpenBookingError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from openbooking.settings import AccessMode, Settings
from openbooking.web.operation import Credentials, Operation

Json = dict[str, Any]

API_KEY, OPENID, TOKENS, PARTNER, SELLER = "apiKey", "openId", "accessToken", "partnerHeader", "sellerHeader"
_BEARER = {"type": "http", "scheme": "bearer"}
# A Booking Partner may read its feeds and act for Sellers; a request without authorisation for a Seller is refused.
_ERRORS: Mapping[AccessMode, tuple[type[OpenBookingError], ...]] = {
    AccessMode.API_KEY: (NoAPITokenError, InvalidAPITokenError, InvalidAuthorizationDetailsError),
    AccessMode.OPENID: (UnauthenticatedError, InvalidAPITokenError, InvalidAuthorizationDetailsError),
    AccessMode.HEADERS: (UnauthenticatedError, InvalidAuthorizationDetailsError),
}
_CREDENTIALS: Mapping[Credentials, Json] = {
    Credentials.CLIENT: {"type": "http", "scheme": "basic", "description": "The key and the secret of the client."},
    Credentials.REGISTRATION_TOKEN: {**_BEARER, "description": "A registration token of an administrator."},
    Credentials.METRICS_TOKEN: {**_BEARER, "description": "The token of the setting `metrics_token`."},
}
_SCOPES = {
    Scope.OPENID: "Who the Seller is.",
    Scope.PROFILE: "The name of the Seller.",
    Scope.OFFLINE_ACCESS: "Refresh tokens.",
    Scope.IDENTITY: "The details of the Seller.",
    Scope.OPENBOOKING: "Bookings for the Seller.",
    Scope.ORDERS_FEED: "The Orders feeds of the client.",
}


class Security(NamedTuple):
    """The credentials of Booking Partners.

    Attributes:
        schemes: The security schemes, by name.
        alternatives: For a scope, the sets of schemes of which one is enough.
        errors: The errors of authentication.
    """

    schemes: Mapping[str, Json]
    alternatives: Mapping[Scope, list[Json]]
    errors: tuple[type[OpenBookingError], ...]


def security_of(settings: Settings) -> Security:
    """Return the credentials of Booking Partners under these settings."""
    schemes, always = _schemes(settings)
    names = {
        scope: [{name: [scope] if name in {OPENID, TOKENS} else [] for name in names} for names in always]
        for scope in Scope
    }
    errors: tuple[type[OpenBookingError], ...] = (OpenBookingError, *_ERRORS[settings.access])
    if settings.requests_per_minute:
        errors = (*errors, TooManyRequestsError)
    return Security(schemes, names, errors)


def _schemes(settings: Settings) -> tuple[dict[str, Json], list[tuple[str, ...]]]:
    """Return the security schemes, and the sets of names of which one is enough."""
    api_key = {**_BEARER, "description": "The API key of the Booking Partner."}
    match settings.access:
        case AccessMode.API_KEY:
            return {API_KEY: api_key}, [(API_KEY,)]
        case AccessMode.OPENID:
            schemes = {OPENID: _open_id(settings), TOKENS: _tokens(settings), API_KEY: api_key}
            return schemes, [(OPENID,), (TOKENS,), (API_KEY,)]
        case AccessMode.HEADERS:
            partner = _header(settings.trusted_partner_header, "The Booking Partner, named by the gateway.")
            if not settings.trusted_seller_header:
                return {PARTNER: partner}, [(PARTNER,)]
            seller = _header(settings.trusted_seller_header, "The `@id` of the Seller for whom the partner acts.")
            return {PARTNER: partner, SELLER: seller}, [(PARTNER,), (PARTNER, SELLER)]


def _open_id(settings: Settings) -> Json:
    return {"type": "openIdConnect", "openIdConnectUrl": settings.site + CONFIGURATION_PATH}


def _tokens(settings: Settings) -> Json:
    token_url = settings.site + TOKEN_PATH
    return {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": settings.site + AUTHORIZE_PATH,
                "tokenUrl": token_url,
                "refreshUrl": token_url,
                "scopes": {scope: _SCOPES[scope] for scope in Scope if scope in SELLER_SCOPES},
            },
            "clientCredentials": {
                "tokenUrl": token_url,
                "scopes": {scope: _SCOPES[scope] for scope in Scope if scope in CLIENT_SCOPES},
            },
        },
    }


def _header(name: str, description: str) -> Json:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


def scheme_of(credentials: Credentials) -> Json:
    """Return the security scheme of credentials that are not those of Booking Partners."""
    return _CREDENTIALS[credentials]


def requirements(operation: Operation, security: Security) -> list[Json]:
    """Return the `security` of an operation: an empty list if anybody may call it."""
    if operation.scope:
        return security.alternatives[operation.scope]
    return [{operation.credentials.value: []}] if operation.credentials else []
