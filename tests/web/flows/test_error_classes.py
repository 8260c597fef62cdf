"""One request for each error class of table E. The reply has that class, and not a more general class."""

from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal
from openbooking.booking.model.opportunity import FormField, Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.ids import parse_uuid
from openbooking.openactive.terms import OPENACTIVE, SCHEMA, Availability, FlowRequirement, FormFieldType
from support.builders import NOW, UUID, new_uuid, offer, session
from support.http_system import PILATES, SITE, YOGA, World, open_world
from support.parties import CUSTOMER, MANAGER
from support.requirements_catalogue import error_statuses
from support.validators import Validator

pytestmark = pytest.mark.anyio

C1, C2, P, B = f"order-quote-templates/{UUID}", f"order-quotes/{UUID}", f"order-proposals/{UUID}", f"orders/{UUID}"
PATHS = {"C1": C1, "C2": C2, "B": B}
CANCELLED = f"{OPENACTIVE}CustomerCancelled"
PAYMENT = {"@type": "Payment", "identifier": "payment-1"}
QUESTION = FormField(
    key="kit", type=FormFieldType.DROPDOWN, name="Kit", description="Hire?", required=True, options=("yes", "no")
)


def special(key: str, *, capacity: int = 10, **offered: Any) -> list[Opportunity]:
    return session(key, capacity=capacity, offers=(offer(f"session-series/series-{key}", **offered),))


FREE = special("free", price=0 * offer("x").price, currency=None)
LATER = special("later", prepayment=Availability.UNAVAILABLE)
ATTENDED = special("attended", attendee_details=(f"{SCHEMA}givenName",))
ASKING = special("asking", intake_form=(QUESTION,))
APPROVED = special("approved", flow=(FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION))
NONE_LEFT, ONE_LEFT = special("sold-out", capacity=0), special("one", capacity=1)
LAST_YEAR = NOW.replace(year=NOW.year - 1)
PAST = session("past", start=LAST_YEAR, end=LAST_YEAR + timedelta(hours=1))


@pytest.fixture
async def stocked(sqlite_world: World) -> World:
    """A Booking System with Opportunities for each kind of error."""
    for family in (FREE, LATER, ATTENDED, ASKING, APPROVED, NONE_LEFT, ONE_LEFT, PAST):
        await sqlite_world.store.execute(Publish(tuple(family), actor=MANAGER))
    return sqlite_world


class OfOrder(NamedTuple):
    """A change to a valid body of B, the first request (C1, C2 or B) that refuses the body, and the error class."""

    id: str
    error: str
    at: str
    changes: dict[str, Any]
    family: list[Opportunity] = YOGA


ORDER_FAULTS = [
    OfOrder("E-02", "IncompleteCustomerDetailsError", "C2 B", {"customer": {"@type": "Person", "givenName": "Geoff"}}),
    OfOrder("E-03", "IncompleteBrokerDetailsError", "C1 C2 B", {"broker": {"@type": "Organization"}}),
    OfOrder("E-04", "UnnecessaryPaymentDetailsError", "B", {"payment": PAYMENT}, FREE),
    OfOrder("E-05", "MissingPaymentDetailsError", "B", {"payment": None}),
    OfOrder("E-06", "IncompletePaymentDetailsError", "B", {"payment": {"@type": "Payment"}}),
    OfOrder("E-08", "TotalPaymentDueMismatchError", "B", {"totalPaymentDue": {"price": 11.99}}),
    OfOrder("E-13", "OrderCreationFailedError", "B", {}, APPROVED),
    OfOrder("E-14", "UnexpectedOrderTypeError", "C1 C2 B", {"@type": "Event"}),
    OfOrder("E-15", "SellerNotFoundError", "C1 C2 B", {"seller": f"{SITE}/api/identifiers/sellers/nobody"}),
    OfOrder("E-16", "SellerMismatchError", "C1 C2 B", {}, PILATES),
]


@pytest.mark.spec("OB-ERR-01", "OB-ERR-07", "OB-VAL-10")
@pytest.mark.parametrize(
    "fault", [pytest.param(fault, id=fault.error, marks=pytest.mark.spec(fault.id)) for fault in ORDER_FAULTS]
)
async def test_an_error_of_the_order_is_answered_by_its_class(
    stocked: World, validator: Validator, fault: OfOrder
) -> None:
    body = {**stocked.order(stocked.item(fault.family), total=0 if fault.family is FREE else 12), **fault.changes}
    body = {name: value for name, value in body.items() if value is not None}
    for checkpoint in fault.at.split():
        type_ = "Order" if checkpoint == "B" else "OrderQuote"
        sent = body if "@type" in fault.changes else {**body, "@type": type_}
        reply = await stocked.call("PUT", PATHS[checkpoint], sent)
        assert (reply.status_code, reply.json()["@type"]) == (error_statuses()[fault.error], fault.error), checkpoint
        assert "orderedItem" not in reply.json()
        assert validator.failures("OpenBookingError", reply.json()) == []
    assert (await stocked.call("GET", B)).status_code == 404


