"""The other Booking System as an ASGI application."""

import json
import threading
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, NamedTuple
from uuid import uuid4

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from support.other_system.access import Access, provider_document
from support.other_system.bookings import Bookings
from support.other_system.dataset_site import dataset_site
from support.other_system.differences import Differences
from support.other_system.faults import Faults, Request, Script
from support.other_system.feeds import OPEN_FEEDS, ORDERS, PROPOSALS
from support.other_system.refusals import RefusalError
from support.other_system.spelling import encode, spell

# The path of the Base URI, which has a slash at its end.
BASE = "/rest/v1/booking/"

_OPERATIONS = {
    ("PUT", "order-quote-templates"): "C1",
    ("PUT", "order-quotes"): "C2",
    ("DELETE", "order-quotes"): "delete quote",
    ("PUT", "order-proposals"): "P",
    ("PATCH", "order-proposals"): "update proposal",
    ("PUT", "orders"): "B",
    ("PATCH", "orders"): "cancel",
    ("DELETE", "orders"): "delete order",
    ("GET", "orders"): "status",
}
_COLLECTIONS = {collection for _, collection in _OPERATIONS}
_BOOKING, _RPDE = (f"application/vnd.openactive.{name}+json; version=1" for name in ("booking", "rpde"))
_HTML = b"<html><head><title>Sorry</title></head><body><h1>nginx</h1></body></html>"
_LIMITED, _OUTAGES = 429, (502, 503, 504)


class Asked(NamedTuple):
    """A request: its operation, the last segment of its path, its URL, and what it sent."""

    operation: str
    name: str
    url: str
    headers: dict[str, str]
    body: bytes


