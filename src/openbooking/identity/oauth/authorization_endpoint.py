"""The authorization endpoint, without HTTP: request, consent of the Seller, code (RFC 6749 4.1, OIDC Core 3.1)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import msgspec

from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.clock import Clock
from openbooking.identity.digests import SecretKind, digest, new_id
from openbooking.identity.oauth.authorization_lifecycle import new_authorization_secret
from openbooking.identity.oauth.errors import (
    AccessDeniedError,
    ConsentRequiredError,
    InvalidRequestError,
    InvalidScopeError,
    LoginRequiredError,
    OAuthError,
    RequestNotSupportedError,
    RequestUriNotSupportedError,
    UnsupportedResponseTypeError,
)
from openbooking.identity.partners.grants import Grants, give
from openbooking.identity.policy import IdentityPolicy
from openbooking.identity.records import Authorization, Grant, GrantState, Partner
from openbooking.identity.scopes import SELLER_SCOPES, Scope, read_scopes
from openbooking.identity.sign_in.accounts import SignedIn
from openbooking.identity.store import IdentityStore

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_PARAMETER = 2000


class UnknownClientError(Exception):
    """The request names no known client, or no redirect URI of the client. The browser must not be redirected."""


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A valid authorization request of a client (OIDC Core 3.1.2.1)."""

    partner: Partner
    redirect_uri: str
    state: str | None
    scopes: frozenset[Scope]
    code_challenge: str
    nonce: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: timedelta | None = None


class SignInFirst(msgspec.Struct, frozen=True):
    """The user has to sign in first. After sign-in the browser repeats the request with these parameters."""

    parameters: Mapping[str, str]


class AskConsent(msgspec.Struct, frozen=True):
    """The signed-in user has to agree."""

    request: AuthorizationRequest


class MayNotConsent(msgspec.Struct, frozen=True):
    """The signed-in user may not decide for the Seller."""

    request: AuthorizationRequest


class Redirect(msgspec.Struct, frozen=True):
    """The browser returns to the client, with a code or an error."""

    url: str


Answer = SignInFirst | AskConsent | MayNotConsent | Redirect


class AuthorizationEndpoint:
    """Answers authorization requests, and records the decisions of users."""

    def __init__(self, store: IdentityStore, grants: Grants, policy: IdentityPolicy, clock: Clock) -> None:
        self._store = store
        self._grants = grants
        self._policy = policy
        self._clock = clock

    async def handle(self, parameters: Mapping[str, str], signed_in: SignedIn | None) -> Answer:
        """Return the answer to an authorization request: sign-in, consent or a redirection. Raise UnknownClientError.

        A malformed request must not redirect a browser without an action of the user, so the user signs in first. A
        silent request (`prompt=none`) is answered at once (RFC 9700 4.11.2).

        Args:
            parameters: The parameters of the request.
            signed_in: The signed-in user; None if nobody has signed in.
        """
        request = await self.read(parameters)
        silent = "none" in parameters.get("prompt", "").split()
        if isinstance(request, Redirect):
            return request if signed_in or silent else SignInFirst(parameters)
        if signed_in is None or self._must_sign_in_again(request, signed_in):
            if silent:
                return self._redirect_with_error(request, LoginRequiredError("Sign in first."))
            return SignInFirst(_without_sign_in(parameters))
        may_decide = signed_in.user.role.may_authorise
        if may_decide and await self._has_agreed(request, signed_in):
            return await self._redirect_with_code(request, signed_in)
        if silent:
            return self._redirect_with_error(request, ConsentRequiredError("The Seller has not agreed to this."))
        return AskConsent(request) if may_decide else MayNotConsent(request)

    async def decide(self, parameters: Mapping[str, str], signed_in: SignedIn, *, agreed: bool) -> Answer:
        """Record whether the signed-in user agrees, and return the answer to the client. Raise UnknownClientError."""
        request = await self.read(parameters)
        if isinstance(request, Redirect):
            return request
        if not signed_in.user.role.may_authorise:
            return MayNotConsent(request)
        if not agreed:
            return self._redirect_with_error(request, AccessDeniedError("The Seller has not agreed to this."))
        user, by = signed_in.user, Actor(ActorKind.STAFF, signed_in.user.name)
        await self._grants.change(request.partner.key, user.seller, give(request.scopes, user.account), by)
        return await self._redirect_with_code(request, signed_in)

    async def read(self, parameters: Mapping[str, str]) -> AuthorizationRequest | Redirect:
        """Return the request, or a redirection with an error if it is malformed. Raise UnknownClientError."""
        partner, redirect_uri = await self.find_client(parameters), parameters.get("redirect_uri", "")
        state = parameters.get("state")
        try:
            return _read(parameters, partner, redirect_uri, state)
        except OAuthError as error:
            return self._redirect(redirect_uri, state, error=error.code, error_description=error.description)

    async def find_client(self, parameters: Mapping[str, str]) -> Partner:
        """Return the client of a request, if it has registered the redirect URI, or raise UnknownClientError."""
        found = await self._store.find(Partner, key=parameters.get("client_id", ""))
        if not found or parameters.get("redirect_uri", "") not in found[0].redirect_uris:
            raise UnknownClientError
        return found[0]

    def _must_sign_in_again(self, request: AuthorizationRequest, signed_in: SignedIn) -> bool:
        too_long_ago = request.max_age is not None and self._clock() - signed_in.session.started > request.max_age
        return too_long_ago or "login" in request.prompt

    async def _has_agreed(self, request: AuthorizationRequest, signed_in: SignedIn) -> bool:
        """Return whether this user has agreed to all scopes for this client before (OB-AUTH-32)."""
        if "consent" in request.prompt:
            return False
        user = signed_in.user
        found = await self._store.find(Grant, partner=request.partner.key, seller=user.seller)
        return any(
            grant.state is GrantState.ACTIVE and request.scopes <= grant.scopes and user.account in grant.agreed_by
            for grant in found
        )

    async def _redirect_with_code(self, request: AuthorizationRequest, signed_in: SignedIn) -> Redirect:
        user, now, id_ = signed_in.user, self._clock(), new_id()
        grant = (await self._store.find(Grant, partner=request.partner.key, seller=user.seller))[0]
        code = new_authorization_secret(SecretKind.CODE, id_)
        authorization = Authorization(
            id=id_,
            partner=request.partner.key,
            seller=user.seller,
            user=user.name,
            scopes=request.scopes,
            issued=now,
            expires=now + self._policy.code_lifetime,
            period=grant.period,
            authenticated=signed_in.session.started,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
            code_digest=digest(code),
        )
        await self._store.save(authorization)
        return self._redirect(request.redirect_uri, request.state, code=code)

    def _redirect_with_error(self, request: AuthorizationRequest, error: OAuthError) -> Redirect:
        return self._redirect(
            request.redirect_uri, request.state, error=error.code, error_description=error.description
        )

    def _redirect(self, uri: str, state: str | None, **parameters: str) -> Redirect:
        """Return a redirection to the client. `iss` names the provider, against mix-up attacks (RFC 9207)."""
        stated = {} if state is None else {"state": state}
        query = urlencode({**parameters, **stated, "iss": self._policy.issuer})
        return Redirect(f"{uri}{'&' if urlsplit(uri).query else '?'}{query}")


