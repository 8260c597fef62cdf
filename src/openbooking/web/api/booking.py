"""The endpoints of the Open Booking API: C1, C2, P, B, PATCH, DELETE and Order Status (OB 9).

An endpoint authenticates the caller, reads the body (`jsonld/read_order.py`), executes a command (`booking/commands/`)
and writes the reply (`jsonld/write_order.py`). `web/errors.py` answers for exceptions.
"""

import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.cancel import cancellation
from openbooking.booking.commands.orders.delete import DeleteOrder, DeleteQuote
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.quote import Quote, may_hold
from openbooking.booking.commands.orders.update_proposal import proposal_update
from openbooking.booking.model.order import Caller, Order
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.rules.orders.lifecycle import Event, refusals_of
from openbooking.identity.scopes import Scope
from openbooking.jsonld.read_order import ORDER_ERRORS, PATCH_ERRORS
from openbooking.openactive import messages
from openbooking.openactive.errors import (
    CancellationNotPermittedError,
    IncompletePaymentDetailsError,
    InvalidPaymentDetailsError,
    MissingPaymentDetailsError,
    OpenBookingError,
    OpportunityHasInsufficientCapacityError,
    OrderCreationFailedError,
    OrderItemIdInvalidError,
    OrderItemNotWithinOrderError,
    OrderProposalVersionOutdatedError,
    PatchNotAllowedOnPropertyError,
    SellerMismatchError,
    TemporarilyUnableToCreateOrderError,
    TemporarilyUnableToDeleteOrderError,
    TemporarilyUnableToProduceOrderQuoteError,
    TemporarilyUnableToUpdateOrderError,
    TemporarilyUnavailableError,
    TotalPaymentDueMismatchError,
    UnnecessaryPaymentDetailsError,
)
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OrderType
from openbooking.system import System
from openbooking.web.observe import notes_of
from openbooking.web.operation import (
    Body,
    Handler,
    Header,
    Operation,
    Parameter,
    Reply,
    Subject,
    describe,
    operations_of,
)
from openbooking.web.request import MEDIA_TYPE_ERRORS, check_media_types, read_body
from openbooking.web.routes import ApiRoute


class _Call(NamedTuple):
    """A request of a Booking Partner, for one Order UUID."""

    request: Request
    caller: Caller
    uuid: str
    operation: Operation


Endpoint = Callable[[_Call], Awaitable[Response]]

_SCOPE = Scope.OPENBOOKING
_NONCE_BYTES = 16
_NOT_CACHED = {"Cache-Control": "no-store"}
_CACHE_CONTROL = Header("Cache-Control", "`no-store`.", required=True)
_LOCATION = Header("Location", "The `@id` of the Order or OrderProposal.")
_UUID = Parameter("uuid", "The Order UUID, which the Broker makes. It stands for one Order of this Booking Partner.")
_DONE = Reply(HTTPStatus.NO_CONTENT, "Done.")

_PAYMENT_ERRORS = (
    UnnecessaryPaymentDetailsError,
    MissingPaymentDetailsError,
    IncompletePaymentDetailsError,
    InvalidPaymentDetailsError,
)
_QUOTE_ERRORS: tuple[type[OpenBookingError], ...] = (
    *ORDER_ERRORS,
    IncompletePaymentDetailsError,
    InvalidPaymentDetailsError,
    SellerMismatchError,
    *refusals_of(Event.QUOTE),
)
_CREATION_ERRORS: tuple[type[OpenBookingError], ...] = (
    *ORDER_ERRORS,
    *_PAYMENT_ERRORS,
    TotalPaymentDueMismatchError,
    SellerMismatchError,
    OrderCreationFailedError,
)


def _operation(  # noqa: PLR0913, PLR0917 - what the operations of the API differ in
    id_: str,
    summary: str,
    replies: tuple[Reply, ...],
    errors: tuple[type[OpenBookingError], ...],
    unavailable: type[OpenBookingError] = TemporarilyUnavailableError,
    body: Body | None = None,
) -> Callable[[Handler], Handler]:
    return describe(
        Operation(
            id=id_,
            summary=summary,
            subject=Subject.BOOKING,
            scope=_SCOPE,
            parameters=(_UUID,),
            body=body,
            replies=replies,
            errors=(*MEDIA_TYPE_ERRORS, *errors),
            unavailable=unavailable,
        )
    )


