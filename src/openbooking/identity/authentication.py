"""From the headers of a request to the Booking Partner that sent it (OB 11.7)."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec.structs import replace

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
    """Callers show their API key as `Authorization: Bearer …`; each partner has its own (OB-AUTH-04)."""

    def __init__(self, store: IdentityStore, last_use_recorder: LastUseRecorder, clock: Clock) -> None:
        self._store = store
        self._last_use_recorder = last_use_recorder
        self._clock = clock

    async def __call__(self, headers: Mapping[str, str], scope: Scope) -> Caller:
        """The partner of the key, for the Sellers that let it book; a key is good for its Orders feeds as well."""
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
    """Callers show an access token of ours: for one Seller, or of their own for their Orders feeds (OB-AUTH-24, -25).

    API keys are good as well, so that partners can move from one to the other in their own time.
    """

    def __init__(
        self, store: IdentityStore, tokens: AccessTokens, last_use_recorder: LastUseRecorder, clock: Clock
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._last_use_recorder = last_use_recorder
        self._by_api_key = ApiKeyAuthentication(store, last_use_recorder, clock)

    async def __call__(self, headers: Mapping[str, str], scope: Scope) -> Caller:
        """The partner of the token, for its Seller; what has been revoked meanwhile is refused at once (OB-AUTH-10)."""
        bearer = bearer_token(headers, UnauthenticatedError, InvalidAuthorizationDetailsError)
        if bearer.startswith(SecretKind.API_KEY):
            return await self._by_api_key(headers, scope)
        try:
            token = await self._tokens.read(bearer)
        except InvalidAccessTokenError as fault:
            raise InvalidAuthorizationDetailsError("The access token is malformed or has expired.") from fault
        if scope not in token.scopes:
            raise InvalidAuthorizationDetailsError(f"The access token has not the scope {scope}.")
        rights = await self._store.access_rights(token.partner, token.authorization, token.seller or "")
        if rights is None or not rights.authorized:
            raise InvalidAuthorizationDetailsError("The authorisation has been revoked.")
        self._last_use_recorder.record(rights.partner)
        if token.seller is None:
            # It reads its Orders feeds, whoever lets it book, and acts for nobody.
            return Caller(token.partner, frozenset())
        caller = rights.caller
        caller.check_may_act_for(token.seller)
        return replace(caller, sellers=frozenset({token.seller}), barred=frozenset())


class TrustedHeaderAuthentication:
    """Callers are whoever the headers say: for use behind a gateway that authenticates and sets them.

    Where the Seller's header is absent, the caller may act for every Seller. There are no grants, so that nothing is
    agreed on beyond plain booking.
    """

    def __init__(self, partner_header: str, seller_header: str, ids: Identifiers) -> None:
        self._partner_header = partner_header
        self._seller_header = seller_header
        self._ids = ids

    async def __call__(self, headers: Mapping[str, str], scope: Scope) -> Caller:
        """The partner that is named."""
        del scope
        partner, seller_id = headers.get(self._partner_header), headers.get(self._seller_header)
        if not partner:
            raise UnauthenticatedError
        if seller_id is None:
            return Caller(partner)
        seller = self._ids.parse_seller(seller_id)
        if seller is None:
            raise InvalidAuthorizationDetailsError
        return Caller(partner, frozenset({seller}))


def bearer_token(headers: Mapping[str, str], missing: type[OpenBookingError], malformed: type[OpenBookingError]) -> str:
    """What follows `Bearer` in the Authorization header, and nowhere else (OB-AUTH-19, OB-AUTH-26)."""
    authorization = headers.get("authorization")
    if authorization is None:
        raise missing
    scheme, _, bearer = authorization.partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip():
        raise malformed
    return bearer.strip()
