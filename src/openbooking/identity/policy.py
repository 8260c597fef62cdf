"""The settings of the OpenID provider: the lifetime of each token, code, session and key."""

from datetime import timedelta
from enum import StrEnum

import msgspec


class SecondFactorMode(StrEnum):
    """Whether users need a second factor. A user with a second factor must use it in every mode."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class IdentityPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the OpenID provider.

    Attributes:
        issuer: The URL of the provider.
        audience: The URL of the API that accepts the access tokens.
        access_token_lifetime: How long an access token or ID token is valid.
        refresh_token_lifetime: How long an unused refresh token is valid.
        refresh_leeway: How long after its use a refresh token may be used again. A client needs this if it lost the
            answer, or refreshes several times at once. A second use after that time ends the authorization.
        signing_key_lifetime: How long a key signs tokens before a new key replaces it.
        session_lifetime: How long a user stays signed in.
        second_factor: Whether users need a second factor.
        clock_skew: How far the clocks of the servers may differ.
        code_lifetime: How long an authorization code is valid.
        link_lifetime: How long a link to set a password is valid.
        access_requests_kept: How long a request for access is stored.
    """

    issuer: str
    audience: str
    access_token_lifetime: timedelta = timedelta(minutes=15)
    refresh_token_lifetime: timedelta = timedelta(days=90)
    refresh_leeway: timedelta = timedelta()
    signing_key_lifetime: timedelta = timedelta(days=90)
    session_lifetime: timedelta = timedelta(hours=12)
    second_factor: SecondFactorMode = SecondFactorMode.OFF
    clock_skew: timedelta = timedelta(seconds=30)
    code_lifetime: timedelta = timedelta(minutes=1)
    link_lifetime: timedelta = timedelta(days=3)
    access_requests_kept: timedelta = timedelta(days=90)
