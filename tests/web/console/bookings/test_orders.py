"""The search for Orders, and the page of one Order."""

from urllib.parse import urlencode

import pytest

from support.builders import UUID, new_uuid
from support.console import SignIn
from support.http_system import COURT, PILATES, YOGA, World
from support.parties import STUDIO

pytestmark = pytest.mark.anyio

ORDER = f"/console/orders/alice/{UUID}"
JANE = {"@type": "Person", "email": "jane@example.com", "givenName": "Jane", "familyName": "Smithson"}


@pytest.fixture(autouse=True)
async def booked(world: World) -> None:
    """Geoff has booked two spaces of yoga through Alice, and Jane a court through Bob."""
    body = world.order(world.item(YOGA), world.item(YOGA, 1), total=24)
    assert (await world.call("PUT", f"orders/{UUID}", body)).status_code == 201
    world.pass_time(minutes=1)
    court = world.order(world.item(COURT), customer=JANE)
    assert (await world.call("PUT", f"orders/{new_uuid()}", court, "bob")).status_code == 201


async def found(sign_in: SignIn, user: str = "ann", **fields: str) -> str:
    page = await (await sign_in(user)).open(f"/console/orders?{urlencode(fields)}")
    return page.text


async def test_the_latest_bookings_come_first(sign_in: SignIn) -> None:
    text = await found(sign_in)
    assert "Latest bookings" in text
    assert 0 < text.index("Jane Smithson") < text.index("Geoff")


@pytest.mark.parametrize(
    ("fields", "finds"),
    [
        ({"text": "smiths"}, "Jane"),
        ({"text": "JANE@example.com"}, "Jane"),
        ({"text": "+44 20 811 8055"}, "Geoff"),
        ({"text": UUID}, "Geoff"),
        ({"partner": "bob"}, "Jane"),
        ({"value_from": "20"}, "Geoff"),
        ({"value_to": "£20.00"}, "Jane"),
        ({"status": "cancelled"}, ""),
        ({"booked_from": "2027-03-02"}, ""),
        ({"session_from": "2027-03-03", "session_to": "2027-03-03", "text": "geoff"}, "Geoff"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else value,
)
async def test_a_search_finds_the_orders_to_which_all_fields_apply(
    sign_in: SignIn, fields: dict[str, str], finds: str
) -> None:
    text = await found(sign_in, **fields)
    assert {name for name in ("Jane Smithson", "Geoff 12", "Geoff") if name in text.partition("Bookings found")[2]} == (
        {"Jane Smithson"} if finds == "Jane" else {"Geoff"} if finds else set()
    )
    assert ("No booking matches the search." in text) is (finds == "")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"booked_from": "yesterday"}, "booked_from"),
        ({"session_to": "2027-13-01"}, "session_to"),
        ({"booked_from": "2027-03-02", "booked_to": "2027-03-01"}, "booked_to"),
        ({"value_from": "much"}, "value_from"),
        ({"value_to": "NaN"}, "value_to"),
        ({"value_to": "1e-9999999999"}, "value_to"),
        ({"status": "lost"}, "status"),
    ],
    ids=str,
)
async def test_a_wrong_field_is_named_and_what_was_typed_stays(
    sign_in: SignIn, fields: dict[str, str], wrong: str
) -> None:
    page = await (await sign_in("ann")).open(f"/console/orders?{urlencode({'text': 'geoff', **fields})}")
    assert page.status == 422
    assert wrong in page.summary
    assert page.fields["text"]["value"] == "geoff"
    assert "Bookings found" not in page.text


async def test_the_page_of_an_order_shows_items_payment_and_history(world: World, sign_in: SignIn) -> None:
    patch = {
        "@context": "https://openactive.io/",
        "@type": "Order",
        "orderedItem": [
            {
                "@type": "OrderItem",
                "@id": f"{world.ids.base_uri}/orders/{UUID}#/orderedItems/1",
                "orderItemStatus": "https://openactive.io/CustomerCancelled",
            }
        ],
    }
    order = (await world.call("GET", f"orders/{UUID}")).json()
    patch["orderedItem"][0]["@id"] = order["orderedItem"][0]["@id"]  # type: ignore[index]
    assert (await world.call("PATCH", f"orders/{UUID}", patch)).status_code == 204
    page = await (await sign_in("ann")).open(ORDER)
    for shown in ("Booking of Geoff", UUID, "geoff@example.com", "partly cancelled", "£12.00", "payment-1"):
        assert shown in page.text
    history = page.text.partition("History")[2]
    assert history.index("Booked") < history.index("Cancelled by the customer (item 1)")


async def test_staff_see_no_prices_and_no_payment(sign_in: SignIn) -> None:
    page = await (await sign_in("cat")).open(ORDER)
    assert "Booking of Geoff" in page.text
    assert "£" not in page.text
    assert "payment-1" not in page.text
    assert "£" not in await found(sign_in, "cat")


async def test_staff_cannot_search_by_value(sign_in: SignIn) -> None:
    text = await found(sign_in, "cat", value_from="20")
    assert "Geoff" in text
    assert "Jane Smithson" in text


async def test_an_order_of_another_seller_does_not_exist(world: World, sign_in: SignIn) -> None:
    uuid = new_uuid()
    body = world.order(world.item(PILATES), seller=STUDIO.key, total=14.4)
    assert (await world.call("PUT", f"orders/{uuid}", body)).status_code == 201
    ann = await sign_in("ann")
    for path in (f"/console/orders/alice/{uuid}", f"/console/orders/alice/{new_uuid()}", "/console/orders/x/y"):
        page = await ann.open(path)
        assert page.status == 404
        assert "Not found" in page.text
    assert uuid not in await found(sign_in, text=uuid)


async def test_a_deleted_order_shows_that_it_was_deleted(world: World, sign_in: SignIn) -> None:
    assert (await world.call("DELETE", f"orders/{UUID}")).status_code == 204
    page = await (await sign_in("ann")).open(ORDER)
    assert "deleted this booking on Monday 1 March 2027" in page.text
    assert "Geoff" not in page.text


async def test_a_cursor_of_another_list_is_not_found(sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open("/console/orders?after=nonsense")
    assert page.status == 404
