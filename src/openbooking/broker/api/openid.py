"""The OpenID provider of a Booking System: its endpoints and tokens (OB 11.7.4, RFC 6749, OpenID Connect).

The requests are few and small, so that no library of OAuth is needed.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

import msgspec

from openbooking.broker.api.documents import is_safe_for_secrets, read_document, read_json
from openbooking.broker.api.replies import is_success
from openbooking.broker.api.retries import Retries, repeat
from openbooking.broker.errors import AuthorizationError, DiscoveryError, retry_of_document
from openbooking.broker.flow import Answer, Flow, Request, send
from openbooking.openactive.terms import OPENACTIVE

CONFIGURATION_PATH = "/.well-known/openid-configuration"

_JWT_PARTS = 3
_LEAST_TIME_LEFT = timedelta(seconds=30)
_MOST_SECONDS = 10 * 365 * 86_400
_SECONDS_TO_ANSWER = 20
_MOST_CHARACTERS = 1_000
# A token request is short, and a Customer may wait for it.
_RETRIES = Retries(attempts=3, first_pause=1, longest_pause=10)
_ONCE = Retries(attempts=1)


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoints of an OpenID provider, from its discovery document."""

    issuer: str
    token_endpoint: str
    authorization_endpoint: str = ""
    registration_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class OpenIdClient(NamedTuple):
    """The registration of a Broker at an OpenID provider.

    Attributes:
        client_id: The id of the client.
        client_secret: The secret of the client.
        redirect_uri: The URL of the application to which a Seller returns after consent; empty if there is none.
    """

    client_id: str
    client_secret: str
    redirect_uri: str = ""

    def __repr__(self) -> str:
        """Return the client without its secret."""
        return f"OpenIdClient(client_id={self.client_id!r}, redirect_uri={self.redirect_uri!r})"


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of one Seller, or of the client itself.

    Attributes:
        access_token: The token that requests carry.
        refresh_token: The token with which the client obtains others; empty if there is none.
        expires: When the access token ends; None if not known.
        seller: The `@id` of the Seller; empty if the provider did not say, or for the client itself.
        seller_name: The name of the Seller, for people.
    """

    access_token: str
    refresh_token: str = ""
    expires: datetime | None = None
    seller: str = ""
    seller_name: str = ""

    def __repr__(self) -> str:
        """Return the Seller and the end, without the tokens."""
        return f"Tokens(seller={self.seller!r}, expires={self.expires!r})"

    def is_fresh(self, now: datetime) -> bool:
        """Return whether the access token is valid for at least as long as a request may take."""
        return self.expires is None or now < self.expires - _LEAST_TIME_LEFT


def find_provider(authority: str) -> Flow[Provider]:
    """Return the endpoints of an OpenID provider (OB-AUTH-32).

    Raises:
        DiscoveryError: The discovery document cannot be read, or is that of another provider, or an endpoint for
            secrets is not encrypted.
    """
    authority = authority.rstrip("/")
    document = yield from read_document(authority + CONFIGURATION_PATH, "application/json")
    try:
        provider = msgspec.convert(read_json(document.text, document.url), Provider)
    except msgspec.ValidationError as fault:
        raise DiscoveryError(f"{document.url} does not describe an OpenID provider: {fault}.") from fault
    if provider.issuer.rstrip("/") != authority:
        raise DiscoveryError(f"{document.url} describes another provider, {provider.issuer!a}.")
    for endpoint in (provider.token_endpoint, provider.authorization_endpoint, provider.registration_endpoint):
        if endpoint and not is_safe_for_secrets(endpoint):
            raise DiscoveryError(f"{endpoint} would receive secrets without encryption.")
    return provider


def request_client_tokens(provider: Provider, client: OpenIdClient, scope: str, now: datetime) -> Flow[Tokens]:
    """Return tokens of the client itself (OB-AUTH-25, client credentials).

    Raises:
        AuthorizationError: The provider gives no token.
        NoAnswerError: No answer came.
    """
    form = {"grant_type": "client_credentials", "scope": scope}
    return read_tokens((yield from _post(provider, client, form, _RETRIES)), now)


def exchange_code(
    provider: Provider, client: OpenIdClient, code: str, verifier: str, now: datetime
) -> Flow[tuple[Tokens, Mapping[str, Any]]]:
    """Return the tokens for a code, and the claims of the ID token (OB-AUTH-28, OB-AUTH-30).

    The request is sent once, because providers end an authorization whose code is used twice.

    Raises:
        AuthorizationError: The provider gives no tokens, or its ID token is not for this client.
        NoAnswerError: No answer came. The Seller must consent again.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    answer = yield from _post(provider, client, form, _ONCE)
    tokens = read_tokens(answer, now)
    document = msgspec.json.decode(answer.content)
    claims = _claims(document.get("id_token"), provider, client, now)
    seller, name = claims.get(f"{OPENACTIVE}sellerId"), claims.get(f"{OPENACTIVE}sellerName")
    return (
        msgspec.structs.replace(
            tokens,
            seller=seller if isinstance(seller, str) else "",
            seller_name=name if isinstance(name, str) else "",
        ),
        claims,
    )


