"""Validation of access tokens: signature, audience and lifetime (RFC 9068 4)."""

from datetime import datetime

from openbooking.clock import Clock
from openbooking.identity.oauth.claims import ACCESS_TOKEN_TYPE, AccessClaims, ClaimWriter, InvalidAccessTokenError
from openbooking.identity.oauth.signing_keys import InvalidSignatureError, SigningKeys
from openbooking.identity.policy import IdentityPolicy


class AccessTokens:
    """Validates the access tokens of one provider."""

    def __init__(self, keys: SigningKeys, claims: ClaimWriter, policy: IdentityPolicy, clock: Clock) -> None:
        self._keys = keys
        self._claims = claims
        self._skew = policy.clock_skew
        self._clock = clock

    async def read(self, token: str) -> AccessClaims:
        """Return the claims of a valid token, or raise InvalidAccessTokenError. The token may have been revoked."""
        try:
            claims = await self._keys.verify(ACCESS_TOKEN_TYPE, token, self._claims.read_access_token)
        except InvalidSignatureError as fault:
            raise InvalidAccessTokenError from fault
        if not self._in_time(claims, self._clock()):
            raise InvalidAccessTokenError
        return claims

    def _in_time(self, claims: AccessClaims, now: datetime) -> bool:
        """Return whether the token is valid now, give or take the skew of the clocks of several servers."""
        return claims.issued - self._skew <= now < claims.expires + self._skew
