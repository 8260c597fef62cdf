"""What one provider chooses for itself."""

from datetime import timedelta
from enum import StrEnum

import msgspec


class SecondFactorMode(StrEnum):
    """Whether the people of Sellers need a second factor. Whoever has set one up is asked for it in every mode."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class IdentityPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of one provider; `issuer` is its URL, `audience` that of the API its access tokens are for.

    `refresh_leeway` is how long after its use a refresh token may be used again, by a client that did not get the
    answer or asks several times at once; beyond it a second use ends the authorization.
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
