"""The settings of one provider."""

from datetime import timedelta
from enum import StrEnum

import msgspec


class SecondFactorMode(StrEnum):
    """Whether the people of Sellers need a second factor. A user who has set one up is asked for it in every mode."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class IdentityPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one provider.

    Attributes:
        issuer: The URL of the provider.
        audience: The URL of the API that its access tokens are for.
        access_token_lifetime: How long an access token is valid.
        refresh_token_lifetime: How long a refresh token is valid without being used.
        refresh_leeway: How long after its use a refresh token may be used again, by a client that lost the answer or
            refreshes several times at once. A second use after that ends the authorization.
        signing_key_lifetime: How long a key signs before another takes its place.
        session_lifetime: How long a user stays signed in.
        second_factor: Whether users need a second factor.
        clock_skew: How far the clocks of the servers may differ.
        code_lifetime: How long an authorization code is valid.
        link_lifetime: How long a link to set a password is valid.
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
