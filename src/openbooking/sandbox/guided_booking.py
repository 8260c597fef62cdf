"""The booking of `openbooking demo --book`, from the dataset site to the Order, in the steps that a Broker takes.

The booking works with every Booking System that follows the specification.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx2

from openbooking.harvest.client import harvest
from openbooking.harvest.copy import Copy
from openbooking.harvest.reader import End
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import (
    BOOKING_MEDIA_TYPE,
    OPENACTIVE,
    Availability,
    BrokerRole,
    EventStatus,
    OrderItemStatus,
    OrderType,
)
from openbooking.user_error import UserError

JsonObject = Mapping[str, Any]
Report = Callable[[str, int, str], None]

BROKER: JsonObject = {"@type": "Organization", "name": "Demo Broker", "url": "https://broker.example.net/"}
CUSTOMER: JsonObject = {
    "@type": "Person",
    "email": "sam.lee@example.net",
    "givenName": "Sam",
    "familyName": "Lee",
    "telephone": "01632 960303",
}
PAYMENT: JsonObject = {"@type": "Payment", "name": "Demo Broker", "identifier": "payment-0001"}

_JSON_LD = re.compile(r'<script[^>]* type="application/ld\+json"[^>]*>(.*?)</script>', re.DOTALL)


class DemoBookingError(UserError):
    """A step of the booking had another result than the specification promises."""


class Choice(NamedTuple):
    """The session to book: the `@id`s of the Opportunity, the Offer and the Seller, and a name for people."""

    opportunity: str
    offer: str
    seller: str
    name: str


def order_body(choice: Choice, type_: OrderType) -> dict[str, Any]:
    """Return the members that the bodies of C1, C2 and B share."""
    return {
        "@context": OPENACTIVE,
        "@type": type_.value,
        "brokerRole": BrokerRole.AGENT.value,
        "broker": BROKER,
        "seller": choice.seller,
        "orderedItem": [
            {
                "@type": "OrderItem",
                "position": 0,
                "acceptedOffer": choice.offer,
                "orderedItem": choice.opportunity,
            }
        ],
    }


def c1_body(choice: Choice) -> dict[str, Any]:
    """Return the body of C1, without a Customer."""
    return order_body(choice, OrderType.QUOTE)


def c2_body(choice: Choice) -> dict[str, Any]:
    """Return the body of C2, with a Customer."""
    return order_body(choice, OrderType.QUOTE) | {"customer": CUSTOMER}


def b_body(choice: Choice, total: JsonObject) -> dict[str, Any]:
    """Return the body of B, with the total of the quote, and with a payment unless prepayment is unavailable."""
    due = {name: total[name] for name in ("@type", "price", "priceCurrency") if name in total}
    body = order_body(choice, OrderType.ORDER) | {"customer": CUSTOMER, "totalPaymentDue": due}
    unpaid = total.get("openBookingPrepayment") == Availability.UNAVAILABLE or not total["price"]
    return body if unpaid else body | {"payment": PAYMENT}


def cancellation_body(order_item_id: str) -> dict[str, Any]:
    """Return the body of the PATCH request with which a Customer cancels one OrderItem."""
    cancelled = OrderItemStatus.CUSTOMER_CANCELLED.value
    return {
        "@context": OPENACTIVE,
        "@type": OrderType.ORDER.value,
        "orderedItem": [{"@type": "OrderItem", "@id": order_item_id, "orderItemStatus": cancelled}],
    }


def book_something(client: httpx2.Client, site: str, api_key: str, report: Report) -> JsonObject:
    """Find a paid session in the open feeds, book it and return the Order.

    Args:
        client: The HTTP client.
        site: The URL of the dataset site.
        api_key: The API key of the Broker.
        report: Called after each step with the name of the step, the HTTP status and a summary of the reply.

    Raises:
        DemoBookingError: A step failed.
    """
    try:
        dataset = _dataset(client, site, report)
        choice = _choose(
            _harvest(client, dataset, OpportunityType.SESSION_SERIES, report),
            _harvest(client, dataset, OpportunityType.SCHEDULED_SESSION, report),
        )
        return _book(client, dataset["accessService"]["endpointUrl"], api_key, choice, report)
    except httpx2.HTTPError as fault:
        raise DemoBookingError(f"{type(fault).__name__}: {fault}") from fault
    except (KeyError, TypeError, ValueError) as fault:
        raise DemoBookingError(f"A reply does not follow the specification: {fault!r}") from fault


def _dataset(client: httpx2.Client, site: str, report: Report) -> JsonObject:
    """Return the JSON-LD of a dataset site."""
    response = client.get(site, follow_redirects=True)
    found = _JSON_LD.search(response.text)
    if found is None:
        raise DemoBookingError(f"{site} is no dataset site: the page has no JSON-LD.")
    dataset: JsonObject = json.loads(found[1])
    report("Dataset site", response.status_code, f"{dataset['name']}, {len(dataset['distribution'])} feeds")
    return dataset


def _harvest(client: httpx2.Client, dataset: JsonObject, type_: OpportunityType, report: Report) -> list[JsonObject]:
    """Read an open feed to its end, and return its items."""
    feeds = {feed["additionalType"].rpartition("/")[2]: feed["contentUrl"] for feed in dataset["distribution"]}
    with Copy() as copy:
        *_, end = harvest(feeds[type_], copy, client)
        if isinstance(end, End) and end.fault:
            raise DemoBookingError(f"{end.url} does not lead to the end of the feed: {end.fault}.")
        report(f"{type_} feed", HTTPStatus.OK, f"{len(copy)} items")
        return [json.loads(item.content)["data"] for item in copy.items() if not item.deleted]


def _choose(series: list[JsonObject], sessions: list[JsonObject]) -> Choice:
    """Return the first session with spaces left and a paid Offer without further requirements."""
    parents = {item["@id"]: item for item in series}
    for session in sorted(sessions, key=lambda item: str(item["startDate"])):
        parent = parents.get(session["superEvent"])
        if parent is None or not _has_spaces(session) or not parent["organizer"].get("isOpenBookingAllowed"):
            continue
        for offer in session.get("offers") or parent.get("offers", ()):
            if _is_plain_and_paid(offer):
                name = f"{parent['name']}, {session['startDate']}, {offer.get('name')} at {offer['price']}"
                return Choice(session["@id"], offer["@id"], parent["organizer"]["@id"], name)
    raise DemoBookingError("The feeds hold no paid session that can be booked.")


def _has_spaces(session: JsonObject) -> bool:
    """Return whether a session is scheduled, in the future and not full."""
    return (
        session.get("eventStatus", EventStatus.SCHEDULED) == EventStatus.SCHEDULED
        and session.get("remainingAttendeeCapacity", 0) > 0
        and datetime.fromisoformat(session["startDate"]) > datetime.now(UTC)
    )


def _is_plain_and_paid(offer: JsonObject) -> bool:
    """Return whether an Offer has a price, and can be booked at any time without further steps."""
    return (
        offer["price"] > 0
        and offer.get("openBookingInAdvance") != Availability.UNAVAILABLE
        and not offer.get("openBookingFlowRequirement")
        and "validFromBeforeStartDate" not in offer
        and "validThroughBeforeStartDate" not in offer
    )


def _book(client: httpx2.Client, api: str, api_key: str, choice: Choice, report: Report) -> JsonObject:
    """Send C1, C2 and B, and return the Order."""
    order_uuid = uuid.uuid4()
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": BOOKING_MEDIA_TYPE}

    def put(step: str, collection: str, body: dict[str, Any], expected: HTTPStatus) -> JsonObject:
        response = client.put(f"{api}/{collection}/{order_uuid}", headers=headers, content=json.dumps(body))
        reply: JsonObject = response.json()
        report(step, response.status_code, _summary(reply))
        if response.status_code != expected:
            raise DemoBookingError(f"{step} was answered with {response.status_code}, not {expected.value}.")
        return reply

    report("Chosen", HTTPStatus.OK, choice.name)
    put("C1", "order-quote-templates", c1_body(choice), HTTPStatus.OK)
    quote = put("C2", "order-quotes", c2_body(choice), HTTPStatus.OK)
    order = put("B", "orders", b_body(choice, quote["totalPaymentDue"]), HTTPStatus.CREATED)
    if order["orderedItem"][0]["orderItemStatus"] != OrderItemStatus.CONFIRMED:
        raise DemoBookingError("The Order was returned, but its item is not confirmed.")
    return order


def _summary(reply: JsonObject) -> str:
    """Return a summary of a reply, which is an Order or an error, in one line."""
    if "totalPaymentDue" not in reply:
        return f"{reply.get('@type')}: {reply.get('description') or reply.get('name')}"
    due, (item, *_) = reply["totalPaymentDue"], reply["orderedItem"]
    parts = [f"{due['price']} {due.get('priceCurrency', '')} due".replace("  ", " ")]
    errors = [error["@type"] for error in item.get("error", ())]
    left = item["orderedItem"].get("remainingAttendeeCapacity") if isinstance(item["orderedItem"], dict) else None
    if left is not None:
        parts.append(f"{left} spaces left")
    if "lease" in reply:
        parts.append(f"held until {reply['lease']['leaseExpires']}")
    if "orderItemStatus" in item:
        parts.append(str(item["orderItemStatus"]).rpartition("/")[2])
    return ", ".join(parts + errors)
