"""Pages on which people who work for a Seller sign in and out, and set their passwords."""

from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.identity.accounts import (
    SignedIn,
    SignInRefusedError,
    UnknownLinkError,
)
from openbooking.identity.authorize import UnknownClientError
from openbooking.identity.discovery import AUTHORIZE_PATH
from openbooking.identity.guesses import Browser, TooManyAttemptsError
from openbooking.identity.passwords import MIN_LENGTH, WeakPasswordError
from openbooking.identity.records import Partner
from openbooking.system import System
from openbooking.web.pages import (
    PARTNERS_PATH,
    SIGN_IN_PATH,
    BadFormError,
    Form,
    Pages,
    Problem,
    Visit,
    parse_fields,
    site_of,
)

SIGN_OUT_PATH = "/sign-out"
PASSWORD_PATH = "/password"  # noqa: S105 - a path
LINK_PATH = "/set-password"

_WRONG = Problem("The user name or the password is wrong.", ("username", "password"))
WRONG_PASSWORD = Problem("This is not the password you have now.", ("password",))
_DIFFERENT = Problem("This is not the same as the new password. Write both again.", ("repeated",))


class AccountPages:
    """Signing in and out, and passwords."""

    def __init__(self, system: System, pages: Pages) -> None:
        self._system = system
        self._accounts = system.identity.accounts
        self._pages = pages

    def routes(self) -> list[Route]:
        """The pages."""
        return [
            self._pages.route(SIGN_IN_PATH, self._sign_in, ("GET", "POST")),
            self._pages.route_signed_in(SIGN_OUT_PATH, self._sign_out, ("POST",)),
            self._pages.route_signed_in(PASSWORD_PATH, self._change_password, ("GET", "POST")),
            self._pages.route(LINK_PATH, self._use_link, ("GET", "POST")),
        ]

    async def _sign_in(self, request: Request, visit: Visit) -> Response:
        if request.method != "POST":
            going_to = self._pages.destination(request.query_params.get("next", ""))
            # The authorization endpoint sends those here who have signed in if they have to do so again.
            if visit.signed_in and going_to and urlsplit(going_to).path != AUTHORIZE_PATH:
                return self._pages.see(going_to)
            return await self._sign_in_page(request, visit, going_to)
        form = await self._pages.form(request, visit)
        going_to, name = self._pages.destination(form.get("next", "")), form.get("username", "")
        try:
            admission = await self._accounts.sign_in(name, form.get("password", ""), self._browser(request))
        except SignInRefusedError:
            return await self._sign_in_page(request, visit, going_to, _WRONG, name)
        except TooManyAttemptsError as refusal:
            return await self._sign_in_page(request, visit, going_to, wait(refusal, self._system.clock()), name)
        return await self._pages.admit(visit, admission, going_to or PARTNERS_PATH)

    async def _sign_in_page(
        self, request: Request, visit: Visit, going_to: str, problem: Problem | None = None, name: str = ""
    ) -> Response:
        return self._pages.page(
            request,
            visit,
            "accounts/sign_in.html",
            forms_lead_to=await forms_lead_to(self._system, going_to),
            problem=problem,
            going_to=going_to,
            partner=await asking(self._system, going_to),
            name=name,
        )

    async def _sign_out(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        await self._pages.form(request, visit)
        await self._accounts.sign_out(signed_in)
        response = self._pages.see(SIGN_IN_PATH)
        self._pages.forget(response)
        return response

    async def _change_password(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        if request.method != "POST":
            return self._password_page(request, visit)
        form = await self._pages.form(request, visit)
        if _differs(form):
            return self._password_page(request, visit, _DIFFERENT)
        try:
            admission = await self._accounts.change_password(
                signed_in.user, form.get("password", ""), form.get("new_password", ""), self._browser(request)
            )
        except WeakPasswordError as fault:
            return self._password_page(request, visit, _weak(fault))
        except SignInRefusedError:
            return self._password_page(request, visit, WRONG_PASSWORD)
        except TooManyAttemptsError as refusal:
            return self._password_page(request, visit, wait(refusal, self._system.clock()))
        return await self._pages.admit(visit, admission, PARTNERS_PATH)

    async def _use_link(self, request: Request, visit: Visit) -> Response:
        form = await self._pages.form(request, visit) if request.method == "POST" else dict(request.query_params)
        link = form.get("link", "")
        try:
            user = await self._accounts.user_of_link(link)
            if request.method != "POST":
                return self._password_page(request, visit, link=link, name=user.name)
            if _differs(form):
                return self._password_page(request, visit, _DIFFERENT, link, user.name)
            admission = await self._accounts.use_link(link, form.get("new_password", ""))
        except UnknownLinkError:
            return self._pages.page(request, visit, "accounts/unknown_link.html", status=HTTPStatus.NOT_FOUND)
        except WeakPasswordError as fault:
            return self._password_page(request, visit, _weak(fault), link, user.name)
        return await self._pages.admit(visit, admission, PARTNERS_PATH)

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
        return Browser(address(request), self._pages.device(request))


async def asking(system: System, going_to: str) -> Partner | None:
    """The client to whose question the way leads."""
    parts = urlsplit(going_to)
    if parts.path != AUTHORIZE_PATH:
        return None
    try:
        return await system.identity.authorization.client(parse_fields(parts.query))
    except (UnknownClientError, BadFormError):
        return None


async def forms_lead_to(system: System, going_to: str) -> list[str]:
    """The sites to which signing in may lead: back to a client at once if nothing remains to be agreed to."""
    partner = await asking(system, going_to)
    return [site_of(uri) for uri in partner.redirect_uris] if partner else []


def wait(refusal: TooManyAttemptsError, now: datetime) -> Problem:
    """How long to wait. No field is wrong: nothing that is written in them is looked at."""
    minutes = max((refusal.until - now).total_seconds() / 60, 0)
    time = "a minute" if minutes <= 1 else f"{-int(-minutes // 1)} minutes"
    return Problem(f"There were too many attempts. Try again in {time}, or ask for a link to set a new password.")


def _differs(form: Form) -> bool:
    return form.get("new_password") != form.get("repeated")


def _weak(fault: WeakPasswordError) -> Problem:
    return Problem(str(fault), ("new_password",))


def address(request: Request) -> str:
    """Where the request comes from; a proxy that is trusted has said so."""
    return request.client.host if request.client else "unknown"
