"""The endpoints of the OpenID provider: tokens and metadata for clients, consent pages for users.

`_with_json_errors` turns errors of the endpoints for clients into JSON. `Pages.route` turns errors of the consent pages
into pages.
"""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.authentication import bearer_token
from openbooking.identity.oauth.authorization_endpoint import (
    Answer,
    AskConsent,
    AuthorizationRequest,
    MayNotConsent,
    Redirect,
    SignInFirst,
    UnknownClientError,
)
from openbooking.identity.oauth.discovery import (
    AUTHORIZE_PATH,
    CONFIGURATION_PATH,
    JWKS_PATH,
    METADATA_PATH,
    REGISTER_PATH,
    REVOKE_PATH,
    TOKEN_PATH,
    ProviderMetadata,
    describe_provider,
)
from openbooking.identity.oauth.errors import (
    InvalidClientError,
    InvalidClientMetadataError,
    InvalidGrantError,
    InvalidRedirectUriError,
    InvalidRequestError,
    InvalidScopeError,
    InvalidTokenError,
    OAuthError,
    TemporarilyUnavailableError,
    UnsupportedGrantTypeError,
)
from openbooking.identity.oauth.errors import RequestTooLargeError as RequestTooLargeForClientsError
from openbooking.identity.oauth.registration import ClientMetadata, RegisteredClient, write_registration
from openbooking.identity.oauth.signing_keys import JwkSet
from openbooking.identity.oauth.token_endpoint import RevocationForm, TokenForm, Tokens
from openbooking.identity.sign_in.accounts import SignedIn
from openbooking.openactive.errors import OpenBookingError, RequestTooLargeError
from openbooking.system import System
from openbooking.web.errors import RETRY_AFTER_SECONDS
from openbooking.web.operation import (
    FORM_MEDIA_TYPE,
    JSON_MEDIA_TYPE,
    Body,
    Credentials,
    Operation,
    Reply,
    Subject,
    describe,
    operation_of,
)
from openbooking.web.pages import BadFormError, Form, Pages, Visit, parse_fields, read_unchecked_form
from openbooking.web.rendering import origin_of
from openbooking.web.request import read_body
from openbooking.web.routes import ApiRoute, api_route

CONSENT_PATH = "/oauth/consent"

_NOT_CACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_LARGEST_METADATA = 20_000
_log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]


