"""The discovery document of the provider (OpenID Connect Discovery 1.0, RFC 8414)."""

from typing import TypedDict

from openbooking.identity.oauth.client_authentication import METHODS
from openbooking.identity.oauth.registration import GRANT_TYPES
from openbooking.identity.oauth.signing_keys import ALGORITHM
from openbooking.identity.scopes import Scope
from openbooking.openactive.terms import OPENACTIVE

CONFIGURATION_PATH = "/.well-known/openid-configuration"
METADATA_PATH = "/.well-known/oauth-authorization-server"
AUTHORIZE_PATH = "/oauth/authorize"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
REVOKE_PATH = "/oauth/revoke"
REGISTER_PATH = "/oauth/register"
JWKS_PATH = "/oauth/jwks"

_CLAIMS = ("sellerId", "sellerName", "sellerUrl", "sellerLogo", "bookingServiceName", "bookingServiceUrl")


class ProviderMetadata(TypedDict):
    """The metadata of the OpenID provider (OpenID Connect Discovery 1.0 3, RFC 8414 2)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    registration_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    claims_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    code_challenge_methods_supported: list[str]
    prompt_values_supported: list[str]
    authorization_response_iss_parameter_supported: bool
    claims_parameter_supported: bool
    request_parameter_supported: bool
    request_uri_parameter_supported: bool


def describe_provider(issuer: str) -> ProviderMetadata:
    """Return the discovery document of the provider whose issuer has this URL (OB-AUTH-32)."""
    standard = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "name", "website", "picture"]
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE_PATH,
        "token_endpoint": issuer + TOKEN_PATH,
        "revocation_endpoint": issuer + REVOKE_PATH,
        "registration_endpoint": issuer + REGISTER_PATH,
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": list(Scope),
        "claims_supported": standard + [OPENACTIVE + claim for claim in _CLAIMS],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent"],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
