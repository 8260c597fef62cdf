"""The endpoints of the Open Booking API: C1, C2, P, B, PATCH, DELETE and Order Status (OB 9).

An endpoint authenticates the caller, reads the body (`jsonld/read_order.py`), executes a command (`booking/commands/`)
and writes the reply (`jsonld/write_order.py`). `web/errors.py` answers for exceptions.
"""

import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from openbooking.booking.command import Command
from openbooking.booking.commands.book import Book
from openbooking.booking.commands.book_proposal import BookProposal
from openbooking.booking.commands.cancel import cancellation
from openbooking.booking.commands.delete import DeleteOrder, DeleteQuote
from openbooking.booking.commands.get_order import GetOrder
from openbooking.booking.commands.propose import Propose
from openbooking.booking.commands.quote import Quote, may_hold
from openbooking.booking.commands.update_proposal import proposal_update
from openbooking.booking.model.order import Caller, Order
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.rules.dry_run import Checkpoint
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import (
    OpenBookingError,
    TemporarilyUnableToCreateOrderError,
    TemporarilyUnableToDeleteOrderError,
    TemporarilyUnableToProduceOrderQuoteError,
    TemporarilyUnableToUpdateOrderError,
    TemporarilyUnavailableError,
)
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OrderType
from openbooking.system import System
from openbooking.web.observe import notes_of
from openbooking.web.request import check_media_types, read_body
from openbooking.web.routes import ApiRoute

Endpoint = Callable[[Request, Caller, str], Awaitable[Response]]

_NONCE_BYTES = 16
_NOT_CACHED = {"Cache-Control": "no-store"}


