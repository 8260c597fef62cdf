"""Pages on which users of Sellers sign in, sign out and set passwords."""

from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.identity.oauth.authorization_endpoint import UnknownClientError
from openbooking.identity.oauth.discovery import AUTHORIZE_PATH
from openbooking.identity.records import Partner
from openbooking.identity.sign_in.accounts import (
    InvalidLinkError,
    SignedIn,
    SignInRefusedError,
)
from openbooking.identity.sign_in.attempt_limiter import Browser, TooManyAttemptsError
from openbooking.identity.sign_in.passwords import MIN_LENGTH, WeakPasswordError
from openbooking.system import System
from openbooking.web.menu import MenuEntry
from openbooking.web.pages import (
    LINK_PATH,
    LOST_FIELD,
    SIGN_IN_PATH,
    BadFormError,
    Form,
    Pages,
    Problem,
    Visit,
    parse_fields,
)
from openbooking.web.rendering import origin_of

SIGN_OUT_PATH = "/sign-out"
PASSWORD_PATH = "/password"  # noqa: S105 - a path

_WRONG = Problem("The user name or the password is wrong.", ("username", "password"))
WRONG_PASSWORD = Problem("This is not your current password.", ("password",))
_DIFFERENT_PASSWORDS = Problem("The two new passwords differ. Type both again.", ("repeated",))


class AccountPages:
    """The pages for sign-in, sign-out and passwords."""

    def __init__(self, system: System, pages: Pages) -> None:
        self._system = system
        self._accounts = system.identity.accounts
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes of the pages."""
        return [
            self._pages.route(SIGN_IN_PATH, self._sign_in, ("GET", "POST")),
            self._pages.route_signed_in(SIGN_OUT_PATH, self._sign_out, ("POST",)),
            self._pages.route_signed_in(
                PASSWORD_PATH,
                self._change_password,
                ("GET", "POST"),
                menu=MenuEntry("Change password", is_account=True),
            ),
            self._pages.route(LINK_PATH, self._use_link, ("GET", "POST")),
        ]

    async def _sign_in(self, request: Request, visit: Visit) -> Response:
        if request.method != "POST":
            next_path = self._pages.safe_next_path(request.query_params.get("next", ""))
            # The authorization endpoint also sends signed-in people here, if they have to sign in again.
            if visit.signed_in and next_path and urlsplit(next_path).path != AUTHORIZE_PATH:
                return self._pages.redirect(next_path)
            return await self._sign_in_page(request, visit, next_path)
        form = await self._pages.read_form(request, visit)
        next_path, name = self._pages.safe_next_path(form.get("next", "")), form.get("username", "")
        try:
            sign_in = await self._accounts.sign_in(name, form.get("password", ""), self._browser(request))
        except SignInRefusedError:
            return await self._sign_in_page(request, visit, next_path, _WRONG, name)
        except TooManyAttemptsError as refusal:
            problem = wait_message(refusal, self._system.clock())
            return await self._sign_in_page(request, visit, next_path, problem, name)
        return await self._pages.begin_session(visit, sign_in, next_path or self._pages.start_path)

    async def _sign_in_page(
        self, request: Request, visit: Visit, next_path: str, problem: Problem | None = None, name: str = ""
    ) -> Response:
        return self._pages.page(
            request,
            visit,
            "accounts/sign_in.html",
            form_targets=await form_targets(self._system, next_path),
            problem=problem,
            next_path=next_path,
            partner=await requesting_client(self._system, next_path),
            name=name,
            form_is_lost=LOST_FIELD in request.query_params,
        )

    async def _sign_out(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        await self._pages.read_form(request, visit)
        await self._accounts.sign_out(signed_in)
        response = self._pages.redirect(SIGN_IN_PATH)
        self._pages.delete_session_cookie(response)
        return response

    async def _change_password(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        if request.method != "POST":
            return self._password_page(request, visit)
        form = await self._pages.read_form(request, visit)
        if _new_passwords_differ(form):
            return self._password_page(request, visit, _DIFFERENT_PASSWORDS)
        try:
            sign_in = await self._accounts.change_password(
                signed_in.user, form.get("password", ""), form.get("new_password", ""), self._browser(request)
            )
        except WeakPasswordError as fault:
            return self._password_page(request, visit, _weak(fault))
        except SignInRefusedError:
            return self._password_page(request, visit, WRONG_PASSWORD)
        except TooManyAttemptsError as refusal:
            return self._password_page(request, visit, wait_message(refusal, self._system.clock()))
        return await self._pages.begin_session(visit, sign_in, self._pages.start_path)

    async def _use_link(self, request: Request, visit: Visit) -> Response:
        form = await self._pages.read_form(request, visit) if request.method == "POST" else dict(request.query_params)
        link = form.get("link", "")
        try:
            user = await self._accounts.user_of_link(link)
            if request.method != "POST":
                return self._password_page(request, visit, link=link, name=user.name)
            if _new_passwords_differ(form):
                return self._password_page(request, visit, _DIFFERENT_PASSWORDS, link, user.name)
            sign_in = await self._accounts.use_link(link, form.get("new_password", ""))
        except InvalidLinkError:
            return self._pages.page(request, visit, "accounts/invalid_link.html", status=HTTPStatus.NOT_FOUND)
        except WeakPasswordError as fault:
            return self._password_page(request, visit, _weak(fault), link, user.name)
        return await self._pages.begin_session(visit, sign_in, self._pages.start_path)

    def _password_page(
        self, request: Request, visit: Visit, problem: Problem | None = None, link: str = "", name: str = ""
    ) -> Response:
        return self._pages.page(
            request,
            visit,
            "accounts/password.html",
            problem=problem,
            link=link,
            name=name or (visit.signed_in.user.name if visit.signed_in else ""),
            min_length=MIN_LENGTH,
        )

    def _browser(self, request: Request) -> Browser:
        return Browser(client_address(request), self._pages.device_secret(request))


async def requesting_client(system: System, next_path: str) -> Partner | None:
    """Return the client whose authorization request continues after sign-in; None if there is no such request."""
    parts = urlsplit(next_path)
    if parts.path != AUTHORIZE_PATH:
        return None
    try:
        return await system.identity.authorization.find_client(parse_fields(parts.query))
    except (UnknownClientError, BadFormError):
        return None


async def form_targets(system: System, next_path: str) -> list[str]:
    """Return the sites to which the sign-in form may redirect: those of a client, if the user consented before."""
    partner = await requesting_client(system, next_path)
    return [origin_of(uri) for uri in partner.redirect_uris] if partner else []


def wait_message(refusal: TooManyAttemptsError, now: datetime) -> Problem:
    """Return the message that says how long to wait. It names no field, because no value was checked."""
    minutes = max((refusal.until - now).total_seconds() / 60, 0)
    time = "a minute" if minutes <= 1 else f"{-int(-minutes // 1)} minutes"
    return Problem(f"Too many attempts. Try again in {time}, or ask for a link to set a new password.")


def _new_passwords_differ(form: Form) -> bool:
    return form.get("new_password") != form.get("repeated")


def _weak(fault: WeakPasswordError) -> Problem:
    return Problem(str(fault), ("new_password",))


def client_address(request: Request) -> str:
    """Return the IP address of the client, which a trusted proxy may have reported."""
    return request.client.host if request.client else "unknown"
