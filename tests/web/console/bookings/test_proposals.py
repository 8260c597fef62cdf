"""Proposals on the console: accepted, rejected and amended, also by two managers at once."""

from typing import Any

import pytest

from support.approval_flow import PARTY, PROPOSALS, TRIP, proposal_of, shown
from support.browsers.form_browser import Page, Visitor
from support.builders import UUID, new_uuid
from support.console import SignIn
from support.http_system import World

pytestmark = pytest.mark.anyio

PROPOSAL = f"/console/proposals/alice/{UUID}"


@pytest.fixture(autouse=True)
async def proposed(approving: World) -> None:
    """Geoff has proposed two spaces of a trip, through Alice."""
    reply = await approving.call("PUT", f"order-proposals/{UUID}", proposal_of(approving, TRIP, TRIP))
    assert reply.status_code == 201


async def send(visitor: Visitor, page: Page, decision: str, **fields: str) -> Page:
    """Send the form of the proposal that the page shows."""
    return await visitor.post(PROPOSAL, {**page.forms[-1].fields, "decision": decision, **fields})


async def decide(visitor: Visitor, decision: str, **fields: str) -> Page:
    """Open the page of the proposal, and send its form."""
    return await send(visitor, await visitor.open(PROPOSAL), decision, **fields)


async def data(world: World) -> dict[str, Any]:
    """Return the proposal as the Broker's feed shows it."""
    return dict((await shown(world))["data"])


