"""The check of responses against the OpenAPI document finds each kind of difference."""

from typing import Any

import httpx2
import pytest
from starlette.routing import Route

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.settings import Settings
from openbooking.web.app import describe_api
from support.openapi.contract import Contract

pytestmark = pytest.mark.anyio

GONE = {"@context": "https://openactive.io/", "@type": "GoneError", "statusCode": 410}
ID = {"X-Request-ID": "1"}
HEADERS = {**ID, "Content-Type": BOOKING_MEDIA_TYPE}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"status_code": 410, "json": GONE, "headers": HEADERS}, None),
        ({"status_code": 418, "json": GONE, "headers": HEADERS}, "status 418 is not in the document"),
        ({"status_code": 410, "json": GONE, "headers": ID}, "status 410 has the media type application/json"),
        ({"status_code": 410, "json": {**GONE, "statusCode": 404}, "headers": HEADERS}, "statusCode: 410 was expected"),
        ({"status_code": 410, "json": {**GONE, "@type": "OrderError"}, "headers": HEADERS}, "@type: "),
        ({"status_code": 410, "headers": HEADERS}, "status 410 has no body"),
        ({"status_code": 200, "json": {}, "headers": HEADERS}, "status 200 lacks Cache-Control"),
    ],
)
async def test_difference_is_found(reply: dict[str, Any], expected: str | None) -> None:
    contract = Contract(await describe_api(Settings()))
    route = Route("/api/orders/{uuid:order_uuid}", lambda _: None)
    answer = httpx2.Response(**reply, request=httpx2.Request("GET", "http://127.0.0.1:8000/api/orders/x"))
    found = [*contract.faults(route, answer), ""][0]
    assert expected in found if expected else found == "", found
