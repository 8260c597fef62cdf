"""A request of a Broker with its answer (`Exchange`)."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from openbooking.sandbox.exchanges.operations import Operation

_RETRY_AFTER = "retry-after"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a Broker with its answer.

    Attributes:
        number: The number of the exchange since the start or the last reset, from 1.
        at: The time of the request on the clock of the sandbox.
        began: The real seconds since an arbitrary moment at which the request came.
        seconds: How long the answer took.
        broker: The key of the Booking Partner; empty if the request has no API key that the sandbox knows.
        operation: What the request asks for.
        uuid: The Order UUID in the path; empty if there is none.
        method: The HTTP method.
        path: The path with the query.
        headers: The headers of the request, by name in lower case, without the API key.
        body: The body of the request; cut if it is very long.
        status: The HTTP status of the answer of the Booking System, which a fault may have kept from the Broker.
        answer_headers: The headers of the answer.
        answer: The body of the answer; cut if it is very long.
        fault: The fault that was played; empty for none.
        arrived: Whether the whole answer was sent.
    """

    number: int
    at: datetime
    began: float
    operation: Operation
    method: str
    path: str
    status: int
    seconds: float = 0
    broker: str = ""
    uuid: str = ""
    headers: Mapping[str, str] = {}
    body: str = ""
    answer_headers: Mapping[str, str] = {}
    answer: str = ""
    fault: str = ""
    arrived: bool = True

    @property
    def succeeded(self) -> bool:
        """Whether the Booking System did what the request asks for, even if its answer was lost."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def may_be_repeated(self) -> bool:
        """Whether the Broker learned nothing, so that it repeats the same request (OB-BRK-03)."""
        return not self.arrived or self.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)

    @property
    def retry_after(self) -> float:
        """The seconds that the answer asks the Broker to wait; 0 if it names none, or did not arrive."""
        value = self.answer_headers.get(_RETRY_AFTER, "")
        return float(value) if self.arrived and value.isdecimal() else 0

    @property
    def local_path(self) -> str:
        """The path without the query."""
        return urlsplit(self.path).path

    def asked(self) -> Any:
        """Return the JSON of the request; None if its body is none."""
        return _json(self.body)

    def answered(self) -> Any:
        """Return the JSON of the answer; None if its body is none."""
        return _json(self.answer)

    def feed_items(self) -> list[Mapping[str, Any]]:
        """Return the items of a feed page; none if the answer is no feed page."""
        page = self.answered()
        items = page.get("items") if isinstance(page, dict) else None
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

    def errors(self) -> Iterator[str]:
        """Yield the classes of the errors in the answer, first that of the request, then those of its OrderItems."""
        told = self.answered() if self.status >= HTTPStatus.BAD_REQUEST else None
        if not isinstance(told, dict):
            return
        if str(told.get("@type", "")).endswith("Error"):
            yield str(told["@type"])
        items = told.get("orderedItem")
        for item in items if isinstance(items, list) else []:
            found = item.get("error", ()) if isinstance(item, dict) else ()
            yield from (str(error.get("@type")) for error in found if isinstance(error, dict))

    def ordered(self) -> frozenset[tuple[str, str]]:
        """Return the Opportunities with their Offers that the request is about."""
        asked = self.asked()
        items = asked.get("orderedItem") if isinstance(asked, dict) else None
        pairs = items if isinstance(items, list) else []
        return frozenset(
            (_id(item.get("orderedItem")), _id(item.get("acceptedOffer"))) for item in pairs if isinstance(item, dict)
        )


def _id(reference: Any) -> str:
    return str(reference.get("@id", "")) if isinstance(reference, dict) else str(reference or "")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
