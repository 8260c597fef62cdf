"""Reads the replies of an Open Booking API: messages, errors of requests and errors of items.

The reader accepts what differs from the specification without harm (`tolerant_reading.py`): a charset in the
`Content-Type`, unknown properties, items in any order, a 200 where the specification has 201, and errors without a
`statusCode` or `requestId`. Every other reply raises an error that says what came.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from openbooking.broker.api.retries import retry_after
from openbooking.broker.api.tolerant_reading import UnfitError, fit
from openbooking.broker.errors import ItemFault, ItemsRefusedError, Reply, UnreadableReplyError
from openbooking.broker.flow import Answer
from openbooking.harvest.documents import MAX_NESTING, is_too_deep
from openbooking.openactive.errors import ERROR_CLASSES, OpenBookingError, TooManyRequestsError
from openbooking.openactive.messages import Order, OrderItem, OrderProposal, OrderQuote
from openbooking.openactive.published.values import UnreadableError, read_amount
from openbooking.openactive.terms import OPENACTIVE

AnyReply = TypeVar("AnyReply", OrderQuote, OrderProposal, Order)

_TYPES: Mapping[str, type[Reply]] = {"OrderQuote": OrderQuote, "OrderProposal": OrderProposal, "Order": Order}
_CHARSET = re.compile(r""";\s*+charset\s*+=\s*+["']?+([\w-]++)""", re.ASCII | re.IGNORECASE)
# The charsets, other than UTF-8, in which JSON is met. Python has others that need hours for a body of some megabytes.
_CHARSETS = frozenset(
    {"utf-16", "utf-16le", "utf-16be", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "cp1252"}
)
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-correlation-id")
_MOST_CHARACTERS = 200
# The texts of an error are shown, logged and stored.
_MOST_OF_A_TEXT = 10_000


def is_success(answer: Answer) -> bool:
    """Return whether the status of an answer reports success. P and B may answer 200 or 201 (AMB-06)."""
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def is_refusal(answer: Answer) -> bool:
    """Return whether the status of an answer says that the request is at fault."""
    return HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR


def read_reply(answer: Answer, type_: type[AnyReply]) -> AnyReply:
    """Return the Order, OrderProposal or OrderQuote of a reply.

    Raises:
        ItemsRefusedError: Items have errors.
        OpenBookingError: The Booking System reports an error of the request.
        UnreadableReplyError: The reply is no message of the API.
    """
    reply = read_any_reply(answer)
    if not isinstance(reply, type_):
        raise _unreadable(answer, f"the body is not an {type_.__name__} but an {type(reply).__name__}")
    return reply


def read_any_reply(answer: Answer) -> Reply:
    """Return the Order, OrderProposal or OrderQuote of a reply, and raise the errors that `read_reply` raises."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise error_of(answer)
    document = _read_json(answer)
    type_ = _TYPES.get(_type_of(document))
    if type_ is None:
        raise error_of(answer)
    try:
        reply = fit(_prepared(document), type_)
        if reply.total_payment_due is not None:
            # A total may be text, which may say NaN.
            read_amount(reply.total_payment_due.price)
    except (UnfitError, UnreadableError) as fault:
        raise _unreadable(answer, f"the {type_.__name__} cannot be read: {fault}") from fault
    reply = replace(reply, ordered_item=_in_order(reply.ordered_item))
    faults = item_faults(reply.ordered_item)
    # A booked Order stands, whatever else the reply says.
    if is_success(answer) and not (faults and type_ is OrderQuote):
        return reply
    if not is_success(answer) and not is_refusal(answer):
        raise _unreadable(answer, f"the body is an {type_.__name__}, although the status reports no refusal")
    raise ItemsRefusedError(faults, reply, reply_status=answer.status, request_id=_request_id(answer, document))


def check_success(answer: Answer) -> None:
    """Check the answer to a request that has no body in its reply, such as a PATCH.

    Raises:
        ItemsRefusedError: Items have errors.
        OpenBookingError: The Booking System reports an error of the request.
        UnreadableReplyError: The reply is no message of the API.
    """
    if not is_success(answer):
        read_any_reply(answer)
    elif answer.content.strip():
        # A proxy or a page for people may answer 200 although the request never arrived.
        document = _read_json(answer)
        if _type_of(document) in ERROR_CLASSES:
            raise error_of(answer)


def error_of(answer: Answer) -> OpenBookingError | UnreadableReplyError:
    """Return the error of the request that an answer reports.

    A 429 is a `TooManyRequestsError` whatever its body is (OB-BRK-09).
    """
    try:
        document = _read_json(answer)
    except UnreadableReplyError as fault:
        document, unreadable = {}, fault
    else:
        unreadable = _unreadable(answer, f"the body is of type {_type_of(document)!r}")
    name = _type_of(document)
    class_ = ERROR_CLASSES.get(name, OpenBookingError if name.endswith("Error") and not is_success(answer) else None)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        class_ = TooManyRequestsError
    if class_ is None or (is_success(answer) and name not in ERROR_CLASSES):
        return unreadable
    seconds = retry_after(answer)
    error = class_(
        _text(document, "description") or _text(document, "name"),
        instance=_text(document, "instance"),
        retry_after=None if seconds is None else round(seconds),
    )
    error.error_type = name or class_.__name__
    error.reply_status = answer.status
    error.request_id = _request_id(answer, document)
    return error


def item_faults(items: Sequence[OrderItem]) -> tuple[ItemFault, ...]:
    """Return the errors of OrderItems, in the order of positions."""
    return tuple(
        ItemFault(
            index if item.position is None else item.position,
            _name(error.type),
            error.description or error.name,
            error.instance,
        )
        for index, item in enumerate(items)
        for error in item.error
    )


def by_position(reply: Reply) -> Mapping[int, OrderItem]:
    """Return the items of a reply by their position in the request, or by their index if they have no positions."""
    return {index if item.position is None else item.position: item for index, item in enumerate(reply.ordered_item)}


def _in_order(items: tuple[OrderItem, ...]) -> tuple[OrderItem, ...]:
    """Return items in the order of their positions, in which a Booking System need not send them."""
    if any(item.position is None for item in items):
        return items
    return tuple(sorted(items, key=lambda item: item.position or 0))


def _prepared(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with the names of the present specification, and with the members that every message has."""
    prepared: dict[str, Any] = {"@context": OPENACTIVE, **document}
    total = document.get("totalPaymentDue")
    if isinstance(total, dict) and "prepayment" in total:
        # The former name (AMB-04).
        prepared["totalPaymentDue"] = {"openBookingPrepayment": total["prepayment"], **total}
    items = document.get("orderedItem")
    if isinstance(items, list):
        prepared["orderedItem"] = [_prepared_item(item) for item in items]
    return prepared


