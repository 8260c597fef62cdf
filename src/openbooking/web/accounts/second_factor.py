"""Pages for the second step of sign-in, and for setting up and removing the second factor."""

import io
from typing import Any

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.identity.sign_in.accounts import SignedIn, SignInRefusedError
from openbooking.identity.sign_in.attempt_limiter import Browser, TooManyAttemptsError
from openbooking.identity.sign_in.second_factors import Enrolment, Pending, WrongCodeError
from openbooking.identity.sign_in.totp import enrolment_uri, split_into_groups
from openbooking.system import System
from openbooking.web.accounts.sign_in import WRONG_PASSWORD, client_address, form_targets, wait_message
from openbooking.web.menu import MenuEntry
from openbooking.web.pages import (
    CODE_PATH,
    ENROLMENT_PATH,
    SECOND_FACTOR_PATH,
    Form,
    Pages,
    Problem,
    Visit,
)

RECOVERY_PATH = "/sign-in/recovery-code"
REMOVE_PATH = "/second-factor/remove"

_WRONG_CODE = Problem("The code is wrong or was used before. Wait for the next code in your app.", ("code",))
_WRONG_RECOVERY_CODE = Problem("The recovery code is wrong or was used before.", ("code",))
_WRONG_EITHER = Problem("The code is wrong or was used before.", ("code",))
_REFUSALS = (SignInRefusedError, WrongCodeError, TooManyAttemptsError)


