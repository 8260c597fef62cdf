"""The Open Booking API Test Interface: creates Opportunities that meet a criterion, and simulates decisions of Sellers.

Anybody can create and delete data through the test interface. It is therefore off unless the setting `test_interface`
turns it on (OB-TI-01).
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import field
from starlette.requests import Request
from starlette.responses import Response

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunity
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify, RecordAttendance, RenewAccess, SellerCancel
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller, OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.identity.scopes import Scope
from openbooking.jsonld.read import read_object, read_reference
from openbooking.openactive import messages
from openbooking.openactive.errors import (
    BelongsToAnotherError,
    GoneError,
    NotFoundError,
    OpenBookingError,
    RequestTooLargeError,
    SellerNotFoundError,
    UnknownOrderError,
)
from openbooking.openactive.opportunity_types import PARENT_PROPERTIES
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OrderType
from openbooking.system import System
from openbooking.web.operation import Body, Operation, Parameter, Reply, Subject, describe, operation_of
from openbooking.web.request import read_body
from openbooking.web.routes import ApiRoute, api_route
from openbooking.web.test_interface.copies import copy_of
from openbooking.web.test_interface.opportunities import PLACE, OpportunityMaker, recipe_for

# A caller of the test interface is not a Seller. The actor of its commands is therefore the system.
ACTOR = Actor(ActorKind.SYSTEM, "test-interface")
_NOTICE = "Please come ten minutes early."
_ORDER_ACTIONS: dict[str, Callable[[OrderKey], Command[None]]] = {
    "SellerRequestedCancellation": lambda order: SellerCancel(order=order, actor=ACTOR),
    "SellerRequestedCancellationWithMessage": lambda order: SellerCancel(
        order=order, message="The instructor is ill.", actor=ACTOR
    ),
    "CustomerNotice": lambda order: Notify(order=order, notice=_NOTICE, actor=ACTOR),
    "AttendeeAttended": lambda order: RecordAttendance(order=order, attended=True, actor=ACTOR),
    "AttendeeAbsent": lambda order: RecordAttendance(order=order, attended=False, actor=ACTOR),
    "AccessCodeUpdate": lambda order: RenewAccess(order=order, nonce=str(uuid.uuid4()), code=True, actor=ACTOR),
    "AccessPassUpdate": lambda order: RenewAccess(order=order, nonce=str(uuid.uuid4()), passes=True, actor=ACTOR),
    "AccessChannelUpdate": lambda order: RenewAccess(order=order, nonce=str(uuid.uuid4()), channel=True, actor=ACTOR),
}
_PROPOSAL_ACTIONS: dict[str, Callable[[OrderKey], Command[None]]] = {
    "SellerAcceptOrderProposal": lambda order: DecideProposal(order=order, accept=True, actor=ACTOR),
    "SellerRejectOrderProposal": lambda order: DecideProposal(order=order, accept=False, actor=ACTOR),
    "SellerAmendOrderProposal": lambda order: AmendProposal(order=order, version=str(uuid.uuid4()), actor=ACTOR),
}
_LATER = timedelta(days=1)  # less than a day would not change a course, which is published in days
_LOGISTICS_ACTIONS: dict[str, Callable[[Opportunity], Command[None]]] = {
    "ChangeOfLogisticsName": lambda opportunity: ChangeLogistics(
        opportunity=opportunity.path, name=f"Renamed {uuid.uuid4().hex[:6]}", actor=ACTOR
    ),
    "ChangeOfLogisticsLocation": lambda opportunity: ChangeLogistics(
        opportunity=opportunity.path, location={**PLACE, "name": f"Elsewhere {uuid.uuid4().hex[:6]}"}, actor=ACTOR
    ),
    "ChangeOfLogisticsTime": lambda opportunity: ChangeLogistics(
        opportunity=opportunity.path,
        start=opportunity.start + _LATER if opportunity.start else None,
        end=opportunity.end + _LATER if opportunity.end else None,
        actor=ACTOR,
    ),
}


_SCOPE = Scope.OPENBOOKING
_DATASET = Parameter("dataset", "The name of a test dataset.")
_DONE = Reply(HTTPStatus.NO_CONTENT, "Done.")


class TestOpportunity(messages.Message, frozen=True, kw_only=True):
    """The Opportunity to create: its type, its parent, its Seller and the criterion that it meets."""

    type: str = field(name="@type")
    criterion: str = field(name="test:testOpportunityCriteria")
    flow: str | None = field(name="test:testOpenBookingFlow", default=None)


class CreatedOpportunity(messages.Message, frozen=True, kw_only=True):
    """The Opportunity that was created."""

    type: str = field(name="@type")
    id: str = field(name="@id")


class SimulatedAction(messages.Message, frozen=True, kw_only=True):
    """An action of a Seller, such as `test:CustomerNoticeSimulateAction`, on an Order, OrderProposal or Opportunity."""

    type: str = field(name="@type")
    object: messages.Reference


class TestInterface:
    """The endpoints of the test interface of one Booking System."""

    def __init__(self, system: System) -> None:
        self._system = system

    def routes(self, base: str) -> list[ApiRoute]:
        """Return the routes of the endpoints.

        Args:
            base: The path of the Base URI below the address of the site.
        """
        datasets = f"{base}/test-interface/datasets/{{dataset}}"
        return [
            api_route(datasets, self._delete_dataset, "DELETE"),
            self._route(f"{datasets}/opportunities", self._create_opportunity),
            self._route(f"{base}/test-interface/actions", self._simulate_action),
        ]

    def _route(self, path: str, endpoint: Callable[[Request, Caller], Awaitable[Response]]) -> ApiRoute:
        """Return the route of an endpoint that needs an authenticated caller."""

        async def serve(request: Request) -> Response:
            caller = await self._system.authenticate(request.headers, _SCOPE)
            return await endpoint(request, caller)

        return ApiRoute(path, serve, {"POST": operation_of(endpoint)})

    @describe(
        Operation(
            id="deleteTestDataset",
            summary="Delete a test dataset",
            subject=Subject.TEST_INTERFACE,
            parameters=(_DATASET,),
            replies=(_DONE,),
        )
    )
    async def _delete_dataset(self, request: Request) -> Response:
        """Remove the Opportunities of a test dataset and their Orders. No credentials are needed (OB-TI-05)."""
        await self._system.store.execute(Withdraw(sources=frozenset({_source(request)}), orders=True, actor=ACTOR))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @describe(
        Operation(
            id="createTestOpportunity",
            summary="Create an Opportunity",
            subject=Subject.TEST_INTERFACE,
            scope=_SCOPE,
            parameters=(_DATASET,),
            body=Body((TestOpportunity,)),
            replies=(Reply(HTTPStatus.CREATED, "The new Opportunity.", Body((CreatedOpportunity,))),),
            errors=(OpenBookingError, RequestTooLargeError, SellerNotFoundError, NotFoundError, BelongsToAnotherError),
        )
    )
    async def _create_opportunity(self, request: Request, caller: Caller) -> Response:
        """Create an Opportunity that meets a criterion, for the Seller that the body names (OB-TI-07 to OB-TI-09)."""
        del caller
        body = read_object(await read_body(request, self._system.settings.max_body_bytes))
        flow = body.get("test:testOpenBookingFlow")
        recipe = recipe_for(str(body.get("test:testOpportunityCriteria")), flow if isinstance(flow, str) else None)
        parent: Mapping[str, Any] = next(
            (body[name] for name in sorted(PARENT_PROPERTIES) if isinstance(body.get(name), dict)), {}
        )
        described = parent or body
        seller_id = read_reference(described.get("organizer") or described.get("provider"))
        seller = self._system.ids.parse_seller(seller_id) if seller_id else None
        if seller is None:
            raise SellerNotFoundError
        maker = OpportunityMaker(recipe, seller, _source(request), self._system.clock())
        made = maker.make(str(body.get("@type")), str(parent["@type"]) if "@type" in parent else None)
        await self._system.store.execute(Publish(tuple(made), actor=ACTOR))
        bookable = made[-1]
        answer = CreatedOpportunity(type=bookable.type, id=self._system.ids.opportunity(bookable.path))
        return Response(msgspec.json.encode(answer), HTTPStatus.CREATED, media_type=BOOKING_MEDIA_TYPE)

    @describe(
        Operation(
            id="simulateAction",
            summary="Simulate a Seller",
            subject=Subject.TEST_INTERFACE,
            scope=_SCOPE,
            body=Body((SimulatedAction,)),
            replies=(_DONE,),
            errors=(OpenBookingError, RequestTooLargeError, NotFoundError, UnknownOrderError, GoneError),
        )
    )
    async def _simulate_action(self, request: Request, caller: Caller) -> Response:
        """Simulate an action of a Seller, with the command that a Seller's own system executes (OB-TI-12, OB-TI-15)."""
        body = read_object(await read_body(request, self._system.settings.max_body_bytes))
        action = str(body.get("@type")).removeprefix("test:").removesuffix("SimulateAction")
        object_id = read_reference(body.get("object")) or ""
        execute = self._system.store.execute
        if action in _LOGISTICS_ACTIONS:
            opportunity = await execute(
                GetOpportunity(self._system.ids.parse_opportunity(object_id) or "", actor=ACTOR)
            )
            await execute(_LOGISTICS_ACTIONS[action](opportunity))
        elif action in _PROPOSAL_ACTIONS:
            await execute(_PROPOSAL_ACTIONS[action](self._order_key(caller, object_id, OrderType.PROPOSAL)))
        elif action in _ORDER_ACTIONS:
            await execute(_ORDER_ACTIONS[action](self._order_key(caller, object_id, OrderType.ORDER)))
        elif action == "Replacement":
            await self._replace_first_item(caller, self._order_key(caller, object_id, OrderType.ORDER))
        else:
            raise OpenBookingError(f"The action {body.get('@type')} is not implemented.")
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _order_key(self, caller: Caller, object_id: str, type_: OrderType) -> OrderKey:
        order_uuid = self._system.ids.parse_order(object_id, type_)
        if order_uuid is None:
            raise NotFoundError(f"The object of the action is no {type_}.")
        return OrderKey(caller.partner, order_uuid)

    async def _replace_first_item(self, caller: Caller, order: OrderKey) -> None:
        """Publish a copy of the first OrderItem's Opportunity, and replace the Opportunity by the copy."""
        record = await self._system.store.execute(GetOrder(caller=caller, uuid=order.uuid))
        if not isinstance(record, OrderRecord):
            raise UnknownOrderError
        item, _ = record.items()[0]
        copy, offer = copy_of(item)
        await self._system.store.execute(Publish((copy,), actor=ACTOR))
        replacement = Replace(
            order=order, number=1, opportunity=copy.path, offer=offer.ref, nonce=str(uuid.uuid4()), actor=ACTOR
        )
        await self._system.store.execute(replacement)


def _source(request: Request) -> str:
    """Return the source of the Opportunities in the test dataset that the path names."""
    return f"test-dataset/{request.path_params['dataset']}"
