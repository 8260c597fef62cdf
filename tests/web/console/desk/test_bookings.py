"""The front desk: a person at the counter or on the phone is booked, pays, gets a receipt, and is cancelled again."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.opportunity import FormField
from openbooking.booking.model.order import Partnership
from openbooking.booking.store import ORDERS, Feed
from openbooking.booking.views import StoreWithViews
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import FormFieldType
from support.builders import NOW, UUID, new_uuid, offer, session
from support.console import SignIn
from support.front_desk import BOOK, PATH, book, choice, form, orders, page_path
from support.http_system import PILATES, YOGA, World
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio

DAY = (NOW + timedelta(days=2)).date()
TAKINGS = "/console/desk/takings"
LEVEL = FormField(key="level", type=FormFieldType.SHORT_ANSWER, name="Level", description="How good?", required=True)
PHOTO = FormField(key="photo", type=FormFieldType.BOOLEAN, name="Photos", description="May we?")
CLIMB = session(
    "climb",
    offered={"attendee_details": ("https://schema.org/givenName",), "intake_form": (LEVEL, PHOTO)},
)


async def booked(world: World, path: str = PATH) -> int:
    assert isinstance(world.store, StoreWithViews)
    occurrence = await world.store.views.of(CENTRE.key).occurrence(path)
    assert occurrence
    return occurrence.booked


async def test_the_desk_lists_the_sessions_of_a_day_with_free_spaces_and_prices(world: World, sign_in: SignIn) -> None:
    """Also for staff that sees no money elsewhere."""
    await world.store.execute(Publish(tuple(session("full", capacity=0)), actor=MANAGER))
    page = await (await sign_in("cat")).open(f"/console/desk?day={DAY}")
    assert "Wednesday 3 March 2027" in page.text
    assert "Adult: £12.00" in page.text
    assert f'href="{BOOK}"' in page.response.text
    assert 'desk/book/scheduled-sessions/full"' not in page.response.text
    assert PILATES[-1].path not in page.response.text
    empty = await (await sign_in("cat")).open("/console/desk")
    assert "No session of" in empty.text


async def test_a_form_shows_its_total_with_vat_before_it_is_sent(sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    page = await cat.open(BOOK)
    assert "Total: £12.00 includes VAT at 20%: £2.00" in page.text
    page = await cat.post(BOOK, form(page, step="total", spaces="3", givenName="Jo"))
    assert "Total: £36.00 includes VAT at 20%: £6.00" in page.text
    assert "Book for £36.00" in page.text
    assert page.fields["spaces"]["value"] == "3"
    assert page.fields["givenName"]["value"] == "Jo"


async def test_two_spaces_are_booked_without_a_name(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    shown = await cat.post(BOOK, form(await cat.open(BOOK), step="total", spaces="2"))
    page = await cat.post(BOOK, form(shown, payment="card", reference="slip 7"))
    assert page.status == 200
    assert "Booked." in page.text
    (record,) = await orders(world)
    assert page_path(page) == f"/console/desk/receipt/{record.uuid}"
    assert (len(record.states), record.order.totals.price) == (2, Decimal(24))
    assert record.order.personal
    assert record.order.personal.customer is None
    assert record.payment
    assert (record.payment.name, record.payment.identifier) == ("card", "slip 7")
    assert record.booked
    assert record.booked.actor.key == "cat"


async def test_a_receipt_has_the_seller_the_price_and_the_vat(world: World, sign_in: SignIn) -> None:
    registered = replace(CENTRE, properties={**CENTRE.properties, "vatID": "GB123456789"})
    await world.store.execute(PublishSeller(registered, actor=MANAGER))
    page = await book(await sign_in("cat"), payment="cash", givenName="Jo", familyName="Bell")
    for text in (
        "Riverside Leisure Trust 1 High Street Testford Testshire TE5 7AB VAT number GB123456789",
        "Customer Jo Bell",
        "Monday 1 March 2027, 12:00",
        "Yoga, Adult",
        "Total £12.00 VAT at 20%, included £2.00 Paid £12.00, cash, Mon 1 Mar",
    ):
        assert text in page.text


async def test_a_receipt_names_the_treatment_of_what_has_no_vat(world: World, sign_in: SignIn) -> None:
    exempt = session("exempt", offered={"vat": VatTreatment.EXEMPT})
    await world.store.execute(Publish(tuple(exempt), actor=MANAGER))
    path = f"/console/desk/book/{exempt[-1].path}"
    cat = await sign_in("cat")
    page = await cat.post(path, form(await cat.open(path), offer=choice(exempt), payment="cash"))
    assert "Total £12.00 Tax VAT exempt Paid £12.00" in page.text


async def test_a_customer_is_found_by_the_name_and_the_booking_by_the_desk(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    await book(
        ann, payment="none", givenName="Jo", familyName="Bell", email="jo@example.com", telephone="020 7946 0000"
    )
    for field, value in (("text", "bell"), ("text", "jo@example.com"), ("text", "02079460000"), ("partner", DESK)):
        page = await ann.send(await ann.open("/console/orders"), "/console/orders", **{field: value})
        assert "Jo Bell" in page.text
        assert page.text.count("front desk") >= 2


async def test_the_register_lists_who_was_booked_at_the_desk(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    await book(ann, payment="none", givenName="Jo")
    page = await ann.open(f"/console/register/{PATH}")
    assert "1 of 10 booked, 0 attended." in page.text
    assert "Jo" in page.text


async def test_a_form_that_is_sent_twice_books_once(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    sent = form(await cat.open(BOOK), payment="cash")
    first = await cat.post(BOOK, sent)
    again = await cat.post(BOOK, sent)
    other = await cat.post(BOOK, {**sent, "givenName": "Jo", "spaces": "2"})
    assert await booked(world) == 1
    for page in (again, other):
        assert page_path(page) == page_path(first)
        assert "not booked again" in page.text


async def test_a_double_click_books_once(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    sent = form(await cat.open(BOOK), payment="cash")
    pages = await asyncio.gather(*(cat.post(BOOK, sent) for _ in range(5)))
    assert {page_path(page).rpartition("/")[0] for page in pages} == {"/console/desk/receipt"}
    assert await booked(world) == 1


async def test_a_price_that_has_changed_is_shown_and_not_taken(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    page = await cat.open(BOOK)
    await world.store.execute(Publish(tuple(session("yoga", price=Decimal("15.00"))), actor=MANAGER))
    page = await cat.post(BOOK, form(page, payment="cash", givenName="Jo"))
    assert page.status == 422
    assert page.summary[0] == "total"
    assert "Total: £15.00" in page.text
    assert page.fields["givenName"]["value"] == "Jo"
    assert await booked(world) == 0
    assert "Booked." in (await cat.post(BOOK, form(page, payment="cash"))).text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"spaces": "none"}, "spaces"),
        ({"spaces": "0"}, "spaces"),
        ({"spaces": "101"}, "spaces"),
        ({"offer": "session-series/series-yoga child"}, "offer"),
        ({"email": "jo at example.com"}, "email"),
        ({"givenName": "x" * 1001}, "givenName"),
        ({"payment": "shells"}, "payment"),
        ({}, "payment"),
        ({"payment": "cash", "total": "1.00"}, "total"),
        ({"payment": "cash", "total": "NaN"}, "total"),
        ({"payment": "cash", "total": "1e9999999999"}, "total"),
    ],
)
async def test_an_error_is_shown_at_its_field_and_the_form_keeps_its_values(
    world: World, sign_in: SignIn, fields: dict[str, str], wrong: str
) -> None:
    page = await book(await sign_in("cat"), **{"familyName": "O'Bell", **fields})
    assert page.status == 422
    assert page.summary[0] == wrong
    assert f"{wrong}-wrong" in page.paragraphs
    assert page.fields["familyName"]["value"] == "O'Bell"
    assert await booked(world) == 0


async def test_more_spaces_than_are_left_are_refused_at_the_field(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    for step in ("total", "book"):
        page = await book(cat, step=step, spaces="11", total="132.00", payment="cash")
        assert page.status == 422
        assert page.summary[0] == "spaces"
        assert "Only 10 spaces are left." in page.text
    assert await booked(world) == 0


async def test_a_space_that_was_sold_meanwhile_is_not_sold_again(world: World, sign_in: SignIn) -> None:
    last = session("last", capacity=1)
    await world.store.execute(Publish(tuple(last), actor=MANAGER))
    path = f"/console/desk/book/{last[-1].path}"
    cat = await sign_in("cat")
    page = await cat.open(path)
    assert "1 space is free." in page.text
    assert (await world.call("PUT", f"orders/{new_uuid()}", world.order(world.item(last)))).status_code == 201
    page = await cat.post(path, form(page, offer=choice(last), payment="cash"))
    assert page.status == 422
    assert "This session is full." in page.text
    assert await booked(world, last[-1].path) == 1
    opened = await cat.open(path)
    assert opened.status == 200
    assert "This session is full." in opened.text
    assert "Choose another session of this day" in opened.text
    assert "spaces" in page.fields
    assert "spaces" not in opened.fields


async def test_the_desk_asks_for_the_details_that_an_offer_requires(world: World, sign_in: SignIn) -> None:
    await world.store.execute(Publish(tuple(CLIMB), actor=MANAGER))
    path = f"/console/desk/book/{CLIMB[-1].path}"
    cat = await sign_in("cat")
    shown = form(await cat.open(path), offer=choice(CLIMB), step="total", spaces="2")
    page = await cat.post(path, shown)
    assert page.status == 200
    typed = {"attendee-1-givenName": "Jo", "answer-1-level": "High", "answer-2-photo": "yes"}
    boxes = {"answer-1-photo": "", "answer-2-photo": ""}
    page = await cat.post(path, form(page, offer=choice(CLIMB), **{**boxes, **typed}))
    assert page.status == 422
    assert {"payment-wrong", "attendee-2-givenName-wrong"} <= page.paragraphs.keys()
    page = await cat.post(path, form(page, offer=choice(CLIMB), payment="cash", **{**boxes, **typed}))
    assert page.status == 422
    assert page.summary[0] == "attendee-2-givenName"
    assert page.paragraphs["answer-2-level-wrong"] == "Please answer “Level”."
    assert "answer-1-level-wrong" not in page.paragraphs
    assert page.fields["answer-1-level"]["value"] == "High"
    typed |= {"attendee-2-givenName": "Al", "answer-2-level": "Low"}
    page = await cat.post(path, form(page, offer=choice(CLIMB), payment="cash", **{**boxes, **typed}))
    assert "Booked." in page.text
    register = await cat.open(f"/console/register/{CLIMB[-1].path}")
    for text in ("Jo Level: HighPhotos: no", "Al Level: LowPhotos: yes"):
        assert text in register.text


async def test_the_form_keeps_its_values_after_a_wrong_number_of_spaces(world: World, sign_in: SignIn) -> None:
    await world.store.execute(Publish(tuple(CLIMB), actor=MANAGER))
    path = f"/console/desk/book/{CLIMB[-1].path}"
    cat = await sign_in("cat")
    page = await cat.open(path)
    typed = {"attendee-1-givenName": "Jo", "answer-1-level": "High", "payment": "cash", "reference": "till 2"}
    for spaces in ("x", "11"):
        page = await cat.post(path, {**form(page, offer=choice(CLIMB), **typed), "spaces": spaces})
        assert page.status == 422
        assert page.summary[0] == "spaces"
        for name in ("attendee-1-givenName", "answer-1-level", "reference"):
            assert page.fields[name]["value"] == typed[name]
        assert 'value="cash" checked' in page.response.text


async def test_a_form_for_attendees_never_has_too_many_fields(world: World, sign_in: SignIn) -> None:
    await world.store.execute(Publish(tuple(CLIMB), actor=MANAGER))
    path = f"/console/desk/book/{CLIMB[-1].path}"
    cat = await sign_in("cat")
    page = await book(cat, path, offer=choice(CLIMB), step="total", spaces="13")
    assert page.paragraphs["spaces-wrong"] == "Book at most 12 spaces at once."
    shown = await book(cat, path, offer=choice(CLIMB), step="total", spaces="10")
    assert len(form(shown, payment="cash")) <= 50


async def test_a_free_space_asks_for_no_payment(world: World, sign_in: SignIn) -> None:
    free = session("free", price=Decimal(0))
    await world.store.execute(Publish(tuple(free), actor=MANAGER))
    page = await book(await sign_in("cat"), f"/console/desk/book/{free[-1].path}", offer=choice(free), payment="cash")
    assert "Booked." in page.text
    assert "Paid" not in page.text


async def test_one_of_several_offers_is_chosen(world: World, sign_in: SignIn) -> None:
    owner = "session-series/series-zumba"
    offers = (offer(owner), offer(owner, "junior", Decimal("5.50"), name="Junior"))
    zumba = session("zumba", offers=offers)
    await world.store.execute(Publish(tuple(zumba), actor=MANAGER))
    path, cat = f"/console/desk/book/{zumba[-1].path}", await sign_in("cat")
    page = await cat.post(path, form(await cat.open(path), offer=choice(zumba, "junior"), step="total"))
    assert "Book for £5.50" in page.text
    page = await cat.post(path, form(page, offer=choice(zumba, "junior"), payment="other"))
    assert "Yoga, Junior" in page.text
    assert "Paid £5.50, another way" in page.text


async def test_a_walk_in_is_booked_until_the_session_has_ended(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    sent = form(await cat.open(BOOK), payment="cash")
    world.pass_time(days=2, minutes=30)
    cat = await sign_in("cat")
    assert "Total: £12.00" in (await cat.open(BOOK)).text
    world.pass_time(hours=1)
    page = await cat.open(BOOK)
    assert "This session is over." in page.text
    page = await cat.post(BOOK, {**sent, "form_token": page.forms[0].fields["form_token"]})
    assert page.status == 422
    assert page.summary[0] == "offer"
    assert await booked(world) == 0


async def test_the_desk_can_cancel_again_and_the_refund_is_on_the_receipt(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    page = await book(cat, payment="cash")
    (record,) = await orders(world)
    receipt = page_path(page)
    cancel = f"/console/orders/{DESK}/{record.uuid}/cancel"
    assert cancel in page.response.text
    page = await cat.open(cancel)
    assert "tell the customer yourself, and pay back what was paid for them" in page.text
    token = page.forms[-1].fields["form_token"]
    page = await cat.post(cancel, {"form_token": token, "item-1": "yes", "message": "Ill."})
    assert "tell the customer yourself, and give back what was paid" in page.text
    assert "Refund£12.00, cash" in page.text
    assert await booked(world) == 0
    page = await cat.open(receipt)
    assert "Refund £12.00, cash" in page.text
    assert "Cancel the booking" not in page.text


async def test_bookings_of_the_desk_are_in_no_feed_of_orders(world: World, sign_in: SignIn) -> None:
    """The open feed shows the space that is taken."""
    await book(await sign_in("cat"), payment="cash")
    (record,) = await orders(world)
    await world.store.execute(SellerCancel(order=record.key, actor=MANAGER))
    for partner in ("alice", "bob"):
        assert await world.read_feed("/api/orders-rpde", partner) == {}
    assert await world.store.feed_items(Feed(ORDERS, DESK), 0, 100) == []
    assert (await world.call("GET", f"orders/{record.uuid}")).status_code == 404


async def test_a_space_that_the_desk_sells_is_gone_for_brokers(world: World, sign_in: SignIn) -> None:
    await book(await sign_in("cat"), payment="cash")
    data = (await world.read_feed("/feeds/scheduled-sessions"))["yoga"]["data"]
    assert data["remainingAttendeeCapacity"] == 9


async def test_the_desk_counts_as_its_own_partner(world: World, sign_in: SignIn) -> None:
    """The partners page adds up the bookings of the desk, and has no button that stops the desk."""
    ann = await sign_in("ann")
    await book(ann, payment="cash")
    assert await world.store.order_counts() == {Partnership(DESK, CENTRE.key): 1}
    text = (await ann.open("/partners")).text
    assert "front desk 1 £12.00" in text
    assert "Stop front desk" not in text
    assert (await world.call("GET", "orders-rpde", partner=DESK)).status_code == 401


async def test_another_seller_sees_and_books_nothing(world: World, sign_in: SignIn) -> None:
    await book(await sign_in("cat"), payment="cash")
    (record,) = await orders(world)
    ben = await sign_in("ben")
    assert (await ben.open(f"/console/desk/receipt/{record.uuid}")).status == 404
    assert (await ben.open(BOOK)).status == 404
    assert "Nothing was paid" in (await ben.open(TAKINGS)).text
    own = f"/console/desk/book/{PILATES[-1].path}"
    sent = form(await ben.open(own), offer=choice(PILATES), payment="cash")
    assert (await ben.post(BOOK, sent)).status == 404
    stolen = await ben.post(own, {**sent, "uuid": record.uuid})
    assert stolen.status == 404
    assert "Booked." in (await ben.post(own, sent)).text
    assert await booked(world) == 1


async def test_the_desk_of_a_seller_with_net_prices_adds_the_vat(sign_in: SignIn) -> None:
    own = f"/console/desk/book/{PILATES[-1].path}"
    page = await (await sign_in("ben")).open(own)
    assert "Total: £14.40" in page.text
    listed = await (await sign_in("ben")).open(f"/console/desk?day={DAY}")
    assert "Adult: £14.40" in listed.text


@pytest.mark.parametrize("changes", [{"form_token": "0" * 64}, {"uuid": "1"}, {"uuid": ""}])
async def test_a_forged_form_books_nothing(world: World, sign_in: SignIn, changes: dict[str, str]) -> None:
    page = await book(await sign_in("cat"), payment="cash", **changes)
    assert page.status in {400, 403}
    assert await booked(world) == 0


async def test_a_receipt_of_a_partner_does_not_exist(world: World, sign_in: SignIn) -> None:
    assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))).status_code == 201
    cat = await sign_in("cat")
    for path in (f"/console/desk/receipt/{UUID}", "/console/desk/receipt/x", "/console/desk/book/slots/none"):
        assert (await cat.open(path)).status == 404
