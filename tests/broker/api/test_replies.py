"""Replies as Booking Systems send them: what is read, what is refused, and how."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbooking.broker.api.replies import by_position, read_any_reply, read_reply
from openbooking.broker.errors import ItemFault, ItemsRefusedError, UnreadableReplyError
from openbooking.broker.flow import Answer
from openbooking.harvest.documents import MAX_NESTING
from openbooking.openactive.errors import (
    InternalLibraryError,
    InvalidAPITokenError,
    OpenBookingError,
    OpportunityHasInsufficientCapacityError,
    Retry,
    UnableToProcessOrderItemError,
    UnknownOrderError,
)
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.messages import Order, OrderProposal, OrderQuote
from openbooking.openactive.terms import Availability, BrokerRole, FormFieldType
from support.broker.scripts import answer

Json = dict[str, Any]
ITEM: Json = {"@type": "OrderItem", "position": 0, "orderedItem": {"@type": "Slot", "@id": "https://x.example/s"}}
ORDER: Json = {
    "@context": "https://openactive.io/",
    "@type": "Order",
    "@id": "https://x.example/orders/1",
    "brokerRole": "https://openactive.io/AgentBroker",
    "seller": {"@type": "Organization", "@id": "https://x.example/seller"},
    "orderedItem": [ITEM],
    "totalPaymentDue": {"@type": "PriceSpecification", "price": 12.5, "priceCurrency": "GBP"},
}
QUOTE: Json = {**ORDER, "@type": "OrderQuote"}
FULL: Json = {"@type": "OpportunityIsFullError", "description": "No spaces", "instance": "https://x.example/s"}


def test_200_and_201_are_read_alike() -> None:
    assert read_reply(answer(200, ORDER), Order) == read_reply(answer(201, ORDER), Order)


@pytest.mark.parametrize(
    ("headers", "encoding"),
    [
        ({"content-type": "application/vnd.openactive.booking+json; version=1; charset=utf-8"}, "utf-8"),
        ({"content-type": "application/json;charset=ISO-8859-1"}, "latin-1"),
        ({"content-type": "application/json; charset=UTF-16"}, "utf-16"),
        ({"content-type": 'application/json; version=1;CHARSET="Windows-1252"'}, "cp1252"),
        ({"content-type": "text/html"}, "utf-8"),
        ({"content-type": ""}, "utf-8-sig"),
        ({"content-type": "application/json; charset=utf8mb4"}, "utf-8"),
        ({"content-type": "application/json; charset*0=a; charset*=b"}, "utf-8"),
        ({"content-type": f"application/json; charset*{'9' * 5000}*=a"}, "utf-8"),
    ],
)
def test_the_charset_of_the_content_type_is_applied(headers: Mapping[str, str], encoding: str) -> None:
    named = {**ORDER, "orderNumber": "Zoë"}
    body = msgspec.json.encode(named).decode().encode(encoding)
    assert read_reply(answer(200, body, headers), Order).order_number == "Zoë"


def test_the_texts_of_an_error_are_cut() -> None:
    error = {"@type": "UnknownOrderError", "description": "x" * 1_000_000, "requestId": "y" * 1_000_000}
    with pytest.raises(UnknownOrderError) as caught:
        read_any_reply(answer(404, error))
    assert len(f"{caught.value} {caught.value.request_id}") < 25_000


def test_a_charset_that_takes_hours_to_decode_is_not_applied() -> None:
    # Python's codec `punycode` takes minutes for this body, so that this test would not end in time.
    body = b"a" * 400_000 + b"-" + b"9a" * 400_000
    with pytest.raises(UnreadableReplyError):
        read_reply(answer(200, body, {"content-type": "application/json; charset=punycode"}), Order)


@pytest.mark.parametrize("depth", [MAX_NESTING, 800, 100_000])
def test_a_reply_that_is_nested_too_deeply_is_refused(depth: int) -> None:
    body = msgspec.json.encode({**ORDER, "my:new": "deep"}).replace(b'"deep"', b"[" * depth + b"]" * depth)
    with pytest.raises(UnreadableReplyError):
        read_reply(answer(201, body), Order)
    passable = body.replace(b"[" * (depth - 9) + b"]" * (depth - 9), b"0")
    assert read_reply(answer(201, passable), Order).ordered_item


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ({"@id": {"@id": "https://x.example/orders/1"}}, lambda o: o.id == "https://x.example/orders/1"),
        ({"@context": ["https://openactive.io/", {"my": "https://x.example/"}]}, lambda o: len(o.context) == 2),
        ({"@context": None}, lambda o: o.context == "https://openactive.io/"),
        ({"@type": ["Order"]}, lambda o: o.type == "Order"),
        ({"@type": "https://openactive.io/Order"}, lambda o: o.type == "Order"),
        ({"my:new": {"deep": [1]}, "orderedItem": [{**ITEM, "my:new": 1}]}, lambda o: len(o.ordered_item) == 1),
        ({"orderedItem": ITEM}, lambda o: len(o.ordered_item) == 1),
        ({"orderedItem": [{"orderedItem": "https://x.example/s"}]}, lambda o: o.ordered_item[0].position is None),
        ({"orderedItem": [{**ITEM, "position": "0"}]}, lambda o: o.ordered_item[0].position == 0),
        ({"orderedItem": [{**ITEM, "error": None}]}, lambda o: o.ordered_item[0].error == ()),
        (
            {"orderedItem": [{**ITEM, "acceptedOffer": "https://x.example/o"}]},
            lambda o: o.ordered_item[0].accepted_offer,
        ),
        ({"brokerRole": "AgentBroker"}, lambda o: o.broker_role is BrokerRole.AGENT),
        ({"brokerRole": "https://openactive.io/NewRole"}, lambda o: o.broker_role is None),
        ({"seller": "https://x.example/seller"}, lambda o: o.seller == {"@id": "https://x.example/seller"}),
        ({"orderNumber": 17}, lambda o: o.order_number == "17"),
        ({"taxCalculationExcluded": "true"}, lambda o: o.tax_calculation_excluded is True),
        (
            {"totalPaymentDue": {"price": "12.50", "priceCurrency": "GBP"}},
            lambda o: o.total_payment_due.price == "12.50",
        ),
        (
            {"totalPaymentDue": {"price": 1, "prepayment": "https://openactive.io/Optional"}},
            lambda o: o.total_payment_due.open_booking_prepayment is Availability.OPTIONAL,
        ),
        ({"bookingService": "The Service"}, lambda o: o.booking_service is None),
        ({"totalPaymentTax": [{"price": 2}, {"name": "VAT", "price": 2}]}, lambda o: len(o.total_payment_tax) == 1),
    ],
)
def test_harmless_differences_are_read(change: Json, read: Any) -> None:
    changed = {name: value for name, value in {**ORDER, **change}.items() if value is not None}
    assert read(read_reply(answer(200, changed), Order))


def test_an_unknown_kind_of_question_is_asked_as_text() -> None:
    field = {"@type": "ShortAnswerFormSpecification", "@id": "https://x.example/f", "name": "Level"}
    item = {**ITEM, "orderItemIntakeForm": [{**field, "valueRequired": "true"}]}
    (question,) = (
        read_reply(answer(200, {**QUOTE, "orderedItem": [item]}), OrderQuote).ordered_item[0].order_item_intake_form
    )
    assert (question.type, question.value_required) == (FormFieldType.SHORT_ANSWER, True)


@pytest.mark.parametrize(
    "change",
    [
        {"orderedItem": None},
        {"orderedItem": ["https://x.example/i"]},
        {"totalPaymentDue": {"price": None}},
        {"totalPaymentDue": 12},
        {"totalPaymentDue": {"price": [1, 2]}},
        {"totalPaymentDue": {"price": "--5"}},
        {"totalPaymentDue": {"price": "NaN"}},
        {"totalPaymentDue": {"price": "Infinity"}},
        {"totalPaymentDue": {"price": "1e999999"}},
    ],
)
def test_a_reply_without_its_items_or_total_is_refused(change: Json) -> None:
    with pytest.raises(UnreadableReplyError) as caught:
        read_reply(answer(201, {**ORDER, **change}), Order)
    assert (caught.value.reply_status, caught.value.retry) == (201, Retry.NEW_UUID)


def test_items_are_returned_in_the_order_of_their_positions() -> None:
    items = [{**ITEM, "position": position} for position in (2, 0, 1)]
    reply = read_reply(answer(200, {**ORDER, "orderedItem": items}), Order)
    assert [item.position for item in reply.ordered_item] == [0, 1, 2]
    assert by_position(reply)[2].position == 2


@pytest.mark.spec("OB-BRK-04")
@pytest.mark.parametrize(
    ("type_", "again"),
    [
        (ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY, True),
        (ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE, True),
        (ItemErrorType.OPPORTUNITY_IS_FULL, False),
        (ItemErrorType.INCOMPLETE_INTAKE_FORM, False),
    ],
)
def test_faults_of_items_are_typed_and_say_whether_c2_can_help(type_: ItemErrorType, *, again: bool) -> None:
    items = [{**ITEM, "position": 1, "error": [{**FULL, "@type": type_.value}]}, ITEM]
    for body in (QUOTE, ORDER, {**ORDER, "@type": "OrderProposal"}):
        with pytest.raises(ItemsRefusedError) as caught:
            read_any_reply(answer(409, {**body, "orderedItem": items}, {"x-request-id": "r-1"}))
        error = caught.value
        assert error.faults == (ItemFault(1, type_, "No spaces", "https://x.example/s"),)
        assert (error.quote_again, error.retry, error.request_id, error.reply_status) == (
            again,
            Retry.NEVER,
            "r-1",
            409,
        )
        assert error.reply.ordered_item[0].position == 0


@pytest.mark.parametrize("error", [FULL, [FULL], [{"@type": "https://openactive.io/OpportunityIsFullError"}]])
def test_an_error_of_an_item_is_found_in_any_form(error: Any) -> None:
    with pytest.raises(ItemsRefusedError) as caught:
        read_reply(answer(409, {**QUOTE, "orderedItem": [{**ITEM, "error": error}]}), OrderQuote)
    assert [fault.type for fault in caught.value.faults] == [ItemErrorType.OPPORTUNITY_IS_FULL]


@pytest.mark.parametrize("error", [{"description": "No"}, "Sold out", ["x"], [7]])
def test_an_error_without_a_type_is_not_lost(error: Any) -> None:
    with pytest.raises(ItemsRefusedError) as caught:
        read_reply(answer(200, {**QUOTE, "orderedItem": [{**ITEM, "error": error}]}), OrderQuote)
    assert len(caught.value.faults) == 1


def test_a_booked_order_stands_although_its_items_have_errors() -> None:
    assert read_reply(answer(201, {**ORDER, "orderedItem": [{**ITEM, "error": [FULL]}]}), Order).type == "Order"


def test_an_order_with_a_status_of_failure_is_no_booking() -> None:
    for status in (302, 500):
        with pytest.raises(UnreadableReplyError):
            read_reply(answer(status, ORDER), Order)


def test_a_reply_of_another_type_is_refused() -> None:
    with pytest.raises(UnreadableReplyError, match="OrderQuote"):
        read_reply(answer(201, QUOTE), Order)
    assert isinstance(read_any_reply(answer(200, {**ORDER, "@type": "OrderProposal"})), OrderProposal)


@pytest.mark.parametrize(
    ("reply", "class_", "retry"),
    [
        (answer(404, {"@type": "UnknownOrderError"}), UnknownOrderError, Retry.NEVER),
        (answer(404, {"@type": "https://openactive.io/UnknownOrderError"}), UnknownOrderError, Retry.NEVER),
        (answer(500, {"@type": "InternalLibraryError"}), InternalLibraryError, Retry.NEW_UUID),
        (answer(500, {"@type": "BespokeError"}), OpenBookingError, Retry.NEW_UUID),
        (answer(401, {"type": "InvalidAPITokenError"}), InvalidAPITokenError, Retry.NEVER),
        # An error of the request with a status of success is still an error.
        (answer(200, {"@type": "UnknownOrderError"}), UnknownOrderError, Retry.NEVER),
    ],
)
def test_errors_of_requests_are_raised_as_their_class(reply: Answer, class_: type[Exception], retry: Retry) -> None:
    with pytest.raises(class_) as caught:
        read_any_reply(reply)
    assert isinstance(caught.value, OpenBookingError)
    assert caught.value.retry is retry


@pytest.mark.spec("OB-BRK-04")
@pytest.mark.parametrize("class_", [UnableToProcessOrderItemError, OpportunityHasInsufficientCapacityError])
def test_b_that_ran_out_of_spaces_is_quoted_again(class_: type[OpenBookingError]) -> None:
    with pytest.raises(class_) as caught:
        read_reply(answer(409, {"@type": class_.__name__}), Order)
    assert caught.value.quote_again


def test_an_error_carries_what_the_reply_says() -> None:
    error = {
        "@type": "BespokeError",
        "description": "Not on Mondays",
        "instance": "https://x.example/i",
        "requestId": 7,
    }
    with pytest.raises(OpenBookingError, match="Not on Mondays") as caught:
        read_any_reply(answer(400, error, {"retry-after": "3", "x-request-id": "other"}))
    found = caught.value
    assert (found.error_type, found.request_id, found.instance, found.retry_after, found.reply_status) == (
        "BespokeError", "7", "https://x.example/i", 3, 400,
    )  # fmt: skip


def test_the_request_id_of_a_header_is_used_if_the_body_has_none() -> None:
    with pytest.raises(OpenBookingError) as caught:
        read_any_reply(answer(400, {"@type": "NotFoundError"}, {"x-request-id": "r-1"}))
    assert caught.value.request_id == "r-1"


@pytest.mark.parametrize(
    ("reply", "retry"),
    [
        (answer(502, b"<html>Bad gateway</html>", {"content-type": "text/html"}), Retry.NEW_UUID),
        (answer(503, b""), Retry.SAME_UUID),
        (answer(500), Retry.NEW_UUID),
        (answer(200, b""), Retry.NEW_UUID),
        (answer(200, b"[1]"), Retry.NEW_UUID),
        (answer(200, {"@type": "Thing"}), Retry.NEW_UUID),
        (answer(400, b"{"), Retry.NEVER),
        (answer(200, b"[" * 100_000), Retry.NEW_UUID),
        (answer(200, b"{}", {"content-type": "application/json; charset=hex"}), Retry.NEW_UUID),
    ],
)
def test_what_is_no_message_is_reported_with_its_status(reply: Answer, retry: Retry) -> None:
    with pytest.raises(UnreadableReplyError) as caught:
        read_any_reply(reply)
    assert (caught.value.reply_status, caught.value.retry) == (reply.status, retry)


_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
_NAMES = st.sampled_from(
    [*ORDER, *ITEM, "error", "lease", "payment", "attendee", "orderItemIntakeForm", "orderProposalStatus"]
)
_ITEMS = st.lists(st.dictionaries(_NAMES, _JSON, max_size=4) | _JSON, max_size=3)
_TYPES = st.sampled_from(["Order", "OrderQuote", "OrderProposal", "GoneError", "https://openactive.io/Order"])
_DOCUMENTS = st.builds(
    lambda changes, type_, items: {**ORDER, **changes, "@type": type_, "orderedItem": items},
    st.dictionaries(_NAMES, _JSON | _ITEMS, max_size=4),
    _TYPES | _JSON,
    _ITEMS,
)
_BODIES = st.binary(max_size=40) | (_JSON | _DOCUMENTS).map(lambda body: msgspec.json.encode(_without_surrogates(body)))
_CONTENT_TYPES = st.sampled_from(
    ["", "text/html", "a/b; charset=utf-16", "a/b; charset=idna", "x;charset*=0", '\x00;;="']
)


def _without_surrogates(body: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(body))


@given(
    _BODIES,
    st.sampled_from([200, 201, 204, 302, 400, 401, 404, 409, 429, 500, 503]),
    _CONTENT_TYPES,
    st.text(max_size=9),
)
def test_no_reply_raises_anything_but_the_documented_errors(body: bytes, status: int, type_: str, header: str) -> None:
    reply = answer(status, body, {"content-type": type_, "retry-after": header, "date": header})
    read: Any
    try:
        read = read_any_reply(reply)
    except (OpenBookingError, ItemsRefusedError, UnreadableReplyError) as error:
        read = error
    if isinstance(read, Exception):
        assert (read.reply_status, read.retry in Retry) == (status, True)  # type: ignore[attr-defined]
    else:
        assert isinstance(read, Order | OrderProposal | OrderQuote)
        assert 200 <= status < 300
