"""Opportunities that the test interface makes, which meet the criteria of table TI-C."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunity
from openbooking.booking.model.opportunity import Opportunity
from openbooking.openactive.terms import OPENACTIVE, SCHEMA
from support.builders import NOW, UUID
from support.http_system import World
from support.parties import MANAGER
from support.simulated_seller import (
    COURT_SLOT,
    EVENT_OF_COURSE,
    HALL_SLOT,
    HEADLINE_EVENT,
    SESSION,
    Seen,
    book,
    create,
    find,
)
from support.validators import Validator

pytestmark = pytest.mark.anyio

SOON = NOW + timedelta(hours=2)
BASE: dict[str, Callable[[Seen], bool]] = {
    "spaces": lambda seen: seen.remaining >= (1 if seen.individual else 2),
    "future": lambda seen: seen.start > SOON,
    "status": lambda seen: seen.data.get("eventStatus", f"{SCHEMA}EventScheduled") == f"{SCHEMA}EventScheduled",
    "window": lambda seen: (opens := seen.opens()) is None or opens < NOW,
    "advance": lambda seen: seen.offer.get("openBookingInAdvance") != f"{OPENACTIVE}Unavailable",
    "details": lambda seen: not seen.flow & {"OpenBookingAttendeeDetails", "OpenBookingIntakeForm"},
    "seller": lambda seen: seen.seller["isOpenBookingAllowed"] is True,
    "payment": lambda seen: not (seen.offer["price"] and seen.prepayment == "Unavailable"),
}
"""The conditions that table TI-C calls "Base", by name."""


class Criterion(NamedTuple):
    """The condition of Base that a criterion replaces, and the replacement."""

    instead_of: str
    holds: Callable[[Seen], bool]


def _anything(_: Seen) -> bool:
    return True


def _cancellable(seen: Seen) -> bool:
    return seen.refundable and seen.last_cancellation() is None


CRITERIA: dict[str, tuple[str, Criterion]] = {
    "TI-C-01": ("TestOpportunityBookable", Criterion("", _anything)),
    "TI-C-02": ("TestOpportunityBookableInPast", Criterion("future", lambda seen: seen.end < NOW)),
    "TI-C-03": ("TestOpportunityBookableNoSpaces", Criterion("spaces", lambda seen: seen.remaining == 0)),
    "TI-C-04": ("TestOpportunityBookableOneSpace", Criterion("spaces", lambda seen: seen.remaining == 1)),
    "TI-C-05": (
        "TestOpportunityBookableFiveSpaces",
        Criterion("spaces", lambda seen: seen.remaining == (1 if seen.individual else 5)),
    ),
    "TI-C-06": (
        "TestOpportunityBookableFree",
        Criterion("", lambda seen: seen.offer["price"] == 0 and seen.prepayment == "Unavailable"),
    ),
    "TI-C-07": ("TestOpportunityBookableNonFree", Criterion("", lambda seen: seen.offer["price"] > 0)),
    "TI-C-08": (
        "TestOpportunityBookableUsingPayment",
        Criterion("", lambda seen: seen.offer["price"] > 0 and seen.prepayment != "Unavailable"),
    ),
    "TI-C-09": (
        "TestOpportunityBookableWithinValidFromBeforeStartDate",
        Criterion("", lambda seen: bool((opens := seen.opens()) and opens < NOW)),
    ),
    "TI-C-10": (
        "TestOpportunityBookableOutsideValidFromBeforeStartDate",
        Criterion("window", lambda seen: bool((opens := seen.opens()) and opens > SOON)),
    ),
    "TI-C-11": (
        "TestOpportunityBookableWithinValidFromBeforeStartDateWindow",
        Criterion("", lambda seen: bool((opens := seen.opens()) and opens < NOW)),
    ),
    "TI-C-12": (
        "TestOpportunityBookableOutsideValidFromBeforeStartDateWindow",
        Criterion("window", lambda seen: bool((opens := seen.opens()) and opens > NOW)),
    ),
    "TI-C-13": ("TestOpportunityBookableCancellable", Criterion("", _cancellable)),
    "TI-C-14": ("TestOpportunityBookableNotCancellable", Criterion("", lambda seen: not seen.refundable)),
    "TI-C-15": (
        "TestOpportunityBookableCancellableWithinWindow",
        Criterion("", lambda seen: bool(seen.refundable and (last := seen.last_cancellation()) and last > SOON)),
    ),
    "TI-C-16": (
        "TestOpportunityBookableCancellableOutsideWindow",
        Criterion("", lambda seen: bool(seen.refundable and (last := seen.last_cancellation()) and last < NOW)),
    ),
    "TI-C-17": (
        "TestOpportunityBookableAttendeeDetails",
        Criterion("details", lambda seen: seen.flow == {"OpenBookingAttendeeDetails"}),
    ),
    "TI-C-18": (
        "TestOpportunityBookableAdditionalDetails",
        Criterion("details", lambda seen: seen.flow == {"OpenBookingIntakeForm"}),
    ),
    "TI-C-21": (
        "TestOpportunityBookableNonFreePrepaymentOptional",
        Criterion("", lambda seen: seen.offer["price"] > 0 and seen.prepayment == "Optional"),
    ),
    "TI-C-22": (
        "TestOpportunityBookableNonFreePrepaymentUnavailable",
        Criterion("payment", lambda seen: seen.offer["price"] > 0 and seen.prepayment == "Unavailable"),
    ),
    "TI-C-23": (
        "TestOpportunityBookableNonFreePrepaymentRequired",
        Criterion("", lambda seen: seen.offer["price"] > 0 and seen.prepayment == "Required"),
    ),
    "TI-C-24": (
        "TestOpportunityBookableNonFreeTaxGross",
        Criterion("", lambda seen: seen.offer["price"] > 0 and seen.seller["taxMode"] == f"{OPENACTIVE}TaxGross"),
    ),
    "TI-C-25": (
        "TestOpportunityBookableNonFreeTaxNet",
        Criterion("", lambda seen: seen.offer["price"] > 0 and seen.seller["taxMode"] == f"{OPENACTIVE}TaxNet"),
    ),
    "TI-C-26": (
        "TestOpportunityBookableSellerTermsOfService",
        Criterion("", lambda seen: bool(seen.seller["termsOfService"])),
    ),
    "TI-C-28": (
        "TestOpportunityOfflineBookable",
        Criterion("", lambda seen: _attendance(seen) in (None, "OfflineEventAttendanceMode")),
    ),
    "TI-C-29": (
        "TestOpportunityBookableWithNegotiation",
        Criterion("", lambda seen: "OpenBookingNegotiation" in seen.flow),
    ),
    "TI-C-30": ("TestOpportunityBookableCancellableNoWindow", Criterion("", _cancellable)),
    "TI-C-31": (
        "TestOpportunityBookableFreeCancellable",
        Criterion("", lambda seen: seen.offer["price"] == 0 and _cancellable(seen)),
    ),
    "TI-C-32": (
        "TestOpportunityBookableNonFreeCancellable",
        Criterion("", lambda seen: seen.offer["price"] > 0 and _cancellable(seen)),
    ),
}


def _attendance(seen: Seen) -> str | None:
    mode = {**seen.parent, **seen.data}.get("eventAttendanceMode")
    return mode.removeprefix(SCHEMA) if mode else None


def unmet_conditions(seen: Seen, criterion: Criterion) -> list[str]:
    """Return the names of the conditions that the Opportunity does not meet."""
    base = [name for name, holds in BASE.items() if name != criterion.instead_of and not holds(seen)]
    return base if criterion.holds(seen) else [*base, "the criterion itself"]


@pytest.mark.spec("OB-TI-03", "OB-TI-07", "OB-TI-08", "OB-TI-09", "OB-TI-10", "OB-TI-17", "OB-BKBL-42")
@pytest.mark.parametrize("id_", [pytest.param(id_, marks=pytest.mark.spec(id_)) for id_ in CRITERIA])
async def test_a_test_opportunity_meets_its_criterion(testable: World, validator: Validator, id_: str) -> None:
    name, criterion = CRITERIA[id_]
    seller = "studio" if id_ == "TI-C-25" else "centre"
    for kind in (SESSION, HALL_SLOT, COURT_SLOT):
        reply = await create(testable, name, kind, seller=seller)
        assert reply.status_code == 201
        assert reply.json().keys() == {"@type", "@id"}
        assert reply.json()["@type"] == kind["@type"]
        seen = await find(testable, reply.json()["@id"])
        assert unmet_conditions(seen, criterion) == []
        assert seen.seller["@id"] == testable.ids.seller(seller)
        assert validator.failures("BookableRPDEFeed", seen.data) == []
        link = next(name for name in ("superEvent", "facilityUse") if name in kind)
        assert seen.parent["@type"] == kind[link]["@type"]  # type: ignore[index]


@pytest.mark.spec("TI-C-27")
async def test_an_online_opportunity_has_a_virtual_location(testable: World) -> None:
    reply = await create(testable, "TestOpportunityOnlineBookable", SESSION)
    seen = await find(testable, reply.json()["@id"])
    assert unmet_conditions(seen, Criterion("", _anything)) == []
    assert _attendance(seen) in ("OnlineEventAttendanceMode", "MixedEventAttendanceMode")


@pytest.mark.spec("TI-C-28")
async def test_a_facility_always_has_a_physical_location(testable: World) -> None:
    """A Slot has an access code, and no online channel, even if the criterion asks for an online Opportunity."""
    reply = await create(testable, "TestOpportunityOnlineBookable", HALL_SLOT)
    path = testable.ids.parse_opportunity(reply.json()["@id"])
    assert path
    slot = await testable.store.execute(GetOpportunity(path, actor=MANAGER))
    assert isinstance(slot, Opportunity)
    assert slot.access
    assert slot.access.code
    assert not slot.access.channel


@pytest.mark.spec("OB-TI-08")
@pytest.mark.parametrize("kind", [HEADLINE_EVENT, EVENT_OF_COURSE], ids=lambda kind: kind["@type"])
async def test_events_can_be_made(testable: World, kind: dict[str, Any]) -> None:
    reply = await create(testable, "TestOpportunityBookableNonFree", kind)
    seen = await find(testable, reply.json()["@id"])
    assert unmet_conditions(seen, Criterion("", lambda seen: seen.data["@type"] == kind["@type"])) == []


@pytest.mark.spec("OB-TI-09")
@pytest.mark.parametrize(
    ("flow", "required"), [("OpenBookingApprovalFlow", {"OpenBookingApproval"}), ("OpenBookingSimpleFlow", set())]
)
async def test_the_booking_flow_can_be_chosen(testable: World, flow: str, required: set[str]) -> None:
    for kind in (SESSION, HALL_SLOT):
        reply = await create(testable, "TestOpportunityBookable", kind, flow=flow)
        assert (await find(testable, reply.json()["@id"])).flow == required


@pytest.mark.spec("OB-TI-11")
@pytest.mark.parametrize(
    "criterion",
    [
        pytest.param("TestOpportunityBookableFreePrepaymentOptional", marks=pytest.mark.spec("TI-C-19")),
        pytest.param("TestOpportunityBookableFreePrepaymentRequired", marks=pytest.mark.spec("TI-C-20")),
        "TestOpportunityFromMars",
    ],
)
async def test_impossible_test_opportunities_are_refused(testable: World, criterion: str) -> None:
    before = await testable.read_feed("/feeds/scheduled-sessions")
    reply = await create(testable, criterion, SESSION)
    assert (reply.status_code, reply.json()["@type"]) == (400, "OpenBookingError")
    assert await testable.read_feed("/feeds/scheduled-sessions") == before


@pytest.mark.parametrize(
    "kind",
    [
        {"@type": "Planet"},
        {"@type": ["Slot"]},
        {"@type": "Slot", "facilityUse": {"@type": "SessionSeries"}},
        {"@type": "ScheduledSession", "superEvent": {"@type": ["SessionSeries"]}},
        {"@type": "ScheduledSession", "superEvent": {"@type": {}}},
        {"@type": "ScheduledSession", "superEvent": {"@type": None}},
    ],
)
async def test_a_parent_of_the_wrong_type_is_refused(testable: World, kind: dict[str, Any]) -> None:
    reply = await create(testable, "TestOpportunityBookable", kind)
    assert (reply.status_code, reply.json()["@type"]) == (400, "OpenBookingError")


async def test_a_test_opportunity_for_an_unknown_seller_is_refused(testable: World) -> None:
    reply = await create(testable, "TestOpportunityBookable", SESSION, seller="nobody")
    assert (reply.status_code, reply.json()["@type"]) == (500, "SellerNotFoundError")


ENDPOINTS = [
    ("DELETE", "test-interface/datasets/uat-ci"),
    ("POST", "test-interface/datasets/uat-ci/opportunities"),
    ("POST", "test-interface/actions"),
]


@pytest.mark.spec("OB-TI-01", "OB-TI-02")
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_the_test_interface_is_off_by_default(
    sqlite_world: World, testable: World, method: str, path: str
) -> None:
    closed = await sqlite_world.call(method, path, {})
    assert (closed.status_code, closed.json()["@type"]) == (404, "UnknownOrIncorrectEndpointError")
    assert (await testable.call(method, path, {})).status_code != 404


@pytest.mark.spec("OB-TI-05", "OB-TI-18")
async def test_only_the_deletion_of_a_dataset_needs_no_credentials(testable: World) -> None:
    (delete, dataset), *others = ENDPOINTS
    assert (await testable.client.request(delete, f"/api/{dataset}")).status_code == 204
    for method, path in others:
        reply = await testable.client.request(method, f"/api/{path}", json={})
        assert (reply.status_code, reply.json()["@type"]) == (403, "NoAPITokenError")


@pytest.mark.spec("OB-TI-04", "OB-TI-06")
async def test_deleting_a_dataset_removes_its_opportunities_and_their_orders_and_nothing_else(testable: World) -> None:
    mine = (await create(testable, "TestOpportunityBookable", SESSION, dataset="mine")).json()["@id"]
    other = (await create(testable, "TestOpportunityBookable", SESSION, dataset="other")).json()["@id"]
    await book(testable, mine)
    assert (await testable.client.delete("/api/test-interface/datasets/mine")).status_code == 204
    feed = await testable.read_feed("/feeds/scheduled-sessions")
    states = {key: entry["state"] for key, entry in feed.items()}
    assert sorted(states.values()) == ["deleted", "updated", "updated", "updated"]
    assert (await find(testable, other)).remaining == 20
    gone = await testable.call("GET", f"orders/{UUID}")
    assert (gone.status_code, gone.json()["@type"]) == (410, "GoneError")
    again = await testable.client.delete("/api/test-interface/datasets/mine")
    assert again.status_code == 204
