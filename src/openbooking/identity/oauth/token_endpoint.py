"""The token endpoint and the revocation endpoint, without HTTP (RFC 6749 4.1.3, 4.4, 6; RFC 7009; OIDC 3.1.3).

`IdentityPolicy` sets the lifetime of the tokens.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, NotRequired, TypedDict

import structlog
from msgspec.structs import replace

from openbooking.clock import Clock
from openbooking.identity.digests import SecretKind, new_id
from openbooking.identity.oauth.access_tokens import AccessTokens
from openbooking.identity.oauth.authorization_lifecycle import (
    Outcome,
    PresentedCode,
    authorization_id,
    expiry,
    new_authorization_secret,
    redeem,
    refresh,
)
from openbooking.identity.oauth.claims import ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE, ClaimWriter, InvalidAccessTokenError
from openbooking.identity.oauth.client_authentication import authenticate_client
from openbooking.identity.oauth.errors import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
)
from openbooking.identity.oauth.signing_keys import SigningKeys
from openbooking.identity.partners.last_use import LastUseRecorder
from openbooking.identity.policy import IdentityPolicy
from openbooking.identity.records import Authorization, Grant, Partner, is_valid
from openbooking.identity.scopes import CLIENT_SCOPES, Scope, read_scopes, write_scopes
from openbooking.identity.sellers import FindSeller
from openbooking.identity.store import IdentityStore

Form = Mapping[str, str]


class TokenForm(TypedDict):
    """A request for tokens (RFC 6749 4.1.3, 4.4.2, 6). A client without the header Authorization sends its secret."""

    grant_type: Literal["authorization_code", "refresh_token", "client_credentials"]
    code: NotRequired[str]
    redirect_uri: NotRequired[str]
    code_verifier: NotRequired[str]
    refresh_token: NotRequired[str]
    scope: NotRequired[str]
    client_id: NotRequired[str]
    client_secret: NotRequired[str]


class RevocationForm(TypedDict):
    """A request to revoke a token (RFC 7009 2.1)."""

    token: str
    client_id: NotRequired[str]
    client_secret: NotRequired[str]


class Tokens(TypedDict):
    """The tokens of a client (RFC 6749 5.1, OpenID Connect Core 3.1.3.3)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    refresh_token: NotRequired[str]
    id_token: NotRequired[str]


_log = structlog.get_logger()


