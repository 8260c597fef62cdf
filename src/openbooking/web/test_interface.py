"""The Open Booking API Test Interface: opportunities made to a criterion, and Sellers' actions simulated.

It lets anybody create and delete data, and is mounted only where a setting says so (OB-TI-01).
"""

import random
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from openbooking.booking.command import Command
from openbooking.booking.opportunity import AccessRules, FormField, Offer, Opportunity
from openbooking.booking.order import Caller, OrderKey, Record
from openbooking.booking.publish import GetOpportunity, Publish, Withdraw
from openbooking.booking.seller import (
    AmendProposal,
    ChangeLogistics,
    DecideProposal,
    Notify,
    RecordAttendance,
    RenewAccess,
    Replace,
    SellerCancel,
)
from openbooking.booking.status import GetOrder
from openbooking.jsonld.read import read_object, read_reference
from openbooking.spec.errors import NotFoundError, OpenBookingError, SellerNotFoundError
from openbooking.spec.ids import opportunity_path
from openbooking.spec.terms import (
    BOOKING_MEDIA_TYPE,
    OPENACTIVE,
    SCHEMA,
    Availability,
    FlowRequirement,
    FormFieldType,
    OpportunityType,
    OrderType,
)
from openbooking.system import System
from openbooking.web.request import read_body

