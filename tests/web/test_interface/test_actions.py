"""Actions of a Seller that the test interface simulates (table TI-A)."""

from collections.abc import Callable
from typing import Any

import pytest

from openbooking.openactive.terms import OPENACTIVE
from support.builders import UUID
from support.http_system import SITE, World
from support.parties import CUSTOMER
from support.simulated_seller import CONTEXT, SESSION, book, create, find
from support.validators import Validator

pytestmark = pytest.mark.anyio


async def act(world: World, name: str, type_: str, id_: str) -> None:
    """Simulate an action of a Seller, as the Test Suite does."""
    body = {"@context": CONTEXT, "@type": f"test:{name}", "object": {"@type": type_, "@id": id_}}
    reply = await world.call("POST", "test-interface/actions", body)
    assert (reply.status_code, reply.content) == (204, b"")


def has_status(status: str) -> Callable[[dict[str, Any], dict[str, Any]], bool]:
    return lambda _, now: bool(now["orderItemStatus"] == OPENACTIVE + status)


def changed(name: str) -> Callable[[dict[str, Any], dict[str, Any]], bool]:
    return lambda before, now: bool(now[name] != before.get(name))


Effect = Callable[[dict[str, Any], dict[str, Any]], bool]
ORDER_ACTIONS: list[tuple[str, str, str, Effect]] = [
    ("TI-A-01", "SellerRequestedCancellationSimulateAction", "", has_status("SellerCancelled")),
    (
        "TI-A-02",
        "SellerRequestedCancellationWithMessageSimulateAction",
        "",
        lambda before, now: has_status("SellerCancelled")(before, now) and bool(now["cancellationMessage"]),
    ),
    (
        "TI-A-03",
        "ReplacementSimulateAction",
        "",
        lambda before, now: bool(now["orderedItem"] != before["orderedItem"]["@id"]),
    ),
    ("TI-A-04", "CustomerNoticeSimulateAction", "", lambda _, now: bool(now["customerNotice"])),
    ("TI-A-08", "AttendeeAttendedSimulateAction", "", has_status("AttendeeAttended")),
    ("TI-A-09", "AttendeeAbsentSimulateAction", "", has_status("AttendeeAbsent")),
    ("TI-A-10", "AccessPassUpdateSimulateAction", "", changed("accessPass")),
    ("TI-A-11", "AccessCodeUpdateSimulateAction", "", changed("accessCode")),
    ("TI-A-12", "AccessChannelUpdateSimulateAction", "TestOpportunityOnlineBookable", changed("accessChannel")),
]


UNKNOWN_ORDER = f"{SITE}/api/orders/0d6e29ab-19a8-4de5-a9a0-f2f5b6a1c2d3"


@pytest.mark.spec("OB-TI-12", "OB-TI-13", "OB-TI-14", "OB-TI-15", "OB-TI-16", "OB-OF-06", "OB-OF-08")
@pytest.mark.parametrize(
    ("name", "criterion", "effect"),
    [pytest.param(*case[1:], id=case[1], marks=pytest.mark.spec(case[0])) for case in ORDER_ACTIONS],
)
async def test_an_action_on_an_order_appears_in_the_orders_feed(
    testable: World, validator: Validator, name: str, criterion: str, effect: Effect
) -> None:
    made = await create(testable, criterion or "TestOpportunityBookableNonFree", SESSION)
    order = await book(testable, made.json()["@id"])
    assert await testable.read_feed("/api/orders-rpde") == {}
    await act(testable, name, "Order", order["@id"])
    entry = (await testable.read_feed("/api/orders-rpde"))[UUID]
    assert validator.failures("OrdersFeed", entry["data"]) == []
    (before,), (now,) = order["orderedItem"], entry["data"]["orderedItem"]
    assert now["@id"] == before["@id"]
    assert effect(before, now)


def inherited(opportunity: dict[str, Any]) -> dict[str, Any]:
    """Return an Opportunity together with the properties that it inherits from its parent."""
    return {**opportunity["superEvent"], **opportunity}


LOGISTICS = [
    ("TI-A-05", "ChangeOfLogisticsTimeSimulateAction", lambda data: (data["startDate"], data["endDate"])),
    ("TI-A-06", "ChangeOfLogisticsNameSimulateAction", lambda data: data["name"]),
    ("TI-A-07", "ChangeOfLogisticsLocationSimulateAction", lambda data: data["location"]["name"]),
]


