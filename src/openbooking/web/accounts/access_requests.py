"""The page on which developers ask for access to the API, which the dataset site names as its `landingPage` (DAD).

Every request without faults gets the same answer, so that the page tells nobody who has asked or booked before.
"""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.identity.access_requests import NewAccessRequest, TooManyOpenRequestsError
from openbooking.identity.sign_in.attempt_limiter import TooManyAttemptsError
from openbooking.settings import AccessMode
from openbooking.system import System
from openbooking.web.pages import Form, Pages, Problem, Visit

ACCESS_REQUEST_PATH = "/access-request"

# The statements to which the developers agree, as the OpenActive guide for dataset sites asks.
_STATEMENTS = {
    "agrees_protection": "We know our duties of data protection, and what the Open Booking API asks of a Broker.",
    "agrees_security": "We hold a valid Cyber Essentials certificate or an equivalent one, and keep secrets safe.",
    "agrees_tested": "Our app has booked at a sandbox, or at the OpenActive Reference Implementation.",
    "agrees_sellers": "We book for a Seller only if it allows us, and agree with it how payments are reconciled.",
}
_MISSING = "Tick all statements. Write to the publisher if one of them is not true yet."


class AccessRequestPages:
    """The page with the form, and the page that confirms a request."""

    def __init__(self, system: System, pages: Pages) -> None:
        self._system = system
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._pages.route(ACCESS_REQUEST_PATH, self._ask, ("GET", "POST"))]

    async def _ask(self, request: Request, visit: Visit) -> Response:
        if request.method != "POST":
            return self._form_page(request, visit, {})
        form = await self._pages.read_form(request, visit)
        new = _read(form)
        problems = [Problem(fault.text, (fault.field,)) for fault in new.faults()]
        if missing := tuple(name for name in _STATEMENTS if not form.get(name)):
            problems.append(Problem(_MISSING, missing))
        if problems:
            first, *others = problems
            return self._form_page(request, visit, form, first._replace(others=tuple(others)))
        try:
            await self._system.identity.access_requests.receive(new, request.client.host if request.client else "")
        except TooManyAttemptsError:
            problem = Problem("Too many requests came from your network. Try again in 15 minutes.")
            return self._form_page(request, visit, form, problem)
        except TooManyOpenRequestsError as refusal:
            return self._form_page(request, visit, form, Problem(str(refusal)))
        return self._pages.page(
            request,
            visit,
            "accounts/access_requested.html",
            days=self._system.settings.access_request_days,
            sandbox_url=self._system.settings.trial_system_url,
        )

    def _form_page(self, request: Request, visit: Visit, form: Form, problem: Problem | None = None) -> Response:
        settings = self._system.settings
        return self._pages.page(
            request,
            visit,
            "accounts/access_request.html",
            status=HTTPStatus.OK,
            problem=problem,
            form=form,
            statements=_STATEMENTS,
            uses_openid=settings.access is AccessMode.OPENID,
            days=settings.access_request_days,
            sandbox_url=settings.trial_system_url,
        )


def _read(form: Form) -> NewAccessRequest:
    """Return the request in a form, without spaces around its texts."""
    texts = ("name", "email", "organisation", "phone", "site", "use_case")
    typed = {name: form.get(name, "").strip() for name in texts}
    return NewAccessRequest(**typed, redirect_uris=tuple(form.get("redirect_uris", "").split()))
