"""The page on which a Booking Partner registers itself, by a link that an administrator has sent (OB-AUTH-04)."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.identity.errors import InvalidTokenError, OAuthError
from openbooking.system import System
from openbooking.web.pages import Form, Pages, Visit

REGISTRATION_PATH = "/registration"


class RegistrationPages:
    """Registration by a link."""

    def __init__(self, system: System, pages: Pages) -> None:
        self._system = system
        self._registration = system.identity.registration
        self._pages = pages

    def routes(self) -> list[Route]:
        """The page."""
        return [self._pages.route(REGISTRATION_PATH, self._register, ("GET", "POST"))]

    async def _register(self, request: Request, visit: Visit) -> Response:
        form = await self._pages.form(request, visit) if request.method == "POST" else dict(request.query_params)
        token = form.get("token", "")
        try:
            await self._registration.check_token(token)
            if request.method != "POST":
                return self._form_page(request, visit, form)
            registered = await self._registration.register(token, _metadata(form))
        except InvalidTokenError:
            return self._pages.page(request, visit, "unknown_link.html", status=HTTPStatus.NOT_FOUND)
        except OAuthError as error:
            return self._form_page(request, visit, form, error.description)
        return self._pages.page(
            request,
            visit,
            "registered.html",
            partner=registered.partner,
            secret=registered.secret,
            issuer=self._system.identity.policy.issuer,
        )

    def _form_page(self, request: Request, visit: Visit, form: Form, error: str = "") -> Response:
        return self._pages.page(
            request,
            visit,
            "registration.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            form=form,
            error=error,
        )


def _metadata(form: Form) -> dict[str, object]:
    """What a program would have sent (RFC 7591)."""
    return {
        "client_name": form.get("name", ""),
        "client_uri": form.get("site", ""),
        "contacts": [form["contact"]] if form.get("contact") else [],
        "redirect_uris": form.get("redirect_uris", "").split(),
        "grant_types": ["authorization_code"],
    }
