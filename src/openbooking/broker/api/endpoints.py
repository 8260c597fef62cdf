"""The endpoints of an Open Booking API as flows: C1, C2, P, B, cancellation, proposal update, deletion and status."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

import msgspec

from openbooking.broker.api.access import Access
from openbooking.broker.api.replies import check_success, error_of, read_any_reply, read_reply
from openbooking.broker.api.retries import Retries, repeat
from openbooking.broker.errors import Reply, UnreadableReplyError
from openbooking.broker.flow import Answer, Flow, Request, send
from openbooking.openactive.errors import PatchNotAllowedOnPropertyError, UnknownOrIncorrectEndpointError
from openbooking.openactive.messages import (
    Message,
    Order,
    OrderItemPatch,
    OrderPatch,
    OrderProposal,
    OrderProposalPatch,
    OrderQuote,
    OrderRequest,
)
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OPENACTIVE, OrderItemStatus, OrderProposalStatus

Body = Message | bytes

_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


def encode(body: Body) -> bytes:
    """Return the bytes of a body. Bytes stay as they are, so that a repeat has the same bytes as the first request."""
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


class BookingApi:
    """The Open Booking API of one Booking System. Every request may be repeated: none has a second effect.

    A request is sent again after a network failure, a 503 or a 429. Each method raises

    - a class of `openactive.errors` for an error of the request, with `retry`, `request_id` and `reply_status`;
    - `ItemsRefusedError` for errors of items;
    - `UnreadableReplyError` for a reply that is no message of the API;
    - `NoAnswerError` if no answer came to the last attempt. The request may or may not have been carried out.

    Args:
        url: The URL of the API.
        access: The credentials.
        retries: How requests are repeated.
    """

    def __init__(self, url: str, access: Access, retries: Retries | None = None) -> None:
        self._url = url.rstrip("/")
        self._access = access
        self._retries = retries or Retries()

    def quote(self, order: uuid.UUID, body: OrderRequest) -> Flow[OrderQuote]:
        """Send C2 if the body has a Customer, otherwise C1 (OB 9.2.1, 9.2.2)."""
        collection = "order-quotes" if body.customer is not None else "order-quote-templates"
        return read_reply((yield from self._request("PUT", f"{collection}/{order}", body)), OrderQuote)

    def propose(self, order: uuid.UUID, body: Body) -> Flow[OrderProposal]:
        """Send P (OB 9.2.4). The body is an `OrderRequest`, or its bytes."""
        return read_reply((yield from self._request("PUT", f"order-proposals/{order}", body)), OrderProposal)

    def book(self, order: uuid.UUID, body: Body) -> Flow[Order]:
        """Send B (OB 9.2.6). The body is an `OrderRequest`, a `ProposalBookingRequest` after P, or the bytes of one."""
        return read_reply((yield from self._request("PUT", f"orders/{order}", body)), Order)

    def cancel(self, order: uuid.UUID, items: Sequence[str]) -> Flow[None]:
        """Cancel OrderItems for the Customer, named by their `@id`s (OB 9.2.8)."""
        cancelled = OrderItemStatus.CUSTOMER_CANCELLED.value
        patches = tuple(OrderItemPatch(id=item, order_item_status=cancelled) for item in items)
        body = OrderPatch(context=OPENACTIVE, ordered_item=patches)
        check_success((yield from self._request("PATCH", f"orders/{order}", body)))

    def update_proposal(self, order: uuid.UUID, patch: OrderProposalPatch) -> Flow[None]:
        """Reject an OrderProposal for the Customer, or send a note to its Seller (OB 9.2.5)."""
        check_success((yield from self._request("PATCH", f"order-proposals/{order}", patch)))

    def reject_proposal(self, order: uuid.UUID) -> Flow[None]:
        """Reject an OrderProposal for good. One that is not known, or was rejected, counts as rejected."""
        status = OrderProposalStatus.CUSTOMER_REJECTED.value
        patch = OrderProposalPatch(context=OPENACTIVE, order_proposal_status=status)
        # The status of an OrderProposal that was rejected cannot change any more (OB-APP-24).
        with suppress(PatchNotAllowedOnPropertyError):
            check_deleted((yield from self._request("PATCH", f"order-proposals/{order}", patch)))

    def delete_quote(self, order: uuid.UUID) -> Flow[None]:
        """Delete an OrderQuote, which ends its Lease (OB 9.2.3)."""
        check_deleted((yield from self._request("DELETE", f"order-quotes/{order}")))

    def delete_order(self, order: uuid.UUID) -> Flow[None]:
        """Delete an Order after a fatal error (OB 9.2.7). An Order that is not known counts as deleted."""
        check_deleted((yield from self._request("DELETE", f"orders/{order}")))

    def status(self, order: uuid.UUID) -> Flow[Reply]:
        """Return an Order, or what exists of it: its OrderProposal or its OrderQuote (OB 9.2.10)."""
        return read_any_reply((yield from self._request("GET", f"orders/{order}")))

    def _request(self, method: str, path: str, body: Body = b"") -> Flow[Answer]:
        """Send a request, again if need be. After a 401, renew the credentials once."""
        content = encode(body)
        answer = yield from repeat(lambda: self._send(method, path, content), self._retries)
        if answer.status == HTTPStatus.UNAUTHORIZED and (yield from self._access.renew()):
            answer = yield from repeat(lambda: self._send(method, path, content), self._retries)
        return answer

    def _send(self, method: str, path: str, content: bytes) -> Flow[Answer]:
        headers = {**(yield from self._access.headers()), "accept": BOOKING_MEDIA_TYPE}
        if content:
            headers["content-type"] = BOOKING_MEDIA_TYPE
        return (yield from send(Request(method, f"{self._url}/{path}", headers, content)))


def check_deleted(answer: Answer) -> None:
    """Check that what was to be deleted does not exist (AMB-25).

    A 404 of an API that does not know the path, or of a proxy in front of it, tells nothing about the Order.

    Raises:
        OpenBookingError: The Booking System reports another error.
        UnreadableReplyError: The reply is no message of the API.
    """
    if answer.status not in _NOT_THERE:
        check_success(answer)
        return
    if not answer.content:
        return
    error = error_of(answer)
    if isinstance(error, UnknownOrIncorrectEndpointError | UnreadableReplyError):
        raise error
