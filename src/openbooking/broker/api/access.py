"""Access to a Booking System: the headers that identify the Broker (OB 11.7)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from openbooking.broker.api.openid import (
    OpenIdClient,
    Provider,
    Tokens,
    find_provider,
    refresh_tokens,
    request_client_tokens,
)
from openbooking.broker.api.token_store import TokenStore
from openbooking.broker.errors import AuthorizationError
from openbooking.broker.flow import Flow, pause, work

ORDERS_FEED_SCOPE = "openactive-ordersfeed"

_SECONDS_BETWEEN_LOOKS = 0.5


def system_clock() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


class Access(Protocol):
    """The credentials of a Broker at a Booking System."""

    def headers(self) -> Flow[Mapping[str, str]]:
        """Return the headers that every request carries.

        Raises:
            AuthorizationError: There are no valid credentials.
        """
        ...

    def renew(self) -> Flow[bool]:
        """Obtain new credentials after a 401, and return whether the request can succeed now."""
        ...


class FixedHeaders(NamedTuple):
    """Headers that never change, such as those that a gateway expects; none for a system without authentication.

    Attributes:
        values: The headers.
    """

    values: Mapping[str, str] = {}

    def __repr__(self) -> str:
        """Return the names of the headers, without their secrets."""
        return f"FixedHeaders({', '.join(self.values)})"

    def headers(self) -> Flow[Mapping[str, str]]:
        """Return the headers."""
        yield from ()
        return self.values

    def renew(self) -> Flow[bool]:
        """Return False: the headers cannot be renewed."""
        yield from ()
        return False


class ApiKey(NamedTuple):
    """An API key, sent as a bearer token.

    Attributes:
        key: The key.
    """

    key: str

    def __repr__(self) -> str:
        """Return the name of the class, without the key."""
        return "ApiKey(…)"

    def headers(self) -> Flow[Mapping[str, str]]:
        """Return the headers that every request carries.

        Raises:
            AuthorizationError: The key has characters that no header can carry.
        """
        yield from ()
        if not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            raise AuthorizationError("The API key has characters that no key has. Was it copied as a whole?")
        return _bearer(self.key)

    def renew(self) -> Flow[bool]:
        """Return False: an API key cannot be renewed."""
        yield from ()
        return False


class OpenIdProvider:
    """The OpenID provider at a URL, which is looked up when it is first needed.

    Args:
        authority: The URL of the provider, from the dataset site.
    """

    def __init__(self, authority: str) -> None:
        self.authority = authority
        self._found: Provider | None = None

    def find(self) -> Flow[Provider]:
        """Return the provider, or raise DiscoveryError."""
        if self._found is None:
            self._found = yield from find_provider(self.authority)
        return self._found


class ClientCredentials:
    """Access tokens of the client itself (OB-AUTH-25). Most Booking Systems accept them for the Orders feeds only.

    Args:
        provider: The OpenID provider.
        client: The registration of the Broker.
        scope: The scopes to ask for, separated by spaces.
        clock: Returns the time.
    """

    def __init__(
        self,
        provider: OpenIdProvider,
        client: OpenIdClient,
        scope: str = ORDERS_FEED_SCOPE,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        self._provider = provider
        self._client = client
        self._scope = scope
        self._clock = clock
        self._tokens: Tokens | None = None

    def headers(self) -> Flow[Mapping[str, str]]:
        """Return the headers that every request carries, with a token that is renewed before it ends."""
        if self._tokens is None or not self._tokens.is_fresh(self._clock()):
            yield from self._obtain()
        return _bearer(self._tokens.access_token if self._tokens else "")

    def renew(self) -> Flow[bool]:
        """Obtain another token, and return whether there is one."""
        try:
            yield from self._obtain()
        except AuthorizationError:
            return False
        return True

    def _obtain(self) -> Flow[None]:
        provider = yield from self._provider.find()
        self._tokens = yield from request_client_tokens(provider, self._client, self._scope, self._clock())


class SellerAccess:
    """Access tokens of a Seller that has authorised the Broker (OB-AUTH-24, authorization code).

    A refresh token that the provider replaces is in the database before the new access token is used.

    Args:
        provider: The OpenID provider.
        client: The registration of the Broker.
        store: The tokens.
        seller: The `@id` of the Seller.
        clock: Returns the time.
    """

    def __init__(
        self,
        provider: OpenIdProvider,
        client: OpenIdClient,
        store: TokenStore,
        seller: str,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        self._provider = provider
        self._client = client
        self._store = store
        self._seller = seller
        self._clock = clock
        self._sent = ""

    def headers(self) -> Flow[Mapping[str, str]]:
        """Return the headers that every request carries, with a token that is renewed before it ends."""
        tokens = yield from self._current()
        if not tokens.is_fresh(self._clock()):
            tokens = yield from self._renewed(tokens.access_token)
        self._sent = tokens.access_token
        return _bearer(tokens.access_token)

    def renew(self) -> Flow[bool]:
        """Exchange the refresh token, and return whether there is another access token."""
        try:
            yield from self._renewed(self._sent)
        except AuthorizationError:
            return False
        return True

    def _current(self) -> Flow[Tokens]:
        tokens = yield from work(lambda: self._store.find(self._seller))
        if tokens is None:
            raise AuthorizationError(f"The Seller {self._seller} has not authorised this Broker.")
        return tokens

    def _renewed(self, used: str) -> Flow[Tokens]:
        """Return tokens other than the used ones, which this task obtains unless another task or process does."""
        while True:
            tokens = yield from self._current()
            if tokens.access_token != used:
                return tokens
            if (yield from work(lambda known=tokens: self._store.claim(known, self._clock()))):  # type: ignore[misc]
                return (yield from self._refreshed(tokens))
            yield from pause(_SECONDS_BETWEEN_LOOKS)

    def _refreshed(self, tokens: Tokens) -> Flow[Tokens]:
        try:
            new = yield from self._exchange(tokens)
        except Exception:
            yield from work(lambda: self._store.release(self._seller))
            raise
        yield from work(lambda: self._store.save(new))
        return new

    def _exchange(self, tokens: Tokens) -> Flow[Tokens]:
        if not tokens.refresh_token:
            raise AuthorizationError(f"The authorization by the Seller {self._seller} has ended.")
        provider = yield from self._provider.find()
        return (yield from refresh_tokens(provider, self._client, tokens, self._clock()))


def _bearer(token: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {token}"}