class SecondFactorPages:
    """The pages of the second factor, during sign-in and after it."""

    def __init__(self, system: System, pages: Pages) -> None:
        self._system = system
        self._factors = system.identity.second_factors
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes of the pages."""
        return [
            self._pages.route(CODE_PATH, self._code, ("GET", "POST")),
            self._pages.route(RECOVERY_PATH, self._recovery_code, ("GET", "POST")),
            self._pages.route(ENROLMENT_PATH, self._enrol_pending, ("GET", "POST")),
            self._pages.route_signed_in(
                SECOND_FACTOR_PATH,
                self._second_factor,
                ("GET", "POST"),
                menu=MenuEntry("Second factor", self._factors.is_available_to, is_account=True),
            ),
            self._pages.route_signed_in(REMOVE_PATH, self._remove, ("POST",)),
        ]

    async def _code(self, request: Request, visit: Visit) -> Response:
        return await self._second_step(request, visit, recovery=False)

    async def _recovery_code(self, request: Request, visit: Visit) -> Response:
        return await self._second_step(request, visit, recovery=True)

    async def _second_step(self, request: Request, visit: Visit, *, recovery: bool) -> Response:
        """Answer the second step of sign-in: a code of the app, or a recovery code."""
        form = await self._form(request, visit)
        next_path, pending = self._pages.safe_next_path(form.get("next", "")), await self._factors.pending(visit.secret)
        if pending is None or pending.sign_in.offered:
            return self._pages.redirect_to_sign_in(next_path)
        problem = None
        if request.method == "POST":
            enter = self._factors.enter_recovery_code if recovery else self._factors.enter_code
            try:
                sign_in = await enter(pending, form.get("code", ""), self._browser(request))
            except WrongCodeError:
                problem = _WRONG_RECOVERY_CODE if recovery else _WRONG_CODE
            except TooManyAttemptsError as refusal:
                problem = wait_message(refusal, self._system.clock())
            else:
                return await self._pages.begin_session(visit, sign_in, next_path or self._pages.start_path)
        return self._pages.page(
            request,
            visit,
            "accounts/recovery_code.html" if recovery else "accounts/code.html",
            form_targets=await form_targets(self._system, next_path),
            problem=problem,
            next_path=next_path,
            name=pending.user.name,
        )

    async def _enrol_pending(self, request: Request, visit: Visit) -> Response:
        """Set up a required second factor during sign-in."""
        form = await self._form(request, visit)
        next_path, pending = self._pages.safe_next_path(form.get("next", "")), await self._factors.pending(visit.secret)
        if pending is None or not pending.sign_in.offered:
            return self._pages.redirect_to_sign_in(next_path)
        if request.method != "POST":
            return self._enrolment_page(request, visit, pending, next_path)
        try:
            enrolment = await self._factors.enrol_pending(pending, form.get("code", ""), self._browser(request))
        except WrongCodeError:
            return self._enrolment_page(request, visit, pending, next_path, _WRONG_CODE)
        return await self._recovery_codes_page(request, enrolment, next_path or self._pages.start_path)

    async def _second_factor(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        """Set up a second factor after sign-in, or show the existing one."""
        if request.method != "POST":
            return await self._second_factor_page(request, visit, signed_in)
        form = await self._pages.read_form(request, visit)
        try:
            enrolment = await self._factors.enrol(
                signed_in, form.get("password", ""), form.get("code", ""), self._browser(request)
            )
        except _REFUSALS as refusal:
            problem = self._problem(refusal, _WRONG_CODE)
            return await self._second_factor_page(request, visit, signed_in, problem)
        return await self._recovery_codes_page(request, enrolment, self._pages.start_path)

    async def _remove(self, request: Request, visit: Visit, signed_in: SignedIn) -> Response:
        form = await self._pages.read_form(request, visit)
        try:
            await self._factors.remove(
                signed_in, form.get("password", ""), form.get("code", ""), self._browser(request)
            )
        except _REFUSALS as refusal:
            problem = self._problem(refusal, _WRONG_EITHER)
            return await self._second_factor_page(request, visit, signed_in, problem)
        return self._pages.redirect(SECOND_FACTOR_PATH)

    def _problem(
        self, refusal: SignInRefusedError | WrongCodeError | TooManyAttemptsError, wrong_code: Problem
    ) -> Problem:
        """Return the message for a refusal. `wrong_code` is the message for a wrong code."""
        match refusal:
            case TooManyAttemptsError():
                return wait_message(refusal, self._system.clock())
            case WrongCodeError():
                return wrong_code
            case _:
                return WRONG_PASSWORD

    async def _second_factor_page(
        self, request: Request, visit: Visit, signed_in: SignedIn, problem: Problem | None = None
    ) -> Response:
        user = signed_in.user
        if user.second_factor:
            return self._pages.page(
                request, visit, "accounts/second_factor.html", problem=problem, factor=user.second_factor
            )
        if not self._factors.is_available_to(user):
            return self._pages.redirect(self._pages.start_path)
        offered = await self._factors.offer(signed_in)
        if not offered:
            return self._pages.redirect(SECOND_FACTOR_PATH)
        shown = self._enrolment_values(offered, user.name)
        return self._pages.page(
            request, visit, "accounts/enrolment.html", problem=problem, next_path="", required=False, **shown
        )

    def _enrolment_page(
        self, request: Request, visit: Visit, pending: Pending, next_path: str, problem: Problem | None = None
    ) -> Response:
        shown = self._enrolment_values(pending.sign_in.offered, pending.user.name)
        return self._pages.page(
            request, visit, "accounts/enrolment.html", problem=problem, next_path=next_path, required=True, **shown
        )

    async def _recovery_codes_page(self, request: Request, enrolment: Enrolment, next_path: str) -> Response:
        """Return the page that shows the recovery codes, once, and set the cookies of the new session."""
        secret = enrolment.sign_in.secret
        visit = Visit(secret, known=True, signed_in=await self._system.identity.accounts.find_session(secret))
        response = self._pages.page(
            request, visit, "accounts/recovery_codes.html", codes=enrolment.recovery_codes, next_path=next_path
        )
        self._pages.set_cookies(response, enrolment.sign_in)
        return response

    def _enrolment_values(self, secret: str, name: str) -> dict[str, Any]:
        """Return the values of the enrolment page: the key of the app as text, as a link and as a QR code."""
        uri = enrolment_uri(secret, name, self._system.settings.name)
        return {"name": name, "secret": split_into_groups(secret), "uri": uri, "picture": _qr_code(uri)}

    async def _form(self, request: Request, visit: Visit) -> Form:
        """Return the fields of the form of a POST request, or of the query of a GET request."""
        return await self._pages.read_form(request, visit) if request.method == "POST" else dict(request.query_params)

    def _browser(self, request: Request) -> Browser:
        return Browser(client_address(request), self._pages.device_secret(request))


def _qr_code(text: str) -> Markup:
    """Return a text as a QR code in SVG, for use inside the page. A separate picture could stay in a cache."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=False, scale=5, light="#fff", nl=False, svgclass="qr", lineclass=None
    )
    return Markup(drawn.getvalue().decode())  # noqa: S704 - segno writes lines only, and no part of the text