class OfItem(NamedTuple):
    """A change to valid OrderItems, the first request that reports the error, and the error class."""

    id: str
    error: str
    at: str
    changes: dict[str, Any]
    family: list[Opportunity] = YOGA
    spaces: int = 1


YOGA_OFFER = f"{SITE}/api/identifiers/session-series/series-yoga#/offers"
HALL_OFFER = f"{SITE}/api/identifiers/slots/hall#/offers/adult"
ITEM_FAULTS = [
    OfItem("E-20", "IncompleteAttendeeDetailsError", "C2 B", {}, ATTENDED),
    OfItem("E-21", "IncompleteOrderItemError", "C1 C2 B", {"acceptedOffer": None}),
    OfItem("E-22", "IncompleteIntakeFormError", "C2 B", {}, ASKING),
    OfItem("E-24", "UnacceptableOfferError", "C1 C2 B", {"acceptedOffer": HALL_OFFER}),
    OfItem("E-25", "UnknownOfferError", "C1 C2 B", {"acceptedOffer": f"{YOGA_OFFER}/none"}),
    OfItem(
        "E-26",
        "UnknownOpportunityError",
        "C1 C2 B",
        {"orderedItem": f"{SITE}/api/identifiers/scheduled-sessions/none"},
    ),
    OfItem("E-27", "InvalidOpportunityOrOfferIdError", "C1 C2 B", {"orderedItem": "https://elsewhere.example.com/1"}),
    OfItem("E-28", "OpportunityOfferPairNotBookableError", "C1 C2 B", {}, PAST),
    OfItem("E-31", "OpportunityIsFullError", "C1 C2 B", {}, NONE_LEFT),
    OfItem("E-32", "OpportunityHasInsufficientCapacityError", "C1 C2 B", {}, ONE_LEFT, 2),
]


@pytest.mark.spec("OB-ERR-08", "OB-VAL-09")
@pytest.mark.parametrize(
    "fault", [pytest.param(fault, id=fault.error, marks=pytest.mark.spec(fault.id)) for fault in ITEM_FAULTS]
)
async def test_an_error_of_an_item_is_reported_at_that_item(
    stocked: World, validator: Validator, fault: OfItem
) -> None:
    item = {name: value for name, value in {**stocked.item(fault.family), **fault.changes}.items() if value is not None}
    items = [{**item, "position": position} for position in range(fault.spaces)]
    for checkpoint in fault.at.split():
        body = {**stocked.order(*items), "@type": "Order" if checkpoint == "B" else "OrderQuote"}
        reply = await stocked.call("PUT", PATHS[checkpoint], body)
        assert reply.status_code == 409, checkpoint
        (error,) = reply.json()["orderedItem"][-1]["error"]
        assert (error["@type"], error["statusCode"]) == (fault.error, 409)
        if fault.id != "E-21":  # the validator requires properties that the request did not send
            assert validator.failures(f"{checkpoint}ResponseOrderItemError", reply.json()) == []


@pytest.mark.spec("E-23")
async def test_an_answer_that_is_not_allowed_is_invalid(stocked: World) -> None:
    (question,) = await _questions(stocked)
    answer = {"@type": "PropertyValue", "propertyID": question, "value": "perhaps"}
    item = {**stocked.item(ASKING), "orderItemIntakeFormResponse": [answer]}
    reply = await stocked.call("PUT", C2, stocked.quote(item, customer=CUSTOMER))
    (error,) = reply.json()["orderedItem"][0]["error"]
    assert (reply.status_code, error["@type"], error["instance"]) == (409, "InvalidIntakeFormError", question)
    assert error["description"]


async def _questions(world: World) -> list[str]:
    reply = await world.call("PUT", C1, world.quote(world.item(ASKING)))
    return [field["@id"] for field in reply.json()["orderedItem"][0]["orderItemIntakeForm"]]


@pytest.mark.spec("E-30", "OB-VAL-24", "OB-PREP-09")
async def test_prepaid_and_non_prepayable_items_are_in_conflict(stocked: World) -> None:
    items = [stocked.item(YOGA, 0), stocked.item(LATER, 1), stocked.item(FREE, 2)]
    reply = await stocked.call("PUT", C1, stocked.quote(*items))
    assert reply.status_code == 409
    errors = [[error["@type"] for error in item.get("error", [])] for item in reply.json()["orderedItem"]]
    assert errors == [["OpportunityIsInConflictError"], ["OpportunityIsInConflictError"], []]


