"""Errors of requests without an endpoint, and of faults of this Booking System (OB 11.4)."""

from typing import Any

import httpx2
import pytest

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.builders import UUID
from support.http_system import World

pytestmark = pytest.mark.anyio

C1, C2, B = f"order-quote-templates/{UUID}", f"order-quotes/{UUID}", f"orders/{UUID}"


def verdict(response: httpx2.Response) -> tuple[int, str]:
    """Return the status of a reply and its error class."""
    return response.status_code, response.json()["@type"]


@pytest.mark.spec("E-43")
@pytest.mark.spec("OB-ID-03", "OB-ID-07", "OB-ID-16", "OB-ERR-09")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("GET", "/api"),
        ("GET", "/api/"),
        ("PUT", "/api/orders"),
        ("PUT", "/api/orders/"),
        ("PUT", "/api/orders/not-a-uuid"),
        ("PUT", f"/api/orders/{UUID}x"),
        ("PUT", f"/api/orders/{UUID}/"),
        ("GET", f"/api/orders/{UUID}%0A"),
        ("GET", f"/api/orders/{UUID}%0a%0a"),
        ("GET", "/api/orders-rpde%0A"),
        ("GET", "/feeds/session-series%0a"),
        ("PUT", f"/api/orders/{UUID.replace('-', '')}"),
        ("PUT", f"/api/order-proposal/{UUID}"),
        ("DELETE", "/api/orders/%00"),
        ("GET", "/api/orders/..%2f..%2fetc"),
        ("POST", "/api/test-interface/actions"),
    ],
)
async def test_an_unknown_path_is_refused(sqlite_world: World, method: str, path: str) -> None:
    reply = await sqlite_world.client.request(method, path)
    assert verdict(reply) == (404, "UnknownOrIncorrectEndpointError")
    assert reply.headers["content-type"] == BOOKING_MEDIA_TYPE


@pytest.mark.spec("E-45")
@pytest.mark.spec("OB-ID-17")
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", B), ("GET", C1), ("PATCH", C2), ("POST", "orders-rpde"), ("DELETE", C1), ("OPTIONS", B)],
)
async def test_an_unknown_method_is_refused(sqlite_world: World, method: str, path: str) -> None:
    reply = await sqlite_world.client.request(method, f"/api/{path}")
    assert verdict(reply) == (405, "MethodNotAllowedError")
    assert reply.headers["allow"]


@pytest.mark.spec("E-51")
@pytest.mark.spec("OB-ERR-06", "OB-VAL-48")
async def test_an_internal_error_does_not_show_its_cause(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(command: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(sqlite_world.store, "execute", broken)
    reply = await sqlite_world.call("DELETE", B)
    assert verdict(reply) == (500, "InternalApplicationError")
    assert "secret" not in reply.text
    assert "Traceback" not in reply.text