async def test_the_list_shows_proposals_with_the_time_that_is_left(world: World, sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open("/console/proposals")
    assert "Geoff" in page.text
    assert "£24.00" in page.text
    assert "days" in page.text
    world.pass_time(days=30)
    page = await (await sign_in("ann")).open("/console/proposals")
    assert "No proposal waits for your decision." in page.text


async def test_a_proposal_is_accepted_with_a_note(world: World, sign_in: SignIn) -> None:
    page = await decide(await sign_in("ann"), "accept", note="See you.")
    assert "Accepted. The partner can book now." in page.text
    found = await data(world)
    assert found["orderProposalStatus"].endswith("SellerAccepted")
    assert found["orderCustomerNote" if "orderCustomerNote" in found else "orderSellerNote"] == "See you."


async def test_a_proposal_is_rejected_by_staff(world: World, sign_in: SignIn) -> None:
    page = await decide(await sign_in("cat"), "reject", note="We are closed.")
    assert "Rejected." in page.text
    assert (await data(world))["orderProposalStatus"].endswith("SellerRejected")


async def test_a_proposal_is_amended_in_price_and_items(world: World, sign_in: SignIn) -> None:
    page = await decide(await sign_in("ann"), "amend", **{"price-1": "10.50", "item-2": ""})
    assert "Offered with your changes." in page.text
    found = await data(world)
    assert found["totalPaymentDue"]["price"] == 10.5
    assert len(found["orderedItem"]) == 1


@pytest.mark.parametrize("changes", [{"item-2": ""}, {"price-1": "10.50"}, {"price-1": "ten"}])
async def test_a_changed_proposal_is_not_accepted_as_it_came(
    world: World, sign_in: SignIn, changes: dict[str, str]
) -> None:
    page = await decide(await sign_in("ann"), "accept", **changes)
    assert page.status == 422
    assert "You have changed items or prices" in page.text
    (field, value), *_ = changes.items()
    assert page.forms[-1].fields.get(field, "") == value
    assert UUID not in await world.read_feed(PROPOSALS)


async def test_staff_amend_no_prices(world: World, sign_in: SignIn) -> None:
    page = await (await sign_in("cat")).open(PROPOSAL)
    assert "£" not in page.text
    await decide(await sign_in("cat"), "amend", **{"price-1": "0.01", "item-2": ""})
    assert (await data(world))["totalPaymentDue"]["price"] == 12


@pytest.mark.parametrize("price", ["cheap", "-1", "1e99", "NaN", "sNaN"])
async def test_a_wrong_price_changes_nothing(world: World, sign_in: SignIn, price: str) -> None:
    page = await decide(await sign_in("ann"), "amend", **{"price-1": price})
    assert page.status == 422
    assert page.summary[0] == "price-1"
    assert page.fields["price-1"]["value"] == price
    assert UUID not in await world.read_feed("/api/order-proposals-rpde")


async def test_of_two_managers_the_second_is_told_that_the_first_has_decided(world: World, sign_in: SignIn) -> None:
    ann, cat = await sign_in("ann"), await sign_in("cat")
    seen_by_ann, seen_by_cat = await ann.open(PROPOSAL), await cat.open(PROPOSAL)
    await send(cat, seen_by_cat, "accept", note="First.")
    page = await send(ann, seen_by_ann, "reject")
    assert page.status == 422
    assert "Somebody else has decided about this proposal meanwhile." in page.text
    assert "accepted, not booked yet" in page.text
    assert (await data(world))["orderProposalStatus"].endswith("SellerAccepted")


async def test_proposals_for_more_than_is_left_are_warned_about(world: World, sign_in: SignIn) -> None:
    # The hold of the first proposal ends before its lifetime.
    world.pass_time(hours=25)
    bobs = proposal_of(world, TRIP, TRIP, TRIP, TRIP)
    reply = await world.call("PUT", f"order-proposals/{new_uuid()}", bobs, "bob")
    assert reply.status_code == 201
    ann = await sign_in("ann")
    assert "5 left, 6 wanted" in (await ann.open("/console/proposals")).text
    page = await ann.open(PROPOSAL)
    assert "has 5 spaces left. This proposal asks for 2, and other waiting proposals for 4." in page.text


async def test_a_proposal_that_has_been_booked_leads_to_its_order(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    world.pass_time(minutes=1)
    await decide(ann, "accept")
    world.pass_time(minutes=1)
    found = await data(world)
    order = {
        "@context": "https://openactive.io/",
        "@type": "Order",
        "orderProposalVersion": found["orderProposalVersion"],
        "payment": {"@type": "Payment", "identifier": "payment-1"},
    }
    assert (await world.call("PUT", f"orders/{UUID}", order)).status_code == 201
    page = await ann.open(PROPOSAL)
    assert page.url.endswith(f"/console/orders/alice/{UUID}")
    history = page.text.partition("History")[2]
    assert history.index("Proposed") < history.index("Proposal accepted") < history.index("Booked")


async def test_an_offer_without_negotiation_cannot_be_amended(world: World, sign_in: SignIn) -> None:
    uuid = new_uuid()
    assert (await world.call("PUT", f"order-proposals/{uuid}", proposal_of(world, PARTY))).status_code == 201
    ann = await sign_in("ann")
    page = await ann.open(f"/console/proposals/alice/{uuid}")
    assert "Offer with these changes" not in page.text
    page = await ann.post(page.url, {**page.forms[-1].fields, "decision": "amend"})
    assert page.status == 422


async def test_another_seller_has_no_such_proposal(world: World, sign_in: SignIn) -> None:
    ben = await sign_in("ben")
    token = (await ben.open("/console")).forms[0].fields["form_token"]
    assert (await ben.open(PROPOSAL)).status == 404
    assert (await ben.post(PROPOSAL, {"form_token": token, "decision": "accept"})).status == 404
    assert "No proposal waits" in (await ben.open("/console/proposals")).text
    assert UUID not in await world.read_feed("/api/order-proposals-rpde")


async def test_the_search_for_bookings_finds_proposals_of_a_person(sign_in: SignIn) -> None:
    """Also by their attendees. Other fields than the text are of bookings only."""
    ann = await sign_in("ann")
    orders = "/console/orders"
    for text in ("geoff", "geoff@example.com"):
        page = await ann.send(await ann.open(orders), orders, text=text)
        assert "Proposals found, not booked yet" in page.text
        assert "waits for your decision" in page.text
        assert UUID in page.response.text
    for fields in ({"text": "eve"}, {"text": "geoff", "partner": "alice"}, {}):
        assert "Proposals found" not in (await ann.send(await ann.open(orders), orders, **fields)).text


async def test_the_data_of_a_person_in_an_open_proposal_is_kept(sign_in: SignIn) -> None:
    ann, privacy = await sign_in("ann"), "/console/privacy"
    page = await ann.send(await ann.open(privacy), privacy, contact="geoff@example.com")
    assert "1 booking of geoff@example.com" in page.text
    exported = (await ann.send(page, f"{privacy}/export")).response.json()
    assert [proposal["uuid"] for proposal in exported["proposals"]] == [UUID]
    refused = await ann.send(page, f"{privacy}/erase", number="1")
    assert "Reject these proposals first, or wait until they have ended: " in refused.text
