"""The JSON API of the sandbox, below `/sandbox/api`, with which tests and scripts control it."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.sandbox.advice.advise import advise
from openbooking.sandbox.control.instance import Instance
from openbooking.sandbox.control.reading import InvalidInputError, read_action, read_plan, read_turn
from openbooking.sandbox.control.reports import (
    doing_of,
    exchange_of,
    order_of,
    orders_of,
    remark_of,
    remarks_by_number,
    state_of,
)
from openbooking.sandbox.faults.plans import TooManyPlansError

API_PATH = "/sandbox/api"

_JSON = "application/json"
_MOST_DIGITS = 9
Endpoint = Callable[[Request], Awaitable[Response]]


class ControlApi:
    """The endpoints that control one sandbox."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def routes(self, root: str) -> list[Route]:
        """Return the routes.

        Args:
            root: The path of the site.
        """
        endpoints: dict[str, dict[str, Endpoint]] = {
            "": {"GET": self._state},
            "/actions": {"GET": self._doings, "POST": self._act},
            "/clock": {"POST": self._turn},
            "/faults": {"GET": self._plans, "POST": self._plan, "DELETE": self._forget_plans},
            "/requests": {"GET": self._exchanges},
            "/requests/{number:int}": {"GET": self._exchange},
            "/advice": {"GET": self._advice},
            "/orders": {"GET": self._orders},
            "/reset": {"POST": self._reset},
        }
        return [
            Route(f"{root}{API_PATH}{path}", _checked(endpoint), methods=[method])
            for path, methods in endpoints.items()
            for method, endpoint in methods.items()
        ]

    async def _state(self, request: Request) -> Response:
        del request
        return _answer(state_of(self._instance))

    async def _doings(self, request: Request) -> Response:
        del request
        return _answer({"actions": [doing_of(doing) for doing in self._instance.doings()]})

    async def _act(self, request: Request) -> Response:
        doing = await self._instance.act(read_action(await request.body()))
        return _answer(doing_of(doing), HTTPStatus.CONFLICT if doing.refused else HTTPStatus.OK)

    async def _turn(self, request: Request) -> Response:
        await self._instance.turn_clock(read_turn(await request.body()).by)
        return _answer(state_of(self._instance))

    async def _plans(self, request: Request) -> Response:
        del request
        return _answer({"faults": [msgspec.to_builtins(plan) for plan in self._instance.watch.plans.all()]})

    async def _plan(self, request: Request) -> Response:
        plan = read_plan(await request.body())
        try:
            self._instance.watch.plans.add(plan)
        except TooManyPlansError as fault:
            raise InvalidInputError("There are too many plans of faults: delete them first.") from fault
        return await self._plans(request)

    async def _forget_plans(self, request: Request) -> Response:
        self._instance.watch.plans.clear()
        return await self._plans(request)

    async def _exchanges(self, request: Request) -> Response:
        """Return the last requests, newest first: `?last=20` limits their number, `?operation=B` chooses some."""
        exchanges = self._instance.watch.record.all()
        remarks = remarks_by_number(exchanges)
        last, operation = request.query_params.get("last", "100"), request.query_params.get("operation", "")
        if not last.isdecimal() or len(last) > _MOST_DIGITS:
            raise InvalidInputError(f"`last` must be a number of {_MOST_DIGITS} digits at most", "last")
        chosen = [each for each in reversed(exchanges) if operation in ("", each.operation)][: int(last)]
        return _answer({"requests": [exchange_of(each, remarks.get(each.number, ())) for each in chosen]})

    async def _exchange(self, request: Request) -> Response:
        number = request.path_params["number"]
        exchange = self._instance.watch.record.find(number)
        if exchange is None:
            return _error(HTTPStatus.NOT_FOUND, f"Request {number} is not kept.")
        remarks = remarks_by_number(self._instance.watch.record.all())
        return _answer(exchange_of(exchange, remarks.get(number, ())))

    async def _advice(self, request: Request) -> Response:
        """Return the remarks without the explanations of errors, which a correct Broker meets, too."""
        del request
        remarks = [remark for remark in advise(self._instance.watch.record.all()) if not remark.is_error]
        return _answer({"advice": [remark_of(remark) for remark in remarks]})

    async def _orders(self, request: Request) -> Response:
        del request
        return _answer({"orders": [order_of(record) for record in await orders_of(self._instance.system)]})

    async def _reset(self, request: Request) -> Response:
        del request
        await self._instance.reset()
        return _answer(state_of(self._instance))


def _checked(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that answers 400 for input that cannot be read, and refuses forms of other sites.

    Forms send POST. A page of another site cannot send DELETE without a permission, which the sandbox does not give.
    """

    async def serve(request: Request) -> Response:
        if request.method == "POST" and not _is_json(request):
            return _error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send Content-Type: {_JSON}.")
        try:
            return await endpoint(request)
        except InvalidInputError as fault:
            return _error(HTTPStatus.BAD_REQUEST, fault.text, fault.field)

    return serve


def _is_json(request: Request) -> bool:
    """Return whether a request has the media type that a page of another site cannot send without a permission."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _JSON


def _answer(told: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(msgspec.json.encode(told), status, {"Cache-Control": "no-store"}, _JSON)


def _error(status: HTTPStatus, text: str, field: str = "") -> Response:
    return _answer({"error": text, **({"field": field} if field else {})}, status)
