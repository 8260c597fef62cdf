"""How the other Booking System recognises a Broker: by an API key, or by an access token."""

import base64
import time
from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, unquote

from support.other_system.differences import Differences
from support.other_system.refusals import RefusalError

CLIENT_ID, CLIENT_SECRET = "broker é", "s3cret:with/odd+characters"
API_KEY = "k-Z0e.~42"


class Access:
    """The API key, the client and the access tokens of the one Broker."""

    def __init__(self) -> None:
        self._tokens: dict[str, float] = {}

    def check(self, headers: Mapping[str, str], differences: Differences) -> None:
        """Raise RefusalError unless a request has valid credentials (OB-AUTH-12, OB-AUTH-13)."""
        with_key = differences.access == "api key"
        name = differences.api_key_header if with_key else "Authorization"
        given = headers.get(name.lower(), "")
        scheme, _, rest = given.partition(" ")
        secret = rest if name == "Authorization" and scheme.lower() == "bearer" else given
        if not secret:
            raise RefusalError("NoAPITokenError" if with_key else "UnauthenticatedError")
        if with_key and secret != API_KEY:
            raise RefusalError("InvalidAPITokenError")
        if not with_key and self._tokens.get(secret, 0) < time.monotonic():
            raise RefusalError("InvalidAuthorizationDetailsError")

    def expire_tokens(self) -> None:
        """Let all access tokens end now."""
        self._tokens.clear()

    def issue(self, headers: Mapping[str, str], body: bytes, differences: Differences) -> tuple[int, dict[str, Any]]:
        """Answer a request for an access token by client credentials (RFC 6749, section 4.4)."""
        form = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        if _client(headers.get("authorization", ""), form) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        token = token_urlsafe()
        self._tokens[token] = time.monotonic() + differences.token_seconds
        return 200, {
            "access_token": token,
            # The type is case-insensitive (RFC 6749, section 5.1).
            "token_type": "bearer",
            "expires_in": differences.token_seconds,
            "scope": form.get("scope", "openactive-openbooking openactive-ordersfeed"),
        }


def provider_document(issuer: str) -> dict[str, Any]:
    """Return the configuration of the OpenID provider, which has no authorization code flow."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/connect/token",
        "jwks_uri": f"{issuer}/keys",
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": ["openactive-openbooking", "openactive-ordersfeed"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


def _client(authorization: str, form: Mapping[str, str]) -> tuple[str, str]:
    """Return the id and secret of the client. In the header both are form-encoded (RFC 6749, section 2.3.1)."""
    if not authorization.lower().startswith("basic "):
        return form.get("client_id", ""), form.get("client_secret", "")
    id_, _, secret = base64.b64decode(authorization.split(None, 1)[1]).decode().partition(":")
    return unquote(id_.replace("+", " ")), unquote(secret.replace("+", " "))