class TokenEndpoint:
    """Issues tokens to clients, and revokes them."""

    def __init__(  # noqa: PLR0913 - the parts that make tokens
        self,
        *,
        store: IdentityStore,
        keys: SigningKeys,
        claims: ClaimWriter,
        access_tokens: AccessTokens,
        policy: IdentityPolicy,
        last_use_recorder: LastUseRecorder,
        clock: Clock,
        find_seller: FindSeller,
    ) -> None:
        self._store = store
        self._keys = keys
        self._claims = claims
        self._access_tokens = access_tokens
        self._policy = policy
        self._last_use_recorder = last_use_recorder
        self._clock = clock
        self._find_seller = find_seller
        self._grants: dict[str, Callable[[Partner, Form], Awaitable[Tokens]]] = {
            "authorization_code": self._exchange_code,
            "refresh_token": self._exchange_refresh_token,
            "client_credentials": self._client_credentials,
        }

    async def issue(self, form: Form, authorization: str | None) -> Tokens:
        """Return the tokens that a client requests, or raise an OAuthError.

        Args:
            form: The form of the request.
            authorization: The Authorization header; None if there is none.
        """
        partner = await self._authenticate(form, authorization)
        grant = self._grants.get(form.get("grant_type", ""))
        if grant is None:
            raise UnsupportedGrantTypeError(f"Send one of the grant types {', '.join(self._grants)}.")
        return await grant(partner, form)

    async def revoke(self, form: Form, authorization: str | None) -> None:
        """End the authorization of a token of this client. An unknown token is not an error (RFC 7009 2.2)."""
        partner = await self._authenticate(form, authorization)
        token = form.get("token")
        if not token:
            raise InvalidRequestError("Send the token.")
        id_ = authorization_id(SecretKind.REFRESH_TOKEN, token) or await self._id_of_access_token(token)
        for found in await self._store.find(Authorization, id=id_):
            if found.partner == partner.key:
                await self._end(found)

    async def _authenticate(self, form: Form, authorization: str | None) -> Partner:
        partner, shown = await authenticate_client(self._store, form, authorization, self._clock())
        self._last_use_recorder.record(partner, shown)
        return partner

    async def _exchange_code(self, partner: Partner, form: Form) -> Tokens:
        presented = PresentedCode(form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier", ""))
        id_ = authorization_id(SecretKind.CODE, presented.code)
        refresh_token = new_authorization_secret(SecretKind.REFRESH_TOKEN, id_ or "")
        authorization = await self._advance(
            partner,
            id_,
            lambda found: redeem(found, presented, refresh_token, self._clock()),
        )
        tokens = await self._tokens(authorization, authorization.scopes, refresh_token)
        return await self._add_id_token(authorization, tokens)

    async def _exchange_refresh_token(self, partner: Partner, form: Form) -> Tokens:
        presented = form.get("refresh_token", "")
        id_ = authorization_id(SecretKind.REFRESH_TOKEN, presented)
        refresh_token = new_authorization_secret(SecretKind.REFRESH_TOKEN, id_ or "")

        def scopes(found: Authorization) -> frozenset[Scope]:
            return read_scopes(form.get("scope", write_scopes(found.scopes)), found.scopes)

        def present(found: Authorization) -> Outcome:
            """Refresh. A request for scopes that were not allowed does not use up a valid token."""
            outcome = refresh(found, presented, refresh_token, self._policy.refresh_leeway, self._clock())
            if outcome.is_valid and not scopes(found):
                raise InvalidScopeError("None of these scopes was allowed.")
            return outcome

        authorization = await self._advance(partner, id_, present)
        return await self._tokens(authorization, scopes(authorization), refresh_token)

    async def _client_credentials(self, partner: Partner, form: Form) -> Tokens:
        """Return a token of the client itself, for its Orders feeds only (OB-AUTH-24, OB-AUTH-25)."""
        scopes = read_scopes(form.get("scope", Scope.ORDERS_FEED), CLIENT_SCOPES)
        if not scopes:
            raise InvalidScopeError(f"A client can request only {write_scopes(CLIENT_SCOPES)} for itself.")
        now = self._clock()
        authorization = Authorization(
            id=new_id(), partner=partner.key, seller=None, user=None, scopes=scopes, issued=now, expires=now
        )
        authorization = replace(authorization, expires=expiry(authorization, self._policy, now))
        await self._store.save(authorization)
        return await self._tokens(authorization, scopes, None)

    async def _advance(
        self, partner: Partner, id_: str | None, present: Callable[[Authorization], Outcome]
    ) -> Authorization:
        """Return the authorization after the use of a valid code or token, or raise InvalidGrantError.

        If another request changes the authorization at the same time, `present` is applied to the new authorization.
        """
        while True:
            found = await self._find_authorization(partner, id_)
            after, is_valid_secret = present(found)
            if is_valid_secret:
                after = replace(after, expires=expiry(after, self._policy, self._clock()))
            if after != found and not await self._store.save(after):
                continue
            if is_valid_secret:
                return replace(after, revision=after.revision + 1)
            if after.ended and not found.ended:
                _log.warning("authorization.ended_by_replay", partner=found.partner, seller=found.seller)
            raise InvalidGrantError("The code or token is invalid or has expired.")

    async def _find_authorization(self, partner: Partner, id_: str | None) -> Authorization:
        """Return the authorization. Raise InvalidGrantError if it belongs to another client or is revoked."""
        found = await self._store.find(Authorization, id=id_) if id_ else ()
        if not found or found[0].partner != partner.key:
            raise InvalidGrantError("The code or token is unknown.")
        grants = await self._store.find(Grant, partner=partner.key, seller=found[0].seller or "")
        if not any(is_valid(grant, found[0]) for grant in grants):
            raise InvalidGrantError("The Seller has revoked the authorization.")
        return found[0]

    async def _id_of_access_token(self, token: str) -> str:
        try:
            return (await self._access_tokens.read(token)).authorization
        except InvalidAccessTokenError:
            return ""

    async def _end(self, authorization: Authorization) -> None:
        """End an authorization. A concurrent change does not prevent this."""
        while not await self._store.save(replace(authorization, ended=True)):
            found = await self._store.find(Authorization, id=authorization.id)
            if not found:
                return
            authorization = found[0]

    async def _tokens(
        self, authorization: Authorization, scopes: frozenset[Scope], refresh_token: str | None
    ) -> Tokens:
        access = await self._keys.sign(
            ACCESS_TOKEN_TYPE, self._claims.access_token(authorization, scopes, self._clock())
        )
        tokens: Tokens = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(self._policy.access_token_lifetime.total_seconds()),
            "scope": write_scopes(scopes),
        }
        if refresh_token is not None and authorization.refresh_digests:
            tokens["refresh_token"] = refresh_token
        return tokens

    async def _add_id_token(self, authorization: Authorization, tokens: Tokens) -> Tokens:
        seller = await self._find_seller(authorization.seller or "")
        if Scope.OPENID not in authorization.scopes or seller is None:
            return tokens
        claims = self._claims.id_token(authorization, seller, tokens["access_token"], self._clock())
        return {**tokens, "id_token": await self._keys.sign(ID_TOKEN_TYPE, claims)}
