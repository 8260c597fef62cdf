"""Requests that the booking endpoints refuse: each gets its error class and status, and changes nothing."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from openbooking.booking.store import StoreUnavailableError
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.builders import UUID, new_uuid
from support.http_system import PILATES, YOGA, World, open_world
from support.parties import CUSTOMER
from support.validators import Validator

pytestmark = pytest.mark.anyio

C1, C2, P, B = f"order-quote-templates/{UUID}", f"order-quotes/{UUID}", f"order-proposals/{UUID}", f"orders/{UUID}"


def verdict(response: httpx2.Response) -> tuple[int, str]:
    """Return the status and the `@type` of a reply."""
    return response.status_code, response.json()["@type"]


async def nothing_has_changed(world: World) -> bool:
    """Return whether no space is taken and the Order does not exist."""
    feed = await world.read_feed("/feeds/scheduled-sessions")
    status = await world.call("GET", B)
    return feed["yoga"]["data"]["remainingAttendeeCapacity"] == 10 and status.status_code == 404


MALFORMED = {
    "empty": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "a string": b'"x"',
    "not UTF-8": b'{"@type": "\xff"}',
    "lone surrogate": b'{"@type": "\\ud800"}',
    "NUL": b'{"@type": "OrderQuote", "x": "\\u0000"}',
    "NUL in a name": b'{"@type": "OrderQuote", "\\u0000": 1}',
    "not a number": b'{"@type": NaN}',
    "deep": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
}


@pytest.mark.spec("E-01")
@pytest.mark.spec("OB-VAL-48", "OB-ERR-01", "OB-ERR-02", "OB-ERR-03", "OB-ERR-04", "OB-ERR-05", "OB-MT-06")
@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize(("method", "path"), [("PUT", C1), ("PUT", C2), ("PUT", B), ("PATCH", B)])
async def test_a_body_that_is_no_json_object_is_refused(
    sqlite_world: World, validator: Validator, what: str, method: str, path: str
) -> None:
    reply = await sqlite_world.call(method, path, MALFORMED[what])
    assert verdict(reply) == (400, "OpenBookingError")
    assert reply.headers["content-type"] == BOOKING_MEDIA_TYPE
    assert reply.json()["statusCode"] == 400
    assert reply.json()["requestId"] == reply.headers["x-request-id"]
    assert validator.failures("OpenBookingError", reply.json()) == []
    assert await nothing_has_changed(sqlite_world)


@pytest.mark.spec("OB-VAL-01", "OB-CAN-15")
@pytest.mark.parametrize(
    ("method", "path", "type_"),
    [
        ("PUT", C1, "Order"),
        ("PUT", C2, "OrderProposal"),
        ("PUT", B, "OrderQuote"),
        ("PATCH", B, "OrderQuote"),
        ("PUT", B, None),
    ],
)
async def test_a_body_of_another_type_is_refused(
    sqlite_world: World, method: str, path: str, type_: str | None
) -> None:
    body = sqlite_world.order(sqlite_world.item(YOGA)) | {"@type": type_}
    assert verdict(await sqlite_world.call(method, path, body)) == (500, "UnexpectedOrderTypeError")


HUGE = 10**400
ITEM_FAULTS: dict[str, Any] = {
    "no items": [],
    "items no array": {},
    "item no object": ["x"],
    "no position": [{"@type": "OrderItem"}],
    "negative position": [{"position": -1}],
    "huge position": [{"position": HUGE}],
    "position no integer": [{"position": 1.5}],
    "position a truth": [{"position": True}],
    "same position twice": [{"position": 1}, {"position": 1}],
}


@pytest.mark.spec("OB-APP-29", "OB-MT-09")
async def test_a_proposal_version_that_is_null_counts_as_absent(sqlite_world: World) -> None:
    body = sqlite_world.order(sqlite_world.item(YOGA))
    assert verdict(await sqlite_world.call("PUT", B, {**body, "orderProposalVersion": None})) == (201, "Order")


@pytest.mark.spec("OB-B-06", "OB-VAL-40")
@pytest.mark.parametrize("currency", ["USD", "gbp", 826, ["GBP"], None])
async def test_a_total_in_another_currency_is_refused(sqlite_world: World, currency: Any) -> None:
    body = sqlite_world.order(sqlite_world.item(YOGA))
    body["totalPaymentDue"]["priceCurrency"] = currency
    assert verdict(await sqlite_world.call("PUT", B, body)) == (400, "TotalPaymentDueMismatchError")
    assert await nothing_has_changed(sqlite_world)


@pytest.mark.spec("OB-VAL-48")
@pytest.mark.parametrize("what", ITEM_FAULTS)
async def test_invalid_order_items_are_refused(sqlite_world: World, what: str) -> None:
    body = sqlite_world.quote() | {"orderedItem": ITEM_FAULTS[what]}
    assert verdict(await sqlite_world.call("PUT", C1, body)) == (400, "OpenBookingError")


@pytest.mark.spec("OB-VAL-02", "OB-VAL-05")
async def test_invalid_sellers_and_roles_are_refused(sqlite_world: World) -> None:
    item = sqlite_world.item(YOGA)
    for changes, expected in (
        ({"seller": None}, (500, "SellerNotFoundError")),
        ({"seller": "https://elsewhere.example.com/1"}, (500, "SellerNotFoundError")),
        ({"seller": {"@type": "Organization"}}, (500, "SellerNotFoundError")),
        ({"seller": sqlite_world.ids.seller("nobody")}, (500, "SellerNotFoundError")),
        ({"seller": sqlite_world.ids.seller("studio")}, (500, "SellerMismatchError")),
        ({"brokerRole": None}, (400, "IncompleteBrokerDetailsError")),
        ({"brokerRole": ["https://openactive.io/AgentBroker"]}, (400, "IncompleteBrokerDetailsError")),
        ({"broker": "Acme"}, (400, "IncompleteBrokerDetailsError")),
    ):
        body = {**sqlite_world.quote(item), **changes}
        assert verdict(await sqlite_world.call("PUT", C1, body)) == expected, changes
    customer = await sqlite_world.call("PUT", C2, sqlite_world.quote(item, customer="Geoff"))
    assert verdict(customer) == (400, "IncompleteCustomerDetailsError")


@pytest.mark.spec("OB-B-06")
@pytest.mark.parametrize(
    "price",
    [
        *(
            None,
            True,
            [12],
            {"price": 12},
            1e300,
            -12,
            "",
            "x",
            "NaN",
            "Infinity",
            HUGE,
            f"1{HUGE}",
            "-1e99999999999999",
        ),
        *(
            "12.001",
            "12.0000000000000000000000001",
            "1.2e1",
            "12,00",
            "12_",
            "1_2",
            "+12",
            " 12",
            "12\n",
            "12.",
            "\u0661\u0662",
        ),
    ],
)
async def test_a_wrong_total_is_refused(sqlite_world: World, price: Any) -> None:
    body = sqlite_world.order(sqlite_world.item(YOGA))
    body["totalPaymentDue"]["price"] = price
    assert verdict(await sqlite_world.call("PUT", B, body)) == (400, "TotalPaymentDueMismatchError")
    assert await nothing_has_changed(sqlite_world)


@pytest.mark.spec("OB-VAL-48")
async def test_requests_that_are_too_large_are_refused(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, max_body_bytes=300_000, max_order_items=100) as world:
        items = [world.item(YOGA, position) for position in range(101)]
        many = await world.call("PUT", C1, world.quote(*items))
        assert verdict(many) == (413, "OpenBookingError")
        two_thousand = await world.call("PUT", C1, world.quote(*(items * 20)[:2000]))
        assert verdict(two_thousand) == (413, "OpenBookingError")
        large = await world.call("PUT", B, world.order(world.item(YOGA)) | {"acme:x": "x" * 400_000})
        assert verdict(large) == (413, "OpenBookingError")

        async def chunks() -> Any:
            for _ in range(100):
                yield b" " * 10_000

        headers = {"Authorization": "Bearer obk_alice"}
        streamed = await world.client.put(f"/api/{B}", content=chunks(), headers=headers)
        assert verdict(streamed) == (413, "OpenBookingError")
        assert await nothing_has_changed(world)


ENDPOINTS = [("PUT", C1), ("PUT", C2), ("DELETE", C2), ("PUT", B), ("PATCH", B), ("DELETE", B), ("GET", B)]
FEEDS = [("GET", "orders-rpde"), ("GET", "order-proposals-rpde")]


@pytest.mark.spec("E-35", "E-36")
@pytest.mark.spec("OB-AUTH-01", "OB-AUTH-12", "OB-AUTH-13", "OB-AUTH-19")
@pytest.mark.parametrize(("method", "path"), ENDPOINTS + FEEDS)
async def test_every_endpoint_requires_a_valid_key(sqlite_world: World, method: str, path: str) -> None:
    without = await sqlite_world.client.request(method, f"/api/{path}")
    assert verdict(without) == (403, "NoAPITokenError")
    for credentials in ("Bearer obk_nobody", "Bearer x", "Bearer", "", "Basic YTpi", "Bearer obk_" + "x" * 5000):
        reply = await sqlite_world.client.request(method, f"/api/{path}", headers={"Authorization": credentials})
        assert verdict(reply) == (401, "InvalidAPITokenError"), credentials


@pytest.mark.spec("E-37", "OB-BKBL-39")
@pytest.mark.spec("OB-AUTH-05", "OB-AUTH-14")
async def test_a_partner_books_only_for_sellers_that_authorised_it(sqlite_world: World) -> None:
    item = sqlite_world.item(YOGA)
    for path, body in (
        (C1, sqlite_world.quote(item)),
        (C2, sqlite_world.quote(item, customer=CUSTOMER)),
        (B, sqlite_world.order(item)),
    ):
        refused = await sqlite_world.call("PUT", path, body, "charlie")
        assert verdict(refused) == (401, "InvalidAuthorizationDetailsError")
    allowed = await sqlite_world.call(
        "PUT", C1, sqlite_world.quote(sqlite_world.item(PILATES), seller="studio"), "charlie"
    )
    assert allowed.status_code == 200


def patch(*items: Any, **changes: Any) -> dict[str, Any]:
    """Return the body of a cancellation of these items."""
    return {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": list(items), **changes}


STATUS = "https://openactive.io/CustomerCancelled"


@pytest.mark.spec("E-18", "E-19", "E-46", "E-47")
@pytest.mark.spec("OB-CAN-10", "OB-CAN-11", "OB-CAN-12", "OB-CAN-13", "OB-CAN-14", "OB-CAN-21")
async def test_invalid_cancellations_are_refused(sqlite_world: World) -> None:
    world = sqlite_world
    booked = (await world.call("PUT", B, world.order(world.item(YOGA)))).json()
    other = f"orders/{new_uuid()}"
    foreign = (await world.call("PUT", other, world.order(world.item(YOGA)))).json()
    (item_id,), (foreign_id,) = ([item["@id"] for item in order["orderedItem"]] for order in (booked, foreign))
    good = {"@type": "OrderItem", "@id": item_id, "orderItemStatus": STATUS}
    for body, expected in (
        (patch(good, customer=CUSTOMER), (400, "PatchContainsExcessivePropertiesError")),
        (patch(good, **{"@id": "x"}), (400, "PatchContainsExcessivePropertiesError")),
        (patch(good | {"price": 0}), (400, "PatchContainsExcessivePropertiesError")),
        (
            patch(good | {"orderItemStatus": "https://openactive.io/SellerCancelled"}),
            (400, "PatchNotAllowedOnPropertyError"),
        ),
        (patch({"@id": item_id}), (400, "PatchNotAllowedOnPropertyError")),
        (patch(), (400, "OpenBookingError")),
        (patch(good | {"@id": "x"}), (500, "OrderItemIdInvalidError")),
        (patch({"orderItemStatus": STATUS}), (500, "OrderItemIdInvalidError")),
        (patch(good | {"@id": item_id + "9"}), (500, "OrderItemIdInvalidError")),
        (patch(good | {"@id": foreign_id}), (500, "OrderItemNotWithinOrderError")),
        (patch(good, good | {"@id": foreign_id}), (500, "OrderItemNotWithinOrderError")),
    ):
        assert verdict(await world.call("PATCH", B, body)) == expected, body
    unknown = await world.call("PATCH", f"orders/{new_uuid()}", patch(good))
    assert verdict(unknown) == (500, "OrderItemNotWithinOrderError")
    status = (await world.call("GET", B)).json()
    assert status["orderedItem"][0]["orderItemStatus"].endswith("OrderItemConfirmed")
    extended = await world.call("PATCH", B, patch(good | {"acme:reason": "ill"}, **{"acme:x": 1}))
    assert extended.status_code == 204


class Unavailable:
    """A store whose database is unavailable."""

    async def execute(self, command: Any) -> Any:
        raise StoreUnavailableError("the disk is full")


@pytest.mark.spec("E-38", "E-39", "E-40", "E-41")
@pytest.mark.spec("OB-C1-15", "OB-B-21", "OB-CAN-20", "OB-DEL-10", "OB-ERR-10")
@pytest.mark.parametrize("api_path", ["/api", "/", "/orders"])
async def test_an_unavailable_database_is_a_temporary_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api_path: str
) -> None:
    async with open_world("sqlite", tmp_path, api_path=api_path) as world:
        body = world.quote(world.item(YOGA), customer=CUSTOMER)
        proposal = world.order(world.item(YOGA)) | {"@type": "OrderProposal"}
        item = {"@id": f"{world.ids.base_uri}/{B}#/orderedItem/1", "orderItemStatus": STATUS}
        amended = {"@type": "OrderProposal", "orderProposalStatus": "https://openactive.io/CustomerRejected"}
        monkeypatch.setattr(world.store, "execute", Unavailable().execute)
        for method, path, sent, expected in (
            ("PUT", C1, body, "TemporarilyUnableToProduceOrderQuoteError"),
            ("PUT", C2, body, "TemporarilyUnableToProduceOrderQuoteError"),
            ("PUT", P, proposal, "TemporarilyUnableToCreateOrderError"),
            ("PATCH", P, amended, "TemporarilyUnableToUpdateOrderError"),
            ("PUT", B, world.order(world.item(YOGA)), "TemporarilyUnableToCreateOrderError"),
            ("PATCH", B, patch(item), "TemporarilyUnableToUpdateOrderError"),
            ("DELETE", B, None, "TemporarilyUnableToDeleteOrderError"),
            ("DELETE", C2, None, "TemporarilyUnableToDeleteOrderError"),
            ("GET", B, None, "OpenBookingError"),  # the specification has no class for it
        ):
            headers = {"Authorization": "Bearer obk_alice", "Content-Type": BOOKING_MEDIA_TYPE}
            reply = await world.client.request(method, f"{world.ids.base_uri}/{path}", json=sent, headers=headers)
            assert (*verdict(reply), reply.headers.get("retry-after")) == (503, expected, "5")