def _replies(success: HTTPStatus, type_: type[messages.Message]) -> tuple[Reply, ...]:
    """Return the replies of C1, C2, P and B: the Order or quote, or the same with the errors of its items."""
    body = Body((type_,))
    headers = (_CACHE_CONTROL, _LOCATION) if success is HTTPStatus.CREATED else (_CACHE_CONTROL,)
    return (
        Reply(success, "No OrderItem has an error.", body, headers),
        Reply(HTTPStatus.CONFLICT, "At least one OrderItem has an `error`.", body, (_CACHE_CONTROL,)),
    )


class BookingApi:
    """The endpoints of one Booking System, as routes for the application."""

    def __init__(self, system: System) -> None:
        self._system = system

    def routes(self, base: str) -> list[ApiRoute]:
        """Return the routes of the endpoints.

        Args:
            base: The path of the Base URI below the address of the site.
        """
        return [
            self._route(f"{base}/order-quote-templates", PUT=self._c1),
            self._route(f"{base}/order-quotes", PUT=self._c2, DELETE=self._delete_quote),
            self._route(f"{base}/order-proposals", PUT=self._p, PATCH=self._update_proposal),
            self._route(f"{base}/orders", PUT=self._b, GET=self._status, PATCH=self._cancel, DELETE=self._delete_order),
        ]

    def _route(self, path: str, **endpoints: Endpoint) -> ApiRoute:
        """Return the route of one path, to which the UUID is added, with the endpoint of each method."""

        async def serve(request: Request) -> Response:
            caller = await self._system.authenticate(request.headers, _SCOPE)
            notes_of(request.scope).partner = caller.partner
            check_media_types(request)
            method = "GET" if request.method == "HEAD" else request.method
            return await endpoints[method](_Call(request, caller, request.path_params["uuid"], operations[method]))

        operations = operations_of(endpoints)
        return ApiRoute(f"{path}/{{uuid:order_uuid}}", serve, operations)

    @_operation(
        "quoteAnonymously",
        "C1: quote for an unknown Customer",
        _replies(HTTPStatus.OK, messages.OrderQuote),
        _QUOTE_ERRORS,
        TemporarilyUnableToProduceOrderQuoteError,
        Body((messages.OrderRequest,), order_type=OrderType.QUOTE),
    )
    async def _c1(self, call: _Call) -> Response:
        """Return the price and availability of OrderItems. If the setting `leasing` says so, hold their spaces."""
        return await self._quote(call, Checkpoint.C1)

    @_operation(
        "quote",
        "C2: quote for a known Customer",
        _replies(HTTPStatus.OK, messages.OrderQuote),
        _QUOTE_ERRORS,
        TemporarilyUnableToProduceOrderQuoteError,
        Body((messages.OrderRequest,), order_type=OrderType.QUOTE),
    )
    async def _c2(self, call: _Call) -> Response:
        """Return the price and availability of OrderItems for a Customer, and hold their spaces for a time.

        The reply has a `lease` while spaces are held.
        """
        return await self._quote(call, Checkpoint.C2)

    async def _quote(self, call: _Call, checkpoint: Checkpoint) -> Response:
        asked = self._system.reader.order(await self._read_body(call.request), OrderType.QUOTE)
        holds = may_hold(self._system.settings.policy.leasing, checkpoint)
        command = Quote(checkpoint=checkpoint, caller=call.caller, uuid=call.uuid, request=asked, holds=holds)
        return await self._answer_with_order(call, command)

    @_operation(
        "propose",
        "P: propose an Order",
        _replies(HTTPStatus.CREATED, messages.OrderProposal),
        (*_CREATION_ERRORS, *refusals_of(Event.PROPOSE)),
        TemporarilyUnableToCreateOrderError,
        Body((messages.OrderRequest,), order_type=OrderType.PROPOSAL),
    )
    async def _p(self, call: _Call) -> Response:
        """Ask the Seller to approve an Order. The OrderProposals feed reports the decision, and B then books."""
        asked = self._system.reader.order(await self._read_body(call.request), OrderType.PROPOSAL)
        command = Propose(caller=call.caller, uuid=call.uuid, request=asked, version=str(uuid4()), nonce=_new_nonce())
        return await self._answer_with_order(call, command)

    @_operation(
        "updateProposal",
        "Reject an OrderProposal, or send a note",
        (_DONE,),
        (*PATCH_ERRORS, PatchNotAllowedOnPropertyError, *refusals_of(Event.UPDATE_PROPOSAL)),
        TemporarilyUnableToUpdateOrderError,
        Body((messages.OrderProposalPatch,)),
    )
    async def _update_proposal(self, call: _Call) -> Response:
        """Reject an OrderProposal for the Customer, or send the Seller a note of the Customer."""
        patch = self._system.reader.proposal_patch(await self._read_body(call.request))
        return await self._answer_without_body(proposal_update(call.caller, call.uuid, patch))

    @_operation(
        "book",
        "B: book",
        _replies(HTTPStatus.CREATED, messages.Order),
        (
            *_CREATION_ERRORS,
            *refusals_of(Event.BOOK),
            *refusals_of(Event.BOOK_PROPOSAL),
            OrderProposalVersionOutdatedError,
            OpportunityHasInsufficientCapacityError,
        ),
        TemporarilyUnableToCreateOrderError,
        Body((messages.OrderRequest, messages.ProposalBookingRequest), order_type=OrderType.ORDER),
    )
    async def _b(self, call: _Call) -> Response:
        """Book all OrderItems, or none. After P, book the approved version of the OrderProposal.

        A repeat of the same request returns the same reply.
        """
        asked = self._system.reader.booking(await self._read_body(call.request), call.uuid)
        command: Command[Order]
        if isinstance(asked, OrderRequest):
            command = Book(caller=call.caller, uuid=call.uuid, request=asked, nonce=_new_nonce())
        else:
            version, payment = asked
            command = BookProposal(
                caller=call.caller, uuid=call.uuid, version=version, payment=payment, nonce=_new_nonce()
            )
        return await self._answer_with_order(call, command)

    @_operation(
        "cancel",
        "Cancel OrderItems for the Customer",
        (_DONE,),
        (
            *PATCH_ERRORS,
            PatchNotAllowedOnPropertyError,
            OrderItemIdInvalidError,
            OrderItemNotWithinOrderError,
            CancellationNotPermittedError,
            *refusals_of(Event.UPDATE),
        ),
        TemporarilyUnableToUpdateOrderError,
        Body((messages.OrderPatch,)),
    )
    async def _cancel(self, call: _Call) -> Response:
        """Cancel all named OrderItems, or none."""
        patches = self._system.reader.item_patches(await self._read_body(call.request))
        return await self._answer_without_body(cancellation(call.caller, call.uuid, patches))

    @_operation(
        "deleteOrder",
        "Delete an Order",
        (_DONE,),
        refusals_of(Event.DELETE),
        TemporarilyUnableToDeleteOrderError,
    )
    async def _delete_order(self, call: _Call) -> Response:
        """Reverse a booking after a fatal error, as if it had not been made. To cancel, use PATCH."""
        return await self._answer_without_body(DeleteOrder(caller=call.caller, uuid=call.uuid))

    @_operation(
        "deleteQuote",
        "Delete an OrderQuote",
        (_DONE,),
        (),
        TemporarilyUnableToDeleteOrderError,
    )
    async def _delete_quote(self, call: _Call) -> Response:
        """Release the spaces that a quote holds. The reply is the same if there is no quote."""
        return await self._answer_without_body(DeleteQuote(caller=call.caller, uuid=call.uuid))

    @_operation(
        "orderStatus",
        "Order Status",
        (
            Reply(
                HTTPStatus.OK,
                "The Order, OrderProposal or held OrderQuote.",
                Body((messages.Order, messages.OrderProposal, messages.OrderQuote)),
                (_CACHE_CONTROL,),
            ),
        ),
        refusals_of(Event.READ),
    )
    async def _status(self, call: _Call) -> Response:
        """Return the Order with all changes since it was booked; before that, its OrderProposal or quote."""
        record = await self._system.store.execute(GetOrder(caller=call.caller, uuid=call.uuid))
        return Response(self._system.replies.status(record), HTTPStatus.OK, _NOT_CACHED, BOOKING_MEDIA_TYPE)

    async def _answer_with_order(self, call: _Call, command: Command[Order]) -> Response:
        """Execute a command, and answer with its Order or quote.

        If an item has an error, the status is 409 (OB-VAL-09).
        """
        order = await self._system.store.execute(command)
        notes = notes_of(call.request.scope)
        notes.not_held = order.not_held or ""
        status = call.operation.success
        if order.has_errors:
            status = HTTPStatus.CONFLICT
            notes.item_errors = tuple(e.type.value for item in order.items for e in item.errors)
        headers = dict(_NOT_CACHED)
        if status is HTTPStatus.CREATED:
            headers[_LOCATION.name] = self._system.ids.order(order.type, order.uuid)
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
