"""The page on which a Booking Partner registers, with a link from an administrator (OB-AUTH-04)."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.identity.oauth.errors import InvalidClientMetadataError, InvalidRedirectUriError, InvalidTokenError
from openbooking.identity.oauth.registration import MAX_LENGTH
from openbooking.openactive.contact_details import is_email
from openbooking.system import System
from openbooking.web.pages import Form, Pages, Problem, Visit

REGISTRATION_PATH = "/registration"

# The message and the field of the form for each member of the metadata.
_PROBLEMS = {
    "client_name": Problem(f"Write the name on one line, with at most {MAX_LENGTH} characters.", ("name",)),
    "client_uri": Problem(
        f"Give the address of a web site, which begins with https:// or http://, of at most {MAX_LENGTH} characters.",
        ("site",),
    ),
}


class RegistrationPages:
    """The registration page."""

    def __init__(self, system: System, pages: Pages) -> None:
        self._system = system
        self._registration = system.identity.registration
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._pages.route(REGISTRATION_PATH, self._register, ("GET", "POST"))]

    async def _register(self, request: Request, visit: Visit) -> Response:
        form = await self._pages.read_form(request, visit) if request.method == "POST" else dict(request.query_params)
        token = form.get("token", "")
        try:
            await self._registration.check_token(token)
            if request.method != "POST":
                return self._form_page(request, visit, form)
            if problem := _problem(form):
                return self._form_page(request, visit, form, problem)
            registered = await self._registration.register(token, _metadata(form))
        except InvalidTokenError:
            return self._pages.page(request, visit, "accounts/invalid_link.html", status=HTTPStatus.NOT_FOUND)
        except InvalidRedirectUriError as error:
            return self._form_page(request, visit, form, Problem(error.description, ("redirect_uris",)))
        except InvalidClientMetadataError as error:
            return self._form_page(request, visit, form, _PROBLEMS[error.member])
        return self._pages.page(
            request,
            visit,
            "accounts/registered.html",
            partner=registered.partner,
            secret=registered.secret,
            issuer=self._system.identity.policy.issuer,
        )

    def _form_page(self, request: Request, visit: Visit, form: Form, problem: Problem | None = None) -> Response:
        return self._pages.page(
            request,
            visit,
            "accounts/registration.html",
            problem=problem,
            form=form,
        )


def _problem(form: Form) -> Problem | None:
    """Return the problem with a form without a name or contact. Only programs may leave them out."""
    if not form.get("name", "").strip():
        return Problem("Write the name that Sellers will see.", ("name",))
    if not is_email(form.get("contact", "").strip()):
        return Problem("Give the e-mail address of the developers of the app.", ("contact",))
    return None


def _metadata(form: Form) -> dict[str, object]:
    """Return the form as the metadata that a program would send (RFC 7591)."""
    return {
        "client_name": form["name"],
        "client_uri": form.get("site", ""),
        "contacts": [form["contact"]],
        "redirect_uris": form.get("redirect_uris", "").split(),
        "grant_types": ["authorization_code"],
    }
