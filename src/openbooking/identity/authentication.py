"""Authentication of API requests: read the headers, and return the Booking Partner that sent the request (OB 11.7).

`ApiKeyAuthentication` checks API keys. `AccessTokenAuthentication` checks access tokens. `TrustedHeaderAuthentication`
reads the headers of a gateway. `rate_limit.py` limits the requests of a partner.
"""

from collections.abc import Awaitable, Callable, Mapping

from msgspec.structs import replace

from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import Caller
from openbooking.clock import Clock
from openbooking.identity.digests import SecretKind, digest
from openbooking.identity.oauth.access_tokens import AccessTokens
from openbooking.identity.oauth.claims import InvalidAccessTokenError
from openbooking.identity.partners.credentials import CredentialKind, is_valid_credential
from openbooking.identity.partners.last_use import LastUseRecorder
from openbooking.identity.scopes import Scope
from openbooking.identity.store import IdentityStore
from openbooking.openactive.errors import (
    InvalidAPITokenError,
    InvalidAuthorizationDetailsError,
    NoAPITokenError,
    OpenBookingError,
    UnauthenticatedError,
)
from openbooking.openactive.ids import Identifiers

Authenticate = Callable[[Mapping[str, str], Scope], Awaitable[Caller]]


class ApiKeyAuthentication:
    """Checks the API key in `Authorization: Bearer …`. Each partner has an API key of its own (OB-AUTH-04)."""

    def __init__(self, store: IdentityStore, last_use_recorder: LastUseRecorder, clock: Clock) -> None:
        self._store = store
        self._last_use_recorder = last_use_recorder
        self._clock = clock

    async def __call__(self, headers: Mapping[str, str], scope: Scope) -> Caller:
        """Return the partner of the key with its Sellers, or raise NoAPITokenError or InvalidAPITokenError.

        An API key has no scopes: it is valid for the Orders feeds as well.
        """
        del scope
        bearer = bearer_token(headers, NoAPITokenError, InvalidAPITokenError)
        if not bearer.startswith(SecretKind.API_KEY):
            raise InvalidAPITokenError
        shown = digest(bearer)
        rights = await self._store.access_rights_by_api_key(shown)
        if rights is None or not is_valid_credential(rights.partner, CredentialKind.API_KEY, shown, self._clock()):
            raise InvalidAPITokenError
        self._last_use_recorder.record(rights.partner, shown)
        return rights.caller


class AccessTokenAuthentication:
    """Checks the access token in `Authorization: Bearer …` (OB-AUTH-24, OB-AUTH-25).

    A token allows either bookings for one Seller, or reading the Orders feeds of the partner. API keys are accepted
    too, so that each partner can change from an API key to tokens at any time.
    """

    def __init__(
        self, store: IdentityStore, tokens: AccessTokens, last_use_recorder: LastUseRecorder, clock: Clock
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._last_use_recorder = last_use_recorder
        self._by_api_key = ApiKeyAuthentication(store, last_use_recorder, clock)

    async def __call__(self, headers: Mapping[str, str], scope: Scope) -> Caller:
        """Return the partner of the token with its Seller; refuse a token as soon as it is revoked (OB-AUTH-10).

        Raises:
            UnauthenticatedError: There is no token.
            InvalidAuthorizationDetailsError: The token is malformed, expired or revoked, or lacks the scope.
        """
        bearer = bearer_token(headers, UnauthenticatedError, InvalidAuthorizationDetailsError)
        if bearer.startswith(SecretKind.API_KEY):
            return await self._by_api_key(headers, scope)
        try:
            token = await self._tokens.read(bearer)
        except InvalidAccessTokenError as fault:
            raise InvalidAuthorizationDetailsError("The access token is malformed or has expired.") from fault
        if scope not in token.scopes:
            raise InvalidAuthorizationDetailsError(f"The access token does not have the scope {scope}.")
        rights = await self._store.access_rights(token.partner, token.authorization, token.seller or "")
        if rights is None or not rights.authorized:
            raise InvalidAuthorizationDetailsError("The authorisation has been revoked.")
        self._last_use_recorder.record(rights.partner)
        if token.seller is None:
            # A client token reads the Orders feeds of the partner, and may not book for any Seller.
            return Caller(token.partner, frozenset())
        caller = rights.caller
        caller.check_may_act_for(token.seller)
        return replace(caller, sellers=frozenset({token.seller}), barred=frozenset())


class TrustedHeaderAuthentication:
    """Reads the caller from headers that a trusted gateway sets after its own authentication.

    Without the header of the Seller, the caller may act for every Seller. This mode has no grants, and so no terms.
    """

    def __init__(self, partner_header: str, seller_header: str, ids: Identifiers) -> None:
        self._partner_header = partner_header
        self._seller_header = seller_header
        self._ids = ids

    async def __call__(self, headers: Mapping[str, str], scope: Scope) -> Caller:
        """Return the partner that the headers name; raise UnauthenticatedError or InvalidAuthorizationDetailsError."""
        del scope
        partner, seller_id = headers.get(self._partner_header), headers.get(self._seller_header)
        if not partner:
            raise UnauthenticatedError
        if partner == DESK:
            raise InvalidAuthorizationDetailsError("The front desk books on the pages of the Seller only.")
        if seller_id is None:
            return Caller(partner)
        seller = self._ids.parse_seller(seller_id)
        if seller is None:
            raise InvalidAuthorizationDetailsError
        return Caller(partner, frozenset({seller}))


def bearer_token(headers: Mapping[str, str], missing: type[OpenBookingError], malformed: type[OpenBookingError]) -> str:
    """Return the credential after `Bearer` in the Authorization header (OB-AUTH-19, OB-AUTH-26).

    Args:
        headers: The headers of the request.
        missing: The error to raise if there is no Authorization header.
        malformed: The error to raise if the header does not have this form.
    """
    authorization = headers.get("authorization")
    if authorization is None:
        raise missing
    scheme, _, bearer = authorization.partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip():
        raise malformed
    return bearer.strip()
