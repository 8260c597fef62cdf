"""Invalid requests get the error class and status of the specification, and change nothing."""

from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from openbooking.booking.commands.expire_leases import ExpireLeases
from openbooking.booking.store import StoreUnavailableError
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.web.api.feed_pages import names_gzip
from openbooking.web.request import is_acceptable
from support.builders import UUID, new_uuid
from support.http_system import PILATES, YOGA, World, open_world
from support.parties import CUSTOMER
from support.validators import Validator

pytestmark = pytest.mark.anyio

C1, C2, P, B = f"order-quote-templates/{UUID}", f"order-quotes/{UUID}", f"order-proposals/{UUID}", f"orders/{UUID}"


def verdict(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["@type"]


async def nothing_has_changed(world: World) -> bool:
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
async def test_a_wrong_type_is_refused(sqlite_world: World, method: str, path: str, type_: str | None) -> None:
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
async def test_a_missing_proposal_version_is_refused(sqlite_world: World) -> None:
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


@pytest.mark.spec("OB-MT-01", "OB-MT-03")
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (BOOKING_MEDIA_TYPE, 200),
        ("application/vnd.openactive.booking+json", 200),
        ('application/vnd.openactive.booking+json;version="1"', 200),
        ("application/vnd.openactive.booking+json; version=1.0; charset=utf-8", 200),
        ("application/json", 200),
        ("application/vnd.openactive.booking+json; version=2", 415),
        ("application/x-www-form-urlencoded", 415),
        ("text/html", 415),
        ("", 415),
    ],
)
async def test_media_types_of_requests_are_checked(sqlite_world: World, content_type: str, status: int) -> None:
    body = sqlite_world.quote(sqlite_world.item(YOGA))
    reply = await sqlite_world.call("PUT", C1, body, **{"Content-Type": content_type})
    assert reply.status_code == status


@pytest.mark.parametrize(
    ("encoding", "status"), [("gzip", 415), ("br, gzip", 415), ("identity", 200), ("Identity", 200)]
)
async def test_compressed_bodies_are_refused(sqlite_world: World, encoding: str, status: int) -> None:
    body = sqlite_world.quote(sqlite_world.item(YOGA))
    reply = await sqlite_world.call("PUT", C1, body, **{"Content-Encoding": encoding})
    assert reply.status_code == status


@pytest.mark.spec("OB-MT-02")
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (BOOKING_MEDIA_TYPE, 200),
        ("application/json", 200),
        ("*/*", 200),
        ("text/html, application/*;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0, text/html", 406),
        ("*/*; q=0.000", 406),
        ("*/*; q=0.001", 200),
        ("application/vnd.openactive.booking+json; version=2", 406),
    ],
)
async def test_media_types_of_replies_are_negotiated(sqlite_world: World, accept: str, status: int) -> None:
    reply = await sqlite_world.call("PUT", C1, sqlite_world.quote(sqlite_world.item(YOGA)), Accept=accept)
    assert reply.status_code == status
    assert reply.headers["content-type"] == BOOKING_MEDIA_TYPE


async def test_long_headers_are_understood_and_not_cached(sqlite_world: World) -> None:
    accept = f"{BOOKING_MEDIA_TYPE}; x={'y' * 50_000}"
    body = sqlite_world.quote(sqlite_world.item(YOGA))
    kept = is_acceptable.cached_values
    for number in range(3):
        reply = await sqlite_world.call("PUT", C1, body, Accept=f"{accept}{number}")
        assert reply.status_code == 200
        assert (await sqlite_world.call("PUT", C1, body, Accept=f"x{accept}{number}")).status_code == 406
    assert is_acceptable.cached_values <= kept + 1  # that of the requests' own type
    kept = names_gzip.cached_values
    for number in range(3):
        reply = await sqlite_world.client.get(
            "/feeds/slots", headers={"Accept-Encoding": f"x{'y' * 50_000}{number}, gzip"}
        )
        assert reply.headers["content-encoding"] == "gzip"
    assert names_gzip.cached_values == kept


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
        ("GET", "/partners/%00/revoke"),
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


ENDPOINTS = [("PUT", C1), ("PUT", C2), ("DELETE", C2), ("PUT", B), ("PATCH", B), ("DELETE", B), ("GET", B)]
FEEDS = [("GET", "orders-rpde"), ("GET", "order-proposals-rpde")]


@pytest.mark.spec("E-35", "E-36")
@pytest.mark.spec("OB-AUTH-01", "OB-AUTH-12", "OB-AUTH-13", "OB-AUTH-19")
@pytest.mark.parametrize(("method", "path"), ENDPOINTS + FEEDS)
async def test_every_endpoint_wants_a_valid_key(sqlite_world: World, method: str, path: str) -> None:
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


@pytest.mark.spec("OB-LEASE-20")
async def test_upkeep_that_fails_is_tried_again_every_minute(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[datetime] = []

    async def retained_since_it(before: datetime) -> None:
        tried.append(before)
        raise StoreUnavailableError("Others are reading.")

    monkeypatch.setattr(sqlite_world.store, "forget_deleted", retained_since_it)
    while not tried:
        sqlite_world.pass_time(hours=1)
        await anyio.sleep(0.2)
    for _ in range(3):
        times = len(tried)
        sqlite_world.pass_time(minutes=1)
        while len(tried) == times:
            await anyio.sleep(0.01)
    assert len(set(tried)) == len(tried)


async def test_leases_go_on_ending_after_a_fault(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await sqlite_world.call("PUT", C2, sqlite_world.quote(sqlite_world.item(YOGA), customer=CUSTOMER))
    execute, failed = sqlite_world.store.execute, anyio.Event()

    async def broken(command: Any) -> Any:
        if isinstance(command, ExpireLeases) and not failed.is_set():
            failed.set()
            raise ZeroDivisionError
        return await execute(command)

    monkeypatch.setattr(sqlite_world.store, "execute", broken)
    sqlite_world.pass_time(minutes=15)
    await failed.wait()
    for _ in range(200):
        if (await sqlite_world.read_feed("/feeds/scheduled-sessions"))["yoga"]["data"][
            "remainingAttendeeCapacity"
        ] == 10:
            break
        await anyio.sleep(0.05)
    else:
        pytest.fail("the sweeper has given up")
