"""Checks every response of a Booking System in tests with OpenActive's validators."""

import json
import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx2

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.validators import Validator, running_validator

_CHECKPOINTS = {"order-quote-templates": "C1", "order-quotes": "C2", "order-proposals": "P", "orders": "B"}
_STATUSES = {"Order": "OrderStatus", "OrderProposal": "PResponse", "OrderQuote": "C2Response"}
_ORDERS_FEEDS = {"orders-rpde": "OrdersFeed", "order-proposals-rpde": "OrderProposalsFeed"}
_RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
_JSON_LD = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
_OF_ITEM = re.compile(r"\$\.orderedItem\[(\d+)\](?!\.error)")
# Faults that the validator reports, although the specification or its own model allows them.
_NOT_ASKED_FOR = re.compile(
    # An OnDemandEvent may have neither, says the model.
    r".*Required property `(location|startDate)` is missing from `OnDemandEvent`"
    # An Offer of a Broker's own may be named by a URN.
    r"|\$\.orderedItem\[\d+\]\.acceptedOffer\[\"@id\"\]: The value of `@id` must always be an absolute URL"
)
_WITH_HTML = re.compile(r".*HTML must be stripped from")
_MISSING_POSITION = re.compile(r".*Required property `position` is missing from `OrderItem`")
_MISSING_PRICE = re.compile(r".*Required property `(totalPaymentDue|acceptedOffer)` is missing from")

Json = dict[str, Any]


class Judge:
    """The judge of responses. Responses that differ only in random ids are checked once."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator
        self._known: dict[str, list[str]] = {}

    def faults(self, answer: httpx2.Response) -> list[str]:
        """Return the faults of the documents in a response, and of the page if it is a page of a feed.

        Bodies that a test has received as a stream, or not at all, are not checked.
        """
        try:
            told = list(documents(answer))
        except httpx2.ResponseNotRead:
            return []
        found = [fault for mode, document in told for fault in self._faults(mode, document, _is_status(answer))]
        return [f"{answer.request.method} {answer.request.url}: {fault}" for fault in found + self._of_page(answer)]

    def _of_page(self, answer: httpx2.Response) -> list[str]:
        if not _is_page(answer):
            return []
        orders = _last(answer) in _ORDERS_FEEDS
        return self._validator.rpde_page_failures(
            str(answer.request.url), answer.json(), headers=answer.headers, orders=orders
        )

    def _faults(self, mode: str, document: Json, is_status: bool) -> list[str]:
        key = _RANDOM.sub("X", f"{mode} {is_status} {json.dumps(document, sort_keys=True)}")
        if key not in self._known:
            found = self._validator.failures(mode, document)
            self._known[key] = [f"{mode} {fault}" for fault in found if not _excused(mode, document, is_status, fault)]
        return self._known[key]


@cache
def judge() -> Judge:
    """Return the judge of this process."""
    return Judge(running_validator())


def documents(answer: httpx2.Response) -> Iterator[tuple[str, Json]]:
    """Return the documents in a response, each with the validator's mode for it."""
    if answer.headers.get("content-type", "").startswith("text/html"):
        yield from (("DatasetSite", json.loads(found)) for found in _JSON_LD.findall(answer.text))
    elif _is_page(answer):
        mode = _ORDERS_FEEDS.get(_last(answer), "BookableRPDEFeed")
        yield from ((mode, item["data"]) for item in answer.json()["items"] if "data" in item)
    elif answer.content and answer.request.url.path.startswith("/api/") and not _is_of_test_interface(answer):
        assert answer.headers["content-type"] == BOOKING_MEDIA_TYPE
        document = answer.json()
        yield _mode(answer, document), document


def _mode(answer: httpx2.Response, document: Json) -> str:
    type_ = document["@type"]
    if type_ not in _STATUSES:
        return "OpenBookingError"
    if _is_status(answer):
        return _STATUSES[type_]
    checkpoint = _CHECKPOINTS[answer.request.url.path.split("/")[-2]]
    return f"{checkpoint}Response{'OrderItemError' if answer.status_code == HTTPStatus.CONFLICT else ''}"


def _is_status(answer: httpx2.Response) -> bool:
    return answer.request.method == "GET"


def _is_page(answer: httpx2.Response) -> bool:
    in_feed = answer.request.url.path.startswith("/feeds/") or _last(answer) in _ORDERS_FEEDS
    return in_feed and answer.status_code == HTTPStatus.OK and answer.request.method == "GET"


def _is_of_test_interface(answer: httpx2.Response) -> bool:
    return "/test-interface/" in answer.request.url.path


def _last(answer: httpx2.Response) -> str:
    return answer.request.url.path.rpartition("/")[2]


def _excused(mode: str, document: Json, is_status: bool, fault: str) -> bool:
    """Return whether the specification contradicts the fault, or the fault is in the Broker's own data."""
    if _NOT_ASKED_FOR.match(fault):
        return True
    # A dataset site shows the names of Sellers unchanged.
    if mode == "DatasetSite" and _WITH_HTML.match(fault):
        return True
    # There is no mode for the status of a quote or a proposal; a status has no positions.
    if is_status and _MISSING_POSITION.match(fault):
        return True
    if _is_dynamic(mode, document) and _MISSING_PRICE.match(fault):
        return True
    # An item with an error is shown as it was requested.
    item = _OF_ITEM.match(fault)
    return bool(item and "error" in document["orderedItem"][int(item[1])])


def _is_dynamic(mode: str, document: Json) -> bool:
    """Return whether the Order has a DynamicPayment and therefore no price (OB-DYN-02); feeds do not show payments."""
    if mode == "OrdersFeed":
        return "totalPaymentDue" not in document and not any("acceptedOffer" in i for i in document["orderedItem"])
    return bool(document.get("payment", {}).get("@type") == "DynamicPayment")
