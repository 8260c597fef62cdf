"""A simulated Booking System that answers the requests of flows, with faults as they are told."""

import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from openbooking.broker.api.access import ApiKey
from openbooking.broker.api.endpoints import BookingApi
from openbooking.broker.api.retries import Retries
from openbooking.broker.flow import Answer, Flow, NoAnswerError, Request
from openbooking.openactive.messages import OrderItemRequest, OrderRequest, PriceSpecification
from openbooking.openactive.terms import BrokerRole, OrderType

URL = "https://booking.example/api"
SELLER = f"{URL}/sellers/centre"
ATTEMPTS = 3


class Fault(StrEnum):
    """What goes wrong with a request."""

    BUSY = "503"
    LIMITED = "429"
    SILENT = "no answer, and nothing done"
    LOST = "done, and the answer lost"
    FATAL = "500, and nothing done"
    FATAL_AFTERWARDS = "done, and 500"
    REFUSED = "400"
    CONFLICT = "409"
    UNAUTHORISED = "401"
    DEARER = "the price has risen"
    OUTDATED = "the proposal has been amended"
    NOT_ALLOWED = "405"
    REJECTED_BEFORE = "400, because the proposal was rejected"


_ERRORS = {
    Fault.BUSY: (503, "TemporarilyUnableToCreateOrderError"),
    Fault.LIMITED: (429, "TooManyRequestsError"),
    Fault.FATAL: (500, "InternalApplicationError"),
    Fault.FATAL_AFTERWARDS: (500, "InternalApplicationError"),
    Fault.REFUSED: (400, "IncompleteCustomerDetailsError"),
    Fault.CONFLICT: (409, "OpportunityHasInsufficientCapacityError"),
    Fault.UNAUTHORISED: (401, "InvalidAPITokenError"),
    Fault.OUTDATED: (500, "OrderProposalVersionOutdatedError"),
    Fault.NOT_ALLOWED: (405, "MethodNotAllowedError"),
    Fault.REJECTED_BEFORE: (400, "PatchNotAllowedOnPropertyError"),
}
_COMMITTED = (Fault.LOST, Fault.FATAL_AFTERWARDS)


class Stored(NamedTuple):
    """An Order: the body of its B, and whether it is deleted."""

    body: bytes
    price: str
    deleted: bool = False


