"""The pages of the sandbox, at `/sandbox`: forms that control it, and the last requests with what was wrong."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from http import HTTPStatus
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.sandbox.control import actions
from openbooking.sandbox.control.instance import BROKER, Instance
from openbooking.sandbox.control.reading import InvalidInputError, Turn, read_values
from openbooking.sandbox.control.reports import remarks_by_number
from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.faults.plans import FaultKind, FaultPlan, TooManyPlansError
from openbooking.web.api.dataset_site import DATASET_PATH
from openbooking.web.pages import BadFormError, Problem, read_unchecked_form
from openbooking.web.rendering import Renderer

PAGE_PATH = "/sandbox"

_SHOWN = 100
_ACTIONS: Mapping[str, type[actions.Action]] = {
    str(each.__struct_config__.tag): each for each in get_args(actions.AnyAction)
}
# The fields of actions that the field "text" of the form fills.
_TEXTS = ("note", "message", "notice", "name")
_FIELDS = {
    "clock": ("days", "hours", "minutes"),
    "faults": ("kind", "next", "share", "operation", "retry_after", "seconds"),
    "actions": ("do", "order", "opportunity", "text", "minutes", "price", "after_seconds"),
}
Form = Mapping[str, str]


class ControlPage:
    """The pages of one sandbox."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._renderer = Renderer(instance.settings, "openbooking.sandbox.control")
        # The pages of other sites cannot read the token. There are no cookies, because nobody signs in.
        self._token = secrets.token_urlsafe()
        # What was done last, until a page has shown it.
        self._notice = ""

    def routes(self, root: str) -> list[Route]:
        """Return the routes.

        Args:
            root: The path of the site.
        """
        forms = {
            "clock": self._turn,
            "faults": self._plan,
            "actions": self._act,
            "reset": self._reset,
            "forget-faults": self._forget,
        }
        return [
            Route(f"{root}{PAGE_PATH}", self._page),
            Route(f"{root}{PAGE_PATH}/requests/{{number:int}}", self._exchange),
            *(Route(f"{root}{PAGE_PATH}/{name}", self._form(name, do), methods=["POST"]) for name, do in forms.items()),
        ]

    async def _page(self, request: Request) -> Response:
        del request
        notice, self._notice = self._notice, ""
        return self._render(notice=notice)

    async def _exchange(self, request: Request) -> Response:
        number = request.path_params["number"]
        exchange = self._instance.watch.record.find(number)
        if exchange is None:
            return self._renderer.page("request_unknown.html", {"number": number}, status=HTTPStatus.NOT_FOUND)
        remarks = remarks_by_number(self._instance.watch.record.all())
        return self._renderer.page("request.html", {"exchange": exchange, "remarks": remarks.get(number, [])})

    def _form(self, name: str, do: Callable[[Form], Awaitable[str]]) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a form: it does what the form asks for, and shows the page again."""

        async def serve(request: Request) -> Response:
            try:
                form = await read_unchecked_form(request)
            except BadFormError:
                return self._renderer.page("form.html", {}, status=HTTPStatus.BAD_REQUEST)
            if not compare_digest(form.get("form_token", "").encode(), self._token.encode()):
                return self._renderer.page("form.html", {}, status=HTTPStatus.FORBIDDEN)
            try:
                done = await do(form)
            except InvalidInputError as fault:
                fields = (f"{name}-{fault.field}",) if fault.field in _FIELDS.get(name, ()) else ()
                return self._render(Problem(fault.text, fields), {name: form})
            self._notice = done
            return RedirectResponse(self._renderer.root + PAGE_PATH, HTTPStatus.SEE_OTHER)

        return serve

    async def _turn(self, form: Form) -> str:
        turn: Turn = read_values(_given(form, _FIELDS["clock"]), Turn)
        await self._instance.turn_clock(turn.by)
        return "The clock was turned."

    async def _plan(self, form: Form) -> str:
        values: dict[str, Any] = _given(form, _FIELDS["faults"])
        if "operation" in values:
            values["operation"] = [values["operation"]]
        plan: FaultPlan = read_values(values, FaultPlan)
        try:
            self._instance.watch.plans.add(plan)
        except TooManyPlansError as fault:
            raise InvalidInputError("There are too many plans of faults: forget them first.") from fault
        return f"The fault is planned: {plan.kind.description}."

    async def _act(self, form: Form) -> str:
        doing = await self._instance.act(read_values(_action_values(form), actions.AnyAction))
        if doing.refused:
            raise InvalidInputError(doing.refused)
        return doing.done or f"It will be done at {doing.due:%H:%M:%S on %d %B}."

    async def _reset(self, form: Form) -> str:
        del form
        await self._instance.reset()
        return "The sandbox is as it was at its start."

    async def _forget(self, form: Form) -> str:
        del form
        self._instance.watch.plans.clear()
        return "No faults are planned any more."

    def _render(
        self, problem: Problem | None = None, forms: Mapping[str, Form] | None = None, notice: str = ""
    ) -> Response:
        exchanges = self._instance.watch.record.all()
        remarks = remarks_by_number(exchanges)
        fields = {
            form: {name: (forms or {}).get(form, {}).get(name, "") for name in names} for form, names in _FIELDS.items()
        }
        values = {
            "problem": problem,
            "notice": notice,
            "form_token": self._token,
            "settings": self._instance.settings,
            "console_path": CONSOLE_PATH,
            "dataset_path": DATASET_PATH,
            "api_key": self._instance.keys[BROKER],
            "now": self._instance.clock(),
            "plans": self._instance.watch.plans.all(),
            "waiting": self._instance.waiting(),
            "tag_of": actions.tag_of,
            "shown": list(reversed(exchanges[-_SHOWN:])),
            "remarks": remarks,
            "kinds": {kind.value: kind.description for kind in FaultKind},
            "operations": {operation.value: operation.value for operation in Operation},
            "actions": {tag: (each.__doc__ or "").partition("\n")[0] for tag, each in _ACTIONS.items()},
            "fields": fields,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._renderer.page("sandbox.html", values, status=status)


def _given(form: Form, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields that were filled in."""
    return {name: form[name].strip() for name in names if form.get(name, "").strip()}


def _action_values(form: Form) -> dict[str, Any]:
    """Return the values of the chosen action: of the filled fields those that the action has."""
    given = _given(form, _FIELDS["actions"])
    chosen = _ACTIONS.get(given.get("do", ""))
    if chosen is None:
        raise InvalidInputError("Choose what the Seller does.", "do")
    text, price = given.pop("text", ""), given.pop("price", "")
    offered = {**given, **dict.fromkeys(_TEXTS, text), "prices": {"1": price} if price else None}
    known = {*chosen.__struct_fields__, "do"}
    return {name: value for name, value in offered.items() if name in known and value}
