"""Validation of access tokens: signature, audience and lifetime (RFC 9068 4)."""

from datetime import datetime

from openbooking.clock import Clock
from openbooking.identity.oauth.claims import ACCESS_TOKEN_TYPE, AccessClaims, ClaimWriter, InvalidAccessTokenError
from openbooking.identity.oauth.signing_keys import InvalidSignatureError, SigningKeys
from openbooking.identity.policy import IdentityPolicy


class AccessTokens:
    """Validates access tokens. `IdentityPolicy.access_token_lifetime` sets their lifetime."""

    def __init__(self, keys: SigningKeys, claims: ClaimWriter, policy: IdentityPolicy, clock: Clock) -> None:
        self._keys = keys
        self._claims = claims
        self._skew = policy.clock_skew
        self._clock = clock

    async def read(self, token: str) -> AccessClaims:
        """Return the claims of a valid token, or raise InvalidAccessTokenError. Revocation is not checked."""
        try:
            claims = await self._keys.verify(ACCESS_TOKEN_TYPE, token, self._claims.read_access_token)
        except InvalidSignatureError as fault:
            raise InvalidAccessTokenError from fault
        if not self._in_time(claims, self._clock()):
            raise InvalidAccessTokenError
        return claims

    def _in_time(self, claims: AccessClaims, now: datetime) -> bool:
        """Return whether the token is valid now. The clocks of servers may differ by the clock skew."""
        return claims.issued - self._skew <= now < claims.expires + self._skew
