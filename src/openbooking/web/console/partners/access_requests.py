"""The pages on which an administrator decides about requests for access to the API.

The pages do not exist for other users. Requests concern no Seller alone, so the role at a Seller does not count.
"""

import re
import unicodedata

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import ACCESS_REQUESTS_PATH
from openbooking.booking.model.keys import InvalidKeyError
from openbooking.identity.access_request_records import AccessRequest
from openbooking.identity.access_requests import RequestDecidedError, UnknownRequestError
from openbooking.identity.partner_administration import PartnerExistsError
from openbooking.identity.records import EVERY_SELLER, User
from openbooking.identity.sellers import UnknownSellerError
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError, Notice
from openbooking.web.menu import MenuEntry
from openbooking.web.pages import Form, Problem

_LONGEST_KEY = 40
_CHOOSE_SELLER = Problem("Choose the Sellers that the app may book for.", ("sellers",))


class AccessDecisionPages:
    """The list of requests, and the page of one request with the decision."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._requests = console.system.identity.access_requests

    def routes(self) -> list[Route]:
        """Return the routes."""
        route, menu = self._console.route, MenuEntry("Access requests", _is_administrator)
        return [
            route("/access-requests", self._list, menu=menu),
            route("/access-requests/{request}", self._decide, ("GET", "POST")),
        ]

    async def _list(self, visit: ConsoleVisit) -> Response:
        _check(visit)
        return visit.page("partners/access_requests.html", rows=await self._requests.requests())

    async def _decide(self, visit: ConsoleVisit) -> Response:
        _check(visit)
        try:
            request = await self._requests.request(visit.request.path_params["request"])
            if visit.request.method != "POST":
                return await self._show(visit, request, {"key": _suggested_key(request.organisation)})
            form = await visit.form()
            if form.get("decision") == "erase":
                await self._requests.erase_request(request.id)
                return visit.redirect(ACCESS_REQUESTS_PATH, Notice.DATA_ERASED)
            if form.get("decision") != "approve":
                await self._requests.refuse(request.id, visit.actor)
                return visit.redirect(ACCESS_REQUESTS_PATH, Notice.ACCESS_REFUSED)
            return await self._approve(visit, request, form)
        except UnknownRequestError as fault:
            raise NotFoundOnConsoleError from fault
        except RequestDecidedError as refusal:
            return await self._show(visit, await self._requests.request(request.id), {}, Problem(str(refusal)))

    async def _approve(self, visit: ConsoleVisit, request: AccessRequest, form: Form) -> Response:
        sellers = [form["sellers"]] if form.get("sellers") else []
        if not (sellers or request.redirect_uris):
            return await self._show(visit, request, form, _CHOOSE_SELLER)
        try:
            approved = await self._requests.approve(request.id, form.get("key", "").strip(), sellers, visit.actor)
        except (InvalidKeyError, PartnerExistsError) as refusal:
            return await self._show(visit, request, form, Problem(str(refusal), ("key",)))
        except UnknownSellerError:
            return await self._show(visit, request, form, _CHOOSE_SELLER)
        return visit.page("partners/access_approved.html", asked=approved.request, secret=approved.secret)

    async def _show(
        self, visit: ConsoleVisit, request: AccessRequest, form: Form, problem: Problem | None = None
    ) -> Response:
        return visit.page(
            "partners/access_request.html",
            problem=problem,
            asked=request,
            form=form,
            every_seller=EVERY_SELLER,
            sellers=await self._console.system.store.sellers(),
        )


def _suggested_key(name: str) -> str:
    """Return a key for a partner of this name, such as `my-fitness-app`; empty if no letter of the name fits."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_KEY].strip("-")


def _is_administrator(user: User) -> bool:
    return user.is_administrator


def _check(visit: ConsoleVisit) -> None:
    """Raise NotFoundOnConsoleError unless the user is an administrator."""
    if not visit.user.is_administrator:
        raise NotFoundOnConsoleError