def _prepared_item(item: Any) -> Any:
    """Return an item whose errors have a type, because an error must not be left out."""
    if not isinstance(item, dict) or not item.get("error"):
        return item
    errors = item["error"] if isinstance(item["error"], list) else [item["error"]]
    typed = [
        {"@type": "OpenBookingError", **error} if isinstance(error, dict) else {"@type": str(error)} for error in errors
    ]
    return {**item, "error": typed}


def _read_json(answer: Answer) -> Mapping[str, Any]:
    """Return the JSON object of an answer, or raise UnreadableReplyError."""
    content = answer.content
    try:
        charset = _charset(answer)
        if charset in _CHARSETS:
            content = content.decode(charset).encode()
        document = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise _unreadable(answer, _excerpt(content) or "the body is empty") from fault
    if is_too_deep(content):
        raise _unreadable(answer, f"the body is nested more deeply than {MAX_NESTING} levels")
    if not isinstance(document, dict):
        raise _unreadable(answer, "the body is not a JSON object")
    return document


def _charset(answer: Answer) -> str:
    """Return the charset of an answer in lower case; empty if it names none."""
    found = _CHARSET.search(answer.headers.get("content-type", ""))
    return found[1].lower() if found else ""


def _type_of(document: Mapping[str, Any]) -> str:
    """Return the name of a document's type, without its namespace; empty if there is none."""
    type_ = document.get("@type", document.get("type"))
    if isinstance(type_, list) and len(type_) == 1:
        type_ = type_[0]
    return _name(type_) if isinstance(type_, str) else ""


def _name(type_: str) -> str:
    return type_.rpartition("/")[2].rpartition(":")[2]


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if isinstance(value, dict):
        value = value.get("@id")
    return value[:_MOST_OF_A_TEXT] if isinstance(value, str) else None


def _request_id(answer: Answer, document: Mapping[str, Any]) -> str | None:
    given = document.get("requestId")
    if isinstance(given, str | int) and not isinstance(given, bool):
        return str(given)[:_MOST_OF_A_TEXT]
    return next((answer.headers[name] for name in _REQUEST_ID_HEADERS if answer.headers.get(name)), None)


def _unreadable(answer: Answer, reason: str) -> UnreadableReplyError:
    return UnreadableReplyError(
        f"An answer with status {answer.status} is no message of the Open Booking API: {reason}.",
        reply_status=answer.status,
        request_id=_request_id(answer, {}),
    )


def _excerpt(content: bytes) -> str:
    text = " ".join(content[: 4 * _MOST_CHARACTERS].decode("utf-8", "replace").split())
    return f"the body begins with {text[:_MOST_CHARACTERS]!a}" if text else ""