@pytest.mark.spec("E-33")
async def test_the_last_space_held_by_another_is_reserved(stocked: World) -> None:
    quote = stocked.quote(stocked.item(ONE_LEFT), customer=CUSTOMER)
    assert (await stocked.call("PUT", C2, quote, "bob")).status_code == 200
    reply = await stocked.call("PUT", C2, quote)
    (error,) = reply.json()["orderedItem"][0]["error"]
    assert (reply.status_code, error["@type"]) == (409, "OpportunityCapacityIsReservedByLeaseError")


@pytest.mark.spec("E-11")
async def test_a_uuid_in_use_is_refused(stocked: World) -> None:
    assert (await stocked.call("PUT", B, stocked.order(stocked.item(YOGA)))).status_code == 201
    for path, body in (
        (B, stocked.order(stocked.item(YOGA, 1))),
        (C1, stocked.quote(stocked.item(YOGA))),
        (C2, stocked.quote(stocked.item(YOGA), customer=CUSTOMER)),
        (P, {**stocked.order(stocked.item(APPROVED)), "@type": "OrderProposal"}),
    ):
        reply = await stocked.call("PUT", path, body)
        assert (reply.status_code, reply.json()["@type"]) == (500, "OrderAlreadyExistsError")


@pytest.mark.spec("E-07")
async def test_a_payment_that_cannot_be_reconciled_is_invalid(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, reconciliation_account_id="SN1593") as world:
        payment = {**PAYMENT, "accountId": "SN0000"}
        order = world.order(world.item(YOGA), payment=payment)
        for path, type_ in ((C1, "OrderQuote"), (C2, "OrderQuote"), (B, "Order")):
            reply = await world.call("PUT", path, {**order, "@type": type_})
            assert (reply.status_code, reply.json()["@type"]) == (400, "InvalidPaymentDetailsError")


@pytest.mark.spec("E-34")
async def test_a_request_of_a_gateway_without_a_partner_is_unauthenticated(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, access="headers", trusted_partner_header="X-Partner") as world:
        reply = await world.call("GET", "orders-rpde")
        assert (reply.status_code, reply.json()["@type"]) == (403, "UnauthenticatedError")
        assert (await world.call("GET", "orders-rpde", **{"X-Partner": "alice"})).status_code == 200


async def propose(world: World) -> dict[str, Any]:
    """Propose an Order of one space."""
    body = {**world.order(world.item(APPROVED)), "@type": "OrderProposal"}
    reply = await world.call("PUT", P, body)
    assert reply.status_code == 201
    proposal: dict[str, Any] = reply.json()
    return proposal


def booking_of(proposal: dict[str, Any]) -> dict[str, Any]:
    """Return the body of B after P."""
    return {
        "@context": OPENACTIVE,
        "@type": "Order",
        "orderProposalVersion": proposal["orderProposalVersion"],
        "payment": PAYMENT,
    }


@pytest.mark.spec("E-12", "OB-ID-06", "OB-ID-11")
async def test_a_proposal_is_booked_in_its_newest_version_or_not(stocked: World) -> None:
    proposal = await propose(stocked)
    version = proposal["orderProposalVersion"]
    assert version.startswith(f"{SITE}/api/order-proposals/{UUID}/versions/")
    assert parse_uuid(version.rpartition("/")[2]) not in (None, UUID)
    key = OrderKey("alice", UUID)
    await stocked.store.execute(AmendProposal(order=key, version=new_uuid(), actor=MANAGER))
    await stocked.store.execute(DecideProposal(order=key, accept=True, actor=MANAGER))
    reply = await stocked.call("PUT", B, booking_of(proposal))
    assert (reply.status_code, reply.json()["@type"]) == (500, "OrderProposalVersionOutdatedError")


@pytest.mark.spec("E-09")
async def test_an_approved_proposal_without_spaces_is_not_booked(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, proposal_seconds=60, sweep_seconds=3600) as world:
        await world.store.execute(Publish((APPROVED[0], replace(APPROVED[1], capacity=1)), actor=MANAGER))
        proposal = await propose(world)
        await world.store.execute(DecideProposal(order=OrderKey("alice", UUID), accept=True, actor=MANAGER))
        world.pass_time(minutes=16)
        other = {**world.order(world.item(APPROVED)), "@type": "OrderProposal"}
        assert (await world.call("PUT", P, other, "bob")).status_code == 201
        reply = await world.call("PUT", B, booking_of(proposal))
        assert (reply.status_code, reply.json()["@type"]) == (409, "OpportunityHasInsufficientCapacityError")
