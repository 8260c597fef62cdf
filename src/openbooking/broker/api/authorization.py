"""How a Seller authorises a Broker at an OpenID provider: consent in a browser, with PKCE (OB 11.7.4.1.1, RFC 7636)."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from hmac import compare_digest
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from msgspec.structs import replace

from openbooking.broker.api.access import (
    ORDERS_FEED_SCOPE,
    ClientCredentials,
    OpenIdProvider,
    SellerAccess,
    system_clock,
)
from openbooking.broker.api.openid import OpenIdClient, Provider, Tokens, exchange_code
from openbooking.broker.api.token_store import Started, TokenStore
from openbooking.broker.errors import AuthorizationError
from openbooking.broker.flow import Flow, work
from openbooking.broker.store.database import Database

SELLER_SCOPES = "openid offline_access openactive-openbooking openactive-identity"


class Consent(NamedTuple):
    """The way to the consent of a Seller.

    Attributes:
        url: The page of the OpenID provider to which the browser of the Seller goes.
        state: A secret that the application keeps in the session of that browser, and passes on to `finish`.
    """

    url: str
    state: str

    def __repr__(self) -> str:
        """Return the name of the class: the URL has the state, too."""
        return "Consent(…)"


class OpenIdAccess:
    """Access by an OpenID provider, for all Sellers that authorise the Broker, and for the Orders feeds.

    Args:
        authority: The URL of the provider, from the dataset site.
        client: The registration of the Broker.
        database: The database, in which the tokens are kept.
        clock: Returns the time.
    """

    def __init__(
        self,
        authority: str,
        client: OpenIdClient,
        database: Database,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        self._provider = OpenIdProvider(authority)
        self._client = client
        self._store = TokenStore(database, f"{authority} {client.client_id}")
        self._clock = clock
        self.feeds = ClientCredentials(self._provider, client, ORDERS_FEED_SCOPE, clock)

    def for_seller(self, seller: str) -> SellerAccess:
        """Return the access to the Orders of a Seller, named by its `@id`."""
        return SellerAccess(self._provider, self._client, self._store, seller, self._clock)

    def sellers(self) -> Flow[tuple[Tokens, ...]]:
        """Return the tokens of all Sellers that have authorised the Broker."""
        return (yield from work(self._store.sellers))

    def start(self) -> Flow[Consent]:
        """Start the authorization by a Seller: return the page to which the browser of the Seller goes.

        Raises:
            AuthorizationError: The client has no redirect URI, or the provider asks for no consent.
            DiscoveryError: The provider cannot be read.
        """
        provider = yield from self._provider.find()
        if not self._client.redirect_uri or not provider.authorization_endpoint:
            raise AuthorizationError("The consent of a Seller needs a redirect URI and an authorization endpoint.")
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        yield from work(lambda: self._store.start(state, Started(verifier, nonce), self._clock()))
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client.client_id,
                "redirect_uri": self._client.redirect_uri,
                "scope": SELLER_SCOPES,
                "state": state,
                "nonce": nonce,
                "code_challenge": code_challenge(verifier),
                "code_challenge_method": "S256",
            }
        )
        separator = "&" if urlsplit(provider.authorization_endpoint).query else "?"
        return Consent(f"{provider.authorization_endpoint}{separator}{query}", state)

    def finish(self, url: str, state: str) -> Flow[Tokens]:
        """Finish the authorization: keep the tokens of the Seller, and return them with the `@id` of the Seller.

        Args:
            url: The URL of the application at which the browser arrived, with its query.
            state: The secret from the session of that browser.

        Raises:
            AuthorizationError: The Seller did not consent, the browser is another one, or the provider gives no tokens.
            NoAnswerError: The provider did not answer. The Seller must consent again.
        """
        provider = yield from self._provider.find()
        code = _read_return(url, state, provider)
        started = yield from work(lambda: self._store.finish(state, self._clock()))
        if started is None:
            raise AuthorizationError("This authorization was not started here, is over, or has been finished before.")
        tokens, claims = yield from exchange_code(provider, self._client, code, started.verifier, self._clock())
        if claims and claims.get("nonce") != started.nonce:
            raise AuthorizationError("The ID token belongs to another authorization.")
        if not tokens.seller:
            raise AuthorizationError("The OpenID provider does not say which Seller has consented.")
        kept = replace(tokens)
        yield from work(lambda: self._store.save(kept))
        return kept

    def forget(self, seller: str) -> Flow[None]:
        """Forget the tokens of a Seller."""
        yield from work(lambda: self._store.remove(seller))


def code_challenge(verifier: str) -> str:
    """Return the challenge of a PKCE verifier by the method S256 (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _read_return(url: str, state: str, provider: Provider) -> str:
    """Return the code in the URL at which a browser arrived."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    if not compare_digest(query.get("state", "").encode(), state.encode()):
        raise AuthorizationError("The state in the URL is not that of this browser.")
    if query.get("iss", provider.issuer) != provider.issuer:
        raise AuthorizationError("The browser comes from another provider.")
    if "error" in query:
        words = ": ".join(filter(None, (query["error"], query.get("error_description"))))
        raise AuthorizationError(f"The Seller has not authorised this Broker ({words}).", code=query["error"])
    if "code" not in query:
        raise AuthorizationError("The URL has no code.")
    return query["code"]