class Application:
    """The ASGI application.

    Attributes:
        requests: The requests so far.
        faults: The faults of the next requests.
        lock: Held while a request or the Seller reads or changes the bookings.
    """

    def __init__(self, site: str, bookings: Bookings, drop: Callable[[Any], None]) -> None:
        self._site, self._bookings, self._drop = site, bookings, drop
        self.access = Access()
        self.requests: list[Request] = []
        self.faults = Faults()
        self.lock = threading.RLock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or fail as the script says."""
        http = HttpRequest(scope, receive)
        body = await http.body()
        operation, name = _operation(http.method, scope["path"])
        query = f"?{http.url.query}" if http.url.query else ""
        asked = Asked(operation, name, f"{self._site}{scope['path']}{query}", dict(http.headers), body)
        script = self.faults.take(operation)
        fault = script and script.fault
        if fault == "silence":
            self.requests.append(Request(operation, name, None))
            await _wait_for_disconnect(receive)
            return
        response = self._answer(asked, script)
        self.requests.append(Request(operation, name, None if isinstance(fault, str) else response.status_code))
        if not isinstance(fault, str):
            await response(scope, receive, send)
            return
        if fault == "cut":
            await _send_half(response, send)
        self._drop(scope["client"])
        await _wait_for_disconnect(receive)

    def _answer(self, asked: Asked, script: Script | None) -> Response:
        differences = self._bookings.differences
        media_type = _BOOKING + ("; charset=utf-8" if differences.charset else "")
        try:
            with self.lock:
                if script and isinstance(script.fault, int):
                    return _outage(script, media_type)
                response = self._public(asked, differences) or self._private(asked, differences, media_type)
        except RefusalError as refusal:
            content = b""
            if differences.errors != "empty":
                content = encode(spell(refusal.document(full=differences.errors == "full"), differences), differences)
            response = Response(content, refusal.status, media_type=media_type if content else None)
        if differences.request_id_header:
            response.headers["X-Request-Id"] = str(uuid4())
        return response

    def _public(self, asked: Asked, differences: Differences) -> Response | None:
        """Answer a request that needs no credentials."""
        if asked.operation == "dataset site":
            return Response(dataset_site(self._site, f"{self._site}{BASE}", differences), media_type="text/html")
        if asked.operation == "open feed":
            page = self._bookings.feeds.page(asked.name, asked.url, differences)
            age = 3600 if page["items"] else 5
            return _json(page, differences, _RPDE, headers={"Cache-Control": f"public, max-age={age}"})
        if asked.operation == "discovery" and differences.access != "api key":
            return _json(provider_document(f"{self._site}/identity"), differences, "application/json")
        if asked.operation == "token" and differences.access != "api key":
            status, document = self.access.issue(asked.headers, asked.body, differences)
            return _json(document, differences, "application/json", status, {"Cache-Control": "no-store"})
        return None

    def _private(self, asked: Asked, differences: Differences, media_type: str) -> Response:
        """Answer a request of the booking API."""
        if asked.operation == "method":
            raise RefusalError("MethodNotAllowedError")
        if asked.operation in ("", "discovery", "token"):
            raise RefusalError("UnknownOrIncorrectEndpointError")
        self.access.check(asked.headers, differences)
        if asked.operation == "orders feed":
            if asked.name == PROPOSALS and differences.proposals_feed == "shared":
                raise RefusalError("UnknownOrIncorrectEndpointError")
            page = self._bookings.feeds.page(asked.name, asked.url, differences)
            return _json(page, differences, media_type, headers={"Cache-Control": "private, no-cache"})
        status, document = self._decide(asked)
        if document is None:
            return Response(status_code=status)
        # The `Location` is relative to the request, as RFC 9110 allows.
        headers = {"Location": asked.url.removeprefix(self._site)} if status == 201 else {}
        return _json(spell(document, differences), differences, media_type, status, headers)

    def _decide(self, asked: Asked) -> tuple[int, dict[str, Any] | None]:
        bookings, uuid = self._bookings, asked.name
        if asked.operation == "delete quote":
            return 204, None
        if asked.operation in ("delete order", "status"):
            return bookings.delete(uuid) if asked.operation == "delete order" else bookings.status(uuid)
        sent = json.loads(asked.body)
        if asked.operation in ("C1", "C2"):
            return bookings.quote(uuid, sent, checks_details=asked.operation == "C2")
        decide = {
            "P": bookings.propose,
            "B": bookings.book,
            "cancel": bookings.cancel,
            "update proposal": bookings.update_proposal,
        }
        return decide[asked.operation](uuid, sent)


def _operation(method: str, path: str) -> tuple[str, str]:
    """Return the operation and the last segment of the path. Unknown paths have the operation ""."""
    name = path.rpartition("/")[2]
    public = {
        "/openactive": "dataset site",
        "/identity/.well-known/openid-configuration": "discovery",
        "/identity/connect/token": "token",
        **{f"/feeds/{feed}": "open feed" for feed in OPEN_FEEDS},
        **{f"{BASE}{feed}": "orders feed" for feed in (ORDERS, PROPOSALS)},
    }
    if path in public:
        return public[path], name
    collection, slash, _ = path.removeprefix(BASE).partition("/")
    if (
        not path.startswith(BASE)
        or not slash
        or collection not in _COLLECTIONS
        or path.count("/") != BASE.count("/") + 1
    ):
        return "", name
    return _OPERATIONS.get((method, collection), "method"), name


def _json(
    document: Any, differences: Differences, media_type: str, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(encode(document, differences), status, headers, media_type)


def _outage(script: Script, media_type: str) -> Response:
    """Return a failure with its error, or as a proxy makes it: HTML from a gateway, and otherwise no body."""
    status, headers = int(script.fault), {}
    if status in (_LIMITED, 503):
        # Both forms of RFC 9110, section 10.2.3: a number of seconds, and a date.
        headers["Retry-After"] = "0" if status == _LIMITED else formatdate(usegmt=True)
    if script.error:
        error = {"@context": "https://openactive.io/", "@type": script.error}
        return Response(json.dumps(error), status, headers, media_type)
    body = _HTML if status in _OUTAGES else b""
    return Response(body, status, headers, "text/html" if body else None)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_half(response: Response, send: Send) -> None:
    """Send the head of a response and half of its body."""
    body = bytes(response.body)
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
