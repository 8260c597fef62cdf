"""From the headers of a request to the Booking Partner that sent it (OB 11.7)."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from math import inf

from msgspec.structs import replace

from openbooking.booking.order import Caller
from openbooking.booking.store import StoreUnavailableError
from openbooking.clock import Clock
from openbooking.identity.access_tokens import AccessTokens
from openbooking.identity.claims import InvalidAccessTokenError
from openbooking.identity.digests import Kind, digest
from openbooking.identity.records import Partner
from openbooking.identity.scopes import Scope
from openbooking.identity.store import IdentityStore
from openbooking.spec.errors import (
    InvalidAPITokenError,
    InvalidAuthorizationDetailsError,
    NoAPITokenError,
    OpenBookingError,
    UnauthenticatedError,
)
from openbooking.spec.ids import Identifiers

Authenticate = Callable[[Mapping[str, str], Scope], Awaitable[Caller]]

_USE_NOTED_EVERY = timedelta(minutes=15)


class ByApiKey:
    """Callers show their API key as `Authorization: Bearer …`; each partner has its own (OB-AUTH-04)."""

    def __init__(self, store: IdentityStore, clock: Clock) -> None:
        self._store = store
        self._uses = _Uses(store, clock)

    async def __call__(self, headers: Mapping[str, str], scope: Scope) -> Caller:
        """The partner of the key, for the Sellers that let it book; a key is good for its Orders feeds as well."""
        del scope
        bearer = bearer_token(headers, NoAPITokenError, InvalidAPITokenError)
        if not bearer.startswith(Kind.API_KEY):
            raise InvalidAPITokenError
        standing = await self._store.standing_by_api_key(digest(bearer))
        if standing is None:
            raise InvalidAPITokenError
        await self._uses.note(standing.partner)
        return standing.caller


class ByAccessToken:
    """Callers show an access token of ours: for one Seller, or of their own for their Orders feeds (OB-AUTH-24, -25).

    API keys are good as well, so that partners can move from one to the other in their own time.
    """

    def __init__(self, store: IdentityStore, tokens: AccessTokens, clock: Clock) -> None:
        self._store = store
        self._tokens = tokens
        self._uses = _Uses(store, clock)
        self._by_api_key = ByApiKey(store, clock)

    async def __call__(self, headers: Mapping[str, str], scope: Scope) -> Caller:
        """The partner of the token, for its Seller; what has been revoked meanwhile is refused at once (OB-AUTH-10)."""
        bearer = bearer_token(headers, UnauthenticatedError, InvalidAuthorizationDetailsError)
        if bearer.startswith(Kind.API_KEY):
            return await self._by_api_key(headers, scope)
        try:
            token = await self._tokens.read(bearer)
        except InvalidAccessTokenError as fault:
            raise InvalidAuthorizationDetailsError("The access token is malformed or has expired.") from fault
        if scope not in token.scopes:
            raise InvalidAuthorizationDetailsError(f"The access token has not the scope {scope}.")
        standing = await self._store.standing(token.partner, token.authorization, token.seller or "")
        if standing is None or not standing.authorized:
            raise InvalidAuthorizationDetailsError("The authorisation has been revoked.")
        await self._uses.note(standing.partner)
        if token.seller is None:
            # It reads its Orders feeds, whoever lets it book, and acts for nobody.
            return Caller(token.partner, frozenset())
        caller = standing.caller
        caller.check_may_act_for(token.seller)
        return replace(caller, sellers=frozenset({token.seller}), barred=frozenset())


class ByTrustedHeaders:
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


class _Uses:
    """When partners were last here, give or take.

    Of requests that come at the same time one tells the store. A change that somebody makes just then is more
    important.
    """

    def __init__(self, store: IdentityStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[str, float] = {}

    async def note(self, partner: Partner) -> None:
        """The partner, as it was read before, is here."""
        now, passed = self._clock(), self._clock.monotonic()
        # A use in the future was noted by a clock that was wrong.
        if partner.last_used and timedelta() <= now - partner.last_used < _USE_NOTED_EVERY:
            return
        if passed - self._noted.get(partner.key, -inf) < _USE_NOTED_EVERY.total_seconds():
            return
        self._noted[partner.key] = passed
        # Nobody is refused because it cannot be told, as on a full disk.
        with suppress(StoreUnavailableError):
            if not await self._store.save(replace(partner, last_used=now)):
                del self._noted[partner.key]


def bearer_token(headers: Mapping[str, str], missing: type[OpenBookingError], malformed: type[OpenBookingError]) -> str:
    """What follows `Bearer` in the Authorization header, and nowhere else (OB-AUTH-19, OB-AUTH-26)."""
    authorization = headers.get("authorization")
    if authorization is None:
        raise missing
    scheme, _, bearer = authorization.partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip():
        raise malformed
    return bearer.strip()