_VOCABULARY = f"{OPENACTIVE}test-interface#"
_SIMPLE_FLOW = f"{_VOCABULARY}OpenBookingSimpleFlow"
_APPROVAL_FLOW = f"{_VOCABULARY}OpenBookingApprovalFlow"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What an opportunity is made of; the defaults are bookable. `price` None leaves it to chance: free or not."""

    starts_in: timedelta = timedelta(days=5)
    capacity: int = 20
    price: Decimal | None = None
    prepayment: Availability | None = None
    valid_from_before_start: timedelta | None = None
    latest_cancellation_before_start: timedelta | None = None
    full_refund_on_cancellation: bool = True
    flow: tuple[FlowRequirement, ...] = ()
    attendee_details: tuple[str, ...] = ()
    intake_form: tuple[FormField, ...] = ()
    online: bool = False


_FREE = Decimal("0.00")
_PAID = Decimal("14.95")
_BEFORE_NOW = timedelta(days=30)
_AFTER_NOW = timedelta(hours=6)
_FORM = (
    FormField(
        key="experience",
        type=FormFieldType.SHORT_ANSWER,
        name="Level of experience",
        description="Have you played before? Are you a complete beginner or seasoned pro?",
        required=True,
    ),
    FormField(
        key="age",
        type=FormFieldType.DROPDOWN,
        name="Age group",
        description="How old are you?",
        required=True,
        options=("0-18", "18-30", "30+"),
    ),
    FormField(
        key="photo",
        type=FormFieldType.BOOLEAN,
        name="Photo consent",
        description="Are you happy for us to include photos of you in our marketing materials?",
    ),
    FormField(key="story", type=FormFieldType.PARAGRAPH, name="Your story", description="What brings you here?"),
)

RECIPES: dict[str, Recipe] = {
    "TestOpportunityBookable": Recipe(),
    "TestOpportunityBookableInPast": Recipe(starts_in=timedelta(days=-5)),
    "TestOpportunityBookableNoSpaces": Recipe(capacity=0),
    "TestOpportunityBookableOneSpace": Recipe(capacity=1),
    "TestOpportunityBookableFiveSpaces": Recipe(capacity=5),
    "TestOpportunityBookableFree": Recipe(price=_FREE),
    "TestOpportunityBookableNonFree": Recipe(price=_PAID),
    "TestOpportunityBookableUsingPayment": Recipe(price=_PAID),
    "TestOpportunityBookableWithinValidFromBeforeStartDate": Recipe(valid_from_before_start=_BEFORE_NOW),
    "TestOpportunityBookableOutsideValidFromBeforeStartDate": Recipe(valid_from_before_start=_AFTER_NOW),
    "TestOpportunityBookableWithinValidFromBeforeStartDateWindow": Recipe(valid_from_before_start=_BEFORE_NOW),
    "TestOpportunityBookableOutsideValidFromBeforeStartDateWindow": Recipe(valid_from_before_start=_AFTER_NOW),
    "TestOpportunityBookableCancellable": Recipe(),
    "TestOpportunityBookableCancellableNoWindow": Recipe(),
    "TestOpportunityBookableNotCancellable": Recipe(full_refund_on_cancellation=False),
    "TestOpportunityBookableCancellableWithinWindow": Recipe(latest_cancellation_before_start=_AFTER_NOW),
    "TestOpportunityBookableCancellableOutsideWindow": Recipe(latest_cancellation_before_start=_BEFORE_NOW),
    "TestOpportunityBookableFreeCancellable": Recipe(price=_FREE),
    "TestOpportunityBookableNonFreeCancellable": Recipe(price=_PAID),
    "TestOpportunityBookableAttendeeDetails": Recipe(
        attendee_details=(f"{SCHEMA}givenName", f"{SCHEMA}familyName", f"{SCHEMA}email")
    ),
    "TestOpportunityBookableAdditionalDetails": Recipe(intake_form=_FORM),
    "TestOpportunityBookableNonFreePrepaymentOptional": Recipe(price=_PAID, prepayment=Availability.OPTIONAL),
    "TestOpportunityBookableNonFreePrepaymentUnavailable": Recipe(price=_PAID, prepayment=Availability.UNAVAILABLE),
    "TestOpportunityBookableNonFreePrepaymentRequired": Recipe(price=_PAID),
    "TestOpportunityBookableNonFreeTaxGross": Recipe(price=_PAID),
    "TestOpportunityBookableNonFreeTaxNet": Recipe(price=_PAID),
    "TestOpportunityBookableSellerTermsOfService": Recipe(),
    "TestOpportunityBookableWithNegotiation": Recipe(flow=(FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION)),
    "TestOpportunityOnlineBookable": Recipe(online=True),
    "TestOpportunityOfflineBookable": Recipe(),
}

_PICTURE = "https://example.com/pass/{code}.png"
_NOTICE = "Please come ten minutes early."
_ORDER_ACTIONS: dict[str, Callable[[OrderKey], Command]] = {
    "SellerRequestedCancellation": lambda order: SellerCancel(order=order),
    "SellerRequestedCancellationWithMessage": lambda order: SellerCancel(order=order, message="The instructor is ill."),
    "CustomerNotice": lambda order: Notify(order=order, notice=_NOTICE),
    "AttendeeAttended": lambda order: RecordAttendance(order=order, attended=True),
    "AttendeeAbsent": lambda order: RecordAttendance(order=order, attended=False),
    "AccessCodeUpdate": lambda order: RenewAccess(order=order, nonce=str(uuid.uuid4()), code=True),
    "AccessPassUpdate": lambda order: RenewAccess(order=order, nonce=str(uuid.uuid4()), passes=True),
    "AccessChannelUpdate": lambda order: RenewAccess(order=order, nonce=str(uuid.uuid4()), channel=True),
}
_PROPOSAL_ACTIONS: dict[str, Callable[[OrderKey], Command]] = {
    "SellerAcceptOrderProposal": lambda order: DecideProposal(order=order, accept=True),
    "SellerRejectOrderProposal": lambda order: DecideProposal(order=order, accept=False),
    "SellerAmendOrderProposal": lambda order: AmendProposal(order=order, version=str(uuid.uuid4())),
}
_LATER = timedelta(hours=1)
_LOGISTICS_ACTIONS: dict[str, Callable[[Opportunity], Command]] = {
    "ChangeOfLogisticsName": lambda it: ChangeLogistics(opportunity=it.path, name=f"Renamed {uuid.uuid4().hex[:6]}"),
    "ChangeOfLogisticsLocation": lambda it: ChangeLogistics(
        opportunity=it.path, location={**_PLACE, "name": f"Elsewhere {uuid.uuid4().hex[:6]}"}
    ),
    "ChangeOfLogisticsTime": lambda it: ChangeLogistics(
        opportunity=it.path, start=it.start + _LATER if it.start else None, end=it.end + _LATER if it.end else None
    ),
}

_PLACE: Mapping[str, Any] = {
    "@type": "Place",
    "name": "Test Leisure Centre",
    "address": {
        "@type": "PostalAddress",
        "streetAddress": "1 Test Street",
        "addressLocality": "Testford",
        "addressRegion": "Testshire",
        "postalCode": "TE5 7AB",
        "addressCountry": "GB",
    },
    "geo": {"@type": "GeoCoordinates", "latitude": 51.752022, "longitude": -1.257677},
}
_ACTIVITY: Mapping[str, Any] = {
    "@type": "Concept",
    "@id": f"{OPENACTIVE}activity-list#c07d63a0-8eb9-4602-8bcc-23be6deb8f83",
    "prefLabel": "Jet Skiing",
    "inScheme": f"{OPENACTIVE}activity-list",
}
_FACILITY_TYPE: Mapping[str, Any] = {
    "@type": "Concept",
    "@id": f"{OPENACTIVE}facility-types#a1f82b7a-1258-4d9a-8dc5-bfc2ae961651",
    "prefLabel": "Squash Court",
    "inScheme": f"{OPENACTIVE}facility-types",
}
_SCHEDULE: Mapping[str, Any] = {
    "@type": "PartialSchedule",
    "repeatFrequency": "P1W",
    "startTime": "19:15",
    "endTime": "20:15",
    "byDay": [f"{SCHEMA}Monday"],
}


class TestInterface:
    """The endpoints of the test interface over one Booking System."""

    def __init__(self, system: System) -> None:
        self._system = system

    def routes(self, base: str) -> list[BaseRoute]:
        """The endpoints below the Base URI's path."""
        datasets = f"{base}/test-interface/datasets/{{dataset}}"
        return [
            Route(datasets, self._delete_dataset, methods=["DELETE"]),
            Route(f"{datasets}/opportunities", self._authenticated(self._create_opportunity), methods=["POST"]),
            Route(f"{base}/test-interface/actions", self._authenticated(self._act), methods=["POST"]),
        ]

    def _authenticated(
        self, endpoint: Callable[[Request, Caller], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            return await endpoint(request, await self._system.authenticate(request.headers))

        return serve

    async def _delete_dataset(self, request: Request) -> Response:
        """Remove what was made in a dataset, with the Orders for it; asked for without credentials (OB-TI-05)."""
        await self._system.store.execute(Withdraw(source=_source(request), orders=True))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _create_opportunity(self, request: Request, caller: Caller) -> Response:
        """Make an opportunity that satisfies a criterion, for whichever Seller it names (OB-TI-07 to OB-TI-09)."""
        del caller
        body = read_object(await read_body(request, self._system.settings.max_body_bytes))
        criterion = str(body.get("test:testOpportunityCriteria")).removeprefix(_VOCABULARY)
        recipe = RECIPES.get(criterion)
        if recipe is None:
            raise OpenBookingError(f"No opportunity can be made for {criterion}.")
        if body.get("test:testOpenBookingFlow", _SIMPLE_FLOW) == _APPROVAL_FLOW and not recipe.flow:
            recipe = replace(recipe, flow=(FlowRequirement.APPROVAL,))
        made = self._make(body, recipe, _source(request))
        await self._system.store.execute(Publish(tuple(made)))
        bookable = made[-1]
        answer = {"@type": bookable.type, "@id": self._system.ids.opportunity(bookable.path)}
        return Response(msgspec.json.encode(answer), HTTPStatus.CREATED, media_type=BOOKING_MEDIA_TYPE)

    def _make(self, body: Mapping[str, Any], recipe: Recipe, source: str) -> list[Opportunity]:
        """The opportunity asked for, last, after parents of its own, so that a reader sees all it belongs to."""
        parent: Mapping[str, Any] = next(
            (body[name] for name in ("superEvent", "facilityUse") if isinstance(body.get(name), dict)), {}
        )
        seller_id = read_reference(parent.get("organizer") or parent.get("provider"))
        seller = self._system.ids.parse_seller(seller_id) if seller_id else None
        if seller is None:
            raise SellerNotFoundError
        if recipe.price is None:
            recipe = replace(recipe, price=random.choice((_FREE, _PAID)))  # noqa: S311 - nothing secret hangs on it
        types = (body.get("@type"), parent.get("@type"))
        start = self._system.clock().replace(microsecond=0) + recipe.starts_in
        if types == (OpportunityType.SCHEDULED_SESSION, OpportunityType.SESSION_SERIES):
            return _session(recipe, seller, source, start)
        if types[0] == OpportunityType.SLOT:
            individual = types[1] == OpportunityType.INDIVIDUAL_FACILITY_USE
            return _slot(recipe, seller, source, start, individual=individual)
        raise OpenBookingError(f"No opportunity of type {types[0]} can be made.")

    async def _act(self, request: Request, caller: Caller) -> Response:
        """Simulate what a Seller does, through the decisions a Seller's own system uses (OB-TI-12, OB-TI-15)."""
        body = read_object(await read_body(request, self._system.settings.max_body_bytes))
        action = str(body.get("@type")).removeprefix("test:").removesuffix("SimulateAction")
        object_id = read_reference(body.get("object")) or ""
        execute = self._system.store.execute
        if action in _LOGISTICS_ACTIONS:
            opportunity = await execute(GetOpportunity(self._system.ids.parse_opportunity(object_id) or ""))
            assert isinstance(opportunity, Opportunity)  # noqa: S101 - what GetOpportunity answers with
            await execute(_LOGISTICS_ACTIONS[action](opportunity))
        elif action in _PROPOSAL_ACTIONS:
            await execute(_PROPOSAL_ACTIONS[action](self._order(caller, object_id, OrderType.PROPOSAL)))
        elif action in _ORDER_ACTIONS:
            await execute(_ORDER_ACTIONS[action](self._order(caller, object_id, OrderType.ORDER)))
        elif action == "Replacement":
            await self._replace_first_item(caller, self._order(caller, object_id, OrderType.ORDER))
        else:
            raise OpenBookingError(f"The action {body.get('@type')} is not implemented.")
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _order(self, caller: Caller, object_id: str, type_: OrderType) -> OrderKey:
        order_uuid = self._system.ids.parse_order(object_id, type_)
        if order_uuid is None:
            raise NotFoundError(f"The object of the action is no {type_}.")
        return OrderKey(caller.partner, order_uuid)

    async def _replace_first_item(self, caller: Caller, order: OrderKey) -> None:
        """Publish a twin of what the first item has booked, and give that instead."""
        record = await self._system.store.execute(GetOrder(caller=caller, uuid=order.uuid))
        assert isinstance(record, Record)  # noqa: S101 - what GetOrder answers with
        item, _ = record.items()[0]
        assert item.opportunity is not None  # noqa: S101 - booked items have both
        assert item.offer is not None  # noqa: S101
        path = opportunity_path(item.opportunity.type, uuid.uuid4().hex)
        own = item.offer.owner == item.opportunity.path
        offer = replace(item.offer, owner=path) if own else item.offer
        twin = replace(item.opportunity, path=path, offers=(offer,) if own else ())
        await self._system.store.execute(Publish((twin,)))
        given = Replace(order=order, number=1, opportunity=path, offer=offer.ref, nonce=str(uuid.uuid4()))
        await self._system.store.execute(given)


def _source(request: Request) -> str:
    return f"test-dataset/{request.path_params['dataset']}"


def _session(recipe: Recipe, seller: str, source: str, start: datetime) -> list[Opportunity]:
    series = _thing(OpportunityType.SESSION_SERIES, seller, source)
    described = _described(series) | {"activity": [_ACTIVITY], "eventSchedule": [_SCHEDULE]}
    described["eventAttendanceMode"] = f"{SCHEMA}{'Mixed' if recipe.online else 'Offline'}EventAttendanceMode"
    series = replace(series, properties=described, offers=(_offer(recipe, series.path),))
    session = _thing(OpportunityType.SCHEDULED_SESSION, seller, source)
    session = replace(session, parent=series.path, capacity=recipe.capacity, access=_access(recipe))
    return [series, _dated(session, start)]


def _slot(recipe: Recipe, seller: str, source: str, start: datetime, *, individual: bool) -> list[Opportunity]:
    facility = _thing(OpportunityType.FACILITY_USE, seller, source)
    made = [replace(facility, properties=_described(facility) | {"facilityType": [_FACILITY_TYPE]})]
    if individual:
        court = _thing(OpportunityType.INDIVIDUAL_FACILITY_USE, seller, source)
        made.append(replace(court, parent=facility.path, properties={"name": "Court 1"}))
    slot = _thing(OpportunityType.SLOT, seller, source)
    capacity = min(recipe.capacity, 1) if individual else recipe.capacity
    slot = replace(
        slot, parent=made[-1].path, capacity=capacity, offers=(_offer(recipe, slot.path),), access=_access(recipe)
    )
    return [*made, _dated(slot, start)]


def _thing(type_: OpportunityType, seller: str, source: str) -> Opportunity:
    return Opportunity(path=opportunity_path(type_, uuid.uuid4().hex), type=type_, seller=seller, source=source)


def _described(thing: Opportunity) -> dict[str, Any]:
    url = f"https://example.com/{thing.path}"
    return {"name": f"Test {thing.type}", "url": url, "location": _PLACE}


def _dated(thing: Opportunity, start: datetime) -> Opportunity:
    return replace(thing, start=start, end=start + timedelta(hours=1))


def _offer(recipe: Recipe, owner: str) -> Offer:
    price = recipe.price or _FREE
    return Offer(
        key="standard",
        owner=owner,
        name="Standard",
        price=price,
        currency="GBP" if price else None,
        prepayment=recipe.prepayment,
        valid_from_before_start=recipe.valid_from_before_start,
        latest_cancellation_before_start=recipe.latest_cancellation_before_start,
        full_refund_on_cancellation=recipe.full_refund_on_cancellation,
        flow=recipe.flow,
        attendee_details=recipe.attendee_details,
        intake_form=recipe.intake_form,
    )


def _access(recipe: Recipe) -> AccessRules:
    """A channel online; a code, a picture and a barcode at the door."""
    if recipe.online:
        channel = {
            "@type": "VirtualLocation",
            "name": "Video conference",
            "url": "https://example.com/join/{code}",
            "accessId": "{code}",
            "accessCode": "{code}",
            "description": "Open the link five minutes before the start.",
        }
        return AccessRules(channel=channel)
    return AccessRules(code=True, pass_image=_PICTURE, barcode="code128")
