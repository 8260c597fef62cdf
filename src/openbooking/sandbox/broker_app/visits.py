"""A request of a Customer, and how it is answered: session, CSRF token, security headers, and errors in words."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from openbooking.broker import (
    AsyncBroker,
    BrokerError,
    Explanation,
    clock_time,
    day_and_time,
    explain,
    money_text,
)

from .following import Follower
from .news import News
from .sessions import COOKIE, COOKIE_SECONDS, Sessions

FOLDER = Path(__file__).parent / "templates"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_MOST_FORM_BYTES = 64 * 1024
_MOST_FIELDS = 200
_SERVER_ERRORS = 500
_LOG = logging.getLogger(__name__)

_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters.update(money=money_text, clock_time=clock_time, day_and_time=day_and_time)


class Parts(NamedTuple):
    """The parts of the app that requests use."""

    name: str
    is_secure: bool
    broker: AsyncBroker
    news: News
    follower: Follower
    sessions: Sessions


class Visit(NamedTuple):
    """A request of a Customer.

    Attributes:
        request: The request.
        parts: The parts of the app.
        customer: The key of the Customer.
        form: What was sent with a form; empty for other requests.
    """

    request: Request
    parts: Parts
    customer: str
    form: Mapping[str, str]

    @property
    def broker(self) -> AsyncBroker:
        """The client."""
        return self.parts.broker

    @property
    def order(self) -> UUID:
        """The Order UUID in the path."""
        value: UUID = self.request.path_params["order"]
        return value

    def page(self, template: str, *, status: int = 200, problem: Explanation | None = None, **values: Any) -> Response:
        """Return a page.

        Args:
            template: The name of the template.
            status: The HTTP status, unless there is a problem.
            problem: What went wrong.
            values: The values for the template.
        """
        shown = _TEMPLATES.get_template(template).render(
            app=self.parts.name,
            path=self.request.url.path,
            form_token=self.parts.sessions.form_token(self.customer),
            problem=problem,
            **{"errors": {}, **values},
        )
        return HTMLResponse(shown, problem.status if problem else status)

    def go(self, path: str) -> Response:
        """Return a redirect to a page of the app."""
        return RedirectResponse(path, 303)


Handler = Callable[[Visit], Awaitable[Response]]


def route(path: str, handler: Handler, *methods: str) -> Route:
    """Return the route of a page. Forms are sent by POST, and must carry the token of the Customer."""

    async def answer(request: Request) -> Response:
        parts: Parts = request.app.state.parts
        known = parts.sessions.read(request.cookies.get(COOKIE, ""))
        visit = Visit(request, parts, known or parts.sessions.new_key(), {})
        try:
            if request.method == "POST":
                visit = visit._replace(form=await _read_form(request, parts.sessions, known))
            response = await handler(visit)
        except HTTPException as fault:
            response = visit.page("problem.html", problem=Explanation(fault.detail, fault.status_code))
        except BrokerError as fault:
            problem = explain(fault)
            if problem.status >= _SERVER_ERRORS:
                _LOG.warning("%s %s: %r", request.method, request.url.path, fault)
            response = visit.page("problem.html", problem=problem)
        response.headers.update(HEADERS)
        if known is None:
            cookie = parts.sessions.cookie(visit.customer)
            secure = parts.is_secure
            response.set_cookie(COOKIE, cookie, COOKIE_SECONDS, httponly=True, samesite="lax", secure=secure)
        return response

    return Route(path, answer, methods=list(methods) or ["GET"])


async def _read_form(request: Request, sessions: Sessions, customer: str | None) -> Mapping[str, str]:
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _MOST_FORM_BYTES:
        raise HTTPException(413, "The form is too long.")
    body = (await request.body()).decode(errors="replace")
    try:
        fields = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError as fault:
        raise HTTPException(400, "The form has too many fields.") from fault
    if customer is None or not sessions.is_form_token(customer, fields.get("form_token", "")):
        raise HTTPException(403, "This form is out of date. Please go back, load the page again and repeat.")
    return fields