class BookingApi:
    """The endpoints of one Booking System, as routes for the application."""

    def __init__(self, system: System) -> None:
        self._system = system

    def routes(self, base: str) -> list[ApiRoute]:
        """Return the routes of the endpoints.

        Args:
            base: The path of the Base URI below the address of the site.
        """
        quote, create = TemporarilyUnableToProduceOrderQuoteError, TemporarilyUnableToCreateOrderError
        update, delete = TemporarilyUnableToUpdateOrderError, TemporarilyUnableToDeleteOrderError
        return [
            self._route(f"{base}/order-quote-templates", {"PUT": (self._c1, quote)}),
            self._route(f"{base}/order-quotes", {"PUT": (self._c2, quote), "DELETE": (self._delete_quote, delete)}),
            self._route(
                f"{base}/order-proposals", {"PUT": (self._p, create), "PATCH": (self._update_proposal, update)}
            ),
            self._route(
                f"{base}/orders",
                {
                    "PUT": (self._b, create),
                    "PATCH": (self._cancel, update),
                    "DELETE": (self._delete_order, delete),
                    "GET": (self._status, TemporarilyUnavailableError),
                },
            ),
        ]

    def _route(self, path: str, endpoints: dict[str, tuple[Endpoint, type[OpenBookingError]]]) -> ApiRoute:
        """Return the route of one path with all its methods.

        Args:
            path: The path, to which the UUID is added.
            endpoints: For each method the endpoint, and the error if the database is unavailable (OB 11.4).
        """

        async def serve(request: Request) -> Response:
            caller = await self._system.authenticate(request.headers, Scope.OPENBOOKING)
            notes_of(request.scope).partner = caller.partner
            check_media_types(request)
            endpoint, _ = endpoints["GET" if request.method == "HEAD" else request.method]
            return await endpoint(request, caller, request.path_params["uuid"])

        unavailable_errors = {method: error for method, (_, error) in endpoints.items()}
        return ApiRoute(f"{path}/{{uuid:order_uuid}}", serve, unavailable_errors=unavailable_errors)

    async def _c1(self, request: Request, caller: Caller, uuid: str) -> Response:
        return await self._quote(request, caller, uuid, Checkpoint.C1)

    async def _c2(self, request: Request, caller: Caller, uuid: str) -> Response:
        return await self._quote(request, caller, uuid, Checkpoint.C2)

    async def _quote(self, request: Request, caller: Caller, uuid: str, checkpoint: Checkpoint) -> Response:
        asked = self._system.reader.order(await self._read_body(request), OrderType.QUOTE)
        holds = may_hold(self._system.settings.policy.leasing, checkpoint)
        command = Quote(checkpoint=checkpoint, caller=caller, uuid=uuid, request=asked, holds=holds)
        return await self._answer_with_order(request, command, HTTPStatus.OK)

    async def _p(self, request: Request, caller: Caller, uuid: str) -> Response:
        asked = self._system.reader.order(await self._read_body(request), OrderType.PROPOSAL)
        command = Propose(caller=caller, uuid=uuid, request=asked, version=str(uuid4()), nonce=_new_nonce())
        return await self._answer_with_order(request, command, HTTPStatus.CREATED)

    async def _update_proposal(self, request: Request, caller: Caller, uuid: str) -> Response:
        patch = self._system.reader.proposal_patch(await self._read_body(request))
        return await self._answer_without_body(proposal_update(caller, uuid, patch))

    async def _b(self, request: Request, caller: Caller, uuid: str) -> Response:
        asked = self._system.reader.booking(await self._read_body(request), uuid)
        command: Command[Order]
        if isinstance(asked, OrderRequest):
            command = Book(caller=caller, uuid=uuid, request=asked, nonce=_new_nonce())
        else:
            version, payment = asked
            command = BookProposal(caller=caller, uuid=uuid, version=version, payment=payment, nonce=_new_nonce())
        return await self._answer_with_order(request, command, HTTPStatus.CREATED)

    async def _cancel(self, request: Request, caller: Caller, uuid: str) -> Response:
        patches = self._system.reader.item_patches(await self._read_body(request))
        return await self._answer_without_body(cancellation(caller, uuid, patches))

    async def _delete_order(self, request: Request, caller: Caller, uuid: str) -> Response:
        del request
        return await self._answer_without_body(DeleteOrder(caller=caller, uuid=uuid))

    async def _delete_quote(self, request: Request, caller: Caller, uuid: str) -> Response:
        del request
        return await self._answer_without_body(DeleteQuote(caller=caller, uuid=uuid))

    async def _status(self, request: Request, caller: Caller, uuid: str) -> Response:
        del request
        record = await self._system.store.execute(GetOrder(caller=caller, uuid=uuid))
        return Response(self._system.replies.status(record), HTTPStatus.OK, _NOT_CACHED, BOOKING_MEDIA_TYPE)

    async def _answer_with_order(self, request: Request, command: Command[Order], success: HTTPStatus) -> Response:
        """Execute a command, and answer with its Order or quote.

        Args:
            request: The request.
            command: The command.
            success: The status if no item has an error; otherwise the status is 409 (OB-VAL-09).
        """
        order = await self._system.store.execute(command)
        notes_of(request.scope).not_held = order.not_held or ""
        status = success
        if order.has_errors:
            status = HTTPStatus.CONFLICT
            notes_of(request.scope).item_errors = tuple(e.type.value for item in order.items for e in item.errors)
        headers = dict(_NOT_CACHED)
        if status is HTTPStatus.CREATED:
            headers["Location"] = self._system.ids.order(order.type, order.uuid)
        return Response(self._system.replies.reply(order), status, headers, BOOKING_MEDIA_TYPE)

    async def _answer_without_body(self, command: Command[None]) -> Response:
        """Execute a command, and answer with 204."""
        await self._system.store.execute(command)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _read_body(self, request: Request) -> bytes:
        return await read_body(request, self._system.settings.max_body_bytes)


def _new_nonce() -> str:
    """Return a random seed, from which the access codes of an Order are made."""
    return secrets.token_hex(_NONCE_BYTES)
