"""The endpoints of an Open Booking API as flows: C1, C2, P, B, cancellation, proposal update, deletion and status."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from openbooking.broker.api.access import Access
from openbooking.broker.flow import Answer, Flow, NoAnswerError, Request, pause, send
from openbooking.openactive.messages import (
    Message,
    Order,
    OrderItemPatch,
    OrderPatch,
    OrderProposal,
    OrderProposalPatch,
    OrderQuote,
    OrderRequest,
    ProposalBookingRequest,
)
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OPENACTIVE, OrderItemStatus

_REPEATED = (429, 503)


class Retries(NamedTuple):
    """How often and when a request is repeated after a network failure, a 503 or a 429 (OB-BRK-03, OB-BRK-09).

    Attributes:
        attempts: The most requests.
        first_pause: Seconds before the second request. Each further pause is twice as long.
        longest_pause: The most seconds of a pause, `Retry-After` included.
    """

    attempts: int = 5
    first_pause: float = 1
    longest_pause: float = 60


class BookingApi:
    """The Open Booking API of one Booking System. Every request may be repeated: none has a second effect.

    Each method raises a class of `openactive.errors` for an error that the Booking System reports, and `NoAnswerError`
    if no answer came after all attempts.

    Args:
        url: The URL of the API, without a slash at its end.
        access: The credentials.
        retries: How requests are repeated.
    """

    def __init__(self, url: str, access: Access, retries: Retries | None = None) -> None:
        self._url = url
        self._access = access
        self._retries = retries or Retries()

    def quote(self, order: uuid.UUID, body: OrderRequest) -> Flow[OrderQuote]:
        """Send C2 if the body has a Customer, otherwise C1 (OB 9.2.1, 9.2.2)."""
        collection = "order-quotes" if body.customer is not None else "order-quote-templates"
        answer = yield from self._request("PUT", f"{collection}/{order}", body)
        return msgspec.json.decode(answer.content, type=OrderQuote)

    def propose(self, order: uuid.UUID, body: OrderRequest) -> Flow[OrderProposal]:
        """Send P (OB 9.2.4)."""
        answer = yield from self._request("PUT", f"order-proposals/{order}", body)
        return msgspec.json.decode(answer.content, type=OrderProposal)

    def book(self, order: uuid.UUID, body: OrderRequest | ProposalBookingRequest) -> Flow[Order]:
        """Send B (OB 9.2.6)."""
        answer = yield from self._request("PUT", f"orders/{order}", body)
        return msgspec.json.decode(answer.content, type=Order)

    def cancel(self, order: uuid.UUID, items: Sequence[str]) -> Flow[None]:
        """Cancel OrderItems for the Customer, named by their `@id`s (OB 9.2.8)."""
        cancelled = OrderItemStatus.CUSTOMER_CANCELLED.value
        patches = tuple(OrderItemPatch(id=item, order_item_status=cancelled) for item in items)
        yield from self._request("PATCH", f"orders/{order}", OrderPatch(context=OPENACTIVE, ordered_item=patches))

    def update_proposal(self, order: uuid.UUID, patch: OrderProposalPatch) -> Flow[None]:
        """Reject an OrderProposal for the Customer, or send a note to its Seller (OB 9.2.5)."""
        yield from self._request("PATCH", f"order-proposals/{order}", patch)

    def delete_quote(self, order: uuid.UUID) -> Flow[None]:
        """Delete an OrderQuote, which ends its Lease (OB 9.2.3)."""
        yield from self._request("DELETE", f"order-quotes/{order}")

    def delete_order(self, order: uuid.UUID) -> Flow[None]:
        """Delete an Order after a fatal error. An Order that is not known counts as deleted (OB 9.2.9)."""
        yield from self._request("DELETE", f"orders/{order}")

    def status(self, order: uuid.UUID) -> Flow[Order | OrderProposal]:
        """Return an Order, or its OrderProposal until it is booked (OB 9.2.10)."""
        answer = yield from self._request("GET", f"orders/{order}")
        return msgspec.json.decode(answer.content, type=Order)

    def _request(self, method: str, path: str, body: Message | None = None) -> Flow[Answer]:
        """Send a request until an answer comes that is neither a 429 nor a 503, at most `Retries.attempts` times."""
        content = b"" if body is None else msgspec.json.encode(body)
        wait = self._retries.first_pause
        for _ in range(self._retries.attempts - 1):
            try:
                answer = yield from self._send(method, path, content)
            except NoAnswerError:
                yield from pause(wait)
            else:
                if answer.status not in _REPEATED:
                    return answer
                yield from pause(min(wait, self._retries.longest_pause))
            wait *= 2
        return (yield from self._send(method, path, content))

    def _send(self, method: str, path: str, content: bytes) -> Flow[Answer]:
        headers = {**(yield from self._access.headers()), "accept": BOOKING_MEDIA_TYPE}
        if content:
            headers["content-type"] = BOOKING_MEDIA_TYPE
        return (yield from send(Request(method, f"{self._url}/{path}", headers, content)))