class BookingSystem:
    """The simulated system. `faults` are those of the next requests of a kind: C2, P, B, PATCH or DELETE."""

    def __init__(self) -> None:
        self.orders = dict[str, Stored]()
        self.proposals = dict[str, Stored]()
        self.faults = defaultdict[str, list[Fault]](list)
        self.always = dict[str, Fault]()
        self.requests = list[Request]()
        self.price = "12.00"
        self.changes = dict[str, Any]()
        self.violations = list[str]()

    @property
    def live(self) -> dict[str, Stored]:
        """The Orders that exist, by UUID."""
        return {key: order for key, order in self.orders.items() if not order.deleted}

    def sent(self, kind: str) -> list[Request]:
        """Return the requests of a kind so far."""
        return [request for request in self.requests if _kind(request) == kind]

    def answer(self, request: Request) -> Answer:
        """Answer a request, or raise NoAnswerError."""
        self.requests.append(request)
        kind, key = _kind(request), request.url.rpartition("/")[2]
        fault = self.faults[kind].pop(0) if self.faults[kind] else self.always.get(kind)
        if fault is Fault.SILENT:
            raise NoAnswerError("silence")
        if fault in _ERRORS and fault not in _COMMITTED:
            return _error(*_ERRORS[fault])
        answer = getattr(self, f"_{kind.lower()}")(key, request, "15.00" if fault is Fault.DEARER else self.price)
        if fault is Fault.LOST:
            raise NoAnswerError("The connection was cut.")
        return _error(*_ERRORS[fault]) if fault is Fault.FATAL_AFTERWARDS else answer

    def _c2(self, key: str, request: Request, price: str) -> Answer:
        if key in self.orders:
            return _error(500, "OrderAlreadyExistsError")
        return _reply(200, "OrderQuote", key, price)

    def _p(self, key: str, request: Request, price: str) -> Answer:
        if key not in self.proposals:
            self.proposals[key] = Stored(request.content, price)
        if self.proposals[key].body != request.content or key in self.orders:
            return _error(500, "OrderAlreadyExistsError")
        items = _items(request)
        return _reply(
            201, "OrderProposal", key, price, orderedItem=items, orderProposalVersion=f"{URL}/{key}/versions/1"
        )

    def _b(self, key: str, request: Request, price: str) -> Answer:
        stored = self.orders.setdefault(key, Stored(request.content, price))
        if stored.deleted:
            return _error(500, "OrderAlreadyExistsError")
        if stored.body != request.content:
            self.violations.append(f"B of {key} was repeated with other bytes")
            return _error(500, "OrderAlreadyExistsError")
        return _reply(201, "Order", key, stored.price, **{"orderedItem": _items(request), **self.changes})

    def _delete(self, key: str, request: Request, price: str) -> Answer:
        if key not in self.orders:
            return _error(404, "UnknownOrderError")
        self.orders[key] = self.orders[key]._replace(deleted=True)
        return Answer(204, {}, b"")

    def _patch(self, key: str, request: Request, price: str) -> Answer:
        if key not in self.proposals:
            return _error(404, "UnknownOrderError")
        self.proposals[key] = self.proposals[key]._replace(deleted=True)
        return Answer(204, {}, b"")


def api(seller: str) -> Flow[BookingApi]:
    """Return the API with the credentials for a Seller."""
    assert seller == SELLER
    yield from ()
    return BookingApi(URL, ApiKey("key"), Retries(attempts=ATTEMPTS, first_pause=1))


def order(price: str = "12.00", **changes: Any) -> OrderRequest:
    """Return the body of B for one item."""
    members: dict[str, Any] = {
        "type": OrderType.ORDER,
        "seller": SELLER,
        "broker_role": BrokerRole.AGENT,
        "broker": {"@type": "Organization", "name": "App"},
        "customer": {"@type": "Person", "email": "sam@example.com"},
        "ordered_item": (OrderItemRequest(position=0, ordered_item="https://x/1", accepted_offer="https://x/1#o"),),
        "total_payment_due": PriceSpecification(price=price, price_currency="GBP" if float(price) else None),
    }
    return OrderRequest(**(members | changes))


def keys(requests: Sequence[Request]) -> list[uuid.UUID]:
    """Return the Order UUIDs of requests, each once, in order."""
    return list(dict.fromkeys(uuid.UUID(request.url.rpartition("/")[2]) for request in requests))


def _kind(request: Request) -> str:
    if request.method != "PUT":
        return request.method
    collection = request.url.split("/")[-2]
    return {"order-quotes": "C2", "order-proposals": "P", "orders": "B"}[collection]


def _reply(status: int, type_: str, key: str, price: str, **more: Any) -> Answer:
    total = {"@type": "PriceSpecification", "price": float(price)} | ({"priceCurrency": "GBP"} if float(price) else {})
    body = {"@context": "https://openactive.io/", "@type": type_, "@id": f"{URL}/{key}", "orderedItem": []}
    return Answer(status, {}, json.dumps({**body, "totalPaymentDue": total, **more}).encode())


def _items(request: Request) -> list[dict[str, Any]]:
    """Return the items of a request as a reply has them. B for an OrderProposal names none."""
    items = json.loads(request.content).get("orderedItem", [])
    return [{"@type": "OrderItem", "position": item["position"]} for item in items]


def _error(status: int, type_: str) -> Answer:
    return Answer(status, {}, json.dumps({"@type": type_, "statusCode": status}).encode())
