"""Negotiation of an OrderProposal: rejection, amendments and messages (OB 5.5.5, 9.2.5)."""

from decimal import Decimal

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal, WriteToCustomer
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.terms import OPENACTIVE
from support.approval_flow import (
    ACCEPT,
    KEY,
    ORDERS,
    PARTY,
    PROPOSALS,
    REJECTION,
    TRIP,
    B,
    Json,
    P,
    booking_of,
    outcome,
    patch,
    proposed,
    shown,
    spaces_left,
)
from support.builders import UUID, new_uuid
from support.http_system import SITE, Follower, World
from support.parties import MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio


@pytest.mark.spec("OB-APP-23", "OB-APP-25", "OB-APP-32", "OB-OPU-01", "OB-AMEND-07", "OB-AMEND-13", "OB-OPF-05")
@pytest.mark.parametrize("accepted", [False, True])
async def test_a_customer_rejects_once(approving: World, validator: Validator, accepted: bool) -> None:
    proposal = await proposed(approving, PARTY)
    if accepted:
        await approving.store.execute(ACCEPT)
    follower = Follower(approving, PROPOSALS)
    await follower.news()
    body = {**REJECTION, "orderCustomerNote": "It rains on Geoff."}
    assert validator.failures("OrderProposalPatch", body) == []
    for news in ([UUID], []):
        reply = await approving.call("PATCH", P, body)
        assert (reply.status_code, reply.content) == (204, b"")
        assert list(await follower.news()) == news
    data = (await shown(approving))["data"]
    assert validator.failures("OrderProposalsFeed", data) == []
    assert data["orderProposalStatus"] == f"{OPENACTIVE}CustomerRejected"
    assert data["orderProposalVersion"] == proposal["orderProposalVersion"]
    assert "rains" not in str(data)
    assert outcome(await approving.call("PUT", B, booking_of(proposal))) == (500, "OrderCreationFailedError")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            patch(orderProposalStatus=f"{OPENACTIVE}SellerAccepted"),
            (400, "PatchNotAllowedOnPropertyError"),
            marks=pytest.mark.spec("OB-OPU-02"),
        ),
        pytest.param(
            patch(orderProposalStatus=["CustomerRejected"]),
            (400, "PatchNotAllowedOnPropertyError"),
            marks=pytest.mark.spec("OB-OPU-02"),
        ),
        pytest.param(
            patch(orderCustomerNote={"text": "Hello."}),
            (400, "PatchNotAllowedOnPropertyError"),
            marks=pytest.mark.spec("OB-OPU-02"),
        ),
        pytest.param(
            {**REJECTION, "orderSellerNote": "Accepted, really."},
            (400, "PatchContainsExcessivePropertiesError"),
            marks=pytest.mark.spec("OB-OPU-03"),
        ),
        pytest.param(
            {**REJECTION, "@id": f"{SITE}/api/{P}"},
            (400, "PatchContainsExcessivePropertiesError"),
            marks=pytest.mark.spec("OB-OPU-03"),
        ),
        pytest.param(
            patch(orderedItem=[], orderCustomerNote="One less, please."),
            (400, "PatchContainsExcessivePropertiesError"),
            marks=pytest.mark.spec("OB-OPU-03", "OB-AMEND-05"),
        ),
        pytest.param(patch(), (400, "OpenBookingError"), marks=pytest.mark.spec("OB-OPU-04")),
        pytest.param(
            {**REJECTION, "@type": "Order"},
            (500, "UnexpectedOrderTypeError"),
            marks=pytest.mark.spec("OB-OPU-05", "E-14"),
        ),
    ],
)
async def test_a_patch_of_another_kind_is_refused_and_changes_nothing(
    sqlite_world: World, body: Json, expected: tuple[int, str]
) -> None:
    await sqlite_world.store.execute(Publish(tuple(TRIP), actor=MANAGER))
    await proposed(sqlite_world, TRIP)
    before = (await sqlite_world.call("GET", B)).content
    assert outcome(await sqlite_world.call("PATCH", P, body)) == expected
    assert (await sqlite_world.call("GET", B)).content == before
    assert await sqlite_world.read_feed(PROPOSALS) == {}


@pytest.mark.spec("OB-OPU-03", "OB-OPU-06", "OB-ID-13")
async def test_a_patch_may_have_extensions_and_reaches_own_proposals_only(approving: World) -> None:
    assert outcome(await approving.call("PATCH", P, REJECTION)) == (404, "UnknownOrderError")
    mine, theirs = await proposed(approving, TRIP), await proposed(approving, PARTY, partner="bob")
    assert mine["orderProposalVersion"] != theirs["orderProposalVersion"]
    assert outcome(await approving.call("PATCH", P, REJECTION, "charlie")) == (404, "UnknownOrderError")
    assert (await approving.call("PATCH", P, {**REJECTION, "acme:mood": "sad"})).status_code == 204
    assert (await shown(approving))["data"]["orderProposalStatus"] == f"{OPENACTIVE}CustomerRejected"
    assert await approving.read_feed(PROPOSALS, "bob") == {}
    await approving.store.execute(DecideProposal(order=OrderKey("bob", UUID), accept=True, actor=MANAGER))
    assert (await approving.call("PUT", B, booking_of(theirs), "bob")).status_code == 201
    assert (await shown(approving, "bob"))["state"] == "deleted"
    assert (await shown(approving))["state"] == "updated"


