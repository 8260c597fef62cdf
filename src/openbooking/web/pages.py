"""The base of all pages for people: their routes, menu, templates, security headers, cookies, forms and redirects.

`Pages.set_session_cookie` makes the session cookie. `Pages.read_form` checks the CSRF token of a form. `Pages.route`
turns exceptions about forms and the store into error pages. `web/errors.py` answers all other exceptions: with pages
for people (`web/error_pages.py`), and with JSON-LD for programs.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple, TypedDict
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from openbooking.booking.model.opportunity import Seller
from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.digests import SecretKind, new_secret
from openbooking.identity.sign_in.accounts import SignedIn
from openbooking.identity.sign_in.attempt_limits import DEVICE_LIFETIME
from openbooking.identity.sign_in.sessions import NextStep, SignInResult
from openbooking.openactive.errors import RequestTooLargeError
from openbooking.system import System
from openbooking.web.assets import asset_routes, theme_path
from openbooking.web.branding import logo_of
from openbooking.web.error_pages import PageRoute
from openbooking.web.errors import RETRY_AFTER_SECONDS
from openbooking.web.menu import MenuEntry, menu_links
from openbooking.web.rendering import Renderer
from openbooking.web.request import read_body
from openbooking.web.routes import local_path

SIGN_IN_PATH = "/sign-in"
# The field in the query of sign-in which says that a form was sent without a session.
LOST_FIELD = "lost"
CODE_PATH = "/sign-in/code"
ENROLMENT_PATH = "/sign-in/second-factor"
SECOND_FACTOR_PATH = "/second-factor"
PARTNERS_PATH = "/partners"
LINK_PATH = "/set-password"

_FORM_TYPE = "application/x-www-form-urlencoded"
# The form of a facility repeats fields for each of its courts, opening hours and prices.
_LARGEST_FORM, _LARGEST_FORM_SIGNED_IN = 20_000, 200_000
# The form that changes an Order has up to two fields for each of its items.
_MOST_FIELDS, _MOST_FIELDS_SIGNED_IN = 50, 1_000
# A longer path and query would not fit into the sign-in form, which carries them URL-encoded.
_LONGEST_NEXT_PATH = 2_000
# The characters of a query that need no encoding, and `%`, because the query is encoded already (RFC 3986 3.4).
_QUERY_CHARACTERS = "!$&'()*+,;=:@/?%"
_log = structlog.get_logger()

_STEP_PATHS = {NextStep.CODE: CODE_PATH, NextStep.ENROLMENT: ENROLMENT_PATH}

Form = dict[str, str]


class BadFormError(Exception):
    """The body is not a form, or the form repeats a field."""


class CsrfError(Exception):
    """The form has no valid CSRF token: it does not come from a page that this browser was shown."""


class Visit(NamedTuple):
    """A request of a browser.

    Attributes:
        secret: The secret in the session cookie of the browser; a new secret if the browser sent no cookie.
        known: Whether the browser sent the secret.
        signed_in: The user who has signed in with this browser; None if nobody has.
    """

    secret: str
    known: bool
    signed_in: SignedIn | None

    @property
    def form_token(self) -> str:
        """The CSRF token in the forms of this browser. Pages of other sites cannot know the token.

        A user who acts for several Sellers has a token for each: a form that was opened for one Seller cannot be sent
        while the browser acts for another one.
        """
        seller = self.signed_in.user.seller if self.signed_in else ""
        return hmac.new(self.secret.encode(), f"form {seller}".encode(), hashlib.sha256).hexdigest()


class Problem(NamedTuple):
    """A problem with a form.

    Attributes:
        text: The message for people.
        fields: The names of the wrong fields, if any.
        others: The other problems of the form, which the summary lists after this one.
    """

    text: str
    fields: tuple[str, ...] = ()
    others: tuple["Problem", ...] = ()


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
        self._renderer = Renderer(system.settings)
        self._root = self._renderer.root
        is_secure = self._renderer.is_secure
        self._cookie_scope = _CookieScope(path=self._root or "/", secure=is_secure, httponly=True)
        self._cookie = f"{_cookie_prefix(self._root) if is_secure else ''}openbooking"
        self._device_cookie = f"{self._cookie}-device"
        self._renderer.add_filters(day=format_day)
        self._next_pages: list[Route] = []
        self._menu: dict[str, MenuEntry] = {}

    @property
    def start_path(self) -> str:
        """The path of the page after a sign-in that began at no other page: the first one in the menu."""
        return next(iter(self._menu))

    def add_filters(self, **filters: Callable[..., str]) -> None:
        """Add filters that templates can use, by their names."""
        self._renderer.add_filters(**filters)

    def routes(self) -> list[Route]:
        """Return the routes of the stylesheets and the icon of all pages."""
        return asset_routes(self._renderer)

    def route(
        self,
        path: str,
        serve: Serve,
        methods: Collection[str] = ("GET",),
        *,
        sign_in_returns: bool = False,
    ) -> Route:
        """Return the route of a page for everybody. Exceptions about forms and the store become error pages here.

        Args:
            path: The path below the address of the site.
            serve: Makes the page for one visit.
            methods: The HTTP methods of the page.
            sign_in_returns: Whether sign-in may return to this page.
        """

        async def endpoint(request: Request) -> Response:
            try:
                return await serve(request, await self._visit(request))
            except CsrfError:
                return self._renderer.page("form.html", {}, status=HTTPStatus.FORBIDDEN)
            except (BadFormError, RequestTooLargeError):
                return self._renderer.page("form.html", {}, status=HTTPStatus.BAD_REQUEST)
            except StoreUnavailableError as fault:
                _log.error("store.unavailable", reason=str(fault))
                response = self._renderer.page("unavailable.html", {}, status=HTTPStatus.SERVICE_UNAVAILABLE)
                response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
                return response

        route = PageRoute(path, endpoint, methods=list(methods))
        if sign_in_returns:
            self._next_pages.append(route)
        return route

    def route_signed_in(
        self,
        path: str,
        serve: ServeSignedIn,
        methods: Collection[str] = ("GET",),
        *,
        menu: MenuEntry | None = None,
    ) -> Route:
        """Return the route of a page for signed-in users.

        Other people are sent to sign-in. Sign-in returns to the page and its query, if the page has the method GET.

        Args:
            path: The path below the address of the site.
            serve: Makes the page for one visit of a signed-in user.
            methods: The HTTP methods of the page.
            menu: The link to the page in the menu. The menu lists its links in the order of these calls.

        Raises:
            ValueError: The page has a menu entry, but its path has parameters.
        """

        async def serve_if_signed_in(request: Request, visit: Visit) -> Response:
            if visit.signed_in is None:
                path, is_form = _path_and_query(request), request.method not in ("GET", "HEAD")
                return self.redirect_to_sign_in(self.safe_next_path(path) if is_form else path, form_is_lost=is_form)
            return await serve(request, visit, visit.signed_in)

        route = self.route(path, serve_if_signed_in, methods, sign_in_returns="GET" in methods)
        if menu:
            if route.param_convertors:
                raise ValueError(f"A page with parameters in its path cannot be in the menu: {path}")
            self._menu[path] = menu
        return route

    def redirect(self, path: str) -> Response:
        """Redirect the browser to a path below the address of the site, with GET."""
        return RedirectResponse(self._root + path, HTTPStatus.SEE_OTHER)

    def redirect_to_sign_in(self, next_path: str, *, form_is_lost: bool = False) -> Response:
        """Redirect the browser to the sign-in page, which returns to `next_path` unless that is empty.

        With `form_is_lost`, the page says that a form was sent in vain.
        """
        query = {"next": next_path, **({LOST_FIELD: "yes"} if form_is_lost else {})}
        return self.redirect(f"{SIGN_IN_PATH}?{urlencode(query)}" if next_path else SIGN_IN_PATH)

    def safe_next_path(self, text: str) -> str:
        """Return a path with its query if sign-in may redirect to it, else an empty string.

        Sign-in redirects only to pages of this site whose routes allow this, so that a link to the sign-in page cannot
        lead to another site (no open redirect).
        """
        try:
            parts = urlsplit(text)
        except ValueError:
            return ""
        is_local = not parts.scheme and not parts.netloc and text.startswith("/") and "\\" not in text
        path = unquote(parts.path)
        is_known = any(route.path_regex.fullmatch(path) for route in self._next_pages)
        return text if is_local and is_known and text.isprintable() and path.isprintable() else ""

    def page(  # noqa: PLR0913 - the parts of a response that differ between pages
        self,
        request: Request,
        visit: Visit,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        form_targets: Iterable[str] = (),
        brand: Seller | None = None,
        **values: Any,
    ) -> Response:
        """Return a page for this browser.

        Args:
            request: The request.
            visit: The visit of the browser.
            template: The name of the template.
            status: The HTTP status. A page with a `problem` has the status 422 instead.
            form_targets: The other sites to which the forms of the page may redirect.
            brand: The Seller whose name, logo and colour the page shows.
            values: The values for the template. A form that is shown again has its `problem` among them.
        """
        if values.get("problem"):
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        user = visit.signed_in.user if visit.signed_in else None
        logo = logo_of(brand) if brand else None
        shown = {
            "form_token": visit.form_token,
            "user": user,
            "menu": menu_links(self._menu, user, local_path(request.scope)) if user else [],
            "brand": brand.name if brand else "",
            "logo": logo.url if logo else "",
            "theme_path": theme_path(self._root, brand) if brand else "",
            **values,
        }
        image_sources = [logo.origin] if logo else []
        response = self._renderer.page(
            template, shown, status=status, form_targets=form_targets, image_sources=image_sources
        )
        if not visit.known:
            self.set_session_cookie(response, visit.secret)
        return response

    async def begin_session(self, visit: Visit, sign_in: SignInResult, next_path: str) -> Response:
        """Redirect a user who has just signed in to the next step of sign-in, or to `next_path` if no step is left.

        The browser gets a new secret, and the session of its old secret ends. An attacker who planted or saw the old
        secret cannot use it (session fixation).
        """
        if visit.signed_in:
            await self._system.identity.accounts.sign_out(visit.signed_in)
        step = _STEP_PATHS.get(sign_in.step)
        response = self.redirect(f"{step}?{urlencode({'next': next_path})}" if step else next_path)
        self.set_cookies(response, sign_in)
        return response

    def set_cookies(self, response: Response, sign_in: SignInResult) -> None:
        """Set the session cookie and, if the sign-in has one, the cookie of the known browser."""
        self.set_session_cookie(response, sign_in.secret)
        if sign_in.device:
            self._set_device_cookie(response, sign_in.device)

    def set_session_cookie(self, response: Response, secret: str) -> None:
        """Set the session cookie, which holds the secret of the session for `session_lifetime`."""
        lifetime = int(self._system.identity.policy.session_lifetime.total_seconds())
        response.set_cookie(self._cookie, secret, max_age=lifetime, samesite="lax", **self._cookie_scope)

    def _set_device_cookie(self, response: Response, secret: str) -> None:
        """Set the cookie with the secret of the known browser, which outlives the session."""
        lifetime = int(DEVICE_LIFETIME.total_seconds())
        response.set_cookie(self._device_cookie, secret, max_age=lifetime, samesite="strict", **self._cookie_scope)

    def device_secret(self, request: Request) -> str:
        """Return the secret in the cookie of the known browser; an empty string if there is no cookie."""
        return request.cookies.get(self._device_cookie, "")

    def delete_session_cookie(self, response: Response) -> None:
        """Delete the session cookie. The cookie of the known browser stays."""
        response.delete_cookie(self._cookie, samesite="lax", **self._cookie_scope)

    async def read_form(self, request: Request, visit: Visit) -> Form:
        """Return the fields of a form, after a check of its CSRF token.

        Raises:
            CsrfError: The form does not come from a page that this browser was shown.
            BadFormError: The body is not a form, or the form repeats a field.
        """
        most_fields = _MOST_FIELDS_SIGNED_IN if visit.signed_in else _MOST_FIELDS
        largest = _LARGEST_FORM_SIGNED_IN if visit.signed_in else _LARGEST_FORM
        form = await read_unchecked_form(request, most_fields, largest)
        if not visit.known or not hmac.compare_digest(form.get("form_token", "").encode(), visit.form_token.encode()):
            raise CsrfError
        return form

    async def _visit(self, request: Request) -> Visit:
        secret = request.cookies.get(self._cookie)
        if not secret:
            return Visit(new_secret(SecretKind.SESSION), known=False, signed_in=None)
        return Visit(secret, known=True, signed_in=await self._system.identity.accounts.find_session(secret))


async def read_unchecked_form(request: Request, most_fields: int = _MOST_FIELDS, largest: int = _LARGEST_FORM) -> Form:
    """Return the fields of a form without a check for CSRF, as requests of programs need.

    Args:
        request: The request.
        most_fields: The largest number of fields.
        largest: The largest number of bytes.

    Raises:
        BadFormError: The body is not a form, or the form repeats a field.
    """
    if not _is_form(request.headers):
        raise BadFormError
    return parse_fields((await read_body(request, largest)).decode(errors="replace"), most_fields)


def parse_fields(text: str, most_fields: int = _MOST_FIELDS) -> Form:
    """Return the fields of a query or form. Raise BadFormError if a field repeats (RFC 6749 3.1) or contains NUL."""
    try:
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=most_fields)
    except ValueError as fault:
        raise BadFormError from fault
    form = dict(fields)
    # PostgreSQL refuses texts that contain NUL.
    if len(form) < len(fields) or any("\0" in value for value in form.values()):
        raise BadFormError
    return form


def format_day(instant: datetime) -> str:
    """Return the day of an instant for people, such as `1 March 2027`."""
    return f"{instant.day} {instant:%B %Y}"


def _path_and_query(request: Request) -> str:
    """Return the path of a request below the address of the site, with its query unless the query is too long."""
    path, query = quote(local_path(request.scope)), quote(request.scope["query_string"], safe=_QUERY_CHARACTERS)
    return f"{path}?{query}" if query and len(path) + len(query) < _LONGEST_NEXT_PATH else path


def _is_form(headers: Headers) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM_TYPE


def _cookie_prefix(root: str) -> str:
    """Return the prefix of cookie names with which browsers accept a cookie only over TLS.

    With the prefix `__Host-` browsers also refuse cookies that another host sets for this host. `__Host-` requires the
    cookie path `/`. A site below a path uses `__Secure-` with that path, because two sites on one host must not share a
    cookie.
    """
    return "__Secure-" if root else "__Host-"