class OAuth:
    """The endpoints of the OpenID provider."""

    def __init__(self, system: System, pages: Pages) -> None:
        self._system = system
        self._provider = system.identity
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes of the discovery document, and of the endpoints that it names.

        If the issuer has a path, RFC 8414 (3.1) puts the metadata at the root of the host, with the path at the end.
        The last route answers there, if requests for the root of the host reach this server.
        """
        path = self._system.settings.site_path
        at_root = [Route(METADATA_PATH + path, self._describe, include_in_schema=False)] if path else []
        return [
            api_route(CONFIGURATION_PATH, self._describe),
            Route(METADATA_PATH, self._describe, include_in_schema=False),
            api_route(JWKS_PATH, self._keys),
            _client_route(TOKEN_PATH, self._tokens),
            _client_route(REVOKE_PATH, self._revoke),
            _client_route(REGISTER_PATH, self._register),
            self._pages.route(AUTHORIZE_PATH, self._authorize, ("GET", "POST"), sign_in_returns=True),
            self._pages.route_signed_in(CONSENT_PATH, self._decide, ("POST",)),
            *at_root,
        ]

    @describe(
        Operation(
            id="describeProvider",
            summary="Metadata of the provider",
            subject=Subject.OPENID,
            replies=(Reply(HTTPStatus.OK, "The metadata.", Body((ProviderMetadata,), JSON_MEDIA_TYPE)),),
        )
    )
    async def _describe(self, request: Request) -> Response:
        """Return the addresses and the abilities of the OpenID provider."""
        del request
        described = describe_provider(self._provider.policy.issuer)
        return JSONResponse(described, headers={"Cache-Control": "public, max-age=3600"})

    @describe(
        Operation(
            id="readKeys",
            summary="Keys of the provider",
            subject=Subject.OPENID,
            replies=(Reply(HTTPStatus.OK, "The keys.", Body((JwkSet,), JSON_MEDIA_TYPE)),),
        )
    )
    async def _keys(self, request: Request) -> Response:
        """Return the public keys with which clients check ID tokens."""
        del request
        return JSONResponse(await self._provider.keys.public_keys(), headers={"Cache-Control": "public, max-age=300"})

    @describe(
        Operation(
            id="requestTokens",
            summary="Get tokens",
            subject=Subject.OPENID,
            credentials=Credentials.CLIENT,
            body=Body((TokenForm,), FORM_MEDIA_TYPE),
            replies=(Reply(HTTPStatus.OK, "The tokens.", Body((Tokens,), JSON_MEDIA_TYPE)),),
            errors=(
                InvalidRequestError,
                RequestTooLargeForClientsError,
                InvalidClientError,
                InvalidGrantError,
                InvalidScopeError,
                UnsupportedGrantTypeError,
                TemporarilyUnavailableError,
            ),
            unavailable=None,
        )
    )
    async def _tokens(self, request: Request) -> Response:
        """Exchange a code or a refresh token for tokens, or get a token for the Orders feeds of the client."""
        form = await _read_form(request)
        tokens = await self._provider.tokens.issue(form, request.headers.get("authorization"))
        return JSONResponse(tokens, headers=_NOT_CACHED)

    @describe(
        Operation(
            id="revokeToken",
            summary="Revoke a token",
            subject=Subject.OPENID,
            credentials=Credentials.CLIENT,
            body=Body((RevocationForm,), FORM_MEDIA_TYPE),
            replies=(Reply(HTTPStatus.OK, "The token is not valid any more."),),
            errors=(
                InvalidRequestError,
                RequestTooLargeForClientsError,
                InvalidClientError,
                TemporarilyUnavailableError,
            ),
            unavailable=None,
        )
    )
    async def _revoke(self, request: Request) -> Response:
        """End the authorization of a token. An unknown token is no error."""
        form = await _read_form(request)
        await self._provider.tokens.revoke(form, request.headers.get("authorization"))
        return Response(headers=_NOT_CACHED)

    @describe(
        Operation(
            id="registerClient",
            summary="Register a Booking Partner",
            subject=Subject.OPENID,
            credentials=Credentials.REGISTRATION_TOKEN,
            body=Body((ClientMetadata,), JSON_MEDIA_TYPE),
            replies=(Reply(HTTPStatus.CREATED, "The new client.", Body((RegisteredClient,), JSON_MEDIA_TYPE)),),
            errors=(
                InvalidClientMetadataError,
                InvalidRedirectUriError,
                RequestTooLargeForClientsError,
                InvalidTokenError,
                TemporarilyUnavailableError,
            ),
            unavailable=None,
        )
    )
    async def _register(self, request: Request) -> Response:
        """Register a Booking Partner with a registration token of an administrator."""
        try:
            token = bearer_token(request.headers, OpenBookingError, OpenBookingError)
        except OpenBookingError as fault:
            raise InvalidTokenError("Send a registration token, as Authorization: Bearer.") from fault
        registered = await self._provider.registration.register(token, await _read_metadata(request))
        return JSONResponse(write_registration(registered), HTTPStatus.CREATED, _NOT_CACHED)

    async def _authorize(self, request: Request, visit: Visit) -> Response:
        try:
            is_form = request.method == "POST"
            parameters = await read_unchecked_form(request) if is_form else parse_fields(request.url.query)
            answer = await self._provider.authorization.handle(parameters, visit.signed_in)
        except (UnknownClientError, BadFormError):
            return self._pages.page(request, visit, "accounts/unknown_client.html", status=HTTPStatus.BAD_REQUEST)
        return await self._show_answer(request, visit, parameters, answer)

    async def _decide(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        form = await self._pages.read_form(request, visit)
        try:
            parameters = parse_fields(form.get("request", ""))
            agreed = form.get("decision") == "allow"
            answer = await self._provider.authorization.decide(parameters, signed_in, agreed=agreed)
        except UnknownClientError:
            return self._pages.page(request, visit, "accounts/unknown_client.html", status=HTTPStatus.BAD_REQUEST)
        return await self._show_answer(request, visit, parameters, answer)

    async def _show_answer(self, request: Request, visit: Visit, parameters: Form, answer: Answer) -> Response:
        match answer:
            case Redirect(url):
                return RedirectResponse(url, HTTPStatus.SEE_OTHER, _NOT_CACHED)
            case SignInFirst(parameters=then):
                return self._pages.redirect_to_sign_in(f"{AUTHORIZE_PATH}?{urlencode(then)}")
            case AskConsent(asked):
                return await self._consent_page(request, visit, "accounts/consent.html", asked, parameters)
            case MayNotConsent(asked):
                return await self._consent_page(request, visit, "accounts/may_not_consent.html", asked, parameters)

    async def _consent_page(
        self, request: Request, visit: Visit, template: str, asked: AuthorizationRequest, parameters: Form
    ) -> Response:
        assert visit.signed_in is not None  # noqa: S101 - only signed-in users are asked
        back_to = origin_of(asked.redirect_uri)
        return self._pages.page(
            request,
            visit,
            template,
            status=HTTPStatus.OK if template == "accounts/consent.html" else HTTPStatus.FORBIDDEN,
            form_targets=[back_to],
            partner=asked.partner,
            scopes=asked.scopes,
            seller=await self._provider.seller(visit.signed_in.user.seller),
            back_to=back_to,
            request_=urlencode(parameters),
        )


def _with_json_errors(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that answers with JSON if the given endpoint raises an error (RFC 6749 5.2)."""

    async def serve(request: Request) -> Response:
        try:
            return await endpoint(request)
        except OAuthError as error:
            return _error(error)
        except RequestTooLargeError as error:
            return _error(RequestTooLargeForClientsError(str(error)))
        except StoreUnavailableError as fault:
            _log.error("store.unavailable", reason=str(fault))
            response = _error(TemporarilyUnavailableError("The database is unavailable. Try again later."))
            response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
            return response

    return serve


def _client_route(path: str, handler: Endpoint) -> ApiRoute:
    return ApiRoute(path, _with_json_errors(handler), {"POST": operation_of(handler)})


def _error(error: OAuthError) -> Response:
    scheme = "Bearer" if isinstance(error, InvalidTokenError) else "Basic"
    challenge = {"WWW-Authenticate": f'{scheme} realm="clients"'} if error.status == HTTPStatus.UNAUTHORIZED else {}
    written = {"error": error.code, "error_description": error.description}
    return JSONResponse(written, error.status, {**_NOT_CACHED, **challenge})


async def _read_form(request: Request) -> Form:
    if request.url.query:
        raise InvalidRequestError("Send the parameters in the body, because URLs are logged.")
    try:
        return await read_unchecked_form(request)
    except BadFormError as fault:
        raise InvalidRequestError("Send a form, with each parameter once.") from fault


async def _read_metadata(request: Request) -> Any:
    try:
        return json.loads(await read_body(request, _LARGEST_METADATA))
    except (ValueError, RecursionError) as fault:
        raise InvalidClientMetadataError("Send a JSON object.") from fault