def refresh_tokens(provider: Provider, client: OpenIdClient, tokens: Tokens, now: datetime) -> Flow[Tokens]:
    """Return new tokens of a Seller. A provider that names no new refresh token lets the client keep the old one.

    Raises:
        AuthorizationError: The provider gives no tokens.
        NoAnswerError: No answer came.
    """
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    new = read_tokens((yield from _post(provider, client, form, _RETRIES)), now)
    return msgspec.structs.replace(
        new,
        refresh_token=new.refresh_token or tokens.refresh_token,
        seller=tokens.seller,
        seller_name=tokens.seller_name,
    )


def read_tokens(answer: Answer, now: datetime) -> Tokens:
    """Return the tokens in an answer of a token endpoint.

    Raises:
        AuthorizationError: The answer reports an error, or has no access token.
    """
    document = read_oauth_reply(answer)
    access, refresh, seconds = (document.get(name) for name in ("access_token", "refresh_token", "expires_in"))
    if not isinstance(access, str) or not access or not access.isascii() or not access.isprintable():
        raise AuthorizationError("The OpenID provider answered without an access token.")
    expires = None
    if isinstance(seconds, int | float) and 0 < seconds < _MOST_SECONDS:
        expires = now + timedelta(seconds=seconds)
    return Tokens(access_token=access, refresh_token=refresh if isinstance(refresh, str) else "", expires=expires)


def read_oauth_reply(answer: Answer) -> Mapping[str, Any]:
    """Return the JSON object of an answer of an OpenID provider.

    Raises:
        AuthorizationError: The answer reports an error, or is no JSON object.
    """
    try:
        document = msgspec.json.decode(answer.content)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        document = None
    if is_success(answer) and isinstance(document, dict):
        return document
    fields = document if isinstance(document, dict) else {}
    code, description = (fields.get(name) for name in ("error", "error_description"))
    words = [word[:_MOST_CHARACTERS] for word in (code, description) if isinstance(word, str)]
    reason = ": ".join(words) or "it gives no reason"
    raise AuthorizationError(
        f"The OpenID provider answered with status {answer.status}: {reason}.",
        code=code[:_MOST_CHARACTERS] if isinstance(code, str) else "",
        retry=retry_of_document(answer.status),
    )


def _post(provider: Provider, client: OpenIdClient, form: Mapping[str, str], retries: Retries) -> Flow[Answer]:
    """Send a form to the token endpoint, with the secret in the way that the provider supports."""
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if "client_secret_basic" in provider.token_endpoint_auth_methods_supported:
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form = {**form, "client_id": client.client_id, "client_secret": client.client_secret}
    request = Request("POST", provider.token_endpoint, headers, urlencode(form).encode(), _SECONDS_TO_ANSWER)
    return (yield from repeat(lambda: send(request), retries))


def _claims(id_token: object, provider: Provider, client: OpenIdClient, now: datetime) -> Mapping[str, Any]:
    """Return the claims of an ID token; none if there is no ID token.

    The token comes from the provider itself over an encrypted connection, which OpenID Connect accepts in place of a
    check of the signature (OpenID Connect Core 3.1.3.7).

    Raises:
        AuthorizationError: The token is not for this client, or has expired.
    """
    if not isinstance(id_token, str):
        return {}
    parts = id_token.split(".")
    try:
        payload = parts[1] if len(parts) == _JWT_PARTS else ""
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise AuthorizationError("The ID token cannot be read.") from fault
    if not isinstance(claims, dict):
        raise AuthorizationError("The ID token cannot be read.")
    audience = claims.get("aud")
    for_us = client.client_id in (audience if isinstance(audience, list) else [audience])
    expires = claims.get("exp")
    is_over = isinstance(expires, int | float) and expires <= now.timestamp()
    if claims.get("iss") != provider.issuer or not for_us or is_over:
        raise AuthorizationError("The ID token is from another provider, for another client, or has expired.")
    return claims
