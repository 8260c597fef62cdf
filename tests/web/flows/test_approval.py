"""The booking flow with approval by the Seller; OpenActive's validator checks each message (OB 5.5)."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal
from openbooking.booking.commands.orders.seller_decisions import Notify
from openbooking.openactive.ids import parse_uuid
from openbooking.openactive.terms import OPENACTIVE, EventStatus
from openbooking.store.schema import metadata
from support.approval_flow import (
    ACCEPT,
    DIVE,
    KEY,
    ORDERS,
    PARTY,
    PAYMENT,
    PROPOSALS,
    REJECT,
    REJECTION,
    TRIP,
    B,
    Json,
    P,
    booking_of,
    outcome,
    patch,
    proposal_of,
    proposed,
    shown,
    spaces_left,
)
from support.builders import UUID, new_uuid
from support.http_system import SITE, YOGA, Follower, World, open_world
from support.parties import BROKER, CUSTOMER, MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio


@pytest.mark.spec(
    "OB-APP-02", "OB-APP-03", "OB-APP-04", "OB-APP-05", "OB-APP-06", "OB-APP-07", "OB-APP-08", "OB-APP-09"
)
@pytest.mark.spec("OB-APP-10", "OB-APP-21", "OB-APP-25", "OB-APP-30", "OB-APP-34", "OB-APP-36", "OB-ID-11", "OB-ACC-15")
@pytest.mark.spec("OB-OPF-01", "OB-OPF-02", "OB-OPF-03", "OB-OPF-06", "OB-OF-02", "OB-LEASE-22", "OB-APP-29")
@pytest.mark.parametrize("families", [(TRIP,), (PARTY, YOGA)], ids=["negotiated", "mixed"])
async def test_c2_p_acceptance_and_b(approving: World, validator: Validator, families: tuple[Any, ...]) -> None:
    items = [approving.item(family, position) for position, family in enumerate(families)]
    quote = (await approving.call("PUT", f"order-quotes/{UUID}", approving.quote(*items, customer=CUSTOMER))).json()
    assert validator.failures("C2Response", quote) == []
    assert quote["orderRequiresApproval"] is True

    assert validator.failures("PRequest", proposal_of(approving, *families)) == []
    proposal = await proposed(approving, *families)
    assert validator.failures("PResponse", proposal) == []
    assert (proposal["@type"], proposal["@id"]) == ("OrderProposal", f"{SITE}/api/{P}")
    assert proposal["orderProposalStatus"] == f"{OPENACTIVE}AwaitingSellerConfirmation"
    prefix, _, version = proposal["orderProposalVersion"].rpartition("/")
    assert (prefix, parse_uuid(version)) == (f"{SITE}/api/{P}/versions", version)
    assert (proposal["customer"], proposal["broker"], proposal["payment"]) == (CUSTOMER, BROKER, PAYMENT)
    assert proposal["totalPaymentDue"] == quote["totalPaymentDue"]
    assert proposal["lease"]["leaseExpires"] > quote["lease"]["leaseExpires"]
    assert "orderRequiresApproval" not in proposal
    for position, item in enumerate(proposal["orderedItem"]):
        assert (item["position"], item["@id"]) == (position, f"{SITE}/api/{B}#/orderedItem/{position + 1}")
        assert not {"orderItemStatus", "accessCode", "accessPass", "accessChannel"} & item.keys()
    assert await approving.read_feed(PROPOSALS) == {}

    await approving.store.execute(ACCEPT)
    entry = await shown(approving)
    assert (entry["kind"], entry["state"]) == ("OrderProposal", "updated")
    assert validator.failures("OrderProposalsFeed", entry["data"]) == []
    assert entry["data"]["orderProposalStatus"] == f"{OPENACTIVE}SellerAccepted"
    assert entry["data"]["orderProposalVersion"] == proposal["orderProposalVersion"]
    assert [item["@id"] for item in entry["data"]["orderedItem"]] == [item["@id"] for item in proposal["orderedItem"]]

    assert validator.failures("BOrderProposalRequest", booking_of(proposal)) == []
    b = await approving.call("PUT", B, booking_of(proposal))
    assert (b.status_code, b.headers["location"]) == (201, f"{SITE}/api/{B}")
    order = b.json()
    assert validator.failures("BResponse", order) == []
    assert (order["@type"], order["@id"]) == ("Order", f"{SITE}/api/{B}")
    of_proposals = {"orderProposalVersion", "orderProposalStatus", "lease"}
    assert order.keys() == proposal.keys() - of_proposals
    for name in order.keys() - {"@type", "@id", "orderedItem"}:
        assert order[name] == proposal[name], name
    for before, item in zip(proposal["orderedItem"], order["orderedItem"], strict=True):
        assert item.items() >= {name: value for name, value in before.items() if name != "position"}.items()
        assert "position" not in item
        assert item["orderItemStatus"] == f"{OPENACTIVE}OrderItemConfirmed"
    assert (await shown(approving))["state"] == "deleted"
    assert await approving.read_feed(ORDERS) == {}


@pytest.mark.spec("OB-APP-16", "OB-APP-35", "OB-B-10")
async def test_repeats_of_p_and_b_get_the_same_bytes(approving: World) -> None:
    body = proposal_of(approving, PARTY)
    first = await approving.call("PUT", P, body)
    rewritten = {**dict(reversed(body.items())), "totalPaymentDue": {"price": "12.00", "priceCurrency": "GBP"}}
    await approving.store.execute(ACCEPT)
    repeat = await approving.call("PUT", P.upper().replace("ORDER-PROPOSALS", "order-proposals"), rewritten)
    assert (repeat.status_code, repeat.content) == (201, first.content)
    other = await approving.call("PUT", P, {**body, "customer": {"@type": "Person", "email": "else@example.com"}})
    assert outcome(other) == (500, "OrderAlreadyExistsError")
    booking = booking_of(first.json())
    booked = await approving.call("PUT", B, booking)
    await approving.store.execute(Notify(order=KEY, notice="Bring a cake.", actor=MANAGER))
    again = await approving.call("PUT", B, dict(reversed(booking.items())))
    assert (again.status_code, again.content) == (201, booked.content)
    for path, late in ((P, body), (B, {**booking, "payment": {"@type": "Payment", "identifier": "payment-2"}})):
        assert outcome(await approving.call("PUT", path, late)) == (500, "OrderAlreadyExistsError")


@pytest.mark.spec("OB-APP-16", "OB-APP-24", "OB-APP-35")
async def test_the_first_of_concurrent_decisions_on_a_proposal_counts(approving: World) -> None:
    body = proposal_of(approving, PARTY)
    proposals = await asyncio.gather(*(approving.call("PUT", P, body) for _ in range(4)))
    assert {(reply.status_code, reply.content) for reply in proposals} == {(201, proposals[0].content)}
    await approving.store.execute(ACCEPT)
    booking = booking_of(proposals[0].json())
    *bookings, rejected = await asyncio.gather(
        *(approving.call("PUT", B, booking) for _ in range(3)), approving.call("PATCH", P, REJECTION)
    )
    statuses = {reply.status_code for reply in bookings}
    assert (statuses, rejected.status_code) in (({201}, 404), ({500}, 204))
    assert statuses == {500} or len({reply.content for reply in bookings}) == 1


@pytest.mark.spec("OB-APP-04", "OB-APP-14", "OB-APP-17", "OB-CUST-15", "OB-FORM-13")
async def test_a_proposal_with_an_item_error_is_not_made(approving: World, validator: Validator) -> None:
    items = [approving.item(TRIP, position) for position in range(7)]
    full = await approving.call("PUT", P, approving.order(*items, total=84, **{"@type": "OrderProposal"}))
    undetailed = await approving.call("PUT", P, proposal_of(approving, TRIP, DIVE))
    expectations: list[tuple[httpx2.Response, list[list[str]]]] = [
        (full, [[]] * 5 + [["OpportunityHasInsufficientCapacityError"]] * 2),
        (undetailed, [[], ["IncompleteAttendeeDetailsError", "IncompleteIntakeFormError"]]),
    ]
    for reply, expected in expectations:
        assert outcome(reply) == (409, "OrderProposal")
        assert validator.failures("PResponseOrderItemError", reply.json()) == []
        found = [[error["@type"] for error in item.get("error", [])] for item in reply.json()["orderedItem"]]
        assert found == expected
        assert not {"orderProposalVersion", "orderProposalStatus", "lease"} & reply.json().keys()
    assert await spaces_left(approving) == 5
    assert outcome(await approving.call("GET", B)) == (404, "UnknownOrderError")


@pytest.mark.spec("OB-APP-19", "OB-APP-20", "OB-APP-22", "OB-APP-25", "OB-APP-32", "OB-OPF-05")
async def test_a_proposal_rejected_with_a_reason_cannot_be_booked(approving: World, validator: Validator) -> None:
    proposal = await proposed(approving, PARTY)
    assert outcome(await approving.call("PUT", B, booking_of(proposal))) == (500, "OrderCreationFailedError")
    await approving.store.execute(REJECT)
    data = (await shown(approving))["data"]
    assert validator.failures("OrderProposalsFeed", data) == []
    assert (data["orderProposalStatus"], data["orderSellerNote"]) == (f"{OPENACTIVE}SellerRejected", "We are closed.")
    assert data["orderProposalVersion"] == proposal["orderProposalVersion"]
    assert outcome(await approving.call("PUT", B, booking_of(proposal))) == (500, "OrderCreationFailedError")
    assert outcome(await approving.call("PATCH", P, REJECTION)) == (400, "PatchNotAllowedOnPropertyError")


@pytest.mark.spec("OB-APP-26", "OB-APP-28", "OB-LEASE-14")
@pytest.mark.parametrize("accepted", [False, True])
async def test_an_expired_proposal_releases_its_spaces(approving: World, accepted: bool) -> None:
    proposal = await proposed(approving, TRIP)
    if accepted:
        await approving.store.execute(ACCEPT)
    assert await spaces_left(approving) == 4
    approving.pass_time(days=2, hours=1)
    while await spaces_left(approving) != 5:
        await anyio.sleep(0.05)
    assert (await shown(approving))["data"]["orderProposalStatus"] == f"{OPENACTIVE}SellerRejected"
    assert outcome(await approving.call("PUT", B, booking_of(proposal))) == (500, "OrderCreationFailedError")
    assert "lease" not in (await approving.call("GET", B)).json()


@pytest.mark.spec("OB-APP-33", "OB-APP-20", "OB-LEASE-09")
async def test_b_without_spaces_is_refused_and_rejects_the_proposal(tmp_path: Path, validator: Validator) -> None:
    async with open_world("sqlite", tmp_path, sweep_seconds=3600) as world:
        in_ten_days = {"start": world.clock() + timedelta(days=10), "end": world.clock() + timedelta(days=10, hours=1)}
        await world.store.execute(Publish((TRIP[0], replace(TRIP[-1], capacity=3, **in_ten_days)), actor=MANAGER))
        proposal = await proposed(world, TRIP, TRIP)
        await world.store.execute(ACCEPT)
        world.clock.move(world.settings.policy.proposal_duration)
        await proposed(world, TRIP, TRIP, partner="bob")
        reply = await world.call("PUT", B, booking_of(proposal))
        assert outcome(reply) == (409, "OpportunityHasInsufficientCapacityError")
        assert validator.failures("OpenBookingError", reply.json()) == []
        data = (await shown(world))["data"]
        assert data["orderProposalStatus"] == f"{OPENACTIVE}SellerRejected"
        assert data["orderSellerNote"] == reply.json()["description"]


@pytest.mark.spec("OB-APP-27", "OB-APP-20")
async def test_a_lower_capacity_rejects_a_proposal_that_no_longer_fits(approving: World, validator: Validator) -> None:
    proposal = await proposed(approving, TRIP, TRIP)
    await approving.store.execute(ACCEPT)
    await approving.store.execute(Publish((replace(TRIP[-1], capacity=1),), actor=MANAGER))
    data = (await shown(approving))["data"]
    assert validator.failures("OrderProposalsFeed", data) == []
    assert data["orderProposalStatus"] == f"{OPENACTIVE}SellerRejected"
    assert data["orderSellerNote"] == "There are no longer enough spaces for this."
    assert outcome(await approving.call("PUT", B, booking_of(proposal))) == (500, "OrderCreationFailedError")


@pytest.mark.spec("OB-APP-27", "OB-BKBL-11")
@pytest.mark.parametrize("way", ["cancelled", "published as cancelled", "withdrawn"])
async def test_a_cancelled_opportunity_rejects_its_open_proposals(approving: World, way: str) -> None:
    mine = await proposed(approving, TRIP, YOGA)
    await proposed(approving, YOGA, TRIP, partner="bob", orderCustomerNote=None)
    await approving.store.execute(ACCEPT)
    off = replace(TRIP[-1], status=EventStatus.CANCELLED)
    ways: dict[str, Command[Any]] = {
        "cancelled": CancelOpportunity(opportunity=off.path, message="Storm.", actor=MANAGER),
        "published as cancelled": Publish((off,), actor=MANAGER),
        "withdrawn": Withdraw(sources=frozenset({"trips"}), actor=MANAGER),
    }
    await approving.store.execute(ways[way])
    note = "Storm." if way == "cancelled" else "This does not take place."
    for partner in ("alice", "bob"):
        data = (await shown(approving, partner))["data"]
        assert data["orderProposalStatus"] == f"{OPENACTIVE}SellerRejected"
        assert data["orderSellerNote"] == note
    assert outcome(await approving.call("PUT", B, booking_of(mine))) == (500, "OrderCreationFailedError")


@pytest.mark.spec("OB-APP-34", "OB-OF-02", "OB-OF-25", "OB-OF-26", "OB-DEL-01", "OB-DEL-02", "OB-DEL-11", "OB-OF-24")
async def test_an_approved_order_is_in_its_feed_from_its_next_change_to_its_deletion(approving: World) -> None:
    proposal = await proposed(approving, TRIP)
    await approving.store.execute(ACCEPT)
    proposals, orders = Follower(approving, PROPOSALS), Follower(approving, ORDERS)
    await approving.call("PUT", B, booking_of(proposal))
    assert (await proposals.news())[UUID]["state"] == "deleted"
    await approving.store.execute(Notify(order=KEY, notice="Bring boots.", actor=MANAGER))
    entry = (await orders.news())[UUID]
    assert (entry["kind"], entry["state"], entry["data"]["@type"]) == ("Order", "updated", "Order")
    assert entry["data"]["orderedItem"][0]["@id"] == proposal["orderedItem"][0]["@id"]
    assert not {"orderProposalVersion", "orderProposalStatus", "orderSellerNote"} & entry["data"].keys()
    assert (await approving.call("DELETE", B)).status_code == 204
    assert (await orders.news())[UUID]["state"] == "deleted"
    assert await proposals.news() == {}
    assert await spaces_left(approving) == 5


@pytest.mark.spec("OB-DEL-02", "OB-APP-34")
async def test_an_order_deleted_at_once_was_never_in_its_feed(approving: World) -> None:
    proposal = await proposed(approving, TRIP)
    await approving.store.execute(ACCEPT)
    await approving.call("PUT", B, booking_of(proposal))
    assert (await approving.call("DELETE", B)).status_code == 204
    assert await approving.read_feed(ORDERS) == {}
    assert (await shown(approving))["state"] == "deleted"
    assert outcome(await approving.call("PUT", P, proposal_of(approving, TRIP))) == (500, "OrderAlreadyExistsError")


@pytest.mark.spec("OB-TI-05", "OB-OF-24")
async def test_a_proposal_deleted_with_its_dataset_leaves_the_feed(approving: World) -> None:
    await proposed(approving, TRIP)
    await proposed(approving, TRIP, partner="bob")
    await approving.store.execute(ACCEPT)
    await approving.store.execute(Withdraw(sources=frozenset({"trips"}), orders=True, actor=MANAGER))
    assert (await shown(approving))["state"] == "deleted"
    assert await approving.read_feed(PROPOSALS, "bob") == {}
    assert outcome(await approving.call("GET", B)) == (410, "GoneError")


@pytest.mark.spec("OB-OST-01", "OB-OST-02", "OB-OST-03", "OB-OST-05")
async def test_order_status_returns_the_state_of_a_proposal(approving: World) -> None:
    proposal = await proposed(approving, TRIP, TRIP)
    status = (await approving.call("GET", B)).json()
    for item in proposal["orderedItem"]:
        del item["position"]
    assert status == proposal
    await approving.store.execute(AmendProposal(order=KEY, version=new_uuid(), without=frozenset({1}), actor=MANAGER))
    status = (await approving.call("GET", B)).json()
    assert status["orderProposalVersion"] != proposal["orderProposalVersion"]
    assert status["orderedItem"] == proposal["orderedItem"][1:]
    assert status["totalPaymentDue"]["price"] == 12


@pytest.mark.spec("OB-CUST-17", "OB-FORM-14", "OB-APP-30", "OB-OPF-04", "OB-OF-23", "OB-ACC-11", "OB-ACC-12")
async def test_details_of_p_are_in_the_reply_to_b_and_not_in_the_feed(approving: World, validator: Validator) -> None:
    item = approving.item(DIVE)
    form = f"{item['acceptedOffer']}/fields/kit"
    told: Json = {
        "attendee": {"@type": "Person", "givenName": "Ann"},
        "orderItemIntakeFormResponse": [{"@type": "PropertyValue", "propertyID": form, "value": "A mask"}],
    }
    pass_ = {"@type": "Barcode", "text": "0815", "beta:codeType": "code128"}
    body = approving.order({**item, **told, "accessPass": [pass_]}, orderCustomerNote="Is it deep?")
    body["@type"] = "OrderProposal"
    proposal = (await approving.call("PUT", P, body)).json()
    assert validator.failures("PResponse", proposal) == []
    await approving.store.execute(ACCEPT)
    data = (await shown(approving))["data"]
    assert validator.failures("OrderProposalsFeed", data) == []
    assert data["orderedItem"][0]["orderItemIntakeForm"] == proposal["orderedItem"][0]["orderItemIntakeForm"]
    assert not [word for word in ("Ann", "mask", "Geoff", "deep", "0815") if word in str(data)]
    order = (await approving.call("PUT", B, booking_of(proposal))).json()
    assert validator.failures("BResponse", order) == []
    for message in (proposal, order):
        assert message["orderedItem"][0].items() >= told.items()
    assert "accessPass" not in proposal["orderedItem"][0]
    assert order["orderedItem"][0]["accessPass"] == [pass_]


@pytest.mark.spec("OB-AMEND-12", "OB-DEL-03", "OB-DEL-04")
async def test_personal_data_is_stored_apart_and_deleted_with_the_order(sqlite_world: World) -> None:
    await sqlite_world.store.execute(Publish(tuple(DIVE), actor=MANAGER))
    item = sqlite_world.item(DIVE)
    answer = {"@type": "PropertyValue", "propertyID": f"{item['acceptedOffer']}/fields/kit", "value": "A mask"}
    item |= {"attendee": {"@type": "Person", "givenName": "Annabel"}, "orderItemIntakeFormResponse": [answer]}
    body = sqlite_world.order(item, orderCustomerNote="Is it deep?")
    body["@type"] = "OrderProposal"
    proposal = (await sqlite_world.call("PUT", P, body)).json()
    await sqlite_world.call("PATCH", P, patch(orderCustomerNote="How deep?"))
    await sqlite_world.store.execute(replace(ACCEPT, note="Not very."))
    words = (b"Geoff", b"Annabel", b"A mask", b"deep?")
    assert tables_with(sqlite_world, words) == {"personal_data"}
    await sqlite_world.call("PUT", B, booking_of(proposal))
    await sqlite_world.store.execute(Notify(order=KEY, notice="Bring boots.", actor=MANAGER))
    assert tables_with(sqlite_world, words) == {"personal_data"}
    await sqlite_world.call("DELETE", B)
    assert tables_with(sqlite_world, (*words, b"Not very.", b"Bring boots.")) == set()


@pytest.mark.spec("OB-APP-16", "OB-AMEND-12")
async def test_personal_data_is_erased_when_a_rejected_proposal_releases_its_spaces(sqlite_world: World) -> None:
    await sqlite_world.store.execute(Publish(tuple(TRIP), actor=MANAGER))
    body = sqlite_world.order(sqlite_world.item(TRIP), orderCustomerNote="Is it far?")
    body["@type"] = "OrderProposal"
    first = await sqlite_world.call("PUT", P, body)
    await sqlite_world.call("PATCH", P, patch(orderCustomerNote="How far?"))
    await sqlite_world.store.execute(replace(REJECT, note="We are closed."))
    words = (b"Geoff", b"far?")
    assert tables_with(sqlite_world, words) == {"personal_data"}
    sqlite_world.clock.move(sqlite_world.settings.policy.lease_duration)
    await sqlite_world.store.execute(ExpireLeases())
    await sqlite_world.call("PATCH", P, patch(orderCustomerNote="How far?"))
    assert tables_with(sqlite_world, words) == set()
    assert (await sqlite_world.call("PUT", P, body)).json() == first.json()
    assert (await shown(sqlite_world))["data"]["orderProposalStatus"].endswith("SellerRejected")


def tables_with(world: World, words: tuple[bytes, ...]) -> set[str]:
    """Return the names of the tables that contain any of these words."""
    with closing(sqlite3.connect(world.settings.database)) as database:
        rows = {table.name: database.execute(str(table.select())).fetchall() for table in metadata.sorted_tables}
    return {table for table, kept in rows.items() if any(word in str(kept).encode() for word in words)}
