"""Errors of OAuth 2.0 and OpenID Connect: one class for each code, named after it.

They are told to clients as `error`, with words for their developers as `error_description`.
"""


class OAuthError(Exception):
    """Base of them all."""

    code = "server_error"
    status = 400

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class InvalidRequestError(OAuthError):
    """Something is missing, repeated or malformed (RFC 6749 4.1.2.1, 5.2)."""

    code = "invalid_request"


class InvalidClientError(OAuthError):
    """The client could not be authenticated (RFC 6749 5.2)."""

    code = "invalid_client"
    status = 401


class InvalidGrantError(OAuthError):
    """A code or refresh token is unknown, spent, expired, revoked, or another's (RFC 6749 5.2)."""

    code = "invalid_grant"


class UnsupportedGrantTypeError(OAuthError):
    """There is no such grant type here (RFC 6749 5.2)."""

    code = "unsupported_grant_type"


class UnsupportedResponseTypeError(OAuthError):
    """There is no such response type here (RFC 6749 4.1.2.1)."""

    code = "unsupported_response_type"


class InvalidScopeError(OAuthError):
    """No scope that was asked for can be had this way (RFC 6749 4.1.2.1, 5.2)."""

    code = "invalid_scope"


class AccessDeniedError(OAuthError):
    """The Seller said no (RFC 6749 4.1.2.1)."""

    code = "access_denied"


class LoginRequiredError(OAuthError):
    """Somebody would have to sign in, and no page may be shown (OpenID Connect Core 3.1.2.6)."""

    code = "login_required"


class ConsentRequiredError(OAuthError):
    """Somebody would have to agree, and no page may be shown (OpenID Connect Core 3.1.2.6)."""

    code = "consent_required"


class RequestNotSupportedError(OAuthError):
    """Requests as JWTs are not taken (OpenID Connect Core 6)."""

    code = "request_not_supported"


class RequestUriNotSupportedError(OAuthError):
    """Requests are not fetched from URLs, which could be made to point at anything (OpenID Connect Core 6)."""

    code = "request_uri_not_supported"


class InvalidTokenError(OAuthError):
    """The registration token is unknown, expired or used up (RFC 6750 3.1)."""

    code = "invalid_token"
    status = 401


class InvalidRedirectUriError(OAuthError):
    """A redirect URI cannot be registered (RFC 7591 3.2.2)."""

    code = "invalid_redirect_uri"


class InvalidClientMetadataError(OAuthError):
    """Something a client says of itself cannot be registered (RFC 7591 3.2.2); `member` is how it is called."""

    code = "invalid_client_metadata"

    def __init__(self, description: str, member: str = "") -> None:
        super().__init__(description)
        self.member = member
