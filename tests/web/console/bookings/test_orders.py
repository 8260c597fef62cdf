"""The search for Orders, and the page of one Order."""

import json
import re
from urllib.parse import unquote

import pytest
import structlog

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.views import PAGE_ROWS
from support.browsers.form_browser import Page, Visitor
from support.builders import PRICE, UUID, book, item, new_uuid, request, session
from support.console import SignIn
from support.http_system import COURT, PILATES, SITE, YOGA, World
from support.parties import MANAGER, STUDIO

pytestmark = pytest.mark.anyio

ORDERS = "/console/orders"
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


async def searched(visitor: Visitor, **fields: str) -> Page:
    return await visitor.send(await visitor.open(ORDERS), ORDERS, **fields)


async def found(sign_in: SignIn, user: str = "ann", **fields: str) -> str:
    return (await searched(await sign_in(user), **fields)).text


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


@pytest.mark.parametrize(("fields", "is_open"), [({}, False), ({"text": "geoff"}, False), ({"partner": "bob"}, True)])
async def test_the_filters_are_unfolded_when_one_of_them_is_used(
    sign_in: SignIn, fields: dict[str, str], *, is_open: bool
) -> None:
    page = await searched(await sign_in("ann"), **fields)
    assert ("<details open>" in page.response.text) is is_open


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
    page = await searched(await sign_in("ann"), **{"text": "geoff", **fields})
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


@pytest.mark.parametrize(("user", "path"), [("ann", "/console/orders/alice/nowhere"), ("cat", "/console/money")])
async def test_a_page_that_is_not_shown_keeps_the_name_of_the_seller(sign_in: SignIn, user: str, path: str) -> None:
    page = await (await sign_in(user)).open(path)
    assert page.status in (403, 404)
    assert '<p class="service"><span>Riverside Centre ' in page.response.text


async def test_a_deleted_order_shows_that_it_was_deleted(world: World, sign_in: SignIn) -> None:
    assert (await world.call("DELETE", f"orders/{UUID}")).status_code == 204
    page = await (await sign_in("ann")).open(ORDER)
    assert "deleted this booking on Monday 1 March 2027" in page.text
    assert "Geoff" not in page.text


async def test_a_cursor_of_another_list_is_not_found(sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open("/console/orders?after=nonsense")
    assert page.status == 404


async def test_an_attendee_is_named_beside_the_customer(world: World, sign_in: SignIn) -> None:
    tim = {"@type": "Person", "givenName": "Tim", "familyName": "Turner", "email": "tim@example.com"}
    body = world.order({**world.item(YOGA), "attendee": tim}, customer=JANE)
    assert (await world.call("PUT", f"orders/{new_uuid()}", body)).status_code == 201
    for text in ("tim@example.com", "turn", "tim t"):
        page = await found(sign_in, text=text)
        assert "Jane Smithson" in page
        assert "for Tim Turner" in page
    assert "for Tim Turner" not in await found(sign_in, text="jane")


def addresses_of(visitor: Visitor) -> str:
    """Return all addresses that the browser has opened or was sent to, in lower case."""
    seen = [f"{answer.url} {answer.headers.get('location', '')}" for answer in visitor.history]
    return unquote(" ".join(seen)).lower().replace(SITE, "")


@pytest.mark.parametrize("text", ["jane@example.com", "smithson", "020 7946 0000"])
async def test_personal_data_of_a_search_is_in_no_address_and_no_log(
    sign_in: SignIn, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    ann = await sign_in("ann")
    with structlog.testing.capture_logs() as told:
        page = await searched(ann, text=text, status="booked")
        assert page.fields["text"]["value"] == text
        assert (await ann.open(page.url)).text == page.text
    logged = json.dumps(told, default=str) + "".join(capsys.readouterr())
    assert "status=booked" in addresses_of(ann)
    for word in ("jane", "smithson", "example.com", "7946"):
        assert word not in addresses_of(ann)
        assert word not in logged.lower()


@pytest.mark.parametrize("text", ["smithson", "jane@example.com"])
async def test_further_pages_of_a_search_have_no_personal_data_in_their_addresses(
    world: World, sign_in: SignIn, text: str
) -> None:
    swimming = session("swimming", capacity=PAGE_ROWS + 9)
    await world.store.execute(Publish(tuple(swimming), actor=MANAGER))
    for _ in range(PAGE_ROWS + 1):
        asked = request(item(swimming), customer=JANE, total_payment_due=PRICE)
        assert not (await world.store.execute(book(asked, uuid=new_uuid()))).has_errors
    ann = await sign_in("ann")
    page = await searched(ann, text=text, session_from="2027-03-01")
    shown = page.text.count("Jane Smithson")
    while link := re.search(r'href="(/console/orders\?[^"]+)">(Earlier|Nothing)', page.response.text):
        page = await ann.open(link[1].replace("&amp;", "&"))
        assert page.fields["text"]["value"] == text
        shown += page.text.count("Jane Smithson")
    assert shown == PAGE_ROWS + 2
    assert not [word for word in ("jane", "smithson", "example.com") if word in addresses_of(ann)]


async def test_a_search_of_another_browser_cannot_be_read(sign_in: SignIn) -> None:
    page = await searched(await sign_in("ann"), text="jane")
    other = await (await sign_in("ann")).open(page.url)
    assert (other.status, other.summary) == (422, ["text"])
    assert "This search has ended" in other.text
    assert "Jane" not in other.text
    for address in ("?search=nonsense", "?search=a.b.c.d.e", "?search=%C3%A9"):
        assert (await (await sign_in("ann")).open(f"{ORDERS}{address}")).status == 422


async def test_a_text_in_an_address_is_not_searched(sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open(f"{ORDERS}?text=jane")
    assert "Latest bookings" in page.text
    assert page.fields["text"]["value"] == ""


async def test_a_search_without_fields_shows_all(sign_in: SignIn) -> None:
    page = await searched(await sign_in("ann"))
    assert page.url.endswith(ORDERS)
    assert "Latest bookings" in page.text


async def test_a_long_text_is_named_and_stays(sign_in: SignIn) -> None:
    page = await searched(await sign_in("ann"), text="x" * 255, status="booked")
    assert (page.status, page.summary) == (422, ["text"])
    assert (page.fields["text"]["value"], page.fields["text"]["maxlength"]) == ("x" * 255, "254")
