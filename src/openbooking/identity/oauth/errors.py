"""Errors of OAuth 2.0 and OpenID Connect: one class for each error code, named after it.

Clients receive the code as `error`, and the description as `error_description`. The description is for developers.
`web/accounts/oauth.py` turns these errors into JSON.
"""


class OAuthError(Exception):
    """The base of all errors; `description` is its message."""

    code = "server_error"
    status = 400

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class TemporarilyUnavailableError(OAuthError):
    """The database does not answer (RFC 6749 4.1.2.1)."""

    code = "temporarily_unavailable"
    status = 503


class RequestTooLargeError(OAuthError):
    """The body is too large."""

    code = "invalid_request"
    status = 413


class InvalidRequestError(OAuthError):
    """A parameter is missing, repeated or malformed (RFC 6749 4.1.2.1, 5.2)."""

    code = "invalid_request"


class InvalidClientError(OAuthError):
    """The client could not be authenticated (RFC 6749 5.2)."""

    code = "invalid_client"
    status = 401


class InvalidGrantError(OAuthError):
    """The code or refresh token is unknown, used, expired or revoked, or belongs to another client (RFC 6749 5.2)."""

    code = "invalid_grant"


class UnsupportedGrantTypeError(OAuthError):
    """The grant type is not supported (RFC 6749 5.2)."""

    code = "unsupported_grant_type"


class UnsupportedResponseTypeError(OAuthError):
    """The response type is not supported (RFC 6749 4.1.2.1)."""

    code = "unsupported_response_type"


class InvalidScopeError(OAuthError):
    """None of the requested scopes can be granted in this way (RFC 6749 4.1.2.1, 5.2)."""

    code = "invalid_scope"


class AccessDeniedError(OAuthError):
    """The Seller has not agreed (RFC 6749 4.1.2.1)."""

    code = "access_denied"


class LoginRequiredError(OAuthError):
    """The user would have to sign in, but the request allows no page (OpenID Connect Core 3.1.2.6)."""

    code = "login_required"


class ConsentRequiredError(OAuthError):
    """The user would have to agree, but the request allows no page (OpenID Connect Core 3.1.2.6)."""

    code = "consent_required"


class RequestNotSupportedError(OAuthError):
    """Requests in the form of JWTs are not supported (OpenID Connect Core 6)."""

    code = "request_not_supported"


class RequestUriNotSupportedError(OAuthError):
    """Requests by URL are not supported, because the URL could point at any host (OpenID Connect Core 6)."""

    code = "request_uri_not_supported"


class InvalidTokenError(OAuthError):
    """The registration token is unknown, expired or used up (RFC 6750 3.1)."""

    code = "invalid_token"
    status = 401


class InvalidRedirectUriError(OAuthError):
    """The redirect URI cannot be registered (RFC 7591 3.2.2)."""

    code = "invalid_redirect_uri"


class InvalidClientMetadataError(OAuthError):
    """The metadata of a client cannot be registered (RFC 7591 3.2.2).

    Attributes:
        member: The name of the member that is wrong.
    """

    code = "invalid_client_metadata"

    def __init__(self, description: str, member: str = "") -> None:
        super().__init__(description)
        self.member = member
