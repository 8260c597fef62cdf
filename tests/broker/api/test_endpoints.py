"""Requests of the client: their paths and bodies, when they are sent again, and what counts as deleted."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from openbooking.broker.api.access import ApiKey
from openbooking.broker.api.endpoints import BookingApi, encode
from openbooking.broker.api.retries import Retries
from openbooking.broker.errors import UnreadableReplyError
from openbooking.broker.flow import Answer, Flow, NoAnswerError
from openbooking.openactive.errors import (
    InvalidAPITokenError,
    OpenBookingError,
    Retry,
    TemporarilyUnableToCreateOrderError,
    TooManyRequestsError,
    UnknownOrIncorrectEndpointError,
)
from openbooking.openactive.messages import OrderItemRequest, OrderProposalPatch, OrderRequest, ProposalBookingRequest
from openbooking.openactive.terms import BrokerRole, OrderType
from support.broker.scripts import answer, play, result_of

URL = "https://booking.example.com/api"
ORDER = uuid.UUID("d6b8b1d4-4f7b-4e9c-9d3b-1a2b3c4d5e6f")
ITEM = OrderItemRequest(
    position=0, ordered_item="https://booking.example.com/s/1", accepted_offer="https://x.example/o"
)
C1 = OrderRequest(
    type=OrderType.QUOTE, seller="https://x.example/s", broker_role=BrokerRole.AGENT, ordered_item=(ITEM,)
)
C2 = OrderRequest(
    type=OrderType.QUOTE,
    seller="https://x.example/s",
    broker_role=BrokerRole.AGENT,
    customer={"@type": "Person", "email": "a@example.com"},
    ordered_item=(ITEM,),
)
BODY = encode(C2)
QUOTE = {"@context": "https://openactive.io/", "@type": "OrderQuote", "orderedItem": []}
PROPOSAL = {**QUOTE, "@type": "OrderProposal"}
BOOKED = {**QUOTE, "@type": "Order"}
BUSY = answer(503, {"@type": "TemporarilyUnableToCreateOrderError"})
LIMITED = answer(429, b"<html>Slow down</html>", {"content-type": "text/html"})
LOST = NoAnswerError("ReadTimeout")

REJECTION = OrderProposalPatch(
    context="https://openactive.io/",
    order_proposal_status="https://openactive.io/CustomerRejected",
    order_customer_note="Too late",
)

API = BookingApi(URL, ApiKey("obk_1"))


@pytest.mark.spec("OB-BRK-13")
@pytest.mark.parametrize(
    ("flow", "reply", "method", "path"),
    [
        (lambda: API.quote(ORDER, C1), answer(200, QUOTE), "PUT", f"order-quote-templates/{ORDER}"),
        (lambda: API.quote(ORDER, C2), answer(200, QUOTE), "PUT", f"order-quotes/{ORDER}"),
        (lambda: API.propose(ORDER, BODY), answer(201, PROPOSAL), "PUT", f"order-proposals/{ORDER}"),
        (lambda: API.book(ORDER, BODY), answer(201, BOOKED), "PUT", f"orders/{ORDER}"),
        (lambda: API.cancel(ORDER, ["https://x.example/i#1"]), answer(204), "PATCH", f"orders/{ORDER}"),
        (lambda: API.update_proposal(ORDER, REJECTION), answer(204), "PATCH", f"order-proposals/{ORDER}"),
        (lambda: API.delete_quote(ORDER), answer(204), "DELETE", f"order-quotes/{ORDER}"),
        (lambda: API.delete_order(ORDER), answer(204), "DELETE", f"orders/{ORDER}"),
        (lambda: API.status(ORDER), answer(200, BOOKED), "GET", f"orders/{ORDER}"),
    ],
)
def test_requests_use_the_paths_of_the_specification(
    flow: Callable[[], Flow[Any]], reply: Answer, method: str, path: str
) -> None:
    played = play(flow(), [reply])
    assert played.error is None
    (request,) = played.requests
    assert (request.method, request.url) == (method, f"{URL}/{path}")
    assert request.headers["authorization"] == "Bearer obk_1"
    assert ("content-type" in request.headers) == bool(request.content)


def test_patches_carry_only_what_the_specification_allows() -> None:
    bodies = [
        play(flow, [answer(204)]).bodies[0]
        for flow in (API.cancel(ORDER, ["i1", "i2"]), API.update_proposal(ORDER, REJECTION))
    ]
    cancelled = [
        {"@type": "OrderItem", "@id": id_, "orderItemStatus": "https://openactive.io/CustomerCancelled"}
        for id_ in ("i1", "i2")
    ]
    context = {"@context": "https://openactive.io/"}
    rejected = {"orderProposalStatus": "https://openactive.io/CustomerRejected", "orderCustomerNote": "Too late"}
    assert bodies == [
        {**context, "@type": "Order", "orderedItem": cancelled},
        {**context, "@type": "OrderProposal", **rejected},
    ]


def test_a_proposal_is_booked_by_its_version_alone() -> None:
    body = ProposalBookingRequest(order_proposal_version="https://x.example/v1")
    played = play(API.book(ORDER, body), [answer(201, BOOKED)])
    assert played.bodies == [{"@type": "Order", "orderProposalVersion": "https://x.example/v1"}]


@pytest.mark.spec("OB-BRK-03", "OB-BRK-09")
def test_b_is_repeated_with_the_same_bytes_after_lost_answers_503_and_429() -> None:
    played = play(API.book(ORDER, C2), [LOST, BUSY, LIMITED, answer(201, BOOKED)])
    assert played.error is None
    assert len(played.requests) == 4
    assert len({(request.url, request.content) for request in played.requests}) == 1
    assert played.pauses == [1, 2, 4]
    assert all(reason.startswith(("No answer came: ", "The answer has status ")) for reason in played.reasons)


@pytest.mark.spec("OB-BRK-03")
@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "9999"}, 60),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "Mon, 30 Nov 2026 10:00:30 GMT", "date": "Mon, 30 Nov 2026 10:00:00 GMT"}, 30),
        ({"retry-after": "Mon, 30 Nov 2026 10:00:00 GMT", "date": "Mon, 30 Nov 2026 10:00:30 GMT"}, 0),
        ({"retry-after": "soon"}, 1),
        ({"retry-after": "-3"}, 1),
        ({}, 1),
    ],
)
def test_retry_after_decides_the_pause_within_bounds(headers: dict[str, str], pause: float) -> None:
    played = play(API.book(ORDER, BODY), [answer(503, None, headers), answer(201, BOOKED)])
    assert (played.error, played.pauses) == (None, [pause])


def test_a_date_without_the_time_of_the_answer_is_compared_with_the_clock() -> None:
    past = answer(429, None, {"retry-after": "Mon, 30 Nov 2020 10:00:00 GMT"})
    assert play(API.book(ORDER, BODY), [past, answer(201, BOOKED)]).pauses == [0]


@pytest.mark.spec("OB-BRK-09")
def test_the_last_429_is_raised_as_a_limit_whatever_its_body() -> None:
    api = BookingApi(URL, ApiKey("obk_1"), Retries(attempts=2))
    error = play(api.book(ORDER, BODY), [LIMITED, LIMITED]).error
    assert isinstance(error, TooManyRequestsError)
    assert (error.retry, error.reply_status) == (Retry.SAME_UUID, 429)


@pytest.mark.spec("OB-BRK-02", "OB-BRK-03")
def test_the_last_503_and_the_last_lost_answer_are_raised() -> None:
    api = BookingApi(URL, ApiKey("obk_1"), Retries(attempts=2))
    assert isinstance(play(api.book(ORDER, BODY), [LOST, LOST]).error, NoAnswerError)
    error = play(api.book(ORDER, BODY), [BUSY, BUSY]).error
    assert isinstance(error, TemporarilyUnableToCreateOrderError)
    assert error.retry is Retry.SAME_UUID


@pytest.mark.spec("OB-BRK-02")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 500, 502, 504])
def test_other_answers_are_never_repeated(status: int) -> None:
    played = play(API.book(ORDER, BODY), [answer(status, {"@type": "OpenBookingError"})])
    assert len(played.requests) == 1
    assert isinstance(played.error, OpenBookingError)
    assert played.error.retry is (Retry.NEW_UUID if status >= 500 else Retry.NEVER)


@pytest.mark.spec("OB-DEL-06", "OB-DEL-07")
@pytest.mark.parametrize(
    "reply",
    [
        answer(204),
        answer(404, {"@type": "UnknownOrderError"}),
        answer(404, {"@type": "NotFoundError"}),
        answer(410, {"@type": "GoneError"}),
        answer(404),
    ],
)
def test_an_order_that_does_not_exist_is_deleted(reply: Answer) -> None:
    for flow in (API.delete_order(ORDER), API.delete_quote(ORDER)):
        result_of(flow, [reply])


def test_a_404_that_says_nothing_about_the_order_is_no_deletion() -> None:
    wrong_path = answer(404, {"@type": "UnknownOrIncorrectEndpointError"})
    assert isinstance(play(API.delete_order(ORDER), [wrong_path]).error, UnknownOrIncorrectEndpointError)
    of_a_proxy = answer(404, b"<html>nginx</html>", {"content-type": "text/html"})
    assert isinstance(play(API.delete_order(ORDER), [of_a_proxy]).error, UnreadableReplyError)


@pytest.mark.parametrize("status", [400, 401, 500])
def test_other_answers_to_a_deletion_are_raised(status: int) -> None:
    assert isinstance(play(API.delete_order(ORDER), [answer(status, {"@type": "SomeError"})]).error, OpenBookingError)


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, b"<html>We are back soon</html>", {"content-type": "text/html"}),
        answer(200, {"@type": "TemporarilyUnableToDeleteOrderError"}),
    ],
)
def test_success_that_is_no_message_tells_nothing(reply: Answer) -> None:
    for flow in (API.delete_order(ORDER), API.delete_quote(ORDER), API.cancel(ORDER, ["https://x.example/1"])):
        assert isinstance(play(flow, [reply]).error, UnreadableReplyError | OpenBookingError)


def test_success_with_a_message_is_a_cancellation() -> None:
    result_of(API.cancel(ORDER, ["https://x.example/1"]), [answer(200, BOOKED)])


class Renewable:
    """Credentials whose second version is valid."""

    def __init__(self, *, renewable: bool = True) -> None:
        self.version = 1
        self._renewable = renewable

    def headers(self) -> Flow[dict[str, str]]:
        yield from ()
        return {"authorization": f"Bearer {self.version}"}

    def renew(self) -> Flow[bool]:
        yield from ()
        self.version += 1
        return self._renewable


REFUSED = answer(401, {"@type": "InvalidAPITokenError"})


def test_credentials_are_renewed_once_after_a_401() -> None:
    played = play(BookingApi(URL, Renewable()).book(ORDER, C2), [REFUSED, answer(201, BOOKED)])
    assert played.error is None
    assert [request.headers["authorization"] for request in played.requests] == ["Bearer 1", "Bearer 2"]
    assert len({request.content for request in played.requests}) == 1
    assert isinstance(play(BookingApi(URL, Renewable()).status(ORDER), [REFUSED, REFUSED]).error, InvalidAPITokenError)


def test_a_401_is_raised_if_credentials_cannot_be_renewed() -> None:
    for access in (Renewable(renewable=False), ApiKey("obk_1")):
        assert isinstance(play(BookingApi(URL, access).status(ORDER), [REFUSED]).error, InvalidAPITokenError)
