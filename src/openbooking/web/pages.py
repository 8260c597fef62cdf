"""The base of all pages for people: templates, security headers, cookies, forms and redirects."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple, TypedDict
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.digests import SecretKind, new_secret
from openbooking.identity.sign_in.accounts import SignedIn
from openbooking.identity.sign_in.attempt_limits import DEVICE_LIFETIME
from openbooking.identity.sign_in.sessions import NextStep, SignInResult
from openbooking.openactive.errors import RequestTooLargeError
from openbooking.system import System
from openbooking.web.errors import RETRY_AFTER_SECONDS
from openbooking.web.request import read_body
from openbooking.web.routes import local_path

STYLE_PATH = "/pages.css"
SIGN_IN_PATH = "/sign-in"
CODE_PATH = "/sign-in/code"
ENROLMENT_PATH = "/sign-in/second-factor"
SECOND_FACTOR_PATH = "/second-factor"
# The page on which people arrive when they have signed in.
PARTNERS_PATH = "/partners"

_FORM_TYPE = "application/x-www-form-urlencoded"
_LARGEST_FORM = 20_000
_A_YEAR = 31_536_000
_log = structlog.get_logger()

_STEP_PATHS = {NextStep.CODE: CODE_PATH, NextStep.ENROLMENT: ENROLMENT_PATH}

Form = dict[str, str]


class BadFormError(Exception):
    """The body is no form, or repeats a field."""


class ForgedFormError(Exception):
    """The form does not come from a page that this browser was shown."""


class Visit(NamedTuple):
    """A request of a browser.

    Attributes:
        secret: The secret in the cookie of the browser, or a new one for it.
        known: Whether the browser sent the secret.
        signed_in: The person who has signed in with this browser, if any.
    """

    secret: str
    known: bool
    signed_in: SignedIn | None

    @property
    def form_token(self) -> str:
        """The token in the forms of this browser, which pages of other sites cannot know."""
        return hmac.new(self.secret.encode(), b"form", hashlib.sha256).hexdigest()


class Problem(NamedTuple):
    """A problem with a form: the message for people, and the names of the wrong fields, if any."""

    text: str
    fields: tuple[str, ...] = ()


class _CookieScope(TypedDict):
    """The attributes that say which requests carry a cookie."""

    path: str
    secure: bool
    httponly: bool


Serve = Callable[[Request, Visit], Awaitable[Response]]
ServeSignedIn = Callable[[Request, Visit, SignedIn], Awaitable[Response]]


class Pages:
    """Renders pages, and recognizes browsers by their cookies."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._secure = urlsplit(system.settings.site).scheme == "https"
        self._root = system.settings.site_path
        self._cookie_scope = _CookieScope(path=self._root or "/", secure=self._secure, httponly=True)
        self._cookie = f"{_cookie_prefix(self._root) if self._secure else ''}openbooking"
        self._device_cookie = f"{self._cookie}-device"
        self._templates = Environment(
            loader=PackageLoader("openbooking.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["day"] = format_day
        self._templates.globals["root"] = self._root
        self._destinations: list[Route] = []

    def routes(self) -> list[Route]:
        """Return the route of the stylesheet of all pages."""
        return [Route(STYLE_PATH, self._style)]

    def route(
        self, path: str, serve: Serve, methods: Collection[str] = ("GET",), *, sign_in_returns: bool = False
    ) -> Route:
        """Return the route of a page for anybody. Faults are shown on a page too.

        Args:
            path: The path below the address of the site.
            serve: Makes the page for one visit.
            methods: The methods that the page has.
            sign_in_returns: Whether somebody who was sent to sign in may be sent back to this page.
        """

        async def endpoint(request: Request) -> Response:
            try:
                return await serve(request, await self._visit(request))
            except ForgedFormError:
                return await self._problem(request, HTTPStatus.FORBIDDEN, "form.html")
            except (BadFormError, RequestTooLargeError):
                return await self._problem(request, HTTPStatus.BAD_REQUEST, "form.html")
            except StoreUnavailableError as fault:
                _log.error("store.unavailable", reason=str(fault))
                response = await self._problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable.html")
                response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
                return response

        route = Route(path, endpoint, methods=list(methods))
        if sign_in_returns:
            self._destinations.append(route)
        return route

    def route_signed_in(self, path: str, serve: ServeSignedIn, methods: Collection[str] = ("GET",)) -> Route:
        """Return the route of a page for people who have signed in.

        Others sign in first. Then they come back, if the page has the method GET.
        """

        async def serve_if_signed_in(request: Request, visit: Visit) -> Response:
            if visit.signed_in is None:
                return self.see_sign_in(quote(local_path(request.scope)) if request.method in ("GET", "HEAD") else "")
            return await serve(request, visit, visit.signed_in)

        return self.route(path, serve_if_signed_in, methods, sign_in_returns="GET" in methods)

    def see(self, path: str) -> Response:
        """Redirect to a path below the address of the site, with GET."""
        return RedirectResponse(self._root + path, HTTPStatus.SEE_OTHER)

    def see_sign_in(self, back_to: str) -> Response:
        """Redirect to the sign-in page, which leads back to that path, if there is one."""
        return self.see(f"{SIGN_IN_PATH}?{urlencode({'next': back_to})}" if back_to else SIGN_IN_PATH)

    def destination(self, text: str) -> str:
        """Return the path and its query if sign-in may lead there, else an empty string.

        It may lead to the pages whose routes say so, all of which are on this site.
        """
        try:
            parts = urlsplit(text)
        except ValueError:
            return ""
        is_local = not parts.scheme and not parts.netloc and text.startswith("/") and "\\" not in text
        path = unquote(parts.path)
        is_known = any(route.path_regex.fullmatch(path) for route in self._destinations)
        return text if is_local and is_known and text.isprintable() and path.isprintable() else ""

    def page(
        self,
        request: Request,
        visit: Visit,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        forms_lead_to: Iterable[str] = (),
        **values: Any,
    ) -> Response:
        """Return a page for this browser.

        Args:
            request: The request.
            visit: The browser.
            template: The name of the template.
            status: The HTTP status; 422 instead if the values name a `problem`.
            forms_lead_to: The other sites to which the forms of the page may lead, by redirects.
            values: The values for the template, among them the `problem` with a form that is shown again.
        """
        if values.get("problem"):
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        response = self._page(request, visit, template, status, forms_lead_to, values)
        if not visit.known:
            self.set_session_cookie(response, visit.secret)
        return response

    async def admit(self, visit: Visit, admission: SignInResult, going_to: str) -> Response:
        """Redirect somebody who has just signed in to the next step of sign-in, or to the page they wanted.

        The browser gets a new secret, and the session of the old one ends. So nobody profits from a secret that was
        planted or seen before.
        """
        if visit.signed_in:
            await self._system.identity.accounts.sign_out(visit.signed_in)
        step = _STEP_PATHS.get(admission.step)
        response = self.see(f"{step}?{urlencode({'next': going_to})}" if step else going_to)
        self.set_cookies(response, admission)
        return response

    def set_cookies(self, response: Response, admission: SignInResult) -> None:
        """Set the cookies of the session and, if there is one, of the known browser."""
        self.set_session_cookie(response, admission.secret)
        if admission.device:
            self._set_device_cookie(response, admission.device)

    def set_session_cookie(self, response: Response, secret: str) -> None:
        """Set the cookie with the secret of the session."""
        lifetime = int(self._system.identity.policy.session_lifetime.total_seconds())
        response.set_cookie(self._cookie, secret, max_age=lifetime, samesite="lax", **self._cookie_scope)

    def _set_device_cookie(self, response: Response, secret: str) -> None:
        """Set the cookie with the secret of the known browser, which outlives the session."""
        lifetime = int(DEVICE_LIFETIME.total_seconds())
        response.set_cookie(self._device_cookie, secret, max_age=lifetime, samesite="strict", **self._cookie_scope)

    def device(self, request: Request) -> str:
        """Return the secret of the known browser; empty if it sent none."""
        return request.cookies.get(self._device_cookie, "")

    def delete_session_cookie(self, response: Response) -> None:
        """Delete the cookie of the session. The cookie of the known browser stays."""
        response.delete_cookie(self._cookie, samesite="lax", **self._cookie_scope)

    async def form(self, request: Request, visit: Visit) -> Form:
        """Return the fields of a form.

        Raises:
            ForgedFormError: The form does not come from a page that this browser was shown.
            BadFormError: The body is no form, or repeats a field.
        """
        form = await read_form(request)
        if not visit.known or not hmac.compare_digest(form.get("form_token", "").encode(), visit.form_token.encode()):
            raise ForgedFormError
        return form

    async def _visit(self, request: Request) -> Visit:
        secret = request.cookies.get(self._cookie)
        if not secret:
            return Visit(new_secret(SecretKind.SESSION), known=False, signed_in=None)
        return Visit(secret, known=True, signed_in=await self._system.identity.accounts.signed_in(secret))

    async def _problem(self, request: Request, status: HTTPStatus, template: str) -> Response:
        return self._page(request, None, template, status, (), {})

    def _page(  # noqa: PLR0913, PLR0917 - what `page` is given, and what `route` shows when things go wrong
        self,
        request: Request,
        visit: Visit | None,
        template: str,
        status: HTTPStatus,
        forms_lead_to: Iterable[str],
        values: Mapping[str, Any],
    ) -> Response:
        user = visit.signed_in.user if visit and visit.signed_in else None
        shown = self._templates.get_template(template).render(
            service=self._system.settings.name,
            style_path=self._root + STYLE_PATH,
            form_token=visit.form_token if visit else "",
            user=user,
            may_have_factor=user is not None and self._system.identity.second_factors.concerns(user),
            path=local_path(request.scope),
            **{"problem": None, **values},
        )
        return HTMLResponse(shown, status, {**self._headers(forms_lead_to), "Cache-Control": "no-store"})

    async def _style(self, request: Request) -> Response:
        del request
        style = self._templates.get_template("pages.css").render()
        return Response(
            style, headers={**self._headers(()), "Cache-Control": "public, max-age=900"}, media_type="text/css"
        )

    def _headers(self, forms_lead_to: Iterable[str]) -> dict[str, str]:
        """Return headers that forbid scripts, styles and pictures of other sites, frames, and referrers."""
        # Browsers apply form-action to each redirect that follows a form, too.
        targets = " ".join(["'self'", *forms_lead_to])
        policy = f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {targets}"
        headers = {
            "Content-Security-Policy": f"{policy}; frame-ancestors 'none'; base-uri 'none'",
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        return headers | ({"Strict-Transport-Security": f"max-age={_A_YEAR}"} if self._secure else {})


async def read_form(request: Request) -> Form:
    """Return the fields of a form; raise BadFormError if the body is none or repeats a field."""
    if not _is_form(request.headers):
        raise BadFormError
    return parse_fields((await read_body(request, _LARGEST_FORM)).decode(errors="replace"))


def parse_fields(text: str) -> Form:
    """Return the fields of a query or form; raise BadFormError if one repeats (RFC 6749 3.1) or holds a NUL."""
    try:
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=50)
    except ValueError as fault:
        raise BadFormError from fault
    form = dict(fields)
    # PostgreSQL cannot look for a text with NUL.
    if len(form) < len(fields) or any("\0" in value for value in form.values()):
        raise BadFormError
    return form


def format_day(instant: datetime) -> str:
    """Return the day as people write it."""
    return f"{instant.day} {instant:%B %Y}"


def site_of(url: str) -> str:
    """Return scheme, host and port of a URL: the origin, for browsers."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_form(headers: Headers) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM_TYPE


def _cookie_prefix(root: str) -> str:
    """Return the prefix with which browsers take a cookie from pages with TLS only.

    With `__Host-` they also refuse cookies that another host sets for this one. That prefix asks for the path `/`, so
    a site below a path goes without: two installations on one host must not share a cookie.
    """
    return "__Secure-" if root else "__Host-"