@pytest.mark.spec("OB-TI-13", "OB-TI-14", "OB-BKBL-38")
@pytest.mark.parametrize(
    ("name", "part"), [pytest.param(*case[1:], id=case[1], marks=pytest.mark.spec(case[0])) for case in LOGISTICS]
)
async def test_a_change_of_logistics_appears_in_open_feed_and_orders_feed(
    testable: World, validator: Validator, name: str, part: Callable[[dict[str, Any]], Any]
) -> None:
    made = (await create(testable, "TestOpportunityBookable", SESSION)).json()
    order = await book(testable, made["@id"])
    await act(testable, name, made["@type"], made["@id"])
    entry = (await testable.read_feed("/api/orders-rpde"))[UUID]
    assert validator.failures("OrdersFeed", entry["data"]) == []
    (before,), (now,) = order["orderedItem"], entry["data"]["orderedItem"]
    was, became = (inherited(item["orderedItem"]) for item in (before, now))
    assert part(became) != part(was)
    seen = await find(testable, made["@id"])
    assert part({**seen.parent, **seen.data}) == part(became)
    assert now["orderItemStatus"] == before["orderItemStatus"]


@pytest.mark.spec("OB-TI-13", "OB-TI-14")
@pytest.mark.parametrize(
    ("name", "status", "amended"),
    [
        pytest.param(
            "SellerAcceptOrderProposalSimulateAction", "SellerAccepted", False, marks=pytest.mark.spec("TI-A-13")
        ),
        pytest.param(
            "SellerAmendOrderProposalSimulateAction",
            "AwaitingSellerConfirmation",
            True,
            marks=pytest.mark.spec("TI-A-14"),
        ),
        pytest.param(
            "SellerRejectOrderProposalSimulateAction", "SellerRejected", False, marks=pytest.mark.spec("TI-A-15")
        ),
    ],
)
async def test_an_action_on_a_proposal_appears_in_its_feed_and_decides_whether_b_succeeds(
    testable: World, name: str, status: str, amended: bool
) -> None:
    made = await create(testable, "TestOpportunityBookableWithNegotiation", SESSION, flow="OpenBookingApprovalFlow")
    proposal = await book(testable, made.json()["@id"], propose=True)
    await act(testable, name, "OrderProposal", proposal["@id"])
    data = (await testable.read_feed("/api/order-proposals-rpde"))[UUID]["data"]
    assert data["orderProposalStatus"] == OPENACTIVE + status
    assert (data["orderProposalVersion"] != proposal["orderProposalVersion"]) is amended
    body = {"@context": CONTEXT[0], "@type": "Order", "orderProposalVersion": proposal["orderProposalVersion"]}
    outcome = await testable.call("PUT", f"orders/{UUID}", body)
    assert (outcome.status_code == 201) is (status == "SellerAccepted")


@pytest.mark.spec("E-44")
@pytest.mark.parametrize(
    ("action", "object_id", "expected"),
    [
        ("test:LiftOffSimulateAction", f"{SITE}/api/orders/{UUID}", (400, "OpenBookingError")),
        ("test:CustomerNoticeSimulateAction", "x", (404, "NotFoundError")),
        ("test:CustomerNoticeSimulateAction", f"{SITE}/api/order-proposals/{UUID}", (404, "NotFoundError")),
        ("test:CustomerNoticeSimulateAction", UNKNOWN_ORDER, (404, "UnknownOrderError")),
        ("test:ReplacementSimulateAction", UNKNOWN_ORDER, (404, "UnknownOrderError")),
        ("test:ChangeOfLogisticsNameSimulateAction", "x", (404, "NotFoundError")),
    ],
)
async def test_an_invalid_action_is_refused(
    testable: World, action: str, object_id: str, expected: tuple[int, str]
) -> None:
    body = {"@context": CONTEXT, "@type": action, "object": {"@type": "Order", "@id": object_id}}
    reply = await testable.call("POST", "test-interface/actions", body)
    assert (reply.status_code, reply.json()["@type"]) == expected


async def test_actions_on_orders_of_another_partner_are_refused(testable: World) -> None:
    made = await create(testable, "TestOpportunityBookable", SESSION)
    order = await book(testable, made.json()["@id"])
    body = {"@type": "test:SellerRequestedCancellationSimulateAction", "object": {"@id": order["@id"]}}
    reply = await testable.call("POST", "test-interface/actions", body, "bob")
    assert (reply.status_code, reply.json()["@type"]) == (404, "UnknownOrderError")
    status = await testable.call("GET", f"orders/{UUID}")
    assert status.json()["customer"] == CUSTOMER
    assert status.json()["orderedItem"][0]["orderItemStatus"] == f"{OPENACTIVE}OrderItemConfirmed"
