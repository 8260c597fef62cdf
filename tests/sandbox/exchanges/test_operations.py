"""The operation of a request is found by its method and path."""

import pytest

from openbooking.sandbox.exchanges.operations import Operation, OperationFinder
from openbooking.settings import Settings

UUID = "e11429ea-467f-4270-ab62-e47368996fe8"


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("PUT", f"/api/order-quote-templates/{UUID}", "C1"),
        ("PUT", f"/api/order-quotes/{UUID.upper()}", "C2"),
        ("PUT", f"/api/order-proposals/{UUID}", "P"),
        ("PUT", f"/api/orders/{UUID}", "B"),
        ("PATCH", f"/api/orders/{UUID}", "cancel"),
        ("PATCH", f"/api/order-proposals/{UUID}", "update-proposal"),
        ("DELETE", f"/api/orders/{UUID}", "delete-order"),
        ("DELETE", f"/api/order-quotes/{UUID}", "delete-quote"),
        ("GET", f"/api/orders/{UUID}", "status"),
        ("GET", "/api/orders-rpde", "orders-feed"),
        ("GET", "/api/order-proposals-rpde", "proposals-feed"),
        ("GET", "/feeds/slots", "open-feed"),
        ("GET", "/openactive", "dataset-site"),
        ("POST", f"/api/orders/{UUID}", "other"),
        ("GET", "/api/bookings", "other"),
        ("HEAD", "/feeds/slots", "other"),
    ],
)
@pytest.mark.parametrize("site", ["", "https://example.org/booking"])
def test_a_request_of_a_broker_has_an_operation(method: str, path: str, operation: str, site: str) -> None:
    finder = OperationFinder(Settings(site_url=site))
    asked = finder.find(method, path if not site else f"/booking{path}")
    assert asked
    assert asked.operation is Operation(operation)
    assert asked.uuid == (UUID if UUID in path.lower() else "")


@pytest.mark.parametrize("path", ["/", "/console", "/sandbox", "/pages.css", "/sign-in"])
def test_a_page_of_people_has_no_operation(path: str) -> None:
    assert OperationFinder(Settings()).find("GET", path) is None
