"""The booking of `openbooking demo --book`, from the dataset site to the Order, in the steps that a Broker takes.

The booking works with every Booking System that follows the specification.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

import httpx2
import msgspec

from openbooking.broker.api.access import ApiKey
from openbooking.broker.api.discovery import BookingSystem, discover
from openbooking.broker.api.endpoints import BookingApi
from openbooking.broker.errors import ItemsRefusedError
from openbooking.broker.flow import Flow, run
from openbooking.harvest.client import harvest
from openbooking.harvest.copy import Copy
from openbooking.harvest.reader import End
from openbooking.openactive.errors import BrokerError, OpenBookingError
from openbooking.openactive.messages import Order, OrderQuote, OrderRequest
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import (
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
Reply = TypeVar("Reply", OrderQuote, Order)

BROKER: JsonObject = {"@type": "Organization", "name": "Demo Broker", "url": "https://broker.example.net/"}
CUSTOMER: JsonObject = {
    "@type": "Person",
    "email": "sam.lee@example.net",
    "givenName": "Sam",
    "familyName": "Lee",
    "telephone": "01632 960303",
}
PAYMENT: JsonObject = {"@type": "Payment", "name": "Demo Broker", "identifier": "payment-0001"}


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
        system = run(discover(site), client)
        report("Dataset site", HTTPStatus.OK, f"{system.name}, {len(system.feeds)} feeds")
        choice = _choose(
            _harvest(client, system, OpportunityType.SESSION_SERIES, report),
            _harvest(client, system, OpportunityType.SCHEDULED_SESSION, report),
        )
        return _book(client, system.api, api_key, choice, report)
    except BrokerError as fault:
        raise DemoBookingError(str(fault)) from fault
    except (KeyError, TypeError, ValueError) as fault:
        raise DemoBookingError(f"A reply does not follow the specification: {fault!r}") from fault


def _harvest(client: httpx2.Client, system: BookingSystem, type_: OpportunityType, report: Report) -> list[JsonObject]:
    """Read an open feed to its end, and return its items."""
    feeds = system.feeds_of(type_)
    if not feeds:
        raise DemoBookingError(f"{system.site} lists no feed of {type_}.")
    with Copy() as copy:
        *_, end = harvest(feeds[0], copy, client)
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


def _book(client: httpx2.Client, url: str, api_key: str, choice: Choice, report: Report) -> JsonObject:
    """Send C1, C2 and B, and return the Order."""
    api, order_uuid = BookingApi(url, ApiKey(api_key)), uuid.uuid4()
    report("Chosen", HTTPStatus.OK, choice.name)

    def take(step: str, flow: Flow[Reply], status: HTTPStatus = HTTPStatus.OK) -> Reply:
        try:
            reply = run(flow, client)
        except (OpenBookingError, ItemsRefusedError) as refusal:
            status_of_reply = refusal.reply_status or 0
            report(step, status_of_reply, str(refusal))
            raise DemoBookingError(f"{step} was answered with {status_of_reply}, not {status.value}.") from refusal
        report(step, status, _summary(reply))
        return reply

    take("C1", api.quote(order_uuid, _request(c1_body(choice))))
    quote = take("C2", api.quote(order_uuid, _request(c2_body(choice))))
    body = b_body(choice, msgspec.to_builtins(quote)["totalPaymentDue"])
    order = take("B", api.book(order_uuid, _request(body)), HTTPStatus.CREATED)
    if order.ordered_item[0].order_item_status != OrderItemStatus.CONFIRMED:
        raise DemoBookingError("The Order was returned, but its item is not confirmed.")
    written: JsonObject = msgspec.to_builtins(order)
    return written


def _request(body: JsonObject) -> OrderRequest:
    return msgspec.convert(body, OrderRequest)


def _summary(reply: OrderQuote | Order) -> str:
    """Return a summary of a reply in one line."""
    due, (item, *_) = reply.total_payment_due, reply.ordered_item
    parts = [f"{due.price} {due.price_currency or ''} due".replace("  ", " ")] if due else []
    opportunity = item.ordered_item if isinstance(item.ordered_item, Mapping) else {}
    left = opportunity.get("remainingAttendeeCapacity")
    if left is not None:
        parts.append(f"{left} spaces left")
    if isinstance(reply, OrderQuote) and reply.lease:
        parts.append(f"held until {reply.lease.lease_expires}")
    if item.order_item_status:
        parts.append(item.order_item_status.rpartition("/")[2])
    return ", ".join(parts)