@pytest.mark.spec("OB-AMEND-01", "OB-AMEND-02", "OB-AMEND-03", "OB-AMEND-04", "OB-AMEND-06", "OB-APP-31", "OB-OPF-02")
async def test_an_amended_proposal_is_booked_in_its_newest_version(approving: World, validator: Validator) -> None:
    proposal = await proposed(approving, TRIP, TRIP, TRIP)
    await approving.store.execute(ACCEPT)
    assert await spaces_left(approving) == 2
    follower = Follower(approving, PROPOSALS)
    await follower.news()
    amendment = AmendProposal(
        order=KEY,
        version=new_uuid(),
        note="Two at most.",
        without=frozenset({1}),
        prices={2: Decimal(30)},
        actor=MANAGER,
    )
    await approving.store.execute(amendment)
    assert await spaces_left(approving) == 3
    data = (await follower.news())[UUID]["data"]
    assert validator.failures("OrderProposalsFeed", data) == []
    assert data["orderProposalStatus"] == f"{OPENACTIVE}AwaitingSellerConfirmation"
    assert data["orderProposalVersion"] == f"{SITE}/api/{P}/versions/{amendment.version}"
    assert data["orderSellerNote"] == "Two at most."
    assert [item["acceptedOffer"]["price"] for item in data["orderedItem"]] == [30, 12]
    assert (data["totalPaymentDue"]["price"], data["totalPaymentTax"][0]["price"]) == (42, 7)
    kept = [item["@id"] for item in proposal["orderedItem"][1:]]
    assert [item["@id"] for item in data["orderedItem"]] == kept
    for version, error in ((proposal, "OrderProposalVersionOutdatedError"), (data, "OrderCreationFailedError")):
        assert outcome(await approving.call("PUT", B, booking_of(version))) == (500, error)
    await approving.store.execute(ACCEPT)
    assert outcome(await approving.call("PUT", B, booking_of(proposal))) == (500, "OrderProposalVersionOutdatedError")
    reply = await approving.call("PUT", B, booking_of(data, payment={"@type": "Payment", "identifier": "payment-2"}))
    assert reply.status_code == 201
    order = reply.json()
    assert validator.failures("BResponse", order) == []
    assert [item["@id"] for item in order["orderedItem"]] == kept
    assert (order["totalPaymentDue"], order["payment"]["identifier"]) == (data["totalPaymentDue"], "payment-2")
    cancelled = {"@type": "OrderItem", "@id": kept[1], "orderItemStatus": f"{OPENACTIVE}CustomerCancelled"}
    body = {"@context": OPENACTIVE, "@type": "Order", "orderedItem": [cancelled]}
    assert (await approving.call("PATCH", B, body)).status_code == 204
    data = (await approving.read_feed(ORDERS))[UUID]["data"]
    assert [item["orderItemStatus"].rpartition("/")[2] for item in data["orderedItem"]] == [
        "OrderItemConfirmed",
        "CustomerCancelled",
    ]
    assert data["totalPaymentDue"]["price"] == 30
    assert await spaces_left(approving) == 4


@pytest.mark.spec("OB-AMEND-08", "OB-AMEND-09", "OB-AMEND-10", "OB-AMEND-12", "OB-AMEND-13", "OB-OPF-05")
async def test_messages_do_not_make_another_version(approving: World, validator: Validator) -> None:
    proposal = await proposed(approving, TRIP, orderCustomerNote="Is there a lift?")
    follower = Follower(approving, PROPOSALS)
    assert "lift" not in str(proposal)
    for note in ("There is no lift.", "There is a ramp."):
        await approving.store.execute(WriteToCustomer(order=KEY, note=note, actor=MANAGER))
        data = (await follower.news())[UUID]["data"]
        assert validator.failures("OrderProposalsFeed", data) == []
        assert data["orderSellerNote"] == note
        assert data["orderProposalVersion"] == proposal["orderProposalVersion"]
        assert data["orderProposalStatus"] == proposal["orderProposalStatus"]
        reply = await approving.call("PATCH", P, patch(orderCustomerNote=f"What? {note}"))
        assert (reply.status_code, reply.content) == (204, b"")
        assert await follower.news() == {}
        approving.pass_time(minutes=5)