def _read(
    parameters: Mapping[str, str], partner: Partner, redirect_uri: str, state: str | None
) -> AuthorizationRequest:
    """Return the request, or raise an OAuthError."""
    if "request" in parameters:
        raise RequestNotSupportedError("Send the parameters themselves.")
    if "request_uri" in parameters:
        raise RequestUriNotSupportedError("Send the parameters themselves.")
    if any(len(value) > _MAX_PARAMETER for value in parameters.values()):
        raise InvalidRequestError("A parameter is too long.")
    if parameters.get("response_type") != "code":
        raise UnsupportedResponseTypeError("Ask for response_type=code.")
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("Ask for response_mode=query, or leave it out.")
    scopes = read_scopes(parameters.get("scope", ""), SELLER_SCOPES)
    if not scopes - {Scope.OFFLINE_ACCESS}:
        raise InvalidScopeError("Ask for openid or openactive-openbooking.")
    prompt = frozenset(parameters.get("prompt", "").split())
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequestError("prompt=none cannot be combined with other values.")
    return AuthorizationRequest(
        partner=partner,
        redirect_uri=redirect_uri,
        state=state,
        scopes=scopes,
        code_challenge=_challenge(parameters),
        nonce=parameters.get("nonce"),
        prompt=prompt,
        max_age=_max_age(parameters.get("max_age")),
    )


def _challenge(parameters: Mapping[str, str]) -> str:
    """Return the S256 challenge of PKCE, which every client has to send (RFC 7636, RFC 9700 2.1.1)."""
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequestError("Send a code_challenge, with code_challenge_method=S256.")
    return challenge


def _max_age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < len(str(2**31))):
        raise InvalidRequestError("max_age is a number of seconds.")
    return timedelta(seconds=int(text))


def _without_sign_in(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters without those that ask for a sign-in: `prompt=login` and `max_age`.

    The sign-in that follows satisfies every `max_age`, even a `max_age` that ends before the browser returns.
    """
    left = {name: value for name, value in parameters.items() if name not in ("prompt", "max_age")}
    prompt = " ".join(word for word in parameters.get("prompt", "").split() if word != "login")
    return left | ({"prompt": prompt} if prompt else {})
