"""The test interface as the Test Suite uses it, and Opportunities as a harvester joins them from the open feeds."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import httpx2

from openbooking.openactive.terms import OPENACTIVE
from support.builders import UUID
from support.http_system import World

CONTEXT = ["https://openactive.io/", "https://openactive.io/test-interface"]
VOCABULARY = "https://openactive.io/test-interface#"
SESSION = {"@type": "ScheduledSession", "superEvent": {"@type": "SessionSeries"}}
HALL_SLOT = {"@type": "Slot", "facilityUse": {"@type": "FacilityUse"}}
COURT_SLOT = {"@type": "Slot", "facilityUse": {"@type": "IndividualFacilityUse"}}
HEADLINE_EVENT = {"@type": "HeadlineEvent"}
EVENT_OF_COURSE = {"@type": "Event", "superEvent": {"@type": "CourseInstance"}}


async def create(
    world: World,
    criterion: str,
    kind: dict[str, Any],
    *,
    seller: str = "centre",
    dataset: str = "uat-ci",
    flow: str = "OpenBookingSimpleFlow",
) -> httpx2.Response:
    """Request an Opportunity from the test interface, as the Test Suite does."""
    link = next((name for name in ("superEvent", "facilityUse") if name in kind), "")
    role = "provider" if kind["@type"] == "Slot" else "organizer"
    owner = {role: {"@type": "Organization", "@id": world.ids.seller(seller)}}
    body: dict[str, Any] = {
        "@context": CONTEXT,
        **kind,
        **({link: {**kind[link], **owner}} if link else owner),
        "test:testOpportunityCriteria": VOCABULARY + criterion,
        "test:testOpenBookingFlow": VOCABULARY + flow,
        "test:testOpportunityDataShapeExpression": [{"@type": "test:TripleConstraint", "predicate": "x"}],
    }
    return await world.call("POST", f"test-interface/datasets/{dataset}/opportunities", body)


async def book(world: World, opportunity_id: str, *, propose: bool = False) -> dict[str, Any]:
    """Book a space there, or propose an Order, and return the Order."""
    seen = await find(world, opportunity_id)
    item = {
        "@type": "OrderItem",
        "position": 0,
        "orderedItem": opportunity_id,
        "acceptedOffer": seen.offer["@id"],
    }
    price = seen.offer["price"]
    payment = {"@type": "Payment", "identifier": "payment-1"} if price else None
    type_, path = ("OrderProposal", "order-proposals") if propose else ("Order", "orders")
    body = world.order(item, total=price, payment=payment, **{"@type": type_})
    reply = await world.call("PUT", f"{path}/{UUID}", body)
    assert reply.status_code == 201
    order: dict[str, Any] = reply.json()
    return order


class Seen(NamedTuple):
    """An Opportunity as a harvester has joined it from the open feeds."""

    data: dict[str, Any]
    parent: dict[str, Any]
    seller: dict[str, Any]
    offer: dict[str, Any]

    @property
    def remaining(self) -> int:
        name = "remainingUses" if self.data["@type"] == "Slot" else "remainingAttendeeCapacity"
        return int(self.data[name])

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.data["startDate"])

    @property
    def end(self) -> datetime:
        return datetime.fromisoformat(self.data["endDate"])

    @property
    def individual(self) -> bool:
        return bool(self.parent.get("@type") == "IndividualFacilityUse")

    @property
    def flow(self) -> set[str]:
        return {uri.rpartition("/")[2] for uri in self.offer.get("openBookingFlowRequirement", [])}

    @property
    def prepayment(self) -> str:
        default = "Required" if self.offer["price"] else "Unavailable"
        return str(self.offer.get("openBookingPrepayment", default)).removeprefix(OPENACTIVE)

    @property
    def refundable(self) -> bool:
        return bool(self.offer["allowCustomerCancellationFullRefund"])

    def opens(self) -> datetime | None:
        """The start of its booking window, if it has one."""
        return self._before_start("validFromBeforeStartDate")

    def last_cancellation(self) -> datetime | None:
        """The last time at which it can be cancelled, if this is before its start."""
        return self._before_start("latestCancellationBeforeStartDate")

    def _before_start(self, name: str) -> datetime | None:
        return self.start - read_duration(self.offer[name]) if name in self.offer else None


def read_duration(text: str) -> timedelta:
    """Return a duration of days or hours."""
    return timedelta(days=int(text[1:-1])) if text.endswith("D") else timedelta(hours=int(text[2:-1]))


async def find(world: World, opportunity_id: str) -> Seen:
    """Return the Opportunity from the open feeds, joined with its parent."""
    feeds = ("scheduled-sessions", "slots", "events", "session-series", "facility-uses", "individual-facility-uses")
    known = {
        entry["data"]["@id"]: entry["data"]
        for feed in feeds
        for entry in (await world.read_feed(f"/feeds/{feed}")).values()
        if entry["state"] == "updated"
    }
    data = known[opportunity_id]
    reference = data.get("superEvent") or data.get("facilityUse")
    parent = known[reference] if isinstance(reference, str) else reference or {}
    owner = {**parent, **data}
    return Seen(data, parent, owner.get("organizer") or owner["provider"], (data.get("offers") or parent["offers"])[0])
