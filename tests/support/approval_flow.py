"""The steps of a Broker in the approval flow: P, B after P, and PATCH of the proposal."""

from typing import Any

import httpx2

from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.model.opportunity import AccessRules, FormField, Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.terms import OPENACTIVE, SCHEMA, FlowRequirement, FormFieldType
from support.builders import UUID, session, slot
from support.http_system import SITE, World
from support.parties import MANAGER

Json = dict[str, Any]
P, B = f"order-proposals/{UUID}", f"orders/{UUID}"
KEY = OrderKey("alice", UUID)
ORDERS, PROPOSALS = "/api/orders-rpde", "/api/order-proposals-rpde"
PAYMENT = {"@type": "Payment", "identifier": "payment-1"}
QUESTION = FormField(key="kit", type=FormFieldType.SHORT_ANSWER, name="Kit", description="Which?", required=True)
NEGOTIATED = (FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION, FlowRequirement.MESSAGE_EXCHANGE)
TRIP = slot("trip", individual=False, capacity=5, offered={"flow": NEGOTIATED}, source="trips")
PARTY = session("party", offered={"flow": (FlowRequirement.APPROVAL,)}, access=AccessRules(code=True))
DIVE = session(
    "dive", offered={"flow": NEGOTIATED, "attendee_details": (f"{SCHEMA}givenName",), "intake_form": (QUESTION,)}
)
ACCEPT, REJECT = (
    DecideProposal(order=KEY, accept=True, actor=MANAGER),
    DecideProposal(order=KEY, accept=False, note="We are closed.", actor=MANAGER),
)


def proposal_of(world: World, *families: list[Opportunity], **changes: Any) -> Json:
    """Return the body of P of one space at each of these Opportunities."""
    items = [world.item(family, position) for position, family in enumerate(families)]
    return world.order(*items, total=12 * len(items), **{"@type": "OrderProposal", **changes})


async def proposed(world: World, *families: list[Opportunity], partner: str = "alice", **changes: Any) -> Json:
    """Send P of one space at each of these Opportunities, and return the reply."""
    reply = await world.call("PUT", P, proposal_of(world, *families, **changes), partner)
    assert (reply.status_code, reply.headers["location"]) == (201, f"{SITE}/api/{P}")
    proposal: Json = reply.json()
    return proposal


def booking_of(proposal: Json, **changes: Any) -> Json:
    """Return the body of B after P."""
    version = proposal["orderProposalVersion"]
    return {"@context": OPENACTIVE, "@type": "Order", "orderProposalVersion": version, **changes}


def patch(**changes: Any) -> Json:
    """Return the body of a PATCH of the proposal."""
    return {"@context": OPENACTIVE, "@type": "OrderProposal", **changes}


REJECTION = patch(orderProposalStatus=f"{OPENACTIVE}CustomerRejected")


async def shown(world: World, partner: str = "alice") -> Json:
    """Return the latest version of the proposal in the feed of proposals."""
    entry: Json = (await world.read_feed(PROPOSALS, partner))[UUID]
    return entry


async def spaces_left(world: World) -> int:
    left: int = (await world.read_feed("/feeds/slots"))["trip"]["data"]["remainingUses"]
    return left


def outcome(reply: httpx2.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["@type"]
