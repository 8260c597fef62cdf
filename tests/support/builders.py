"""Builders of test data: Opportunities, requests and Situations, which are valid unless a test changes them."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from openbooking.booking.command import Command, Decision
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.quote import Quote
from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.opportunity import Offer, Opportunity, Seller
from openbooking.booking.model.order import Caller, OrderKey, Payment
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import OrderRecord, Record
from openbooking.booking.model.situation import Situation, evolve_all
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.matching_keys import set_matching_keys
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import BrokerRole
from support.parties import ALICE, BOB, BROKER, CENTRE, CUSTOMER, MANAGER, STUDIO

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
UUID = "e11429ea-467f-4270-ab62-e47368996fe8"
VERSION = "0b4cf4a7-4f1c-4b6c-9d3b-6a3f1f4b2d11"
PRICE = Decimal("12.00")
BY_ALICE, BY_MANAGER = Stamp(Actor(ActorKind.PARTNER, "alice"), NOW), Stamp(MANAGER, NOW)

ACTIVITY = {
    "@type": "Concept",
    "@id": "https://openactive.io/activity-list#c07d63a0-8eb9-4602-8bcc-23be6deb8f83",
    "prefLabel": "Jet Skiing",
    "inScheme": "https://openactive.io/activity-list",
}
FACILITY_TYPE = {
    "@type": "Concept",
    "@id": "https://openactive.io/facility-types#a1f82b7a-1258-4d9a-8dc5-bfc2ae961651",
    "prefLabel": "Squash Court",
    "inScheme": "https://openactive.io/facility-types",
}
PLACE = {
    "@type": "Place",
    "name": "Riverside Centre",
    "address": {
        "@type": "PostalAddress",
        "streetAddress": "1 High Street",
        "addressLocality": "Testford",
        "addressRegion": "Testshire",
        "postalCode": "TE5 7AB",
        "addressCountry": "GB",
    },
}
SCHEDULE = {
    "@type": "PartialSchedule",
    "repeatFrequency": "P1W",
    "startTime": "19:15",
    "endTime": "20:15",
    "byDay": ["https://schema.org/Monday"],
}


def new_uuid() -> str:
    """Return a new Order UUID."""
    return str(uuid.uuid4())


def offer(owner: str, key: str = "adult", price: Decimal = PRICE, **changes: Any) -> Offer:
    """Return an Offer that can be booked and cancelled."""
    currency = "GBP" if price else None
    made = Offer(key=key, owner=owner, name="Adult", price=price, currency=currency, full_refund_on_cancellation=True)
    return replace(made, **changes)


def session(
    key: str = "s1",
    *,
    seller: Seller = CENTRE,
    capacity: int | None = 10,
    price: Decimal = PRICE,
    offered: Mapping[str, Any] | None = None,
    **changes: Any,
) -> list[Opportunity]:
    """Return a SessionSeries and its ScheduledSession, which begins in two days and lasts an hour. `offered` changes
    its Offer.
    """
    path = opportunity_path(OpportunityType.SESSION_SERIES, f"series-{key}")
    described = {
        "name": "Yoga",
        "url": "https://example.com/yoga",
        "location": PLACE,
        "activity": [ACTIVITY],
        "eventSchedule": [SCHEDULE],
    }
    offers = changes.pop("offers", (offer(path, **{"price": price, **(offered or {})}),))
    series = Opportunity(
        path=path, type=OpportunityType.SESSION_SERIES, seller=seller.key, offers=offers, properties=described
    )
    start = NOW + timedelta(days=2)
    made = Opportunity(
        path=opportunity_path(OpportunityType.SCHEDULED_SESSION, key),
        type=OpportunityType.SCHEDULED_SESSION,
        seller=seller.key,
        parent=path,
        start=start,
        end=start + timedelta(hours=1),
        capacity=capacity,
    )
    return [set_matching_keys(series), set_matching_keys(replace(made, **changes))]


def slot(
    key: str = "c1",
    *,
    seller: Seller = CENTRE,
    individual: bool = True,
    capacity: int = 1,
    price: Decimal = PRICE,
    offered: Mapping[str, Any] | None = None,
    **changes: Any,
) -> list[Opportunity]:
    """Return a FacilityUse, an IndividualFacilityUse of it if wanted, and a Slot with its own Offer, changed by
    `offered`.
    """
    path = opportunity_path(OpportunityType.FACILITY_USE, f"facility-{key}")
    described = {
        "name": "Squash",
        "url": "https://example.com/squash",
        "location": PLACE,
        "facilityType": [FACILITY_TYPE],
    }
    made = [Opportunity(path=path, type=OpportunityType.FACILITY_USE, seller=seller.key, properties=described)]
    if individual:
        court = opportunity_path(OpportunityType.INDIVIDUAL_FACILITY_USE, f"court-{key}")
        made.append(
            Opportunity(
                path=court,
                type=OpportunityType.INDIVIDUAL_FACILITY_USE,
                seller=seller.key,
                parent=path,
                properties={"name": "Court 1"},
            )
        )
    slot_path = opportunity_path(OpportunityType.SLOT, key)
    start = NOW + timedelta(days=2)
    bookable = Opportunity(
        path=slot_path,
        type=OpportunityType.SLOT,
        seller=seller.key,
        parent=made[-1].path,
        start=start,
        end=start + timedelta(hours=1),
        capacity=capacity,
        offers=(offer(slot_path, **{"price": price, **(offered or {})}),),
    )
    return [*map(set_matching_keys, made), set_matching_keys(replace(bookable, **changes))]


def event(key: str = "e1", *, parent: list[Opportunity] | None = None, **changes: Any) -> list[Opportunity]:
    """Return an Event, after its parent if it has one."""
    return [*(parent or []), _event(OpportunityType.EVENT, key, parent=parent[-1].path if parent else None, **changes)]


def headline_event(key: str = "h1", **changes: Any) -> list[Opportunity]:
    """Return a HeadlineEvent."""
    return [_event(OpportunityType.HEADLINE_EVENT, key, **changes)]


def course(key: str = "k1", **changes: Any) -> list[Opportunity]:
    """Return a CourseInstance of three weeks."""
    made = _event(OpportunityType.COURSE_INSTANCE, key, end=NOW + timedelta(days=23), **changes)
    return [replace(made, properties={**made.properties, "eventSchedule": [SCHEDULE]})]


def on_demand_event(key: str = "v1", **changes: Any) -> list[Opportunity]:
    """Return an OnDemandEvent, which has no date, no location and unlimited spaces."""
    made = _event(OpportunityType.ON_DEMAND_EVENT, key, start=None, end=None, capacity=None, **changes)
    described = {name: made.properties[name] for name in ("name", "url", "activity")}
    return [set_matching_keys(replace(made, properties=described))]


def _event(type_: OpportunityType, key: str, **changes: Any) -> Opportunity:
    path = opportunity_path(type_, key)
    start = NOW + timedelta(days=2)
    properties = {"name": "Run", "url": "https://example.com/run", "location": PLACE, "activity": [ACTIVITY]}
    made = Opportunity(
        path=path,
        type=type_,
        seller=CENTRE.key,
        start=start,
        end=start + timedelta(hours=1),
        capacity=10,
        offers=(offer(path),),
        properties=properties,
    )
    return set_matching_keys(replace(made, **changes))


def item(opportunities: list[Opportunity], position: int = 0, **changes: Any) -> ItemRequest:
    """Return a request for one space at the last of these Opportunities, with the first Offer of any of them."""
    found = next(offered for opportunity in reversed(opportunities) for offered in opportunity.offers)
    path = opportunities[-1].path
    made = ItemRequest(
        position=position, opportunity_id=f"id:{path}", opportunity=path, offer_id=f"id:{found.ref}", offer=found.ref
    )
    return replace(made, **changes)


def request(*items: ItemRequest, **changes: Any) -> OrderRequest:
    """Return a request for an Order of one paid space through an agent."""
    made = OrderRequest(
        seller_id=f"id:{CENTRE.key}",
        seller=CENTRE.key,
        broker_role=BrokerRole.AGENT,
        broker=BROKER,
        customer=CUSTOMER,
        items=items,
        total_payment_due=PRICE,
        total_currency="GBP",
        payment=Payment(identifier="payment-1"),
    )
    return replace(made, **changes)


def situation(
    *opportunities: list[Opportunity],
    policy: Policy | None = None,
    spaces: dict[str, Spaces] | None = None,
    records: tuple[Record, ...] = (),
) -> Situation:
    """Return a Situation with these Opportunities and both Sellers."""
    known = {opportunity.path: opportunity for family in opportunities for opportunity in family}
    return Situation(
        now=NOW,
        policy=policy or Policy(leasing=Leasing.ANONYMOUS),
        records={record.key: record for record in records},
        opportunities=known,
        spaces=dict.fromkeys(known, Spaces()) | (spaces or {}),
        sellers={seller.key: seller for seller in (CENTRE, STUDIO)},
        holdings={caller.partner: {} for caller in (ALICE, BOB)},
    )


def quote(
    asked: OrderRequest, checkpoint: Checkpoint = Checkpoint.C2, caller: Caller = ALICE, uuid: str = UUID
) -> Quote:
    """Return C1 or C2 with this request."""
    return Quote(checkpoint=checkpoint, caller=caller, uuid=uuid, request=asked)


def book(asked: OrderRequest, caller: Caller = ALICE, uuid: str = UUID) -> Book:
    """Return B with this request."""
    return Book(caller=caller, uuid=uuid, request=asked, nonce="nonce")


def propose(asked: OrderRequest, caller: Caller = ALICE, uuid: str = UUID, version: str = VERSION) -> Propose:
    """Return P with this request."""
    return Propose(caller=caller, uuid=uuid, request=asked, version=version)


def after(before: Situation, command: Command[Any]) -> Situation:
    """Return the situation after the command."""
    return changed(before, command.decide(before))


def changed(before: Situation, decision: Decision[Any]) -> Situation:
    """Return the situation after the decision."""
    return evolve_all(before, decision.changes)


def order_record(where: Situation, uuid: str = UUID) -> OrderRecord:
    """Return the record of Alice's booked Order with this UUID."""
    record = where.records[OrderKey("alice", uuid)]
    assert isinstance(record, OrderRecord)
    return record
